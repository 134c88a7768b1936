"""A comparison drawn into axes: the solution, the truth and the size of their difference."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks, pictures
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, percent
from neurapde.validation.comparison import Comparison
from neurapde.validation.figures import furnish

MOST_DRAWN = 2
"""Axes of a picture; those beyond are cut in their middle."""


def show(report: Comparison, ax: Any, component: int) -> NDArray:
    """Draw a comparison on three given or new axes, which it returns. Raises: DeclarationError."""
    names, count = report.annotations.axis_names, max(len(report.annotations.columns), 1)
    if checks.whole(component, "component", 0) >= count:
        raise DeclarationError(
            f"component={component}: the report has {count}; give one from 0 to {count - 1}."
        )
    values = {name: report.fields[name] for name in ("solution", report.judge)}
    if report.annotations.columns:
        values = {name: field[..., component] for name, field in values.items()}
    axes, where = dict(zip(names, report.axes, strict=True)), ""
    for name in names[MOST_DRAWN:]:
        middle = len(axes[name]) // 2
        where += f", {name} = {number(float(f'{axes.pop(name)[middle]:.4g}'))}"
        values = {key: field[:, :, middle] for key, field in values.items()}
    difference = np.abs(values["solution"] - values[report.judge])
    shown = pictures.panels.panels_of(ax, 3)
    in_time = names[-1] == "t" and not where
    for panel, (name, field) in zip(shown, values.items(), strict=False):
        pictures.fields.draw(panel, axes, field, title=f"{name}{where}", in_time=in_time)
    if len(axes) == MOST_DRAWN:  # the solution on the scale of the truth
        shown[0].images[0].set_norm(shown[1].images[0].norm)
    title = f"|difference|, {percent(report.relative_l2)} in L2"
    pictures.fields.draw(
        shown[2], axes, difference, label="|difference|", title=title, in_time=in_time, error=True
    )
    if len(axes) == MOST_DRAWN:
        annotations = report.annotations.of_column(component) if count > 1 else report.annotations
        for panel, color in zip(shown, ("black", "black", "white"), strict=True):
            furnish(panel, annotations, tuple(axes.values()), color)
    return np.array(shown, dtype=object)
