"""What a survey is: positions of shots and receivers, recorded data, and known properties of wavelet and noise."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurapde.core import checks
from neurapde.core.declaration import by_fields
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.warn import warn
from neurapde.fields.sources import Shots
from neurapde.problem.problem import Problem
from neurapde.seismic.survey import geometry, survey_files
from neurapde.seismic.survey.formats import files
from neurapde.seismic.survey.geometry import positions
from neurapde.seismic.survey.processing.step import Step
from neurapde.seismic.survey.provenance import Provenance as Provenance
from neurapde.seismic.survey.record_checks import ascending, at_least_zero
from neurapde.seismic.survey.recording import Recording
from neurapde.seismic.survey.records import Arguments, Chosen, Recorded, Spectra, Traces, checked
from neurapde.seismic.survey.simulate import simulated


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Survey(Recording):
    """Shots, receivers and the recorded data, as complex spectra or as time traces.

    Positions in metres, times in seconds and frequencies in Hz, or any units that agree with the model's.
    U(ω) = ∫ u(t) e^{−iωt} dt; fields vary as e^{+iωt}.

    Args:
        sources: `(S, d)`, one position for each shot.
        receivers: `(R, d)`. For a moving spread, list all distinct receivers once, with weights 0 where not live.
        data: complex `(F, S, R)`, with `frequencies` `(F,)`, ascending and positive; or else
        traces: real `(S, R, T)`, with the sampling interval `dt`; sample n is at `start_time + n dt`.
        weights: `(S, R)` ≥ 0, 0 for data that were not recorded; 1 by default. Traces that are zero throughout are
            dead: their weight becomes 0. Data without weight are stored as 0.
        wavelet: None for an unknown one; one complex scale per shot and frequency is then estimated. With data, the
            amplitude of the right-hand side of (Δ + ω²m) u = f, m = 1/c²: a number, `(F,)` or `(F, S)`, stored as `(F,
            S)`. With traces, samples `(T,)` of w in m u_tt − Δu = w(t) δ(x − x_s).
        source_variance: of a Gaussian of unit mass instead of a point; 0 is a point.
        noise: ‖noise‖/‖signal‖ if known, such as 0.1 for 20 dB.
        name: for files and reports.
        origin: how synthetic data were made; None for field data.
        damping: σ, 1/s: data are at the complex frequencies ω − iσ, like those of traces times e^{−σt}.
        window: `(S, R, T)` ≥ 0, factor of observed and predicted samples of traces; 1 by default.
        processing: sentences on the processing of the data; `process` adds to them.

    Arrays are stored read-only. Raises: DeclarationError for inconsistent shapes, non-finite numbers, unsorted
        frequencies, and a shot or a survey that recorded only zeros.
    """

    @by_fields
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
        damping: float = 0.0,
        window: ArrayLike | None = None,
        processing: Sequence[str] = (),
    ) -> None:
        shots, spread = positions(sources, "sources"), positions(receivers, "receivers")
        if shots.shape[1] != spread.shape[1]:
            raise DeclarationError(
                f"sources have {shots.shape[1]} coordinates and receivers {spread.shape[1]}; give the same axes for both"
            )
        way = "give None for recorded data, or that of another survey"
        checks.kind(origin, "origin", Provenance | None, way)
        size = (len(shots), len(spread))
        given: Recorded = {
            "data": data,
            "frequencies": frequencies,
            "traces": traces,
            "dt": dt,
            "start_time": start_time,
            "wavelet": wavelet,
            "damping": damping,
            "window": window,
        }
        record, live_weights = checked(size, weights, given)
        attributes: Mapping[str, object] = {
            "sources": shots,
            "receivers": spread,
            "record": record,
            "weights": live_weights,
            "source_variance": at_least_zero(source_variance, "source_variance of the survey"),
            "noise": None if noise is None else at_least_zero(noise, "noise of the survey"),
            "name": checks.name(name, "name of the survey"),
            "origin": origin,
            "processing": checks.texts(processing, "processing of the survey"),
        }
        for field, value in attributes.items():
            object.__setattr__(self, field, value)
        for value in (shots, spread, live_weights, *vars(record).values()):
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        """The survey from its arguments, or from its fields, where `record` has the recorded data."""
        given = dict(fields)
        record: Spectra | Traces | None = given.pop("record", None)
        return cls(**{**(record.arguments if record else {}), **given})

    def replace(self, **changes: Unpack[Arguments]) -> Self:
        """The survey with other arguments, checked again."""
        given: Arguments = {**self.arguments(), **changes}
        return type(self)(**given)

    def process(self, *steps: Step) -> Self:
        """The survey after these steps, one after another, each recorded in `processing`.

        steps: `npde.seismic.Bandpass(…)`, `TimeWindow(…)`, `EditTraces(…)` and others.
        """
        survey = self
        for step in steps:
            way = "give steps such as npde.seismic.Bandpass(3, 12)"
            checks.kind(step, "a step of the processing", Step, way)
            changed, text = step(survey)
            survey = survey.replace(**changed)
            survey = survey.replace(processing=(*survey.processing, text))
        return survey

    def at(self, frequencies: ArrayLike, *, taper: float = 0.0, damping: float = 0.0) -> Self:
        """The frequency survey at these frequencies, Hz `(F,)`: of time traces by `transforms.spectrum`.

        taper: length, s, of a half cosine that brings the ends of the traces to zero.
        damping: σ, 1/s: spectra of traces times e^{−σt}, the waves at complex frequencies ω − iσ. Early arrivals count
        more, and an inversion models these waves. The noise level, if known, is converted as that of white noise. For
        a frequency survey it selects frequencies. Raises: DeclarationError for unsorted frequencies or those not below
        the Nyquist frequency 1/(2 dt).
        """
        if isinstance(self.record, Spectra):
            for name, value in (("taper", taper), ("damping", damping)):
                if at_least_zero(value, name) > 0:
                    raise DeclarationError(
                        f"{name}={value:g} is for time traces, but {self.name!r} holds spectra; leave it out"
                    )
            return self.select(frequencies=ascending(frequencies))
        spectra, white = self.record.to_spectra(frequencies, taper, damping)
        noise = None if self.noise is None else self.noise * white
        return self.replace(**spectra.arguments, noise=noise)

    def to_time(self, dt: float, samples: int, *, start_time: float = 0.0) -> Self:
        """The time survey with these spectra and none at other frequencies, by `transforms.traces_of`.

        Raises: DeclarationError unless the frequencies are equally spaced by Δf, the highest is below 1/(2 dt),
            samples · dt is at most the period 1/Δf, and the wavelet, if known, is the same for all shots.
        """
        return self.replace(**self.as_spectra("spectra").to_traces(dt, samples, start_time).arguments)

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
        counts = {"shots": self.shots, "receivers": len(self.receivers)}
        band: Chosen = slice(None)
        if frequencies is not None:
            band = self.as_spectra("frequencies").find(frequencies)
        rows = geometry.chosen(shots, "shots", counts)
        columns = geometry.chosen(receivers, "receivers", counts)
        record = self.record
        selected = (
            record.part(rows, columns, band) if isinstance(record, Spectra) else record.part(rows, columns)
        )
        return self.replace(
            **selected.arguments,
            sources=self.sources[rows],
            receivers=self.receivers[columns],
            weights=self.weights[rows][:, columns],
        )

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
        """The data of receivers `(R, d)` in a Helmholtz or a Wave problem, by the reference solvers.

        sources: None for the problem's shots; Shots of one source each; or positions `(S, d)` of its first source.
        frequencies: Hz; by default wavenumber/(2π) of a Helmholtz problem, and none of a Wave problem: time traces.
        shape: nodes of the grid on each axis of space; by default 24 in the shortest wavelength, and at least 12 up to
        900² nodes. dt: sampling interval of time traces; by default the solver's step.
        noise: relative L2 level, of each frequency or of all traces, white, exactly; it needs a seed.
        Raises: DeclarationError for receivers outside the problem's domain or in its absorbing layer.
        """
        noise = at_least_zero(noise, "noise level")
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
        frequencies: ArrayLike | None = None,
        taper: float | None = None,
        damping: float | None = None,
        header_bytes: Mapping[str, int] | None = None,
    ) -> Self:
        """The survey in a file of another program: the paper's .mat, .sgy, .segy or .su.

        The arguments give what a file does not contain. frequency: of a .mat. sources, receivers: positions for a
        .sgy, of shots and of the traces of a shot, or of each trace. source_depth, receiver_depth: instead of those in
        its headers. frequencies, taper, damping: as in `at`, for spectra of a .sgy or .su whose traces are read in
        parts and not stored. header_bytes: first bytes of entries in its trace headers if they differ from the
        standard, such as {"source_x": 197}.
        Raises: DeclarationError for missing data such as coordinates, StorageError for a file that is damaged or of
            another format, FileNotFoundError.
        """
        said = {
            "frequency": frequency,
            "wavelet": wavelet,
            "source_variance": source_variance,
            "noise": noise,
            "name": name,
            "sources": sources,
            "receivers": receivers,
            "source_depth": source_depth,
            "receiver_depth": receiver_depth,
            "frequencies": frequencies,
            "taper": taper,
            "damping": damping,
            "header_bytes": header_bytes,
        }
        file = checks.path(path)
        if (suffix := file.suffix.lower()) in survey_files.HDF5:
            given = {key: value for key, value in said.items() if value is not None}
            files.refuse(given, frozenset(), suffix, "use survey.replace(…) on the loaded survey")
            warn(
                f"Survey.read is for files of other programs; use npde.Survey.load({file.name!r})",
                DeprecationWarning,
            )
            return cls.load(file)
        return cls._made(file, lambda: files.read(file, said))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The survey in a .h5 or .hdf5 that `save` wrote. Raises: StorageError, FileNotFoundError."""
        file = checks.path(path)
        return cls._made(file, lambda: survey_files.load(file))

    @classmethod
    def _made(cls, file: Path, read: Callable[[], Arguments]) -> Self:
        try:
            return cls(**read())
        except DeclarationError as error:
            if file.name in str(error):
                raise
            raise StorageError(f"{file}: {error}") from error

    def save(self, path: str | Path) -> Path:
        """Write everything to .h5 or .hdf5, completely or not at all."""
        file = checks.path(path)
        survey_files.save(file, self.arguments())
        return file

    def write(self, path: str | Path, *, ibm: bool = False) -> Path:
        """Write .sgy or .segy: traces and geometry as 32-bit floats, IEEE or IBM.

        The file is written completely or not at all. Raises: DeclarationError for a survey that SEG-Y cannot store.
        """
        file = checks.path(path)
        if file.suffix.lower() in survey_files.HDF5:
            if checks.flag(ibm, "ibm"):
                raise DeclarationError(
                    f"ibm=True is a format of numbers in SEG-Y, but {file.name} is HDF5; leave it out"
                )
            warn(
                f"Survey.write is for files of other programs; use survey.save({file.name!r})",
                DeprecationWarning,
            )
            return self.save(file)
        files.write(file, self, checks.flag(ibm, "ibm"))
        return file

    def with_noise(self, level: float, seed: int | None) -> Self:
        """The survey with white Gaussian noise of ‖noise‖ = level ‖signal‖, at each frequency or over all traces."""
        level = at_least_zero(level, "noise level")
        if seed is None:
            raise DeclarationError(
                f"noise of level {level:g} has no seed; give seed=…, so that it can be reproduced"
            )
        total = float(np.hypot(level, self.noise or 0.0))
        origin = None if self.origin is None else dataclasses.replace(self.origin, noise=total)
        generator = np.random.default_rng(checks.whole(seed, "seed", 0))
        noisy = self.record.noisy(self.live, level, generator)
        return self.replace(**noisy.arguments, noise=total, origin=origin)
