"""Pictures of an inversion: models with the geometry, wells, data, misfit by iteration and frequency, waves.

Each function takes the comparison and returns a Figure. All models share one scale of speed, all waves one of
amplitude. Red crosses are sources, dots receivers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from neurapde.core.formatting import number
from neurapde.core.pictures.style import (
    COLORS,
    ERRORS,
    LETTERING,
    POSITIVE,
    SIGNED,
    WIDTH,
    color_bar,
    empty_figure,
    image_of,
    label_outer,
    legend_above,
    lettered,
    plain,
    png,
    robust_limit,
)
from neurapde.core.pictures.surveys import air, positions
from neurapde.training.run.history import History
from neurapde.validation.inversions.comparison import PER_FREQUENCY, InversionComparison, Waves

_WIDE = 2.2  # models wider than this many heights stand below each other
_DECADES = 3  # of amplitudes in gathers
_LINED = 400  # receivers up to which a spectrum is drawn as lines


def pictures(comparison: InversionComparison) -> dict[str, tuple[str, bytes]]:
    """File name → (caption, PNG)."""
    down = " y is a depth and points downwards." if comparison.downwards else ""
    wells = ", ".join(number(x) for x in comparison.wells)
    shown = {
        "models.png": (
            "speeds. Red crosses: sources; dots: receivers; dotted: the wells." + down,
            models_figure(comparison),
        ),
        "wells.png": (
            f"speeds along vertical lines at x = {wells}."
            + ("" if comparison.deviation is None else " Shaded: two posterior deviations."),
            wells_figure(comparison),
        ),
        "data.png": (_data_caption(comparison), data_figure(comparison)),
        "misfit.png": (
            "the relative data residual, by step for each method and by frequency for the first; vertical lines: a new "
            "stage.",
            misfit_figure(comparison),
        ),
    }
    if comparison.deviation is not None:
        shown["uncertainty.png"] = (_uncertainty_caption(comparison), uncertainty_figure(comparison))
    if comparison.waves is not None:
        caption = f"{comparison.waves.title} in the inverted model: the method's own waves and those of a finer grid."
        shown["waves.png"] = (caption, waves_figure(comparison.waves, comparison.downwards))
    return {name: (caption, png(figure)) for name, (caption, figure) in shown.items()}


def models_figure(comparison: InversionComparison) -> Figure:
    """Start, true and recovered speeds with sources, receivers and wells."""
    speeds = _speeds(comparison)
    extent_x, extent_y = (axis[-1] - axis[0] for axis in comparison.axes)
    columns = 1 if extent_x > _WIDE * extent_y else 2
    rows = -(-len(speeds) // columns)
    height = float(np.clip((WIDTH - 1.6) / columns * extent_y / extent_x, 0.8, 6.0))
    figure = empty_figure(WIDTH, rows * (height + 0.42) + 0.35)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    everything = np.concatenate([speed.ravel() for speed in speeds.values()])
    norm = Normalize(*np.percentile(everything, (0.2, 99.8)))
    for panel, (name, speed) in zip(panels.ravel(), speeds.items(), strict=False):
        image = image_of(panel, comparison.axes, speed, norm, POSITIVE)
        _furnish(panel, comparison)
        lettered(panel, title=name)
    for panel in panels.ravel()[len(speeds) :]:
        panel.set_visible(False)
    label_outer(panels, "x", "y")
    color_bar(figure, image, panels, "speed")
    return figure


def wells_figure(comparison: InversionComparison) -> Figure:
    """Vertical profiles of all models."""
    figure = empty_figure(WIDTH, 3.6)
    panels = figure.subplots(1, len(comparison.wells), sharex=True, sharey=True)
    x, y = comparison.axes
    styles = _styles(comparison)
    for panel, well in zip(panels, comparison.wells, strict=True):
        column = int(np.argmin(np.abs(x - well)))
        for name, speed in _speeds(comparison).items():
            panel.plot(
                np.where(_in_air(comparison, column), np.nan, speed[column]), y, label=name, **styles[name]
            )
        if comparison.deviation is not None:
            middle, reach = comparison.first.speed[column], 2 * comparison.deviation[column]
            panel.fill_betweenx(y, middle - reach, middle + reach, color=COLORS[0], alpha=0.15, linewidth=0)
        lettered(panel, "speed", title=f"x = {number(float(x[column]))}")
        panel.set_ylim(*((y[-1], y[0]) if comparison.downwards else (y[0], y[-1])))
        plain(panel)
    lettered(panels[0], y="y")
    legend_above(figure, panels[0], 4)
    return figure


def uncertainty_figure(comparison: InversionComparison) -> Figure:
    """The posterior deviation of the speed, and the error of the model in deviations if the truth is known."""
    assert comparison.deviation is not None
    planes = [
        ("posterior deviation", comparison.deviation, Normalize(0, float(comparison.deviation.max())), ERRORS)
    ]
    if comparison.off is not None:
        planes.append(("|found − true| in deviations", comparison.off, Normalize(0, 3), ERRORS))
    extent_x, extent_y = (axis[-1] - axis[0] for axis in comparison.axes)
    columns = 1 if extent_x > _WIDE * extent_y else 2
    rows = -(-len(planes) // columns)
    height = float(np.clip((WIDTH - 2.6) / columns * extent_y / extent_x, 0.8, 6.0))
    figure = empty_figure(WIDTH, rows * (height + 0.42) + 0.35)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel, (name, plane, norm, colors) in zip(panels.ravel(), planes, strict=False):
        panel.set_facecolor("0.8")
        image = image_of(panel, comparison.axes, plane, norm, colors)
        _furnish(panel, comparison)
        lettered(panel, title=name)
        figure.colorbar(image, ax=panel, aspect=20, pad=0.03).ax.tick_params(labelsize=LETTERING - 3)
    for panel in panels.ravel()[len(planes) :]:
        panel.set_visible(False)
    label_outer(panels, "x", "y")
    return figure


def _uncertainty_caption(comparison: InversionComparison) -> str:
    text = "the posterior deviation of the speed: what data of this noise leave open of what was believed before."
    if comparison.off is None:
        return text
    return f"{text} Right or below: how far the model is from the truth, in these deviations. Grey: known before."


def data_figure(comparison: InversionComparison) -> Figure:
    """Observed data and their residual: spectra of the highest frequency, or a gather of traces."""
    return _spectra(comparison) if len(comparison.frequencies) else _gather(comparison)


def _data_caption(comparison: InversionComparison) -> str:
    shot = comparison.observed.shape[-2 if len(comparison.frequencies) else 0] // 2 + 1
    if len(comparison.frequencies):
        frequency = number(float(comparison.frequencies[-1]))
        return f"data at {frequency} Hz: shot {shot} by receiver, and amplitudes of all data. Grey: not recorded."
    return f"traces of shot {shot}: observed, and the residual of the model, on one scale."


def _spectra(comparison: InversionComparison) -> Figure:
    figure = empty_figure(WIDTH, 6.2)
    rows = figure.subplots(2, 2)
    observed, predicted = comparison.observed[-1], comparison.first.predicted[-1]
    shot = len(observed) // 2
    live = np.flatnonzero(comparison.live[shot])
    for panel, component, name in zip(
        rows[0], (np.real, np.imag), ("real part", "imaginary part"), strict=True
    ):
        marker = "." if len(live) <= _LINED else ""
        values = (observed, predicted, predicted - observed)
        styles = (("0.75", 3.5, ""), (COLORS[0], 1.0, marker), (COLORS[1], 1.0, ""))
        for value, word, (color, width, mark) in zip(
            values, ("observed", "predicted", "residual"), styles, strict=True
        ):
            panel.plot(
                live, component(value[shot, live]), color=color, linewidth=width, marker=mark, label=word
            )
        lettered(panel, "receiver", title=f"shot {shot + 1}, {name}")
        plain(panel)
    handles = rows[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=3, frameon=False, fontsize=LETTERING - 1)
    sizes = {"|observed|": np.abs(observed), "|residual|": np.abs(predicted - observed)}
    top = max(float(np.percentile(np.abs(observed[comparison.live]), 99)), np.finfo(float).tiny)
    floor = top * 10.0**-_DECADES
    norm = LogNorm(floor, top)
    for panel, (name, size) in zip(rows[1], sizes.items(), strict=True):
        shown = np.where(comparison.live, np.maximum(size, floor), np.nan)
        panel.set_facecolor("0.8")
        shots, columns = shown.shape
        image = panel.imshow(
            np.ma.masked_invalid(shown),
            norm=norm,
            cmap=ERRORS,
            aspect="auto",
            origin="lower",
            extent=(-0.5, columns - 0.5, 0.5, shots + 0.5),
        )
        panel.yaxis.set_major_locator(MaxNLocator(integer=True))
        lettered(panel, "receiver", "shot", name)
    color_bar(figure, image, rows[1], aspect=20)
    return figure


def _gather(comparison: InversionComparison) -> Figure:
    figure = empty_figure(WIDTH, 4.6)
    shot = len(comparison.observed) // 2
    live = np.flatnonzero(comparison.live[shot])
    observed, predicted = comparison.observed[shot, live], comparison.first.predicted[shot, live]
    planes = {"observed": observed, "predicted": predicted, "residual": predicted - observed}
    limit = robust_limit(observed)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    extent = (-0.5, len(live) - 0.5, comparison.times[-1], comparison.times[0])
    for panel, (name, plane) in zip(panels, planes.items(), strict=True):
        image = panel.imshow(
            plane.T, norm=Normalize(-limit, limit), cmap=SIGNED, aspect="auto", extent=extent
        )
        lettered(panel, "live receiver", title=name)
    lettered(panels[0], y="t")
    color_bar(figure, image, panels)
    return figure


def misfit_figure(comparison: InversionComparison) -> Figure:
    """The relative residual by step, of every method; and of the first by frequency."""
    figure = empty_figure(WIDTH, 3.4)
    left, right = figure.subplots(1, 2, sharey=True)
    styles = _styles(comparison)
    for name, account in comparison.accounts.items():
        left.plot(*_course(account.history, "relative residual"), label=name, color=styles[name]["color"])
        for end in account.ends[:-1]:
            left.axvline(account.history.step[end], color=styles[name]["color"], linewidth=0.6, linestyle=":")
    history = comparison.first.history
    columns = [name for name in history.names if name.startswith(PER_FREQUENCY)]
    for color, name in zip(_ramp(len(columns)), columns, strict=True):
        right.plot(*_course(history, name), color=color, label=name.removeprefix(PER_FREQUENCY))
    for panel, title in (
        (left, "all data of the stage"),
        (right, f"{next(iter(comparison.accounts))}, by frequency"),
    ):
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g} %"))
        panel.yaxis.set_minor_formatter(NullFormatter())
        lettered(panel, "step", title=title)
        panel.grid(True, color="0.9")
        plain(panel)
        if panel.lines:
            panel.legend(frameon=False, fontsize=LETTERING - 2, ncols=1 + (len(panel.lines) > 5))
    lettered(left, y="relative residual")
    return figure


def waves_figure(waves: Waves, downwards: bool) -> Figure:
    """Real parts of the method's own waves and the grid's, and the size of the difference."""
    limit = robust_limit(np.abs(waves.grid))
    extent_x, extent_y = (axis[-1] - axis[0] for axis in waves.axes)
    stacked = extent_x > _WIDE * extent_y
    height = float(np.clip((WIDTH - 1.8) / (1 if stacked else 3) * extent_y / extent_x, 0.9, 5.0)) + 0.45
    figure = empty_figure(WIDTH, height * 3 + 0.3 if stacked else height + 0.9)
    panels = figure.subplots(*((3, 1) if stacked else (1, 3)), sharex=True, sharey=True, squeeze=False)
    difference = np.maximum(np.abs(waves.own - waves.grid), limit * 10.0**-4)
    norm, error_norm = Normalize(-limit, limit), LogNorm(limit * 10.0**-3, limit)
    planes = (
        ("own, real part", waves.own.real, norm, SIGNED),
        ("fine grid, real part", waves.grid.real, norm, SIGNED),
        ("|difference|", difference, error_norm, ERRORS),
    )
    place: dict[str, Any] = {} if stacked else {"location": "bottom", "fraction": 0.08}
    for panel, (name, plane, scale, colors) in zip(panels.ravel(), planes, strict=True):
        image = image_of(panel, waves.axes, plane, scale, colors)
        panel.plot(*waves.source, marker="x", color="white" if colors == ERRORS else "black", markersize=5)
        lettered(panel, title=name)
        figure.colorbar(image, ax=panel, aspect=20, pad=0.03, **place).ax.tick_params(labelsize=LETTERING - 3)
        if downwards:
            panel.set_ylim(waves.axes[1][-1], waves.axes[1][0])
    label_outer(panels, "x", "y")
    return figure


def _speeds(comparison: InversionComparison) -> dict[str, NDArray]:
    known = {} if comparison.truth is None else {"true": comparison.truth}
    recovered = {name: account.speed for name, account in comparison.accounts.items()}
    return {**known, "start": comparison.start, **recovered}


def _in_air(comparison: InversionComparison, column: int) -> NDArray[np.bool_]:
    """Which nodes of a column are above the topography."""
    x, y = comparison.axes
    if comparison.surface is None:
        return np.zeros(len(y), bool)
    height = np.interp(x[column], *comparison.surface.T)
    return y < height if comparison.downwards else y > height


def _styles(comparison: InversionComparison) -> Mapping[str, dict[str, object]]:
    """Line styles: truth broad and grey, the start dashed, methods in colour."""
    styles: dict[str, dict[str, object]] = {
        "true": {"color": "0.75", "linewidth": 4.0},
        "start": {"color": "0.4", "linewidth": 1.0, "linestyle": "--"},
    }
    for color, name in zip(COLORS, comparison.accounts, strict=False):
        styles[name] = {"color": color, "linewidth": 1.4}
    return styles


def _course(history: History, name: str) -> tuple[NDArray, NDArray]:
    """Steps and values of a column, if it has any."""
    values = history[name]
    known = np.isfinite(values)
    return history.step[known], values[known]


def _ramp(count: int) -> list[tuple[float, float, float]]:
    """Colours from blue to red, for frequencies from low to high."""
    return [(0.1 + 0.75 * t, 0.25 * (1 - t), 0.75 * (1 - t) + 0.05) for t in np.linspace(0, 1, count)]


def _furnish(panel: Axes, comparison: InversionComparison) -> None:
    for x in comparison.wells:
        panel.axvline(x, color="white", linewidth=0.8, linestyle=":")
    positions(panel, comparison.sources, comparison.receivers)
    across, along = comparison.axes
    margin = 0.02 * (along[-1] - along[0])
    low, high = along[0] - margin, along[-1] + margin
    panel.set_xlim(across[0] - margin, across[-1] + margin)
    panel.set_ylim(*((high, low) if comparison.downwards else (low, high)))
    if comparison.surface is not None:
        air(panel, comparison.surface, low if comparison.downwards else high)
    panel.tick_params(labelsize=LETTERING - 2)
