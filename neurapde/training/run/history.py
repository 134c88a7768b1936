"""The record of a method's work: losses by constraint name against step and seconds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from neurapde.core import pictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHANGE, ESTIMATE = "change between levels", "estimated error"
"""Columns of methods that add features until they are enough: their steps are numbers of features."""


def _empty() -> NDArray[np.float64]:
    return np.zeros(0)


@dataclass(frozen=True, eq=False)
class History:
    """Rows recorded during a run; `history["helmholtz"]` is the column of one constraint.

    step: `(rows,)` the number of steps done before the row's loss was measured.
    seconds: `(rows,)` since the method began, with the time before an interruption.
    loss: `(rows,)` the weighted sum that the method minimises.
    learning_rate: `(rows,)`, NaN for a method that has none.
    constraints: unweighted loss `(rows,)` of each constraint by its name.
    """

    step: NDArray[np.float64] = field(default_factory=_empty)
    seconds: NDArray[np.float64] = field(default_factory=_empty)
    loss: NDArray[np.float64] = field(default_factory=_empty)
    learning_rate: NDArray[np.float64] = field(default_factory=_empty)
    constraints: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.step)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.constraints[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the recorded constraints."""
        return tuple(self.constraints)

    @property
    def unit(self) -> str:
        """What the steps count: "step", or "features" for a method that adds features."""
        return "features" if self.names in ((CHANGE,), (ESTIMATE,)) else "step"

    def _column(self, name: str) -> NDArray[np.float64]:
        return self.constraints.get(name, np.full(len(self), np.nan))

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the losses against the step; ax: axes of matplotlib, or None for a new figure."""
        return pictures.histories.draw(pictures.panels.axes_of(ax), self)

    @classmethod
    def of(cls, names: Sequence[str], rows: Sequence[tuple[float, ...]]) -> "History":
        """From rows of step, seconds, loss, learning rate and the losses of `names`."""
        step, seconds, loss, rate, *losses = np.asarray(rows, dtype=float).reshape(-1, 4 + len(names)).T
        return cls(step, seconds, loss, rate, dict(zip(names, losses, strict=True)))

    def rows(self, names: Sequence[str]) -> list[tuple[float, ...]]:
        """The rows that `of` makes a history from."""
        columns = [self.step, self.seconds, self.loss, self.learning_rate, *(self[name] for name in names)]
        return [tuple(row) for row in np.stack(columns, axis=1).tolist()]

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> "History":
        """One history of successive stages: steps and seconds continue, missing losses are NaN."""
        histories = [history for history in parts if len(history)]
        if not histories:
            return History()
        names = list(dict.fromkeys(name for history in histories for name in history.names))
        steps, seconds, last_step, last_second = [], [], 0.0, 0.0
        for history in histories:
            steps.append(history.step + last_step)
            seconds.append(history.seconds + last_second)
            last_step, last_second = float(steps[-1][-1]), float(seconds[-1][-1])
        return History(
            step=np.concatenate(steps),
            seconds=np.concatenate(seconds),
            loss=np.concatenate([history.loss for history in histories]),
            learning_rate=np.concatenate([history.learning_rate for history in histories]),
            constraints={
                name: np.concatenate([history._column(name) for history in histories]) for name in names
            },
        )
