"""Panels of one size side by side and below each other, with one scale: at places known before anything is drawn.

Matplotlib's constrained layout measures each letter twice and takes two thirds of the time of such a picture.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neurapde.core.pictures.style import LETTERING, WIDTH, root_figure

LEFT, RIGHT, BOTTOM, TOP = 0.92, 0.92, 0.6, 0.36
"""Inches about the panels: names and numbers of the axes, the scale with its numbers, a title."""
LABEL = 0.26  # inches for the name of the scale
BESIDE, BELOW = 0.42, 0.36  # inches between panels
BAR, GAP = 0.14, 0.12  # inches: the scale, and what keeps it from the panels
NARROWEST, SHORTEST, TALLEST = 1.2, 0.8, 9.0  # inches of a panel's place
APART, MOST = 0.4, 4  # inches between numbers along an axis, and how many of them there are at most


def table_of_panels(
    rows: int, columns: int, ratio: float, width: float = WIDTH, *, named: bool = False
) -> tuple[Figure, NDArray, Axes]:
    """A figure, its panels and the axes of its scale.

    Args:
        rows, columns: how many panels there are below and beside each other.
        ratio: height of a panel by its width; bounded for very long domains.
        width: of the figure, inches.
        named: whether the scale has a name beside its numbers.

    Returns:
        the figure, an array `(rows, columns)` of axes that share both axes, and the axes for the colour bar.
    """
    right = RIGHT + (LABEL if named else 0.0)
    beside = LEFT + right + (columns - 1) * BESIDE
    across = min((width - beside) / columns, max(NARROWEST, TALLEST / ratio))
    width = beside + columns * across
    down = float(np.clip(across * ratio, SHORTEST, TALLEST))
    height = BOTTOM + rows * down + (rows - 1) * BELOW + TOP
    figure = Figure(figsize=(width, height), facecolor="white")
    edges = {
        "left": LEFT / width,
        "right": 1 - right / width,
        "bottom": BOTTOM / height,
        "top": 1 - TOP / height,
    }
    between = {"wspace": BESIDE / across, "hspace": BELOW / down}
    panels = figure.subplots(
        rows, columns, sharex=True, sharey=True, squeeze=False, gridspec_kw={**edges, **between}
    )
    bottom, top = edges["bottom"], edges["top"]
    scale = figure.add_axes(((width - right + GAP) / width, bottom, BAR / width, top - bottom))
    return figure, panels, scale


def number_sparsely(panel: Axes) -> None:
    """Round numbers along the axes of a panel of equal aspect, so few that they do not touch."""
    figure = root_figure(panel)
    place = panel.get_position()
    (left, right), (bottom, top) = panel.get_xlim(), panel.get_ylim()
    width, height = (1.0, 1.0) if figure is None else figure.get_size_inches()
    unit = min(place.width * width / abs(right - left), place.height * height / abs(top - bottom))
    for axis, span in ((panel.xaxis, right - left), (panel.yaxis, top - bottom)):
        count = int(np.clip(unit * abs(span) / APART, 1, MOST))
        axis.set_major_locator(MaxNLocator(count, steps=[1, 2, 5, 10]))


def draw_scale(
    figure: Figure, image: AxesImage, axes: Axes, label: str = "", extend: str = "neither"
) -> None:
    """The scale of an image on axes of its own."""
    figure.colorbar(image, cax=axes, extend=extend, label=label)
    axes.tick_params(labelsize=LETTERING - 2)
