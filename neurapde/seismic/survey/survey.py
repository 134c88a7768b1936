"""What a survey is: where shots and receivers are, what was recorded, and what is known of wavelet and noise."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.formatting import number
from neurapde.domains.base import Domain, axis_names
from neurapde.fields.sources import Shots
from neurapde.problem.problem import Problem
from neurapde.seismic.survey import conversion, geometry, records, survey_files
from neurapde.seismic.survey import noise as noise_of
from neurapde.seismic.survey.geometry import extents, positions
from neurapde.seismic.survey.provenance import Provenance as Provenance
from neurapde.seismic.survey.quality_control import Quality, quality
from neurapde.seismic.survey.records import Complex, Real
from neurapde.seismic.survey.simulate import simulated


def _origin(value: Any) -> Provenance | None:
    if value is not None and not isinstance(value, Provenance):
        raise DeclarationError(
            f"origin of the survey is {checks.shown(value)}; give None for recorded data, or that of another survey"
        )
    return value


@dataclass(frozen=True, init=False, eq=False)
class Survey(Declaration):
    """Shots, receivers and what these recorded, as complex spectra or as time traces.

    Positions in metres, times in seconds and frequencies in Hz, or any units that agree with the model's.
    U(ω) = ∫ u(t) e^{−iωt} dt; fields vary as e^{+iωt}.

    Args:
        sources: `(S, d)`, one position for each shot.
        receivers: `(R, d)`. A moving spread is one list of the distinct receivers, with weights 0 where not live.
        data: complex `(F, S, R)`, with `frequencies` `(F,)`, ascending and positive; or else
        traces: real `(S, R, T)`, with the sampling interval `dt`; sample n is at `start_time + n dt`.
        weights: `(S, R)` ≥ 0, 0 for what was not recorded; 1 by default. Traces that are zero throughout are dead:
            their weight becomes 0. What has no weight is stored as 0.
        wavelet: None for an unknown one, of which one complex scale per shot and frequency is then estimated. With
            data, the amplitude of the right-hand side of (Δ + ω²m) u = f, m = 1/c²: a number, `(F,)` or `(F, S)`,
            stored as `(F, S)`. With traces, samples `(T,)` of w in m u_tt − Δu = w(t) δ(x − x_s).
        source_variance: of a Gaussian of unit mass in place of a point; 0 is a point.
        noise: ‖noise‖/‖signal‖ if known, such as 0.1 for 20 dB.
        name: for files and reports.
        origin: how synthetic data were made; None for field data.

    Arrays are stored read-only. Raises: DeclarationError for shapes that disagree, numbers that are not finite,
        frequencies out of order, a shot or a survey that recorded nothing but zeros.
    """

    sources: Real
    receivers: Real
    data: Complex | None
    frequencies: Real | None
    traces: Real | None
    dt: float | None
    start_time: float
    weights: Real
    wavelet: NDArray | None
    source_variance: float
    noise: float | None
    name: str
    origin: Provenance | None

    def __init__(
        self,
        sources: ArrayLike,
        receivers: ArrayLike,
        *,
        data: ArrayLike | None = None,
        frequencies: ArrayLike | None = None,
        traces: ArrayLike | None = None,
        dt: float | None = None,
        start_time: float = 0.0,
        weights: ArrayLike | None = None,
        wavelet: ArrayLike | None = None,
        source_variance: float = 0.0,
        noise: float | None = None,
        name: str = "survey",
        origin: Provenance | None = None,
    ) -> None:
        shots, spread = positions(sources, "sources"), positions(receivers, "receivers")
        if shots.shape[1] != spread.shape[1]:
            raise DeclarationError(
                f"sources have {shots.shape[1]} coordinates and receivers {spread.shape[1]}; give the same axes for both"
            )
        size = (len(shots), len(spread))
        record = records.check(size, data, frequencies, traces, dt, weights)
        found: Mapping[str, object] = {
            "sources": shots,
            "receivers": spread,
            "data": record.data,
            "frequencies": record.frequencies,
            "traces": record.traces,
            "dt": record.dt,
            "start_time": checks.real(start_time, "start_time of the survey"),
            "weights": record.weights,
            "wavelet": records.wavelet(wavelet, record, size[0]),
            "source_variance": records.at_least_zero(source_variance, "source_variance of the survey"),
            "noise": None if noise is None else records.at_least_zero(noise, "noise of the survey"),
            "name": checks.name(name, "name of the survey"),
            "origin": _origin(origin),
        }
        for field, value in found.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, field, value)

    def __len__(self) -> int:
        return self.shots

    @property
    def dimension(self) -> int:
        """Coordinates of a position."""
        return self.sources.shape[1]

    @property
    def shots(self) -> int:
        """S."""
        return len(self.sources)

    @property
    def kind(self) -> str:
        """`frequency` for complex data, `time` for traces."""
        return "time" if self.data is None else "frequency"

    @property
    def live(self) -> NDArray[np.bool_]:
        """`(S, R)`: which receivers recorded which shots."""
        return self.weights > 0

    @property
    def times(self) -> Real:
        """`(T,)`, the times of the samples of a time survey."""
        traces, dt = conversion.recorded_traces(self._fields(), "times")
        return self.start_time + dt * np.arange(traces.shape[2], dtype=np.float64)

    @property
    def offsets(self) -> Real:
        """`(S, R)`, distances from source to receiver."""
        found: Real = np.asarray(
            np.linalg.norm(self.sources[:, None] - self.receivers[None], axis=2), dtype=np.float64
        )
        return found

    def _fields(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in self.__dataclass_fields__}

    def replace(self, **changes: Any) -> Self:
        """The survey with other fields, checked anew."""
        return type(self)(**{**self._fields(), **changes})

    def at(self, frequencies: ArrayLike, *, taper: float = 0.0) -> Self:
        """The frequency survey at these frequencies, Hz `(F,)`: of time traces by `transforms.spectrum`.

        taper: length, s, of a half cosine that brings the ends of the traces to zero.
        The noise level, if known, is carried over as that of white noise. Of a frequency survey it selects.
        Raises: DeclarationError for frequencies out of order or not below Nyquist's 1/(2 dt).
        """
        if self.data is not None:
            if records.at_least_zero(taper, "taper") > 0:
                raise DeclarationError(
                    f"taper={taper:g} is for time traces, but {self.name!r} holds spectra; leave it out"
                )
            return self.select(frequencies=records.ascending(frequencies))
        return self.replace(**conversion.to_spectra(self._fields(), frequencies, taper))

    def to_time(self, dt: float, samples: int, *, start_time: float = 0.0) -> Self:
        """The time survey with these spectra and none at other frequencies, by `transforms.traces_of`.

        Raises: DeclarationError unless the frequencies are equally spaced by Δf, the highest is below 1/(2 dt),
            samples · dt is at most the period 1/Δf, and the wavelet, if known, is the same for all shots.
        """
        return self.replace(**conversion.to_traces(self._fields(), dt, samples, start_time))

    def select(
        self,
        *,
        frequencies: ArrayLike | None = None,
        shots: Sequence[int] | slice | NDArray | None = None,
        receivers: Sequence[int] | slice | NDArray | None = None,
    ) -> Self:
        """A part of the survey.

        frequencies: values, Hz, of those in the survey. shots, receivers: indices, a slice or a mask.
        """
        return self.replace(**conversion.part(self._fields(), frequencies, shots, receivers))

    @classmethod
    def simulate(
        cls,
        problem: Problem,
        receivers: ArrayLike,
        *,
        sources: Shots | ArrayLike | None = None,
        frequencies: ArrayLike | None = None,
        shape: int | Sequence[int] | None = None,
        dt: float | None = None,
        noise: float = 0.0,
        seed: int | None = None,
    ) -> Self:
        """What receivers `(R, d)` record of a Helmholtz or a Wave problem, by the reference solvers.

        sources: None for the problem's shots; Shots of one source each; or positions `(S, d)` of its first source.
        frequencies: Hz; by default wavenumber/(2π) of a Helmholtz problem, and none of a Wave problem: time traces.
        shape: nodes of the grid on each axis of space; by default 24 in the shortest wavelength, 12 at least up to
        900² nodes. dt: sampling interval of time traces; by default the solver's step.
        noise: relative L2 level, of each frequency or of all traces, white, exactly; it needs a seed.
        Raises: DeclarationError for receivers outside the problem's domain or in its absorbing layer.
        """
        noise = records.at_least_zero(noise, "noise level")
        clean = cls(**simulated(problem, receivers, sources, shape, dt, frequencies))
        if clean.kind == "time" and frequencies is not None:
            clean = clean.at(frequencies)
        return clean if noise == 0 else clean.with_noise(noise, seed)

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        frequency: float | None = None,
        wavelet: ArrayLike | None = None,
        source_variance: float | None = None,
        noise: float | None = None,
        name: str | None = None,
        sources: ArrayLike | None = None,
        receivers: ArrayLike | None = None,
        source_depth: float | None = None,
        receiver_depth: float | None = None,
    ) -> Self:
        """The survey in a file: .h5 or .hdf5 by `write`, the paper's .mat, .sgy or .segy.

        What a file does not hold is said here. frequency: of a .mat. sources, receivers: positions for a .sgy, of
        shots and of the traces of a shot, or of each trace. source_depth, receiver_depth: in place of its headers'.
        Raises: DeclarationError for coordinates missing from headers and the like, StorageError for a file that is
            damaged or of another format, FileNotFoundError.
        """
        said = {key: value for key, value in locals().items() if key not in ("cls", "path")}
        file = checks.path(path)
        try:
            return cls(**survey_files.read(file, said))
        except DeclarationError as error:
            if file.name in str(error):
                raise
            raise StorageError(f"{file}: {error}") from error

    def write(self, path: str | Path, *, ibm: bool = False) -> Path:
        """Write .h5 or .hdf5, everything; or .sgy or .segy, traces and geometry as 32-bit floats, IBM's if asked.

        The file is written whole or not at all. Raises: DeclarationError for what SEG-Y cannot hold.
        """
        file = checks.path(path)
        survey_files.write(file, self._fields(), ibm=checks.flag(ibm, "ibm"))
        return file

    def with_noise(self, level: float, seed: int | None) -> Self:
        """The survey with white Gaussian noise of ‖noise‖ = level ‖signal‖, at each frequency or over all traces."""
        level = records.at_least_zero(level, "noise level")
        total = float(np.hypot(level, self.noise or 0.0))
        origin = None if self.origin is None else dataclasses.replace(self.origin, noise=total)
        found = noise_of.added(self.data, self.traces, self.live, level, seed)
        return self.replace(**found, noise=total, origin=origin)

    def quality(self) -> Quality:
        """Geometry, dead traces, amplitudes and spectrum in numbers, with notes on what deserves a look."""
        record = records.Record(self.data, self.frequencies, self.traces, self.dt, self.weights)
        return quality(self.sources, self.receivers, self.offsets, record)

    def check_in(self, domain: Domain) -> None:
        """Refuse a model that does not hold the geometry, or holds it only by mistaken units.

        Raises: DeclarationError that says what was read and which mistake explains it: swapped axes, kilometres for
            metres, elevation for depth.
        """
        geometry.check_in(self.sources, self.receivers, domain)

    def __str__(self) -> str:
        axes = axis_names(self.dimension)
        live, offsets = self.live, self.offsets[self.live]
        rows = [
            ("shots", f"{self.shots}: {extents(self.sources, axes)}"),
            ("receivers", f"{len(self.receivers)}: {extents(self.receivers, axes)}"),
            ("offsets", f"{number(float(offsets.min()))} … {number(float(offsets.max()))}"),
            ("traces", f"{int(live.sum())} live of {live.size}"),
        ]
        rows.append(
            ("data", records.describe(self.data, self.frequencies, self.traces, self.dt, self.start_time))
        )
        rows.append(("wavelet", "unknown, to be estimated" if self.wavelet is None else "known"))
        if self.source_variance:
            rows.append(("source", f"Gaussian of variance {number(self.source_variance)}"))
        rows.append(("noise", "unknown" if self.noise is None else f"{100 * self.noise:.3g} % of the signal"))
        rows.append(("origin", "recorded" if self.origin is None else str(self.origin)))
        return "\n".join([self.name, *(f"  {label:<12}{text}" for label, text in rows)])
