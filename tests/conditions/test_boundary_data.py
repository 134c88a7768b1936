"""Data on a boundary are looked at as closely as coefficients: what is narrower than a method sees is told."""

from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.conditions import Sides
from neurapde.conditions.boundary_data import narrowest_data

SQUARE = npde.Box((0, 1), (0, 1))
PLATE = npde.Box((0, 2), (0, 2)) - npde.Disk((1.0, 1.0), 0.4)


def bump(width: float, place: float = 0.3791) -> Any:
    """A value of 1 near one place along x, where y is above the middle."""
    return lambda x: npde.exp(-(((x[:, 0] - place) / width) ** 2)) * (1.0 + 0.0 * x[:, 1])


def strip(width: float) -> Any:
    """1 within a strip, and 0 elsewhere."""
    return lambda x: 1.0 * (abs(x[:, 0] - 0.3791) < width / 2)


@pytest.mark.parametrize(("domain", "width"), [(SQUARE, 3e-4), (PLATE, 3e-3)], ids=["box", "cut-out"])
@pytest.mark.parametrize("shape", [bump, strip])
@pytest.mark.parametrize(
    "condition",
    [npde.Dirichlet, npde.Neumann, lambda f, on: npde.Robin(1.0, f, 0.0, on=on)],
    ids=["dirichlet", "neumann", "robin"],
)
def test_narrow_data_are_found_in_every_condition(
    condition: Any, shape: Any, width: float, domain: Any
) -> None:
    face = domain.faces[-1] if domain is SQUARE else "top"
    narrowest = narrowest_data(Sides(domain, (condition(shape(width), on=face).on_domain(domain),)))
    assert width / 2 < narrowest < 2 * width


@pytest.mark.parametrize("width", [1e-6, 1e-8])
def test_data_that_no_point_meets_are_found_by_what_they_compute(width: float) -> None:
    condition = npde.Dirichlet(bump(width), on="top").on_domain(SQUARE)
    assert width / 20 < narrowest_data(Sides(SQUARE, (condition,))) < 20 * width


@pytest.mark.parametrize("domain", [SQUARE, PLATE], ids=["box", "cut-out"])
def test_data_that_vary_slowly_are_not_narrow(domain: Any) -> None:
    def slow(x: Any) -> Any:
        return npde.sin(3 * x[:, 0]) + x[:, 1] ** 2

    assert narrowest_data(Sides(domain, (npde.Dirichlet(slow).on_domain(domain),))) == np.inf


def plate(domain: Any, value: Any = 0.0, coefficient: Any = 1.0, source: Any = 1.0) -> npde.Problem:
    return npde.Problem(
        "plate",
        domain,
        npde.Poisson(coefficient),
        sources=npde.FunctionSource(source),
        boundary=npde.Dirichlet(value),
    )


@pytest.mark.parametrize("domain", [SQUARE, PLATE], ids=["box", "cut-out"])
def test_the_grid_reference_tells_of_data_between_its_nodes(domain: Any) -> None:
    with pytest.warns(
        npde.ResolutionWarning, match="change within 0.000.*details between the nodes are lost"
    ):
        npde.reference(plate(domain, bump(3e-4)), 65)
    npde.reference(plate(domain, bump(0.2)), 65)


def test_the_reference_of_a_cut_out_domain_tells_of_a_thin_medium() -> None:
    thin = lambda x: 1.0 + 1e3 * (abs(x[:, 0] - 0.3791) < 1e-3)  # noqa: E731
    with pytest.warns(
        npde.ResolutionWarning, match="change within 0.002.*details between the nodes are lost"
    ):
        reference = npde.reference(plate(PLATE, 0.0, thin), 65)
    assert "Functions were sampled" in reference.notes[-1]
    with pytest.warns(npde.ResolutionWarning, match="change within"):
        npde.reference(plate(PLATE, 0.0, 1.0, strip(2e-3)), 65)


@pytest.mark.parametrize(
    "method", [npde.LeastSquares(largest=300), npde.Galerkin(bandwidth=60.0)], ids=["squares", "energy"]
)
def test_a_solution_does_not_converge_on_data_that_it_does_not_see(method: Any) -> None:
    problem = npde.Problem(
        "lid", SQUARE, npde.Poisson(), boundary=npde.Dirichlet(lambda x: x[:, 0] + bump(2e-4)(x))
    )
    with pytest.warns(npde.ResolutionWarning):
        solution = npde.solve(problem, method=method, progress=False)
    assert solution.status is npde.Status.UNRESOLVED
