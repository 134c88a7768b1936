"""Measures of residuals."""

import pytest
import torch

from neurapde.training.losses import Loss, MeanAbsolute, MeanSquare, as_loss, mean_loss

R = torch.tensor([3 + 4j, -1 + 0j], dtype=torch.complex128)


def test_l1_of_a_complex_residual_sums_its_parts_and_l2_is_the_modulus_squared() -> None:
    assert MeanAbsolute()(R).tolist() == [7.0, 1.0]
    assert MeanSquare()(R).tolist() == [25.0, 1.0]


@pytest.mark.parametrize("loss", [MeanAbsolute(), MeanSquare()])
def test_real_and_complex_residuals_without_imaginary_part_measure_the_same(loss: Loss) -> None:
    r = torch.linspace(-1, 2, 7, dtype=torch.float64)
    torch.testing.assert_close(loss(r), loss(r.to(torch.complex128)), rtol=1e-12, atol=0)


def test_point_weights_apply_to_every_component() -> None:
    residual = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    weights = torch.tensor([10.0, 1.0], dtype=torch.float64)
    assert float(mean_loss(residual, MeanAbsolute(), weights)) == (10 + 20 + 3 + 4) / 4
    assert float(mean_loss(residual, MeanSquare(), None)) == (1 + 4 + 9 + 16) / 4


@pytest.mark.parametrize(("word", "loss"), [("l1", MeanAbsolute()), ("l2", MeanSquare())])
def test_the_words_of_the_release_before_are_losses_still_and_say_the_new_ones(word: str, loss: Loss) -> None:
    with pytest.warns(
        DeprecationWarning, match=rf"loss='{word}' is loss=npde\.{type(loss).__name__}\(\) now"
    ):
        assert as_loss(word) == loss
