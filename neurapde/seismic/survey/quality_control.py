"""Quality control of a survey in numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurapde.core.formatting import number
from neurapde.domains.base import axis_names
from neurapde.seismic.survey.geometry import extents
from neurapde.seismic.survey.records import Spectra, Traces

Real = NDArray[np.float64]

_LOUD = 100.0  # ratio of amplitudes between shots that is worth a note
_CUT = 0.05  # share of a record, at its end, whose energy is looked at
_UNFINISHED = 0.01  # of the energy there: above, the record was cut while waves were arriving


@dataclass(frozen=True, eq=False)
class Quality:
    """The result of `Survey.quality`.

    geometry: extents of sources and receivers. offsets: least and greatest distance of a live pair.
    live, dead: counts of traces. dead_by_shot `(S,)`. amplitudes `(S,)`: root mean square of each shot's live traces.
    spectrum `(F,)`: root mean square over live traces of |U| at `frequencies` `(F,)`. peak_frequency: where it is
    largest. centroid_frequency: its mean, weighted by the spectrum's square. notes: points to check. processing: the
    steps so far, in order.
    """

    geometry: dict[str, str]
    offsets: tuple[float, float]
    live: int
    dead: int
    dead_by_shot: NDArray[np.intp]
    amplitudes: Real
    frequencies: Real
    spectrum: Real
    peak_frequency: float
    centroid_frequency: float
    notes: tuple[str, ...]
    processing: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = [
            *self.geometry.items(),
            ("offsets", f"{number(self.offsets[0])} … {number(self.offsets[1])}"),
            ("traces", f"{self.live} live, {self.dead} dead"),
            ("amplitude", f"{number(self.amplitudes.min())} … {number(self.amplitudes.max())} RMS by shot"),
            ("frequency", f"peak {number(self.peak_frequency)}, centroid {number(self.centroid_frequency)}"),
            *(("processed", text) for text in self.processing),
            *(("note", note) for note in self.notes),
        ]
        return "\n".join(f"  {label:<12}{text}" for label, text in rows)


def quality(
    sources: Real,
    receivers: Real,
    offsets: Real,
    live: NDArray[np.bool_],
    record: Spectra | Traces,
    processing: tuple[str, ...] = (),
) -> Quality:
    """Analyse a survey's geometry and record."""
    axes = axis_names(sources.shape[1])
    frequencies, power = record.power(live)
    spectrum = np.sqrt(power.mean(axis=0))
    amplitudes = np.sqrt(np.where(live, record.mean_square, 0.0).sum(axis=1) / live.sum(axis=1))
    near = offsets[live]
    return Quality(
        geometry={"sources": extents(sources, axes), "receivers": extents(receivers, axes)},
        offsets=(float(near.min()), float(near.max())),
        live=int(live.sum()),
        dead=int((~live).sum()),
        dead_by_shot=(~live).sum(axis=1),
        amplitudes=amplitudes,
        frequencies=frequencies,
        spectrum=spectrum,
        peak_frequency=float(frequencies[spectrum.argmax()]),
        centroid_frequency=float(frequencies @ spectrum**2 / (spectrum**2).sum()),
        notes=_notes(near, amplitudes, record),
        processing=processing,
    )


def _notes(offsets: Real, amplitudes: Real, record: Spectra | Traces) -> tuple[str, ...]:
    notes = []
    if (offsets == 0).any():
        notes.append(
            f"{int((offsets == 0).sum())} receivers are at their source, where the field is singular"
        )
    if amplitudes.max() > _LOUD * amplitudes.min():
        notes.append(
            f"shot {int(amplitudes.argmax())} is {number(float(amplitudes.max() / amplitudes.min()))} times as loud as shot "
            f"{int(amplitudes.argmin())}"
        )
    if isinstance(record, Traces):
        energy = (record.windowed**2).sum(axis=(0, 1))
        end = max(1, round(_CUT * len(energy)))
        share = float(energy[-end:].sum() / energy.sum())
        if share > _UNFINISHED:
            notes.append(
                f"the last {100 * _CUT:g} % of the time holds {100 * share:.2g} % of the energy: the record may be cut "
                "off; a taper= in at(…) smooths its end"
            )
    return tuple(notes)
