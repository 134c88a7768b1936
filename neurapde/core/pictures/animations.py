"""A field over time as a film with axes: one scale for all pictures, and the time above them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.core.pictures import fields
from neurapde.core.pictures.style import lettered, root_figure

STILL = 60
"""Milliseconds for which a picture stands."""
ROOM = 0.05
"""Of the values' range, left free above and below lines."""


def animated(
    panel: Axes,
    axes: Mapping[str, NDArray],
    values: NDArray,
    moments: Sequence[float] | NDArray,
    *,
    label: str,
    part: str | None,
    title: str,
) -> FuncAnimation:
    """A film of values `(moments, *shape)` over one or two axes of space."""
    if part is None and np.iscomplexobj(values):
        part = "real"
    take, _ = fields.PARTS[part] if part is not None else (np.real, "")
    shown = take(values)
    fields.draw(panel, axes, values[0], label=label, part=part)
    shape = shown.shape[1:]
    if len(shape) == 1:
        low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
        room = ROOM * (high - low) or 1.0
        panel.set_ylim(low - room, high + room)
    else:
        norm, colors, _ = fields.scale(shown, signed=False if part == "abs" else None, phase=part == "phase")
        panel.images[0].set_norm(norm)
        panel.images[0].set_cmap(colors)

    def show(index: int) -> list[Any]:
        if len(shape) == 1:
            panel.lines[0].set_ydata(shown[index])
        else:
            panel.images[0].set_data(np.ma.masked_invalid(shown[index]).T)
        time = f"t = {number(float(f'{moments[index]:.3g}'))}"
        lettered(panel, title=f"{title}, {time}" if title else time)
        return [*panel.lines, *panel.images, panel.title]

    figure = root_figure(panel)
    if figure is None:
        raise DeclarationError("ax=…: the figure of these axes was closed; give axes from plt.subplots().")
    return FuncAnimation(figure, show, frames=len(values), interval=STILL, blit=False)
