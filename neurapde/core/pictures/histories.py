"""The course of a solve: losses against steps or features."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from neurapde.core.pictures.style import COLORS, LETTERING, lettered, plain

_MARKED = 40  # rows up to which each is marked


def draw(panel: Axes, history: Any) -> Axes:
    """The loss of each constraint, and their weighted sum where it is another, against what the steps count."""
    marker = "o" if len(history) <= _MARKED else ""
    alone = len(history.names) == 1 and np.array_equal(history[history.names[0]], history.loss)
    if not alone:
        panel.plot(history.step, history.loss, marker=marker, color="0.75", linewidth=3, label="weighted sum")
    for i, name in enumerate(history.names):
        color = COLORS[i % len(COLORS)]
        panel.plot(history.step, history[name], marker=marker, color=color, linewidth=1.2, label=name)
    if np.nanmin(history.loss, initial=np.inf) > 0:
        panel.set_yscale("log")
    lettered(panel, history.unit, history.names[0] if alone else "loss")
    panel.grid(True, color="0.9")
    if not alone:
        panel.legend(frameon=False, fontsize=LETTERING - 1)
    plain(panel)
    return panel
