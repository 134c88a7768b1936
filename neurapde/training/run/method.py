"""What a method is: it takes a `Task` (a problem and perhaps a trial function) and returns an `Outcome`.

A method is a frozen dataclass; apart from the default choice in `solving`, nothing knows which methods exist.
"""

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch

from neurapde.core.errors import DeclarationError
from neurapde.core.progress import Progress
from neurapde.problem.problem import Problem
from neurapde.training.run.history import History
from neurapde.trials.base import Trial, TrialFunction


class Status(enum.Enum):
    """How a run ended; the value is the message."""

    CONVERGED = "Converged: the method reached its own tolerance."
    STEP_LIMIT = "Step limit: all steps were taken; more steps may lower the loss further."
    UNRESOLVED = (
        "Unresolved: the estimated error is above the tolerance; the notes state it, and the warning says "
        "what to do."
    )
    STALLED = (
        "Stalled: the loss no longer falls, but the residual is not small; the notes state the residual of each "
        "constraint, and the warning says what to do."
    )
    STOPPED = "Stopped: a callback ended the training."
    INTERRUPTED = (
        "Interrupted: the field reached so far is kept; a training with out=… can be resumed from there."
    )
    DIVERGED = "Diverged: the loss became NaN or infinite; the last finite parameters were kept."

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Snapshot:
    """What a method needs, besides the trial's own parameters, to resume as if it had never stopped.

    step: steps done. history: rows so far. seconds: time spent. tensors: optimiser, generator.
    """

    step: int
    history: History
    seconds: float
    tensors: Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Task:
    """The input of a method.

    problem: the declaration. trial: the function to start from, or None: the method then makes its own.
    device, dtype: where and in what precision to compute. seed: of the whole solve.
    generator: the only source of randomness, on `device`.
    progress: progress bars.
    save: writes a checkpoint, `status` in it (nothing without an `out` folder).
    resumed: the state to resume from, or None for a fresh start.
    """

    problem: Problem
    trial: TrialFunction | None
    device: torch.device
    dtype: torch.dtype
    seed: int
    generator: torch.Generator
    progress: Progress
    save: Callable[[TrialFunction, Snapshot, Status], None]
    resumed: Snapshot | None = None


@dataclass(frozen=True)
class Outcome:
    """The result of a method.

    trial: the solved trial function. status: how it ended. history: losses by step (empty if direct).
    notes: one sentence each on the choices and reasons, in order. extras: measured numbers by name.
    """

    trial: TrialFunction
    status: Status
    history: History = field(default_factory=History)
    notes: tuple[str, ...] = ()
    extras: Mapping[str, float | int | str] = field(default_factory=dict)

    def unresolved(self, estimate: float, why: str) -> "Outcome":
        """The outcome as unresolved, because a closing check found a larger error; `why` ends the note."""
        note = f"Closing check: the estimated relative error is {estimate:.1e}, {why}."
        extras = {**self.extras, "error_estimate": estimate}
        return replace(self, status=Status.UNRESOLVED, notes=(*self.notes, note), extras=extras)


@dataclass(frozen=True)
class Training:
    """The properties of a method that trains on residuals at points.

    fixed: number of fixed points of each constraint by name; none if they are drawn anew.
    weights: of the constraints' losses by name, by default 1.
    second_order: whether steps use curvature, which single precision does not resolve.
    """

    fixed: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    second_order: bool = False


class Method(ABC):
    """A way to determine a trial function's parameters."""

    finds_unknowns: ClassVar[bool] = False
    """Whether it finds the unknown numbers and fields of a problem, too."""

    @property
    @abstractmethod
    def default_dtype(self) -> torch.dtype:
        """The default precision of this method."""

    @abstractmethod
    def default_trial(self, problem: Problem) -> Trial | None:
        """The trial to build when the user names none; None when the method makes its own."""

    @abstractmethod
    def check(self, problem: Problem) -> None:
        """Refuse, before any work, a problem that this method cannot solve (DeclarationError)."""

    def check_memory(self, problem: Problem, trial: TrialFunction | None) -> None:
        """Raise a DeclarationError, before any work, for a problem that does not fit in memory; `trial` has its
        parameters."""
        return

    def training(self, problem: Problem) -> Training | None:
        """The properties of its training on residuals at points; None for a method without one."""
        return None

    def strong_tolerance(self) -> float | None:
        """The relative error to stop at, for fields with small residuals at points; None for other fields."""
        return None

    def resume_key(self) -> "Method":
        """This method without the settings that may change when a run is resumed."""
        return self

    @abstractmethod
    def describe(self) -> str:
        """One line for notes and reports, such as `Adam, 50000 steps, lr 2e-05`."""

    @abstractmethod
    def run(self, task: Task) -> Outcome:
        """Solve `task`. It changes the parameters of `task.trial`, if there is one, in place."""


class DirectMethod(Method):
    """A method that solves for its own trial function, in double precision, for problems without an obstacle."""

    weak: ClassVar[bool] = False
    """Whether it solves a weak form, which needs less smooth coefficients than residuals at points."""

    @property
    def default_dtype(self) -> torch.dtype:
        return torch.float64

    def default_trial(self, problem: Problem) -> Trial | None:
        return None

    @abstractmethod
    def obstacle(self, problem: Problem) -> str | None:
        """Why it cannot solve a problem, if that shows before the solve, or None."""

    @abstractmethod
    def why(self, problem: Problem) -> str:
        """The reason for choosing it, as the end of a sentence that begins with "since"."""

    def check(self, problem: Problem) -> None:
        if reason := self.obstacle(problem):
            raise DeclarationError(f"{type(self).__name__} cannot take {problem.name}: {reason}.")

    def check_trial(self, trial: TrialFunction | None) -> None:
        """Refuse a trial function, which would not be used."""
        if trial is not None:
            raise DeclarationError(
                f"{type(self).__name__} chooses its own sines and would not use a trial; leave trial out, or train it "
                "with Adam."
            )
