"""Thin slabs across a domain, against solutions in closed form, and errors that show as jumps alone."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.assembly.collocation.parts import layouts_of
from neurapde.methods.choice import choose_method
from neurapde.verification.correction import correction

LEFT = 0.4


def slab(width, contrast, source=1.0, values=0.0):
    medium = npde.Piecewise(1.0, (npde.Interval(LEFT, LEFT + width), contrast))
    conditions = npde.Dirichlet(values)
    return npde.Problem("slab", npde.Interval(0, 1), npde.Poisson(medium), [source], conditions)


def flux_integral(x, width, contrast, power):
    """∫ s^power / a(s) ds from 0 to x (n,)."""
    slow = np.clip(x, LEFT, LEFT + width) ** (power + 1) - LEFT ** (power + 1)
    return (x ** (power + 1) + (1 / contrast - 1) * slow) / (power + 1)


@pytest.mark.parametrize(
    ("width", "contrast"), [pytest.param(1e-2, 1e-2, marks=pytest.mark.slow), (1e-4, 1e2)]
)
def test_field_of_a_thin_slab_is_the_integral_of_its_flux(width, contrast):
    solution = npde.solve(slab(width, contrast), method=npde.LeastSquares(largest=300), progress=False)
    x = np.concatenate([np.linspace(0, 1, 301), LEFT + width * np.linspace(0, 1, 31)])
    zeroth, other = (flux_integral(x, width, contrast, power) for power in (0, 1))
    ends = [flux_integral(np.ones(1), width, contrast, power) for power in (0, 1)]
    exact = ends[1] / ends[0] * zeroth - other  # a u' = C − x
    off = np.linalg.norm(solution(x[:, None]) - exact) / np.linalg.norm(exact)
    assert solution.status is npde.Status.CONVERGED
    assert off < 3 * solution.stages[-1].extras["error_estimate"]
    assert off < 1e-6


def test_background_has_a_part_on_each_side_of_slabs_and_none_through_bars_that_end():
    box = npde.Box((0, 2), (0, 1))
    first, second = npde.Box((0.5, 0.51), (-1, 2)), npde.Box((1, 3), (0.6, 0.7))
    bar, hole = npde.Box((0.1, 0.2), (0.1, 0.2)), npde.Disk((1.5, 0.3), 0.1)
    medium = npde.Piecewise(1.0, (bar, 3.0), (hole, 4.0), (first, 0.1), (second, 0.1))
    parts = layouts_of(npde.Problem("strips", box, npde.Poisson(medium), [1.0], npde.Dirichlet(0.0)))
    pieces = {(piece.box, piece.outside) for piece in parts}
    assert (((0.0, 0.0), (0.5, 1.0)), (bar,)) in pieces
    assert (((0.51, 0.0), (2.0, 1.0)), (second, hole)) in pieces


def test_regions_too_thin_for_functions_of_their_own_are_left_to_another_method():
    sides = [
        npde.Dirichlet(1.0, on="left"),
        npde.Dirichlet(0.0, on="right"),
        npde.Neumann(0.0, on=("bottom", "top")),
    ]
    chosen = []
    for width in (0.3, 0.003):
        medium = npde.Piecewise(1.0, (npde.Box((0.4, 0.4 + width), (0, 1)), 0.1))
        problem = npde.Problem("plate", npde.Box((0, 1), (0, 1)), npde.Poisson(medium), boundary=sides)
        chosen.append(choose_method(problem, None)[0])
    assert chosen == [npde.Trefftz(), npde.LeastSquares()]
    with pytest.raises(npde.DeclarationError, match="so thin, or so close to each other"):
        npde.solve(problem, method=npde.Trefftz(), progress=False)


@pytest.mark.slow
def test_estimate_covers_the_error_about_the_ends_of_a_bar():
    square, bar = npde.Box((0, 1), (0, 1)), npde.Box((0.4, 0.41), (0.2, 0.8))
    medium = npde.Piecewise(1.0, (bar, 1e2))
    problem = npde.Problem("bar", square, npde.Poisson(medium), [1.0], npde.Dirichlet(0.0))
    with pytest.warns(npde.ResolutionWarning, match="above the tolerance"):
        solution = npde.solve(problem, method=npde.LeastSquares(largest=700), progress=False)
    x = square.sample(1000, how="grid").numpy()
    expected = npde.reference(problem, 129)(x)
    off = np.linalg.norm(solution(x) - expected) / np.linalg.norm(expected)
    assert solution.status is npde.Status.UNRESOLVED
    assert off < 3 * solution.stages[-1].extras["error_estimate"]


def test_error_that_shows_as_a_jump_alone_is_found_by_the_closing_check():
    problem = slab(0.1, 0.5, 0.0, lambda x: x[:, 0])
    trial = npde.solve(problem, method=npde.LeastSquares(largest=300), progress=False).trial
    with torch.no_grad():
        trial.trials[0].amplitudes.mul_(1.1)  # a line in the slab stays one
    assert correction(problem, trial).error == pytest.approx(0.1 * 0.1**0.5 * 0.9, rel=0.3)
