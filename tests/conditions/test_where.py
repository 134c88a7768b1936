"""Conditions on parts of faces by predicates: on every kind of domain, against harmonic fields in closed form."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.domains.base import Domain
from support import relative

ANGLES = np.linspace(0, 2 * np.pi, 49)[:-1]
RING = np.stack([np.cos(ANGLES), 0.6 * np.sin(ANGLES)], axis=1)
CORNERS = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
SIDES = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]
SQUARE = npde.Box((-1, 1), (-1, 1))
DOMAINS: dict[str, Domain] = {
    "interval": npde.Interval(-1, 1),
    "box": SQUARE,
    "disk": npde.Disk((0, 0), 1),
    "polygon": npde.Polygon([(-1, 0), (1, -1), (1, 1)]),
    "mesh": npde.Mesh(RING, np.stack([np.arange(48), (np.arange(48) + 1) % 48], axis=1)),
    "difference": SQUARE - npde.Disk((0, 0), 0.4),
    "union": SQUARE | npde.Disk((1, 0), 0.5),
    "intersection": SQUARE & npde.Disk((0.5, 0), 1),
    "cloud": npde.PointCloud(RING, RING / np.array([1, 0.36])),
    "ball": npde.Ball((0, 0, 0), 1),
    "solid": npde.Box((-1, 1), (0, 1), (0, 1)) - npde.Ball((0, 0.5, 0.5), 0.3),
    "surface": npde.Mesh(np.array(CORNERS) - 0.2, SIDES),
}


def left_half(x):
    return x[:, 0] < 0.05


INLET = npde.Where(left_half, name="inlet")


def wavy(x):
    return x[:, 0] ** 2 - x[:, 1] ** 2 + x[:, 0]


def declared(domain: npde.Domain, *boundary: npde.conditions.Boundary) -> npde.Problem:
    return npde.Problem("parts", domain, npde.Equation(lambda x, u: u.laplacian), boundary=boundary)


@pytest.mark.parametrize("name", DOMAINS)
@pytest.mark.parametrize("how", ["uniform", "sobol", "grid"])
def test_a_part_is_sampled_where_its_predicate_holds_and_the_rest_elsewhere(name: str, how) -> None:
    domain = DOMAINS[name]
    generator = torch.Generator().manual_seed(60217)
    whole = domain.sample_boundary(4000, how="sobol", generator=generator).points
    fraction = float(left_half(whole).double().mean())
    for part, holds in ((INLET, True), (~INLET, False)):
        samples = npde.face(domain, part)(200, how=how, generator=generator)
        assert bool((left_half(samples.points) == holds).all())
        assert domain.signed_distance(samples.points).abs().max() < 2e-2
        outside = domain.signed_distance(samples.points + 0.05 * samples.outward)
        assert (outside > 0).double().mean() > 0.95
    if how == "sobol" and domain.dimension > 1:
        mine = declared(domain, npde.Dirichlet(0.0, on=INLET), npde.Neumann(0.0, on=~INLET)).domain
        points = mine.sample_boundary(4000, how="sobol", generator=generator).points
        assert float(left_half(points).double().mean()) == pytest.approx(fraction, abs=0.03)


def radial(x):
    return 2 * x[:, 0] ** 2 - 2 * x[:, 1] ** 2 + x[:, 0]


@pytest.mark.parametrize(
    "equation",
    [npde.Equation(lambda x, u: u.laplacian), pytest.param(npde.Poisson(), marks=pytest.mark.slow)],
)
def test_values_on_one_half_of_a_disk_and_slopes_on_the_other_give_the_harmonic_field(equation) -> None:
    sides = [npde.Dirichlet(wavy, on=INLET), npde.Neumann(radial, on=~INLET)]
    problem = npde.Problem("disk", npde.Disk((0, 0), 1), equation, boundary=sides)
    assert set(problem.domain.faces) == {"disk:inlet", "disk:not-inlet"}
    assert {"dirichlet-inlet", "neumann-not-inlet"} <= {constraint.name for constraint in problem.constraints}
    solution = npde.solve(problem, device="cpu")
    x = problem.domain.sample(500, how="grid").numpy()
    assert relative(solution(x), wavy(x)) < 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("name", ["polygon", "mesh", "difference", "union", "intersection"])
def test_parts_of_the_boundary_of_any_plane_domain_determine_the_field(name: str) -> None:
    domain = DOMAINS[name]
    problem = declared(domain, npde.Dirichlet(wavy, on=INLET), npde.Dirichlet(wavy, on=~INLET))
    solution = npde.solve(problem, device="cpu")
    x = domain.sample(500, how="grid").numpy()
    assert relative(solution(x), wavy(x)) < 1e-5


@pytest.mark.slow
def test_parts_of_a_ball_determine_the_field() -> None:
    sides = [npde.Dirichlet(wavy, on=INLET), npde.Neumann(radial, on=~INLET)]
    problem = declared(npde.Ball((0, 0, 0), 1), *sides)
    solution = npde.solve(problem, method=npde.LeastSquares(1e-3), device="cpu")
    x = problem.domain.sample(500, how="grid").numpy()
    assert relative(solution(x), wavy(x)) < 1e-3


def root(x):
    """√r cos(θ/2): zero on the left of the lower side, without a slope on its right, and singular between."""
    r = npde.sqrt(x[:, 0] ** 2 + x[:, 1] ** 2)
    return npde.sqrt(npde.maximum((r + x[:, 0]) / 2, 0.0))


def test_the_root_between_a_value_and_a_slope_on_one_side_is_found() -> None:
    left, right = (npde.Where(test, on="bottom") for test in (lambda x: x[:, 0] < 0, lambda x: x[:, 0] >= 0))
    sides = [
        npde.Dirichlet(0.0, on=left),
        npde.Neumann(0.0, on=right),
        npde.Dirichlet(root, on=("left", "right", "top")),
    ]
    problem = declared(npde.Box((-1, 1), (0, 1)), *sides)
    solution = npde.solve(problem, device="cpu")
    x = problem.domain.sample(500, how="grid").numpy()
    assert relative(solution(x), root(x)) < 1e-8


def test_a_grid_takes_the_same_parts() -> None:
    sides = [npde.Dirichlet(wavy, on=INLET), npde.Neumann(radial, on=~INLET)]
    problem = npde.Problem("disk", npde.Disk((0, 0), 1), npde.Poisson(), boundary=sides)
    errors = []
    for count in (33, 65):
        x = problem.domain.sample(500, how="grid").numpy()
        errors.append(relative(npde.reference(problem, shape=(count, count))(x), wavy(x)))
    assert errors[1] < 1e-3
    assert errors[1] < errors[0]


def test_in_time_a_part_is_the_same_at_all_times() -> None:
    domain = SQUARE.over(npde.Time(0, 1))
    sides = [npde.Dirichlet(1.0, on=INLET), npde.Neumann(0.0, on=~INLET), npde.InitialCondition(1.0)]
    problem = npde.Problem("heat", domain, npde.Equation(lambda x, u: u.dt - u.laplacian), boundary=sides)
    (held,) = (constraint for constraint in problem.constraints if constraint.name == "dirichlet-inlet")
    points = held.sample(200, generator=torch.Generator().manual_seed(60223)).points
    assert bool((points[:, 0] < 0.05).all())
    assert float(points[:, 2].max()) > 0.9
    assert problem.sides.silent == []


def test_components_have_their_own_parts_and_faces_keep_their_names_for_others() -> None:
    first = [npde.Dirichlet(0.0, on=INLET, component=0), npde.Neumann(0.0, on=~INLET, component=0)]
    second = npde.Dirichlet(1.0, on=("left", "right", "bottom", "top"), component=1)
    equation = npde.Equation(lambda x, u: [u[0].laplacian, u[1].laplacian], outputs=2)
    problem = npde.Problem("two", SQUARE, equation, boundary=[*first, second])
    faces = ("left", "right", "bottom:inlet", "bottom:not-inlet", "top:inlet", "top:not-inlet")
    assert set(problem.domain.faces) == set(faces)
    names = [constraint.name for constraint in problem.constraints]
    assert "dirichlet-1-left-right-bottom-top" in names
    assert set(problem.boundary[2].on) == set(faces)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: declared(SQUARE, npde.Dirichlet(0.0, on=npde.Where(lambda x: x[:, 0] > 7))),
            "predicate of where-1 holds at none of 4096 points on each face of .*; check it, or leave it out",
        ),
        (
            lambda: declared(SQUARE, npde.Dirichlet(0.0, on=npde.Where(lambda x: x[:, 0]))),
            "returned the shape .* and type float64 for .* points; return True or False for each",
        ),
        (
            lambda: declared(SQUARE, npde.Dirichlet(0.0, on=npde.Where(lambda x: x[:, 5] > 0))),
            "predicate of where-1 failed at .* points: IndexError: .*; give a function of points",
        ),
        (
            lambda: declared(SQUARE, npde.Dirichlet(0.0, on=npde.Where(left_half, on="lid"))),
            "where-1 is on face 'lid', but .* has the faces left, right, bottom, top; use one of these",
        ),
        (
            lambda: declared(SQUARE, npde.Dirichlet(0.0, on=INLET), npde.Dirichlet(1.0, on="left")),
            "left has two conditions, u = 0 on left, .* no field satisfies both",
        ),
        (
            lambda: npde.solve(
                npde.Problem("half", SQUARE, npde.Poisson(), boundary=npde.Dirichlet(0.0, on=INLET))
            ),
            "half has no condition on right, bottom:rest and top:rest, so it has many solutions",
        ),
        (lambda: npde.Where(left_half, name="a:b"), "name of Where is 'a:b'; use one without"),
        (
            lambda: npde.Dirichlet(0.0, on=INLET).faces(SQUARE),
            "the part inlet of the boundary has faces in a Problem only",
        ),
    ],
)
def test_a_part_that_is_none_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        make()
