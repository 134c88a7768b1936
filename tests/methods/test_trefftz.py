"""Trefftz against series and against itself with more digits: penetrable disks, obstacles in open space, corners, shots."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

import neurapde as npde
from neurapde.problems import helmholtz_disk, helmholtz_square
from neurapde.validation.exact import exact_solution
from support import assert_same_field

BOX = npde.Box((-1, 1), (-1, 1))
RADIUS, SOURCE = 0.1, (-0.35, 0.1)
PLACES = np.random.default_rng(40351).uniform(-0.45, 0.45, (400, 2))


def scattered(points: NDArray, wavenumber: float, *, hard: bool, orders: int = 40) -> NDArray:
    """The wave of a point source around a sound-soft or sound-hard disk at the origin, e^{+iωt}: Graf's series."""
    r, theta = np.hypot(*points.T), np.arctan2(points[:, 1], points[:, 0])
    far, phi = np.hypot(*SOURCE), np.arctan2(SOURCE[1], SOURCE[0])
    n = np.arange(-orders, orders + 1)[:, None]
    rim = wavenumber * RADIUS
    if hard:
        ratio = special.jvp(n, rim) / special.h2vp(n, rim)
    else:
        ratio = special.jv(n, rim) / special.hankel2(n, rim)
    outgoing = special.hankel2(n, wavenumber * far) * special.hankel2(n, wavenumber * r)
    direct = special.hankel2(0, wavenumber * np.hypot(*(points - SOURCE).T))
    return 0.25j * (direct - (ratio * outgoing * np.exp(1j * n * (theta - phi))).sum(0))


def relative(values: NDArray, exact: NDArray) -> float:
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


def stated(solution: npde.Solution) -> float:
    return float(solution.stages[-1].extras["error_estimate"])


@pytest.mark.parametrize("hard", [False, True], ids=["soft", "hard"])
@pytest.mark.parametrize("wavenumber", [20.0, 60.0])
def test_an_obstacle_in_open_space_scatters_as_its_series(hard: bool, wavenumber: float) -> None:
    condition = npde.Neumann(0.0, on="disk") if hard else npde.Dirichlet(0.0, on="disk")
    domain = BOX - npde.Disk((0, 0), RADIUS)
    problem = npde.Problem(
        "obstacle", domain, npde.Helmholtz(wavenumber), npde.PointSource(SOURCE), [npde.PML(0.5), condition]
    )
    solution = npde.solve(problem, progress=False)
    points = PLACES[np.hypot(*PLACES.T) > RADIUS]
    error = relative(solution(points), scattered(points, wavenumber, hard=hard))
    assert solution.method.startswith("Trefftz")
    assert solution.status is npde.Status.CONVERGED
    assert error < 1e-7
    assert stated(solution) < 1e-5


@pytest.mark.parametrize("wavenumber", [20.0, 160.0])
def test_a_penetrable_disk_has_its_series_and_its_estimate_holds(wavenumber: float) -> None:
    problem = helmholtz_disk(wavenumber=wavenumber, source_at=(-0.2, 0.0))
    for tolerance in (1e-2, 1e-4, 1e-7):
        solution = npde.solve(problem, method=npde.Trefftz(tolerance=tolerance), progress=False)
        exact = exact_solution(problem)
        assert exact is not None
        points = PLACES[np.hypot(*(PLACES - (-0.2, 0.0)).T) > 0.07]
        error = relative(solution(points), exact(points))
        assert solution.status is npde.Status.CONVERGED
        assert error < 3 * stated(solution)
        assert stated(solution) < tolerance


def test_the_estimate_holds_at_corners() -> None:
    problem = helmholtz_square(wavenumber=12.0, reflection=1e-12)
    exact = npde.solve(problem, method=npde.Trefftz(tolerance=1e-5), progress=False)
    for tolerance in (1e-1, 1e-2):
        solution = npde.solve(problem, method=npde.Trefftz(tolerance=tolerance), progress=False)
        points = PLACES[np.hypot(*(PLACES - (-0.4, 0.0)).T) > 0.07]
        assert relative(solution(points), exact(points)) < 3 * stated(solution)


def test_shots_are_the_fields_of_their_sources() -> None:
    sources = [npde.PointSource((-0.4, y)) for y in (-0.3, 0.0, 0.3)]
    disk = npde.Disk((0, 0), 0.2)

    def problem(shots: object) -> npde.Problem:
        medium = npde.Piecewise(1.0, (disk, 0.5))
        return npde.Problem("shots", BOX, npde.Helmholtz(25.0, medium), shots, npde.PML(0.5))

    together = npde.solve(problem(npde.Shots(*sources)), progress=False)(PLACES)
    for i, source in enumerate(sources):
        alone = npde.solve(problem(source), progress=False)(PLACES)
        assert relative(together[:, i], alone) < 1e-5


def test_a_solution_is_saved_and_solves_the_equation(tmp_path: Path) -> None:
    triangle = npde.Polygon([(-0.2, -0.2), (0.25, -0.1), (0.0, 0.25)])
    problem = npde.Problem(
        "triangle",
        BOX,
        npde.Helmholtz(20.0, npde.Piecewise(1.0, (triangle, 2.0))),
        npde.PointSource(SOURCE),
        npde.PML(0.5),
    )
    solution = npde.solve(problem, progress=False)
    solution.save(tmp_path / "u.h5")
    loaded = npde.load(tmp_path / "u.h5")
    assert_same_field(loaded(PLACES), solution(PLACES))
    k = 20.0 / np.where(triangle.contains(PLACES), 2.0, 1.0)
    u = solution(PLACES)
    assert np.abs(solution.laplacian(PLACES) + k**2 * u).max() < 1e-7 * np.abs(k**2 * u).max()
    step = np.array([1e-5, 0.0])
    slope = (solution(PLACES + step) - solution(PLACES - step)) / 2e-5
    assert np.abs(solution.gradient(PLACES)[:, 0] - slope).max() < 1e-4 * np.abs(slope).max()


def test_what_it_cannot_take_is_said() -> None:
    lens = npde.Helmholtz(20.0, lambda x: 1 + 0.1 * x[:, 0])
    problem = npde.Problem("lens", BOX, lens, npde.PointSource(SOURCE), npde.PML(0.5))
    with pytest.raises(npde.DeclarationError, match="not constant by region"):
        npde.solve(problem, method=npde.Trefftz())
    with pytest.raises(npde.DeclarationError, match="tolerance"):
        npde.Trefftz(tolerance=2.0)


def test_too_few_features_are_told() -> None:
    with pytest.warns(npde.ResolutionWarning, match="give Trefftz"):
        solution = npde.solve(
            helmholtz_square(), method=npde.Trefftz(tolerance=1e-6, largest=200), progress=False
        )
    assert solution.status is npde.Status.UNRESOLVED


def test_interfaces_go_on_through_the_layer() -> None:
    half = npde.Piecewise(1.0, (npde.Polygon([(-1, -1), (1, -1), (1, -0.1), (-1, -0.3)]), 1.5))
    problem = npde.Problem(
        "tilted", BOX, npde.Helmholtz(12.0, half), npde.PointSource((0.1, 0.2)), npde.PML(0.5, 9.0)
    )
    solution = npde.solve(problem, method=npde.Trefftz(tolerance=1e-4), progress=False)
    lattice = npde.solve(problem, method=npde.Galerkin(tolerance=3e-3), progress=False)
    points = PLACES[np.hypot(*(PLACES - (0.1, 0.2)).T) > 0.1]
    assert relative(solution(points), lattice(points)) < 3 * (stated(solution) + stated(lattice))
    assert stated(lattice) < 1e-2


def test_a_layer_that_sends_much_back_is_left_to_methods_that_solve_it_as_declared() -> None:
    problem = helmholtz_disk(wavenumber=20.0, strength=1.0)
    assert "reflects" in (npde.Trefftz().obstacle(problem) or "")
    assert npde.Trefftz().obstacle(helmholtz_disk(wavenumber=20.0)) is None


def test_an_absorbing_side_is_met_as_written() -> None:
    k = 15.0
    problem = npde.Problem("room", BOX, npde.Helmholtz(k), npde.PointSource((0.2, -0.1)), npde.Absorbing())
    solution = npde.solve(problem, method=npde.Trefftz(tolerance=1e-6), progress=False)
    y = np.linspace(-0.9, 0.9, 50)
    right = np.stack([np.ones(50), y], axis=1)
    residual = solution.gradient(right)[:, 0] + 1j * k * solution(right)
    assert np.abs(residual).max() < 1e-4 * k * np.abs(solution(right)).max()


def test_the_report_and_the_notes_count_the_same_solutions() -> None:
    solution = npde.solve(npde.problems.poisson_inclusion(), progress=False)
    text = solution.trial.spec.describe()
    assert text == f"{solution.stages[-1].extras['features']} solutions of the equation in 2 regions"
    assert any(text in note for note in solution.notes)
