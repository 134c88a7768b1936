"""Obstacles: fields that bounds hold, against contact points in closed form, and a binomial tree."""

import numpy as np
import pytest
import torch
from scipy.optimize import brentq, fsolve

import neurapde as npde
from support import relative

EDGE = 1 - np.sqrt(0.75)
"""Where a string leaves the parabola 1/2 − 2x²: its tangent from the end at 1."""


def parabola(x):
    return 0.5 - 2 * x[:, 0] ** 2


def drawn(x: np.ndarray) -> np.ndarray:
    x = np.abs(x[:, 0])
    return np.where(x < EDGE, 0.5 - 2 * x**2, 4 * EDGE * (1 - x))


def string(below=parabola, **equation: object) -> npde.Problem:
    held = npde.Obstacle(lambda x, u: -u.d2(0), below=below)
    return npde.Problem(
        "string", npde.Interval(-1, 1), npde.Equation(held, **equation), boundary=npde.Dirichlet(0.0)
    )


def points_of(problem: npde.Problem, count: int = 2000) -> np.ndarray:
    return problem.domain.sample(count, how="grid").numpy()


def test_a_string_leaves_a_parabola_at_its_tangents_to_the_ends() -> None:
    problem = string()
    solution = npde.solve(problem, method=npde.SpectralElements(1e-6), device="cpu")
    assert solution.status is npde.Status.CONVERGED
    x = points_of(problem)
    assert relative(solution(x), drawn(x)) < 1e-7
    assert (solution(x) - parabola(x)).min() > -1e-7


def sagging(x: np.ndarray, end: float) -> np.ndarray:
    """The integral of (x − s)(10 + 5s) from `end`: what hangs under the load 10 + 5x off a floor at `end`."""
    return 5 * (x - end) ** 2 + 5 * (x**3 / 6 - x * end**2 / 2 + end**3 / 3)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_loaded_string_lies_on_a_floor_and_mirrored_at_a_ceiling(sign: float) -> None:
    left = brentq(lambda end: sagging(-1.0, end) - 0.2, -1 + 1e-9, 0)
    right = brentq(lambda end: sagging(1.3, end) - 0.2, 0.3, 1.3)
    bound = {"below" if sign > 0 else "above": 0.0}
    held = npde.Obstacle(lambda x, u: sign * (10 + 5 * x[:, 0]) - u.d2(0), **bound)
    problem = npde.Problem(
        "floor", npde.Interval(-1, 1.3), npde.Equation(held), boundary=npde.Dirichlet(0.2 * sign)
    )
    solution = npde.solve(problem, method=npde.SpectralElements(1e-5), device="cpu")
    x = points_of(problem)
    place = x[:, 0]
    exact = np.where(place < left, sagging(place, left), np.where(place > right, sagging(place, right), 0.0))
    assert solution.status is npde.Status.CONVERGED
    assert relative(solution(x), sign * exact) < 1e-5


def test_between_two_bounds_the_field_touches_both() -> None:
    held = npde.Obstacle(lambda x, u: -u.d2(0) - 30 * npde.sin(np.pi * x[:, 0]), below=-0.5, above=1.0)
    problem = npde.Problem("both", npde.Interval(-1, 1), npde.Equation(held), boundary=npde.Dirichlet(0.0))
    solution = npde.solve(problem, method=npde.SpectralElements(1e-4), device="cpu")
    x = points_of(problem)
    u = solution(x)
    assert u.min() == pytest.approx(-0.5, abs=1e-4)
    assert u.max() == pytest.approx(1.0, abs=1e-4)
    assert relative(u, between_bounds(x[:, 0])) < 1e-5


def between_bounds(x: np.ndarray) -> np.ndarray:
    """−u″ = 30 sin πx with −1/2 ≤ u ≤ 1: u = K sin πx + a line, and u′ = 0, where a bound is left."""
    size = 30 / np.pi**2

    def line(end: float) -> float:
        """The slope of the line that makes u′ zero at `end`."""
        return -size * np.pi * np.cos(np.pi * end)

    def beside(end: float, side: float, bound: float) -> float:
        return size * np.sin(np.pi * end) + line(end) * (end - side) - bound

    right, left = brentq(beside, 0.55, 0.99, args=(1.0, 1.0)), brentq(beside, -0.99, -0.55, args=(-1.0, -0.5))

    def inside(ends: np.ndarray) -> list[float]:
        low, high = ends
        rise = size * (np.sin(np.pi * high) - np.sin(np.pi * low)) + line(high) * (high - low)
        return [line(low) - line(high), rise - 1.5]

    low, high = fsolve(inside, [-0.4, 0.4], xtol=1e-14)
    middle = size * np.sin(np.pi * x) + line(high) * (x - high) + 1 - size * np.sin(np.pi * high)
    ends = [x < left, x < low, x < high, x < right]
    values = [size * np.sin(np.pi * x) + line(left) * (x + 1), -0.5, middle, 1.0]
    return np.select(ends, values, size * np.sin(np.pi * x) + line(right) * (x - 1))


def membrane() -> tuple[npde.Problem, float]:
    """A membrane over a paraboloid, and the radius of the contact: a logarithm beyond."""
    radius = brentq(lambda r: -2 * r * r * np.log(r) - 0.5 + r * r, 0.1, 0.65)
    held = npde.Obstacle(lambda x, u: -u.laplacian, below=lambda x: 0.5 - x[:, 0] ** 2 - x[:, 1] ** 2)
    domain = npde.Disk((0, 0), 1.0)
    return npde.Problem("membrane", domain, npde.Equation(held), boundary=npde.Dirichlet(0.0)), radius


def test_a_membrane_leaves_a_paraboloid_on_a_circle_and_says_how_far_it_is_off() -> None:
    problem, radius = membrane()
    solution = npde.solve(problem, method=npde.Newton(1e-2), device="cpu")
    x = points_of(problem)
    r = np.hypot(*x.T)
    exact = np.where(r < radius, 0.5 - r**2, -2 * radius**2 * np.log(r))
    error = relative(solution(x), exact)
    assert solution.status is npde.Status.CONVERGED
    assert error < 4e-3
    assert error < 3 * solution.stages[-1].extras["error_estimate"]


@pytest.mark.slow
def test_a_tolerance_that_sines_do_not_reach_is_said_to_be_missed() -> None:
    problem, _ = membrane()
    with pytest.warns(npde.ResolutionWarning, match="above the tolerance"):
        solution = npde.solve(problem, method=npde.Newton(1e-5, largest=400), device="cpu")
    assert solution.status is npde.Status.UNRESOLVED


RATE, VOLATILITY, FAR = 0.06, 0.3, 1.2


def put(american: bool = True) -> npde.Problem:
    """A put with the strike 1 for a year, by the logarithm of the price."""
    drift, spread = RATE - VOLATILITY**2 / 2, VOLATILITY**2 / 2

    def black_scholes(x, u):
        return u.dt - spread * u.d2(0) - drift * u.d(0) + RATE * u.value

    def payoff(x):
        return npde.maximum(1 - npde.exp(x[:, 0]), 0.0)

    domain = npde.Interval(-FAR, FAR).over(npde.Time(0, 1))
    ends = [npde.Dirichlet(1 - np.exp(-FAR), on="left"), npde.Dirichlet(0.0, on="right")]
    held = npde.Obstacle(black_scholes, below=payoff) if american else black_scholes
    return npde.Problem("put", domain, npde.Equation(held), boundary=[*ends, npde.InitialCondition(payoff)])


def tree(price: float, steps: int = 4000) -> float:
    """The American put by the binomial tree of Cox, Ross and Rubinstein."""
    up = np.exp(VOLATILITY * steps**-0.5)
    chance = (np.exp(RATE / steps) - 1 / up) / (up - 1 / up)
    value = np.maximum(1 - price * up ** np.arange(-steps, steps + 1, 2.0), 0)
    for step in range(steps - 1, -1, -1):
        kept = np.exp(-RATE / steps) * (chance * value[1:] + (1 - chance) * value[:-1])
        value = np.maximum(kept, 1 - price * up ** np.arange(-step, step + 1, 2.0))
    return float(value[0])


@pytest.mark.slow
def test_an_american_put_is_worth_what_a_binomial_tree_says() -> None:
    solution = npde.solve(put(), device="cpu")
    assert solution.status is npde.Status.CONVERGED
    assert solution.stages[-1].extras["error_estimate"] < 1e-4
    for price in (0.7, 0.9, 1.0, 1.2):
        assert solution(np.array([[np.log(price), 1.0]]))[0] == pytest.approx(tree(price), abs=4e-5)


@pytest.mark.slow
def test_a_network_trained_on_the_residual_comes_to_the_same_field() -> None:
    problem = string()
    network = npde.MLP(width=20, depth=2, activation="tanh")
    method = npde.NaturalGradient(steps=150, points=400)
    solution = npde.solve(problem, network, method, device="cpu", seed=50413)
    x = points_of(problem)
    assert relative(solution(x), drawn(x)) < 5e-3


def test_a_bound_is_printed_and_far_away_it_changes_nothing() -> None:
    assert "min(residual(x, u), u − parabola(x)) = 0" in str(string())
    held = npde.Obstacle(lambda x, u: -u.d2(0) - 2.0, below=-5.0)
    free = npde.Problem("free", npde.Interval(-1, 1), npde.Equation(held), boundary=npde.Dirichlet(0.0))
    solution = npde.solve(free, method=npde.SpectralElements(1e-6), device="cpu")
    x = points_of(free)
    assert relative(solution(x), 1 - x[:, 0] ** 2) < 1e-10


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: npde.Obstacle(lambda x, u: u.value), "has no bound; give below=…, above=… or both"),
        (
            lambda: npde.Problem(
                "p", npde.Interval(0, 1), npde.Equation(npde.Obstacle(lambda x, u: u.d2(0), below=0.0))
            ),
            r"grows with u.d2\(0\), so that a bound would push the field away; give it the sign of u.dt − u.laplacian",
        ),
        (
            lambda: npde.Problem(
                "p",
                npde.Interval(0, 1).over(npde.Time(0, 1)),
                npde.Equation(npde.Obstacle(lambda x, u: u.dtt - u.laplacian, below=0.0)),
            ),
            "reads u.dtt, but what a field does when it hits a bound the equation does not say",
        ),
        (
            lambda: npde.Problem(
                "p",
                npde.Interval(0, 1),
                npde.Equation(npde.Obstacle(lambda x, u: -u.d2(0), below=1.0, above=0.5)),
            ),
            "below of the Obstacle is 1 at .*, and above is 0.5; give bounds with room between them",
        ),
        (lambda: string(outputs=2), "holds a real field with one component; leave out outputs=…"),
        (lambda: string(complex=True), "holds a real field with one component"),
        (lambda: string(lambda x: x[:, 0] / 0), "below of the Obstacle is .*inf at"),
    ],
)
def test_a_bound_that_holds_nothing_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        make()


def test_marching_over_waves_is_refused_by_name() -> None:
    problem = npde.Problem(
        "ring",
        npde.Interval(0, 1).over(npde.Time(0, 1)),
        npde.Equation(npde.Obstacle(lambda x, u: u.dt - u.d2(0), below=0.0)),
        boundary=[npde.Periodic("x"), npde.InitialCondition(lambda x: npde.sin(2 * np.pi * x[:, 0]) + 1.0)],
    )
    with pytest.raises(npde.DeclarationError, match="waves do not follow the sudden bend"):
        npde.solve(problem, method=npde.TimeMarching(), device="cpu")
    assert torch.is_tensor(problem.equation.residual.below(torch.zeros(1, 2)))
