"""A wave problem solved on one lattice: its cost, and its error with a term for each approximation.

Errors are relative to the field, in the physical region and over the whole time. The terms are the end of the spectrum
and, if the medium couples the modes, the difference to a coarser lattice in the common modes; the medium's quadrature,
for which the two lattices have different nodes; the integrals of the source's signal; the loads; the polynomials in
time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import pairwise

import numpy as np

from neurapde.assembly.forcing import Forcing
from neurapde.assembly.radiating import Near, near_fields
from neurapde.assembly.wave import WaveLattice
from neurapde.assembly.wave_problem import WaveProblem
from neurapde.core.cost import Cost
from neurapde.spectral.modes import along
from neurapde.spectral.propagation import Driven, Propagated, blocks_of, oscillated, propagate_long
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.time_rule import TimeRule

SHELLS = 8  # at most, of the upper half of the spectrum, whose sizes estimate what lies beyond
ROUNDING = 1e-26  # of the field's power: where a shell is empty
STEADY = 0.9  # the largest ratio of successive parts that is summed
SLOWEST = 1.0  # power of the bandwidth by which errors are taken to fall at least
FASTEST = {True: 4.0, False: 12.0}  # and at most, in media that jump and in others
SKIPPED = 16.0  # quintics over two intervals are off by 64 times as much as over one, in the end; so much is believed
SEEN = {1: 600, 2: 40, 3: 14}  # coordinates an axis at which fields are compared
MOST_OSCILLATIONS = 1600  # of a medium that varies: the size of a matrix whose own vectors are found
GOLDEN = (math.sqrt(5) - 1) / 2
COPIES, TABLES = 5, 3
"""Of the states at all moments, and of the tables of modes and of polynomials, that are held."""
APPLIED, SUMMED = 8e-9, 5e-10
"""Seconds of a polynomial: of a medium that varies, over the modes along an axis and all of them; and of all states."""
OWN, TURNED = 2e-9, 2e-7
"""Seconds of a number of a matrix whose own vectors are found, and of an oscillation from one moment to the next."""
PER_TURN, SURPLUS = 0.55, 30.0
"""Polynomials for each radian that the fastest mode turns, and those beside them."""
POINT, PANELLED = 120.0, 3.0
"""Bytes at a point of quadrature in the plane, and how many points along an axis there are for each mode."""


@dataclass(frozen=True)
class Evolved:
    """The waves on one lattice.

    raw: (3, knots, *modes, shots). near: fields beyond the end of the modes. signal: error of the integrals of
    signals. polynomials: the work. terms: of the error. change: from a coarser level, and the logarithm of the
    bandwidths' ratio; before: that of the coarser level.
    """

    waves: WaveProblem
    lattice: WaveLattice
    times: FloatArray
    raw: FloatArray
    near: tuple[Near, ...]
    signal: float
    polynomials: int
    terms: dict[str, float] = field(default_factory=dict)
    change: tuple[float, float] | None = None
    before: tuple[float, float] | None = None

    @property
    def estimate(self) -> float:
        """The sum of the terms."""
        return float(sum(self.terms.values()))

    @cached_property
    def states(self) -> FloatArray:
        """Value, rate and acceleration of the modes, without the part in the near fields."""
        states = self.raw.copy()
        for near in self.near:
            states[..., near.shot] -= np.tensordot(
                near.amplitudes, near.coefficients(self.lattice), axes=([-1], [-1])
            )
        return states

    @cached_property
    def axes(self) -> list[FloatArray]:
        """Coordinates in the physical region, in step with no other axis and no lattice."""
        core, count = self.waves.medium.core, SEEN[self.waves.space.dimension]
        return [
            a
            + (b - a) * ((np.arange(count) + 0.5 + 0.4 * np.sin(np.arange(count) * (GOLDEN + axis))) / count)
            for axis, (a, b) in enumerate(core.sides)
        ]

    def seen(self, modes: FloatArray) -> FloatArray:
        """A field of modes (…, *modes, shots) at the coordinates: (…, *coordinates, shots)."""
        lead = modes.ndim - 1 - len(self.axes)
        for axis, x in enumerate(self.axes):
            modes = along(self.lattice.values(axis, x)[: modes.shape[lead + axis]].T, lead + axis, modes)
        return modes

    def beside(self, near: Near) -> FloatArray:
        """A near field at the coordinates: (knots, *coordinates)."""
        mesh = np.meshgrid(*self.axes, indexing="ij")
        return near.at(np.stack([x.ravel() for x in mesh], axis=-1)).reshape(-1, *mesh[0].shape)

    @cached_property
    def size(self) -> float:
        """Norm of the field at the coordinates and knots."""
        values = self.seen(self.states[0])
        for near in self.near:
            values[..., near.shot] += self.beside(near)
        return float(np.linalg.norm(values))

    def norm(self, modes: FloatArray) -> float:
        """Relative norm of a field of modes (knots, *modes, shots) at the coordinates."""
        return float(np.linalg.norm(self.seen(modes))) / self.size if self.size else 0.0


def evolve(waves: WaveProblem, lattice: WaveLattice, times: FloatArray) -> Evolved:
    """The states of every shot at the knots in time; a long time is divided into blocks."""
    count, missed = 0, 0.0

    def run(forcings: list[Forcing]) -> FloatArray:
        nonlocal count, missed
        if not forcings:
            return np.zeros((3, len(times), *lattice.shape))
        for forcing in forcings:
            if forcing.signal is not None:
                missed = max(
                    missed, forcing.left + TimeRule(forcing.signal, times, math.sqrt(lattice.largest)).left
                )
        driven = [
            Driven(forcing.load(lattice), forcing.signal, forcing.value, forcing.rate) for forcing in forcings
        ]
        propagated = followed(lattice, times, driven)
        count += propagated.polynomials
        return propagated.states

    common = run(waves.shared())
    states = np.stack([common + run(waves.shot(s, lattice)) for s in waves.problem.right_hand_sides], axis=-1)
    return Evolved(waves, lattice, times, states, tuple(near_fields(waves, lattice, times)), missed, count)


def followed(lattice: WaveLattice, times: FloatArray, driven: Sequence[Driven]) -> Propagated:
    """The states at the knots from vectors with their histories."""
    if is_modal(lattice.shape, lattice.uniform is not None, math.sqrt(lattice.largest), times):
        return Propagated(oscillated(lattice.oscillations, times, driven), 0)
    return propagate_long(lattice.operator, lattice.largest, times, driven)


def is_modal(shape: Sequence[int], uniform: bool, fastest: float, times: FloatArray) -> bool:
    """Whether a long time is computed oscillation by oscillation."""
    turn = fastest * float(times[1] - times[0])
    return blocks_of(turn, len(times) - 1) > 1 and (uniform or math.prod(shape) <= MOST_OSCILLATIONS)


def wave_cost(waves: WaveProblem, counts: Sequence[int], moments: int) -> Cost:
    """The cost of the states at a number of moments."""
    modes, shots = float(math.prod(counts)), len(waves.problem.right_hand_sides)
    bands = [math.pi * n / extent for n, extent in zip(counts, waves.box.extents, strict=True)]
    fastest = math.hypot(*bands) * waves.speeds[1]
    reach, intervals = fastest * waves.time.duration, max(moments - 1, 1)
    blocks = blocks_of(reach / intervals, intervals)
    reach, held = reach / blocks, moments / blocks
    polynomials = PER_TURN * reach + SURPLUS
    each = SUMMED * modes * held
    each += 0.0 if waves.medium.uniform is not None else APPLIED * modes * max(counts)
    points = math.prod(PANELLED * n for n in counts)
    states = 3.0 * moments * modes * shots
    tables = sum(2.0 * n * n for n in counts)
    series = 3.0 * held * polynomials
    compared = float(moments * shots * SEEN[len(counts)] ** len(counts))
    memory = 8 * (COPIES * (states + compared) + TABLES * (tables + series)) + POINT * points
    what = f"{' × '.join(map(str, counts))} sines at {moments} moments"
    if is_modal(
        counts,
        waves.medium.uniform is not None,
        fastest,
        np.linspace(0, waves.time.duration, max(moments, 2)),
    ):
        dense = 0.0 if waves.medium.uniform is not None else modes
        return Cost(memory + 8 * TABLES * dense**2, OWN * dense**3 + TURNED * moments * modes * shots, what)
    vectors = 1 if blocks == 1 else 2 * blocks  # a block goes on from values and rates
    return Cost(memory, polynomials * each * vectors * shots, what)


def tail_of(level: Evolved) -> float:
    """The part of the spectrum beyond its end.

    A parabola fits the logarithm of the power in shells of the upper half, and a geometric series continues it. The
    misfit of an uneven spectrum, or the content of a single shell, may be missing at the end and counts.
    """
    parts = [axis_modes.frequencies / axis_modes.bandwidth for axis_modes in level.lattice.modes]
    shells = np.asarray(reduce(np.maximum.outer, parts))[..., None]
    states = level.states[0]
    count = int(np.clip(max(level.lattice.shape) // 4, 2, SHELLS))
    edges = (1 + 1e-9) * 2.0 ** (np.arange(-count, 1) / count)
    power = np.array(
        [
            level.norm(np.where((shells > low) & (shells <= high), states, 0.0)) ** 2
            for low, high in pairwise(edges)
        ]
    )
    place = np.arange(1 - count, 1.0)[power > ROUNDING]
    if len(place) < 2:
        return math.sqrt(float(power.max(initial=0.0))) if len(place) else 0.0  # one shell shows no rate
    logarithm = np.log(power[power > ROUNDING])
    fit = np.polynomial.Polynomial.fit(place, logarithm, min(2, len(place) - 1))
    missed = float(np.sqrt(np.mean((fit(place) - logarithm) ** 2)))
    last = math.exp(float(fit(0.0)) + 2 * missed)
    ratio = min(math.exp(float(fit.deriv()(0.0))), STEADY)
    return math.sqrt(last * ratio / (1 - ratio))


def change_of(level: Evolved, coarse: Evolved) -> tuple[float, float]:
    """The relative difference of the modes that both lattices have, and the logarithm of the bandwidths' ratio."""
    counts = tuple(slice(0, n) for n in coarse.lattice.shape)
    change = level.norm(level.raw[0][(slice(None), *counts)] - coarse.raw[0])
    return change, math.log(_band(level) / _band(coarse))


def coupling_of(level: Evolved) -> float:
    """The error of the modes in use, from the difference to a coarser lattice in the common ones.

    It is assumed to fall as a power of the bandwidth, which follows from this change and the previous one, within
    bounds.
    """
    if level.change is None:
        return 0.0
    (change, step), power = level.change, SLOWEST
    if level.before is not None and change > 0:
        earlier, earlier_step = level.before
        power = math.log(earlier / change) / earlier_step if min(earlier, earlier_step) > 0 else SLOWEST
    ratio = math.exp(-step * min(max(power, SLOWEST), FASTEST[level.waves.medium.jumps]))
    return change * ratio / (1 - ratio) if ratio < 1 else math.inf


def medium_of(level: Evolved, coarse: Evolved) -> float:
    """The effect of the medium's quadrature: the two lattices have moments of low frequency from different nodes.

    The delay of a wave is half the relative error of m times its time, and its error is ω times that delay.
    """
    fine, counts = level.lattice.moments, coarse.lattice.moments.shape
    error = coarse.lattice.synthesize(fine[tuple(slice(0, n) for n in counts)] - coarse.lattice.moments)
    relative = float(np.abs(error).mean() / np.abs(coarse.lattice.medium).mean())
    rate = float(np.linalg.norm(level.raw[1])) / (float(np.linalg.norm(level.raw[0])) or 1.0)
    return relative * rate * float(level.times[-1]) / 2


def near_of(level: Evolved) -> float:
    """The error of near fields in the modes beyond the lattice."""
    total = 0.0
    for near in level.near:
        held = np.tensordot(near.amplitudes[0], near.coefficients(level.lattice), axes=([-1], [-1]))
        beyond = level.beside(near) - level.seen(held[..., None])[..., 0]
        total += near.misfit * float(np.linalg.norm(beyond)) / (level.size or 1.0)
    return total


def knots_of(level: Evolved) -> float:
    """The error of the quintics between knots, from the error of those over two intervals at the middle knot.

    Over one interval it is smaller by the ratio of the errors over two and four: not by much for a pulse shorter than
    an interval, because the rate jumps there.
    """
    missed = _skipping(level, 1)
    return missed / min(max(_skipping(level, 2) / missed, 1.0), SKIPPED) if missed else 0.0


def _skipping(level: Evolved, knots: int) -> float:
    """The relative error at a knot of quintics over a number of intervals on either side."""
    step = knots * float(level.times[1] - level.times[0])
    before, after = level.states[:, : -2 * knots], level.states[:, 2 * knots :]
    middle = (before[0] + after[0]) / 2 + 5 * step / 16 * (before[1] - after[1])
    middle = middle + step**2 / 16 * (before[2] + after[2])
    return level.norm(middle - level.states[0, knots:-knots])


def judged(level: Evolved, coarse: Evolved | None) -> Evolved:
    """The level with the terms of its error; `coarse` is a level on fewer modes, if the medium couples them."""
    terms = {"spectrum": tail_of(level), "knots": knots_of(level), "signal": level.signal}
    terms["loads"] = level.waves.load_error(level.lattice)
    if level.near:
        terms["near fields"] = near_of(level)
    if coarse is not None:
        level = replace(level, change=change_of(level, coarse), before=coarse.change)
        terms |= {"coupling": coupling_of(level), "medium": medium_of(level, coarse)}
    return replace(level, terms=terms)


def _band(level: Evolved) -> float:
    """The smallest bandwidth of all axes; a short axis may have more, because it has few modes."""
    return min(axis_modes.bandwidth for axis_modes in level.lattice.modes)
