"""Values on a grid joined by cubic splines: what they keep, and how fast they converge."""

import numpy as np
import pytest
import torch

from neurapde.core.errors import DeclarationError
from neurapde.domains import Box
from neurapde.fields.grid_field import GridField
from neurapde.fields.spline import CubicField

BOX = Box((-1, 2), (0, 1))


def nodes(*shape: int) -> np.ndarray:
    axes = [np.linspace(a, b, n) for (a, b), n in zip(BOX.sides, shape, strict=False)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def polynomial(x: np.ndarray, degree: int) -> np.ndarray:
    return (1 + x[..., 0] - 2 * x[..., 0] ** degree) * (2 - 1j * x[..., 1] ** degree)


@pytest.mark.parametrize(("count", "degree"), [(2, 1), (3, 2), (4, 3), (7, 3)])
def test_cubics_are_kept_and_lower_degrees_where_nodes_are_few(count: int, degree: int) -> None:
    field = CubicField(GridField(polynomial(nodes(count, count), degree))).on(BOX)
    points = BOX.sample(200, generator=torch.Generator().manual_seed(31663))
    expected = polynomial(points.numpy(), degree)
    np.testing.assert_allclose(field(points.numpy()), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(field(points).numpy(), expected, rtol=0, atol=1e-12)
    single = field(points.float())
    assert single.dtype == torch.complex64
    np.testing.assert_allclose(single.numpy(), expected, rtol=0, atol=1e-4)


def test_second_derivatives_converge_with_the_second_order() -> None:
    line, errors = Box((0.0, 2.0)), []
    x = torch.linspace(0, 2, 401, dtype=torch.float64)[:, None].requires_grad_()
    for count in (33, 65, 129, 257):
        field = CubicField(GridField(np.sin(3 * np.linspace(0, 2, count)))).on(line)
        (slope,) = torch.autograd.grad(field(x).sum(), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope.sum(), x)
        errors.append(float((bend + 9 * torch.sin(3 * x)).detach().abs().max()))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders[-1] == pytest.approx(2.0, abs=0.1)
    assert errors[-1] < 2e-3


def test_nodes_keep_their_values_and_the_outermost_continue() -> None:
    values = np.random.default_rng(31667).normal(size=(5, 6))
    field = CubicField(GridField(values)).on(BOX)
    at = nodes(5, 6)
    np.testing.assert_allclose(field(at.reshape(-1, 2)).reshape(5, 6), values, atol=1e-13)
    np.testing.assert_allclose(field(np.array([[9.0, 9.0]])), values[-1, -1], rtol=1e-9)
    assert field.describe() == "values on 5×6 nodes from (−1, 0) to (2, 1), cubic between, constant beyond"


def test_a_spline_without_bounds_says_what_it_needs() -> None:
    with pytest.raises(
        DeclarationError, match=r"no bounds yet; give bounds=\(lower, upper\), or use it in a Problem"
    ):
        CubicField(GridField(np.ones((2, 2))))(np.zeros((1, 2)))
