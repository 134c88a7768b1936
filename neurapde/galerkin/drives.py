"""What starts the waves of the lattice: a pattern in space with its history in time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurapde.galerkin.quadrature import FloatArray
from neurapde.galerkin.waves import WaveLattice
from neurapde.medium import Field, FunctionField
from neurapde.sources import FunctionSource, PointSource, Source

DETAIL = 24.0  # bandwidth of a Gaussian times its reach: six over its standard deviation


@dataclass(frozen=True)
class Drive:
    """A pattern in space with its history in time: `value` or `rate` at the start, or a signal from then on."""

    load: Callable[[WaveLattice], FloatArray]
    value: float = 0.0
    rate: float = 0.0
    signal: Callable[[FloatArray], FloatArray] | None = None


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
class Projected:
    """The coefficients of a field."""

    field: Field

    def __call__(self, lattice: WaveLattice) -> FloatArray:
        return lattice.project(self.field)


@dataclass(frozen=True)
class Density:
    """M⁻¹ of the load of a density."""

    source: Source

    def __call__(self, lattice: WaveLattice) -> FloatArray:
        source = self.source
        field = source.f if isinstance(source, FunctionSource) else FunctionField(source)
        detail = DETAIL / source.reach if source.reach else 0.0
        return lattice.unweigh(lattice.project(field, weigh=True, detail=detail))


@dataclass(frozen=True)
class Delta:
    """M⁻¹ of the load of a point."""

    source: PointSource

    def __call__(self, lattice: WaveLattice) -> FloatArray:
        amplitude = float(np.real(self.source.amplitude))
        return amplitude * lattice.unweigh(lattice.at_point(np.array(self.source.at)))


@dataclass(frozen=True)
class Known:
    """M⁻¹ of a load that is known."""

    load: FloatArray

    def __call__(self, lattice: WaveLattice) -> FloatArray:
        return lattice.unweigh(self.load)


@dataclass(frozen=True)
class Later:
    """A signal by the time since the start."""

    signal: Callable[[FloatArray], FloatArray]
    start: float

    def __call__(self, times: FloatArray) -> FloatArray:
        return np.broadcast_to(np.asarray(self.signal(times + self.start), dtype=float), times.shape)
