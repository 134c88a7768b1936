"""Sides through which time-harmonic waves leave: the condition, the grid, and the head by least squares."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Layout
from neurapde.methods.choice import choose_method
from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.helmholtz import HelmholtzGrid
from support import relative, some_slow

STRIP = npde.Box((0, 1), (0, 0.4))


def strip(wavenumber: float, speed: float = 1.0) -> npde.Problem:
    """A plane wave that enters on the left and leaves on the right."""
    return npde.Problem(
        "strip",
        STRIP,
        npde.Helmholtz(wavenumber, speed),
        boundary=[
            npde.Dirichlet(1.0, on="left"),
            npde.Absorbing(on="right"),
            npde.Neumann(0.0, on=["bottom", "top"]),
        ],
        exact=lambda x: npde.exp(-1j * wavenumber / speed * x[:, 0]),
    )


@pytest.mark.parametrize("speed", [1.0, 2.5])
def test_a_wave_that_leaves_straight_on_meets_the_condition_and_one_that_comes_in_does_not(
    speed: float,
) -> None:
    problem = strip(9.0, speed)
    (condition,) = [constraint for constraint in problem.trained if constraint.name == "absorbing-right"]
    samples = condition.sample(20, how="sobol", generator=torch.Generator().manual_seed(20479))
    for sign, size in ((-1.0, 0.0), (1.0, 2 * 9.0 / speed)):
        phase = sign * 1j * 9.0 / speed
        value = torch.exp(phase * samples.points[:, 0])
        jet = npde.Jet(torch.stack([value, phase * value, 0 * value]), Layout(2, 1))
        residuals = condition.residual(samples, jet)
        assert torch.allclose(residuals.abs(), torch.full_like(residuals.abs(), size), atol=1e-12)


def test_the_formula_says_what_it_is() -> None:
    assert "absorbing-right: ∂u/∂n + i k/c u = 0 on right" in str(strip(9.0))


@pytest.mark.parametrize("nodes", [21, 81])
def test_on_the_grid_a_plane_wave_passes_a_side_without_reflection(nodes: int) -> None:
    grid = Grid((0,), (1,), (nodes,))
    solver = HelmholtzGrid(grid, 12.0, 1.0, free=[(False, True)], impedance=[(0.0, 12.0j)])
    values = solver.solve(np.zeros(nodes), np.eye(nodes)[0])
    assert abs(abs(values) - 1.0).max() < {21: 2e-3, 81: 1e-5}[nodes]


def test_on_the_grid_waves_that_leave_aslant_are_second_order() -> None:
    k, (p, q) = 7.0, (0.8, 0.6)
    errors = []
    for nodes in (33, 65, 129):
        grid = Grid((0, 0), (1, 1), (nodes, nodes))
        x, y = grid.points.T.reshape(2, *grid.shape)
        wave = np.exp(-1j * k * (p * x + q * y))
        solver = HelmholtzGrid(
            grid,
            k,
            1.0,
            free=[(False, True), (False, True)],
            impedance=[(0.0, 1j * k * p), (0.0, 1j * k * q * np.ones(nodes))],
        )
        errors.append(relative(solver.solve(np.zeros(grid.shape), wave), wave))
    assert observed_orders(errors).min() > 1.9
    assert errors[-1] < 1e-3


def test_the_transpose_is_the_transpose_with_sides_that_let_waves_out() -> None:
    grid = Grid((0, 0), (1, 1), (17, 21))
    solver = HelmholtzGrid(grid, 9.0, 1.2, free=[(True, True), (True, False)], impedance=[(3j, 4j), (5j, 0)])
    generator = np.random.default_rng(20479)
    a, b = generator.normal(size=(2, *grid.shape)) * ~solver.fixed
    assert np.sum(b * solver.solve(a)) == pytest.approx(np.sum(a * solver.solve_transposed(b)), rel=1e-10)


@pytest.mark.parametrize("speed", some_slow([1.0, 2.0], 1.0))
def test_a_strip_is_solved_and_agrees_with_the_grid_and_the_plane_wave(speed: float) -> None:
    problem = strip(8.0, speed)
    solution = npde.solve(problem, method=npde.LeastSquares(tolerance=1e-3), progress=False)
    points = STRIP.sample(500, how="grid").numpy()
    truth = problem.exact(points)
    assert relative(np.asarray(solution(points)), truth) < 1e-3
    assert relative(npde.reference(problem, (81, 33))(points), truth) < 1e-5


@pytest.mark.slow
def test_a_source_between_open_sides_agrees_with_the_grid_by_default() -> None:
    problem = npde.Problem(
        "open",
        npde.Box((-0.5, 0.5), (-0.4, 0.4)),
        npde.Helmholtz(4.0, lambda x: 1 + 0.3 * x[:, 0]),
        npde.GaussianSource(at=(0.1, -0.05), variance=0.004),
        boundary=[npde.Absorbing(on=["left", "top"]), npde.Robin(2.0, 1.0, on=["right", "bottom"])],
    )
    assert choose_method(problem, None)[0] == npde.Galerkin()
    points = problem.domain.sample(500, how="grid").numpy()
    reference = npde.reference(problem)
    assert reference.error_estimate is not None
    assert reference.error_estimate < 2e-3
    for method in (npde.Galerkin(), npde.LeastSquares(tolerance=1e-3)):
        solution = npde.solve(problem, method=method, progress=False)
        assert relative(reference(points), np.asarray(solution(points))) < 2 * reference.error_estimate


def test_an_absorbing_side_where_nothing_absorbs_is_refused() -> None:
    box = npde.Box((0, 1), (0, 1))
    with pytest.raises(
        DeclarationError, match="Absorbing absorbs waves, but Poisson's equation has no waves"
    ):
        npde.Problem("p", box, npde.Poisson(), boundary=npde.Absorbing())
    with pytest.raises(DeclarationError, match="left has a PML and an Absorbing condition"):
        npde.Problem(
            "h", box, npde.Helmholtz(20.0), boundary=[npde.PML({"left": 0.3}), npde.Absorbing(on="left")]
        )
    with pytest.raises(DeclarationError, match="has the faces left, right, bottom, top"):
        npde.Problem("h", box, npde.Helmholtz(20.0), boundary=npde.Absorbing(on="lid"))
    slopeless = npde.Problem("h", box, npde.Helmholtz(20.0), boundary=npde.Robin(1.0, 0.0))
    with pytest.raises(DeclarationError, match="b = 0, so it gives no slope"):
        npde.reference(slopeless)
