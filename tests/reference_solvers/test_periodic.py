"""Periodic fields that evolve, against a soliton of Korteweg and de Vries."""

import numpy as np
import pytest

from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.periodic import evolve, wavenumbers


def soliton(x, t):
    return 2 / np.cosh(x - 4 * t) ** 2


def error(steps: int, derivative: int = 0) -> float:
    count, length = 256, 40.0
    x = -15 + length * np.arange(count) / count
    k = wavenumbers(count, length)
    start = soliton(x, 0)[None]
    field = evolve(start, 1j * k[None] ** 3, lambda u: -3 * u**2, -15.0, length, 1.0, steps, divergence=True)
    places = np.linspace(-10, 20, 601)
    times = np.full(601, 0.9371)
    exact = soliton(places, times)
    if derivative:
        exact = -2 * exact * np.tanh(places - 4 * times)
    return float(np.abs(field(places, times, derivative)[:, 0] - exact).max())


def test_it_is_fourth_order_in_time() -> None:
    steps = [300, 600, 1200]
    errors = [error(count) for count in steps]
    assert observed_orders(errors)[-1] == pytest.approx(4.0, abs=0.2)
    assert errors[-1] < 1e-6


def test_its_derivative_along_x_is_that_of_the_field() -> None:
    assert error(600, 1) < 1e-4
