"""Descents that minimise an objective over the parameters of a velocity: their common part, and Adam.

A descent knows an `Objective` and nothing about waves. Each can be stopped and resumed without a difference.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.seismic.inversion.methods.method import Stage
from neurapde.seismic.inversion.objective import Objective, Value
from neurapde.training.optimisation.adam import AdamSteps
from neurapde.training.optimisation.parameters import copied, put
from neurapde.training.run.history import History
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Status

RESIDUAL = "relative residual"
"""Of the data, by its name in the history."""


@dataclass(frozen=True)
class Descent(Declaration, ABC):
    """A descent. steps: largest number."""

    steps: int = 100

    def __post_init__(self) -> None:
        checks.whole(self.steps, "steps")

    @abstractmethod
    def run(self, objective: Objective, stage: Stage) -> tuple[Status, History]:
        """Move the parameters of the objective's unknown until a step limit, the noise, or Ctrl-C ends it."""

    @abstractmethod
    def describe(self) -> str:
        """One phrase for notes and reports."""


def journal_of(
    title: str, steps: int, objective: Objective, stage: Stage, state: Callable[[], Mapping[str, Tensor]]
) -> Journal:
    """The journal of a descent; `state` gives the data of a checkpoint besides the parameters of the unknown."""
    return Journal(
        title,
        steps,
        (*objective.names, RESIDUAL, *(f"residual at {f:.6g} Hz" for f in objective.survey.band)),
        stage.progress,
        resumed=stage.resumed,
        save=lambda snapshot, _: stage.save(snapshot),
        state=state,
    )


def record(journal: Journal, value: Value, rate: float = math.nan) -> None:
    """Add a row for the model of `value`."""
    by_frequency = value.residuals.tolist() if journal.names[-1] != RESIDUAL else []
    row = [*value.parts.values(), value.residual, *by_frequency]
    journal.record(float(value.total.detach()), row, rate, shown={RESIDUAL: value.residual, **value.parts})


def explained(journal: Journal, stage: Stage) -> bool:
    """Whether the last model recorded explains the data down to their noise."""
    if stage.target is None:
        return False
    return bool(np.any(journal.history[RESIDUAL][-1:] <= stage.target))


@dataclass(frozen=True)
class AdamDescent(Descent):
    """Adam with a rate that falls as a cosine to a hundredth of `lr`, for velocities as networks.

    lr: the first rate, for a Siren; for values on a grid, in units of the mean start model.
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
        parameters = objective.parameters()
        good = copied(parameters)
        optimizer = AdamSteps(parameters, unknown.scale)
        if stage.resumed is not None:
            optimizer.restore(stage.resumed.tensors)
            objective.restore(stage.resumed)
        journal = journal_of(
            "Adam", self.steps, objective, stage, lambda: optimizer.tensors() | objective.tensors()
        )

        def measured() -> Value:
            with journal.at_once():
                value = objective()
            record(journal, value, self.rate(journal.step))
            return value

        with journal:
            value = measured()
            for step in journal.steps(lambda: explained(journal, stage)):
                if not math.isfinite(float(value.total.detach())):
                    break
                good = copied(parameters)
                with journal.at_once():
                    value.total.backward()  # type: ignore[no-untyped-call]
                optimizer.step(self.rate(step))
                unknown.project()
                journal.advance()
                value = measured()
            if not math.isfinite(float(value.total.detach())):
                put(parameters, good)
                journal.status = Status.DIVERGED
        return journal.status, journal.history
