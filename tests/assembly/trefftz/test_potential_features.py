"""Functions that solve Laplace's and the screened equation, loads, and corners: each against what defines it."""

import numpy as np
import pytest

from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.features.harmonic import Angles, Charges, Powers, SimplePoles, Unity
from neurapde.assembly.trefftz.features.krylov import Krylov
from neurapde.assembly.trefftz.features.modified import BesselMultipoles, Dipoles
from neurapde.assembly.trefftz.potentials.exponents import corner_exponent
from neurapde.assembly.trefftz.potentials.loads import Medium, Polynomial, gaussian, point
from neurapde.jets.layout import Layout

KAPPA = 2.3
SECOND = Layout(2, 2, ((0, 1),))
TURN = np.linspace(0, 2 * np.pi, 160, endpoint=False)
RIM = np.exp(1j * TURN) * (1 + 0.3 * np.cos(3 * TURN))
POINTS = np.stack([RIM.real, RIM.imag], axis=1)
POLES = np.array([2 + 1j, 1.9 - 0.5j])
HARMONIC = (
    Unity(),
    Powers.of(Krylov.on(RIM, 18, 0.1 + 0.1j)),
    Powers.of(Krylov.on(RIM, 12, 0.2j, outside=True)),
    SimplePoles(POLES, np.array([1.0, 0.5])),
    Charges(np.array([0.2j]), 2.0),
    Angles(np.array([2.0 + 0j]), np.array([1 + 0j])),
)


def reacting(modified: bool) -> tuple[Features, ...]:
    """Functions with Δu = κ²u, or −κ²u."""
    return (
        BesselMultipoles(KAPPA, modified, 0.1 + 0.2j, 2.0, 6, False),
        BesselMultipoles(KAPPA, modified, 0.3 - 0.2j, 0.5, 7, True),
        Dipoles(KAPPA, modified, np.array([-0.2 + 0.1j, 0.2]), np.array([0.3, 0.2])),
    )


CASES = [
    *((features, 0.0) for features in HARMONIC),
    *((features, KAPPA**2) for features in reacting(True)),
    *((features, -(KAPPA**2)) for features in reacting(False)),
]


@pytest.mark.parametrize(("features", "reaction"), CASES)
def test_features_solve_their_equation_with_the_derivatives_of_their_values(
    features: Features, reaction: float
) -> None:
    channels = features.channels(POINTS, SECOND)
    step = 1e-5
    shifts = np.eye(2) * step
    slopes = [
        (features.channels(POINTS + shift, SECOND) - features.channels(POINTS - shift, SECOND)) / (2 * step)
        for shift in shifts
    ]

    assert channels.shape == (6, len(POINTS), features.count)
    size = np.abs(channels).max()
    assert np.abs(channels[3] + channels[4] - reaction * channels[0]).max() < 1e-12 * size
    for i in range(2):
        np.testing.assert_allclose(slopes[i][0], channels[1 + i], atol=1e-6 * size)
        np.testing.assert_allclose(slopes[i][1 + i], channels[3 + i], atol=1e-6 * size)
    np.testing.assert_allclose(slopes[1][1], channels[5], atol=1e-6 * size)


@pytest.mark.parametrize("features", HARMONIC)
def test_sums_are_those_of_the_features(features: Features) -> None:
    amplitudes = np.random.default_rng(61729).normal(size=(features.count, 2))

    sums = features.summed(POINTS, SECOND, amplitudes)

    np.testing.assert_allclose(sums, features.channels(POINTS, SECOND) @ amplitudes, rtol=1e-11, atol=1e-11)


def test_powers_stay_independent_where_plain_powers_are_parallel() -> None:
    places = np.linspace(-1, 1, 300) + 0j

    powers = Krylov.on(places, 60, 0j)(places)[0]

    assert np.linalg.cond(powers) < 1 + 1e-10
    assert np.linalg.cond(places[:, None] ** np.arange(1, 61)) > 1e15


@pytest.mark.parametrize("medium", [Medium(2.0), Medium(2.0, 0.3), Medium(2.0, 200.0)])
@pytest.mark.parametrize("variance", [1e-4, 0.04, 2.0])
def test_a_gaussian_load_has_its_density_and_far_away_the_field_of_a_point(
    medium: Medium, variance: float
) -> None:
    points = np.random.default_rng(61703).normal(size=(300, 2)) * 0.6
    points[:2] = [[1e-6, 0], [0.3 * variance**0.5, 0]]
    center = np.array([0.05, -0.02])
    points[2] = center

    channels = gaussian(points, center, variance, medium, SECOND)

    square = ((points - center) ** 2).sum(axis=1)
    density = np.exp(-square / (2 * variance)) / (2 * np.pi * variance)
    residual = -medium.coefficient * (channels[3] + channels[4]) + medium.reaction * channels[0] - density
    assert np.abs(residual).max() < 1e-12 * max(density.max(), medium.reaction * np.abs(channels[0]).max())
    if variance == 1e-4:
        far = square > 80 * variance
        mass = np.exp(medium.wavenumber**2 * variance / 2)  # of the point whose field this is, far away
        np.testing.assert_allclose(
            channels[:, far], mass * point(points[far], center, medium, SECOND), rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize("medium", [Medium(2.0), Medium(2.0, 3.0), Medium(1.0, -4.0)])
def test_a_polynomial_load_is_met_exactly(medium: Medium) -> None:
    rng = np.random.default_rng(61707)
    load = Polynomial(rng.normal(size=(6, 6)), np.array([0.1, 0.2]), 1.5)
    points = rng.uniform(-1, 1, (200, 2))

    channels = load.particular(medium).channels(points, SECOND)

    residual = -medium.coefficient * (channels[3] + channels[4]) + medium.reaction * channels[0]
    np.testing.assert_allclose(residual, load.channels(points, Layout(2, 0))[0], atol=1e-11)


def test_corners_have_the_exponents_that_are_known() -> None:
    right = np.pi / 2

    assert corner_exponent([3 * right], [1.0], (True, True)) == pytest.approx(2 / 3)
    assert corner_exponent([3 * right], [1.0], (False, False)) == pytest.approx(2 / 3)
    assert corner_exponent([3 * right], [1.0], (True, False)) == pytest.approx(1 / 3)
    assert corner_exponent([2 * right], [1.0], (False, True)) == pytest.approx(1 / 2)
    checkerboard = corner_exponent([right] * 4, [100.0, 1.0, 100.0, 1.0])
    assert checkerboard == pytest.approx(4 / np.pi * np.arctan(0.1))
    assert corner_exponent([right, 3 * right], [5.0, 1.0]) == pytest.approx(
        corner_exponent([right, 3 * right], [0.2, 1.0])
    )
