"""Pictures of a survey before it is inverted: its geometry in the model, one shot as it was recorded, the spectrum."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from neurapde.domains.base import Domain, axis_names
from neurapde.seismic.survey.quality_control import Quality
from neurapde.seismic.survey.survey import Survey
from neurapde.validation.figures import COLORS, LETTERING, WIDTH, empty_figure, lettered, plain, robust_limit

_SHOWN = 4.0  # times the centroid: frequencies drawn
_MARKED = 60  # receivers up to which a gather of spectra marks each
_MARGIN = 0.04  # of the geometry's size, left free round it where there is no model


def figure(survey: Survey, domain: Domain | None = None, *, shot: int | None = None) -> Figure:
    """Geometry on top; below, one shot's gather and the spectrum of all.

    domain: the model, drawn by the box around it. shot: of the gather, the middle one by default.
    Raises: DeclarationError for a geometry outside the model.
    """
    if domain is not None:
        survey.check_in(domain)
    chosen = survey.shots // 2 if shot is None else shot
    drawn = empty_figure(WIDTH, 6.2)
    panels = drawn.subplot_mosaic(
        [["geometry", "geometry"], ["gather", "spectrum"]], height_ratios=[1.0, 1.1]
    )
    _geometry(panels["geometry"], survey, domain, chosen)
    if survey.band:
        _values(panels["gather"], survey, chosen)
    else:
        _traces(panels["gather"], survey, chosen)
    _spectrum(panels["spectrum"], survey, survey.quality())
    return drawn


def _geometry(panel: Axes, survey: Survey, domain: Domain | None, shot: int) -> None:
    pad = np.zeros((1, 2))
    sources, receivers = (
        np.hstack([places, np.repeat(pad, len(places), axis=0)])[:, :2]
        for places in (survey.sources, survey.receivers)
    )
    live = survey.live[shot]
    ring: dict[str, Any] = {"color": "black", "markersize": 12, "fillstyle": "none"}
    shown: list[tuple[NDArray, str, dict[str, Any], str]] = [
        (receivers, "v", {"color": COLORS[0], "markersize": 4}, f"{len(receivers)} receivers"),
        (receivers[~live], "v", {"color": "0.7", "markersize": 4}, f"not live in shot {shot}"),
        (sources, "*", {"color": COLORS[1], "markersize": 8}, f"{len(sources)} shots"),
        (sources[[shot]], "o", ring, f"shot {shot}"),
    ]
    for places, marker, style, text in shown:
        if len(places):
            panel.plot(*places.T, marker, **style, label=text, clip_on=False)
    everything = np.concatenate([sources, receivers])
    lower, upper = everything.min(axis=0), everything.max(axis=0)
    if domain is not None:
        corners = np.zeros((2, 2))
        corners[:, : survey.dimension] = np.array(domain.spatial.bounds)[:, :2]
        lower, upper = corners
        panel.add_patch(Rectangle(tuple(lower), *(upper - lower), fill=False, edgecolor="0.4", clip_on=False))
    margin = _MARGIN * float((upper - lower).max())
    panel.set_xlim(lower[0] - margin, upper[0] + margin)
    panel.set_ylim(lower[1] - margin, upper[1] + margin)
    panel.set_aspect("equal")
    panel.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=4, frameon=False, fontsize=LETTERING - 2
    )
    x, y = axis_names(2)
    lettered(panel, x, y, survey.name)


def _traces(panel: Axes, survey: Survey, shot: int) -> None:
    """Traces of one shot side by side, time downwards; what was not recorded is grey."""
    gather = np.where(survey.live[shot][:, None], survey.traces[shot], np.nan)
    limit = robust_limit(gather)
    first, last = survey.times[[0, -1]]
    panel.set_facecolor("0.8")
    panel.imshow(
        np.ma.masked_invalid(gather).T,
        extent=(-0.5, len(gather) - 0.5, last + survey.dt / 2, first - survey.dt / 2),
        aspect="auto",
        cmap="RdBu_r",
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
    )
    lettered(panel, "receiver", "time", f"shot {shot}, scale ±{limit:.2g}")


def _values(panel: Axes, survey: Survey, shot: int) -> None:
    """Real and imaginary part of one shot at the frequency that is strongest."""
    strongest = int(np.linalg.norm(survey.data[:, shot], axis=1).argmax())
    values = np.where(survey.live[shot], survey.data[strongest, shot], np.nan)
    marker = "." if len(values) <= _MARKED else ""
    for color, part, name in ((COLORS[0], values.real, "real"), (COLORS[1], values.imag, "imaginary")):
        panel.plot(part, color=color, marker=marker, linewidth=1.2, label=name)
    panel.legend(frameon=False, fontsize=LETTERING - 2)
    plain(panel)
    lettered(panel, "receiver", title=f"shot {shot}, frequency {survey.frequencies[strongest]:.4g}")


def _spectrum(panel: Axes, survey: Survey, quality: Quality) -> None:
    """Amplitude against frequency, of traces up to four times the centroid."""
    if survey.band:
        panel.vlines(quality.frequencies, 0, quality.spectrum, color=COLORS[0], linewidth=1.2)
        panel.plot(quality.frequencies, quality.spectrum, "o", color=COLORS[0], markersize=4)
    else:
        shown = quality.frequencies <= _SHOWN * quality.centroid_frequency
        panel.plot(quality.frequencies[shown], quality.spectrum[shown], color=COLORS[0], linewidth=1.2)
    panel.axvline(quality.centroid_frequency, color="0.5", linestyle=":", label="centroid")
    panel.set_ylim(bottom=0)
    lettered(panel, "frequency", title=f"spectrum, peak at {quality.peak_frequency:.4g}")
    panel.legend(frameon=False, fontsize=LETTERING - 2)
    plain(panel)
