"""Where errors are counted: the whole domain, its physical part, and every named region of the medium."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neurapde.domains.spacetime import SpaceTime
from neurapde.fields.sources import FunctionSource, GaussianSource, Source
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grid import Grid
from neurapde.validation.oracles import support

SNAPSHOTS = 5
"""Times after the start at which errors are counted apart."""
CELLS = 2.0
"""Grid cells around a source that the grid does not resolve, which no comparison counts."""


def regions_of(problem: Problem, grid: Grid, inside: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """The regions of a problem as masks `(n, columns)` of the grid's nodes, by name.

    whole: the domain, but for sources that the grid does not resolve. physical: outside absorbing layers and
    the supports of all sources. Then each named region of the medium, and of space–time the physical part at some
    times. Each shot leaves out its own sources.
    inside: which nodes lie in the domain, `(n,)`.
    """
    points = grid.points
    cell = max(grid.spacing[: problem.domain.spatial.dimension])
    shots = problem.right_hand_sides
    singular = np.stack([_near(shot, points, cell, resolved=True) for shot in shots], axis=1)
    supported = np.stack([_near(shot, points, cell, resolved=False) for shot in shots], axis=1)
    wide = (len(points), problem.outputs)
    singular, supported = np.broadcast_to(singular, wide), np.broadcast_to(supported, wide)
    regions = {
        "whole": inside[:, None] & ~singular,
        "physical": np.asarray(problem.physical(points))[:, None] & inside[:, None] & ~supported,
    }
    for name, region in problem.regions.items():
        title = f"region {name}" if name in regions else name
        regions[title] = np.asarray(region.contains(points))[:, None] & inside[:, None] & ~singular
    if isinstance(problem.domain, SpaceTime):
        time = grid.axes[-1]
        for moment in time[np.unique(np.linspace(0, len(time) - 1, SNAPSHOTS + 1).round().astype(int))[1:]]:
            regions[f"at t = {moment:.3g}"] = regions["physical"] & (points[:, -1] == moment)[:, None]
    return regions


def _near(shot: Sequence[Source], points: NDArray, cell: float, *, resolved: bool) -> NDArray[np.bool_]:
    """The supports of a shot's sources; with `resolved`, only of those that the grid does not resolve."""
    near = np.zeros(len(points), dtype=bool)
    for source in shot:
        if not (resolved and is_resolved(source, cell)):
            near |= support(source, points, least=CELLS * cell)
    return near


def is_resolved(source: Source, cell: float) -> bool:
    """Whether a grid of this spacing shows the source's shape; never that of a point."""
    return isinstance(source, FunctionSource) or (
        isinstance(source, GaussianSource) and math.sqrt(source.variance) >= CELLS * cell
    )
