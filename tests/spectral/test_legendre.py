"""Polynomials of one axis: eigenvalues in closed form, traces that are kept, and derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from neurapde.spectral.legendre import Ends, LegendreAxis

FIXED, FREE, MIXED = Ends((True, True)), Ends(), Ends((True, False))


@pytest.mark.parametrize("count", [40, 160])
@pytest.mark.parametrize(
    ("ends", "numbers"),
    [
        (FIXED, [1, 2, 3, 4, 5, 6]),
        (FREE, [0, 1, 2, 3, 4, 5]),
        (MIXED, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]),
        (Ends(periodic=True), [0, 2, 2, 4, 4, 6]),
    ],
)
def test_slow_eigenvalues_are_exact_to_rounding_at_any_degree(
    ends: Ends, numbers: list[float], count: int
) -> None:
    axis = LegendreAxis(count, 0.5, 3.5, ends)
    rates, vectors = axis.eigen
    exact = (np.pi * np.array(numbers) / 3) ** 2
    assert_allclose(rates[:6], exact, rtol=1e-13, atol=1e-13)
    assert_allclose(vectors.T @ axis.mass @ vectors, np.eye(len(rates)), atol=1e-9)


def test_a_negative_ratio_gives_a_growing_mode() -> None:
    rates, _ = LegendreAxis(30, 0.0, 1.0, Ends((True, False), (0.0, -3.0))).eigen
    growth = brentq(lambda s: s * np.cosh(s) - 3 * np.sinh(s), 1, 5)
    assert rates[0] == pytest.approx(-(growth**2), rel=1e-12)


def test_a_projection_keeps_the_values_at_the_ends() -> None:
    axis = LegendreAxis(20, -1.0, 2.0, FREE)
    x, weights = axis.nodes(40)
    with_ends = np.array([-1.0, *x, 2.0])
    rough = np.abs(with_ends - 0.3)
    amplitudes = axis.projection(with_ends, weights) @ rough
    assert_allclose(axis.values(np.array([-1.0, 2.0])) @ amplitudes, [1.3, 1.7], atol=1e-13)
    smooth = np.exp(with_ends)
    amplitudes = axis.projection(with_ends, weights) @ smooth
    assert_allclose(axis.values(x) @ amplitudes, smooth[1:-1], rtol=1e-12)
    assert_allclose(axis.slopes(x) @ amplitudes, smooth[1:-1], rtol=1e-10)
