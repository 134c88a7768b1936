"""Where things are: a domain with its faces, what holds on them, layers, regions and sources."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from neurapde.core.pictures.style import COLORS, LETTERING, halo, lettered, plain

GROUND = "#dfe7f0"
"""The colour of a domain."""
DOTS = 2.5
"""Size of the dots that a face is drawn with, which run together into a line."""
BELOW = 34
"""Points (of type) below the axes at which a legend begins: under the label of the axis."""
REGION = "#444444"


def line(panel: Axes, ends: tuple[float, float], faces: Mapping[str, NDArray], names: Sequence[str]) -> Axes:
    """An interval as a bar, its faces as marks. faces: where each lies."""
    panel.plot(ends, (0, 0), color=GROUND, linewidth=8, solid_capstyle="butt", zorder=1)
    for color, (face, at) in zip(_colors(len(faces)), faces.items(), strict=True):
        style: dict[str, Any] = {"marker": "|", "markersize": 18, "markeredgewidth": 3, "linestyle": ""}
        panel.plot(at, np.zeros(len(at)), color=color, label=face, **style)
    panel.set_ylim(-1, 1)
    panel.yaxis.set_visible(False)
    panel.spines["left"].set_visible(False)
    plain(panel)
    lettered(panel, names[0])
    return panel


def plane(
    panel: Axes,
    axes: Sequence[NDArray],
    distance: NDArray,
    faces: Mapping[str, NDArray],
    names: Sequence[str],
) -> Axes:
    """A set in the plane, tinted, and its faces, a colour each.

    axes: of the grid on which `distance` `(nx, ny)`, negative inside, is known. faces: points `(n, 2)` of each face.
    """
    x, y = axes
    if distance.min() < 0:
        panel.contourf(x, y, distance.T, levels=[float(distance.min()), 0.0], colors=[GROUND])
    for color, (face, points) in zip(_colors(len(faces)), faces.items(), strict=True):
        panel.plot(
            *points.T, linestyle="", marker="o", markersize=DOTS, markeredgewidth=0, color=color, label=face
        )
    margin = 0.04 * np.array([x[-1] - x[0], y[-1] - y[0]])
    panel.set_xlim(x[0] - margin[0], x[-1] + margin[0])
    panel.set_ylim(y[0] - margin[1], y[-1] + margin[1])
    panel.set_aspect("equal")
    lettered(panel, *names)
    return panel


def space(panel: Any, faces: Mapping[str, NDArray], names: Sequence[str]) -> Axes:
    """The faces of a set in space as points `(n, 3)`, a colour each, on three-dimensional axes."""
    for color, (face, points) in zip(_colors(len(faces)), faces.items(), strict=True):
        panel.scatter(*points.T, s=2, color=color, label=face, depthshade=True, alpha=0.6)
    panel.set_aspect("equal")
    for axis in (panel.xaxis, panel.yaxis, panel.zaxis):
        axis.set_major_locator(MaxNLocator(4))
    panel.set_zlabel(names[2], fontsize=LETTERING)
    lettered(panel, names[0], names[1])
    return panel


def layer(panel: Axes, lower: Sequence[float], upper: Sequence[float], inner: Any, text: str) -> Patch:
    """The hatched frame between a box and the corners `inner` of what its absorbing layer leaves; its legend's handle."""
    (x0, y0), (x1, y1) = inner
    style: dict[str, Any] = {"facecolor": "none", "edgecolor": "0.55", "hatch": "////", "linewidth": 0.0}
    pieces = (
        (lower[0], lower[1], x0, upper[1]),
        (x1, lower[1], upper[0], upper[1]),
        (x0, lower[1], x1, y0),
        (x0, y1, x1, upper[1]),
    )
    for a, b, c, d in pieces:
        if c > a and d > b:
            panel.add_patch(Rectangle((a, b), c - a, d - b, **style))
    panel.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="0.4", linestyle="--"))
    return Patch(label=text, **style)


def region(panel: Axes, axes: Sequence[NDArray], distance: NDArray, name: str) -> None:
    """The outline of a named region of the medium, and its name in it."""
    if not distance.min() < 0 < distance.max():
        return
    lines = panel.contour(*axes, distance.T, levels=[0.0], colors=REGION, linewidths=1.2)
    lines.set_path_effects(halo("black"))
    i, j = np.unravel_index(int(distance.argmin()), distance.shape)
    at = (float(axes[0][i]), float(axes[1][j]))
    panel.annotate(
        name, at, ha="center", va="center", fontsize=LETTERING - 2, color=REGION, path_effects=halo("black")
    )


def sources(panel: Axes, places: NDArray, text: str) -> None:
    """Crosses at places `(n, 2)`; over one axis `(n, 1)` on the line."""
    across = places[:, 1] if places.shape[1] > 1 else np.zeros(len(places))
    panel.plot(
        places[:, 0],
        across,
        linestyle="",
        marker="x",
        markersize=7,
        markeredgewidth=1.8,
        color="black",
        path_effects=halo("black"),
        label=text,
        zorder=5,
    )


def legend(panel: Axes, extra: Sequence[Patch] = ()) -> None:
    """What the colours mean, below the picture, each text once."""
    handles = {handle.get_label(): handle for handle in (*panel.get_legend_handles_labels()[0], *extra)}
    shown = [_broad(handle) for handle in handles.values()]
    if shown:
        panel.legend(
            handles=shown,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            bbox_transform=panel.transAxes + ScaledTranslation(0, -BELOW / 72, panel.figure.dpi_scale_trans),
            borderaxespad=0.0,
            ncols=1 if max(len(str(name)) for name in handles) > 24 else min(4, len(shown)),
            frameon=False,
            fontsize=LETTERING - 2,
        )


def _broad(handle: Any) -> Any:
    """The line that a row of dots stands for."""
    color: Any
    if isinstance(handle, PathCollection):
        color = handle.get_facecolor()[0]
        return Line2D([], [], color=color, linewidth=3, label=handle.get_label())
    if isinstance(handle, Line2D) and handle.get_marker() == "o" and not handle.get_markeredgewidth():
        color = handle.get_color()
        return Line2D([], [], color=color, linewidth=3, label=handle.get_label())
    return handle


def _colors(count: int) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(count)]
