"""Growth ends in time: by forecast before a level, and by the clock within one that takes longer than foretold."""

import time
import warnings
from collections.abc import Iterator

import pytest

import neurapde as npde
from neurapde.core.interrupts import Interrupts
from neurapde.methods.base import Method, Status
from neurapde.methods.budget import Budget


def busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def growing(costs: list[float]) -> Iterator[int]:
    for level, cost in enumerate(costs):
        busy(cost)
        yield level


def test_a_level_that_would_end_too_late_is_not_begun() -> None:
    budget = Budget(1.0, "Growth", "test", "less")
    with Interrupts() as interrupts:
        found = list(budget.levels(interrupts, growing([0.02, 0.08, 0.32, 1e9])))
    assert found == [0, 1, 2]
    assert budget.spent is not None
    assert budget.spent.startswith("a next level would take some 1 s of a core after 0 s")
    assert not interrupts.asked


def test_a_level_that_takes_longer_than_foretold_is_given_up_and_those_before_are_kept() -> None:
    budget = Budget(0.5, "Growth", "test", "less")
    with Interrupts() as interrupts:
        found = list(budget.levels(interrupts, growing([0.01, 0.01, 1e9])))
    assert found == [0, 1]
    assert budget.spent == "the next level took more than 1 s"
    assert not interrupts.asked


def test_the_first_level_is_waited_for_and_without_an_end_all_of_them() -> None:
    for seconds, expected in ((1e-3, [0]), (float("inf"), [0, 1])):
        with Interrupts() as interrupts:
            budget = Budget(seconds, "Growth", "test", "less")
            assert list(budget.levels(interrupts, growing([0.05, 0.05]))) == expected


@pytest.mark.parametrize(
    ("problem", "method"),
    [
        (npde.problems.poisson_disk(), npde.LeastSquares(tolerance=1e-13, seconds=1e-6)),
        (npde.problems.helmholtz_disk(wavenumber=8.0), npde.Galerkin(tolerance=1e-9, seconds=1e-6)),
        (npde.problems.poisson_darcy(), npde.Galerkin(tolerance=1e-9, seconds=1e-6)),
    ],
    ids=["least squares", "Galerkin", "Poisson"],
)
def test_a_solve_that_has_no_time_left_says_so_and_how_to_go_on(
    problem: npde.Problem, method: Method
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solution = npde.solve(problem, method=method, device="cpu", progress=False)
    assert solution.status is Status.UNRESOLVED
    text = " ".join(str(one.message) for one in caught)
    assert f"give {type(method).__name__}(seconds=1e-05) more time, as a next level would take some" in text


def test_no_time_is_refused() -> None:
    for seconds in (0.0, -1.0, float("nan")):
        with pytest.raises(npde.DeclarationError, match=r"seconds=.*: give a positive, finite time"):
            npde.LeastSquares(seconds=seconds)
