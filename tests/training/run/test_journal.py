"""The journal of a run: what it keeps when it ends, is asked to end, gives up, fails or goes on."""

import signal
from typing import Any

import numpy as np
import pytest
import torch

from neurapde.core.progress import Progress
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Snapshot, Status

Kept = list[tuple[Snapshot, Status]]


def journal_of(total: int, saved: Kept, **settings: Any) -> Journal:
    def save(snapshot: Snapshot, status: Status) -> None:
        saved.append((snapshot, status))

    return Journal("run", total, ("a",), Progress(False), save=save, every=1e9, **settings)


def go(journal: Journal, until: int | None = None) -> None:
    """Record, step on, and be asked to end within the step after `until`."""
    with journal:
        for step in journal.steps():
            journal.record(1.0 / (step + 1), [float(step)])
            if step == until:
                signal.raise_signal(signal.SIGINT)
            journal.advance()


def test_a_run_that_is_asked_to_end_takes_the_step_under_way_and_goes_on_as_if_it_had_not() -> None:
    saved: Kept = []
    interrupted, whole = journal_of(5, saved), journal_of(5, [])
    go(interrupted, until=1)
    go(whole)
    assert (interrupted.status, interrupted.step, len(interrupted.history)) == (Status.INTERRUPTED, 2, 2)
    [(snapshot, status)] = saved
    assert (snapshot.step, status) == (2, Status.INTERRUPTED)
    rest = journal_of(5, saved, resumed=snapshot)
    go(rest)
    assert (rest.status, rest.step) == (Status.STEP_LIMIT, 5)
    for name in ("step", "loss"):
        assert np.array_equal(getattr(rest.history, name), getattr(whole.history, name))
    assert rest.seconds >= snapshot.seconds


def test_the_last_step_ends_a_run_whatever_is_asked() -> None:
    journal = journal_of(3, [])
    go(journal, until=2)
    assert journal.status is Status.STEP_LIMIT


def test_a_step_that_is_given_up_is_undone_before_the_checkpoint() -> None:
    saved: Kept = []
    value = torch.zeros(1)

    def undo() -> None:
        value.sub_(1)

    journal = journal_of(5, saved, state=lambda: {"value": value.clone()})
    with journal:
        for _ in journal.steps():
            value.add_(1)
            journal.record(0.0, [0.0])
            with journal.at_once(undo):
                signal.raise_signal(signal.SIGINT)
            journal.advance()
    [(snapshot, status)] = saved
    assert (snapshot.step, status, snapshot.tensors["value"].item()) == (0, Status.INTERRUPTED, 0.0)
    assert journal.status is Status.INTERRUPTED


def test_what_is_given_up_before_the_first_row_leaves_nothing() -> None:
    saved: Kept = []
    journal = journal_of(5, saved)
    with pytest.raises(KeyboardInterrupt), journal, journal.at_once():
        signal.raise_signal(signal.SIGINT)
    assert not saved


def test_a_second_signal_or_an_error_within_a_step_keeps_nothing_half_done() -> None:
    def twice(journal: Journal) -> None:
        with journal:
            journal.record(0.0, [0.0])
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    saved: Kept = []
    with pytest.raises(KeyboardInterrupt):
        twice(journal_of(5, saved))
    with pytest.raises(ValueError, match="a fault"), journal_of(5, saved):
        raise ValueError("a fault")
    assert not saved


def test_a_run_that_has_converged_or_diverged_says_so() -> None:
    saved: Kept = []
    journal = journal_of(9, saved)
    with journal:
        for _ in journal.steps(lambda: journal.step == 4):
            journal.advance()
    assert (journal.status, journal.step) == (Status.CONVERGED, 4)
    with journal_of(9, saved) as diverged:
        diverged.status = Status.DIVERGED
    assert [status for _, status in saved] == [Status.CONVERGED]


def test_steps_have_one_row_each_unless_they_are_named() -> None:
    journal = journal_of(9, [])
    with journal:
        journal.record(1.0, [1.0])
        journal.record(2.0, [2.0])
        journal.record(3.0, [3.0], step=0)
    assert journal.history.loss.tolist() == [1.0, 3.0]
