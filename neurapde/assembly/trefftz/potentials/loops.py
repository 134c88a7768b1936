"""The rim of a region as closed paths: its outer ones, and those of its holes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from neurapde.assembly.trefftz.features.harmonic import as_complex
from neurapde.assembly.trefftz.features.krylov import Complex
from neurapde.assembly.trefftz.regions import Panel, Partition, Region
from neurapde.domains.edges import Arc

FINE, SEEN = 65, 41
"""Points along a panel, and along each axis of the box of a hole, to find its middle."""


@dataclass(frozen=True, eq=False)
class Loop:
    """A closed path (n,) along panels in turn, with the region on its left."""

    panels: tuple[Panel, ...]
    path: Complex

    @property
    def area(self) -> float:
        """Enclosed area; negative around a hole."""
        return (
            float(
                np.sum(
                    self.path.real * np.roll(self.path.imag, -1)
                    - np.roll(self.path.real, -1) * self.path.imag
                )
            )
            / 2
        )

    @property
    def hole(self) -> bool:
        """Whether it goes around a hole."""
        return self.area < 0

    @property
    def middle(self) -> complex:
        """A place inside, far from the path: the centre of a circle."""
        edge = self.panels[0].curve.edge
        if isinstance(edge, Arc) and self.panels[0].curve.closed:
            return complex(*edge.center)
        x = np.linspace(self.path.real.min(), self.path.real.max(), SEEN)[1:-1]
        y = np.linspace(self.path.imag.min(), self.path.imag.max(), SEEN)[1:-1]
        places = (x[:, None] + 1j * y).ravel()
        places = places[_winds(self.path, places)]
        tree = cKDTree(np.stack([self.path.real, self.path.imag], axis=1))
        away, _ = tree.query(np.stack([places.real, places.imag], axis=1))
        return complex(places[int(np.argmax(away))]) if len(places) else complex(self.path.mean())


def loops_of(partition: Partition, region: Region) -> list[Loop]:
    """All closed paths of a region's rim."""
    t = np.linspace(0, 1, FINE)
    open_ends: list[tuple[Panel, Complex]] = []
    loops = []
    for panel, sign in partition.border(region):
        path = as_complex(panel.curve.points(t))
        path = path if sign * panel.sign > 0 else path[::-1]
        if panel.curve.closed:
            loops.append(Loop((panel,), path[:-1]))
        else:
            open_ends.append((panel, path))
    while open_ends:
        panels, path = [open_ends[0][0]], open_ends.pop(0)[1]
        while open_ends:
            gaps = [abs(other[0] - path[-1]) for _, other in open_ends]
            if abs(path[0] - path[-1]) < min(gaps):
                break
            panel, next_path = open_ends.pop(int(np.argmin(gaps)))
            panels.append(panel)
            path = np.concatenate([path, next_path[1:]])
        loops.append(Loop(tuple(panels), path[:-1]))
    return loops


def _winds(path: Complex, places: Complex) -> NDArray[np.bool_]:
    """Whether a closed path goes around places (m,)."""
    away = path[None, :] - places[:, None]
    away = np.where(away == 0, 1.0, away)
    turns = np.angle(np.roll(away, -1, axis=1) / away).sum(axis=1)
    return np.asarray(np.abs(turns) > np.pi)
