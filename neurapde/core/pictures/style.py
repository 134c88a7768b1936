"""The one style of all pictures: colours, letters, scales.

A signed field goes from blue over white to red about zero, a positive one from dark blue to yellow, an error from black to
yellow: all three are told apart by those who see few colours, and in print.
"""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patheffects import AbstractPathEffect, withStroke
from numpy.typing import NDArray
from PIL import Image

WIDTH = 7.5  # inches: two panels side by side, lettering legible at half the size
NARROW = 5.2  # inches: one panel
DOTS_PER_INCH = 120
LETTERING = 11
COLORS = ("#0b559f", "#c4410c", "#2a7f3f", "#7a3e9d", "#8a6d00", "#444444")
SIGNED, POSITIVE, ERRORS, CYCLIC = "RdBu_r", "viridis", "magma", "twilight"
"""Colour maps."""
UNKNOWN = "0.8"
"""The grey of what is not known, or not in the domain."""


def png(figure: Figure) -> bytes:
    """The figure as a PNG, drawn once: `savefig` draws it twice where the layout is found by constraints."""
    figure.set_dpi(DOTS_PER_INCH)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    with io.BytesIO() as buffer:
        Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).save(
            buffer, format="png", compress_level=4
        )
        return buffer.getvalue()


def empty_figure(width: float, height: float) -> Figure:
    """A white figure of so many inches, its panels laid out by constraints; pyplot does not know of it."""
    figure = Figure(figsize=(width, height), facecolor="white")
    figure.set_layout_engine("constrained", wspace=0.06, h_pad=0.07)
    return figure


def robust_limit(values: NDArray) -> float:
    """The scale that the largest hundredth of the values may exceed."""
    finite = np.abs(values[np.isfinite(values)])
    limit = float(np.percentile(finite, 99)) if finite.size else 1.0
    return limit if limit > 0 else float(finite.max(initial=0.0)) or 1.0


def root_figure(panel: Axes) -> Figure | None:
    """The figure that axes belong to, also through a subfigure; None where they were removed from it."""
    nearest = panel.get_figure()
    return None if nearest is None else nearest.figure


def image_of(panel: Axes, axes: Sequence[NDArray], plane: NDArray, norm: Normalize, colors: str) -> AxesImage:
    """A field of the plane on a panel; what is not known is grey."""
    (x, y) = axes
    dx, dy = (x[-1] - x[0]) / (len(x) - 1) / 2, (y[-1] - y[0]) / (len(y) - 1) / 2
    extent = (x[0] - dx, x[-1] + dx, y[0] - dy, y[-1] + dy)
    panel.set_facecolor(UNKNOWN)
    return panel.imshow(
        np.ma.masked_invalid(plane).T, origin="lower", extent=extent, norm=norm, cmap=colors, aspect="equal"
    )


def color_bar(
    figure: Figure,
    image: AxesImage,
    panels: Any,
    label: str = "",
    aspect: float = 30,
    extend: str = "neither",
) -> None:
    """The scale of an image beside its panels."""
    bar = figure.colorbar(image, ax=panels, extend=extend, aspect=aspect, pad=0.02, label=label)
    bar.ax.tick_params(labelsize=LETTERING - 2)


def halo(color: str) -> list[AbstractPathEffect]:
    """What makes lines of a colour legible on any ground."""
    return [withStroke(linewidth=2.0, foreground="black" if color == "white" else "white", alpha=0.5)]


def lettered(panel: Axes, x: str = "", y: str = "", title: str = "") -> None:
    """Say what a panel shows, in the one size of letters."""
    for text, set_text in ((x, panel.set_xlabel), (y, panel.set_ylabel), (title, panel.set_title)):
        if text:
            set_text(text, fontsize=LETTERING)
    panel.tick_params(labelsize=LETTERING - 2)


def label_outer(panels: NDArray, x: str, y: str) -> None:
    """Name the axes along the lower and the left side of a table of panels."""
    for panel in panels[-1]:
        lettered(panel, x=x)
    for panel in panels[:, 0]:
        lettered(panel, y=y)


def legend_above(figure: Figure, panel: Axes, columns: int) -> None:
    """The lines of one panel, for all of them."""
    handles = panel.get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=columns, frameon=False, fontsize=LETTERING - 1)


def plain(panel: Axes) -> None:
    """Two sides of the frame are enough for lines."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=LETTERING - 2)
