"""How parameters of a velocity go downhill: what every way has in common, and Adam.

A descent knows an `Objective` and nothing of waves. Each can be stopped, and goes on as if it had not been.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.interrupts import Interrupts
from neurapde.core.progress import Bar
from neurapde.run.history import History
from neurapde.run.method import Snapshot, Status
from neurapde.run.recorder import Recorder
from neurapde.seismic.inversion.methods.method import Stage
from neurapde.seismic.inversion.objective import Objective, Value

SAVED_EVERY = 30.0
"""Seconds between two snapshots."""


@dataclass(frozen=True)
class Descent(Declaration, ABC):
    """A way down. steps: at most so many."""

    steps: int = 100

    def __post_init__(self) -> None:
        checks.whole(self.steps, "steps")

    @abstractmethod
    def run(self, objective: Objective, stage: Stage) -> tuple[Status, History]:
        """Move the parameters of the objective's unknown until a step limit, the noise, or Ctrl-C ends it."""

    @abstractmethod
    def describe(self) -> str:
        """One phrase for notes and reports."""


class Trace:
    """The record of a descent: rows of its history, its clock, its bar and its snapshots."""

    def __init__(self, objective: Objective, stage: Stage, bar: Bar) -> None:
        self.stage, self.objective, self._bar = stage, objective, bar
        resumed = stage.resumed
        self.step = 0 if resumed is None else resumed.step
        self._before = 0.0 if resumed is None else resumed.seconds
        self._residuals = tuple(f"residual at {f:.6g} Hz" for f in objective.survey.band)
        names = (*objective.names, "relative residual", *self._residuals)
        self._recorder = Recorder(names, None if resumed is None else resumed.history)
        rows = self._recorder.history.step
        self._latest = int(rows[-1]) if len(rows) else -1
        self._started = self._saved = time.perf_counter()

    def add(self, value: Value, rate: float = math.nan) -> None:
        """One row for the model that `value` belongs to, after `self.step` steps, unless it has one.

        A run that stopped between two steps has recorded the model from which it goes on.
        """
        if self.step == self._latest:
            return
        self._latest = self.step
        by_frequency = value.residuals.tolist() if self._residuals else []
        row = [*value.parts.values(), value.residual, *by_frequency]
        self._recorder.add(self.step, self.seconds, float(value.total.detach()), rate, row)
        self._bar.show({"relative residual": value.residual, **value.parts})

    def advance(self) -> None:
        """One step is done."""
        self.step += 1
        self._bar.advance()

    @property
    def enough(self) -> bool:
        """Whether the last model recorded explains the data down to their noise."""
        if self.stage.target is None or not len(self.history):
            return False
        return bool(self.history["relative residual"][-1] <= self.stage.target)

    def given_up(self) -> Status:
        """Interrupted, within a step that is left out; KeyboardInterrupt where there is nothing to keep."""
        if not len(self.history):
            raise KeyboardInterrupt
        return Status.INTERRUPTED

    def save(self, tensors: Mapping[str, Tensor], now: bool = False) -> None:
        """Keep a snapshot, if the last one is old or it must be now."""
        if now or time.perf_counter() - self._saved > SAVED_EVERY:
            self.stage.save(Snapshot(self.step, self.history, self.seconds, tensors))
            self._saved = time.perf_counter()

    @property
    def history(self) -> History:
        """All rows so far."""
        return self._recorder.history

    @property
    def seconds(self) -> float:
        """Time spent, before an interruption included."""
        return self._before + time.perf_counter() - self._started


@dataclass(frozen=True)
class AdamDescent(Descent):
    """Adam with a rate that falls as a cosine, to a hundredth of `lr`. For velocities as networks.

    lr: the first rate: for a Siren; for values on a grid in units of the mean start model.
    """

    steps: int = 200
    lr: float = 3e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "lr", checks.positive(self.lr, "lr of AdamDescent"))

    def describe(self) -> str:
        return f"Adam, {self.steps} steps, lr {self.lr:g}"

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return self.lr * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))

    def run(self, objective: Objective, stage: Stage) -> tuple[Status, History]:
        unknown = objective.unknown
        unit = unknown.scale
        parameters = objective.parameters()
        optimiser = torch.optim.Adam(parameters, lr=self.lr * unit)
        done = 0 if stage.resumed is None else stage.resumed.step
        if stage.resumed is not None:
            _restore(optimiser, parameters, stage.resumed.tensors)
            objective.restore(stage.resumed)

        def state() -> dict[str, Tensor]:
            return _state(optimiser, parameters) | objective.tensors()

        status = Status.STEP_LIMIT
        with Interrupts() as interrupts, stage.progress.bar("Adam", self.steps, done=done) as bar:
            trace = Trace(objective, stage, bar)
            while True:
                try:
                    with interrupts.at_once():
                        value = objective()
                except KeyboardInterrupt:
                    status = trace.given_up()
                    break
                trace.add(value, self.rate(trace.step))
                if trace.enough:
                    status = Status.CONVERGED
                    break
                if trace.step == self.steps or not math.isfinite(float(value.total.detach())):
                    break
                if interrupts.asked:
                    status = Status.INTERRUPTED
                    break
                for group in optimiser.param_groups:
                    group["lr"] = self.rate(trace.step) * unit
                optimiser.zero_grad()
                try:
                    with interrupts.at_once():
                        value.total.backward()  # type: ignore[no-untyped-call]
                except KeyboardInterrupt:
                    status = trace.given_up()
                    break
                optimiser.step()
                unknown.project()
                trace.advance()
                trace.save(state())
            trace.save(state(), now=True)
        return status, trace.history


def _state(optimiser: torch.optim.Adam, parameters: Sequence[Tensor]) -> dict[str, Tensor]:
    return {
        f"adam.{index}.{name}": tensor
        for index, parameter in enumerate(parameters)
        for name, tensor in optimiser.state[parameter].items()
    }


def _restore(
    optimiser: torch.optim.Adam, parameters: Sequence[Tensor], tensors: Mapping[str, Tensor]
) -> None:
    for name, tensor in tensors.items():
        owner, _, rest = name.partition(".")
        if owner == "adam":
            index, _, key = rest.partition(".")
            optimiser.state[parameters[int(index)]][key] = tensor.clone()
