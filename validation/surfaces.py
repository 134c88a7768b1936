"""The surface of a signed distance: its zero level set as a mesh, and its distance from the given surface."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates as zoomed

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.closest import Closest, point_tree
from neurapde.domains.cloud import PointCloud
from neurapde.equations.eikonal import Eikonal
from neurapde.late import Late
from neurapde.problem.problem import Problem
from neurapde.validation.comparison import Solved, check_solution

meshio = Late("meshio")
find_contours = Late("skimage.measure", "find_contours")
marching_cubes = Late("skimage.measure", "marching_cubes")
Array = NDArray[np.float64]

_NODES = {2: 257, 3: 97}  # on the longest axis
_BAND = 3.0  # steps of a coarse grid from the zero set within which a fine one asks the field itself
_SAMPLES = 20_000
_SEED = 27449


@dataclass(frozen=True, eq=False)
class ZeroSet:
    """The zero set of a field: vertices `(v, d)` and segments (d = 2) or triangles (d = 3) `(m, d)`."""

    points: Array
    cells: NDArray[np.int64]

    def save(self, path: str | Path) -> Path:
        """Write it to `path`, .ply, .stl, .obj or .vtk of triangles, .vtk of segments; completely or not at all."""
        path = Path(path)
        d = self.points.shape[1]
        padded = np.zeros((len(self.points), 3))
        padded[:, :d] = self.points
        mesh = meshio.Mesh(
            padded.astype(np.float32), [("triangle" if d == 3 else "line", self.cells.astype(np.int32))]
        )
        with atomic.replacing(path) as (temporary,):
            meshio.write(temporary, mesh)
        return path

    @property
    def kilobytes(self) -> float:
        """Size as a binary ply: single-precision vertices, integers for cells."""
        return (12 * len(self.points) + (1 + 4 * self.cells.shape[1]) * len(self.cells)) / 1000


@dataclass(frozen=True)
class SurfaceErrors:
    """The errors of a signed distance, in units of length unless stated.

    chamfer: mean distance from the found surface to the given one and back, averaged. hausdorff: the largest.
    normal_consistency: mean |n · n'| of normals on one surface and at the nearest point of the other, averaged over
    both directions. wrong_sign: fraction of the domain where the signs of Φ and d differ.
    distance_mean, distance_max: of |Φ − d| in the domain. slope_mean: of |∇Φ| there; slope_deviation: of ||∇Φ| − 1|.
    network_kilobytes: of the parameters. mesh_kilobytes: of the zero set as a binary ply.
    """

    chamfer: float
    hausdorff: float
    normal_consistency: float
    wrong_sign: float
    distance_mean: float
    distance_max: float
    slope_mean: float
    slope_deviation: float
    network_kilobytes: float
    mesh_kilobytes: float

    def __str__(self) -> str:
        return (
            f"zero set: Chamfer {self.chamfer:.2g}, Hausdorff {self.hausdorff:.2g}, normal consistency "
            f"{self.normal_consistency:.3g}; distance error: mean {self.distance_mean:.2g}, largest "
            f"{self.distance_max:.2g}, wrong sign in {self.wrong_sign:.2%} of the domain; |∇Φ|: mean "
            f"{self.slope_mean:.4g}, mean deviation from 1 {self.slope_deviation:.2g}; network "
            f"{self.network_kilobytes:.3g} kB, zero set as a mesh {self.mesh_kilobytes:.3g} kB"
        )


def zero_set(solution: Solved, nodes: int | None = None) -> ZeroSet:
    """The zero level set of a solution on its domain's box, by marching cubes (in the plane, squares).

    nodes: on the longest axis of the grid; by default 97 in space, 257 in the plane.
    Raises: DeclarationError if the field has one sign, or the domain has neither two nor three axes.
    """
    lower, upper = check_solution(solution).required_problem.domain.bounds
    if nodes is not None:
        checks.whole(nodes, "nodes", 3)
    d = len(lower)
    if d not in _NODES:
        raise DeclarationError(f"a zero set is drawn in 2 or 3 dimensions, but the domain has {d}")
    step = float(np.max(upper - lower)) / ((nodes or _NODES[d]) - 1)
    counts = np.maximum(np.ceil((upper - lower) / step).astype(int), 2) + 1
    axes = [np.linspace(a, b, n) for a, b, n in zip(lower, upper, counts, strict=True)]
    values = _on_grid(solution, axes)
    if not values.min() < 0 < values.max():
        raise DeclarationError(
            f"the field lies between {values.min():.3g} and {values.max():.3g}, so there is no zero set; train longer, "
            "or give more nodes"
        )
    spacing = (upper - lower) / (counts - 1)
    if d == 3:
        vertices, cells, _, _ = marching_cubes(values, 0.0)
        return ZeroSet(lower + vertices * spacing, np.asarray(cells, dtype=np.int64))
    lines = find_contours(values, 0.0)
    starts = np.cumsum([0, *(len(line) for line in lines[:-1])])
    pairs = [
        start + np.stack([np.arange(len(line) - 1), np.arange(1, len(line))], axis=1)
        for start, line in zip(starts, lines, strict=True)
    ]
    return ZeroSet(lower + np.concatenate(lines) * spacing, np.concatenate(pairs))


def _on_grid(solution: Solved, axes: list[Array]) -> Array:
    """The field at the nodes of a grid; for a fine one in space only near the zero set, elsewhere from every third
    node.

    A distance changes by at most a step from node to node, so beyond some steps of the coarse grid its sign is known.
    """
    if len(axes) < 3 or max(map(len, axes)) <= 2 * _NODES[3] - 2:
        return _everywhere(solution, axes)
    few = [np.linspace(x[0], x[-1], max(len(x) // 3, 2)) for x in axes]
    coarse = _everywhere(solution, few)
    place = [(len(some) - 1) * (x - x[0]) / (x[-1] - x[0]) for some, x in zip(few, axes, strict=True)]
    values = zoomed(coarse, np.meshgrid(*place, indexing="ij"), order=1)
    near = np.flatnonzero(np.abs(values) < _BAND * (few[0][1] - few[0][0]))
    index = np.unravel_index(near, values.shape)
    values.ravel()[near] = solution(np.stack([x[i] for x, i in zip(axes, index, strict=True)], axis=1))
    return values


def _everywhere(solution: Solved, axes: list[Array]) -> Array:
    points = np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=1)
    return np.asarray(solution(points), dtype=float).reshape([len(x) for x in axes])


def surface_errors(
    solution: Solved, surface: Domain | None = None, *, nodes: int | None = None
) -> SurfaceErrors:
    """Measure a signed distance against a surface: by default the one of the solution's problem.

    surface: another one, say the `Mesh` that a cloud was drawn from. nodes: as for `zero_set`.
    Raises: DeclarationError if there is no surface, or no zero set.
    """
    problem = check_solution(solution).required_problem
    checks.kind(surface, "surface", Domain | None, "give a domain such as Mesh or Ball, or None")
    asked = surface if surface is not None else asked_surface(problem)
    if asked is None:
        raise DeclarationError(
            f"{problem.name} has no surface; give surface_errors(solution, surface), or declare Eikonal(surface=…)"
        )
    zeros = zero_set(solution, nodes)
    mesh = Closest(zeros.points, zeros.cells)
    spread, cells = _spread(mesh)
    on, normals = _on(asked)
    there = np.abs(asked.signed_distance(spread))
    some = slice(None, None, max(len(on) // _SAMPLES, 1))
    signed, facing = mesh.nearest(on[some])
    back = np.abs(signed)
    _, beside = point_tree(on).query(spread)
    consistency = [
        np.abs(np.sum(mesh.normals[cells] * normals[beside], axis=1)),
        np.abs(np.sum(mesh.normals[facing] * normals[some], axis=1)),
    ]
    inside = problem.domain.sample(_SAMPLES, how="grid").numpy()
    value, distance = np.asarray(solution(inside)), asked.signed_distance(inside)
    error = np.abs(value - distance)
    slope = np.linalg.norm(solution.gradient(inside), axis=1)
    stored = sum(p.numel() * p.element_size() for p in solution.trial.parameters())
    return SurfaceErrors(
        chamfer=float(there.mean() + back.mean()) / 2,
        hausdorff=float(max(there.max(), back.max())),
        normal_consistency=float(sum(cosines.mean() for cosines in consistency)) / 2,
        wrong_sign=float(np.mean((value < 0) != (distance < 0))),
        distance_mean=float(error.mean()),
        distance_max=float(error.max()),
        slope_mean=float(slope.mean()),
        slope_deviation=float(np.abs(slope - 1).mean()),
        network_kilobytes=stored / 1000,
        mesh_kilobytes=zeros.kilobytes,
    )


def surface_notes(solution: Solved) -> tuple[str, ...]:
    """The notes of a report on the surface; nothing without one."""
    if (
        asked_surface(solution.required_problem) is None
        or solution.required_problem.domain.dimension not in _NODES
    ):
        return ()
    try:
        return (f"The {surface_errors(solution)}.",)
    except DeclarationError as error:
        return (f"The zero set is not measured: {error}.",)


def asked_surface(problem: Problem) -> Domain | None:
    """The surface of a signed-distance problem."""
    return problem.equation.surface if isinstance(problem.equation, Eikonal) else None


def _on(surface: Domain) -> tuple[Array, Array]:
    """Points on the given surface, and normals: its own if it is a cloud."""
    if isinstance(surface, PointCloud):
        return surface.points, surface.normals
    sample = surface.sample_boundary(10 * _SAMPLES, how="grid")
    return sample.points.numpy(), sample.normals.numpy()


def _spread(mesh: Closest) -> tuple[Array, NDArray[np.int64]]:
    """Points on a mesh by area, from a fixed seed, and the cell of each."""
    return mesh.places(np.random.default_rng(_SEED).random((_SAMPLES, mesh.vertices.shape[1] - 1)))
