"""The load of a function in a region by functions whose fields are known: a polynomial, sines, or powers at a corner."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from neurapde.assembly.trefftz.curves import Array
from neurapde.assembly.trefftz.features.harmonic import as_complex
from neurapde.assembly.trefftz.potentials.corners import openings
from neurapde.assembly.trefftz.potentials.loads import Medium, Polynomial, PolynomialPotential, Potential
from neurapde.assembly.trefftz.potentials.polar import KNOWN, OCTAVES, PolarLoad, PolarRule, Sector, growth
from neurapde.assembly.trefftz.potentials.sines import SinesLoad, sines_load, sines_on
from neurapde.assembly.trefftz.regions import Partition, Region
from neurapde.core.arrays import to_numpy
from neurapde.core.errors import DeclarationError

RIM, GRID, FRESH, FEW = 65, 20, 2**14, 2**10
"""Points along each panel of a region and along each axis of its box; others of that box at which a fit is looked at, and
how many of them at first."""
SEED = 61843
DEGREES = (0, 1, 2, 4, 6, 8, 10)
"""Of the polynomials that are tried."""
ORDERS, CORNER_ORDERS = (8, 16, 32, 64), (12, 24)
"""Of the sums of sines, and of those at a corner."""
EXACT, ENOUGH, MOST = 1e-13, 1e-11, 1e-8
"""Of the largest value, how near fits are: a polynomial; where no better one is looked for; the poorest that is taken."""
SAME = 1e-9
"""Of the farthest point of a region: points that are nearer to a corner are that."""
RE_ENTRANT = math.pi * (1 + 1e-6)
"""Openings of corners, in radians, above which a load may be singular: its field is smoother there than others are."""


Function = Callable[[Array], Array]
"""Values (n,) at points (n, 2)."""
Sum = TypeVar("Sum", PolarLoad, SinesLoad)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A field of a load, or None for a zero load, and the largest error of the field from the fit."""

    potential: Potential | None
    missed: float = 0.0


@dataclass(frozen=True, eq=False)
class Ground:
    """A region with the points where loads are evaluated.

    reach: the largest field in the domain for a load 1.
    """

    region: Region
    partition: Partition
    medium: Medium
    reach: float

    @cached_property
    def rim(self) -> Array:
        """Points (n, 2) of all its panels."""
        t = np.linspace(0, 1, RIM)
        return np.concatenate([panel.curve.points(t) for panel, _ in self.partition.border(self.region)])

    @cached_property
    def box(self) -> tuple[Array, Array]:
        """Its lower and its upper corner."""
        return self.rim.min(axis=0), self.rim.max(axis=0)

    @cached_property
    def grid(self) -> Array:
        """Points (n, 2) in rows."""
        lines = [np.linspace(a, b, GRID + 2)[1:-1] for a, b in zip(*self.box, strict=True)]
        return self._within(np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2))

    @cached_property
    def fresh(self) -> Array:
        """Points (n, 2) at random, and some of the rim."""
        inner = self._within(np.random.default_rng(SEED).uniform(*self.box, (FRESH, 2)))
        t = (np.arange(RIM) + 0.5) / RIM
        rim = [panel.curve.points(t) for panel, _ in self.partition.border(self.region)]
        return np.concatenate([inner, *rim])

    def _within(self, points: Array) -> Array:
        points = points[np.asarray(self.partition.domain.contains(points))]
        return points[np.asarray(self.region.contains(points))]

    @cached_property
    def corners(self) -> list[Sector]:
        """Its re-entrant corners from which the whole region is visible within their opening."""
        sectors = []
        for at, wedge in openings(self.partition):
            if wedge.region != self.region.index or wedge.opening <= RE_ENTRANT:
                continue
            away = (as_complex(self.rim) - at) / -wedge.out
            far = np.abs(away)
            sector = Sector(at, -wedge.out, wedge.opening / 2, float(far.max()))
            if (np.abs(np.angle(away[far > SAME * far.max()])) < sector.half * (1 + 1e-6)).all():
                sectors.append(sector)
        return sectors

    def load(self, source: Function) -> Fitted | None:
        """The field of a source; None if none of the sums is near it."""
        with np.errstate(all="ignore"):
            coarse, values = (_values(source, points) for points in (self.grid, self.fresh))
            if coarse is None or values is None:
                return None
            largest = max(float(np.abs(sample).max(initial=0.0)) for sample in (coarse, values))
            if largest == 0:
                return Fitted(None)
            polynomial = self._polynomial(coarse)
            if polynomial is not None and np.abs(polynomial(self.fresh) - values).max() < EXACT * largest:
                particular = polynomial.particular(self.medium)
                return Fitted(
                    PolynomialPotential(particular.coefficients, particular.center, particular.scale)
                )
            return self._polar(source, values) or self._sines(source, values)

    def _polynomial(self, values: Array) -> Polynomial | None:
        lower, upper = self.box
        center, scale = (lower + upper) / 2, float(np.max(upper - lower)) / 2
        scaled = (self.grid - center) / scale
        for degree in DEGREES:
            pairs = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
            if 3 * len(pairs) > len(scaled):
                break
            columns = np.stack([scaled[:, 0] ** i * scaled[:, 1] ** j for i, j in pairs], axis=1)
            solution = np.linalg.lstsq(columns, values, rcond=None)[0]
            if np.abs(columns @ solution - values).max() < EXACT * np.abs(values).max():
                coefficients = np.zeros((degree + 1, degree + 1))
                for (i, j), coefficient in zip(pairs, solution, strict=True):
                    coefficients[i, j] = coefficient
                return Polynomial(coefficients, center, scale)
        return None

    def _sines(self, source: Function, values: Array) -> Fitted | None:
        def sums() -> Iterator[SinesLoad]:
            for order in ORDERS:
                extension, points = sines_on(*self.box, order, self.medium)
                if (asked := _values(source, points)) is None:
                    return
                yield sines_load(asked, extension, *self.box)

        nearest, missed = self._nearest(sums(), values)
        return None if nearest is None else Fitted(nearest.particular(self.medium), missed * self.reach)

    def _polar(self, source: Function, values: Array) -> Fitted | None:
        """The fit at the first corner where the load is r^β g; for β < 0 its error is relative to r^β."""

        def sums(sector: Sector, beta: float) -> Iterator[PolarLoad]:
            for order in CORNER_ORDERS:
                rule = PolarRule.of(sector, beta, order)
                if (asked := _values(source, rule.points)) is None:
                    return
                yield rule.load(asked)

        if self.medium.reaction != 0:
            return None
        for sector in self.corners:
            radii, _ = sector.polar(self.fresh)
            for beta in self._growths(source, sector):
                least = min(beta, 0.0)
                nearest, missed = self._nearest(sums(sector, beta), values, np.minimum(radii, 1.0) ** -least)
                if nearest is not None:
                    error = missed * self.reach * 4 / (2 + least) ** 2
                    return Fitted(nearest.particular(self.medium.coefficient), error)
        return None

    def _nearest(
        self, sums: Iterator[Sum], values: Array, units: Array | float = 1.0
    ) -> tuple[Sum | None, float]:
        """The sum nearest to values at the fresh points, and its error; None if all are far."""
        units = np.broadcast_to(units, values.shape)
        largest = float(np.abs(values * units).max())
        best, least = None, MOST * largest
        for candidate in sums:
            for count in (FEW, None):
                missed = float(np.abs((candidate(self.fresh[:count]) - values[:count]) * units[:count]).max())
                if missed > least:
                    break
            else:
                best, least = candidate, missed
            if least < ENOUGH * largest:
                break
        return best, least

    def _growths(self, source: Function, sector: Sector) -> Iterator[float]:
        """Possible β of a load that is not smooth at a corner: from its growth there, or from that of the corner's
        fields."""
        angles = np.linspace(-1, 1, RIM)[1:-1]
        values = _values(source, sector.places(2.0 ** -np.array(OCTAVES, dtype=float), angles))
        if values is None:
            return
        seen = growth(values.reshape(len(OCTAVES), -1))
        if seen is not None and abs(seen - max(round(seen), 0)) < KNOWN:
            return
        if seen is not None and seen > -2:
            yield seen
        for share in (1.0, 0.5):
            yield share * math.pi / (2 * sector.half) - 1


def _values(source: Function, points: Array) -> Array | None:
    """Values of a source at points (n, 2), which may be outside the domain; None if it has none."""
    try:
        values = np.asarray(to_numpy(source(points)), dtype=float)
    except DeclarationError:
        return None
    return values if np.isfinite(values).all() else None
