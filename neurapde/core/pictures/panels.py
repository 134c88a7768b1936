"""The axes that a picture is drawn into: those of the user, or those of a new figure of pyplot, which a notebook shows."""

from typing import Any

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.pictures.style import NARROW

PLANE, LINE = (NARROW, 3.9), (NARROW, 1.8)
"""Width and height in inches of a new figure, and of a low one."""


def axes_of(ax: Any, *, size: tuple[float, float] = PLANE, projection: str | None = None) -> Axes:
    """The axes to draw into: those given, or the only ones of a new figure of pyplot, which a notebook shows by itself.

    Raises: DeclarationError for what are no axes of matplotlib.
    """
    if ax is None:
        figure = pyplot.figure(figsize=size, layout="constrained")
        return figure.add_subplot(projection=projection)
    if not isinstance(ax, Axes):
        raise DeclarationError(
            f"ax={checks.shown(ax)}: give axes of matplotlib, as plt.subplots() returns them, or None for new ones."
        )
    if (projection == "3d") != hasattr(ax, "get_zlim"):
        way = 'plt.figure().add_subplot(projection="3d")' if projection == "3d" else "plt.subplots()"
        raise DeclarationError(
            f"ax={checks.shown(ax)}: a picture of {'three' if projection == '3d' else 'two'} dimensions needs other "
            f"axes; give those of {way}, or None for new ones."
        )
    return ax


def panels_of(ax: Any, count: int, *, height: float = 3.4) -> list[Axes]:
    """`count` axes side by side: those given, or those of a new figure of pyplot. Raises: DeclarationError."""
    if ax is None:
        figure = pyplot.figure(figsize=(0.4 + 3.9 * count, height), layout="constrained")
        return list(figure.subplots(1, count, squeeze=False)[0])
    given = list(np.asarray(ax, dtype=object).ravel())
    if len(given) != count or not all(isinstance(panel, Axes) for panel in given):
        raise DeclarationError(
            f"ax={checks.shown(ax)}: this picture has {count} panels; give as many axes, as "
            f"plt.subplots(1, {count})[1] has them, or None for new ones."
        )
    return given
