"""The contents of a survey and its properties, for `Survey`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks, pictures
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.domains.base import Domain, axis_names
from neurapde.seismic.survey import geometry
from neurapde.seismic.survey.geometry import extents
from neurapde.seismic.survey.provenance import Provenance
from neurapde.seismic.survey.quality_control import Quality, quality
from neurapde.seismic.survey.record_checks import Complex, Real
from neurapde.seismic.survey.records import Arguments, Spectra, Traces

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Recording(Declaration):
    """The contents of a `Survey`, which documents them; record: the recorded data, with their axis and wavelet."""

    sources: Real
    receivers: Real
    record: Spectra | Traces
    weights: Real
    source_variance: float
    noise: float | None
    name: str
    origin: Provenance | None
    processing: tuple[str, ...]

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
        return self.record.kind

    def as_spectra(self, what: str) -> Spectra:
        """The record of a frequency survey; `what` names the requested part. Raises: DeclarationError."""
        if isinstance(self.record, Traces):
            raise DeclarationError(
                f"{what} belong to a frequency survey, but {self.name!r} holds time traces; use at(frequencies) first"
            )
        return self.record

    def as_traces(self, what: str) -> Traces:
        """The record of a time survey; `what` names the requested part. Raises: DeclarationError."""
        if isinstance(self.record, Spectra):
            raise DeclarationError(
                f"{what} belong to a time survey, but {self.name!r} holds spectra; use to_time(dt, samples) first"
            )
        return self.record

    @property
    def data(self) -> Complex:
        """`(F, S, R)`, the spectra of a frequency survey."""
        return self.as_spectra("data").values

    @property
    def frequencies(self) -> Real:
        """`(F,)`, Hz, of a frequency survey."""
        return self.as_spectra("frequencies").frequencies

    @property
    def band(self) -> tuple[float, ...]:
        """The frequencies, Hz; none for a time survey."""
        return self.record.band

    @property
    def traces(self) -> Real:
        """`(S, R, T)` of a time survey."""
        return self.as_traces("traces").values

    @property
    def dt(self) -> float:
        """The sampling interval, s, of a time survey."""
        return self.as_traces("traces and their dt").dt

    @property
    def start_time(self) -> float:
        """The time, s, of the first sample of a time survey."""
        return self.as_traces("traces and their start_time").start_time

    @property
    def times(self) -> Real:
        """`(T,)`, the times of the samples of a time survey."""
        return self.as_traces("times").times

    @property
    def window(self) -> Real | None:
        """`(S, R, T)` of a time survey, the factor of samples in comparisons of data; None for 1."""
        return self.as_traces("traces and their window").window

    @property
    def damping(self) -> float:
        """σ, 1/s, of the complex frequencies ω − iσ of a frequency survey."""
        return self.as_spectra("data and their damping").damping

    @property
    def wavelet(self) -> NDArray | None:
        """`(F, S)` of a frequency survey, `(T,)` of a time survey; None if it is unknown."""
        return self.record.wavelet

    @property
    def live(self) -> NDArray[np.bool_]:
        """`(S, R)`: which receivers recorded which shots."""
        return self.weights > 0

    @property
    def offsets(self) -> Real:
        """`(S, R)`, distances from source to receiver."""
        distances: Real = np.asarray(
            np.linalg.norm(self.sources[:, None] - self.receivers[None], axis=2), dtype=np.float64
        )
        return distances

    def arguments(self) -> Arguments:
        """The arguments of an equal survey."""
        return {
            "sources": self.sources,
            "receivers": self.receivers,
            **self.record.arguments,
            "weights": self.weights,
            "source_variance": self.source_variance,
            "noise": self.noise,
            "name": self.name,
            "origin": self.origin,
            "processing": self.processing,
        }

    def quality(self) -> Quality:
        """Geometry, dead traces, amplitudes and spectrum in numbers, with notes on points to check."""
        return quality(self.sources, self.receivers, self.offsets, self.live, self.record, self.processing)

    def check_in(self, domain: Domain) -> None:
        """Refuse a model that does not contain the geometry, or contains it only because of wrong units.

        Raises: DeclarationError with the positions and the probable mistake: swapped axes, kilometres for metres,
            elevation for depth.
        """
        geometry.check_in(self.sources, self.receivers, domain)

    def frame(self, domain: Domain | None) -> tuple[NDArray | None, bool]:
        """The corners `(2, 2)` of a model that contains the geometry, and whether its second axis is a depth.

        Raises: DeclarationError for a geometry outside the model.
        """
        if domain is None:
            return None, False
        self.check_in(domain)
        corners = np.zeros((2, 2))
        corners[:, : self.dimension] = np.array(domain.spatial.bounds)[:, :2]
        return corners, geometry.is_depth(self.sources, self.receivers, domain.spatial)

    def plot(
        self, ax: "Axes | None" = None, *, shot: int | None = None, domain: Domain | None = None
    ) -> "Axes":
        """Draw shots and receivers, with one shot marked, by default the middle one.

        domain: of the model, whose box is drawn. If all positions are near its lower y, y is a depth and is drawn
        downwards.
        ax: axes of matplotlib to draw into; None for a new figure. Returns the axes.
        """
        corners, downwards = self.frame(domain)
        panel = pictures.panels.axes_of(ax)
        pictures.surveys.geometry(panel, self, self._shot(shot), corners, downwards)
        pictures.places.legend(panel)
        return panel

    def plot_gather(self, ax: "Axes | None" = None, *, shot: int | None = None) -> "Axes":
        """Draw one shot, by default the middle one: its traces, time downwards, or its strongest spectrum."""
        panel = pictures.panels.axes_of(ax)
        pictures.surveys.gather(panel, self, self._shot(shot))
        return panel

    def plot_spectrum(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the amplitude of all live traces against the frequency."""
        panel = pictures.panels.axes_of(ax)
        pictures.surveys.spectrum(panel, self)
        return panel

    def _shot(self, shot: int | None) -> int:
        if shot is None:
            return self.shots // 2
        checks.whole(shot, "shot", 0)
        if shot >= self.shots:
            raise DeclarationError(
                f"shot={shot}: the survey has the shots 0 to {self.shots - 1}; give one of these."
            )
        return shot

    def _rows(self) -> list[tuple[str, str]]:
        """The contents, with a label and a text each."""
        axes = axis_names(self.dimension)
        live, offsets = self.live, self.offsets[self.live]
        rows = [
            ("shots", f"{self.shots}: {extents(self.sources, axes)}"),
            ("receivers", f"{len(self.receivers)}: {extents(self.receivers, axes)}"),
            ("offsets", f"{number(float(offsets.min()))} … {number(float(offsets.max()))}"),
            ("traces", f"{int(live.sum())} live of {live.size}"),
        ]
        rows.append(("data", str(self.record)))
        rows.append(("wavelet", "unknown, to be estimated" if self.wavelet is None else "known"))
        if self.source_variance:
            rows.append(("source", f"Gaussian of variance {number(self.source_variance)}"))
        rows.append(("noise", "unknown" if self.noise is None else f"{100 * self.noise:.3g} % of the signal"))
        rows.append(("origin", "recorded" if self.origin is None else str(self.origin)))
        rows += [("processed", text) for text in self.processing]
        return rows

    def __str__(self) -> str:
        return "\n".join([self.name, *(f"  {label:<12}{text}" for label, text in self._rows())])

    def __repr__(self) -> str:
        return f"<Survey {self.name!r}: {self.shots} shots, {len(self.receivers)} receivers, {self.record}>"

    def _repr_html_(self) -> str:
        return pictures.html.card(f"Survey {self.name}", self._rows(), self.quality().notes)
