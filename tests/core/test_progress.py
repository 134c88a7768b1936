"""Bars, and Ctrl-C."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.assembly import head
from neurapde.assembly import helmholtz as lattice
from neurapde.core import progress
from neurapde.core.interrupts import SIGNALS, Interrupts, terminable
from neurapde.core.progress import Progress
from neurapde.methods import method_of_lines as lines
from neurapde.training.run.method import Method, Status


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, shown: bool = True) -> str:
    monkeypatch.setattr(sys, "stderr", stderr)
    with Progress(shown).bar("wave", 4, done=1) as bar:
        bar.show({"helmholtz": 0.12345, "left": 2e-9})
        bar.advance(3)
    return stderr.getvalue()


def test_a_terminal_sees_the_title_the_count_and_every_loss_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    text = drawn(monkeypatch, Terminal())
    for word in ("wave", "4/4", "helmholtz=0.123", "left=2e-9"):
        assert word in text.replace("2e-09", "2e-9")


def test_a_file_or_a_pipe_sees_nothing_of_a_short_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, io.StringIO()) == ""


def test_a_file_or_a_pipe_sees_a_line_of_a_long_run_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 9.0, 11.0, 30.0, 42.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    with Progress().bar("wave", 9) as bar:
        bar.show({"helmholtz": 0.12345})
        for _ in range(4):
            bar.advance()
    assert stderr.getvalue().splitlines() == [
        "wave: step 2 of 9, 11 s, helmholtz 0.123",
        "wave: step 4 of 9, 42 s, helmholtz 0.123",
    ]


def test_a_line_of_a_run_of_a_hundred_parts_gives_the_percentage_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 11.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    with Progress().bar("fhn", 100, unit=progress.PERCENT) as bar:
        bar.advance(12)
    assert stderr.getvalue() == "fhn: 12 % done, 11 s\n"


def test_a_reference_counts_the_grids_that_it_solves(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    npde.reference(npde.problems.poisson_square(), shape=17)
    assert "grid reference of poisson-square" in stderr.getvalue()
    assert "3grid" in stderr.getvalue()
    counted = len(stderr.getvalue())
    npde.reference(npde.problems.poisson_square(), shape=17, progress=False)
    assert len(stderr.getvalue()) == counted


def test_a_bar_that_is_not_wanted_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, Terminal(), shown=False) == ""


def test_the_first_ctrl_c_is_noted_and_the_second_raises() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        assert not interrupts.asked
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def _levels(interrupted_in: int, count: int = 3) -> Iterator[int]:
    for level in range(count):
        if level == interrupted_in:
            os.kill(os.getpid(), signal.SIGINT)
        yield level


def test_levels_end_at_once_by_ctrl_c_with_those_before() -> None:
    for interrupted_in, expected in ((1, [0]), (2, [0, 1]), (3, [0, 1, 2])):
        with Interrupts() as interrupts:
            assert list(interrupts.levels(_levels(interrupted_in))) == expected
            assert interrupts.asked == (interrupted_in < 3)


def test_ctrl_c_in_the_first_level_raises_as_there_is_nothing_to_keep() -> None:
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        next(interrupts.levels(_levels(0)))


def test_sigterm_is_ctrl_c_and_both_former_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interrupts() as interrupts:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interrupts.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert [signal.getsignal(number) for number in SIGNALS] == before
    with terminable(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_part_that_must_not_be_cut_is_ended_first() -> None:
    done: list[str] = []

    def work(interrupts: Interrupts) -> None:
        with interrupts.at_once():
            with interrupts.held():
                os.kill(os.getpid(), signal.SIGINT)
                done.append("kept")
            os.kill(os.getpid(), signal.SIGINT)
            done.append("cut")

    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        work(interrupts)
    assert done == ["kept"]


def test_ctrl_c_while_a_level_is_looked_at_keeps_it() -> None:
    seen = []
    with Interrupts() as interrupts:
        for level in interrupts.levels(_levels(9)):
            seen.append(level)
            if level == 1:
                os.kill(os.getpid(), signal.SIGINT)
    assert seen == [0, 1]


LAYERED = npde.Problem(
    "layered",
    npde.Interval(0, 1).over(npde.Time(0, 1)),
    npde.Wave(speed=npde.Piecewise(1.0, (npde.Interval(0.5, 0.8, name="layer"), 2.0))),
    boundary=[npde.InitialCondition(lambda x: npde.sin(np.pi * x[:, 0])), npde.Dirichlet(0.0)],
)
GROWING = [
    (
        npde.problems.helmholtz_disk(wavenumber=8.0),
        npde.Galerkin(tolerance=1e-9),
        lattice.LatticeProblem,
        "solve",
        3,
    ),
    (LAYERED, npde.MethodOfLines(tolerance=1e-6), lines, "evolve", 4),
    (npde.problems.poisson_disk(), npde.LeastSquares(tolerance=1e-13), npde.LeastSquares, "_solve", 3),
]


@pytest.mark.parametrize(
    ("problem", "method", "where", "name", "last"), GROWING, ids=["Galerkin", "lines", "least squares"]
)
def test_ctrl_c_in_a_later_level_of_a_direct_method_keeps_the_one_before(
    problem: npde.Problem,
    method: Method,
    where: object,
    name: str,
    last: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make, calls = getattr(where, name), []
    before = signal.getsignal(signal.SIGINT)

    def interrupted(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == last:
            os.kill(os.getpid(), signal.SIGINT)
        return make(*given)

    monkeypatch.setattr(where, name, interrupted)
    solution = npde.solve(problem, method=method, device="cpu")
    assert (solution.status, len(calls)) == (Status.INTERRUPTED, last)
    assert np.isfinite(solution(problem.domain.sample(20, how="grid").numpy())).all()
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.filterwarnings("ignore:the features of")
def test_a_training_of_hidden_layers_that_is_interrupted_promises_no_checkpoint_and_can_be_gone_on_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem, method = npde.problems.helmholtz_uniform(wavenumber=8.0), npde.Galerkin(steps=50)
    solve_head, calls = head.best_head, []

    def interrupted(*given: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return solve_head(*given)

    monkeypatch.setattr(head, "best_head", interrupted)
    solution = npde.solve(problem, npde.Siren(40, 0, 8.0), method, device="cpu", seed=41203)
    assert (solution.status, len(calls)) == (Status.INTERRUPTED, 3)
    assert any("keeps no checkpoint" in note for note in solution.notes)
    continued = npde.solve(problem, solution.trial, npde.Galerkin(steps=1, tolerance=0.5), device="cpu")
    left = [float(run.stages[0].extras["relative_residual"]) for run in (solution, continued)]
    assert left[1] <= 1.001 * left[0]


def test_another_thread_runs_without_taking_signals() -> None:
    flags: list[bool] = []

    def work() -> None:
        with Interrupts() as interrupts:
            flags.append(interrupts.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert flags == [False]
