"""A domain as a picture: its inside tinted, its faces in colours, alone or with what holds on them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError
from neurapde.core.pictures import panels, places
from neurapde.core.pictures.style import LETTERING

NODES = 201
"""On each axis of the grid that the inside is read from."""
DOTS, SEED = 2500, 40961
"""Points of a group of faces, and the seed of the low-discrepancy sequence that they are taken from."""
MOST_GROUPS = 12
"""Faces up to which each has its own colour."""


class Placed(Protocol):
    """What is asked of a domain."""

    @property
    def dimension(self) -> int: ...
    @property
    def axes(self) -> tuple[str, ...]: ...
    @property
    def spatial(self) -> Any: ...
    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]: ...
    @property
    def faces(self) -> tuple[str, ...]: ...
    def signed_distance(self, points: NDArray) -> NDArray: ...
    def sample_boundary(self, count: int, *, on: Any, how: Any, generator: Any) -> Any: ...


def draw(domain: Placed, ax: Any = None, groups: Mapping[str, Sequence[str]] | None = None) -> Axes:
    """The domain on given or new axes, with a legend.

    groups: faces by what is said of them; None for each face by its name. Faces that none names are not drawn.
    A domain in space and time is drawn as a plane where its space is a line, and else as its space.
    """
    points = drawn(domain, ax, groups)
    places.legend(points)
    return points


def drawn(domain: Placed, ax: Any, groups: Mapping[str, Sequence[str]] | None) -> Axes:
    """The domain without a legend, so that more can be drawn into it."""
    shown = shown_of(domain)
    if shown.dimension > 3:
        raise DeclarationError(
            f"{domain} has {shown.dimension} axes; a picture shows one, two or three; draw a field on a slice with "
            "solution.plot(at={…}) instead."
        )
    if groups is None:
        many = len(shown.faces) > MOST_GROUPS
        groups = {"boundary": shown.faces} if many else {face: [face] for face in shown.faces}
    wanted = {text: [face for face in faces if face in shown.faces] for text, faces in groups.items()}
    wanted = {text: faces for text, faces in wanted.items() if faces}
    points = {text: _points(shown, faces) for text, faces in wanted.items()}
    size = panels.LINE if shown.dimension == 1 else panels.PLANE
    panel = panels.axes_of(ax, size=size, projection="3d" if shown.dimension == 3 else None)
    if shown.dimension == 1:
        lower, upper = (float(corner[0]) for corner in shown.bounds)
        ends = {text: np.unique(points[:, 0]) for text, points in points.items()}
        places.line(panel, (lower, upper), ends, shown.axes)
    elif shown.dimension == 2:
        axes, distance = plane_of(shown)
        places.plane(panel, axes, distance, points, shown.axes)
        if shown.spatial is not shown:
            panel.set_aspect("auto")
    else:
        places.space(panel, points, shown.axes)
    if shown is not domain:
        panel.set_title(f"over t in {getattr(domain, 'time', '')}", fontsize=LETTERING)
    return panel


def shown_of(domain: Placed) -> Placed:
    """What is drawn of a domain: itself, or its space where time would be a third axis or more."""
    in_time = domain.spatial is not domain
    return domain.spatial if in_time and domain.dimension > 2 else domain


def plane_of(domain: Placed) -> tuple[tuple[NDArray, NDArray], NDArray]:
    """A grid over a plane domain, and the signed distance on it."""
    (x, y) = (np.linspace(a, b, NODES) for a, b in zip(*domain.bounds, strict=True))
    return (x, y), on_grid(domain, (x, y))


def on_grid(domain: Any, axes: Sequence[NDArray]) -> NDArray:
    """The signed distance of a plane domain on the nodes of a grid."""
    nodes = np.stack([coordinates.ravel() for coordinates in np.meshgrid(*axes, indexing="ij")], axis=1)
    return np.asarray(domain.signed_distance(nodes)).reshape(len(axes[0]), len(axes[1]))


def _points(domain: Placed, faces: Sequence[str]) -> NDArray:
    sample = domain.sample_boundary(
        DOTS, on=tuple(faces), how="sobol", generator=torch.Generator().manual_seed(SEED)
    ).points
    return np.asarray(sample)
