"""Sines of an axis: orthogonality, the conditions at the ends, and products integrated through their moments."""

import numpy as np
import pytest

from neurapde.spectral.modes import AxisModes, along, along_all, project
from neurapde.spectral.operator import _triangular_sylvester
from neurapde.spectral.quadrature import interval_rule

ENDS = [(False, False), (True, True), (False, True), (True, False)]


@pytest.mark.parametrize("free", ENDS)
def test_modes_are_orthogonal_and_meet_their_conditions(free):
    modes = AxisModes(-0.3, 1.7, 9, free)
    x, w = interval_rule([-0.3, 1.7], 2 * modes.bandwidth)
    gram = (modes.values(x) * w) @ modes.values(x).T
    expected = np.eye(9)
    if free == (True, True):
        expected[0, 0] = 2  # the constant
    np.testing.assert_allclose(gram, expected, atol=1e-12)
    ends = np.array([-0.3, 1.7])
    for end, is_free in enumerate(free):
        vanishing = modes.slopes(ends) if is_free else modes.values(ends)
        np.testing.assert_allclose(vanishing[:, end], 0, atol=1e-11)


@pytest.mark.parametrize("free", ENDS)
def test_slopes_are_the_derivatives_of_the_values(free):
    modes = AxisModes(0.0, 2.0, 6, free)
    x, h = np.linspace(0.1, 1.9, 7), 1e-6
    difference = (modes.values(x + h) - modes.values(x - h)) / (2 * h)
    np.testing.assert_allclose(modes.slopes(x), difference, atol=1e-7)


@pytest.mark.parametrize("free", ENDS)
def test_moments_give_the_matrix_of_a_kinked_coefficient_exactly(free):
    modes = AxisModes(-1.0, 1.0, 12, free)
    x, w = interval_rule([-1.0, 0.3, 1.0], 6 * modes.bandwidth)
    coefficient = np.abs(x - 0.3) + (x > 0.3)
    exact = (modes.values(x) * w * coefficient) @ modes.values(x).T
    on_grid = modes.synthesis @ (modes.cosines(x) @ (w * coefficient))
    matrix = modes.on_grid.T @ (on_grid[:, None] * modes.on_grid) * (modes.length / len(modes.grid))
    np.testing.assert_allclose(matrix, exact, atol=1e-12)


def test_products_along_an_axis_equal_einsum_for_complex_arrays():
    rng = np.random.default_rng(50413)
    array = rng.normal(size=(3, 4, 2)) + 1j * rng.normal(size=(3, 4, 2))
    first, second = rng.normal(size=(5, 3)), rng.normal(size=(6, 4))
    np.testing.assert_allclose(
        along(second, 1, array), np.einsum("kj,ijs->iks", second, array), rtol=1e-9, atol=1e-9
    )
    expected = np.einsum("ai,bj,ijs->abs", first, second, array)
    np.testing.assert_allclose(along_all([first, second], array), expected, rtol=1e-9, atol=1e-9)


def test_projection_from_scattered_points_is_independent_of_its_blocks(monkeypatch):
    rng = np.random.default_rng(60611)
    points, values = rng.uniform(-1, 1, (57, 2)), rng.normal(size=57) + 1j * rng.normal(size=57)
    modes = (AxisModes(-1.0, 1.0, 4), AxisModes(-1.0, 1.0, 5))
    tables = [axis_modes.values for axis_modes in modes]
    expected = np.einsum("iq,jq,q->ij", modes[0].values(points[:, 0]), modes[1].values(points[:, 1]), values)
    np.testing.assert_allclose(project(tables, points, values), expected, atol=1e-12)
    monkeypatch.setattr("neurapde.spectral.modes.BLOCK", 10)
    np.testing.assert_allclose(project(tables, points, values), expected, atol=1e-12)


@pytest.mark.parametrize("longest", [1, 40])
@pytest.mark.parametrize("block", [30, 20_000])
def test_sums_over_lines_of_points_are_sums_over_points(monkeypatch, longest, block) -> None:
    monkeypatch.setattr("neurapde.spectral.modes.BLOCK", block)
    draw = np.random.default_rng(60317)
    axis_modes = AxisModes(-1.0, 2.0, 5, (False, True))
    x = np.repeat(draw.random(50), draw.integers(1, longest + 1, 50))
    points = np.stack((x, draw.random(len(x))), axis=1)
    values = draw.normal(size=len(x)) + 1j * draw.normal(size=len(x))
    expected = (axis_modes.cosines(points[:, 0]) * values) @ axis_modes.values(points[:, 1]).T
    np.testing.assert_allclose(
        project([axis_modes.cosines, axis_modes.values], points, values), expected, atol=1e-12
    )


def test_a_sum_over_no_points_is_zero() -> None:
    axis_modes = AxisModes(-1.0, 2.0, 5, (False, True))
    matrix = project([axis_modes.cosines, axis_modes.values], np.empty((0, 2)), np.empty(0))
    np.testing.assert_array_equal(matrix, np.zeros((11, 5)))


@pytest.mark.parametrize("shape", [(40, 150), (150, 40), (131, 130)])
def test_halving_solves_the_triangular_sylvester_equation(shape) -> None:
    draw = np.random.default_rng(41263)
    left, right = (
        np.triu(draw.normal(size=(n, n)) + 1j * draw.normal(size=(n, n))) / n + np.eye(n) for n in shape
    )
    load = draw.normal(size=shape) + 1j * draw.normal(size=shape)
    solution = _triangular_sylvester(left, right, load)
    np.testing.assert_allclose(left @ solution + solution @ right, load, atol=1e-11)
