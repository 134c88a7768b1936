"""Panels at places known before they are drawn: nothing is cut off, and nothing lies on anything else."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize

from neurapde.core.pictures.style import image_of, label_outer, lettered
from neurapde.core.pictures.tables import draw_scale, number_sparsely, table_of_panels


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 3), (2, 2), (2, 3)])
@pytest.mark.parametrize("sides", [(1.0, 1.0), (9500.0, 1500.0), (1500.0, 9500.0), (2e-3, 1e-3)])
def test_letters_lie_inside_the_figure_and_beside_each_other(
    rows: int, columns: int, sides: tuple[float, float]
) -> None:
    axes = tuple(np.linspace(-side, side, 9) for side in sides)
    plane = np.cos(axes[0])[:, None] * axes[1] * 1e3
    figure, panels, scale = table_of_panels(rows, columns, sides[1] / sides[0], named=True)
    for panel in panels.ravel():
        image = image_of(panel, axes, plane, Normalize(-1500.0, 1500.0), "RdBu_r")
        panel.set_xlim(axes[0][0], axes[0][-1])
        panel.set_ylim(axes[1][0], axes[1][-1])
        number_sparsely(panel)
        lettered(panel, title="reference")
    label_outer(panels, "x", "depth")
    draw_scale(figure, image, scale, "speed")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    whole, renderer = figure.bbox, canvas.get_renderer()
    for drawn in (*panels.ravel(), scale):
        box = drawn.get_tightbbox(renderer)
        assert whole.x0 <= box.x0
        assert box.x1 <= whole.x1
        assert whole.y0 <= box.y0
        assert box.y1 <= whole.y1
    for left, right in zip(panels[-1, :-1], panels[-1, 1:], strict=True):
        assert left.get_tightbbox(renderer).x1 <= right.get_tightbbox(renderer).x0
