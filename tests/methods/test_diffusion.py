"""Poisson's equation on a lattice of sines by its energy: coefficients of which the strong form knows too little."""

import itertools

import numpy as np
import pytest

import neurapde as npde
from neurapde.methods.choice import choose_method

SQUARE = npde.Box((0, 1), (0, 1))
STRIPE = npde.GridField(np.array([1.0, 1.0, 9.0, 9.0, 2.0])[:, None] * np.ones((5, 2)))
"""A coefficient that varies along x alone, by lines between five nodes."""


def poisson(coefficient, boundary=None, domain=SQUARE, source=1.0, reaction=0.0) -> npde.Problem:
    density = source if callable(source) else (lambda p: source + 0 * p[:, 0])
    return npde.Problem(
        domain=domain,
        equation=npde.Poisson(coefficient, reaction),
        sources=[npde.FunctionSource(density)],
        boundary=npde.Dirichlet(0.0) if boundary is None else boundary,
    )


def stripe() -> npde.Problem:
    """Flow from right to left through STRIPE."""
    sides = [
        npde.Dirichlet(0.0, on="left"),
        npde.Dirichlet(1.0, on="right"),
        npde.Neumann(0.0, on=("bottom", "top")),
    ]
    return poisson(STRIPE, sides, source=0.0)


def solve(problem: npde.Problem, method: npde.Galerkin | None = None) -> npde.Solution:
    return npde.solve(problem, method=method, progress=False)


def apart(values, other) -> float:
    return float(np.linalg.norm(values - other) / np.linalg.norm(other))


def grid(domain: npde.Box, nodes: int) -> np.ndarray:
    axes = [np.linspace(a, b, nodes + 2)[1:-1] for a, b in domain.sides]
    return np.stack([x.ravel() for x in np.meshgrid(*axes, indexing="ij")], axis=-1)


def through_the_stripe(x: np.ndarray) -> np.ndarray:
    """∫₀ˣ ds / a(s) over its whole, a(s) that of STRIPE, by a fine rule on each of its lines."""
    nodes, weights = np.polynomial.legendre.leggauss(40)
    values = np.array([1.0, 1.0, 9.0, 9.0, 2.0])

    def integral(end: float) -> float:
        total = 0.0
        for left, right in itertools.pairwise(np.linspace(0, 1, 5)):
            stop = min(end, right)
            if stop > left:
                s = left + (stop - left) * (nodes + 1) / 2
                total += (
                    float(np.sum(weights / np.interp(s, np.linspace(0, 1, 5), values))) * (stop - left) / 2
                )
        return total

    return np.array([integral(place) for place in x]) / integral(1.0)


@pytest.mark.slow
def test_flow_through_a_stripe_is_the_integral_of_its_resistance():
    problem = stripe()
    solution = solve(problem, npde.Galerkin(tolerance=1e-5))
    points = grid(SQUARE, 15)
    assert solution.status is npde.Status.CONVERGED
    assert apart(solution(points), through_the_stripe(points[:, 0])) < 1e-5


def test_error_is_of_second_order_where_the_slope_has_kinks():
    problem = stripe()
    points = grid(SQUARE, 31)
    truth = through_the_stripe(points[:, 0])
    errors = [apart(solve(problem, npde.Galerkin(0.1, b))(points), truth) for b in (50.0, 100.0, 200.0)]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert slopes.min() > 1.9
    assert errors[-1] < 1e-4


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_smooth_fields_are_found_on_one_to_three_axes(dimension):
    domain = npde.Box(*[(0, 1), (0, 0.7), (0, 0.8)][:dimension])
    lengths = domain.extents

    def exact(p):
        value = 1.0 + 0 * p[:, 0]
        for i in range(dimension):
            value = value * npde.sin(np.pi * p[:, i] / lengths[i])
        return value

    def density(p):
        # a = 1 + x, so −∇·(a∇u) = (1 + x) Σ(π/L)² u − ∂u/∂x
        slope = np.pi / lengths[0] * npde.cos(np.pi * p[:, 0] / lengths[0])
        for i in range(1, dimension):
            slope = slope * npde.sin(np.pi * p[:, i] / lengths[i])
        return (
            (1 + p[:, 0]) * sum((np.pi / length) ** 2 for length in lengths) * exact(p) - slope + 3 * exact(p)
        )

    rise = npde.GridField(np.array([1.0, 2.0]).reshape(2, *[1] * (dimension - 1)) * np.ones((2,) * dimension))
    problem = poisson(rise, domain=domain, source=density, reaction=3.0)
    solution = solve(problem, npde.Galerkin(tolerance=1e-6))
    points = grid(domain, 9)
    assert apart(solution(points), exact(points)) < 1e-6


def test_rough_media_agree_with_the_grid_within_both_error_bars():
    values = np.where(np.random.default_rng(60317).normal(size=(17, 17)) > 0, 12.0, 3.0)
    problem = poisson(npde.GridField(values))
    solution, reference = solve(problem), npde.reference(problem, shape=(257, 257))
    points = grid(SQUARE, 41)
    assert "too rough" in solution.notes[0]
    assert solution.status is npde.Status.CONVERGED
    assert apart(solution(points), reference(points)) < 2e-3


def test_a_constant_that_nothing_holds_is_left_at_zero():
    problem = poisson(STRIPE, npde.Neumann(0.0), source=lambda p: npde.cos(np.pi * p[:, 1]))
    solution, reference = solve(problem), npde.reference(problem, shape=(257, 257))
    points = grid(SQUARE, 33)
    ours, theirs = solution(points), reference(points)
    assert apart(ours - ours.mean(), theirs - theirs.mean()) < 2e-3
    assert abs(ours.mean()) < 0.05 * np.abs(ours).max()


def test_a_negative_reaction_is_no_obstacle():
    problem = poisson(STRIPE, reaction=-100.0)
    points = grid(SQUARE, 33)
    assert apart(solve(problem)(points), npde.reference(problem, shape=(401, 401))(points)) < 1e-3


def test_rough_coefficients_are_told_from_smooth_ones():
    def steep(p):
        return 1.0 + 0.9 * npde.tanh(20 * (p[:, 0] - 0.4))

    def jumping(p):
        return npde.where(p[:, 0] + p[:, 1] < 0.8, 1.0 + 0 * p[:, 0], 5.0)

    chosen = [type(choose_method(poisson(a), None)[0]) for a in (2.0, steep, jumping, STRIPE)]
    assert chosen == [npde.Separable, npde.Separable, npde.Galerkin, npde.Galerkin]


@pytest.mark.parametrize(
    ("boundary", "message"),
    [
        (npde.Robin(1.0, 1.0, 0.0), "does not support the condition"),
        (
            [npde.Dirichlet(0.0, on="left"), npde.Dirichlet(1.0, on=("right", "top", "bottom"))],
            "differ where they meet",
        ),
        (npde.Dirichlet(0.0, on="left"), "has no condition on"),
    ],
    ids=["robin", "corner", "missing"],
)
def test_what_the_energy_does_not_know_is_refused(boundary, message):
    with pytest.raises(npde.DeclarationError, match=message):
        solve(poisson(STRIPE, boundary), npde.Galerkin())


def test_a_medium_too_rough_for_the_features_allowed_says_so_and_how_to_go_on():
    values = np.exp(2.0 * np.random.default_rng(83077).normal(size=(9, 9)))
    method = npde.Galerkin(tolerance=1e-6, largest=40)
    with pytest.warns(npde.ResolutionWarning, match=r"give Galerkin\(bandwidth=251\)"):
        solution = solve(poisson(npde.GridField(values)), method)
    assert solution.status is npde.Status.UNRESOLVED
    assert solution.stages[-1].extras["error_estimate"] > 1e-6
