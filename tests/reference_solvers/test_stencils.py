"""Difference matrices, interpolation and the skewed layout of the sweeps."""

from itertools import product

import numpy as np
import pytest

from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.grids.skewed import Skewed
from neurapde.reference_solvers.grids.stencils import (
    along,
    central_difference,
    forward_difference,
    interpolation,
)
from neurapde.reference_solvers.operators.separable import SeparableInverse

RANDOM = np.random.default_rng(28657)


def test_a_matrix_acts_along_the_axis_it_is_given() -> None:
    values = RANDOM.normal(size=(4, 5, 6))
    for axis, n in enumerate(values.shape):
        matrix = along(forward_difference(n, 0.5), values.shape, axis)
        expected = np.diff(values, axis=axis) / 0.5
        np.testing.assert_allclose(
            (matrix @ values.ravel()).reshape(expected.shape), expected, rtol=1e-9, atol=1e-9
        )


def test_the_central_difference_is_that_of_numpy() -> None:
    values = RANDOM.normal(size=11)
    np.testing.assert_allclose(
        central_difference(11, 0.3) @ values, np.gradient(values, 0.3), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_interpolation_is_exact_for_polynomials_of_its_degree_everywhere_in_the_grid(degree: int) -> None:
    grid = Grid((0, -1), (1, 2), (8, 9))
    points = RANDOM.uniform(size=(60, 2)) * [1, 3] + [0, -1]
    points[:4] = [[0, -1], [1, 2], [0, 2], [1, -1]]
    nodes = grid.points
    matrix = interpolation(grid, points, degree=degree)
    for i, j in product(range(degree + 1), repeat=2):
        values = nodes[:, 0] ** i * nodes[:, 1] ** j
        np.testing.assert_allclose(matrix @ values, points[:, 0] ** i * points[:, 1] ** j, atol=1e-13)


def test_interpolation_refuses_what_it_cannot_reach() -> None:
    grid = Grid((0, 0), (1, 1), (3, 5))
    with pytest.raises(ValueError, match=r"point \[0.5, 1.5\] lies outside the grid"):
        interpolation(grid, np.array([[0.5, 1.5]]), degree=2)
    with pytest.raises(ValueError, match=r"points must have shape \(n, 2\); got \(4, 3\)"):
        interpolation(grid, np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"degree 3 needs 4 nodes along each axis; got \(3, 5\)"):
        interpolation(grid, np.zeros((4, 2)))


def test_the_separable_inverse_undoes_its_kronecker_sum() -> None:
    axes = []
    for n in (3, 4, 5):
        half = RANDOM.normal(size=(n, n))
        axes.append((half @ half.T, RANDOM.uniform(0.5, 2, n)))
    (K1, m1), (K2, m2), (K3, m3) = axes
    M1, M2, M3 = (np.diag(m) for m in (m1, m2, m3))
    total = np.kron(K1, np.kron(M2, M3)) + np.kron(M1, np.kron(K2, M3)) + np.kron(M1, np.kron(M2, K3))
    total += 0.7 * np.kron(M1, np.kron(M2, M3))
    values = RANDOM.normal(size=60)
    np.testing.assert_allclose(total @ SeparableInverse(axes, 0.7)(values), values, atol=1e-10)


@pytest.mark.parametrize("shape", [(5, 7), (7, 4), (4, 5, 6)])
def test_windows_of_the_skewed_layout_hold_the_neighbours(shape: tuple[int, ...]) -> None:
    values = RANDOM.normal(size=(*shape, 2))
    for flips in product((False, True), repeat=len(shape) - 1):
        layout = Skewed(shape, flips)
        skewed = layout.turn(values, np.nan)
        np.testing.assert_array_equal(layout.back(skewed), values)
        for axis in range(len(shape)):
            forward = not (*flips, False)[axis]
            rolled = np.full_like(values, np.nan)
            inner = [slice(None)] * len(shape)
            outer = list(inner)
            inner[axis], outer[axis] = (
                (slice(0, -1), slice(1, None)) if forward else (slice(1, None), slice(0, -1))
            )
            rolled[tuple(inner)] = values[tuple(outer)]
            expected = layout.turn(rolled, np.nan)
            nodes = layout.turn(np.ones(values.shape), 0.0)
            for plane in range(layout.planes):
                here, there = layout.windows[plane, 0, axis], layout.windows[plane, 1, axis]
                held = nodes[here] > 0
                np.testing.assert_array_equal(skewed[there][held], expected[here][held])
