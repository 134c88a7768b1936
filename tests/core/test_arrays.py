import numpy as np
import pytest
import torch

from neurapde.core import arrays
from neurapde.core.errors import DeclarationError


@pytest.mark.parametrize("name", ["sin", "cos", "exp", "sqrt", "log", "abs", "tanh"])
def test_functions_agree_on_numpy_torch_and_numbers(name: str) -> None:
    function, expected = getattr(arrays, name), getattr(np, name)
    x = np.linspace(0.1, 3.0, 7, dtype=np.float32)
    assert function(x).dtype == np.float32
    assert function(torch.tensor(x)).dtype == torch.float32
    np.testing.assert_allclose(function(x), expected(x), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(function(torch.tensor(x)).numpy(), expected(x), rtol=1e-6, atol=1e-12)
    assert function(0.3) == pytest.approx(expected(0.3))


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_maximum_minimum_and_where_keep_kind_and_dtype(kind) -> None:
    x, y = (kind(np.array(v, dtype=np.float32)) for v in ([-1.0, 2.0], [0.5, 0.5]))
    for result, expected in (
        (arrays.maximum(x, 0.0), [0.0, 2.0]),
        (arrays.minimum(x, 0.0), [-1.0, 0.0]),
        (arrays.maximum(x, y), [0.5, 2.0]),
        (arrays.minimum(x, y), [-1.0, 0.5]),
        (arrays.where(x > 0, x, 0.25), [0.25, 2.0]),
    ):
        assert type(result) is type(x)
        assert result.dtype == x.dtype
        assert result.tolist() == expected


def test_root_is_differentiable_where_it_vanishes() -> None:
    x = torch.tensor([0.0, 4.0], dtype=torch.float64, requires_grad=True)
    arrays.safe_sqrt(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.25]


def test_points_become_floating_arrays_of_their_kind() -> None:
    assert arrays.as_points([[0, 1], [2, 3]], 2).dtype == np.float64
    assert arrays.as_points(torch.tensor([[0, 1]]), 2).dtype == torch.float64
    single = np.zeros((3, 2), dtype=np.float32)
    assert arrays.as_points(single, 2) is single


@pytest.mark.parametrize(
    ("points", "dimension", "message"),
    [
        (np.zeros(2), 2, r"shape \(2,\), but must be \(n, 2\): for one point use points\[None\]"),
        (np.zeros(5), 1, r"use points\[:, None\]"),
        (np.zeros((2, 5)), 2, r"use points\.T"),
        (np.zeros((4, 3)), 2, r"shape \(4, 3\), but must be \(n, 2\)"),
        (np.array([[0.0, 1.0], [np.nan, 0.0]]), 2, r"points\[1\] is \[nan, 0\.0\]; give finite"),
        (torch.tensor([[0.0, torch.inf]]), 2, r"points\[0\] is \[0\.0, inf\]; give finite"),
        (np.zeros((1, 2), dtype=complex), 2, "complex128; give real coordinates"),
    ],
)
def test_what_is_no_set_of_points_is_refused(points, dimension: int, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        arrays.as_points(points, dimension)


def test_tensors_become_numpy_whatever_they_carry() -> None:
    z = torch.tensor([1 + 2j], requires_grad=True).conj()
    assert arrays.to_numpy(z).tolist() == [1 - 2j]
