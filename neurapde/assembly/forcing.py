"""The forcing of waves on the lattice: a pattern in space with its history in time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurapde.assembly.wave import WaveLattice
from neurapde.domains.box import Box
from neurapde.fields.jumps import features_of
from neurapde.fields.medium import Field, FunctionField
from neurapde.fields.sources import FunctionSource, PointSource, Source
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.unseen import Unseen, unseen

DETAIL = 24.0  # bandwidth of a Gaussian times its reach: six over its standard deviation
STEEP = 6.0  # bandwidth of a steep change times its width
FINEST = 4000.0  # the largest bandwidth, times the longest side, that a steep change is given
FINER = 1.5  # nodes of a second rule, in units of those of the first


@dataclass(frozen=True)
class Forcing:
    """A pattern in space with its history in time: `value` or `rate` at the start, or a signal afterwards.

    left: relative error of the signal.
    """

    load: Callable[[WaveLattice], FloatArray]
    value: float = 0.0
    rate: float = 0.0
    signal: Callable[[FloatArray], FloatArray] | None = None
    left: float = 0.0


@dataclass(frozen=True)
class Snapshot(Field):
    """A source in space–time at one time, as a field in space."""

    source: Source
    time: float

    def __call__(self, points: FloatArray) -> FloatArray:
        values = self.source(np.column_stack([points, np.full(len(points), self.time)]))
        return np.broadcast_to(np.asarray(values, dtype=float), (len(points),))

    def describe(self) -> str:
        return self.source.describe()


@dataclass(frozen=True)
class Pattern:
    """A field in space with the data for its integrals: its jumps, and its bandwidth, 0 if at most that of the modes.

    by_medium: whether it is multiplied by the medium, like a source. looked: resolution of the search in a function,
    in words.
    """

    field: Field
    by_medium: bool
    detail: float
    breaks: tuple[tuple[float, ...], ...]
    looked: tuple[str, ...] = ()

    @classmethod
    def of(cls, field: Field, space: Box, by_medium: bool, detail: float = 0.0) -> "Pattern":
        """The pattern with the features of the field in a box."""
        features = features_of([field], space).in_view
        steep = features.widths[features.widths > 0].min(initial=np.inf)
        breaks = tuple(tuple(features.planes(axis).tolist()) for axis in range(space.dimension))
        most = FINEST / max(space.extents)
        known = isinstance(field, FunctionField) and isinstance(field.function, Source)
        looked = () if known else features.note
        return cls(field, by_medium, max(detail, min(STEEP / steep, most)), breaks, looked)

    def on(self, lattice: WaveLattice, finer: float = 1.0) -> FloatArray:
        """Its integrals with the modes; `finer`: factor of the number of nodes."""
        return lattice.project(self.field, self.by_medium, self.detail, self.breaks, finer)

    def left(self, lattice: WaveLattice) -> float:
        """The relative error of the integrals, by a rule with more nodes."""
        fine = self.on(lattice, FINER)
        size = float(np.linalg.norm(fine))
        return float(np.linalg.norm(fine - self.on(lattice))) / size if size else 0.0

    def unseen(self, lattice: WaveLattice) -> Unseen:
        """The part of it that the rule does not resolve."""
        rules = lattice.rules(self.field, self.by_medium, self.detail, self.breaks)

        def values(points: FloatArray) -> FloatArray:
            values = np.asarray(self.field(points), dtype=float)
            return values * lattice.source.slowness_squared(points) if self.by_medium else values

        return unseen(values, [x for _, (x, _) in rules], [ends for ends, _ in rules], lattice.inside)


@dataclass(frozen=True)
class Projected:
    """The coefficients of a field."""

    pattern: Pattern

    def __call__(self, lattice: WaveLattice) -> FloatArray:
        return self.of(lattice, self.pattern.on(lattice))

    @staticmethod
    def of(lattice: WaveLattice, integrals: FloatArray) -> FloatArray:
        """The vector of such integrals."""
        return integrals


@dataclass(frozen=True)
class Density:
    """M⁻¹ of the load of a density."""

    pattern: Pattern

    def __call__(self, lattice: WaveLattice) -> FloatArray:
        return self.of(lattice, self.pattern.on(lattice))

    @staticmethod
    def of(lattice: WaveLattice, integrals: FloatArray) -> FloatArray:
        """The vector of such integrals."""
        return lattice.mass_solve(integrals)


def density_of(source: Source, space: Box) -> Pattern:
    """The pattern of a source that has a density."""
    field = source.f if isinstance(source, FunctionSource) else FunctionField(source)
    return Pattern.of(field, space, True, DETAIL / source.reach if source.reach else 0.0)


@dataclass(frozen=True)
class Delta:
    """M⁻¹ of the load of a point."""

    source: PointSource

    def __call__(self, lattice: WaveLattice) -> FloatArray:
        amplitude = float(np.real(self.source.amplitude))
        return amplitude * lattice.mass_solve(lattice.at_point(np.array(self.source.at)))


@dataclass(frozen=True)
class Known:
    """M⁻¹ of a known load."""

    load: FloatArray

    def __call__(self, lattice: WaveLattice) -> FloatArray:
        return lattice.mass_solve(self.load)


@dataclass(frozen=True)
class Later:
    """A signal by the time since the start."""

    signal: Callable[[FloatArray], FloatArray]
    start: float

    def __call__(self, times: FloatArray) -> FloatArray:
        return np.broadcast_to(np.asarray(self.signal(times + self.start), dtype=float), times.shape)
