"""Fresh points as a quadrature: their weights give back the mass of every source, however narrow it is beside another."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.verification.fresh import fresh_samples
from support import some_slow

SQUARE = npde.Box((0, 1), (0, 1))
WIDE = npde.GaussianSource((0.37, 0.61), 0.01)


def gaussian(*at: float, width: float, mass: float):
    source = npde.GaussianSource(at, width**2, mass)
    return lambda x: source(x)


def poisson(domain, *sources) -> npde.Problem:
    return npde.Problem("narrow", domain, npde.Poisson(), list(sources), npde.Dirichlet(0.0))


def fresh(problem: npde.Problem, name: str = "poisson"):
    """The fresh points of a constraint, with their weights."""
    sizes = torch.ones(1 + 2 * problem.domain.dimension, dtype=torch.float64)
    return fresh_samples(problem, sizes)[name]


def mean(problem: npde.Problem, values, name: str = "poisson") -> float:
    """The weighed mean of values at the fresh points of a constraint."""
    samples = fresh(problem, name)
    return float((samples.weights * values(samples.points)).mean())


@pytest.mark.parametrize("width", some_slow([1e-2, 1e-3, 1e-4, 1e-5], 1e-2, 1e-4))
@pytest.mark.parametrize("at", [(0.71, 0.313), (0.4, 0.6)], ids=["beside", "within"])
def test_a_known_source_is_seen_within_the_reach_of_a_wider_one(at, width):
    narrow = npde.GaussianSource(at, width**2, 0.05)
    assert mean(poisson(SQUARE, WIDE, narrow), narrow) == pytest.approx(0.05, rel=0.2)


@pytest.mark.parametrize("width", [4e-3, 1e-3, 5e-4])
def test_a_function_is_looked_at_closer_where_it_changes(width):
    narrow = gaussian(0.71, 0.313, width=width, mass=0.05)
    assert mean(poisson(SQUARE, WIDE, narrow), narrow) == pytest.approx(0.05, rel=0.2)


@pytest.mark.slow
def test_several_narrow_functions_share_the_points():
    places = [(0.2, 0.3), (0.7, 0.2), (0.5, 0.8), (0.81, 0.55)]
    masses = [1.0, 0.3, 0.1, 0.05]
    parts = [gaussian(*at, width=2e-3, mass=mass) for at, mass in zip(places, masses, strict=True)]
    problem = poisson(SQUARE, *parts)
    samples = fresh(problem)
    for part, mass in zip(parts, masses, strict=True):
        assert float((samples.weights * part(samples.points)).mean()) == pytest.approx(mass, rel=0.3)


def test_units_of_the_axes_do_not_matter():
    """A box of 0.1 m by an hour, and a residual that the user wrote."""
    narrow = npde.GaussianSource((0.7, 0.3), 1e-6, 0.05)

    def seen(x):
        scaled = [10 * x[:, 0:1], x[:, 1:2] / 3600]
        return narrow(torch.cat(scaled, dim=1))

    problem = npde.Problem(
        "units",
        npde.Box((0, 0.1), (0, 3600)),
        npde.Equation(lambda x, u: u.laplacian + seen(x)),
        boundary=npde.Dirichlet(0.0),
    )
    assert mean(problem, seen, "equation") == pytest.approx(0.05, rel=0.2)


@pytest.mark.slow
def test_the_rest_of_a_domain_keeps_its_weight():
    """Of a disk with a narrow source in it: the mean square of x is a quarter of its radius."""
    problem = poisson(npde.Disk((0, 0), 1.0), 1.0, npde.GaussianSource((0.3, -0.2), 1e-8))
    assert mean(problem, lambda x: x[:, 0] ** 2) == pytest.approx(0.25, rel=0.1)
    assert mean(problem, lambda x: x[:, 0]) == pytest.approx(0.0, abs=0.05)


def test_boundary_data_are_looked_at_closer():
    def values(x):
        return npde.exp(-(((x[:, 0] - 0.437) / 1e-4) ** 2) / 2) / (1e-4 * np.sqrt(2 * np.pi))

    sides = ("left", "right", "top")
    problem = npde.Problem(
        "narrow data",
        SQUARE,
        npde.Poisson(),
        1.0,
        [npde.Dirichlet(values, on="bottom"), npde.Dirichlet(0.0, on=sides)],
    )
    name = next(constraint.name for constraint in problem.constraints if "bottom" in constraint.name)
    assert mean(problem, values, name) == pytest.approx(1.0, rel=0.2)
