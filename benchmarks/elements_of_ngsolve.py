"""NGSolve's way to the problems of `elements`: curved meshes, its own perfectly matched layer, a sparse direct solver."""

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

import torch  # noqa: F401  # isort: skip  (before NGSolve, or a product of torch's matrices ends the process)
import netgen.occ as occ
import ngsolve
import numpy as np
from ngsolve.meshes import MakeStructured2DMesh
from numpy.typing import NDArray

Values = NDArray[Any]
Solution = Callable[[Values], Values]
Place = tuple[float, float]


def waves(
    order: int,
    k: float,
    at: Place,
    variance: float,
    *,
    disks: Sequence[tuple[Place, float, float | None]] = (),
    polygon: tuple[Sequence[Place], float] | None = None,
    soft: bool = False,
    lens: tuple[Place, float, float] | None = None,
    medium: Values | None = None,
    finer: float = 1.0,
) -> Solution:
    """(Δ + k²/c²) u = (1 + i) times a Gaussian in a square with a layer round it, waves leaving as e^{−ikr}.

    disks: centre, radius and speed; None for a hole, at which u = 0 if `soft`, else ∂u/∂n = 0. polygon: corners and speed.
    lens: centre, variance and depth a of c = 1 − a exp(−r²/2s²) elsewhere. medium: speeds of the square, see `gridded`,
    1 in the layer.
    finer: elements in the shortest wavelength.
    """
    parts, holes, speeds = [], [], {}
    for number, (centre, radius, speed) in enumerate(disks):
        disk = occ.Circle(centre, radius).Face()
        if speed is None:
            holes.append(disk)
            continue
        disk.faces.name = f"disk{number}"
        disk.faces.maxh = 2 * np.pi * speed / k
        speeds[f"disk{number}"] = speed
        parts.append(disk)
    if polygon is not None:
        parts.append(_polygon(polygon[0], "polygon"))
        speeds["polygon"] = polygon[1]
    near = occ.Circle(at, 5 * variance**0.5).Face()
    near.faces.name = "near"
    near.faces.maxh = 3 * variance**0.5
    inner = occ.MoveTo(-0.5, -0.5).Rectangle(1, 1).Face()
    for shape in (*parts, *holes, near):
        inner = inner - shape
    for hole in holes:
        near = near - hole
    inner.faces.name = "inner"
    parts += [inner, near, *_frame(1.0, 0.5)]
    slowest = 1.0 if lens is None else 1.0 - lens[2]
    if medium is not None:
        slowest = float(medium.min())
    mesh = _mesh(
        parts, 2 * np.pi * slowest / k / finer, order, [(c, r) for c, r, speed in disks if speed is None]
    )
    mesh.SetPML(ngsolve.pml.Cartesian((-0.5, -0.5), (0.5, 0.5), alpha=1j), "frame")
    space = ngsolve.H1(mesh, order=order, complex=True, dirichlet="outer|hole" if soft else "outer")
    u, v = space.TnT()
    elsewhere = 1.0
    if lens is not None:
        (x, y), spread, depth = lens
        square = (ngsolve.x - x) ** 2 + (ngsolve.y - y) ** 2
        elsewhere = 1 / (1 - depth * ngsolve.exp(-square / (2 * spread))) ** 2
    if medium is not None:
        elsewhere = 1 / gridded(medium) ** 2
        speeds["frame"] = 1.0  # its coordinates are complex, at which no grid has values
    slowness = mesh.MaterialCF({name: 1 / c**2 for name, c in speeds.items()}, default=elsewhere)
    form = ngsolve.BilinearForm(space, symmetric=True, condense=True)
    form += (-ngsolve.grad(u) * ngsolve.grad(v) + k**2 * slowness * u * v) * ngsolve.dx
    load = ngsolve.LinearForm(space)
    load += (1 - 1j) * _gaussian(at, variance) * v * ngsolve.dx("near|inner", bonus_intorder=8)
    field = _solved(space, form.Assemble(), load.Assemble(), "sparsecholesky")
    return lambda points: _values(mesh, field, points).conj()


def gridded(speeds: Values) -> Any:
    """Values `(nx, ny)` on nodes of the square [−1, 1]², bilinear between them."""
    return ngsolve.VoxelCoefficient((-1, -1), (1, 1), np.ascontiguousarray(speeds.T), linear=True)


def on_squares(order: int, k: float, at: Place, variance: float, speeds: Values) -> Solution:
    """The field of `waves` in a gridded medium, by squares that end at its nodes and a layer of e = 1 − 5i (ℓ/L)²."""
    mesh = MakeStructured2DMesh(
        quads=True, nx=len(speeds) - 1, ny=len(speeds[0]) - 1, mapping=lambda x, y: (2 * x - 1, 2 * y - 1)
    )
    depths = (ngsolve.IfPos(z * z - 0.25, 2 * ngsolve.sqrt(z * z) - 1, 0.0) for z in (ngsolve.x, ngsolve.y))
    first, second = (1 - 5j * depth**2 for depth in depths)
    space = ngsolve.H1(mesh, order=order, complex=True, dirichlet=".*")
    u, v = space.TnT()
    (ux, uy), (vx, vy) = ngsolve.grad(u), ngsolve.grad(v)
    form = ngsolve.BilinearForm(space, symmetric=True, condense=True)
    stretched = second / first * ux * vx + first / second * uy * vy
    form += (k**2 * first * second / gridded(speeds) ** 2 * u * v - stretched) * ngsolve.dx
    load = ngsolve.LinearForm(space)
    load += (1 + 1j) * _gaussian(at, variance) * v * ngsolve.dx(bonus_intorder=10)
    field = _solved(space, form.Assemble(), load.Assemble(), "sparsecholesky")
    return lambda points: _values(mesh, field, points)


def square_of_speed(order: int, k: float = 20.0) -> Solution:
    """The same beside a square of side 0.6 and speed 2 about the origin, the source at (−0.4, 0)."""
    corners = ((-0.3, -0.3), (0.3, -0.3), (0.3, 0.3), (-0.3, 0.3))
    return waves(order, k, (-0.4, 0.0), 1e-4, polygon=(corners, 2.0))


def inclusion(order: int) -> Solution:
    """−∇·(a∇u) = 0 in the square [−1, 1]², a = 100 in a disk of radius 0.4, in a field that is uniform far away."""
    disk = occ.Circle((0, 0), 0.4).Face()
    disk.faces.name = "disk"
    mesh = _mesh([_outer_square() - disk, disk], 0.5, order)
    x, y = ngsolve.x, ngsolve.y
    value = x * (1 + 0.16 * (1 - 100) / (1 + 100) / (x * x + y * y))
    coefficient = mesh.MaterialCF({"disk": 100.0}, default=1.0)
    return _poisson(mesh, order, coefficient, 0.0, 0.0, {"outer": value})


def sines_on_a_square(order: int) -> Solution:
    """−Δu = f with u = sin πx sin 4πy in the square [−1, 1]²."""
    mesh = _mesh([_outer_square()], 0.5, order)
    load = 17 * np.pi**2 * ngsolve.sin(np.pi * ngsolve.x) * ngsolve.sin(4 * np.pi * ngsolve.y)
    return _poisson(mesh, order, 1.0, 0.0, load, {"outer": 0.0})


def screened(order: int, kappa: float, holes: Sequence[tuple[Place, float]]) -> Solution:
    """−Δu + κ²u = 0 between disks at 1 and a square at 0.2."""
    shape = _outer_square()
    for centre, radius in holes:
        shape = shape - occ.Circle(centre, radius).Face()
    mesh = _mesh([shape], 0.25, order, holes)
    return _poisson(mesh, order, 1.0, kappa**2, 0.0, {"outer": 0.2, "hole": 1.0})


def _poisson(mesh: Any, order: int, a: Any, reaction: float, load: Any, values: dict[str, Any]) -> Solution:
    space = ngsolve.H1(mesh, order=order, dirichlet="|".join(values))
    u, v = space.TnT()
    form = ngsolve.BilinearForm(space, symmetric=True, condense=True)
    form += (a * ngsolve.grad(u) * ngsolve.grad(v) + reaction * u * v) * ngsolve.dx
    right = ngsolve.LinearForm(space)
    right += load * v * ngsolve.dx(bonus_intorder=6)
    field = _solved(space, form.Assemble(), right.Assemble(), "sparsecholesky", mesh.BoundaryCF(values))
    return lambda points: _values(mesh, field, points)


def _solved(space: Any, form: Any, load: Any, inverse: str, values: Any = None) -> Any:
    """The field of a condensed system, inner unknowns by element."""
    field = ngsolve.GridFunction(space)
    if values is not None:
        field.Set(values, ngsolve.BND)
    load.vec.data += form.harmonic_extension_trans * load.vec
    residual = load.vec.CreateVector()
    residual.data = load.vec - form.mat * field.vec
    field.vec.data += form.mat.Inverse(space.FreeDofs(True), inverse=inverse) * residual
    field.vec.data += form.harmonic_extension * field.vec
    field.vec.data += form.inner_solve * load.vec
    return field


def _outer_square() -> Any:
    return occ.MoveTo(-1, -1).Rectangle(2, 2).Face()


def _polygon(corners: Sequence[Place], name: str) -> Any:
    points = [occ.Pnt(x, y, 0) for x, y in corners]
    edges = [occ.Segment(a, b) for a, b in pairwise([*points, points[0]])]
    face = occ.Face(occ.Wire(edges))
    face.faces.name = name
    return face


def _frame(half: float, physical: float) -> list[Any]:
    """The eight rectangles of a layer round a square: where its map bends, elements end."""
    spans = list(pairwise((-half, -physical, physical, half)))
    faces = []
    for (a, b), (c, d) in product(spans, spans):
        if (a, c) == (-physical, -physical):
            continue
        rectangle = occ.MoveTo(a, c).Rectangle(b - a, d - c).Face()
        rectangle.faces.name = "frame"
        faces.append(rectangle)
    return faces


def _mesh(parts: list[Any], maxh: float, order: int, holes: Sequence[tuple[Place, float]] = ()) -> Any:
    """The edges of the square [−1, 1]² are called outer, and those of holes, centre and radius, hole."""
    shape = occ.Glue(parts) if len(parts) > 1 else parts[0]
    for edge in shape.edges:
        x, y = edge.center.x, edge.center.y
        if max(abs(x), abs(y)) > 1 - 1e-9:
            edge.name = "outer"
        elif any(np.hypot(x - at[0], y - at[1]) < (1 + 1e-9) * radius for at, radius in holes):
            edge.name = "hole"
    return ngsolve.Mesh(occ.OCCGeometry(shape, dim=2).GenerateMesh(maxh=maxh)).Curve(order)


def _gaussian(at: Place, variance: float) -> Any:
    square = (ngsolve.x - at[0]) ** 2 + (ngsolve.y - at[1]) ** 2
    return ngsolve.exp(-square / (2 * variance)) / (2 * np.pi * variance)


def _values(mesh: Any, field: Any, points: Values) -> Values:
    return np.array([field(mesh(float(x), float(y))) for x, y in points])
