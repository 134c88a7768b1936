"""Trefftz for Poisson's equation against finite elements of other people's making: NGSolve's, curved and of high order."""

from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde

CORNERS = [(0.2, 0.2), (0.7, 0.3), (0.6, 0.6), (0.45, 0.4), (0.2, 0.55)]


def elements(points: np.ndarray, reaction: float) -> np.ndarray:
    """−∇·(a∇u) + cu = 1 on the unit square with a polygon of a = 7 and a hole, elements small at corners."""
    occ = pytest.importorskip("netgen.occ")
    ngsolve = pytest.importorskip("ngsolve")
    square = occ.MoveTo(0, 0).Rectangle(1, 1).Face()
    for edge, name in ((occ.X, "left"), (-occ.X, "right"), (occ.Y, "bottom"), (-occ.Y, "top")):
        square.edges.Min(edge).name = name
    path = occ.MoveTo(*CORNERS[0])
    for corner in CORNERS[1:]:
        path = path.LineTo(*corner)
    polygon = path.Close().Face()
    hole = occ.Circle((0.7, 0.8), 0.12).Face()
    hole.edges.name = "hole"
    polygon.faces.name = "polygon"
    rest = square - polygon - hole
    rest.faces.name = "rest"
    for shape in (polygon, rest):
        for vertex in shape.vertices:
            vertex.hpref = 1
    mesh = ngsolve.Mesh(occ.OCCGeometry(occ.Glue([rest, polygon]), dim=2).GenerateMesh(maxh=0.12))
    mesh.RefineHP(8, factor=0.15)
    mesh.Curve(11)
    space = ngsolve.H1(mesh, order=11, dirichlet="left|hole")
    u, v = space.TnT()
    a = mesh.MaterialCF({"polygon": 7.0}, default=1.0)
    form = ngsolve.BilinearForm(
        (a * ngsolve.grad(u) * ngsolve.grad(v) + reaction * u * v) * ngsolve.dx
        + 2 * u * v * ngsolve.ds("top")
    ).Assemble()
    load = ngsolve.LinearForm(v * ngsolve.dx + 0.5 * v * ngsolve.ds("right")).Assemble()
    field = ngsolve.GridFunction(space)
    field.Set(ngsolve.CF(0.3), definedon=mesh.Boundaries("hole"))
    rhs: Any = load.vec - form.mat * field.vec
    field.vec.data += form.mat.Inverse(space.FreeDofs(), inverse="sparsecholesky") * rhs
    return np.array([field(mesh(float(x), float(y))) for x, y in points])


@pytest.mark.slow
@pytest.mark.parametrize("reaction", [0.0, 20.0])
def test_a_polygon_and_a_hole_have_the_field_of_finite_elements(reaction: float) -> None:
    polygon, hole = npde.Polygon(CORNERS), npde.Disk((0.7, 0.8), 0.12)
    problem = npde.Problem(
        "polygon and hole",
        npde.Box((0, 1), (0, 1)) - hole,
        npde.Poisson(npde.Piecewise(1.0, (polygon, 7.0)), reaction),
        [1.0],
        [
            npde.Dirichlet(0.0, on="left"),
            npde.Dirichlet(0.3, on="disk"),
            npde.Neumann(0.5, on="right"),
            npde.Neumann(0.0, on="bottom"),
            npde.Robin(2.0, 1.0, 0.0, on="top"),
        ],
    )
    points = problem.domain.sample(400, how="grid").numpy()
    truth = elements(points, reaction)

    solution = npde.solve(problem)

    assert "Trefftz" in solution.notes[0]
    error = np.linalg.norm(solution(torch.as_tensor(points)).numpy() - truth) / np.linalg.norm(truth)
    estimate = float(solution.stages[-1].extras["error_estimate"])
    assert error < max(3 * estimate, 1e-7)
    assert error < 1e-5
