"""A field along a line or in a plane, as lines or as colours."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neurapde.core.pictures.style import (
    COLORS,
    CYCLIC,
    ERRORS,
    LETTERING,
    POSITIVE,
    SIGNED,
    color_bar,
    halo,
    image_of,
    lettered,
    plain,
    robust_limit,
    root_figure,
)

PARTS: Mapping[str, tuple[Callable[[NDArray], NDArray], str]] = {
    "real": (np.real, "Re {}"),
    "imag": (np.imag, "Im {}"),
    "abs": (np.abs, "|{}|"),
    "phase": (np.angle, "arg {}"),
}
"""Parts of a complex field: what takes one, and its label."""
PEAKED = 3.0
"""Times the 99th percentile above which the largest values are cut from the scale, and said to be."""
DECADES = 4
"""Of a logarithmic scale."""
LONG = 6.0
"""Ratio of the sides of a plane above which they are not drawn in one scale."""


def draw(
    panel: Axes,
    axes: Mapping[str, NDArray],
    values: NDArray,
    *,
    label: str = "u",
    part: str | None = None,
    title: str = "",
    regions: Sequence[NDArray] = (),
    in_time: bool = False,
    error: bool = False,
) -> Axes:
    """Values `(*shape)` over one or two axes.

    label: of the field. part: of a complex one, a key of `PARTS`; None for both parts of a line, the real one of a plane.
    regions: signed distances `(*shape)` whose zero lines are drawn. in_time: whether the last axis is time.
    error: whether the values are sizes of an error, which are drawn on a logarithmic scale.
    """
    if len(axes) == 1:
        _lines(panel, axes, values, label, part, title)
        if error and np.nanmax(values) > 0:
            panel.set_yscale("log")
        return panel
    if part is None and np.iscomplexobj(values):
        part = "real"
    take, text = PARTS[part] if part is not None else (np.real, "{}")
    plane = take(values)
    signed = part in ("real", "imag") if np.iscomplexobj(values) else None
    norm: Normalize
    if error:
        norm, colors, extend = error_scale(plane)
        plane = np.maximum(plane, norm.vmin or 0.0)
    else:
        norm, colors, extend = scale(plane, signed=False if part == "abs" else signed, phase=part == "phase")
    (x, y), (name_x, name_y) = axes.values(), axes
    image = image_of(panel, (x, y), plane, norm, colors)
    ratio = (x[-1] - x[0]) / (y[-1] - y[0])
    if in_time or not 1 / LONG < ratio < LONG:
        panel.set_aspect("auto")
    for distance in regions:
        lines = panel.contour(x, y, distance.T, levels=[0.0], colors="black", linewidths=0.9)
        lines.set_path_effects(halo("black"))
    _ticks(panel)
    lettered(panel, name_x, name_y, title)
    figure = root_figure(panel)
    if figure is not None:
        color_bar(figure, image, panel, text.format(label), extend=extend)
    return panel


def scale(plane: NDArray, *, signed: bool | None = None, phase: bool = False) -> tuple[Normalize, str, str]:
    """How a plane is coloured: the norm, the map, and at which ends values lie beyond the scale.

    signed: whether it is drawn about zero; None to ask the values. phase: whether they are angles.
    """
    if phase:
        return Normalize(-np.pi, np.pi), CYCLIC, "neither"
    finite = plane[np.isfinite(plane)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    size = max(-low, high)
    if signed is None:
        signed = low < -1e-6 * size
    if not signed:
        low, high = (
            (low, high) if high > low else (low - 0.5 * (abs(low) or 1.0), low + 0.5 * (abs(low) or 1.0))
        )
        limit = robust_limit(finite)
        cut = limit < high / PEAKED
        return Normalize(low, limit if cut else high), POSITIVE, "max" if cut else "neither"
    limit = robust_limit(finite)
    cut = limit < size / PEAKED
    top = limit if cut else size or 1.0
    return Normalize(-top, top), SIGNED, "both" if cut else "neither"


def error_scale(plane: NDArray) -> tuple[LogNorm, str, str]:
    """The logarithmic scale of sizes of an error: some decades down from their 99.5th percentile."""
    finite = plane[np.isfinite(plane)]
    top = float(np.percentile(finite, 99.5)) if finite.size else 1.0
    top = top or float(finite.max(initial=0.0)) or 1.0
    return LogNorm(top * 10.0**-DECADES, top), ERRORS, "both"


def _lines(
    panel: Axes, axes: Mapping[str, NDArray], values: NDArray, label: str, part: str | None, title: str
) -> Axes:
    ((name, x),) = axes.items()
    shown = [part] if part is not None else ["real", "imag"] if np.iscomplexobj(values) else []
    if not shown:
        panel.plot(x, values, color=COLORS[0], linewidth=1.4)
    for color, component in zip(COLORS, shown, strict=False):
        take, text = PARTS[component]
        panel.plot(x, take(values), color=color, linewidth=1.4, label=text.format(label))
    if len(shown) > 1:
        panel.legend(frameon=False, fontsize=LETTERING - 2)
    lettered(panel, name, PARTS[part][1].format(label) if part is not None else label, title)
    panel.grid(True, color="0.92")
    plain(panel)
    return panel


def _ticks(panel: Axes) -> None:
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
