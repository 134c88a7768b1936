"""Least squares at collocation points, against manufactured solutions on all kinds of domains and conditions."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.assembly.collocation.piecewise import is_linear
from neurapde.problems._cases import POISSON_CASES
from support import assert_same_field

PI = np.pi


def error(solution, exact, domain) -> float:
    x = domain.sample(2000, how="sobol", generator=torch.Generator().manual_seed(90533)).numpy()
    truth = np.asarray(exact(x))
    return float(np.linalg.norm(solution(x) - truth) / np.linalg.norm(truth))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case.name,
            marks=[pytest.mark.slow] * (case.name in ("poisson-square", "poisson-l-shape")),
        )
        for case in POISSON_CASES[:4]
    ],
)
def test_named_problems_meet_their_tolerance_and_their_estimate(case):
    problem = case.factory()
    solution = npde.solve(problem, method=npde.LeastSquares())
    assert solution.status is npde.Status.CONVERGED
    off = error(solution, problem.exact, problem.domain)
    assert off < case.tolerance
    assert off < 2 * solution.stages[-1].extras["error_estimate"] + 1e-9


@pytest.mark.slow
def test_field_bends_where_the_coefficient_jumps():
    problem = npde.problems.poisson_inclusion(contrast=5.0)
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=1e-5))
    assert error(solution, problem.exact, problem.domain) < 1e-5
    inside, outside = np.array([[0.4 - 1e-6, 0.0]]), np.array([[0.4 + 1e-6, 0.0]])
    assert solution(inside) == pytest.approx(solution(outside), abs=1e-4)
    ratio = solution.gradient(outside)[0, 0] / solution.gradient(inside)[0, 0]
    assert ratio == pytest.approx(5.0, rel=1e-2)


@pytest.mark.slow
def test_grid_solver_agrees_on_the_singular_field_of_the_torsion_of_an_l():
    l_shape = npde.problems.poisson_l_shape().domain
    problem = npde.Problem("torsion", l_shape, npde.Poisson(), [1.0], npde.Dirichlet(0.0))
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=1e-3))
    reference = npde.reference(problem, 257)
    x = l_shape.sample(1500, how="grid").numpy()
    x = x[l_shape.signed_distance(x) < -0.05]
    assert np.linalg.norm(solution(x) - reference(x)) < 2e-3 * np.linalg.norm(reference(x))


@pytest.mark.slow
def test_torsion_of_an_l_has_its_known_stiffness():
    """∫u = ∫|∇u|² = 0.2140758 on the L of three unit squares (by adaptive finite elements in the literature)."""
    l_shape = npde.problems.poisson_l_shape().domain
    problem = npde.Problem("torsion", l_shape, npde.Poisson(), [1.0], npde.Dirichlet(0.0))
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=1e-5))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    x, y = np.meshgrid(nodes, nodes, indexing="ij")
    unit = np.stack(((x.ravel() + 1) / 2, (y.ravel() + 1) / 2), axis=1)
    share = np.outer(weights, weights).ravel() / 4
    total = sum(share @ solution(unit + np.array(corner)) for corner in ((-1, -1), (-1, 0), (0, 0)))
    assert total == pytest.approx(0.2140758, abs=2e-6)


def test_micrometres_and_small_coefficients_change_nothing():
    def exact(x):
        return npde.sin(2e6 * x[:, 0]) * npde.cos(1e6 * x[:, 1])

    domain = npde.Box((0, 3e-6), (0, 2e-6))
    problem = npde.Problem(
        "chip",
        domain,
        npde.Poisson(coefficient=1e-12),
        [lambda x: 5 * exact(x)],
        npde.Dirichlet(exact),
    )
    assert error(npde.solve(problem), exact, domain) < 1e-6


def test_a_domain_far_from_the_origin_and_a_long_one_are_solved_as_well():
    def exact(x):
        return npde.sin(x[:, 0] - 1000) * npde.exp(x[:, 1] / 4)

    domain = npde.Box((1000, 1002), (-5, 5))
    source = [lambda x: (1 - 1 / 16) * exact(x)]
    problem = npde.Problem("far", domain, npde.Poisson(), source, npde.Dirichlet(exact))
    assert error(npde.solve(problem), exact, domain) < 1e-6


def test_slopes_beside_values_on_a_disk_by_robin():
    disk = npde.Disk((0.3, -0.2), 0.7)

    def exact(x):
        return npde.exp(x[:, 0]) * npde.sin(x[:, 1])  # harmonic

    def given(x):
        slope = (x[:, 0] - 0.3) * exact(x) + (x[:, 1] + 0.2) * npde.exp(x[:, 0]) * npde.cos(x[:, 1])
        return 2 * exact(x) + slope / 0.7

    problem = npde.Problem("robin", disk, npde.Poisson(), boundary=npde.Robin(2.0, 1.0, given))
    assert error(npde.solve(problem), exact, disk) < 1e-6


def test_slopes_alone_leave_a_constant_open_which_counts_nowhere():
    disk = npde.Disk((0.3, -0.2), 0.7)

    def exact(x):
        return x[:, 0] ** 2 - x[:, 1] ** 2

    def slope(x):
        return (2 * x[:, 0] * (x[:, 0] - 0.3) - 2 * x[:, 1] * (x[:, 1] + 0.2)) / 0.7

    problem = npde.Problem("slopes", disk, npde.Poisson(), boundary=npde.Neumann(slope), exact=exact)
    solution = npde.solve(problem)
    assert solution.status is npde.Status.CONVERGED
    report = npde.validate(solution)
    assert report.relative_l2 < 1e-6
    assert any("do not determine a constant" in note for note in report.notes)


CUBE = npde.Box((0, 1), (0, 1), (0, 1))
SQUARE = npde.Box((0, 1), (0, 1))


@pytest.mark.parametrize(
    ("equation", "domain", "boundary", "exact", "bound"),
    [
        (
            npde.Equation(lambda x, u: u.d(1) - 0.1 * u.d2(0)),
            npde.Box((0, 1), (0, 0.5)),
            [
                npde.Dirichlet(lambda x: npde.sin(PI * x[:, 0]), on="bottom"),
                npde.Dirichlet(0.0, on=("left", "right")),
            ],
            lambda x: np.sin(PI * x[:, 0]) * np.exp(-0.1 * PI**2 * x[:, 1]),
            3e-6,
        ),
        pytest.param(
            npde.Equation(lambda x, u: u.laplacian + 9 * u.value, complex=True),
            SQUARE,
            npde.Robin(
                3j,
                1.0,
                lambda x: (
                    3j * npde.exp(-3j * x[:, 0]) * (1 - (x[:, 0] > 1 - 1e-9) * 1.0)
                    + (x[:, 0] < 1e-9) * 3j * npde.exp(-3j * x[:, 0])
                ),
            ),
            lambda x: np.exp(-3j * x[:, 0]),
            3e-6,
            marks=pytest.mark.slow,
        ),
        (
            npde.Equation(lambda x, u: u.d2(0, 1) - x[:, 0] * 4, mixed=[(0, 1)]),
            SQUARE,
            [npde.Dirichlet(0.0, on=("left", "bottom"))],
            lambda x: 2 * x[:, 0] ** 2 * x[:, 1],
            3e-6,
        ),
        pytest.param(
            npde.Equation(
                lambda x, u: u.laplacian + u.value * 0 + 2 * PI**2 * npde.sin(PI * x[:, 0] + PI * x[:, 1])
            ),
            npde.Box((-1, 1), (-1, 1)),
            [
                npde.Periodic("x"),
                npde.Dirichlet(lambda x: npde.sin(PI * x[:, 0] + PI * x[:, 1]), on=("bottom", "top")),
            ],
            lambda x: np.sin(PI * x[:, 0] + PI * x[:, 1]),
            1e-5,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["heat", "impedance", "mixed-derivative", "periodic"],
)
def test_linear_user_equations_are_solved_to_many_digits(equation, domain, boundary, exact, bound):
    problem = npde.Problem("case", domain, equation, boundary=boundary)
    solution = npde.solve(problem, method=npde.LeastSquares())
    assert error(solution, exact, domain) < bound


@pytest.mark.slow
@pytest.mark.parametrize("tolerance", [1e-2, 1e-3])
def test_three_dimensions_and_neumann_sides(tolerance):
    problem = npde.Problem(
        "cube",
        CUBE,
        npde.Poisson(reaction=1.0),
        [lambda x: -npde.exp(x[:, 0]) * npde.sin(x[:, 1]) * 0 + npde.exp(x[:, 0]) * npde.sin(x[:, 1])],
        [
            npde.Dirichlet(
                lambda x: npde.exp(x[:, 0]) * npde.sin(x[:, 1]), on=("left", "right", "bottom", "top")
            ),
            npde.Neumann(0.0, on=("front", "back")),
        ],
    )
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=tolerance))
    assert error(solution, lambda x: np.exp(x[:, 0]) * np.sin(x[:, 1]), CUBE) < tolerance


@pytest.mark.parametrize(
    ("tolerance", "bound"), [(1e-3, 1e-2), pytest.param(3e-6, 5e-5, marks=pytest.mark.slow)]
)
def test_systems_have_an_amplitude_for_every_component(tolerance, bound):
    def residual(x, u):
        return torch.stack((u[0].d(0) - u[1].d(1), u[0].d(1) + u[1].d(0)), dim=1)  # Cauchy–Riemann

    real_part = npde.Constraint(
        "real", lambda s, u: u[0].value - (s.points[:, 0] ** 2 - s.points[:, 1] ** 2), npde.face(SQUARE)
    )
    origin = npde.Constraint("origin", lambda s, u: u[1].value, npde.at_points(np.zeros((1, 2))))
    problem = npde.Problem(
        "pair", SQUARE, npde.Equation(residual, order=1, outputs=2), constraints=[real_part, origin]
    )
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=tolerance, seconds=900.0))
    exact = lambda x: np.stack((x[:, 0] ** 2 - x[:, 1] ** 2, 2 * x[:, 0] * x[:, 1]), axis=1)  # noqa: E731
    assert error(solution, exact, SQUARE) < bound


def test_measured_points_enter_as_rows():
    x = np.random.default_rng(63331).uniform(0, 1, (40, 1))
    data = npde.Constraint(
        "data",
        lambda samples, u: u.value - torch.sin(3 * samples.points[:, 0]),
        npde.at_points(x),
    )
    problem = npde.Problem(
        "data", npde.Interval(0, 1), npde.Equation(lambda x, u: u.d2(0) + 9 * u.value), constraints=data
    )
    solution = npde.solve(problem)
    assert error(solution, lambda x: np.sin(3 * x[:, 0]), problem.domain) < 3e-6


def test_nonlinear_residuals_are_told_from_linear_ones():
    linear = npde.Equation(lambda x, u: u.laplacian + npde.exp(x[:, 0]) * u.d(1) - 3)
    nonlinear = npde.Equation(lambda x, u: u.laplacian + u.value**2)
    assert is_linear(npde.Problem("one", SQUARE, linear, boundary=npde.Dirichlet(1.0)))
    bent = npde.Problem("two", SQUARE, nonlinear, boundary=npde.Dirichlet(1.0))
    assert not is_linear(bent)
    with pytest.raises(npde.DeclarationError, match="'equation' of two is not linear in u"):
        npde.solve(bent, method=npde.LeastSquares())


def test_values_at_samples_are_fitted_and_so_is_what_lies_between_them():
    axis = np.linspace(-1, 1, 24)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    samples = npde.data.Raster(np.sin(3 * x) * np.exp(y), (-1.0, -1.0), (1.0, 1.0))
    problem = npde.Problem("samples", samples.domain, npde.Fit(values=samples))
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=1e-6), progress=False)
    between = np.random.default_rng(46181).uniform(-1, 1, (200, 2))
    truth = np.sin(3 * between[:, 0]) * np.exp(between[:, 1])
    np.testing.assert_allclose(solution(between), truth, atol=2e-5)


def test_solution_survives_saving(tmp_path):
    problem = npde.problems.poisson_inclusion(contrast=5.0)
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=1e-2))
    loaded = npde.load(solution.save(tmp_path / "u.h5"), problem=problem)
    x = problem.domain.sample(200, how="grid").numpy()
    assert_same_field(loaded(x), solution(x))


def test_too_few_features_are_told():
    problem = npde.problems.poisson_square(waves=(6, 7))
    with pytest.warns(npde.ResolutionWarning, match="above the tolerance 5e-7; give LeastSquares"):
        solution = npde.solve(problem, method=npde.LeastSquares(largest=200))
    assert solution.status is npde.Status.UNRESOLVED


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            lambda: npde.Problem("shots", SQUARE, npde.Poisson(), npde.Shots(1.0, 2.0), npde.Dirichlet(0.0)),
            "it has several shots",
        ),
    ],
)
def test_problems_it_cannot_take_are_refused(problem, message):
    with pytest.raises(npde.DeclarationError, match=message):
        npde.solve(problem(), method=npde.LeastSquares())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"tolerance": 2.0}, "tolerance=2.0"), ({"largest": 3}, "largest=3"), ({"margin": 0.0}, "margin=0.0")],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(npde.DeclarationError, match=message):
        npde.LeastSquares(**arguments)


def test_a_short_time_gets_as_many_sines_as_a_long_one():
    domain = npde.Interval(0, 1).over(npde.Time(0, 0.02))

    def exact(p):
        slow, fast = npde.exp(-(PI**2) * p[:, 1]), npde.exp(-9 * PI**2 * p[:, 1])
        return npde.sin(PI * p[:, 0]) * slow + npde.sin(3 * PI * p[:, 0]) * fast

    problem = npde.Problem(
        domain=domain,
        equation=npde.Equation(lambda x, u: u.d(1) - u.d2(0), order=2),
        boundary=[
            npde.Dirichlet(0.0),
            npde.InitialCondition(lambda p: npde.sin(PI * p[:, 0]) + npde.sin(3 * PI * p[:, 0])),
        ],
    )
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=1e-6, largest=1500), progress=False)
    assert error(solution, exact, domain) < 1e-6


def test_corners_between_arcs_and_sides_are_solved_with_few_features():
    domain = npde.Disk((0, 0), 0.5) | npde.Box((0, 1), (-0.25, 0.25))
    problem = npde.Problem(
        domain=domain,
        equation=npde.Poisson(),
        sources=[lambda x: 1 + 0 * x[:, 0]],
        boundary=npde.Dirichlet(0.0),
    )
    solution = npde.solve(problem, progress=False)
    assert solution.status is npde.Status.CONVERGED
    assert solution.stages[-1].extras["features"] < 500
    x = domain.sample(2000, how="grid").numpy()
    truth = npde.reference(problem, shape=(257, 257))(x)  # of first order at such corners
    known = np.isfinite(truth)
    assert known.mean() > 0.9
    assert np.linalg.norm((solution(x) - truth)[known]) < 5e-4 * np.linalg.norm(truth[known])


@pytest.mark.parametrize(
    ("edge", "beyond", "largest"), [(0.24, 11.5, 150), (0.29, 19.4, 150), (0.36, 5.5, 150)]
)
def test_a_system_across_a_jump_does_not_state_less_than_its_error(edge, beyond, largest):
    """u = C x − x²/2 beside a jump of a, with the flux q = a u' = C − x as a field of its own."""

    def conductivity(x):
        return npde.where(x[:, 0] < edge, 1.0, beyond)

    problem = npde.Problem(
        domain=npde.Interval(0, 1),
        equation=npde.Equation(
            lambda x, u: (u[1].value - conductivity(x) * u[0].d(0), u[1].d(0) + 1.0), outputs=2, order=1
        ),
        boundary=npde.Dirichlet(0.0, component=0),
    )
    with pytest.warns(npde.ResolutionWarning):
        solution = npde.solve(problem, method=npde.LeastSquares(largest=largest), progress=False)
    x = np.linspace(0, 1, 1001)
    whole = edge + (1 - edge) / beyond
    flux = (edge**2 + (1 - edge**2) / beyond) / 2 / whole
    left = flux * x - x**2 / 2
    right = flux * edge - edge**2 / 2 + (flux * (x - edge) - (x**2 - edge**2) / 2) / beyond
    truth = np.column_stack([np.where(x < edge, left, right), flux - x])
    true = np.linalg.norm(solution(x[:, None]) - truth) / np.linalg.norm(truth)
    assert solution.status is npde.Status.UNRESOLVED
    assert true < 3 * solution.stages[-1].extras["error_estimate"]
