"""Annotations for pictures of a problem, as plain numbers: outlines, edges and marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurapde.conditions.stretch import Stretch
from neurapde.core.formatting import listing
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.eikonal import Eikonal
from neurapde.late import Late
from neurapde.problem.problem import Problem

find_contours = Late("skimage.measure", "find_contours")
Polyline = tuple[tuple[float, float], ...]
NODES = 161
"""On each axis of the grid that outlines are read from."""


@dataclass(frozen=True)
class Annotations:
    """The annotations of a picture; every field is numbers and text, so that it can be written as JSON.

    axis_names: of the domain. columns: labels of the fields' last axis ("shot 1", …); empty for one field.
    outlines: closed or open lines in the plane by the name of the region they bound.
    physical: lower and upper corner of the part outside the absorbing layers, or None without layers.
    sources: for each column (or the one field) the positions of its point and Gaussian sources.
    contours: level lines to draw in every field, as fractions of the end of the colour scale.
    """

    axis_names: tuple[str, ...]
    columns: tuple[str, ...] = ()
    outlines: Mapping[str, tuple[Polyline, ...]] = field(default_factory=dict)
    physical: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    sources: tuple[tuple[tuple[float, ...], ...], ...] = ()
    contours: tuple[float, ...] = ()

    def of_column(self, column: int) -> Annotations:
        """The annotations of one column: its own sources only, and no columns left."""
        return replace(self, columns=(), sources=self.sources[column : column + 1])

    @property
    def legend(self) -> str:
        """The meaning of the lines and marks, for a caption."""
        parts = [f"Outlined: {listing(self.outlines)}."] if self.outlines else []
        parts += ["Dashed: the edge of the absorbing layers."] if self.physical is not None else []
        mark = "Dotted" if len(self.axis_names) == 1 else "Crosses"
        parts += [f"{mark}: sources."] if any(self.sources) else []
        if self.contours:
            parts += ["Dotted: the zero set." if self.contours == (0.0,) else "Dotted: level lines."]
        return " ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """The annotations as a tree that `json` takes; `of_json` reads it."""
        return dict(vars(self))

    @classmethod
    def of_json(cls, tree: Mapping[str, Any]) -> Annotations:
        """The annotations that `as_json` wrote."""
        physical = tree["physical"]
        return cls(
            axis_names=tuple(tree["axis_names"]),
            columns=tuple(tree["columns"]),
            outlines={
                name: tuple(tuple((x, y) for x, y in line) for line in lines)
                for name, lines in tree["outlines"].items()
            },
            physical=None if physical is None else (tuple(physical[0]), tuple(physical[1])),
            sources=tuple(tuple(tuple(at) for at in shot) for shot in tree["sources"]),
            contours=tuple(tree.get("contours", ())),
        )


def outline(region: Domain, window: Domain) -> tuple[Polyline, ...]:
    """The boundary of a plane region inside a window, as lines: the zero level of its signed distance.

    Corners are rounded by less than a cell of the grid of this zero level.
    """
    lower, upper = (np.asarray(b, dtype=float) for b in window.bounds)
    lower, upper = _common(lower, upper, *region.bounds)
    axes = [np.linspace(a, b, NODES) for a, b in zip(lower, upper, strict=True)]
    points = np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=1)
    distance = np.asarray(region.signed_distance(points)).reshape(NODES, NODES)
    step = (upper - lower) / (NODES - 1)
    lines = [lower + line * step for line in find_contours(distance, 0.0)]
    return tuple(tuple((float(x), float(y)) for x, y in np.round(line, 6)) for line in lines)


def _common(
    lower: np.ndarray, upper: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The part of the window around the region, with a margin so that its outline can close."""
    margin = 0.02 * (np.asarray(high) - np.asarray(low))
    return np.maximum(lower, low - margin), np.minimum(upper, high + margin)


def annotations_of(problem: Problem) -> Annotations:
    """The annotations of a problem: its axes and columns, its regions' outlines, its layers and sources."""
    domain, shots = problem.domain.spatial, problem.right_hand_sides
    plane = domain.dimension == 2
    shapes = dict(problem.equation.regions) if plane else {}
    if plane and not isinstance(domain, Box):
        shapes = {"domain": domain, **shapes}
    columns: tuple[str, ...] = ()
    if problem.outputs > 1:
        kind = "shot" if len(shots) > 1 else "component"
        columns = tuple(f"{kind} {i + 1}" for i in range(problem.outputs))
    start = _start(problem)
    places = tuple(tuple((*s.center, *start) for s in shot if s.center is not None) for shot in shots)
    return Annotations(
        axis_names=problem.domain.axes,
        columns=columns,
        outlines={name: outline(shape, domain) for name, shape in shapes.items()},
        physical=_physical(problem),
        sources=places if len(shots) > 1 else places * max(problem.outputs, 1),
        contours=_contours(problem),
    )


def _contours(problem: Problem) -> tuple[float, ...]:
    """The zero set of a signed distance, nine isochrones of travel times."""
    if not isinstance(problem.equation, Eikonal):
        return ()
    return (0.0,) if problem.equation.surface is not None else tuple(i / 10 for i in range(1, 10))


def _physical(problem: Problem) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The corners of the part outside the layers."""
    if problem.pml is None:
        return None
    axes = Stretch(problem.domain.spatial, problem.pml, 1.0).axes
    lower = tuple(axis.lower + axis.widths[0] for axis in axes)
    upper = tuple(axis.upper - axis.widths[1] for axis in axes)
    if start := _start(problem):
        return (*lower, *start), (*upper, float(problem.domain.bounds[1][-1]))
    return lower, upper


def _start(problem: Problem) -> tuple[float, ...]:
    """The first instant, if a line over its time is drawn as a plane; else nothing."""
    domain = problem.domain
    line = isinstance(domain, SpaceTime) and domain.space.dimension == 1
    return (float(domain.bounds[0][-1]),) if line else ()
