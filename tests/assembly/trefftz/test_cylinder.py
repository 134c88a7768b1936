"""Cylinder functions and poles: they solve Helmholtz' equation, in a layer too, and sums by cells are the sums."""

import numpy as np
import pytest
from scipy import special

import neurapde as npde
from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.features.cylinder import Outgoing, Regular
from neurapde.assembly.trefftz.features.poles import Poles, _Cells
from neurapde.conditions.stretch import Stretch
from neurapde.jets.layout import Layout

K = 17.0
ALL = Layout(2, 2, ((0, 1),))
STRETCH = Stretch(npde.Box((-1, 1), (-1, 1)), npde.PML(0.5), K)
POINTS = np.random.default_rng(51347).uniform(-0.95, 0.95, (300, 2))
POINTS = POINTS[np.hypot(*POINTS.T) > 0.3]
EVERY = (
    Outgoing(K, (0.02, -0.01), 0.25, 9, STRETCH),
    Regular(K, (0.02, -0.01), 0.25, 9, STRETCH),
    Poles(K, ((0.0, 0.1), (-0.12, 0.05)), STRETCH),
)


@pytest.mark.parametrize("features", EVERY, ids=lambda features: type(features).__name__)
def test_each_solves_the_equation_of_the_layer(features: Features) -> None:
    channels = features.channels(POINTS, ALL)
    e, slope = STRETCH.factors(POINTS), [axis.derivative(POINTS[:, i]) for i, axis in enumerate(STRETCH.axes)]
    residual = K**2 * channels[0]
    for i in range(2):  # ∂_i(u_i / e_i) / e_i
        residual = (
            residual
            + (channels[3 + i] / e[i][:, None] - slope[i][:, None] * channels[1 + i] / e[i][:, None] ** 2)
            / e[i][:, None]
        )
    assert np.abs(residual).max() < 1e-9 * np.abs(channels[3:5]).max()


@pytest.mark.parametrize("features", EVERY, ids=lambda features: type(features).__name__)
def test_derivatives_are_those_of_the_values(features: Features) -> None:
    channels, h = features.channels(POINTS, ALL), 1e-5
    for i in range(2):
        step = h * np.eye(2)[i]
        ahead, back = (features.channels(POINTS + sign * step, Layout(2, 1)) for sign in (1, -1))
        size = np.abs(channels[1:3]).max()
        assert np.abs((ahead[0] - back[0]) / (2 * h) - channels[1 + i]).max() < 1e-6 * size
        assert np.abs((ahead[1 + i] - back[1 + i]) / (2 * h) - channels[3 + i]).max() < 1e-5 * K * size
        if i:
            assert np.abs((ahead[1] - back[1]) / (2 * h) - channels[5]).max() < 1e-5 * K * size


def test_orders_are_bessel_functions_in_units_of_their_size() -> None:
    points = np.array([[0.3, 0.4], [0.05, -0.02], [0.7, -0.1]])
    r, theta = np.hypot(*points.T)[:, None], np.arctan2(points[:, 1], points[:, 0])[:, None]
    n = np.arange(-60, 61)
    size = np.abs(special.hankel2(n, K * 0.5))
    regular = Regular(K, (0.0, 0.0), 0.5, 60).channels(points, Layout(2, 0))[0]
    assert np.allclose(regular, special.jv(n, K * r) * np.exp(1j * n * theta) * size, rtol=1e-9, atol=1e-14)
    outside = Outgoing(K, (0.0, 0.0), 0.5, 60).channels(points[:1], Layout(2, 0))[0]
    assert np.allclose(
        outside, special.hankel2(n, K * r[:1]) * np.exp(1j * n * theta[:1]) / size, rtol=1e-9, atol=0
    )


def test_sums_by_cells_are_the_sums_in_the_layer_and_beside_poles() -> None:
    random = np.random.default_rng(90173)
    places = tuple((float(x), float(y)) for x, y in random.uniform(-0.2, 0.2, (60, 2)))
    poles = Poles(K, places, STRETCH)
    amplitudes = random.normal(size=(60, 2)) + 1j * random.normal(size=(60, 2))
    points = random.uniform(-1, 1, (3000, 2))
    direct = Features.summed(poles, points, ALL, amplitudes)
    cells = _Cells(poles).summed(points, ALL, amplitudes)
    for expected, other in zip(direct, cells, strict=True):
        assert (
            np.abs(expected - other).max()
            < 1e-9 * np.median(np.abs(expected)) + 1e-9 * np.abs(expected).max()
        )
