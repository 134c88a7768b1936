"""Measures of residuals."""

import pytest
import torch

from neurapde.training.losses import MEASURES, absolute, mean_loss, square

R = torch.tensor([3 + 4j, -1 + 0j], dtype=torch.complex128)


def test_l1_of_a_complex_residual_sums_its_parts_and_l2_is_the_modulus_squared() -> None:
    assert absolute(R).tolist() == [7.0, 1.0]
    assert square(R).tolist() == [25.0, 1.0]


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_real_and_complex_residuals_without_imaginary_part_measure_the_same(name: str) -> None:
    r = torch.linspace(-1, 2, 7, dtype=torch.float64)
    torch.testing.assert_close(MEASURES[name](r), MEASURES[name](r.to(torch.complex128)), rtol=1e-12, atol=0)


def test_point_weights_apply_to_every_component() -> None:
    residual = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    weights = torch.tensor([10.0, 1.0], dtype=torch.float64)
    assert float(mean_loss(residual, absolute, weights)) == (10 + 20 + 3 + 4) / 4
    assert float(mean_loss(residual, square, None)) == (1 + 4 + 9 + 16) / 4
