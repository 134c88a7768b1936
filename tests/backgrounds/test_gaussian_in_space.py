"""The wave of a Gaussian source in space: its equation, its convolution with a point's wave, and what it is far away."""

import numpy as np
import pytest
from scipy.integrate import quad

from neurapde.backgrounds.outgoing import gaussian_wave_in_space, point_wave


@pytest.mark.parametrize(("k", "variance"), [(7.0, 0.01), (20.0, 1e-4), (3.0, 1.0)])
def test_it_solves_its_equation_from_the_source_to_where_it_is_a_points_wave(
    k: float, variance: float
) -> None:
    r = np.sqrt(variance) * np.array([0.0, 0.01, 0.3, 0.7, 0.71, 1.0, 3.0, 8.0, 13.0])
    q = r**2
    wave = gaussian_wave_in_space(k, variance, q, np.ones(len(r), dtype=bool))
    density = np.exp(-q / (2 * variance)) / (2 * np.pi * variance) ** 1.5
    left = 4 * q * wave.second + 6 * wave.first + k**2 * wave.value - density
    assert np.abs(left).max() < 1e-13 * density[0]
    far = np.exp(-(k**2) * variance / 2) * point_wave(k, q[-1:], 3).value
    assert np.abs(wave.value[-1:] - far).max() < 1e-13 * np.abs(wave.value[0])


@pytest.mark.parametrize("r", [0.02, 0.06, 0.12])
def test_it_is_the_sum_of_the_waves_of_its_points(r: float) -> None:
    k, variance = 11.0, 0.004
    end = 14 * np.sqrt(variance)

    def integral(function: object, a: float, b: float) -> float:
        weight = (2 * np.pi * variance) ** -1.5
        return quad(
            lambda x: x * weight * np.exp(-(x**2) / (2 * variance)) * function(k * x), a, b, epsrel=1e-12
        )[0]

    inner, outer = integral(np.sin, 0, r), integral(np.cos, r, end) - 1j * integral(np.sin, r, end)
    truth = -(np.exp(-1j * k * r) * inner + np.sin(k * r) * outer) / (k * r)
    value = gaussian_wave_in_space(k, variance, np.array([r**2]), np.ones(1, dtype=bool)).value[0]
    assert abs(value - truth) < 1e-11 * abs(truth)
