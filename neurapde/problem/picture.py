"""A problem as a picture: its domain, what holds on which face, layers, regions of the medium and sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurapde.conditions.stretch import Stretch
from neurapde.core import pictures
from neurapde.domains.base import Domain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neurapde.problem.problem import Problem

LONGEST = 60
"""Letters of a text up to which it stands in a legend or a title as it is."""


def picture(problem: Problem, ax: Any) -> Axes:
    """Draw a problem on given or new axes."""
    domain, layer = problem.domain, problem.pml
    panel = pictures.domains.drawn(domain, ax, _faces(problem))
    extra = []
    if pictures.domains.shown_of(domain).dimension == 2:
        if layer is not None and problem.domain.spatial.dimension == 2:
            space = domain.spatial
            axes = Stretch(space, layer, 1.0).axes
            inner = (
                [axis.lower + axis.widths[0] for axis in axes],
                [axis.upper - axis.widths[1] for axis in axes],
            )
            lower, upper = (corner.tolist() for corner in space.bounds)
            extra.append(pictures.places.layer(panel, lower, upper, inner, "absorbing layer (PML)"))
        if domain.spatial.dimension == 2:
            _regions(panel, problem, domain.spatial)
    _sources(panel, problem)
    formula = problem.equation.describe(problem)[0]
    above = panel.get_title()
    title = f"{problem.name} {above}".rstrip()
    if len(formula) <= LONGEST:
        title += f"\n{formula}"
    panel.set_title(title, fontsize=pictures.style.LETTERING)
    pictures.places.legend(panel, extra)
    return panel


def _faces(problem: Problem) -> dict[str, list[str]]:
    """Faces by what is said of them: the conditions as they print, the layer by its outer edge."""
    groups: dict[str, list[str]] = {}
    for condition in problem.boundary:
        text = "edge of the layer" if condition is problem.pml else condition.describe(problem.domain)
        text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        groups.setdefault(text, []).extend(condition.faces(problem.domain))
    if silent := problem.sides.silent:
        groups.setdefault("no condition", []).extend(silent)
    return groups


def _regions(panel: Axes, problem: Problem, space: Domain) -> None:
    axes, _ = pictures.domains.plane_of(space)
    for name, region in problem.equation.regions.items():
        pictures.places.region(panel, axes, pictures.domains.on_grid(region, axes), name)


def _sources(panel: Axes, problem: Problem) -> None:
    """Crosses where sources have a centre; in a plane of space and time at the first instant."""
    space = problem.domain.spatial
    shots = problem.right_hand_sides
    places = [source.center for shot in shots for source in shot if source.center is not None]
    if not places or space.dimension > 2:
        return
    at = np.array(places, dtype=float)
    if pictures.domains.shown_of(problem.domain) is not space:
        at = np.column_stack([at, np.full(len(at), float(problem.domain.bounds[0][-1]))])
    text = f"{len(shots)} shots" if len(shots) > 1 else "source" if len(at) == 1 else f"{len(at)} sources"
    pictures.places.sources(panel, at, text)
