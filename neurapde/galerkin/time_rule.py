"""How a signal is integrated between knots in time: as finely as it varies, and broken where it jumps."""

from collections.abc import Callable

import numpy as np

from neurapde.domains.box import Interval
from neurapde.galerkin.quadrature import FloatArray, interval_rule, panels
from neurapde.jumps import narrow_features

Signal = Callable[[FloatArray], FloatArray]
Rule = tuple[FloatArray, FloatArray]

ENOUGH = 1e-8  # relative change of the integrals by twice the nodes at which the rule is taken
MOST_PIECES = 64  # into which the time between two knots is cut
TRIED = 9  # frequencies for which the integrals are compared


class TimeRule:
    """Nodes and weights of every interval between knots, for integrals of a signal against oscillations.

    times: knots (n,), from 0 on, equally spaced. fastest: the largest frequency of the oscillations.
    plain: the rule of all intervals in which the signal does not jump, from 0 to the time between knots.
    left: what the rules leave of the integrals, relative, by those of half as many nodes.
    """

    def __init__(self, signal: Signal, times: FloatArray, fastest: float) -> None:
        self.signal, self.times = signal, times
        self.step, self.rough = float(times[1] - times[0]), 2 * fastest
        found = narrow_features(lambda points: signal(points[:, 0]), Interval(0.0, float(times[-1])))
        self.jumps = found.planes(0)
        pieces = int(np.clip(np.ceil(2 * self.step / found.narrowest), 1, MOST_PIECES))
        self._cut(pieces)
        omega = np.linspace(0.0, fastest, TRIED)
        coarse = self._integrals(omega)
        self.left = np.inf
        while self.left > ENOUGH and pieces < 2 * MOST_PIECES:
            pieces *= 2
            self._cut(pieces)
            fine = self._integrals(omega)
            size = float(np.linalg.norm(fine))
            self.left = float(np.linalg.norm(fine - coarse)) / size if size else 0.0
            coarse = fine

    def _cut(self, pieces: int) -> None:
        self.pieces = pieces
        unit, weights = panels(self.step / pieces, self.rough)
        starts = np.arange(pieces)[:, None]
        self.plain: Rule = (
            self.step * ((starts + unit) / pieces).ravel(),
            np.tile(self.step * weights / pieces, pieces),
        )

    def nodes(self, interval: int) -> Rule:
        """Nodes and weights (m,) of an interval, from 0 to the time between knots."""
        start = float(self.times[interval])
        inside = self.jumps[(self.jumps > start) & (self.jumps < start + self.step)] - start
        if not len(inside):
            return self.plain
        breaks = np.unique(np.concatenate([np.linspace(0, self.step, self.pieces + 1), inside]))
        return interval_rule(breaks.tolist(), self.rough)

    def _integrals(self, omega: FloatArray) -> np.ndarray:
        """∫ signal e^{iωt} over each interval: (intervals, frequencies)."""
        found = []
        for interval, start in enumerate(self.times[:-1]):
            nodes, weights = self.nodes(interval)
            found.append((weights * self.signal(start + nodes)) @ np.exp(1j * np.outer(nodes, omega)))
        return np.array(found)
