"""The one loop over levels: when it ends, what it estimates, and what it says."""

import math
import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.core.progress import Progress
from neurapde.methods.refinement import Level, bandwidths, estimated, grow, refine
from neurapde.training.run.budget import Budget
from neurapde.training.run.method import Status, Task
from neurapde.trials.base import TrialFunction

LINE = npde.Problem("line", npde.Interval(0, 1), npde.Poisson(), boundary=npde.Dirichlet(0.0))


def task() -> Task:
    generator = torch.Generator().manual_seed(40993)
    cpu = torch.device("cpu")
    return Task(LINE, None, cpu, torch.float64, 0, generator, Progress(False), lambda *_: None)


def budget(grows: bool = True) -> Budget:
    return Budget(45.0, "Toy", "line", "less", grows=grows)


def falling(count: int, ratio: float, fine: int = 0) -> Iterator[Level[int]]:
    """Fields that come nearer to 1 by a ratio from level to level; from the level `fine` on they see all."""
    for n in range(count):
        yield Level(n, 10 * (n + 1), np.full(3, 1 + ratio**n), n >= fine)


@pytest.mark.parametrize("ratio", [0.5, 0.7])
def test_the_estimate_is_the_error_of_a_geometric_sequence(ratio: float) -> None:
    levels = list(estimated(falling(9, ratio)))
    assert math.isnan(levels[0].change)
    assert math.isinf(levels[0].estimate)
    for n, level in enumerate(levels[2:], start=2):
        assert level.change == pytest.approx((ratio ** (n - 1) - ratio**n) / (1 + ratio**n), rel=1e-12)
        assert level.estimate == pytest.approx(ratio**n, rel=0.3)


def test_it_ends_where_the_estimate_is_below_the_tolerance_and_the_level_sees_all() -> None:
    first = refine(task(), estimated(falling(40, 0.5)), 400, 1e-3, budget())
    assert first.status is Status.CONVERGED
    assert 1e-4 < first.level.estimate <= 1e-3
    assert len(first.history) == first.level.solved
    late = refine(task(), estimated(falling(40, 0.5, fine=25)), 400, 1e-3, budget())
    assert late.level.solved == 25
    every = refine(task(), estimated(falling(30, 0.5)), 400, 1e-3, budget(grows=False))
    assert every.level.solved == 29
    none = refine(task(), estimated(falling(4, 0.5)), 400, 1e-3, budget())
    assert none.status is Status.UNRESOLVED


def test_estimates_known_by_other_means_are_taken_as_they_are() -> None:
    levels = (Level(n, n + 1, change=10.0**-n, estimate=10.0**-n) for n in range(9))
    refined = refine(task(), levels, 9, 2e-3, budget(), column="estimated error")
    assert refined.level.estimate == 1e-3
    np.testing.assert_array_equal(refined.history["estimated error"], [1.0, 0.1, 0.01, 0.001])


def test_ctrl_c_keeps_the_level_before() -> None:
    def interrupted() -> Iterator[Level[int]]:
        for level in falling(9, 0.9):
            if level.solved == 3:
                os.kill(os.getpid(), signal.SIGINT)
            yield level

    refined = refine(task(), estimated(interrupted()), 90, 1e-9, budget())
    assert refined.status is Status.INTERRUPTED
    assert refined.level.solved == 2


class Wandering(TrialFunction):
    """A field that never settles."""

    def __init__(self, value: float) -> None:
        super().__init__(npde.MLP(), 1, 1, False)
        self.value = value

    def jet(self, points: torch.Tensor, order: int = 2, mixed: Any = ()) -> npde.Jet:
        raise NotImplementedError

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return torch.full((len(points),), self.value, dtype=torch.float64)


def test_growth_ends_where_changes_do_not_fall_unless_it_is_patient() -> None:
    def fields() -> Iterator[float]:
        return (1 + 0.1 * (-1) ** n for n in range(20))

    lost = grow(
        task(), ((Wandering(x), 500 * (n + 1), 0.0) for n, x in enumerate(fields())), 1, 1e-6, budget()
    )
    assert lost.lost
    assert lost.level.features == 3500
    levels = estimated(Level(x, 500 * (n + 1), np.full(3, x)) for n, x in enumerate(fields()))
    patient = refine(task(), levels, 1, 1e-6, budget())
    assert patient.level.features == 10_000
    assert not patient.lost
    with pytest.warns(npde.ResolutionWarning, match="the field of line does not converge"):
        outcome = lost.outcome(lost.level.solved, ["a note"], {"more": 1}, "Toy()")
    assert outcome.status is Status.UNRESOLVED
    assert outcome.extras["error_estimate"] == lost.level.estimate
    assert (outcome.extras["features"], outcome.extras["more"], outcome.notes) == (3500, 1, ("a note",))


def test_a_small_change_is_no_proof_for_a_level_that_is_blind_or_not_solved() -> None:
    refined = refine(task(), estimated(falling(40, 0.5)), 400, 1e-3, budget())
    trial = Wandering(1.0)
    assert refined.outcome(trial, [], {}, "Toy()").status is Status.CONVERGED
    with pytest.warns(npde.ResolutionWarning, match="line: a layer is thin"):
        blind = refined.outcome(trial, [], {}, "Toy()", blind="a layer is thin")
    assert blind.status is Status.UNRESOLVED
    assert blind.extras["error_estimate"] == 1.0
    with pytest.warns(npde.ResolutionWarning, match=r"above the tolerance 0\.001; give Toy\(\), or a larger"):
        assert refined.outcome(trial, [], {}, "Toy()", solved=False).status is Status.UNRESOLVED


def test_bandwidths_grow_by_a_factor_and_end_at_the_last() -> None:
    assert list(bandwidths(5.0, 2.0)) == [2.0]
    assert list(bandwidths(2.0, 2.0)) == [2.0]
    values = list(bandwidths(1.0, 4.0))
    np.testing.assert_allclose(values, [1.0, 1.35, 1.35**2, 1.35**3, 1.35**4, 4.0])
