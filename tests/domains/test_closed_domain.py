"""The grid reference of a domain cut out of a box has a value at every point of the closed domain."""

import numpy as np
import pytest
import torch

import neurapde as npde

SQUARE = npde.Box((-1, 1), (-1, 1))
DOMAINS = {
    "L": SQUARE - npde.Box((0, 1), (0, 1)),
    "polygon": npde.Polygon([(-1, -1), (1, -0.7), (0.2, 0.1), (0.8, 1), (-0.6, 0.9)]),
    "disk": npde.Disk((0.1, 0.0), 0.7),
    "ring": npde.Disk((0, 0), 1) - npde.Disk((0.2, 0.1), 0.3),
    "slit": SQUARE - npde.Polygon([(-0.002, 0), (0.002, 0), (0.002, 2), (-0.002, 2)]),
    "lens": npde.Disk((0, 0), 1) & npde.Disk((1, 0), 1),
}


def u(x):
    return npde.sin(2 * x[:, 0]) + x[:, 0] * x[:, 1] ** 2


def f(x):
    return 4 * npde.sin(2 * x[:, 0]) - 2 * x[:, 0]


@pytest.mark.parametrize("name", DOMAINS)
def test_a_reference_is_finite_and_right_in_the_whole_closed_domain(name: str) -> None:
    domain = DOMAINS[name]
    problem = npde.Problem("cut", domain, npde.Poisson(), [f], npde.Dirichlet(u))
    grid = npde.reference(problem, shape=65)
    generator = torch.Generator().manual_seed(60317)
    inside = domain.sample(2000, generator=generator).numpy()
    boundary = domain.sample_boundary(1000, generator=generator).points.numpy()
    for points in (inside, boundary):
        assert np.abs(grid(points) - u(points)).max() < 1e-3
    assert np.abs(grid(inside) - u(inside)).mean() < 1e-4


def test_conditions_of_slope_leave_no_gap_either() -> None:
    domain = DOMAINS["ring"]
    outer, inner = domain.faces

    def slope(x):
        r = ((x[:, 0] - 0.2) ** 2 + (x[:, 1] - 0.1) ** 2) ** 0.5
        normal = [-(x[:, 0] - 0.2) / r, -(x[:, 1] - 0.1) / r]
        return (2 * npde.cos(2 * x[:, 0]) + x[:, 1] ** 2) * normal[0] + 2 * x[:, 0] * x[:, 1] * normal[1]

    conditions = [npde.Dirichlet(u, on=outer), npde.Neumann(slope, on=inner)]
    grid = npde.reference(npde.Problem("cut", domain, npde.Poisson(), [f], conditions), shape=65)
    points = domain.sample_boundary(1000, generator=torch.Generator().manual_seed(60317)).points.numpy()
    assert np.abs(grid(points) - u(points)).max() < 2e-2


def test_outside_the_domain_there_is_no_value() -> None:
    problem = npde.Problem("cut", DOMAINS["L"], npde.Poisson(), [f], npde.Dirichlet(u))
    grid = npde.reference(problem, shape=33)
    values = grid(np.array([[0.5, 0.5], [0.003, 0.003], [-0.001, 0.5], [0.0, 0.0]]))
    assert np.isnan(values).tolist() == [True, True, False, False]


@pytest.mark.parametrize("turned", [False, True])
def test_a_condition_that_changes_in_the_middle_of_a_side_is_resolved(turned: bool) -> None:
    corners = np.array([(0, 0), (0.5, 0), (1, 0), (1, 1), (0, 1)], dtype=float)
    if turned:
        corners = corners @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    domain = npde.Polygon(corners.tolist())
    middle = corners[1]
    along = (corners[2] - corners[0]) / np.linalg.norm(corners[2] - corners[0])

    def root(
        x,
    ):  # Im sqrt(z) about the vertex: zero on the half after it, of slope zero on the half before it
        real = (x[:, 0] - middle[0]) * along[0] + (x[:, 1] - middle[1]) * along[1]
        imag = (x[:, 1] - middle[1]) * along[0] - (x[:, 0] - middle[0]) * along[1]
        size = (real**2 + imag**2) ** 0.5
        return npde.maximum((size - real) / 2, 0.0) ** 0.5

    faces = domain.faces
    problem = npde.Problem(
        "half",
        domain,
        npde.Poisson(),
        boundary=[npde.Neumann(0.0, on=faces[0]), npde.Dirichlet(root, on=faces[1:])],
    )
    solution = npde.solve(problem, progress=False)
    points = domain.sample(1000, generator=torch.Generator().manual_seed(60317)).numpy()
    assert solution.status is npde.Status.CONVERGED
    assert np.linalg.norm(solution(points) - root(points)) < 1e-5 * np.linalg.norm(root(points))
