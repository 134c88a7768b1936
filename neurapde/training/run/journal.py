"""The record of every run: clock, history, bar and checkpoints, and whether it should stop."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from torch import Tensor

from neurapde.core.interrupts import Interrupts
from neurapde.core.progress import Progress, Row
from neurapde.training.run.history import History
from neurapde.training.run.method import Snapshot, Status

SAVED_EVERY = 30.0
"""Default time between two checkpoints, s."""


class Journal:
    """A run that can be stopped and resumed without a difference: `with journal: for step in journal.steps(): …`.

    title, total, unit: of the bar; `total` is the number of steps. names: of the losses in each row.
    resumed: the snapshot to resume from, or None. save: stores a snapshot with the status of the run; `state` gives
    its tensors.
    every: seconds between two checkpoints; the last is written at the end, unless the run has diverged.

    step: steps done. status: of the end; the method sets it if it knows better than the journal.
    """

    def __init__(
        self,
        title: str,
        total: int,
        names: Sequence[str],
        progress: Progress,
        *,
        unit: str = "step",
        resumed: Snapshot | None = None,
        save: Callable[[Snapshot, Status], None] | None = None,
        state: Callable[[], Mapping[str, Tensor]] = dict,
        every: float | None = None,
    ) -> None:
        self.total, self.names = total, tuple(names)
        self.step = 0 if resumed is None else resumed.step
        self.status = Status.STEP_LIMIT
        self.interrupts = Interrupts()
        self._rows = [] if resumed is None else resumed.history.rows(self.names)
        self._save, self._state = save, state
        self._every = SAVED_EVERY if every is None else every
        self._given_up, self._enough = False, False
        self._watch = progress.watch
        self._open = ExitStack()
        self._bar = progress.bar(title, total, unit=unit, done=self.step)
        self._saved = time.perf_counter()
        self._started = self._saved - (0.0 if resumed is None else resumed.seconds)

    def __enter__(self) -> Self:
        self._open.enter_context(self.interrupts)
        self._shown = self._open.enter_context(self._bar)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        with self._open:
            if self._given_up:
                self.status = Status.INTERRUPTED
            if (kind is None or self._given_up) and self.status is not Status.DIVERGED:
                self._checkpoint(self.status)
        return self._given_up

    @property
    def seconds(self) -> float:
        """Time spent, with that before an interruption."""
        return time.perf_counter() - self._started

    @property
    def history(self) -> History:
        """All rows so far."""
        return History.of(self.names, self._rows)

    def steps(self, converged: Callable[[], bool] = lambda: False) -> Iterator[int]:
        """Steps until all are done, `converged`, or a signal has come; each calls `advance`."""
        while not converged() and self.step < self.total:
            yield self.step
            if not converged() and self.stopped():
                return
            self.keep()
        if converged():
            self.status = Status.CONVERGED

    def stopped(self) -> bool:
        """Whether a signal or a callback has ended the run while steps are left."""
        asked = self.interrupts.asked
        if self.step >= self.total or not (asked or self._enough):
            return False
        self.status = Status.INTERRUPTED if asked else Status.STOPPED
        return True

    def advance(self, steps: int = 1) -> None:
        """Count further steps as done."""
        self.step += steps
        self._shown.advance(steps)

    def record(
        self,
        loss: float,
        losses: Sequence[float],
        rate: float = math.nan,
        *,
        step: int | None = None,
        shown: Mapping[str, float] | None = None,
    ) -> None:
        """Add a row with losses by `names`, for the steps done unless they have one, or for a given `step`.

        shown: what the bar shows, by default all losses.
        """
        if step is None and self._rows and self._rows[-1][0] == self.step:
            return
        done, by_name = self.step if step is None else step, dict(zip(self.names, losses, strict=True))
        self._rows.append((done, self.seconds, loss, rate, *losses))
        self._enough |= self._watch(Row(done, self.total, self.seconds, loss, by_name, rate))
        self._shown.show(by_name if shown is None else shown)

    @contextmanager
    def at_once(self, undo: Callable[[], None] | None = None) -> Iterator[None]:
        """In this context a signal ends the run at once; `undo` restores the state before the current step.

        Raises: KeyboardInterrupt out of the run if there is neither a row nor `undo`, so that there is no result.
        """
        try:
            with self.interrupts.at_once():
                yield
        except KeyboardInterrupt:
            self._given_up = bool(self._rows) or undo is not None
            if undo is not None:
                undo()
            raise

    def keep(self) -> None:
        """Write a checkpoint if the last one is old."""
        if time.perf_counter() - self._saved >= self._every:
            self._checkpoint(Status.INTERRUPTED)

    def _checkpoint(self, status: Status) -> None:
        self._saved = time.perf_counter()
        if self._save is not None:
            self._save(Snapshot(self.step, self.history, self.seconds, self._state()), status)
