"""Callbacks while a method runs: user functions, stopping rules, and TensorBoard."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.progress import Row
from neurapde.late import Late


@dataclass(frozen=True)
class TrainingState:
    """A row of the history, when it is measured.

    step, steps: done, and in all. seconds: since the method began. loss: the weighted sum that is minimised.
    losses: of each constraint, by name. learning_rate: NaN where there is none.
    solution: the present field, a Solution that the next step changes; None for a direct method and for `invert`.
    velocity: the present velocity of `invert`, a function of points (n, 2) that gives (n,).
    """

    step: int
    steps: int
    seconds: float
    loss: float
    losses: Mapping[str, float]
    learning_rate: float
    solution: Any = None
    velocity: Callable[[Any], Any] | None = None


Callback = Callable[[TrainingState], Any]
"""Called at every row of the history; True ends the training after the current step."""


@dataclass(frozen=True)
class TargetLoss:
    """Ends a training when the loss, or that of one constraint, is below `loss`."""

    loss: float
    constraint: str | None = None

    def __post_init__(self) -> None:
        checks.amount(self.loss, "loss")
        if self.constraint is not None:
            checks.name(self.constraint, "constraint")

    def __call__(self, state: TrainingState) -> bool:
        if self.constraint is None:
            return state.loss < self.loss
        if self.constraint not in state.losses:
            raise DeclarationError(
                f"TargetLoss(constraint={self.constraint!r}): there are losses for {', '.join(state.losses)}; name one "
                "of these."
            )
        return state.losses[self.constraint] < self.loss


@dataclass(frozen=True)
class TimeLimit:
    """Ends a training after this many seconds."""

    seconds: float

    def __post_init__(self) -> None:
        checks.amount(self.seconds, "seconds")

    def __call__(self, state: TrainingState) -> bool:
        return state.seconds >= self.seconds


@dataclass
class Patience:
    """Ends a training when the lowest loss has not fallen by a fraction of `least` within `steps` steps."""

    steps: int
    least: float = 0.01
    _best: float = field(default=math.inf, init=False, repr=False)
    _since: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        checks.whole(self.steps, "steps")
        checks.number(self.least, "least", lambda x: 0 <= x < 1, "give a fraction of the loss, 0 ≤ least < 1")

    def __call__(self, state: TrainingState) -> bool:
        if state.step < self._since:  # another training
            self._best, self._since = math.inf, 0
        if state.loss < (1 - self.least) * self._best:
            self._best, self._since = state.loss, state.step
        return state.step - self._since >= self.steps


class TensorBoard:
    """Writes losses and learning rate into a folder for TensorBoard: `tensorboard --logdir FOLDER`."""

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = checks.path(folder, "folder")
        self._writer: Any = None

    def __call__(self, state: TrainingState) -> None:
        if self._writer is None:
            self._writer = _writer(self.folder)
        rows = {"loss": state.loss, **{f"loss/{name}": value for name, value in state.losses.items()}}
        if not math.isnan(state.learning_rate):
            rows["learning rate"] = state.learning_rate
        for name, value in rows.items():
            self._writer.add_scalar(name, value, state.step)
        self._writer.flush()


def _writer(folder: Path) -> Any:
    try:
        return Late("torch.utils.tensorboard").SummaryWriter(str(folder))
    except ImportError as error:
        raise DeclarationError(
            "TensorBoard(…) needs the package tensorboard, which is not installed; run pip install tensorboard"
        ) from error


def watching(callbacks: Sequence[Callback], **shown: Any) -> Callable[[Row], bool]:
    """A function that calls all callbacks at a row, and says whether one wants to stop; shown: more of their state."""

    def watch(row: Row) -> bool:
        return any([bool(callback(TrainingState(*row, **shown))) for callback in callbacks])

    return watch


def checked(callbacks: Callback | Sequence[Callback] | None) -> tuple[Callback, ...]:
    """The callbacks as a tuple. Raises: DeclarationError for an object that is not callable."""
    if callbacks is None:
        return ()
    given = (
        tuple(callbacks)
        if isinstance(callbacks, Sequence) and not isinstance(callbacks, str)
        else (callbacks,)
    )
    for callback in given:
        if not callable(callback) or isinstance(callback, type):
            raise DeclarationError(
                f"callbacks hold {checks.shown(callback)}; give functions of a state, as lambda state: print(state.step, "
                "state.loss), or npde.training.TargetLoss(1e-4)."
            )
    return given
