"""L-BFGS-B whose evaluations are kept, so that a run that goes on passes through the same points for free.

SciPy gives no access to what it remembers; with what it was told it does the same again, bit for bit. This is for functions
that are dear and take few steps.
"""

from collections.abc import Callable, Mapping

import numpy as np
import scipy
import torch
from torch import Tensor

MEMORY = 10
"""Pairs of steps and gradients that are remembered."""


class ReplayedLBFGS:
    """The minimum of a function, within bounds or without.

    evaluate: value and gradient `(p,)` at a point `(p,)`. first: where it begins. bounds: of each number, or None.
    resumed: the `tensors` of the run to go on from, or None.

    Source: Byrd, Lu, Nocedal, Zhu (1995), SIAM J. Sci. Comput. 16(5).
    """

    def __init__(
        self,
        evaluate: Callable[[np.ndarray], tuple[float, np.ndarray]],
        first: np.ndarray,
        bounds: tuple[float, float] | None,
        resumed: Mapping[str, Tensor] | None,
    ) -> None:
        self._evaluate, self.first = evaluate, first
        self._bounds = None if bounds is None else [bounds] * len(first)
        self._points: list[np.ndarray] = []
        self._slopes: list[np.ndarray] = []
        self._values: list[float] = []
        if resumed is not None:
            self.first = resumed["first"].numpy()
            self._points, self._slopes = list(resumed["models"].numpy()), list(resumed["slopes"].numpy())
            self._values = resumed["totals"].tolist()
        self._count = 0

    def start(self) -> None:
        """Evaluate where it begins."""
        self._replayed(self.first)
        self._count = 0

    def run(self, steps: int, took: Callable[[np.ndarray], None]) -> tuple[np.ndarray, bool]:
        """Where it ended, and whether it has converged. `took` is given the point after each step, and may end the run by
        StopIteration; replayed steps count.
        """
        options = {"maxiter": steps, "maxcor": MEMORY, "ftol": 1e-12, "gtol": 1e-12, "maxfun": 4 * steps}
        result = scipy.optimize.minimize(
            self._replayed,
            self.first,
            jac=True,
            method="L-BFGS-B",
            bounds=self._bounds,
            callback=took,
            options=options,
        )
        return result.x, bool(result.success)

    def _replayed(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        index, self._count = self._count, self._count + 1
        if index >= len(self._points) or not np.array_equal(self._points[index], point):
            value, slope = self._evaluate(point)
            self._points[index:], self._slopes[index:], self._values[index:] = (
                [point.copy()],
                [slope],
                [value],
            )
        return self._values[index], self._slopes[index]

    def tensors(self) -> dict[str, Tensor]:
        """All evaluations so far, of which there is one at least."""
        return {
            "first": torch.from_numpy(self.first),
            "models": torch.from_numpy(np.stack(self._points)),
            "slopes": torch.from_numpy(np.stack(self._slopes)),
            "totals": torch.tensor(self._values, dtype=torch.float64),
        }
