"""Pictures of fields, errors and convergence, drawn by matplotlib's object interface without global state.

Each function returns a Figure; `style.png` renders it. Solution and truth share one symmetric scale, limited to the
99th percentile so that the peak at a source does not hide the waves; errors have their own logarithmic scale.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from neurapde.core.pictures.histories import draw
from neurapde.core.pictures.style import (
    COLORS,
    ERRORS,
    LETTERING,
    NARROW,
    SIGNED,
    WIDTH,
    empty_figure,
    halo,
    image_of,
    label_outer,
    legend_above,
    lettered,
    plain,
    robust_limit,
)
from neurapde.core.pictures.tables import draw_scale, number_sparsely, table_of_panels
from neurapde.training.run.history import History
from neurapde.validation.annotations import Annotations

_DECADES = 4
_FLOOR = 6  # decades below the top where differences are drawn no smaller: zero has no logarithm


def fields_figure(annotations: Annotations, axes: Sequence[NDArray], fields: Mapping[str, NDArray]) -> Figure:
    """Fields side by side: a row for the real part and, if any is complex, one for the imaginary part.

    Args:
        annotations: outlines and marks.
        axes: coordinates of the grid, one array an axis; 1, 2 or 3 axes (with 3, the picture is the middle plane of
            the last).
        fields: arrays of the grid's shape by name.
    """
    axes, planes = _cut(axes, fields)
    parts: dict[str, Callable[[NDArray], NDArray]] = {"": np.real}
    if any(np.iscomplexobj(field) for field in planes.values()):
        parts = {"real part": np.real, "imaginary part": np.imag}
    if len(axes) == 1:
        return _line_figure(annotations, axes[0], planes, parts)
    figure, panels, scale = table_of_panels(len(parts), len(planes), _ratio(axes))
    limit = robust_limit(
        np.concatenate([component(f).ravel() for f in planes.values() for component in parts.values()])
    )
    norm = Normalize(-limit, limit)
    for row, (part_name, component) in zip(panels, parts.items(), strict=True):
        for panel, (name, field) in zip(row, planes.items(), strict=True):
            image = image_of(panel, axes, component(field), norm, SIGNED)
            furnish(panel, annotations, axes, "black")
            _level_lines(panel, annotations, axes, component(field), limit)
            lettered(panel, title=f"{name}, {part_name}".rstrip(", "))
    label_outer(panels, *annotations.axis_names[:2])
    draw_scale(figure, image, scale, extend="both")
    return figure


def error_figure(annotations: Annotations, axes: Sequence[NDArray], errors: Mapping[str, NDArray]) -> Figure:
    """|difference| side by side on one logarithmic scale of four decades, up to the 99.5th percentile."""
    where = f" at {annotations.axis_names[2]} = {axes[2][len(axes[2]) // 2]:.3g}" if len(axes) == 3 else ""
    axes, planes = _cut(axes, {name: np.abs(error) for name, error in errors.items()})
    everything = np.concatenate([plane.ravel() for plane in planes.values()])
    everything = everything[np.isfinite(everything)]
    top = float(np.percentile(everything, 99.5)) if everything.size else 1.0
    top = top if top > 0 else 1.0
    if len(axes) == 1:
        figure = empty_figure(WIDTH, 2.8)
        panel = figure.subplots()
        panel.set_yscale("log")
        panel.set_ylim(top * 10.0**-_FLOOR, 2 * top)
        for color, (name, plane) in zip(COLORS, planes.items(), strict=False):
            panel.plot(axes[0], plane, color=color, label=name, linewidth=1.2)
        lettered(panel, annotations.axis_names[0], "|difference|")
        legend_above(figure, panel, 3)
        _furnish_line(panel, annotations)
        return figure
    width = WIDTH if len(planes) > 1 else NARROW
    figure, panels, scale = table_of_panels(1, len(planes), _ratio(axes), width, named=True)
    norm = LogNorm(top * 10.0**-_DECADES, top)
    for panel, (name, plane) in zip(panels[0], planes.items(), strict=True):
        image = image_of(panel, axes, np.maximum(plane, top * 10.0**-_FLOOR), norm, ERRORS)
        furnish(panel, annotations, axes, "white")
        lettered(panel, title=f"|{name}|")
    label_outer(panels, *annotations.axis_names[:2])
    draw_scale(figure, image, scale, f"|difference|{where}", extend="both")
    return figure


def convergence_figure(history: History) -> Figure:
    """The course of the solve."""
    figure = empty_figure(WIDTH, 3.2)
    draw(figure.subplots(), history)
    return figure


def _cut(
    axes: Sequence[NDArray], fields: Mapping[str, NDArray]
) -> tuple[Sequence[NDArray], Mapping[str, NDArray]]:
    """With three axes, the plane in the middle of the last."""
    if len(axes) < 3:
        return axes, fields
    middle = len(axes[2]) // 2
    return axes[:2], {name: field[:, :, middle] for name, field in fields.items()}


def _ratio(axes: Sequence[NDArray]) -> float:
    """The ratio of height to width of the domain in the picture."""
    across, up = (float(axis[-1] - axis[0]) for axis in axes)
    return up / across


def furnish(panel: Axes, annotations: Annotations, axes: Sequence[NDArray], color: str) -> None:
    """Draw region outlines, the edge of the layers (dashed) and sources (crosses), visible on any background."""
    for lines in annotations.outlines.values():
        for line in lines:
            panel.add_line(Line2D(*np.transpose(line), color=color, linewidth=0.9, path_effects=halo(color)))
    if annotations.physical is not None:
        (x0, y0, *_), (x1, y1, *_) = annotations.physical
        panel.add_patch(
            Rectangle(
                (x0, y0),
                x1 - x0,
                y1 - y0,
                fill=False,
                edgecolor=color,
                linestyle="--",
                path_effects=halo(color),
            )
        )
    for at in annotations.sources[0] if annotations.sources else ():
        panel.plot(*at[:2], marker="x", color=color, markersize=5, path_effects=halo(color))
    panel.set_xlim(axes[0][0], axes[0][-1])
    panel.set_ylim(axes[1][0], axes[1][-1])
    number_sparsely(panel)
    panel.tick_params(labelsize=LETTERING - 2)


def _level_lines(
    panel: Axes, annotations: Annotations, axes: Sequence[NDArray], plane: NDArray, limit: float
) -> None:
    """The annotations's contours of one field, the scale ending at `limit`."""
    levels = [
        level * limit for level in annotations.contours if np.nanmin(plane) < level * limit < np.nanmax(plane)
    ]
    if levels:
        panel.contour(*axes, plane.T, levels=levels, colors="black", linestyles="dotted", linewidths=1.0)


def _line_figure(
    annotations: Annotations,
    x: NDArray,
    fields: Mapping[str, NDArray],
    parts: Mapping[str, Callable[[NDArray], NDArray]],
) -> Figure:
    figure = empty_figure(WIDTH, 2.3 * len(parts) + 0.3)
    panels = figure.subplots(len(parts), 1, sharex=True, squeeze=False)[:, 0]
    for panel, (part_name, component) in zip(panels, parts.items(), strict=True):
        for i, (name, field) in enumerate(fields.items()):
            # The first lies over the others: a thin dark line on broad light ones.
            style = {"color": COLORS[i], "linewidth": 1.2} if i == 0 else {"color": "0.75", "linewidth": 3.5}
            panel.plot(x, component(field), label=name, zorder=3 - i, **style)
        lettered(panel, y=part_name or "u")
        _furnish_line(panel, annotations)
    legend_above(figure, panels[0], 3)
    lettered(panels[-1], annotations.axis_names[0])
    return figure


def _furnish_line(panel: Axes, annotations: Annotations) -> None:
    if annotations.physical is not None:
        for corner in annotations.physical:
            panel.axvline(corner[0], color="0.4", linewidth=0.8, linestyle="--")
    for at in annotations.sources[0] if annotations.sources else ():
        panel.axvline(at[0], color="0.4", linewidth=0.8, linestyle=":")
    plain(panel)
