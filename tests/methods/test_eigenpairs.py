"""Eigenvalues of linear problems."""

import numpy as np
import pytest
from scipy.special import jn_zeros

import neurapde as npde

HELD = npde.Dirichlet(0.0)


def found(pairs: tuple[npde.Eigenpair, ...]) -> np.ndarray:
    return np.array([pair.eigenvalue for pair in pairs])


def test_a_strings_eigenvalues_are_squares() -> None:
    string = npde.Problem("string", npde.Interval(0, np.pi), npde.Poisson(), boundary=HELD)
    pairs = npde.eigenpairs(string, 4)
    exact = np.arange(1, 5) ** 2
    assert np.abs(found(pairs) - exact).max() < 1e-6
    assert all(abs(pair.eigenvalue - true) < 3 * pair.error for pair, true in zip(pairs, exact, strict=True))
    x = string.domain.sample(50, how="grid").numpy()
    for k, pair in enumerate(pairs, start=1):
        wave = np.sqrt(2) * np.sin(k * x[:, 0])
        assert min(np.abs(sign * pair.solution(x) - wave).max() for sign in (1, -1)) < 1e-5


def test_a_potential_of_ones_own_has_the_levels_of_an_oscillator() -> None:
    equation = npde.Equation(lambda x, u: -u.d2(0) + x[:, 0] ** 2 * u.value)
    problem = npde.Problem("oscillator", npde.Interval(-8, 8), equation, boundary=HELD)
    assert found(npde.eigenpairs(problem, 3)) == pytest.approx([1, 3, 5], abs=1e-6)
    assert found(npde.eigenpairs(problem, 1, near=7.3)) == pytest.approx([7], abs=1e-6)


def test_a_free_string_has_the_eigenvalue_zero() -> None:
    free = npde.Problem("free", npde.Interval(0, np.pi), npde.Poisson(), boundary=npde.Neumann(0.0))
    assert found(npde.eigenpairs(free, 3)) == pytest.approx([0, 1, 4], abs=1e-5)


def test_levels_below_zero_are_warned_of_where_the_lowest_are_asked_for() -> None:
    """A well so deep that what lies nearest to zero is not the ground state, which is the oscillator's."""
    equation = npde.Equation(lambda x, u: -u.d2(0) + (x[:, 0] ** 2 - 20) * u.value)
    problem = npde.Problem("well", npde.Interval(-8, 8), equation, boundary=HELD)
    with pytest.warns(npde.ResolutionWarning, match=r"below zero.*lower ones may exist. Give near=-"):
        npde.eigenpairs(problem, 2, tolerance=1e-4)
    assert found(npde.eigenpairs(problem, 2, near=-30.0)) == pytest.approx([-19, -17], abs=1e-5)


@pytest.mark.slow
def test_a_membranes_eigenvalues_are_squares_of_bessels_zeros() -> None:
    disk = npde.Problem("membrane", npde.Disk((0, 0), 1.0), npde.Poisson(), boundary=HELD)
    pairs = npde.eigenpairs(disk, 3)
    exact = [jn_zeros(0, 1)[0] ** 2, *2 * [jn_zeros(1, 1)[0] ** 2]]
    assert found(pairs) == pytest.approx(exact, rel=1e-6)
    assert all(abs(pair.eigenvalue - true) < 3 * pair.error for pair, true in zip(pairs, exact, strict=True))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the eigenvalues of:neurapde.ResolutionWarning")
def test_an_l_shapes_eigenvalue_is_the_published_one() -> None:
    """Source: Trefethen and Betcke (2006), Computed eigenmodes of planar regions."""
    corners = [(0, 0), (0, 1), (-1, 1), (-1, -1), (1, -1), (1, 0)]
    problem = npde.Problem("l-shape", npde.Polygon(corners), npde.Poisson(), boundary=HELD)
    (pair,) = npde.eigenpairs(problem, 1)
    assert abs(pair.eigenvalue - 9.6397238440219) < max(1e-6, 3 * pair.error)
    assert pair.error < 1e-2


def test_what_has_no_eigenvalues_is_refused() -> None:
    line = npde.Interval(0, 1)
    with pytest.raises(npde.DeclarationError, match="sources and values are to be zero"):
        npde.eigenpairs(npde.Problem("driven", line, npde.Poisson(), 1.0, HELD))
    with pytest.raises(npde.DeclarationError, match="not linear"):
        npde.eigenpairs(
            npde.Problem("bent", line, npde.Equation(lambda x, u: u.d2(0) + u.value**2), boundary=HELD)
        )
    heat = npde.Problem(
        "heat",
        line.over(npde.Time(0, 1)),
        npde.Equation(lambda x, u: u.dt - u.d2(0)),
        boundary=[HELD, npde.InitialCondition(0.0)],
    )
    with pytest.raises(npde.DeclarationError, match="it has a time"):
        npde.eigenpairs(heat)
