"""L-BFGS-B that stores its evaluations, so that a resumed run repeats its earlier steps without cost.

SciPy gives no access to its memory, but the same values give the same steps, bit for bit. This is for expensive
functions that need few steps.
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

    evaluate: value and gradient `(p,)` at a point `(p,)`. first: the start point. bounds: of each number, or None.
    resumed: the `tensors` of the run to resume, or None.

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
        """Evaluate the start point."""
        self._replayed(self.first)
        self._count = 0

    def run(self, steps: int, took: Callable[[np.ndarray], None]) -> tuple[np.ndarray, bool]:
        """Return the last point, and whether the run has converged. `took` gets the point after each step, and may end
        the run by StopIteration; repeated steps count.
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
        """All evaluations so far; there is at least one."""
        return {
            "first": torch.from_numpy(self.first),
            "models": torch.from_numpy(np.stack(self._points)),
            "slopes": torch.from_numpy(np.stack(self._slopes)),
            "totals": torch.tensor(self._values, dtype=torch.float64),
        }
