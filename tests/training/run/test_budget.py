"""Growth ends in time: by forecast before a level, and by what is computed within one that takes longer than predicted."""

import time
import warnings
from collections.abc import Iterator

import pytest

import neurapde as npde
from neurapde.core import memory
from neurapde.core.interrupts import Interrupts
from neurapde.training.run import budget
from neurapde.training.run.budget import Budget
from neurapde.training.run.method import Method, Status


def busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def growing(costs: list[float]) -> Iterator[int]:
    for level, cost in enumerate(costs):
        busy(cost)
        yield level


def test_a_level_that_would_end_too_late_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("neurapde.training.run.budget.time.thread_time", lambda: clock[0])

    def made() -> Iterator[int]:
        for level, cost in enumerate([0.02, 0.08, 0.32, 1e9]):
            clock[0] += cost
            yield level

    allowance = Budget(1.0, "Growth", "test", "less")
    with Interrupts() as interrupts:
        levels = list(allowance.levels(interrupts, made()))
    assert levels == [0, 1, 2]
    assert allowance.spent is not None
    assert allowance.spent.startswith("the next level would take about 1 s on one core after 0 s")
    assert not interrupts.asked


def test_a_level_that_takes_longer_than_predicted_is_given_up_and_those_before_are_kept() -> None:
    allowance = Budget(0.5, "Growth", "test", "less")
    with Interrupts() as interrupts:
        levels = list(allowance.levels(interrupts, growing([0.01, 0.01, 1e9])))
    assert levels == [0, 1]
    assert allowance.spent == "the next level took more than 1 s on one core"
    assert not interrupts.asked


def test_time_that_other_programs_have_does_not_count() -> None:
    def waiting() -> Iterator[int]:
        for level in range(3):
            time.sleep(0.5)  # as a machine with too much to do would make it wait
            yield level

    allowance = Budget(0.1, "Growth", "test", "less")
    with Interrupts() as interrupts:
        assert list(allowance.levels(interrupts, waiting())) == [0, 1, 2]
    assert allowance.spent is None


def test_a_level_that_is_begun_after_its_time_is_given_up_at_once() -> None:
    with Interrupts() as interrupts:
        assert list(interrupts.levels(growing([0.05, 3.0]), 0.01, 20.0)) == [0]
    assert interrupts.late


def test_the_first_level_is_waited_for_and_without_an_end_all_of_them() -> None:
    for seconds, expected in ((1e-3, [0]), (float("inf"), [0, 1])):
        with Interrupts() as interrupts:
            allowance = Budget(seconds, "Growth", "test", "less")
            assert list(allowance.levels(interrupts, growing([0.05, 0.05]))) == expected


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
    text = " ".join(str(warning.message) for warning in caught)
    assert (
        f"give {type(method).__name__}(seconds=1e-05) more time, as the next level would take about" in text
    )


def test_no_time_is_refused() -> None:
    for seconds in (0.0, -1.0, float("nan")):
        with pytest.raises(npde.DeclarationError, match=r"seconds=.*: give a positive, finite time"):
            npde.LeastSquares(seconds=seconds)


def test_a_first_level_that_takes_far_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PATIENCE", 0.3)
    allowance = Budget(0.1, "Growth", "test", "less")
    text = r"Growth was stopped for test: its first level took more than 0\.3 s on one core; give Growth\(seconds=1\), less"
    with Interrupts() as interrupts, pytest.raises(npde.DeclarationError, match=text):
        list(allowance.levels(interrupts, growing([1e9])))


def waves(wavenumber: float, speed: float) -> npde.Problem:
    """A slow square in the middle of open space."""
    medium = npde.Piecewise(1.0, (npde.Box((-0.4, 0.4), (-0.3, 0.5)), speed))
    return npde.Problem(
        "slow square",
        npde.Box((-1, 1), (-1, 1)),
        npde.Helmholtz(wavenumber, medium),
        [npde.GaussianSource((-0.6, 0.1), 1e-4)],
        npde.PML(width=0.3),
    )


@pytest.mark.parametrize(
    ("problem", "method", "text"),
    [
        (
            npde.problems.helmholtz_disk(wavenumber=500.0),
            npde.Galerkin(),
            "must begin with 510 × 510 sines",
        ),
        (npde.problems.helmholtz_disk(wavenumber=500.0), npde.Galerkin(bandwidth=1000.0), "would take about"),
        (
            npde.problems.helmholtz_uniform(wavenumber=5000.0),
            npde.Galerkin(largest=9000),
            "would take about|memory",
        ),
        (
            waves(250.0, 0.5),
            npde.Galerkin(seconds=5.0),
            r"give Galerkin\(seconds=\d+\), a lower wavenumber, or a smaller",
        ),
        (npde.problems.poisson_darcy(), npde.Galerkin(bandwidth=30_000.0), "give .*a smaller bandwidth"),
        (
            npde.problems.wave_ricker(),
            npde.MethodOfLines(largest=200_000),
            "too much memory: .* a shorter time",
        ),
        (npde.problems.wave_ricker(), npde.MethodOfLines(seconds=0.3), "would take about .* but seconds=0.3"),
    ],
)
def test_a_first_level_that_cannot_be_had_is_refused_with_its_time_or_memory(
    problem: npde.Problem, method: Method, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "PATIENCE", 1.0)
    monkeypatch.setattr(memory, "free_memory", lambda device: 20_000_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", npde.ResolutionWarning)
        with pytest.raises(npde.DeclarationError, match=text):
            npde.solve(problem, method=method, device="cpu", progress=False)


@pytest.mark.parametrize("speed", [1.0, 0.5], ids=["at points", "against sines"])
def test_a_network_whose_head_does_not_fit_is_refused(speed: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 8_000_000_000)
    problem = waves(400.0, 0.5)
    if speed == 1.0:
        problem = npde.problems.helmholtz_uniform(wavenumber=500.0)
    text = r"Galerkin must begin with 3000 features and \d+ residuals .* needs too much memory: .* give fewer features"
    with pytest.raises(npde.DeclarationError, match=text):
        npde.solve(problem, npde.Siren(3000, 2), npde.Galerkin(), device="cpu", progress=False)


def many_disks(count: int) -> npde.Problem:
    """As many inclusions along each axis."""
    at = [-0.9 + 1.8 * i / (count - 1) for i in range(count)]
    disks = [(npde.Disk((x, y), 0.5 / count), 3.0) for x in at for y in at]
    return npde.Problem(
        "many disks",
        npde.Box((-1, 1), (-1, 1)),
        npde.Poisson(npde.Piecewise(1.0, *disks)),
        [npde.FunctionSource(lambda x: npde.sin(3 * x[:, 0]))],
        npde.Dirichlet(0.0),
    )


def test_least_squares_for_very_many_pieces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 8_000_000_000)
    text = r"LeastSquares must begin with \d+ features for many disks, .* too much memory: .* 8\.0 GB are free; give a"
    with pytest.raises(npde.DeclarationError, match=text):
        npde.solve(many_disks(12), method=npde.LeastSquares(), device="cpu", progress=False)


@pytest.mark.parametrize(
    ("problem", "method", "free"),
    [
        (npde.problems.poisson_disk(), npde.LeastSquares(tolerance=1e-13), 6e6),
        (npde.problems.helmholtz_disk(wavenumber=8.0), npde.Galerkin(tolerance=1e-12), 1e6),
        (npde.problems.poisson_darcy(), npde.Galerkin(tolerance=1e-9), 1.2e7),
    ],
    ids=["least squares", "Galerkin", "Poisson"],
)
def test_a_level_that_does_not_fit_in_memory_is_not_begun(
    problem: npde.Problem, method: Method, free: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: int(free))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solution = npde.solve(problem, method=method, device="cpu", progress=False)
    assert solution.status is Status.UNRESOLVED
    text = " ".join(str(warning.message) for warning in caught)
    assert f"give {type(method).__name__} more memory, as the next level, " in text
    assert f"but only {memory.told(free)} are free" in text
