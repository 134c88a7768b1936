"""Space–time domains and how a field begins."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.domains.base import Domain
from neurapde.domains.combine import Shape
from neurapde.jets.jet import Jet, Layout
from support import jet_of_coordinates

CYLINDER = npde.Disk(center=(0.5, 0.0), radius=0.5).over(npde.Time(1, 3))


def test_it_has_the_space_s_faces_and_two_in_time() -> None:
    domain = npde.Box((-1, 1), (0, 1), name="tank").over(npde.Time(0, 2))
    assert domain.faces == ("left", "right", "bottom", "top", "initial", "final")
    assert (domain.dimension, domain.axes, domain.name) == (3, ("x", "y", "t"), "tank")
    assert domain.measure == pytest.approx(4.0)
    assert str(domain) == "[−1, 1] × [0, 1] over t in [0, 2]"


def test_samples_follow_the_measure() -> None:
    points = CYLINDER.sample(40_000, generator=torch.Generator().manual_seed(50413)).numpy()
    assert CYLINDER.contains(points).all()
    assert np.mean(points[:, 2]) == pytest.approx(2.0, abs=0.02)
    inner = np.hypot(points[:, 0] - 0.5, points[:, 1]) < 0.25
    assert inner.mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("how", ["uniform", "sobol", "grid"])
@pytest.mark.parametrize(
    "space",
    [
        npde.Interval(0, 2),
        npde.Box((-1, 1), (0, 1)),
        npde.Disk((0, 0), 1.0),
        npde.Polygon([(0, 0), (1, 0), (0, 1)]),
    ],
    ids=lambda space: space.name,
)
def test_its_boundary_lies_on_its_boundary_with_unit_outward_normals(space: Domain, how: str) -> None:
    domain = npde.domains.SpaceTime(space, npde.Time(-1, 0.5))
    generator = torch.Generator().manual_seed(71993)
    points, normals = domain.sample_boundary(500, on=domain.faces, how=how, generator=generator)  # type: ignore[arg-type]
    assert domain.signed_distance(points).abs().max() < 1e-12
    assert (normals.norm(dim=1) - 1).abs().max() < 1e-12
    assert (domain.signed_distance(points + 1e-4 * normals) > 0).all()


def test_sides_and_ends_are_drawn_by_size() -> None:
    generator = torch.Generator().manual_seed(30911)
    points, normals = CYLINDER.sample_boundary(40_000, on=("disk", "initial"), generator=generator)
    on_side = (normals[:, 2] == 0).double().mean()
    side, end = 2 * np.pi * 0.5 * 2, np.pi * 0.25
    assert float(on_side) == pytest.approx(side / (side + end), abs=0.01)
    assert set(points[normals[:, 2] != 0][:, 2].tolist()) == {1.0}


def test_no_face_named_means_the_sides_at_all_times() -> None:
    _, normals = CYLINDER.sample_boundary(100, generator=torch.Generator().manual_seed(11113))
    assert (normals[:, 2] == 0).all()


def test_signed_distance_is_the_distance_in_space_and_time() -> None:
    points = np.array([[0.5, 0.0, 2.0], [0.5, 0.0, 4.0], [1.3, 0.0, 3.4], [0.5, 0.4, 2.0]])
    assert CYLINDER.signed_distance(points) == pytest.approx([-0.5, 1.0, 0.5, -0.1])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: npde.Time(1, 1), r"Time\(1, 1\) does not increase"),
        (lambda: npde.domains.SpaceTime(CYLINDER, npde.Time(0, 1)), "has a time already"),
        (lambda: npde.Disk((0, 0), 1.0, name="final").over(npde.Time(0, 1)), "a face in time"),
        (lambda: npde.domains.SpaceTime(npde.Interval(0, 1), (0, 1)), "give a domain and a Time"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_space_time_is_refused(make: object, match: str) -> None:
    with pytest.raises(npde.DeclarationError, match=match):
        make()  # type: ignore[operator]


def _begins(velocity: object = None) -> npde.Problem:
    return npde.Problem(
        name="begins",
        domain=npde.Interval(0, 1).over(npde.Time(0.5, 1)),
        equation=npde.Equation(lambda x, u: u.d2(1) - u.d2(0)),
        boundary=[npde.Dirichlet(0.0), npde.InitialCondition(lambda x: x[:, 0] ** 2, velocity)],
    )


def test_an_initial_condition_is_met_by_a_field_that_begins_so() -> None:
    problem = _begins(velocity=lambda x: 3 * x[:, 0])
    constraints = {c.name: c for c in problem.constraints}
    assert list(constraints) == ["equation", "dirichlet", "initial-value", "initial-velocity"]
    for name in ("initial-value", "initial-velocity"):
        samples = constraints[name].sample(64, generator=torch.Generator().manual_seed(90709))
        assert (samples.points[:, 1] == 0.5).all()
        x, t = jet_of_coordinates(samples.points, Layout(2, 1))
        right, wrong = x * x + 3.0 * x * (t - 0.5), x + t
        assert constraints[name].residual(samples, right).abs().max() < 1e-12
        assert constraints[name].residual(samples, wrong).abs().max() > 0.1


def test_sides_of_a_space_time_problem_exclude_the_ends() -> None:
    constraint = {c.name: c for c in _begins().constraints}["dirichlet"]
    samples = constraint.sample(64, generator=torch.Generator().manual_seed(12721))
    assert set(samples.points[:, 0].tolist()) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("residual", "names"),
    [
        (lambda x, u: u.dt - u.d2(0), ["initial-value"]),
        (lambda x, u: u.dt + u.value * u.d(0) - 0.01 * u.laplacian, ["initial-value"]),
        (lambda x, u: u.dtt - u.laplacian, ["initial-value", "initial-velocity"]),
        (lambda x, u: torch.exp(u.value) * u.d2(1) - u.d2(0), ["initial-value", "initial-velocity"]),
    ],
    ids=["heat", "burgers", "wave", "nonlinear wave"],
)
def test_a_field_begins_at_rest_only_where_its_equation_asks_for_a_velocity(residual, names) -> None:
    problem = npde.Problem(
        domain=npde.Interval(0, 1).over(npde.Time(0, 1)),
        equation=npde.Equation(residual),
        boundary=npde.InitialCondition(1.0),
    )
    assert [c.name for c in problem.constraints if c.name.startswith("initial")] == names


@pytest.mark.slow
def test_heat_conduction_is_solved_without_a_velocity() -> None:
    exact = lambda x: npde.exp(-0.1 * np.pi**2 * x[:, 1]) * npde.sin(np.pi * x[:, 0])  # noqa: E731
    problem = npde.Problem(
        domain=npde.Interval(0, 1).over(npde.Time(0, 1)),
        equation=npde.Equation(lambda x, u: u.dt - 0.1 * u.laplacian),
        boundary=[npde.Dirichlet(0.0), npde.InitialCondition(lambda x: npde.sin(np.pi * x[:, 0]))],
        exact=exact,
    )
    assert npde.validate(npde.solve(problem, progress=False)).relative_l2 < 1e-5


def test_an_initial_condition_without_a_time_is_refused() -> None:
    with pytest.raises(npde.DeclarationError, match="needs a time"):
        npde.Problem(
            "p",
            npde.Box((0, 1), (0, 1)),
            npde.Equation(lambda x, u: u.value),
            boundary=npde.InitialCondition(0.0),
        )


def test_an_interval_with_a_start_is_a_time_and_has_no_place_to_depend_on() -> None:
    decay = npde.Equation(lambda x, u: u.dt + u.value)
    for domain in (npde.Interval(1, 3), npde.Time(1, 3)):
        problem = npde.Problem("decay", domain, decay, boundary=npde.InitialCondition(2.0))
        assert "u = 2 at t = 1" in str(problem)
        t = np.linspace(1, 3, 20)[:, None]
        assert npde.solve(problem, progress=False)(t) == pytest.approx(2 * np.exp(1 - t[:, 0]), rel=1e-6)
    with pytest.raises(npde.DeclarationError, match=r"which has no space; give a number"):
        npde.Problem("p", npde.Time(0, 1), decay, boundary=npde.InitialCondition(lambda x: x[:, 0]))
    with pytest.raises(npde.DeclarationError, match=r"depends only on time, so it has no Laplacian"):
        npde.Problem(
            "p", npde.Time(0, 1), npde.Equation(lambda x, u: u.laplacian), boundary=npde.InitialCondition(1.0)
        )


def test_a_laplacian_in_space_time_is_that_of_space() -> None:
    def heat(x: torch.Tensor, u: Jet) -> torch.Tensor:
        return u.dt - u.laplacian + u.dtt

    problem = npde.Problem("heat", CYLINDER, npde.Equation(heat))
    (constraint,) = problem.constraints
    samples = constraint.sample(50, generator=torch.Generator().manual_seed(31019))
    x, y, t = jet_of_coordinates(samples.points, Layout(3, 2))
    field = x * x * t + 3.0 * y * y + 5.0 * t * t
    expected = samples.points[:, 0] ** 2 + 10 * samples.points[:, 2] - 2 * samples.points[:, 2] - 6 + 10
    assert constraint.residual(samples, field) == pytest.approx(expected, abs=1e-12)
    assert float((field * field.in_time() - 1.0).laplacian[0]) == pytest.approx(
        float((field * field).d2(0)[0] + (field * field).d2(1)[0])
    )


def test_an_extra_constraint_in_space_time_sees_the_same_laplacian() -> None:
    extra = npde.Constraint("still", lambda samples, u: u.laplacian, npde.face(CYLINDER, "initial"), order=2)
    problem = npde.Problem("p", CYLINDER, npde.Equation(lambda x, u: u.dt), constraints=[extra])
    constraint = problem.constraints[-1]
    samples = constraint.sample(5, generator=torch.Generator().manual_seed(80917))
    x, _, t = jet_of_coordinates(samples.points, Layout(3, 2))
    assert constraint.residual(samples, x * x + t * t) == pytest.approx(torch.full((5,), 2.0))


def test_a_field_without_a_time_has_no_derivative_by_it() -> None:
    jet = jet_of_coordinates(torch.zeros(2, 2), Layout(2, 2))[0]
    with pytest.raises(npde.DeclarationError, match="does not depend on time"):
        _ = jet.dt
    with pytest.raises(npde.DeclarationError, match="does not depend on time"):
        _ = jet.dtt


def test_a_periodic_field_goes_on_at_the_opposite_side_at_the_same_time() -> None:
    domain = npde.Box((0, 2), (1, 4)).over(npde.Time(0, 5))
    problem = npde.Problem("p", domain, npde.Equation(lambda x, u: u.dt), boundary=npde.Periodic("y"))
    (pairs,) = [c for c in problem.constraints if c.name == "periodic-y"]
    points = pairs.sample(32, generator=torch.Generator().manual_seed(55103)).points
    lower, upper = points.chunk(2)
    assert (lower[:, 1] == 1).all()
    assert (upper[:, 1] == 4).all()
    assert torch.equal(lower[:, [0, 2]], upper[:, [0, 2]])
    assert lower[:, 2].max() > 4


@pytest.mark.slow
def test_a_wave_that_travels_round_is_found() -> None:
    """u_t + 3 u_x = 0 from sin x, round a circle."""
    domain = npde.Interval(0, 2 * np.pi).over(npde.Time(0, 1))
    problem = npde.Problem(
        "round",
        domain,
        npde.Equation(lambda x, u: u.dt + 3 * u.d(0), order=1),
        boundary=[npde.Periodic("x"), npde.InitialCondition(lambda x: npde.sin(x[:, 0]))],
        exact=lambda x: npde.sin(x[:, 0] - 3 * x[:, 1]),
    )
    solution = npde.solve(problem, seed=55109, progress=False)
    points = domain.sample(400, how="grid").numpy()
    assert np.abs(solution(points) - problem.exact(points)).max() < 1e-5


def test_an_axis_of_time_is_not_periodic() -> None:
    with pytest.raises(npde.DeclarationError, match="has no such axis"):
        npde.Problem(
            "p",
            npde.Interval(0, 1).over(npde.Time(0, 1)),
            npde.Equation(lambda x, u: u.dt),
            boundary=npde.Periodic("t"),
        )


THIN = {
    "ball of 5 axes": npde.Ball([0.0] * 5, 1.0),
    "ball of 20 axes": npde.Ball([0.0] * 20, 1.0),
    "box of 9 axes": npde.Box(*[(0, 1)] * 9),
    "ring": npde.Disk((0, 0), 1) - npde.Disk((0, 0), 0.99),
    "shell": npde.Ball((0, 0, 0), 1) - npde.Ball((0, 0, 0), 0.99),
    "slanted strip": npde.Polygon([(0, 0), (10, 9.99), (10, 10), (0, 0.01)]),
    "two far apart": npde.Disk((0, 0), 0.02) | npde.Disk((1, 1), 0.02),
}


@pytest.mark.parametrize("space", THIN.values(), ids=THIN)
def test_an_evolution_is_declared_on_thin_domains_and_with_many_axes(space: Shape) -> None:
    for residual, names in (
        (lambda x, u: u.dt - u.laplacian, {"initial-value"}),
        (lambda x, u: u.dtt - u.laplacian, {"initial-value", "initial-velocity"}),
    ):
        problem = npde.Problem(
            "evolution",
            space.over(npde.Time(0, 1)),
            npde.Equation(residual),
            boundary=[npde.Neumann(0.0), npde.InitialCondition(1.0)],
        )
        assert names == {constraint.name for constraint in problem.constraints} & {
            "initial-value",
            "initial-velocity",
        }
        for constraint in problem.constraints:
            points = constraint.sample(50, generator=torch.Generator().manual_seed(60689)).points
            assert (problem.domain.signed_distance(points) < 1e-9).all()


@pytest.mark.parametrize("space", THIN.values(), ids=THIN)
def test_a_lattice_of_a_thin_domain_has_about_as_many_points_as_asked_for_and_never_changes(
    space: Shape,
) -> None:
    domain = space.over(npde.Time(0, 1))
    points = domain.sample(16, how="grid")
    assert 4 <= len(points) <= 16
    assert domain.contains(points).all()
    assert torch.equal(points, domain.sample(16, how="grid"))


def test_a_lattice_has_points_along_every_axis_whatever_its_unit() -> None:
    hour = npde.Interval(0, 0.1).over(npde.Time(0, 3600)).sample(400, how="grid")
    assert [len(axis.unique()) for axis in hour.T] == [20, 20]
    long = npde.Box((0, 1e-6), (0, 1e6)).sample(400, how="grid")
    assert len(long[:, 0].unique()) == 5
    assert len(long[:, 1].unique()) > 50
