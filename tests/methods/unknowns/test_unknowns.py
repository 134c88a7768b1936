"""Unknown numbers and fields are found from data, within standard errors that are honest, or it is said why they are not."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import neurapde as npde
from tests.support import relative

LINE = npde.Interval(0, 1)
PLACES = np.linspace(0, 1, 30)[:, None]


def decay(noise: float, seed: int = 60013, known: bool = True, **given) -> npde.Problem:
    """u′ = −c u from 1, c = 2, measured at 30 places."""
    c = npde.Parameter("c", **{"start": 0.3, "bounds": (0, None), **given})
    values = np.exp(-2 * PLACES[:, 0]) + noise * np.random.default_rng(seed).standard_normal(30)
    return npde.Problem(
        "decay",
        LINE,
        npde.Equation(lambda x, u: u.d(0) + c * u.value, order=1),
        boundary=npde.Dirichlet(1.0, on="left"),
        constraints=npde.measured("values", PLACES, values, noise=noise if known and noise else None),
    )


def test_a_rate_is_found_exactly_from_exact_data():
    solution = npde.solve(decay(0.0))
    assert solution.status is npde.Status.CONVERGED
    assert solution.unknowns["c"].value == pytest.approx(2.0, abs=1e-7)
    assert relative(solution(PLACES), np.exp(-2 * PLACES[:, 0])) < 1e-6
    assert solution.history["c"][-1] == pytest.approx(2.0, abs=1e-7)


def test_noise_that_is_not_told_is_what_is_left_of_the_data():
    solution = npde.solve(decay(0.02, known=False))
    note = next(line for line in solution.notes if line.startswith("Noise of 'values'"))
    assert 0.6 * 0.02 < float(note.rstrip(".").split()[-1]) < 1.5 * 0.02


def test_the_standard_error_is_that_of_nonlinear_regression():
    """By SciPy's curve_fit on the exact solution, whose derivative by c is −x e^(−cx)."""
    estimate = npde.solve(decay(0.05)).unknowns["c"]
    slope = PLACES[:, 0] * np.exp(-estimate.value * PLACES[:, 0])
    assert estimate.standard_error == pytest.approx(0.05 / np.linalg.norm(slope), rel=0.02)


@pytest.mark.slow
def test_standard_errors_cover_the_truth_as_often_as_they_say():
    estimates = [npde.solve(decay(0.05, seed)).unknowns["c"] for seed in range(60017, 60037)]
    apart = np.array([(estimate.value - 2.0) / estimate.standard_error for estimate in estimates])
    assert 15 <= int((np.abs(apart) < 2).sum()) <= 20
    assert 0.6 < float(np.sqrt(np.mean(apart**2))) < 1.5


def test_a_file_holds_what_was_found(tmp_path):
    solution = npde.solve(decay(0.05))
    loaded = npde.load(solution.save(tmp_path / "u.h5"), problem=decay(0.05))
    assert loaded.unknowns["c"].value == solution.unknowns["c"].value
    assert loaded.unknowns["c"].standard_error == solution.unknowns["c"].standard_error


def test_a_belief_that_is_sharp_beside_the_data_is_kept():
    estimate = npde.solve(decay(0.05, prior=(2.5, 1e-4))).unknowns["c"]
    assert estimate.value == pytest.approx(2.5, abs=1e-3)
    assert estimate.standard_error == pytest.approx(1e-4, rel=0.1)


def test_an_unknown_stays_within_its_bounds():
    with pytest.warns(npde.ResolutionWarning, match="times the declared noise"):
        solution = npde.solve(decay(0.02, start=1.0, bounds=(0.1, 1.5)))
    assert solution.unknowns["c"].value == pytest.approx(1.5, abs=1e-2)
    assert "c is at its bound." in solution.notes


def test_data_sets_count_by_their_noise():
    """Two sensors of one constant: the mean weighed by the inverse of the squares of their noise."""
    level = npde.Parameter("level", start=0.0)
    problem = npde.Problem(
        "level",
        LINE,
        npde.Equation(lambda x, u: u.d(0), order=1),
        boundary=npde.Dirichlet(level, on="left"),
        constraints=[
            npde.measured("coarse", [[0.3]], [1.0], noise=0.3),
            npde.measured("fine", [[0.7]], [2.0], noise=0.1),
        ],
    )
    with pytest.warns(npde.ResolutionWarning, match="'coarse' of level is 3"):
        estimate = npde.solve(problem).unknowns["level"]
    assert estimate.value == pytest.approx((1.0 / 0.09 + 2.0 / 0.01) / (1 / 0.09 + 1 / 0.01), rel=1e-3)
    assert estimate.standard_error == pytest.approx((1 / 0.09 + 1 / 0.01) ** -0.5, rel=1e-2)


def test_what_the_data_do_not_tell_is_named():
    first, second = npde.Parameter("first", start=1.0), npde.Parameter("second", start=1.0)
    problem = npde.Problem(
        "sum",
        LINE,
        npde.Equation(lambda x, u: u.d(0) + (first + second) * u.value, order=1),
        boundary=npde.Dirichlet(1.0, on="left"),
        constraints=npde.measured("values", PLACES, np.exp(-2 * PLACES[:, 0]), noise=0.01),
    )
    with pytest.warns(npde.ResolutionWarning, match="do not determine first and second"):
        solution = npde.solve(problem)
    assert np.isinf(solution.unknowns["first"].standard_error)
    assert sum(estimate.value for estimate in solution.unknowns.values()) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("known", [True, False])
def test_a_load_under_noise_of_five_percent_is_smooth_and_its_field_is_near(known):
    """−u″ = q with q = π² sin πx unknown; u is off by much less than the noise."""
    q = npde.UnknownField("q", LINE, start=1.0)
    x = np.linspace(0, 1, 200)[:, None]
    truth = np.sin(np.pi * x[:, 0])
    values = truth + 0.05 * np.random.default_rng(60089).standard_normal(200)
    problem = npde.Problem(
        "load",
        LINE,
        npde.Equation(lambda x, u: u.d2(0) + q(x)),
        boundary=npde.Dirichlet(0.0),
        constraints=npde.measured("values", x, values, noise=0.05 if known else None),
    )
    solution = npde.solve(problem)
    load = solution.unknowns["q"]
    assert relative(solution(x), truth) < 0.02
    assert relative(load(x), np.pi**2 * truth) < 0.15
    off = np.abs(load(x) - np.pi**2 * truth) / load.standard_errors(x)
    assert np.mean(off < 3) > 0.7


def lorenz(t, y):
    return [10 * (y[1] - y[0]), y[0] * (15 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]]


@pytest.mark.slow
def test_the_numbers_of_lorenz_are_found_from_far_away():
    sigma, rho, beta = (npde.Parameter(name, start=1.0) for name in ("sigma", "rho", "beta"))
    times = np.linspace(0, 3, 25)
    values = solve_ivp(lorenz, (0, 3), [-8, 7, 27], t_eval=times, rtol=1e-11, atol=1e-11).y.T

    def residual(x, u):
        p, q, r = (u[i] for i in range(3))
        return [
            p.d(0) - sigma * (q.value - p.value),
            q.d(0) - p.value * (rho - r.value) + q.value,
            r.d(0) - p.value * q.value + beta * r.value,
        ]

    problem = npde.Problem(
        "lorenz",
        npde.Interval(0, 3),
        npde.Equation(residual, order=1, outputs=3),
        boundary=[npde.Dirichlet(v, on="left", component=i) for i, v in enumerate((-8.0, 7.0, 27.0))],
        constraints=npde.measured("states", times[:, None], values),
    )
    estimates = npde.solve(problem, method=npde.GaussNewton(seconds=900)).unknowns
    truth = {"sigma": 10.0, "rho": 15.0, "beta": 8 / 3}
    for name, value in truth.items():
        assert estimates[name].value == pytest.approx(value, rel=1e-5)


@pytest.mark.slow
def test_the_flow_through_a_porous_channel_tells_viscosity_and_permeability():
    """−ν₁/ε u″ + ν u/K = g (Brinkman and Forchheimer without the quadratic term), by its exact solution."""
    porosity, nu, force = 0.4, 1e-3, 1.0
    viscosity = npde.Parameter("viscosity", start=0.1, bounds=(0, None))
    permeability = npde.Parameter("permeability", start=0.1, bounds=(0, None))
    rate = np.sqrt(nu * porosity / 1e-6)
    x = np.linspace(0.02, 0.98, 20)[:, None]
    values = force * 1e-3 / nu * (1 - np.cosh(rate * (x[:, 0] - 0.5)) / np.cosh(rate / 2))
    problem = npde.Problem(
        "channel",
        LINE,
        npde.Equation(lambda x, u: -viscosity / porosity * u.d2(0) + nu * u.value / permeability - force),
        boundary=npde.Dirichlet(0.0),
        constraints=npde.measured("speeds", x, values),
    )
    estimates = npde.solve(problem, method=npde.GaussNewton(seconds=900)).unknowns
    assert estimates["viscosity"].value == pytest.approx(1e-3, rel=1e-4)
    assert estimates["permeability"].value == pytest.approx(1e-3, rel=1e-4)


def test_a_torch_parameter_in_a_residual_is_refused():
    weight = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
    with pytest.raises(npde.DeclarationError, match=r"requires grad.*npde\.Parameter"):
        npde.Problem(
            "torch",
            LINE,
            npde.Equation(lambda x, u: u.d2(0) - weight * u.value),
            boundary=npde.Dirichlet(1.0),
        )


@pytest.mark.parametrize("method", [npde.Adam(10), npde.Newton(), npde.LeastSquares()])
def test_methods_that_do_not_find_unknowns_are_refused(method):
    with pytest.raises(npde.DeclarationError, match=r"has unknowns, c.*GaussNewton"):
        npde.solve(decay(0.05), method=method)


def test_what_cannot_be_found_is_refused():
    with pytest.raises(npde.DeclarationError, match="no unknowns"):
        npde.solve(
            npde.Problem("plain", LINE, npde.Poisson(), 1.0, npde.Dirichlet(0.0)), method=npde.GaussNewton()
        )
    c = npde.Parameter("c", start=1.0)
    with pytest.raises(npde.DeclarationError, match="nothing was measured"):
        npde.solve(
            npde.Problem(
                "silent",
                LINE,
                npde.Equation(lambda x, u: u.d2(0) - c * u.value),
                boundary=npde.Dirichlet(1.0),
            )
        )
    with pytest.raises(npde.DeclarationError, match="not between its bounds"):
        npde.Parameter("c", start=0.0, bounds=(0, 1))
    other = npde.Parameter("c", start=2.0)
    with pytest.raises(npde.DeclarationError, match="two unknowns are named 'c'"):
        npde.solve(
            npde.Problem(
                "twice",
                LINE,
                npde.Equation(lambda x, u: u.d2(0) - c * other * u.value),
                boundary=npde.Dirichlet(1.0),
            )
        )
