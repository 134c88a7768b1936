"""Boundary value problems on an interval: narrow sources, thin slabs and layers, systems, and what is not linear."""

import warnings

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import erf

import neurapde as npde
from neurapde.methods.choice import choose_method
from neurapde.methods.elements.steady import SteadyProblem, steady_of
from tests.support import relative, some_slow

LINE = npde.Interval(0, 1)
ENDS = [npde.Dirichlet(0.0, on="left"), npde.Dirichlet(1.0, on="right")]
X = np.unique(np.concatenate([np.linspace(0, 1, 401), 0.37137 + np.linspace(-1e-4, 1e-4, 41)]))[:, None]


def solved(problem: npde.Problem, exact, method: npde.SpectralElements | None = None) -> npde.Solution:
    """Solved without a word, within the tolerance and three times the estimate."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solution = npde.solve(problem, method=method, progress=False)
    assert solution.status is npde.Status.CONVERGED
    assert solution.method.startswith("spectral elements")
    error = relative(np.asarray(solution(X)), exact(X[:, 0]))
    assert error < 1e-8
    assert error < 3 * solution.stages[-1].extras["error_estimate"]
    return solution


@pytest.mark.parametrize("width", some_slow([1e-3, 1e-5], 1e-3))
@pytest.mark.parametrize("own", [False, True], ids=["Poisson", "own equation"])
def test_a_narrow_source_bends_the_field_by_its_mass(width: float, own: bool) -> None:
    at = 0.37137

    def density(x):
        return npde.exp(-((x[:, 0] - at) ** 2) / (2 * width**2))

    def twice(x):
        """The density integrated twice."""
        z = (x - at) / (np.sqrt(2) * width)
        return width * np.sqrt(np.pi / 2) * (x - at) * erf(z) + width**2 * np.exp(-(z**2))

    equation = npde.Equation(lambda x, u: u.d2(0) + density(x)) if own else npde.Poisson()
    sources = () if own else npde.FunctionSource(density)
    problem = npde.Problem("narrow", LINE, equation, sources, npde.Dirichlet(0.0))
    solved(problem, lambda x: twice(0.0) + (twice(1.0) - twice(0.0)) * x - twice(x))


@pytest.mark.parametrize(("thickness", "value"), [(1e-2, 1e-6), (1e-6, 1e-6), (1e-2, 10.0)])
def test_the_flux_goes_on_through_a_declared_slab_however_thin(thickness: float, value: float) -> None:
    slab = npde.Piecewise(1.0, (npde.Interval(0.4, 0.4 + thickness), value))

    def resistance(x):
        within = np.clip(x - 0.4, 0, thickness)
        return x - within + within / value

    problem = npde.Problem("slab", LINE, npde.Poisson(slab), boundary=ENDS)
    solved(problem, lambda x: resistance(x) / resistance(1.0))


@pytest.mark.parametrize("gap", [0.0, 1e-13, 1e-9])
def test_regions_that_all_but_reach_an_end_leave_it_in_its_place(gap: float) -> None:
    """Ends of elements nearer than rounding are one, and the interval's own are kept."""
    interval = npde.Interval(-1e3, 1e3)
    ends = npde.Interval(-1e3 + 2e3 * gap, -900.0), npde.Interval(900.0, 1e3 - 2e3 * gap)
    coat = npde.Piecewise(1.0, *((end, 2.0) for end in ends))
    problem = npde.Problem("coated", interval, npde.Poisson(coat), 1.0, npde.Dirichlet(0.0))
    steady = steady_of(problem)
    assert isinstance(steady, SteadyProblem)
    for breaks in (steady.breaks, steady.mesh(7).edges):
        assert (breaks[0], breaks[-1]) == (-1e3, 1e3)
        assert np.diff(breaks).min() > 1e-9
    assert np.abs(steady.breaks[:, None] - [-900.0, 900.0]).min(axis=0).max() < 1e-9


def test_a_conductor_too_thin_for_slopes_of_its_values_is_left_to_others() -> None:
    slab = npde.Piecewise(1.0, (npde.Interval(0.4, 0.4 + 1e-6), 1e4))
    problem = npde.Problem("slab", LINE, npde.Poisson(slab), boundary=ENDS)
    assert npde.SpectralElements().obstacle(problem) == "Newton's iteration on elements does not converge"


@pytest.mark.parametrize("diffusion", some_slow([1e-2, 1e-5], 1e-5))
def test_a_boundary_layer_is_as_wide_as_it_is(diffusion: float) -> None:
    equation = npde.Equation(lambda x, u: diffusion * u.d2(0) - u.d(0) + 1)
    problem = npde.Problem("layer", LINE, equation, boundary=npde.Dirichlet(0.0))
    end = np.exp(-1 / diffusion)
    solved(problem, lambda x: x - (np.exp((x - 1) / diffusion) - end) / (1 - end))


def bratu(strength: float) -> npde.Problem:
    equation = npde.Equation(lambda x, u: u.d2(0) + strength * npde.exp(u.value))
    return npde.Problem("bratu", LINE, equation, boundary=npde.Dirichlet(0.0))


@pytest.mark.parametrize("strength", [1.0, 3.5, 3.5138])
def test_bratus_lower_branch_up_to_its_fold(strength: float) -> None:
    theta = brentq(lambda t: t - np.sqrt(2 * strength) * np.cosh(t / 4), 0, 4.79, xtol=1e-15)
    solved(bratu(strength), lambda x: -2 * np.log(np.cosh((x - 0.5) * theta / 2) / np.cosh(theta / 4)))


def test_above_the_fold_there_is_none_and_it_is_left_to_others() -> None:
    reason = npde.SpectralElements().obstacle(bratu(3.6))
    assert reason == "Newton's iteration on elements does not converge"
    with pytest.raises(
        npde.DeclarationError, match="cannot take bratu: Newton's iteration on elements does not"
    ):
        npde.solve(bratu(3.6), method=npde.SpectralElements(), progress=False)


def test_components_that_act_on_each_other() -> None:
    """u″ = v and v″ = u, whose difference is a sine and whose sum is a hyperbolic one."""
    equation = npde.Equation(lambda x, u: [u[0].d2(0) - u[1].value, u[1].d2(0) - u[0].value], outputs=2)
    ends = [
        npde.Dirichlet(float(np.sin(1) + np.sinh(1)), on="right", component=0),
        npde.Dirichlet(float(np.sinh(1) - np.sin(1)), on="right", component=1),
        npde.Dirichlet(0.0, on="left", component=0),
        npde.Dirichlet(0.0, on="left", component=1),
    ]
    problem = npde.Problem("two", LINE, equation, boundary=ends)
    x = X[:, 0]
    values = np.asarray(npde.solve(problem, method=npde.SpectralElements(), progress=False)(X))
    assert relative(values, np.column_stack([np.sinh(x) + np.sin(x), np.sinh(x) - np.sin(x)])) < 1e-10


@pytest.mark.slow
def test_a_wave_that_leaves_at_both_ends() -> None:
    """The integral of Green's function, by a fine quadrature."""
    k, s = 200.0, 5e-3
    problem = npde.Problem(
        "wave",
        LINE,
        npde.Helmholtz(k),
        npde.FunctionSource(lambda x: npde.exp(-((x[:, 0] - 0.5) ** 2) / (2 * s**2))),
        npde.Absorbing(),
    )
    nodes, weights = np.polynomial.legendre.leggauss(2000)
    nodes, weights = (nodes + 1) / 2, weights / 2
    load = weights * np.exp(-((nodes - 0.5) ** 2) / (2 * s**2))
    x = X[np.abs(X[:, 0] - 0.5) > 0.1]  # beside the source, where the integrand has no kink
    exact = np.exp(-1j * k * np.abs(x - nodes)) @ load * 1j / (2 * k)
    solution = npde.solve(problem, method=npde.SpectralElements(), progress=False)
    assert relative(np.asarray(solution(x)), exact) < 1e-7


def test_errors_fall_with_the_tolerance() -> None:
    problem = bratu(3.0)
    theta = brentq(lambda t: t - np.sqrt(6) * np.cosh(t / 4), 0, 4.79, xtol=1e-15)
    exact = -2 * np.log(np.cosh((X[:, 0] - 0.5) * theta / 2) / np.cosh(theta / 4))
    for tolerance in (1e-4, 1e-9):
        solution = npde.solve(problem, method=npde.SpectralElements(tolerance), progress=False)
        assert relative(np.asarray(solution(X)), exact) < tolerance


def test_a_solution_is_saved_with_its_elements(tmp_path) -> None:
    solution = npde.solve(bratu(1.0), progress=False)
    solution.save(tmp_path / "u.h5")
    assert np.array_equal(npde.load(tmp_path / "u.h5")(X), solution(X))


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (npde.Problem("slopes", LINE, npde.Poisson(), 1.0, npde.Neumann(0.0)), "no solution"),
        (
            npde.Problem(
                "start",
                LINE,
                npde.Equation(lambda x, u: u.d2(0) + u.value),
                boundary=[npde.Dirichlet(0.0, on="left"), npde.Neumann(1.0, on="left")],
            ),
            "it has 2 and 0 conditions at its ends",
        ),
        (
            npde.Problem(
                "first",
                LINE,
                npde.Equation(lambda x, u: u.d(0) + u.value, order=1),
                boundary=npde.Dirichlet(1.0, on="left"),
            ),
            "it uses no second derivative",
        ),
        (
            npde.Problem(
                "plane",
                npde.Box((0, 1), (0, 1)),
                npde.Equation(lambda x, u: u.laplacian),
                boundary=npde.Dirichlet(1.0),
            ),
            "elements need an Interval",
        ),
    ],
    ids=["slopes alone", "an initial value", "first order", "a plane"],
)
def test_what_it_cannot_take_is_refused_by_name(problem: npde.Problem, reason: str) -> None:
    with pytest.raises(npde.DeclarationError, match=reason):
        npde.solve(problem, method=npde.SpectralElements(), progress=False)
    assert not isinstance(choose_method(problem, None)[0], npde.SpectralElements)
