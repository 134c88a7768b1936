"""A survey and an inverted model: positions, one shot as it was recorded, the spectrum, a speed with what lies on it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from neurapde.core.pictures import fields
from neurapde.core.pictures.style import COLORS, LETTERING, SIGNED, UNKNOWN, lettered, plain, robust_limit

_SHOWN = 4.0  # times the centroid: frequencies drawn
_MARKED = 60  # receivers up to which a gather of spectra marks each
_MARGIN = 0.04  # of the geometry's size, left free round it
_BELOW = 0.02  # of a model's height, left free round it, so that marks on its edge are seen whole


def geometry(
    panel: Axes, survey: Any, shot: int, corners: NDArray | None = None, downwards: bool = False
) -> None:
    """Shots and receivers, those of one shot marked; corners `(2, 2)`: lower and upper of the model, drawn as a frame."""
    names = ("x", "y")
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
    if corners is not None:
        lower, upper = corners
        panel.add_patch(Rectangle(tuple(lower), *(upper - lower), fill=False, edgecolor="0.4", clip_on=False))
    margin = _MARGIN * float((upper - lower).max() or 1.0)
    low, high = lower[1] - margin, upper[1] + margin
    panel.set_xlim(lower[0] - margin, upper[0] + margin)
    panel.set_ylim(*((high, low) if downwards else (low, high)))
    panel.set_aspect("equal")
    lettered(panel, *names, survey.name)


def gather(panel: Axes, survey: Any, shot: int) -> None:
    """One shot: its traces side by side, time downwards, or its spectra at the frequency that is strongest."""
    if survey.band:
        _values(panel, survey, shot)
    else:
        _traces(panel, survey, shot)


def _traces(panel: Axes, survey: Any, shot: int) -> None:
    """Traces of one shot; what was not recorded is grey."""
    recorded = np.where(survey.live[shot][:, None], survey.traces[shot], np.nan)
    limit = robust_limit(recorded)
    first, last = survey.times[[0, -1]]
    panel.set_facecolor(UNKNOWN)
    panel.imshow(
        np.ma.masked_invalid(recorded).T,
        extent=(-0.5, len(recorded) - 0.5, last + survey.dt / 2, first - survey.dt / 2),
        aspect="auto",
        cmap=SIGNED,
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
    )
    lettered(panel, "receiver", "time", f"shot {shot}, scale ±{limit:.2g}")


def _values(panel: Axes, survey: Any, shot: int) -> None:
    """Real and imaginary part of one shot at the frequency that is strongest."""
    strongest = int(np.linalg.norm(survey.data[:, shot], axis=1).argmax())
    values = np.where(survey.live[shot], survey.data[strongest, shot], np.nan)
    marker = "." if len(values) <= _MARKED else ""
    for color, component, name in ((COLORS[0], values.real, "real"), (COLORS[1], values.imag, "imaginary")):
        panel.plot(component, color=color, marker=marker, linewidth=1.2, label=name)
    panel.legend(frameon=False, fontsize=LETTERING - 2)
    plain(panel)
    lettered(panel, "receiver", title=f"shot {shot}, frequency {survey.frequencies[strongest]:.4g}")


def spectrum(panel: Axes, survey: Any) -> None:
    """Amplitude against frequency, of traces up to four times the centroid."""
    quality = survey.quality()
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


def model(
    panel: Axes,
    axes: Mapping[str, NDArray],
    speed: NDArray,
    *,
    label: str,
    title: str,
    sources: NDArray,
    receivers: NDArray,
    downwards: bool,
    surface: NDArray | None = None,
) -> Axes:
    """A speed `(nx, ny)` with its scale, red crosses for sources and dots for receivers."""
    fields.draw(panel, axes, speed, label=label, title=title)
    positions(panel, sources, receivers)
    panel.set_facecolor("white")
    x, y = axes.values()
    margin = _BELOW * float(y[-1] - y[0])
    low, high = float(y[0]) - margin, float(y[-1]) + margin
    panel.set_xlim(x[0] - margin, x[-1] + margin)
    panel.set_ylim(*((high, low) if downwards else (low, high)))
    if surface is not None:
        air(panel, surface, low if downwards else high)
    return panel


def air(panel: Axes, surface: NDArray, edge: float) -> None:
    """A surface `(n, 2)` as a line, and nothing between it and y = `edge`."""
    panel.fill_between(surface[:, 0], surface[:, 1], edge, color="white", linewidth=0, zorder=1.5)
    panel.plot(*surface.T, color="black", linewidth=1.2, zorder=1.6)


def positions(panel: Axes, sources: NDArray, receivers: NDArray) -> None:
    """Red crosses and black dots on a model."""
    effects = [withStroke(linewidth=2.0, foreground="white", alpha=0.8)]
    styles: Sequence[tuple[NDArray, dict[str, Any]]] = (
        (receivers, {"color": "black", "marker": ".", "markersize": 2.5}),
        (sources, {"color": "#d1121d", "marker": "x", "markersize": 4.5}),
    )
    for places, style in styles:
        panel.add_line(Line2D(*places.T, linestyle="", path_effects=effects, **style))
