"""Waves over hundreds of periods and more: oscillation by oscillation, or block by block of time."""

import numpy as np
import pytest

import neurapde as npde
from neurapde.spectral import propagation
from neurapde.spectral.propagation import Driven, Oscillations, oscillated, propagate_long


def pulse(t):
    return np.exp(-(((t - 2.0) / 0.3) ** 2))


SQUARES = np.array([0.0, 3.0, 40.0, 900.0])
DRIVEN = [
    Driven(np.array([0.3, 1.0, -2.0, 0.5]), value=1.0),
    Driven(np.array([1.0, 0.2, 0.0, 3.0]), rate=1.0),
    Driven(np.array([0.0, 1.0, 5.0, 4.0]), signal=pulse),
]


@pytest.mark.parametrize("reach", [1000.0, 60.0], ids=["one block", "blocks"])
def test_blocks_of_time_are_the_oscillations(reach: float, monkeypatch) -> None:
    """Of 900 the root is 30: 8 seconds are 240 radians."""
    monkeypatch.setattr(propagation, "REACH", reach)
    times = np.linspace(0.0, 8.0, 161)
    states = propagate_long(lambda x: SQUARES * x, 900.0, times, DRIVEN).states
    truth = oscillated(Oscillations(SQUARES, lambda x: x, lambda x: x), times, DRIVEN)
    sizes = np.abs(truth).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(states / sizes, truth / sizes, atol=1e-8)


def solved(space, time, speed, start=None, sources=()):
    beginning = [] if start is None else [npde.InitialCondition(start)]
    problem = npde.Problem(
        "long",
        space.over(npde.Time(0, time)),
        npde.Wave(speed),
        sources,
        [*beginning, npde.Dirichlet(0.0, on=space.faces)],
    )
    return npde.solve(problem, method=npde.MethodOfLines(), progress=False)


def check(solution, time: float, truth, length: float = 1.0, first: float = 0.0) -> None:
    """True error and the one stated."""
    draw = np.random.default_rng(40883)
    x, t = length * draw.random(500), first + (time - first) * draw.random(500)
    values = truth(x, t)
    error = np.linalg.norm(solution(np.column_stack([x, t])) - values) / np.linalg.norm(values)
    assert solution.status is npde.Status.CONVERGED
    assert error < 2e-3
    assert error < 3 * solution.stages[-1].extras["error_estimate"]


def test_a_string_sounds_for_hundreds_of_periods() -> None:
    length, speed, time = 0.65, 300.0, 0.9
    solution = solved(
        npde.Interval(0, length), time, speed, lambda x: 1e-3 * npde.sin(np.pi * x[:, 0] / length)
    )
    rate = np.pi * speed / length
    check(solution, time, lambda x, t: 1e-3 * np.sin(np.pi * x / length) * np.cos(rate * t), length)


def test_what_has_been_struck_goes_on_for_hundreds_of_periods() -> None:
    sources = [
        npde.PulsedSource(lambda x: npde.sin(np.pi * x[:, 0]), lambda t: npde.exp(-(((t - 2) / 0.3) ** 2)))
    ]
    solution = solved(npde.Interval(0, 1), 150.0, 1.0, sources=sources)
    spectrum = (
        0.3 * np.sqrt(np.pi) * np.exp(-((0.15 * np.pi) ** 2))
    )  # of the pulse at the string's own frequency
    check(
        solution,
        150.0,
        lambda x, t: spectrum * np.sin(np.pi * x) * np.sin(np.pi * (t - 2)) / np.pi,
        first=4.0,
    )


def test_two_layers_sound_for_dozens_of_periods() -> None:
    """Of speeds 1 and 2 with the interface in the middle the mode of cos²(ω/4) = 1/3 is known."""
    omega = 4 * np.arccos(np.sqrt(1 / 3))
    behind = np.sin(omega / 2) / np.sin(omega / 4)

    def mode(x):
        return npde.where(
            x[:, 0] < 0.5, npde.sin(omega * x[:, 0]), behind * npde.sin(omega * (1 - x[:, 0]) / 2)
        )

    medium = npde.Piecewise(1.0, (npde.Interval(0.5, 1), 2.0))
    solution = solved(npde.Interval(0, 1), 90.0, medium, mode)
    assert any("by oscillations" in note for note in solution.notes)
    check(solution, 90.0, lambda x, t: mode(x[:, None]) * np.cos(omega * t))
