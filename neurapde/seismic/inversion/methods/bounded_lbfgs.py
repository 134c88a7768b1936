"""Quasi-Newton steps downhill, within bounds for values on a grid."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize

from neurapde.core.interrupts import Interrupts
from neurapde.core.progress import Bar
from neurapde.run.history import History
from neurapde.run.method import Status
from neurapde.seismic.inversion.methods.descents import Descent, Trace
from neurapde.seismic.inversion.methods.method import Stage
from neurapde.seismic.inversion.objective import Objective, Value
from neurapde.seismic.inversion.parametrisation import GridParametrisation

MEMORY = 10
"""Pairs that L-BFGS remembers."""


@dataclass(frozen=True)
class BoundedLBFGS(Descent):
    """L-BFGS-B: quasi-Newton within the bounds of values on a grid; without bounds for a network.

    Source: Byrd, Lu, Nocedal, Zhu (1995), SIAM J. Sci. Comput. 16(5). To resume it, the evaluations made are replayed.
    """

    steps: int = 60

    def describe(self) -> str:
        return f"L-BFGS-B, {self.steps} steps"

    def run(self, objective: Objective, stage: Stage) -> tuple[Status, History]:
        with Interrupts() as interrupts, stage.progress.bar("L-BFGS-B", self.steps) as bar:
            return _Replayed(objective, stage, bar, interrupts).run(self.steps)


class _Stop(Exception):  # noqa: N818 - it ends a loop that is not ours, and is no error
    pass


class _Replayed:
    """An L-BFGS-B run whose evaluations are kept, so that a second run passes through the same models for free."""

    def __init__(self, objective: Objective, stage: Stage, bar: Bar, interrupts: Interrupts) -> None:
        self.objective, self.interrupts = objective, interrupts
        self.unknown = objective.unknown
        self.parameters = list(self.unknown.parameters())
        first = None if stage.resumed is None else stage.resumed.tensors["first"]
        self.first = self._flat() if first is None else first.numpy()
        self.models: list[np.ndarray] = []
        self.slopes: list[np.ndarray] = []
        self.totals: list[float] = []
        if stage.resumed is not None:
            kept = stage.resumed.tensors
            self.models, self.slopes = list(kept["models"].numpy()), list(kept["slopes"].numpy())
            self.totals = kept["totals"].tolist()
        self.count = 0
        self.trace = Trace(objective, stage, bar)
        self.recorded = self.trace.step
        self.taken = 0
        self.accepted = self.first
        self.status = Status.STEP_LIMIT
        self.last: Value | None = None

    def run(self, steps: int) -> tuple[Status, History]:
        if self.trace.enough:  # as it was when the checkpoint was written
            return Status.CONVERGED, self.trace.history
        bounds = None
        if isinstance(self.unknown, GridParametrisation):
            scale = self.unknown.scale
            bounds = [(self.unknown.lower / scale, self.unknown.upper / scale)] * len(self.first)
        options = {"maxiter": steps, "maxcor": MEMORY, "ftol": 1e-12, "gtol": 1e-12, "maxfun": 4 * steps}
        try:
            found = minimize(
                self._evaluate,
                self.first,
                jac=True,
                method="L-BFGS-B",
                bounds=bounds,
                callback=self._took,
                options=options,
            )
            self._place(found.x)
            if found.success:
                self.status = Status.CONVERGED
        except _Stop:
            pass
        except KeyboardInterrupt:
            self.status = self.trace.given_up()
            self._place(self.accepted)
        self._save(now=True)
        return self.status, self.trace.history

    def _evaluate(self, model: np.ndarray) -> tuple[float, np.ndarray]:
        index, self.count = self.count, self.count + 1
        if index < len(self.models) and np.array_equal(self.models[index], model):
            return self.totals[index], self.slopes[index]
        with self.interrupts.at_once():
            value = self._value(model)
            self.unknown.zero_grad()
            value.total.backward()  # type: ignore[no-untyped-call]
        slopes = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self.parameters]
        slope = torch.cat([grad.ravel() for grad in slopes]).numpy() * self.unknown.scale
        total = float(value.total.detach())
        self.models[index:], self.slopes[index:], self.totals[index:] = [model.copy()], [slope], [total]
        if index == 0:
            self.trace.add(value)
            if self.trace.enough:
                self.status = Status.CONVERGED
                raise _Stop
        return total, slope

    def _took(self, model: np.ndarray) -> None:
        self.taken += 1
        self.accepted = model.copy()
        if self.taken <= self.recorded:
            return
        value = (
            self._value(model) if self.last is None or not np.array_equal(self._flat(), model) else self.last
        )
        self.trace.advance()
        self.trace.add(value)
        self._save()
        if self.trace.enough:
            self.status = Status.CONVERGED
            raise _Stop
        if self.interrupts.asked:
            self.status = Status.INTERRUPTED
            raise _Stop

    def _value(self, model: np.ndarray) -> Value:
        self._place(model)
        self.last = self.objective()
        return self.last

    def _save(self, now: bool = False) -> None:
        tensors = {
            "first": torch.from_numpy(self.first),
            "models": torch.from_numpy(np.stack(self.models)),
            "slopes": torch.from_numpy(np.stack(self.slopes)),
            "totals": torch.tensor(self.totals, dtype=torch.float64),
        }
        self.trace.save(tensors, now)

    def _flat(self) -> np.ndarray:
        return torch.cat([p.detach().ravel() for p in self.parameters]).numpy() / self.unknown.scale

    def _place(self, model: np.ndarray) -> None:
        flat = torch.from_numpy(model * self.unknown.scale)
        start = 0
        with torch.no_grad():
            for parameter in self.parameters:
                parameter.copy_(flat[start : start + parameter.numel()].reshape(parameter.shape))
                start += parameter.numel()
