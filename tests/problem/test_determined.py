"""What is not determined, or cannot be met, is told before any work is done."""

import re

import numpy as np
import pytest

import neurapde as npde
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.verification.determined import check_determined

SQUARE = npde.Box((0, 1), (0, 1))
ROD = npde.Interval(0, 1)
IN_TIME = ROD.over(npde.Time(0, 1))


def heat(x, u):
    return u.dt - u.d2(0)


def advection(x, u):
    return u.dt + u.d(0)


def declared(domain, equation, boundary=(), sources=(), **rest):
    return npde.Problem("case", domain, equation, sources, boundary, **rest)


def refused(problem, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        npde.solve(problem, progress=False)


@pytest.mark.parametrize(
    ("boundary", "silent"),
    [
        ((), "left, right, bottom and top"),
        (npde.Dirichlet(0.0, on=("left", "right", "top")), "bottom"),
        ([npde.Periodic("x"), npde.Neumann(0.0, on="top")], "bottom"),
    ],
)
@pytest.mark.parametrize("equation", [npde.Poisson(), npde.Helmholtz(5.0)])
def test_a_face_of_which_nothing_is_said_is_named(equation, boundary, silent: str) -> None:
    refused(declared(SQUARE, equation, boundary, [1.0]), f"case has no condition on {silent}, so it has")


def test_a_wave_with_a_silent_face_is_refused() -> None:
    boundary = [npde.InitialCondition(1.0), npde.Absorbing(on=("left", "right", "top"))]
    problem = declared(SQUARE.over(npde.Time(0, 1)), npde.Wave(), boundary)
    refused(problem, "case has no condition on bottom")


@pytest.mark.parametrize("method", [None, npde.LeastSquares(), npde.NaturalGradient(3, points=40)])
def test_a_forgotten_beginning_is_told_to_every_method(method) -> None:
    with pytest.raises(DeclarationError, match="has no initial condition"):
        npde.solve(declared(IN_TIME, npde.Equation(heat), npde.Dirichlet(0.0)), method=method, progress=False)


def test_a_beginning_may_be_said_by_a_condition_on_the_face_in_time() -> None:
    boundary = [npde.Dirichlet(0.0), npde.Dirichlet(lambda x: npde.sin(np.pi * x[:, 0]), on="initial")]
    solution = npde.solve(declared(IN_TIME, npde.Equation(heat), boundary), progress=False)
    assert float(solution(np.array([[0.5, 0.1]]))[0]) == pytest.approx(np.exp(-0.1 * np.pi**2), rel=1e-5)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            declared(ROD, npde.Equation(lambda x, u: u.d2(0) + u.value), npde.Dirichlet(0.0, on="left")),
            "adding a field",
        ),
        pytest.param(
            declared(IN_TIME, npde.Equation(advection, order=1), npde.InitialCondition(1.0)),
            "or more independent fields",
            marks=pytest.mark.slow,
        ),
        (
            declared(SQUARE, npde.Equation(lambda x, u: u.laplacian - 1), npde.Dirichlet(0.0, on="left")),
            "or more independent fields",
        ),
        (
            declared(
                ROD,
                npde.Equation(lambda x, u: u.d2(0) + np.pi**2 * u.value - npde.sin(2 * np.pi * x[:, 0])),
                npde.Dirichlet(0.0),
            ),
            "adding a field",
        ),
        (
            declared(
                SQUARE, npde.Equation(lambda x, u: u.laplacian + npde.cos(np.pi * x[:, 0])), npde.Neumann(0.0)
            ),
            "when a constant is added .* npde.at_points",
        ),
    ],
    ids=["one end of two", "no inflow", "one side of four", "an eigenvalue", "slopes alone"],
)
def test_fields_that_no_constraint_notices_are_found(problem, message: str) -> None:
    refused(problem, f"has many solutions: .*{message}")


def laplace(x, u):
    return u.laplacian - 1


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            declared(SQUARE, npde.Equation(laplace), npde.Neumann(0.0)),
            "a constant .* if 1 .*'equation'.* 1 in all",
        ),
        (
            declared(npde.Interval(0, 5), npde.Equation(laplace), npde.Neumann(0.1)),
            "a constant .* if 0.96 .* 4.8 in all",
        ),
        (
            declared(ROD, npde.Equation(lambda x, u: u.d2(0) + np.pi**2 * u.value - 1), npde.Dirichlet(0.0)),
            "a field .* if 1.273 times that field",
        ),
    ],
    ids=["square", "long line", "an eigenvalue"],
)
def test_what_drives_a_field_that_nothing_holds_must_balance(problem, message: str) -> None:
    refused(problem, f"has no solution: its constraints do not change when {message}")


def level(value: float, *at: float) -> npde.Constraint:
    return npde.Constraint(f"level {value}", lambda s, u: u.value - value, npde.at_points([at]))


START = npde.InitialCondition(lambda x: npde.sin(np.pi * x[:, 0]))
SIDES = npde.Dirichlet(0.0, on=("left", "right"))


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            declared(ROD, npde.Equation(laplace), SIDES, constraints=[level(1.0, 0.5), level(3.0, 0.5)]),
            "at 0.5 'level 1.0' and 'level 3.0' contradict each other by 2; 'level 1.0' gives 1 there, but 'level 3.0' "
            "gives 3;",
        ),
        (
            declared(SQUARE, npde.Equation(laplace), npde.Dirichlet(0.0), constraints=level(2.5, 1.0, 0.3)),
            r"at \(1, 0.3\) 'dirichlet' and 'level 2.5' contradict each other by 2.5",
        ),
        (
            declared(
                IN_TIME, npde.Equation(heat), [SIDES, START, npde.Dirichlet(3.0, on="initial", name="again")]
            ),
            "'initial-value' and 'again' contradict each other by",
        ),
        (
            declared(
                ROD,
                npde.Equation(lambda x, u: u.d(0) + u.value**2, order=1),
                [npde.Dirichlet(1.0, on="left"), npde.Robin(2.0, 0.0, 5.0, on="left")],
            ),
            "'dirichlet-left' and 'robin-left' contradict each other by 3",
        ),
    ],
    ids=["points", "face and point", "beginnings", "not linear"],
)
def test_conditions_that_contradict_one_another_at_a_point_are_named(problem, message: str) -> None:
    refused(problem, f"case has no solution: .*{message}")


@pytest.mark.parametrize(
    ("boundary", "message"),
    [
        (
            [npde.InitialCondition(1.0), npde.Dirichlet(3.0, on="right")],
            "at (1, 0): 'initial-value' gives 1 there, but 'dirichlet-right' gives 3.",
        ),
        (
            [npde.InitialCondition(lambda x: x[:, 0]), npde.Periodic("x")],
            "at (1, 0): 'periodic-x' gives 0 there, but 'initial-value' gives 1.",
        ),
        (
            [npde.Dirichlet(2.0, on="initial"), npde.Dirichlet(4.0, on="left")],
            "at (0, 0): 'dirichlet-initial' gives 2 there, but 'dirichlet-left' gives 4.",
        ),
        ([START, SIDES], None),
        ([npde.InitialCondition(1.0), npde.Neumann(5.0)], None),
    ],
)
def test_a_beginning_that_jumps_to_its_sides_is_told_at_the_start(boundary, message) -> None:
    problem = declared(IN_TIME, npde.Equation(lambda x, u: u.dt - u.d2(0) + u.value**3), boundary)
    if message is None:
        check_determined(problem)
    else:
        with pytest.warns(
            DeclarationWarning, match=re.escape(f"the field of case begins with a jump {message}")
        ):
            check_determined(problem)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            declared(
                npde.Interval(0, 1e-6),
                npde.Equation(lambda x, u: u.d(0) + 0 * u.value, order=1),
                [npde.Dirichlet(0.0, on="left"), npde.Dirichlet(1e5, on="right")],
            ),
            "along x 'dirichlet-left' and 'dirichlet-right' are 2 .* takes 1, .* is violated by (1(00000|e5)|99000)",
        ),
        (
            declared(
                ROD,
                npde.Equation(lambda x, u: u.d(0) + u.value, order=1),
                [npde.Dirichlet(1.0, on="left"), npde.Neumann(5.0, on="left")],
            ),
            "'dirichlet-left' and 'neumann-left' are 2 .* takes 1, .* 'neumann-left' is violated by (4|3.9)",
        ),
        (
            declared(
                ROD,
                npde.Equation(lambda x, u: [u[0].d(0) - u[1].value, u[1].d(0)], order=1, outputs=2),
                [npde.Dirichlet(0.0, component=0), npde.Dirichlet(2.0, on="left", component=1)],
            ),
            "are 3 conditions, but its equation takes 2",
        ),
        (
            declared(SQUARE, npde.Equation(laplace), [npde.Dirichlet(0.0), npde.Neumann(1.0, on="left")]),
            "along x 'dirichlet' and 'neumann-left' are 3 .* takes 2, .* 'neumann-left' is violated by (1|0.99)",
        ),
        (
            declared(
                npde.Disk((0, 0), 2.0), npde.Equation(laplace), [npde.Dirichlet(0.0), npde.Neumann(3.0)]
            ),
            "on disk 'dirichlet' and 'neumann' are 2 .* takes 1, .* 'neumann' is violated by (2|1.9)",
        ),
        (
            declared(IN_TIME, npde.Equation(heat), [SIDES, START, npde.Dirichlet(0.3, on="final")]),
            "along t 'initial-value' and 'dirichlet-final' are 2 .* takes 1, .* 'dirichlet-final' is violated by 0.",
        ),
        (
            declared(
                ROD,
                npde.Equation(lambda x, u: u.d2(0) - u.value + x[:, 0]),
                [npde.Periodic("x"), npde.Dirichlet(0.0, on="left")],
            ),
            "along x 'dirichlet-left', 'periodic-x' and 'periodic-x-slope' are 3 .* takes 2, ",
        ),
    ],
    ids=["two ends", "value and slope", "system", "square", "disk", "beginning and end", "a period"],
)
def test_more_conditions_than_the_equation_takes_are_named_with_what_they_are_off_by(
    problem, message
) -> None:
    refused(problem, f"case has no solution: .*{message}")


@pytest.mark.parametrize(
    "problem",
    [
        declared(
            ROD,
            npde.Equation(lambda x, u: u.d(0) + u.value, order=1),
            [npde.Dirichlet(1.0, on="left"), npde.Dirichlet(np.exp(-1.0), on="right")],
        ),
        declared(
            ROD,
            npde.Equation(lambda x, u: u.d2(0) - u.value + npde.sin(2 * np.pi * x[:, 0])),
            [npde.Periodic("x"), npde.Dirichlet(0.0, on="left")],
        ),
        declared(
            ROD,
            npde.Equation(lambda x, u: u.d(0) + u.value - 1.0, order=1),
            [npde.Periodic("x"), npde.Dirichlet(1.0, on="left")],
        ),
    ],
    ids=["two ends", "a period", "a period of first order"],
)
def test_more_conditions_than_needed_may_say_the_same(problem) -> None:
    assert npde.solve(problem, progress=False).status is npde.Status.CONVERGED


@pytest.mark.parametrize(
    "problem",
    [
        declared(
            ROD,
            npde.Equation(lambda x, u: u.d2(0) + u.value),
            [npde.Dirichlet(0.0, on="left"), npde.Neumann(1.0, on="left")],
        ),
        declared(
            ROD, npde.Equation(lambda x, u: x[:, 0] * u.d(0) + u.value - 1 + 0 * x[:, 0], order=1)
        ),  # regular at 0
        declared(
            ROD,
            npde.Equation(lambda x, u: u.d2(0) + (1.001 * np.pi) ** 2 * u.value),
            [npde.Dirichlet(0.0, on="left"), npde.Dirichlet(1.0, on="right")],
        ),
        declared(
            ROD,
            npde.Equation(lambda x, u: 0.02 * u.d2(0) - u.d(0) + 1),
            npde.Dirichlet(0.0),
        ),
        pytest.param(
            declared(
                SQUARE,
                npde.Equation(lambda x, u: u.laplacian + npde.cos(np.pi * x[:, 0])),
                npde.Neumann(0.0),
                constraints=npde.Constraint("level", lambda s, u: u.value, npde.at_points([[0.5, 0.5]])),
            ),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["all at one end", "a singular end", "near an eigenvalue", "a layer", "slopes and a point"],
)
def test_what_is_determined_is_solved_without_a_word(problem) -> None:
    assert npde.solve(problem, progress=False).status is npde.Status.CONVERGED


@pytest.mark.parametrize("apart", [1e-3, 1e-5, 1e-6])
@pytest.mark.parametrize("named", [False, True], ids=["own", "helmholtz"])
def test_beside_a_resonance_there_is_one_solution(apart: float, named: bool) -> None:
    k = np.pi * (1 + apart)
    equation = npde.Helmholtz(k) if named else npde.Equation(lambda x, u: u.d2(0) + k**2 * u.value - 1)
    problem = declared(ROD, equation, npde.Dirichlet(0.0), [1.0] if named else ())
    solution = npde.solve(problem, method=npde.LeastSquares(), progress=False)
    x = np.linspace(0, 1, 101)
    truth = (1 - np.cos(k * x) + np.sin(k / 2) / np.sin(np.pi * apart / 2) * np.sin(k * x)) / k**2
    assert solution.status is npde.Status.CONVERGED
    np.testing.assert_allclose(solution(x[:, None]), truth, atol=1e-5 * truth.max())


@pytest.mark.slow
def test_so_near_to_a_resonance_that_digits_are_lost_the_estimate_says_how_many() -> None:
    apart = 1e-10
    k = np.pi * (1 + apart)
    problem = declared(ROD, npde.Equation(lambda x, u: u.d2(0) + k**2 * u.value - 1), npde.Dirichlet(0.0))
    with pytest.warns(npde.ResolutionWarning, match="relative error"):
        solution = npde.solve(problem, progress=False)
    middle = 2 / (np.pi**3 * apart)  # of a solution that is next to a sine
    assert solution.status is npde.Status.UNRESOLVED
    value = float(np.real(solution(np.array([[0.5]]))[0]))
    assert abs(value - middle) < 10 * solution.stages[-1].extras["error_estimate"] * middle


@pytest.mark.parametrize("domain", [SQUARE, npde.Disk((0, 0), 1.0), SQUARE - npde.Disk((0.5, 0.5), 0.2)])
def test_slopes_that_do_not_balance_the_sources_have_no_solution(domain) -> None:
    around = float(domain.boundary_size(domain.faces))
    refused(declared(domain, npde.Poisson(), npde.Neumann(0.0), [1.0]), "has no solution: .* but this is")
    slope = -float(domain.measure) / around
    declared_well = declared(domain, npde.Poisson(), npde.Neumann(slope), [1.0])
    assert npde.solve(declared_well, method=npde.LeastSquares(tolerance=2e-2), progress=False).status is not (
        npde.Status.DIVERGED
    )


def test_a_narrow_source_is_balanced_by_its_exact_mass() -> None:
    source = npde.GaussianSource(at=(0.3, 0.6), variance=1e-7, amplitude=2.0)
    refused(declared(SQUARE, npde.Poisson(), npde.Neumann(0.0), [source]), "but this is 2;")


@pytest.mark.parametrize(
    ("equation", "boundary", "message"),
    [
        (npde.Poisson(), [npde.Dirichlet(0.0), npde.Dirichlet(1.0, on="left")], "left has two conditions"),
        (npde.Poisson(), [npde.Dirichlet(0.0), npde.Neumann(1.0, on="top")], "top has two conditions"),
        (npde.Poisson(), [npde.Dirichlet(0.0), npde.Periodic("x")], "left has two conditions"),
        (npde.Helmholtz(9.0), [npde.PML(0.4), npde.Robin(1.0, 1.0, on="top")], "top has two conditions"),
        (npde.Helmholtz(9.0), [npde.PML(0.4), npde.Dirichlet(0.0, on="left")], "left has two conditions"),
        (
            npde.Equation(lambda x, u: u.laplacian),
            [npde.Neumann(0.0), npde.Neumann(1.0, on="left")],
            "left has two",
        ),
    ],
)
def test_two_conditions_on_a_face_are_refused_where_they_are_declared(
    equation, boundary, message: str
) -> None:
    with pytest.raises(DeclarationError, match=message):
        declared(SQUARE, equation, boundary)


def test_two_conditions_on_a_side_of_a_wave_are_refused_where_they_are_declared() -> None:
    boundary = [npde.Absorbing(), npde.Dirichlet(0.0, on="left")]
    with pytest.raises(DeclarationError, match="left has two conditions"):
        declared(SQUARE.over(npde.Time(0, 1)), npde.Wave(), boundary)


def test_conditions_that_do_not_meet_stand_side_by_side() -> None:
    value = npde.Dirichlet(0.0, on="left")
    declared(ROD, npde.Equation(lambda x, u: u.d2(0)), [value, npde.Neumann(1.0, on="left")])
    declared(ROD, npde.Poisson(), [npde.Dirichlet(0.0), npde.Dirichlet(0.0, on="left", name="again")])
    components = [npde.Dirichlet(float(i), on="left", component=i) for i in (0, 1)]
    declared(ROD, npde.Equation(lambda x, u: [u[0].d(0), u[1].d(0)], outputs=2, order=1), components)


def test_a_wave_that_nothing_drives_is_said_to_be_zero() -> None:
    problem = declared(SQUARE.over(npde.Time(0, 1)), npde.Wave(), npde.Dirichlet(0.0))
    with pytest.warns(DeclarationWarning, match="zero everywhere: all sources"):
        npde.solve(problem, progress=False)


@pytest.mark.parametrize("size", [1.0, 1e8, 1e-8])
def test_a_component_that_is_given_up_to_a_constant_is_told_whatever_its_size(size: float) -> None:
    def residual(x, u):
        return [u[0].laplacian - u[1].d(0) / size, u[1].d(0) - size * np.pi * npde.cos(np.pi * x[:, 0])]

    problem = declared(ROD, npde.Equation(residual, outputs=2), npde.Dirichlet(0.0, component=0))
    with pytest.raises(DeclarationError, match="many solutions"):
        npde.solve(problem, method=npde.LeastSquares(), progress=False)
