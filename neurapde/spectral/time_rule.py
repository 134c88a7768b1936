"""How fast a signal varies, and how it is integrated between knots in time: as finely, and broken where it jumps."""

from collections.abc import Callable

import numpy as np

from neurapde.domains.box import Interval
from neurapde.domains.spacetime import Time
from neurapde.fields.jumps import narrow_features
from neurapde.fields.pulses import Ricker
from neurapde.spectral.quadrature import FloatArray, interval_rule, panels

Signal = Callable[[FloatArray], FloatArray]
Rule = tuple[FloatArray, FloatArray]

ENOUGH = 1e-8  # relative change of the integrals by twice the nodes at which the rule is taken
MOST_PIECES = 64  # into which the time between two knots is cut
MOMENTS = (8192, 65_536, 524_288)  # at which a signal is asked, until they show how fast it varies
AT_ONCE = 1024  # intervals whose integrals are made together
TRIED = 9  # frequencies for which the integrals are compared


class TimeRule:
    """Nodes and weights of every interval between knots, for integrals of a signal against oscillations.

    times: knots (n,), from 0 on, equally spaced. fastest: the largest frequency of the oscillations.
    plain: the rule of all intervals in which the signal does not jump, from 0 to the time between knots.
    broken: the intervals (n − 1,) in which it does.
    left: what the rules leave of the integrals, relative, by those of half as many nodes.
    """

    def __init__(self, signal: Signal, times: FloatArray, fastest: float) -> None:
        self.signal, self.times = signal, times
        self.step, self.rough = float(times[1] - times[0]), 2 * fastest
        features = narrow_features(lambda points: signal(points[:, 0]), Interval(0.0, float(times[-1])))
        self.jumps = features.planes(0)
        self.broken = np.searchsorted(self.jumps, times[1:]) > np.searchsorted(
            self.jumps, times[:-1], "right"
        )
        pieces = int(np.clip(np.ceil(2 * self.step / features.narrowest), 1, MOST_PIECES))
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
        if not self.broken[interval]:
            return self.plain
        start = float(self.times[interval])
        inside = self.jumps[(self.jumps > start) & (self.jumps < start + self.step)] - start
        breaks = np.unique(np.concatenate([np.linspace(0, self.step, self.pieces + 1), inside]))
        return interval_rule(breaks.tolist(), self.rough)

    def _integrals(self, omega: FloatArray) -> np.ndarray:
        """∫ signal e^{iωt} over each interval: (intervals, frequencies)."""
        integrals = np.empty((len(self.times) - 1, len(omega)), dtype=complex)
        nodes, weights = self.plain
        turned = weights[:, None] * np.exp(1j * np.outer(nodes, omega))
        whole = np.flatnonzero(~self.broken)
        for rows in np.split(whole, range(AT_ONCE, len(whole), AT_ONCE)):
            moments = self.times[rows, None] + nodes
            integrals[rows] = self.signal(moments.ravel()).reshape(moments.shape) @ turned
        for interval in np.flatnonzero(self.broken).tolist():
            nodes, weights = self.nodes(interval)
            signal = self.signal(self.times[interval] + nodes)
            integrals[interval] = (weights * signal) @ np.exp(1j * np.outer(nodes, omega))
        return integrals


def highest_frequency(signal: Signal, time: Time, share: float) -> float:
    """The angular frequency beyond which a signal has no more than a share of its norm.

    It is asked at more moments until they show an end of its spectrum: a short pulse in a long time falls between few.
    A signal that jumps has no end, and keeps what the first moments show.
    """
    start, stop = time.start, time.stop
    if isinstance(signal, Ricker) and start < signal.stop and signal.start < stop:
        start, stop = max(start, signal.start), min(stop, signal.stop)
    frequencies: list[float] = []
    for count in MOMENTS:
        frequencies.append(_end_of_spectrum(signal, start, stop, count, share))
        if 0 < frequencies[-1] < np.pi * count / (stop - start) / 2:
            return frequencies[-1]
    jumps = narrow_features(lambda points: signal(points[:, 0]), Interval(start, stop)).planes(0)
    return max(frequencies[0] if len(jumps) else max(frequencies), np.pi / (stop - start))


def _end_of_spectrum(signal: Signal, start: float, stop: float, count: int, share: float) -> float:
    """The frequency by so many moments; 0 if all values are zero, and the largest that they show where there is no end."""
    times = np.linspace(start, stop, count)
    fade = np.clip((stop - times) / (0.05 * (stop - start)), 0, 1)
    values = np.asarray(signal(times), dtype=float) * np.sin(np.pi / 2 * fade) ** 2
    power = np.abs(np.fft.rfft(values, 4 * count)) ** 2
    rest = np.cumsum(power[::-1])[::-1]
    if rest[0] == 0:
        return 0.0
    beyond = np.flatnonzero(rest <= share**2 * rest[0])
    last = max(int(beyond[0]) if len(beyond) else len(rest) - 1, 1)
    return float(2 * np.pi * last * (count - 1) / (4 * count * (stop - start)))
