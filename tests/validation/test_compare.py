"""What `validate` compares, where, and what it says about it; and which problems have an exact field."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from neurapde.conditions import PML, Dirichlet
from neurapde.conditions.constraints import Constraint, interior
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.domains import Box, Disk, Interval
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.fields.medium import Piecewise
from neurapde.fields.sources import FunctionSource, GaussianSource, PointSource, Shots
from neurapde.methods.galerkin import Galerkin
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem
from neurapde.problems import helmholtz_disk, helmholtz_square, helmholtz_uniform
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.references.reference import reference
from neurapde.solving import solve
from neurapde.training.run.history import History
from neurapde.validation.compare import validate
from neurapde.validation.exact import exact_disk, exact_solution, exact_uniform

SQUARE = Box((-1.0, 1.0), (-1.0, 1.0))
DISK = Disk((0.1, 0.05), 0.2)
LAYERS = PML(width=0.5)
SOURCE = GaussianSource(at=(-0.3, 0.1), variance=1e-4, amplitude=1 + 1j)


@dataclass
class Spec:
    def describe(self) -> str:
        return "a known function"


@dataclass
class Trial:
    spec: Spec = field(default_factory=Spec)


@dataclass
class Known:
    """A solution that is a given function."""

    required_problem: Problem
    function: Callable[[np.ndarray], np.ndarray]
    seconds: float = 2.5
    method: str = "by heart"
    status: str = "Converged."
    notes: tuple[str, ...] = ("Nothing was picked.",)
    history: History = field(default_factory=History)
    trial: Trial = field(default_factory=Trial)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return self.function(points)


@dataclass
class OnGrid:
    """A reference that is a given array."""

    grid: Grid
    values: np.ndarray
    error_estimate: float | None = 1e-9
    seconds: float = 0.5
    notes: tuple[str, ...] = ("coarse but honest",)


def helmholtz(speed=1.0, sources=SOURCE, boundary=LAYERS, **settings) -> Problem:
    return Problem("case", SQUARE, Helmholtz(20.0, speed), sources, boundary, **settings)


def filled(problem: Problem, factor: complex = 1.0) -> Callable[[np.ndarray], np.ndarray]:
    """The exact field times a factor, with something finite where it is not known."""
    exact = exact_solution(problem)
    assert exact is not None
    return lambda x: factor * np.nan_to_num(exact(x), nan=0.2)


@pytest.mark.parametrize(
    "problem",
    [
        helmholtz(sources=[SOURCE, PointSource((0.2, -0.3), 2j)]),
        helmholtz(Piecewise(0.9, (DISK, 1.6))),
        helmholtz(Piecewise(1.1, (DISK, 0.7)), GaussianSource((0.12, 0.0), 4e-4)),
        helmholtz(Piecewise(1.0, (DISK, 2.0)), boundary=PML(width=0.4, reflection=1e-6)),
    ],
    ids=["uniform", "outside", "inside", "by-reflection"],
)
def test_the_exact_field_solves_the_problem_as_it_was_declared(problem: Problem) -> None:
    exact = exact_solution(problem)
    assert exact is not None
    points = np.random.default_rng(31513).uniform(-0.98, 0.98, size=(400, 2))
    from_rim = np.abs(DISK.signed_distance(points))
    near = [np.linalg.norm(points - np.asarray(s.center), axis=1) < 0.14 for s in problem.sources]
    edge = np.abs(np.abs(points) - (1 - problem.pml.width_at("left"))).min(axis=1)
    points = points[(from_rim > 0.01) & (edge > 0.01) & ~np.any(near, axis=0)]
    strong = problem.equation.strong(problem)
    h, residual = 1e-3, strong.zeroth(points) * exact(points)
    for i, axis in enumerate(np.eye(2)):
        far, near_by = [[exact(points + s * n * h * axis) for s in (-1, 1)] for n in (2, 1)]
        second = (4 / 3 * sum(near_by) - sum(far) / 12 - 2.5 * exact(points)) / h**2
        first = (2 / 3 * (near_by[1] - near_by[0]) - (far[1] - far[0]) / 12) / h
        residual = residual + strong.second(points)[i] * second + strong.first(points)[i] * first
    assert len(points) > 150
    assert np.abs(residual).max() < 1e-4 * 400 * np.abs(exact(points)).max()


@pytest.mark.parametrize(
    "problem",
    [
        helmholtz_square(),
        helmholtz(boundary=PML(width=0.5, on=("left", "right"))),
        helmholtz(boundary=[PML(width=0.5, on=("left", "right", "top")), Dirichlet(0.0, on="bottom")]),
        helmholtz(speed=lambda x: 1 + 0.1 * x[:, 0]),
        helmholtz(speed=Piecewise(1.0, (DISK, 2.0), (Disk((0.3, -0.3), 0.1), 0.5))),
        helmholtz(speed=Piecewise(1.0, (Disk((0.4, 0.0), 0.2), 2.0))),
        helmholtz(speed=Piecewise(1.0, (DISK, 2.0)), sources=GaussianSource((-0.1, 0.05), 1e-4)),
        helmholtz(speed=Piecewise(1.0, (DISK, 2.0)), sources=PointSource((0.3, 0.05))),
        helmholtz(sources=GaussianSource((0.47, 0.0), 4.9e-5)),
        helmholtz(sources=FunctionSource(lambda x: x[:, 0] * 0)),
        helmholtz(constraints=Constraint("more", lambda s, u: u.value, interior(SQUARE))),
        Problem("real", SQUARE, Equation(lambda x, u: u.laplacian), (), Dirichlet(0.0)),
    ],
    ids=[
        "square",
        "open sides",
        "a wall",
        "function",
        "two disks",
        "disk in layer",
        "Gaussian on rim",
        "point on rim",
        "tail in layer",
        "density",
        "constraint",
        "other equation",
    ],
)
def test_no_exact_field_is_claimed_for_a_problem_that_is_not_recognised(problem: Problem) -> None:
    assert exact_solution(problem) is None


def test_each_kind_is_recognised_as_itself() -> None:
    assert exact_uniform(helmholtz_uniform()) is not None
    assert exact_disk(helmholtz_uniform()) is None
    assert exact_disk(helmholtz_disk()) is not None
    assert exact_uniform(helmholtz_disk()) is None


def test_sources_of_one_shot_add_and_shots_stand_beside_each_other() -> None:
    other = PointSource((0.2, 0.2), 3.0)
    points = np.random.default_rng(70001).uniform(-0.9, 0.9, size=(50, 2))
    alone = [exact_solution(helmholtz(sources=s))(points) for s in (SOURCE, other)]
    assert np.allclose(exact_solution(helmholtz(sources=[SOURCE, other]))(points), sum(alone), equal_nan=True)
    shots = exact_solution(helmholtz(sources=Shots(SOURCE, [SOURCE, other])))(points)
    assert np.allclose(shots, np.stack([alone[0], sum(alone)], axis=1), equal_nan=True)


def test_the_exact_field_is_nan_within_six_deviations_of_a_gaussian() -> None:
    distance = np.array([0.0, 0.03, 0.0599, 0.0601, 0.1])
    field_there = exact_solution(helmholtz())(np.stack([-0.3 + distance, 0.1 + 0 * distance], axis=1))
    assert np.isnan(field_there).tolist() == [True, True, True, False, False]


def test_weak_layers_are_noted() -> None:
    weak = exact_solution(helmholtz(boundary=PML(width=0.5, strength=0.5)))
    assert weak.notes[0].startswith(
        "The exact field assumes infinitely deep absorbing layers; these layers reflect 0.036"
    )
    assert exact_solution(helmholtz()).notes == ()


def test_a_solution_off_by_a_factor_is_off_by_that_much_in_every_region() -> None:
    problem = helmholtz(Piecewise(1.0, (DISK, 2.0)))
    report = validate(Known(problem, filled(problem, 1.01 * np.exp(0.02j))))
    assert list(report.errors) == [("solution", "exact")]
    assert list(report.metrics) == ["whole", "physical", "disk"]
    for metrics in report.metrics.values():
        assert metrics["relative_l2"] == pytest.approx(abs(1.01 * np.exp(0.02j) - 1), rel=1e-9)
        assert metrics["phase_error"] == pytest.approx(0.02, rel=1e-9)
        assert metrics["amplitude_error"] == pytest.approx(0.01, rel=1e-9)
    assert report.relative_l2 == report.metrics["physical"]["relative_l2"]


def test_an_error_is_counted_where_it_is() -> None:
    problem = helmholtz(Piecewise(1.0, (DISK, 2.0)))

    def off(where: Callable[[np.ndarray], np.ndarray]) -> dict[str, bool]:
        good = filled(problem)
        report = validate(Known(problem, lambda x: good(x) + 0.1 * where(x)), shape=(101, 101))
        return {name: metrics["max_error"] > 1e-3 for name, metrics in report.metrics.items()}

    in_layer = off(lambda x: np.abs(x[:, 0]) > 0.55)
    assert in_layer == {"whole": True, "physical": False, "disk": False}
    in_disk = off(lambda x: DISK.signed_distance(x) < -0.05)
    assert in_disk == {"whole": True, "physical": True, "disk": True}
    beside = off(lambda x: (x[:, 0] > 0.33) & (x[:, 0] < 0.45))
    assert beside == {"whole": True, "physical": True, "disk": False}
    at_source = off(lambda x: np.hypot(x[:, 0] + 0.3, x[:, 1] - 0.1) < 0.055)
    assert at_source == {"whole": False, "physical": False, "disk": False}


def test_points_are_counted() -> None:
    problem = helmholtz(Piecewise(1.0, (DISK, 2.0)))
    report = validate(Known(problem, filled(problem)), shape=(101, 81))
    points = Grid((-1, -1), (1, 1), (101, 81)).points
    physical = np.abs(points).max(axis=1) <= 0.5
    near = np.hypot(*(points - [-0.3, 0.1]).T) < 0.06
    assert report.metrics["physical"]["points"] == (physical & ~near).sum()
    assert report.metrics["disk"]["points"] == (np.hypot(*(points - DISK.center).T) <= 0.2).sum()
    assert report.fields["solution"].shape == (101, 81)


def test_the_core_of_a_source_counts_only_where_the_grid_resolves_it() -> None:
    wide = GaussianSource((0.0, 0.0), 0.0025)  # s = 0.05
    for source, shape, counted in (
        (wide, 101, True),
        (wide, 41, False),
        (PointSource((0.0, 0.0)), 101, False),
    ):
        problem = helmholtz(helmholtz_speed, sources=source)
        grid = Grid((-1, -1), (1, 1), (shape, shape))
        there = np.hypot(*grid.points.T) < 1e-6
        truth = OnGrid(grid, np.ones((shape, shape), dtype=complex))
        report = validate(Known(problem, lambda x, there=there: 1.0 + 5j * there), truth)
        assert (report.metrics["whole"]["max_error"] == 5.0) == counted
        assert report.metrics["physical"]["max_error"] == 0.0
        assert any("does not resolve the source" in note for note in report.notes) != counted


def helmholtz_speed(x):
    """Neither uniform nor a disk."""
    return 1.0 + 0.05 * x[:, 0]


def test_with_reference_and_exact_field_all_three_pairs_are_compared() -> None:
    problem = helmholtz()
    grid = Grid((-1, -1), (1, 1), (91, 91))
    truth = OnGrid(grid, filled(problem, 1.002)(grid.points).reshape(91, 91), error_estimate=2e-3)
    report = validate(Known(problem, filled(problem, 0.99)), truth)
    errors = {pair: regions["physical"]["relative_l2"] for pair, regions in report.errors.items()}
    assert errors == {
        ("solution", "reference"): pytest.approx(0.012 / 1.002),
        ("solution", "exact"): pytest.approx(0.01),
        ("reference", "exact"): pytest.approx(0.002),
    }
    assert report.metrics is report.errors["solution", "reference"]
    assert report.relative_l2 == pytest.approx(0.01)
    assert report.judge == "exact"
    assert report.seconds == {"solution": 2.5, "reference": 0.5}
    assert "The reference: coarse but honest" in report.notes


@pytest.mark.parametrize(
    ("bar", "said"),
    [
        (2e-2, "larger than the difference measured, 1 %: that number is a bound, not a measurement"),
        (5e-3, "Of the difference from the reference, 1 %, up to 0.5 % may be the reference's own"),
        (None, "has no error estimate"),
        (1e-4, None),
    ],
)
def test_the_report_says_how_much_of_the_difference_is_the_reference_s_own(bar, said) -> None:
    problem = helmholtz(helmholtz_speed)
    grid = Grid((-1, -1), (1, 1), (51, 51))
    truth = OnGrid(grid, np.ones((51, 51), dtype=complex), error_estimate=bar, notes=())
    notes = validate(Known(problem, lambda x: np.full(len(x), 1.01 + 0j)), truth).notes
    if said is None:
        assert len(notes) == 1  # on the source, which 51 nodes do not resolve
    else:
        assert said in notes[0]


def test_what_the_user_knows_wins_over_what_is_recognised() -> None:
    problem = helmholtz(exact=lambda x: np.ones(len(x)))
    report = validate(Known(problem, lambda x: np.full(len(x), 1.5 + 0j)))
    assert report.relative_l2 == pytest.approx(0.5)
    assert report.notes[0] == "The exact field: given with the problem."


def test_real_fields_on_part_of_a_box_are_compared_inside_only() -> None:
    domain = SQUARE - Disk((0.0, 0.0), 0.5)
    problem = Problem(
        "hole", domain, Equation(lambda x, u: u.laplacian), (), Dirichlet(0.0), exact=lambda x: x[:, 0]
    )
    report = validate(Known(problem, lambda x: 1.1 * x[:, 0]), shape=(201, 201))
    share = report.metrics["whole"]["points"] / 201**2
    assert share == pytest.approx(domain.measure / 4, rel=0.01)
    assert "phase_error" not in report.metrics["whole"]
    assert report.relative_l2 == pytest.approx(0.1)
    assert np.isnan(report.fields["solution"][100, 100])
    assert set(report.annotations.outlines) == {"domain"}


def test_each_shot_leaves_out_its_own_source() -> None:
    shots = Shots(GaussianSource((-0.3, 0.0), 1e-4), GaussianSource((0.3, 0.0), 1e-4))
    problem = helmholtz(sources=shots)
    good = filled(problem)

    def bad_at(shot: int) -> float:
        def off(x: np.ndarray) -> np.ndarray:
            u = good(x)
            u[:, shot] += np.hypot(x[:, 0] + 0.3, x[:, 1]) < 0.05
            return u

        return validate(Known(problem, off), shape=(101, 101)).relative_l2

    assert bad_at(0) < 1e-12
    assert bad_at(1) > 0.1
    assert validate(Known(problem, good), shape=(41, 41)).annotations.columns == ("shot 1", "shot 2")


def test_a_field_that_is_not_finite_never_passes() -> None:
    problem = helmholtz()
    good = filled(problem)
    broken = Known(problem, lambda x: np.where(x[:, 0] > 0.4, np.nan, good(x)))
    report = validate(broken, tolerance=0.5, shape=(41, 41))
    assert np.isnan(report.relative_l2)
    assert report.passed is False
    assert "The solution is not finite everywhere in region physical." in report.notes
    assert "n/a, NOT within the tolerance of 50 %" in report.headline


def test_the_verdict_is_given_only_when_asked_for() -> None:
    problem = helmholtz()
    solution = Known(problem, filled(problem, 1.01))
    assert validate(solution, shape=(41, 41)).passed is None
    assert validate(solution, shape=(41, 41), tolerance=0.011).passed is True
    assert validate(solution, shape=(41, 41), tolerance=0.009).passed is False


def test_in_one_dimension_the_exact_wave_is_found_too() -> None:
    problem = Problem("line", Interval(-1.0, 1.0), Helmholtz(30.0), PointSource((0.1,)), PML(width=0.3))
    report = validate(Known(problem, filled(problem, 1.001)))
    assert report.relative_l2 == pytest.approx(1e-3)
    assert len(report.axes) == 1


def test_where_nothing_is_known_the_way_out_is_named() -> None:
    problem = helmholtz_square()
    with pytest.raises(DeclarationError, match=r"npde.reference\(problem\)\), or declare Problem\(exact=…\)"):
        validate(Known(problem, lambda x: x[:, 0]))


def test_a_reference_of_another_problem_is_refused() -> None:
    problem = helmholtz()
    solution = Known(problem, filled(problem))
    ones = np.ones((21, 21), dtype=complex)
    with pytest.raises(DeclarationError, match=r"give npde.reference of the same problem"):
        validate(solution, OnGrid(Grid((0, 0), (1, 1), (21, 21)), ones))
    with pytest.raises(DeclarationError, match="the reference has 2 columns, but case has 1"):
        validate(solution, OnGrid(Grid((-1, -1), (1, 1), (21, 21)), np.stack([ones, ones], axis=2)))
    with pytest.raises(DeclarationError, match=r"shape=\(9, 9\) together with a reference"):
        validate(solution, OnGrid(Grid((-1, -1), (1, 1), (21, 21)), ones), shape=(9, 9))


def test_network_grid_and_series_agree_on_the_disk() -> None:
    problem = helmholtz_disk()
    solution = solve(problem, method=Galerkin(tolerance=2e-3), progress=False)
    report = validate(solution, reference(problem, (161, 161)))
    errors = {pair: regions["physical"]["relative_l2"] for pair, regions in report.errors.items()}
    assert errors["solution", "exact"] < 3e-3
    assert errors["reference", "exact"] < 1e-3
    assert errors["solution", "reference"] < 3e-3
    assert report.made_by["method"] == "Galerkin to a relative error of 0.002"


def known(values: Callable[[np.ndarray], np.ndarray], **changes: object) -> Problem:
    """A problem on the unit square with these values on its sides, harmonic inside."""
    given = {
        "name": "known",
        "domain": Box((0, 1), (0, 1)),
        "equation": Poisson(),
        "boundary": Dirichlet(values),
    }
    return Problem(**{**given, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"equation": Poisson(coefficient=2.0)},
            r"coefficient\.value is 1\.0 in the problem that was solved and 2\.0",
        ),
        ({"boundary": Dirichlet(lambda x: x[:, 0])}, "boundary.*function"),
        ({"boundary": Dirichlet(0.0)}, "boundary"),
        ({"sources": [GaussianSource((0.5, 0.5), 0.01)]}, "sources"),
    ],
    ids=["coefficient", "function", "number", "source"],
)
def test_a_reference_of_another_declaration_is_refused_and_the_difference_told(
    changes: dict[str, object], text: str
) -> None:
    problem = known(lambda x: x[:, 0] * x[:, 1])
    other = known(lambda x: x[:, 0] * x[:, 1], **changes)
    with pytest.raises(DeclarationError, match=f"the reference is of another problem: .*{text}"):
        validate(Known(problem, lambda x: x[:, 0] * x[:, 1]), reference(other, 21))


def test_the_same_declaration_written_again_is_the_same_problem() -> None:
    one, two = (known(lambda x: x[:, 0] * x[:, 1], name=name) for name in ("one", "two"))
    report = validate(Known(one, lambda x: x[:, 0] * x[:, 1]), reference(two, 21))
    assert report.relative_l2 < 1e-9


def test_it_is_told_when_solution_and_grid_agree_but_not_with_the_exact_field() -> None:
    problem = known(lambda x: x[:, 0] * x[:, 1], exact=lambda x: 1.1 * x[:, 0] * x[:, 1])
    with pytest.warns(DeclarationWarning, match="agree to .*, but both differ from the exact field"):
        report = validate(Known(problem, lambda x: x[:, 0] * x[:, 1]), reference(problem, 21))
    assert report.notes[0].startswith("The solution and the reference agree to")
    far = validate(Known(problem, lambda x: 1.06 * x[:, 0] * x[:, 1]), reference(problem, 21))
    assert not any("agree to" in note for note in far.notes)
