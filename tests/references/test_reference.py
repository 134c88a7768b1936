"""Declared problems solved on a grid, against closed forms; what the declaration may say and what not."""

from pathlib import Path

import meshio
import numpy as np
import pytest
import torch

from neurapde.conditions import PML, Dirichlet, Neumann
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.domains.disk import Disk
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.medium import Piecewise
from neurapde.fields.sources import GaussianSource, PointSource, Shots
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem
from neurapde.problems.helmholtz import helmholtz_disk, helmholtz_square, helmholtz_uniform
from neurapde.reference_solvers.grids.grid import Grid, ResolutionError, ResolutionWarning
from neurapde.references.reference import reference
from neurapde.references.solution import GridSolution
from neurapde.validation.exact import outgoing, penetrable_disk
from support import relative


def physical_points(count: int, seed: int, *, away_from: tuple[float, float]) -> np.ndarray:
    points = np.random.default_rng(seed).uniform(-0.5, 0.5, (count, 2))
    return points[np.linalg.norm(points - away_from, axis=1) > 0.06]


def exact_disk(points: np.ndarray, variance: float = 1e-4) -> np.ndarray:
    return penetrable_disk(
        points,
        (-0.35, 0),
        center=(0, 0),
        radius=0.1,
        wavenumber=20,
        speed_inside=2,
        amplitude=1 + 1j,
        variance=variance,
    )


def test_the_uniform_medium_carries_the_outgoing_wave() -> None:
    solution = reference(helmholtz_uniform())
    points = physical_points(2000, 20479, away_from=(0, 0))
    error = relative(solution(points), outgoing(points, (0, 0), 20, variance=1e-4, amplitude=1 + 1j))
    assert error < 1e-4
    assert solution.error_estimate is not None
    assert error / 3 < solution.error_estimate < 1e-3


@pytest.mark.parametrize("speed", [1.0, 2000.0])
def test_a_layer_given_by_its_reflection_absorbs_at_any_speed(speed: float) -> None:
    problem = Problem(
        name="metres",
        domain=Box((-1000, 1000), (-1000, 1000)),
        equation=Helmholtz(wavenumber=0.02 * speed, speed=speed),
        sources=PointSource(at=(-100.0, 50.0)),
        boundary=PML(width=400.0, reflection=1e-4),
    )
    points = physical_points(400, 40343, away_from=(-0.1, 0.05)) * 1000.0
    points = points[
        (np.abs(points).max(axis=1) < 590) & (np.hypot(points[:, 0] + 100, points[:, 1] - 50) > 60)
    ]
    exact = outgoing(points, (-100.0, 50.0), 0.02)
    assert relative(reference(problem, shape=241)(points), exact) < 2e-3


def test_the_disk_scatters_as_its_series_says_and_the_error_bar_holds() -> None:
    solution = reference(helmholtz_disk())
    points = physical_points(2000, 31121, away_from=(-0.35, 0))
    error = relative(solution(points), exact_disk(points))
    assert error < 2e-4
    assert solution.error_estimate is not None
    assert error / 3 < solution.error_estimate < 1e-3


def test_a_slow_disk_at_another_wavenumber_is_solved_too() -> None:
    problem = helmholtz_disk(wavenumber=15, speed=0.5, center=(0.1, 0.05), source_at=(-0.3, -0.2))
    points = physical_points(2000, 41189, away_from=(-0.3, -0.2))
    exact = penetrable_disk(
        points,
        (-0.3, -0.2),
        center=(0.1, 0.05),
        radius=0.1,
        wavenumber=15,
        speed_inside=0.5,
        amplitude=1 + 1j,
        variance=1e-4,
    )
    assert relative(reference(problem, error=False)(points), exact) < 1e-3


@pytest.mark.slow
def test_the_error_bar_of_the_square_holds_against_a_finer_grid() -> None:
    coarse, fine = (
        reference(helmholtz_square(), 129),
        reference(helmholtz_square(), (321, 321), error=False),
    )
    points = physical_points(2000, 50423, away_from=(-0.4, 0))
    error = relative(coarse(points), fine(points))
    assert coarse.error_estimate is not None
    assert error < 1e-3
    assert error / 3 < coarse.error_estimate < 10 * error


def test_shots_are_columns_and_sources_of_one_shot_add_up() -> None:
    left, right = GaussianSource((-0.3, 0.1), 1e-3), PointSource((0.25, -0.2), 2j)

    def problem(sources: object) -> Problem:
        return Problem("shots", Box((-1, 1), (-1, 1)), Helmholtz(12.0), sources, PML(0.5, reflection=1e-4))

    both = reference(problem(Shots(left, right)), 81, error=False)
    together = reference(problem([left, right]), 81, error=False)
    assert both.values.shape == (81, 81, 2)
    np.testing.assert_allclose(both.values.sum(axis=-1), together.values, atol=1e-12)
    points = physical_points(20, 61297, away_from=(0, 0))
    assert both(points).shape == (len(points), 2)


def test_a_density_and_its_gaussian_radiate_alike() -> None:
    gaussian = GaussianSource((-0.1, 0.05), 2e-3, 1j)
    solutions = [
        reference(
            Problem("density", Box((-1, 1), (-1, 1)), Helmholtz(12.0), source, PML(0.5)), 81, error=False
        )
        for source in (gaussian, gaussian.__call__)
    ]
    assert relative(solutions[1].values, solutions[0].values) < 2e-4


def test_sides_take_values_and_mirrors() -> None:
    def plane_wave(points: np.ndarray) -> np.ndarray:
        return np.exp(1j * 8 * points[:, 0])

    problem = Problem(
        "duct",
        Box((0, 1), (0, 0.5)),
        Helmholtz(8.0),
        boundary=[Dirichlet(plane_wave, on=("left", "right")), Neumann(0.0, on=("bottom", "top"))],
    )
    solution = reference(problem, (41, 21), error=False)
    assert relative(solution.values.ravel(), plane_wave(solution.grid.points)) < 1e-4


def test_a_free_surface_mirrors_the_source() -> None:
    sides = ("left", "right", "bottom")
    problem = Problem(
        "surface",
        Box((-1, 1), (-1, 0.2)),
        Helmholtz(20.0),
        PointSource((0.1, -0.1)),
        [PML(0.5, on=sides), Dirichlet(0.0, on="top")],
    )
    solution = reference(problem, error=False)
    points = np.random.default_rng(70481).uniform((-0.5, -0.5), (0.5, 0.2), (2000, 2))
    points = points[np.linalg.norm(points - [0.1, -0.1], axis=1) > 0.06]
    exact = outgoing(points, (0.1, -0.1), 20) - outgoing(points, (0.1, 0.5), 20)
    assert relative(solution(points), exact) < 1e-3


def test_an_interval_is_solved_as_well() -> None:
    problem = Problem("line", Box((-1, 1)), Helmholtz(20.0), PointSource((0.1,)), PML(0.5))
    solution = reference(problem)
    x = np.linspace(-0.5, 0.5, 101)[:, None]
    x = x[np.abs(x[:, 0] - 0.1) > 0.03]
    assert relative(solution(x), outgoing(x, (0.1,), 20)) < 1e-4
    assert solution.error_estimate is not None
    assert solution.error_estimate < 1e-3


def test_torch_points_give_torch_values_in_kind() -> None:
    solution = reference(helmholtz_uniform(), 81, error=False)
    points = torch.tensor([[0.1, 0.2], [-0.3, 0.4]], dtype=torch.float32)
    values = solution(points)
    assert values.dtype == torch.complex64
    np.testing.assert_allclose(values.numpy(), solution(points.double().numpy()), rtol=1e-6)
    corners = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    np.testing.assert_allclose(solution(corners).numpy(), 0, atol=1e-12)


def test_the_nodes_keep_their_values() -> None:
    solution = reference(helmholtz_uniform(), (81, 91), error=False)
    assert [len(axis) for axis in solution.axes] == [81, 91]
    np.testing.assert_allclose(solution(solution.grid.points), solution.values.ravel(), atol=1e-12)


def test_the_chosen_grid_resolves_the_slowest_region_and_says_so() -> None:
    solution = reference(helmholtz_disk(wavenumber=10, speed=0.4, pml_width=0.4), error=False)
    assert solution.nodes_per_wavelength is not None
    assert solution.nodes_per_wavelength >= 22  # an averaged jump overshoots a little
    assert all(n % 2 == 1 for n in solution.grid.shape)
    assert "chosen automatically" in solution.notes[0]


@pytest.mark.slow
def test_a_grid_chosen_for_a_resonant_disk_is_refined_until_the_error_bar_is_small() -> None:
    problem = Problem(
        "resonant",
        Box((-0.9, 0.9), (-0.9, 0.9)),
        Helmholtz(5.0, Piecewise(1.0, (Disk((0.1, 0), 0.15), 0.2))),
        GaussianSource((-0.3, 0.1), 1e-4),
        PML(0.4, reflection=1e-5),
    )
    points = physical_points(2000, 91813, away_from=(-0.3, 0.1))
    exact = penetrable_disk(
        points, (-0.3, 0.1), center=(0.1, 0), radius=0.15, wavenumber=5, speed_inside=0.2, variance=1e-4
    )
    first, refined = reference(problem, error=False), reference(problem)
    assert relative(first(points), exact) > 4e-3
    assert refined.error_estimate is not None
    assert relative(refined(points), exact) < refined.error_estimate < 2e-3


def test_the_chosen_grid_has_one_spacing_on_all_axes() -> None:
    problem = Problem("long", Box((0, 6), (0, 2)), Helmholtz(6.0), PointSource((3, 1)), PML(0.6))
    solution = reference(problem, error=False)
    np.testing.assert_allclose(*solution.grid.spacing, rtol=0.03)


def test_a_field_is_exported_for_other_programs(tmp_path: Path) -> None:
    solution = reference(helmholtz_uniform(), 61, error=False)
    path = solution.export(tmp_path / "u.vtu")
    assert meshio.read(path).point_data["u_re"].shape == (61 * 61,)


def test_a_grid_too_coarse_for_an_error_bar_says_so() -> None:
    solution = reference(helmholtz_uniform(), 29)
    assert solution.error_estimate is None
    assert "no error estimate" in solution.notes[1]


def test_a_coarse_grid_is_doubted_and_a_very_coarse_one_refused() -> None:
    with pytest.warns(ResolutionWarning, match="nodes in the shortest wavelength"):
        reference(helmholtz_uniform(), 21, error=False)
    with pytest.raises(ResolutionError, match=r"shape \(15, 15\) has 2\.20 nodes"):
        reference(helmholtz_uniform(), 15)


BOX = Box((-1, 1), (-1, 1))


@pytest.mark.parametrize("shape", [(81,), (81, 81, 81), (81.5, 81), (81, 5)])
def test_a_shape_that_fits_no_grid_is_refused(shape: tuple) -> None:
    with pytest.raises(DeclarationError, match="give 2 whole numbers of nodes, at least 7 each"):
        reference(helmholtz_uniform(), shape)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (
            Problem("round", Disk((0, 0), 1), Helmholtz(9.0), PointSource((0, 0)), Dirichlet(0.0)),
            "declare the problem on a Box around it",
        ),
        (
            Problem("open", BOX, Helmholtz(9.0), boundary=Dirichlet(0.0, on="left")),
            "'open' has no condition on right, bottom, top; give PML, Absorbing, Dirichlet or Neumann",
        ),
        (
            Problem("driven", BOX, Helmholtz(9.0), boundary=Neumann(1.0)),
            "takes Neumann only with the value 0",
        ),
        (
            Problem("own", BOX, Equation(lambda x, u: u.laplacian)),
            "no grid solver for the equation Equation of 'own'",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Problem) else "",
)
def test_a_problem_that_the_solver_does_not_take_is_refused(problem: Problem, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        reference(problem)


def test_only_problems_have_a_reference() -> None:
    with pytest.raises(DeclarationError, match="declare one with"):
        reference(Helmholtz(9.0))


def test_points_outside_the_grid_are_refused() -> None:
    solution = GridSolution(np.zeros((9, 9)), Grid((0, 0), (1, 1), (9, 9)), 0.0)
    with pytest.raises(ValueError, match="1 of 2 points are not in the box"):
        solution(np.array([[0.5, 0.5], [1.5, 0.5]]))
    assert solution(np.array([[0.5, 0.5]])).dtype == float


@pytest.mark.slow
@pytest.mark.parametrize("wavenumber", [5.0, 40.0])
def test_disks_from_five_to_forty_are_solved_within_a_thousandth(wavenumber: float) -> None:
    problem = Problem(
        "disk",
        Box((-1.2, 1.2), (-1.2, 1.2)),
        Helmholtz(wavenumber, Piecewise(1.0, (Disk((0.1, 0), 0.15), 0.7))),
        GaussianSource((-0.3, 0.1), 1e-4),
        PML(0.65),
    )
    points = np.random.default_rng(81047).uniform(-0.5, 0.5, (2000, 2))
    points = points[np.linalg.norm(points - [-0.3, 0.1], axis=1) > 0.06]
    exact = penetrable_disk(
        points,
        (-0.3, 0.1),
        center=(0.1, 0),
        radius=0.15,
        wavenumber=wavenumber,
        speed_inside=0.7,
        variance=1e-4,
    )
    assert relative(reference(problem)(points), exact) < 1e-3
