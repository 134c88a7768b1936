"""The nine-point operator on plane waves: its symbol, the published weights, and the fitted ones."""

import numpy as np
import pytest

from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.helmholtz import HelmholtzGrid
from neurapde.reference_solvers.operators.dispersion import Weights, nodes_per_wavelength

ANGLES = np.linspace(0, np.pi / 2, 13)


CHEN_2013 = {
    3.0: (0.6803, 0.4444, 0.0008),
    4.0: (0.7427, 0.4088, -0.0036),
    5.0: (0.7840, 0.3832, -0.0060),
    6.0: (0.8020, 0.3712, -0.0072),
    8.0: (0.8133, 0.3637, -0.0075),
    10.0: (0.8219, 0.3578, -0.0078),
    np.inf: (0.8271, 0.3540, -0.0080),
}
"""Nodes per wavelength up to: b, d, e of Chen, Cheng, Feng, Wu (2013), Int. J. Numer. Anal. Model. 10(2)."""


def published(nodes: float) -> Weights:
    b, d, e = next(row for most, row in CHEN_2013.items() if nodes <= most)
    return Weights((b, b), (d / 2, d / 2), e)


def published_symbol(b: float, d: float, e: float, kh: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """k_num² h² of Chen, Cheng, Feng and Wu (2013), written out."""
    P, Q = np.cos(kh * np.cos(angle)), np.cos(kh * np.sin(angle))
    stiffness = (2 * P - 2) * (b + (1 - b) * Q) + (2 * Q - 2) * (b + (1 - b) * P)
    return -stiffness / (1 - d - e + d * (P + Q) / 2 + e * P * Q)


def numerical_wavenumber(weights: Weights, spacing: tuple[float, ...], waves: np.ndarray) -> np.ndarray:
    """The k at which the scheme carries the wave vectors `(n, d)`."""
    return np.sqrt(weights.stiffness_symbol(waves, spacing) / weights.mass_symbol(waves, spacing))


def phase_errors(weights: Weights, spacing: tuple[float, float], k: float) -> np.ndarray:
    waves = k * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    return numerical_wavenumber(weights, spacing, waves) / k - 1


@pytest.mark.parametrize(
    ("nodes", "b", "d", "e"),
    [(2.5, *CHEN_2013[3.0]), (3.5, *CHEN_2013[4.0]), (12, *CHEN_2013[np.inf])],
)
@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, 1.2])
def test_the_operator_on_a_plane_wave_is_its_symbol(
    nodes: float, b: float, d: float, e: float, angle: float
) -> None:
    k, h = 2 * np.pi, 1 / nodes
    grid = Grid((0, 0), (8 * h, 8 * h), (9, 9))
    solver = HelmholtzGrid(grid, k / 2, 1.0, weights=published(nodes))
    wave = np.exp(1j * k * (grid.points @ [np.cos(angle), np.sin(angle)]))
    centre = 4 * 9 + 4
    mass = (solver.mass @ wave)[centre] / wave[centre]
    stiffness = (k / 2) ** 2 * mass - (solver.operator @ wave)[centre] / wave[centre]
    expected = published_symbol(b, d, e, np.array(k * h), np.array(angle))
    assert stiffness / mass * h**2 == pytest.approx(expected, rel=1e-12)


def test_the_symbols_of_unequal_spacings_are_those_of_the_operator() -> None:
    spacing, k = (0.05, 0.08), 9.0
    grid = Grid((0, 0), (8 * spacing[0], 8 * spacing[1]), (9, 9))
    solver = HelmholtzGrid(grid, k, 1.0)
    waves = k * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    for wave, stiffness, mass in zip(
        waves,
        solver.weights.stiffness_symbol(waves, spacing),
        solver.weights.mass_symbol(waves, spacing),
        strict=True,
    ):
        values = np.exp(1j * (grid.points @ wave))
        symbol = (solver.operator @ values)[40] / values[40]
        assert symbol == pytest.approx(k**2 * mass - stiffness, abs=1e-12 * k**2 * 30)


@pytest.mark.parametrize("nodes", [4.0, 5.0, 7.0, 10.0, 20.0])
def test_fitted_weights_carry_waves_better_than_the_published_ones(nodes: float) -> None:
    k, h = 2 * np.pi, 1 / nodes
    fitted = np.abs(phase_errors(Weights.fitted((h, h), [k]), (h, h), k)).max()
    theirs = np.abs(phase_errors(published(nodes), (h, h), k)).max()
    assert fitted < 0.5 * theirs
    assert fitted < 0.5 * nodes**-4


@pytest.mark.parametrize("ratio", [1.0, 1.4, 2.0])
def test_fitted_weights_are_of_fourth_order_or_more_at_every_ratio_of_the_spacings(ratio: float) -> None:
    k = 2 * np.pi
    steps = np.array([1 / 8, 1 / 12, 1 / 18])
    errors = [
        np.abs(phase_errors(Weights.fitted((h / ratio, h), [k]), (h / ratio, h), k)).max() for h in steps
    ]
    assert (observed_orders(errors, steps) > 3.9).all()
    assert errors[-1] < 1e-5


def test_the_medium_that_fills_the_domain_has_the_smallest_error() -> None:
    spacing = (0.1, 0.1)
    mixed = Weights.fitted(spacing, np.repeat([6.0, 12.0], [990, 10]))
    alone = Weights.fitted(spacing, [6.0])
    assert np.abs(phase_errors(mixed, spacing, 6.0)).max() < 3e-5
    assert np.abs(phase_errors(mixed, spacing, 12.0)).max() < np.abs(phase_errors(alone, spacing, 12.0)).max()


def test_fine_grids_meet_the_weights_of_sixth_order() -> None:
    weights = Weights.fitted((1.0, 1.0), [1e-9])
    np.testing.assert_allclose(weights.along, 5 / 6, rtol=1e-3)
    np.testing.assert_allclose(weights.edges, 8 / 45, rtol=1e-3)
    assert weights.corners == pytest.approx(-1 / 90, rel=1e-2)


def test_one_dimension_has_no_dispersion_at_its_wavenumber() -> None:
    weights = Weights.fitted((0.1,), [7.0])
    waves = np.array([[7.0]])
    assert numerical_wavenumber(weights, (0.1,), waves)[0] == pytest.approx(7.0, rel=1e-10)


def test_nodes_per_wavelength_count_the_shortest_wave_on_the_widest_spacing() -> None:
    assert nodes_per_wavelength((0.1, 0.2), [np.pi, 2 * np.pi]) == pytest.approx(5.0)
