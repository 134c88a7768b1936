"""What a survey is: where shots and receivers are, what was recorded, and what is known of wavelet and noise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.vocabulary import Declaration
from neurapde.core.wording import number
from neurapde.domains.base import Domain, axis_names
from neurapde.seismic import geometry, records, transforms
from neurapde.seismic.geometry import extents, positions
from neurapde.seismic.records import Complex, Real


@dataclass(frozen=True)
class Origin(Declaration):
    """How synthetic data came about, so that an inversion on the same grid can be told.

    solver: of `neurapde.reference_solvers`. shape, spacing: of its grid. noise: relative L2 level that was added.
    """

    solver: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    noise: float = 0.0

    def __str__(self) -> str:
        size = "×".join(map(str, self.shape))
        return f"{self.solver} on {size} nodes, spacing {number(max(self.spacing))}, noise {100 * self.noise:.3g} %"


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
    origin: Origin | None

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
        origin: Origin | None = None,
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
            "origin": origin,
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
        traces, dt = self._recorded_traces("times")
        return self.start_time + dt * np.arange(traces.shape[2])

    @property
    def offsets(self) -> Real:
        """`(S, R)`, distances from source to receiver."""
        return np.linalg.norm(self.sources[:, None] - self.receivers[None], axis=2)

    def _fields(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in self.__dataclass_fields__}

    def replace(self, **changes: Any) -> Self:
        """The survey with other fields, checked anew."""
        return type(self)(**{**self._fields(), **changes})

    def _recorded_traces(self, what: str) -> tuple[Real, float]:
        if self.traces is None or self.dt is None:
            raise DeclarationError(
                f"{what} belong to a time survey, but {self.name!r} holds spectra; use to_time(dt, samples) first"
            )
        return self.traces, self.dt

    def _recorded_spectra(self, what: str) -> tuple[Complex, Real]:
        if self.data is None or self.frequencies is None:
            raise DeclarationError(
                f"{what} belong to a frequency survey, but {self.name!r} holds time traces; use at(frequencies) first"
            )
        return self.data, self.frequencies

    def at(self, frequencies: ArrayLike, *, taper: float = 0.0) -> Self:
        """The frequency survey at these frequencies, Hz `(F,)`: of time traces by `transforms.spectrum`.

        taper: length, s, of a half cosine that brings the ends of the traces to zero.
        The noise level, if known, is carried over as that of white noise. Of a frequency survey it selects.
        Raises: DeclarationError for frequencies out of order or not below Nyquist's 1/(2 dt).
        """
        if self.kind == "frequency":
            return self.select(frequencies=frequencies)
        traces, dt = self._recorded_traces("spectra")
        wanted = records.ascending(frequencies)
        if wanted[-1] * 2 * dt >= 1:
            raise DeclarationError(
                f"frequency {number(wanted[-1])} is not below {number(0.5 / dt)}, Nyquist's for dt = {number(dt)}; "
                "ask for lower frequencies"
            )
        taper = records.at_least_zero(taper, "taper")
        data = transforms.spectrum(traces, dt, wanted, start_time=self.start_time, taper=taper)
        wavelet = None
        if self.wavelet is not None:
            wavelet = -transforms.spectrum(self.wavelet, dt, wanted, start_time=self.start_time)
        noise = self.noise
        if noise is not None:
            noise *= float(np.linalg.norm(traces) * dt * np.sqrt(len(wanted)) / np.linalg.norm(data))
        return self.replace(
            data=data, frequencies=wanted, traces=None, dt=None, start_time=0.0, wavelet=wavelet, noise=noise
        )

    def to_time(self, dt: float, samples: int, *, start_time: float = 0.0) -> Self:
        """The time survey with these spectra and none at other frequencies, by `transforms.traces_of`.

        Raises: DeclarationError unless the frequencies are equally spaced by Δf, the highest is below 1/(2 dt),
            samples · dt is at most the period 1/Δf, and the wavelet, if known, is the same for all shots.
        """
        data, frequencies = self._recorded_spectra("traces of spectra")
        dt = checks.positive(dt, "dt")
        records.check_period(frequencies, dt, samples)
        wavelet = None
        if self.wavelet is not None:
            if not np.allclose(self.wavelet, self.wavelet[:, :1], rtol=1e-9, atol=0.0):
                raise DeclarationError(
                    "the wavelet differs by shot, and a time survey has one for all; transform the shots one by one: "
                    "survey.select(shots=[0]).to_time(…)"
                )
            amplitude = -self.wavelet[:, 0]
            wavelet = transforms.traces_of(amplitude, frequencies, dt, samples, start_time=start_time)
        traces = transforms.traces_of(data, frequencies, dt, samples, start_time=start_time)
        return self.replace(
            data=None, frequencies=None, traces=traces, dt=dt, start_time=start_time, wavelet=wavelet
        )

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
        changes: dict[str, Any] = {}
        band: Any = slice(None)
        if frequencies is not None:
            band = records.find(frequencies, self._recorded_spectra("frequencies")[1])
        rows, columns = (slice(None) if part is None else part for part in (shots, receivers))
        try:
            changes |= {"sources": self.sources[rows], "receivers": self.receivers[columns]}
        except IndexError as error:
            raise DeclarationError(
                f"{error}; the survey has {self.shots} shots and {len(self.receivers)} receivers, counted from 0"
            ) from error
        changes["weights"] = self.weights[rows][:, columns]
        if self.data is not None and self.frequencies is not None:
            changes |= {
                "data": self.data[band][:, rows][:, :, columns],
                "frequencies": self.frequencies[band],
            }
            changes["wavelet"] = None if self.wavelet is None else self.wavelet[band][:, rows]
        if self.traces is not None:
            changes["traces"] = self.traces[rows][:, columns]
        return self.replace(**changes)

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
