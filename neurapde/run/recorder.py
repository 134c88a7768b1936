"""Collects the rows of a history while a method runs."""

from collections.abc import Sequence

import numpy as np

from neurapde.run.history import History


class Recorder:
    """Rows of one run; `history` is what has been collected, `before` included."""

    def __init__(self, names: Sequence[str], before: History | None = None) -> None:
        self.names = tuple(names)
        self._before = before if before is not None else History()
        self._rows: list[tuple[float, ...]] = []

    def add(self, step: int, seconds: float, loss: float, rate: float, losses: Sequence[float]) -> None:
        """One row; `losses` in the order of `names`."""
        self._rows.append((step, seconds, loss, rate, *losses))

    @property
    def history(self) -> History:
        """All rows so far."""
        rows = np.asarray(self._rows, dtype=float).reshape(-1, 4 + len(self.names))
        step, seconds, loss, rate, *losses = rows.T
        before = self._before
        if not len(before):
            return History(step, seconds, loss, rate, dict(zip(self.names, losses, strict=True)))
        return History(
            np.concatenate([before.step, step]),
            np.concatenate([before.seconds, seconds]),
            np.concatenate([before.loss, loss]),
            np.concatenate([before.learning_rate, rate]),
            {n: np.concatenate([before[n], column]) for n, column in zip(self.names, losses, strict=True)},
        )
