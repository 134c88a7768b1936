"""Truths from finite elements of other people's making: NGSolve on curved meshes, and scikit-fem."""

from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import torch  # noqa: F401  # isort: skip  (before NGSolve, or a product of torch's matrices ends the process)
import netgen.occ as occ
import ngsolve
import numpy as np
import skfem
from numpy.typing import NDArray
from skfem.helpers import dot, grad

Values = NDArray[Any]
Disks = list[tuple[Values, float, float]]
ORDER = 8
CLEAR = 0.09
"""Radius of the disk round a source that is fine, at most: no slivers between it and a disk of the medium, 0.1 away."""
FRAME = 0.75
"""Width of the layer round waves: one of 0.45 sends 5e-5 of the longest back."""


def _mesh(half: float, at: Values, fine: float, disks: Disks, maxh: float, physical: float | None) -> Any:
    """A square of half width `half` with disks in it, fine at the source, and a frame round `physical`."""
    square = occ.MoveTo(-half, -half).Rectangle(2 * half, 2 * half).Face()
    square.edges.name = "outer"
    for edge, name in (
        (square.edges.Min(occ.X), "left"),
        (square.edges.Max(occ.X), "right"),
        (square.edges.Min(occ.Y), "bottom"),
        (square.edges.Max(occ.Y), "top"),
    ):
        edge.name = name
    parts = []
    for number, (centre, radius, _) in enumerate(disks):
        disk = occ.Circle((float(centre[0]), float(centre[1])), radius).Face()
        disk.faces.name = f"disk{number}"
        disk.maxh = min(maxh, radius)
        parts.append(disk)
    near = occ.Circle((float(at[0]), float(at[1])), min(4 * fine, CLEAR)).Face()
    near.faces.name = "inside"
    near.maxh = 1.5 * fine
    parts.append(near)
    rest = square
    for part in parts:
        rest = rest - part
    if physical is not None:
        inner = occ.MoveTo(-physical, -physical).Rectangle(2 * physical, 2 * physical).Face()
        rest = rest * inner
        parts += _frame(half, physical)
    rest.faces.name = "inside"
    shape = occ.Glue([rest, *parts])
    mesh = ngsolve.Mesh(occ.OCCGeometry(shape, dim=2).GenerateMesh(maxh=maxh))
    return mesh.Curve(ORDER)


def _frame(half: float, physical: float) -> list[Any]:
    """The eight rectangles of a layer round a square: where its map bends, elements end."""
    cuts = (-half, -physical, physical, half)
    spans = list(pairwise(cuts))
    middle = (-physical, physical)
    faces = []
    for (a, b), (c, d) in product(spans, spans):
        if (a, b) != middle or (c, d) != middle:
            rectangle = occ.MoveTo(a, c).Rectangle(b - a, d - c).Face()
            rectangle.faces.name = "frame"
            faces.append(rectangle)
    return faces


def _gaussian(at: Values, variance: float) -> Any:
    square = (ngsolve.x - float(at[0])) ** 2 + (ngsolve.y - float(at[1])) ** 2
    return ngsolve.exp(-square / (2 * variance)) / (2 * np.pi * variance)


def _by_disk(mesh: Any, disks: Disks, value: Callable[[float], float]) -> Any:
    table = {f"disk{number}": value(disk) for number, (_, _, disk) in enumerate(disks)}
    return mesh.MaterialCF(table, default=value(1.0))


def _values(mesh: Any, field: Any, points: Values) -> Values:
    return np.array([field(mesh(float(x), float(y))) for x, y in points])


def poisson_disks(points: Values, at: Values, variance: float, disks: Disks) -> Values:
    """−∇·(a∇u) = a Gaussian on [−1/2, 1/2]², zero at the left and the top, slope zero at the others."""
    fine = variance**0.5
    maxh = min(0.06, 1.5 * fine) if 4 * fine > CLEAR else 0.06
    mesh = _mesh(0.5, at, fine, disks, maxh, None)
    space = ngsolve.H1(mesh, order=ORDER, dirichlet="left|top")
    u, v = space.TnT()
    stiffness = _by_disk(mesh, disks, lambda a: a) * ngsolve.grad(u) * ngsolve.grad(v)
    form = ngsolve.BilinearForm(stiffness * ngsolve.dx).Assemble()
    load = ngsolve.LinearForm(_gaussian(at, variance) * v * ngsolve.dx(bonus_intorder=10)).Assemble()
    field = ngsolve.GridFunction(space)
    field.vec.data = form.mat.Inverse(space.FreeDofs(), inverse="sparsecholesky") * load.vec
    return _values(mesh, field, points)


def helmholtz_disks(points: Values, at: Values, variance: float, k: float, disks: Disks) -> Values:
    """(Δ + k²/c²) u = a Gaussian in the open plane, waves leaving as e^{−ikr}."""
    mesh = _mesh(0.65 + FRAME, at, variance**0.5, disks, min(0.1, 2.0 / k), 0.65)
    mesh.SetPML(ngsolve.pml.Cartesian((-0.65, -0.65), (0.65, 0.65), alpha=2j), "frame")
    space = ngsolve.H1(mesh, order=ORDER, complex=True, dirichlet="left|right|top|bottom")
    u, v = space.TnT()
    slowness = _by_disk(mesh, disks, lambda c: 1 / c**2)
    strong = -ngsolve.grad(u) * ngsolve.grad(v) + k**2 * slowness * u * v
    form = ngsolve.BilinearForm(strong * ngsolve.dx).Assemble()
    load = ngsolve.LinearForm(_gaussian(at, variance) * v * ngsolve.dx(bonus_intorder=10)).Assemble()
    field = ngsolve.GridFunction(space)
    field.vec.data = form.mat.Inverse(space.FreeDofs(), inverse="umfpack") * load.vec
    return _values(mesh, field, points).conj()


def poisson_walls(points: Values, c: float, walls: dict[str, tuple[float, float]]) -> Values:
    """−Δu + c u = 1 on the unit square with a u + ∂u/∂n = g on its walls, (a, g) by face."""
    square = occ.Rectangle(1, 1).Face()
    for edge, name in zip((occ.X, occ.X, occ.Y, occ.Y), ("left", "right", "bottom", "top"), strict=True):
        (square.edges.Max(edge) if name in ("right", "top") else square.edges.Min(edge)).name = name
    mesh = ngsolve.Mesh(occ.OCCGeometry(square, dim=2).GenerateMesh(maxh=0.05))
    space = ngsolve.H1(mesh, order=ORDER)
    u, v = space.TnT()
    a, g = (mesh.BoundaryCF({face: value[i] for face, value in walls.items()}) for i in range(2))
    form = ngsolve.BilinearForm(
        (ngsolve.grad(u) * ngsolve.grad(v) + c * u * v) * ngsolve.dx + a * u * v * ngsolve.ds
    )
    load = ngsolve.LinearForm(v * ngsolve.dx + g * v * ngsolve.ds).Assemble()
    field = ngsolve.GridFunction(space)
    field.vec.data = form.Assemble().mat.Inverse(inverse="sparsecholesky") * load.vec
    return _values(mesh, field, points)


def helmholtz_room(
    points: Values,
    at: Values,
    variance: float,
    k: float,
    walls: dict[str, complex],
    disk: tuple[Values, float, float],
) -> Values:
    """(Δ + k²/c²) u = a Gaussian in the unit square with z u + ∂u/∂n = 0 on its walls, z by face."""
    mesh = _mesh(0.5, at - 0.5, variance**0.5, [(disk[0] - 0.5, disk[1], disk[2])], 0.1, None)
    space = ngsolve.H1(mesh, order=ORDER, complex=True)
    u, v = space.TnT()
    slowness = _by_disk(mesh, [disk], lambda c: 1 / c**2)
    strong = -ngsolve.grad(u) * ngsolve.grad(v) + k**2 * slowness * u * v
    z = mesh.BoundaryCF(dict(walls), default=0.0)
    form = ngsolve.BilinearForm(strong * ngsolve.dx - z * u * v * ngsolve.ds).Assemble()
    load = ngsolve.LinearForm(_gaussian(at - 0.5, variance) * v * ngsolve.dx(bonus_intorder=10)).Assemble()
    field = ngsolve.GridFunction(space)
    field.vec.data = form.mat.Inverse(inverse="umfpack") * load.vec
    return _values(mesh, field, points - 0.5)


def poisson_smooth(points: Values, coefficient: Callable[[Any], Any]) -> Values:
    """−∇·(a∇u) = 1 on the unit square, zero round it, by quadratic elements."""
    mesh = skfem.MeshQuad.init_tensor(np.linspace(0, 1, 61), np.linspace(0, 1, 61))
    basis = skfem.Basis(mesh, skfem.ElementQuad2(), intorder=6)

    @skfem.BilinearForm
    def stiffness(u: Any, v: Any, w: Any) -> Any:
        shape = w.x[0].shape
        a = np.asarray(coefficient(w.x.reshape(2, -1).T)).reshape(shape)
        return a * dot(grad(u), grad(v))

    @skfem.LinearForm
    def load(v: Any, w: Any) -> Any:
        return 1.0 * v

    held = basis.get_dofs().flatten()
    field = skfem.solve(*skfem.condense(stiffness.assemble(basis), load.assemble(basis), D=held))
    return np.asarray(basis.probes(points.T) @ field)
