"""Quasi-Newton steps downhill, within bounds for values on a grid."""

from dataclasses import dataclass

import numpy as np
import torch

from neurapde.seismic.inversion.methods.descents import Descent, explained, journal_of, record
from neurapde.seismic.inversion.methods.method import Stage
from neurapde.seismic.inversion.objective import Objective, Value
from neurapde.seismic.inversion.parametrisation import GridParametrisation
from neurapde.training.optimisation.parameters import flat, put, shaped
from neurapde.training.optimisation.replayed_lbfgs import ReplayedLBFGS
from neurapde.training.run.history import History
from neurapde.training.run.method import Status


@dataclass(frozen=True)
class BoundedLBFGS(Descent):
    """L-BFGS-B: quasi-Newton within the bounds of values on a grid; without bounds for a network.

    Source: Byrd, Lu, Nocedal, Zhu (1995), SIAM J. Sci. Comput. 16(5). A resumed run repeats its stored evaluations.
    """

    steps: int = 60

    def describe(self) -> str:
        return f"L-BFGS-B, {self.steps} steps"

    def run(self, objective: Objective, stage: Stage) -> tuple[Status, History]:
        return _Run(objective, stage, self.steps).run()


class _Run:
    """One run, in units of the unknown's scale."""

    def __init__(self, objective: Objective, stage: Stage, steps: int) -> None:
        self.objective, self.stage = objective, stage
        self.unknown = objective.unknown
        self.parameters = list(self.unknown.parameters())
        scale, bounds = self.unknown.scale, None
        if isinstance(self.unknown, GridParametrisation):
            bounds = (self.unknown.lower / scale, self.unknown.upper / scale)
        self.accepted = flat(self.parameters).numpy() / scale
        resumed = None if stage.resumed is None else stage.resumed.tensors
        self.lbfgs = ReplayedLBFGS(self._evaluate, self.accepted, bounds, resumed)
        self.journal = journal_of("L-BFGS-B", steps, objective, stage, self.lbfgs.tensors)
        self.replayed = self.journal.step
        self.last: tuple[np.ndarray, Value] | None = None

    def run(self) -> tuple[Status, History]:
        journal = self.journal
        if explained(journal, self.stage):  # as it was when the checkpoint was written
            return Status.CONVERGED, journal.history
        with journal:
            self.lbfgs.start()
            if not (converged := explained(journal, self.stage)):
                model, converged = self.lbfgs.run(journal.total, self._took)
                self._place(model)
            if converged or explained(journal, self.stage):
                journal.status = Status.CONVERGED
        return journal.status, journal.history

    def _evaluate(self, model: np.ndarray) -> tuple[float, np.ndarray]:
        with self.journal.at_once(self._put_back if len(self.journal.history) else None):
            value = self._value(model)
            self.unknown.zero_grad()
            value.total.backward()  # type: ignore[no-untyped-call]
        slopes = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self.parameters]
        if not len(self.journal.history):
            record(self.journal, value)
        return float(value.total.detach()), flat(slopes).numpy() * self.unknown.scale

    def _took(self, model: np.ndarray) -> None:
        self.accepted = model.copy()
        if self.replayed:
            self.replayed -= 1
            return
        known = self.last is not None and np.array_equal(self.last[0], model)
        value = self.last[1] if self.last is not None and known else self._value(model)
        self.journal.advance()
        record(self.journal, value)
        if explained(self.journal, self.stage) or self.journal.stopped():
            raise StopIteration
        self.journal.keep()

    def _value(self, model: np.ndarray) -> Value:
        self._place(model)
        value = self.objective()
        self.last = model.copy(), value
        return value

    def _put_back(self) -> None:
        self._place(self.accepted)

    def _place(self, model: np.ndarray) -> None:
        put(self.parameters, shaped(torch.from_numpy(model * self.unknown.scale), self.parameters))
