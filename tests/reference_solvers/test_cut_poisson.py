"""The Poisson solver in domains cut out of a grid: disk, ball, polygon and L-shape, under every kind of condition."""

import numpy as np
import pytest
from numpy.typing import NDArray

from neurapde.domains.box import Box
from neurapde.domains.combine import Shape
from neurapde.domains.disk import Ball, Disk
from neurapde.domains.polygon import Polygon
from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.cut_poisson import ORDER, Boundary, solve_cut_poisson
from neurapde.reference_solvers.grids.cut_cells import moments
from neurapde.reference_solvers.grids.grid import Grid, ResolutionError
from neurapde.reference_solvers.poisson import solve_poisson
from neurapde.spectral.boundary_rule import boundary_rule

Array = NDArray[np.float64]

DISK = Disk((0.05, 0.05), 1.0)
KITE = Polygon([(0.0, -0.1), (1.03, 0.2), (1.2, 0.9), (0.6, 0.75), (0.2, 1.1)])  # one corner opens inwards
L_SHAPE = Polygon([(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)])


def exact(points: Array) -> Array:
    return np.exp(points[:, 0]) * np.cos(2 * points[:, 1]) + points[:, -1] ** 2


def conductivity(points: Array) -> Array:
    return 1.5 + 0.5 * np.sin(points[:, 0])


def gradient(points: Array) -> Array:
    result = np.zeros(points.shape)
    result[:, 0] = np.exp(points[:, 0]) * np.cos(2 * points[:, 1])
    result[:, 1] = -2 * np.exp(points[:, 0]) * np.sin(2 * points[:, 1])
    result[:, -1] += 2 * points[:, -1]
    return result


def source(points: Array, reaction: float) -> Array:
    """-div(a grad u) + c u of the exact field."""
    wave = np.exp(points[:, 0]) * np.cos(2 * points[:, 1])
    return (
        -conductivity(points) * (2 - 3 * wave) - 0.5 * np.cos(points[:, 0]) * wave + reaction * exact(points)
    )


def boundary_of(domain: Shape, spacing: float, kinds: str) -> Boundary:
    """D, N, R or M: all values, all slopes, mixtures of both, or all of them on parts of the boundary."""
    points, normals, weights = (
        np.concatenate(column)
        for column in zip(*(boundary_rule(domain, face, spacing) for face in domain.faces), strict=True)
    )
    angle = np.arctan2(points[:, 1] - 0.4, points[:, 0] - 0.4)
    fixed = {"D": angle < 9, "N": angle > 9, "R": angle > 9, "M": angle < 0.3}[kinds]
    mixture = {"D": 0 * angle, "N": 0 * angle, "R": 2 + np.cos(points[:, 0]), "M": 1.5 * (angle > 2)}[kinds]
    flux = conductivity(points) * np.sum(gradient(points) * normals, axis=1)
    value = np.where(fixed, exact(points), flux + mixture * exact(points))
    return Boundary(points, normals, weights, fixed, mixture, value)


def errors(domain: Shape, nodes: int, kinds: str, reaction: float = 1.0) -> tuple[float, float]:
    """Relative L2 and maximum error, up to a constant where slopes alone are given."""
    lower, upper = domain.bounds
    grid = Grid(lower - 0.07, upper + 0.03, (nodes,) * domain.dimension)
    reaction = 0.0 if kinds == "N" else reaction
    values = solve_cut_poisson(
        grid,
        lambda points: np.asarray(domain.signed_distance(points)),
        source(grid.points, reaction).reshape(grid.shape),
        boundary=boundary_of(domain, min(grid.spacing) / (8 if domain.dimension == 2 else 4), kinds),
        coefficient=conductivity(grid.points).reshape(grid.shape),
        reaction=reaction,
    ).ravel()
    inside = np.isfinite(values)
    assert (inside == (np.asarray(domain.signed_distance(grid.points)) <= 1e-9)).all()
    u = exact(grid.points[inside])
    difference = values[inside] - u
    difference -= difference.mean() if kinds == "N" else 0.0
    return float(np.linalg.norm(difference) / np.linalg.norm(u)), float(abs(difference).max())


@pytest.mark.parametrize("kinds", ["D", "N", "R", "M"])
@pytest.mark.parametrize("domain", [DISK, KITE], ids=["disk", "polygon"])
def test_smooth_fields_are_second_order_under_every_kind_of_condition(domain: Shape, kinds: str) -> None:
    counts = (17, 33, 65, 129)
    by_count = [errors(domain, n, kinds) for n in counts]
    slopes = np.polyfit(-np.log(counts), np.log(by_count), 1)[0]
    assert slopes[0] == pytest.approx(ORDER, abs=0.3)
    assert slopes[1] > 1.5
    assert by_count[-1][0] < 1.2e-4
    assert by_count[-1][1] < 8e-4


@pytest.mark.slow
def test_a_ball_is_second_order() -> None:
    by_count = [errors(Ball((0.05, 0.05, 0.05), 1.0), n, "M") for n in (9, 17, 33)]
    assert observed_orders([error for error, _ in by_count]).mean() == pytest.approx(ORDER, abs=0.3)
    assert by_count[-1][0] < 3e-3


def test_the_parts_of_cut_simplices_are_those_that_many_points_count() -> None:
    generator = np.random.default_rng(20479)
    for dimension in (2, 3):
        levels = generator.normal(size=(12, dimension + 1))
        shares = generator.dirichlet(np.ones(dimension + 1), size=400_000)
        counted = [(shares * (shares @ level < 0)[:, None]).mean(axis=0) for level in levels]
        np.testing.assert_allclose(moments(levels), counted, atol=3e-3)


def l_shape(nodes: int) -> tuple[Grid, Boundary]:
    """[-1, 1]^2 less its upper right quarter, and its boundary with nothing given yet."""
    grid = Grid((-1, -1), (1, 1), (nodes, nodes))
    return grid, boundary_of(L_SHAPE, min(grid.spacing) / 8, "D")


def with_values(boundary: Boundary, value: Array) -> Boundary:
    b = boundary
    return Boundary(b.points, b.normals, b.weights, b.fixed, b.coefficient, value)


def distance(points: Array) -> Array:
    return np.asarray(L_SHAPE.signed_distance(points))


def test_a_linear_field_is_exact_on_the_l_shape() -> None:
    grid, boundary = l_shape(18)  # the corner lies between nodes
    u = 2 * grid.points[:, 0] - 3 * grid.points[:, 1] + 1
    given = with_values(boundary, 2 * boundary.points[:, 0] - 3 * boundary.points[:, 1] + 1)
    values = solve_cut_poisson(grid, distance, 0.0, boundary=given).ravel()
    assert np.nanmax(abs(values - u)) < 2e-3
    aligned, boundary = l_shape(17)
    u = 2 * aligned.points[:, 0] - 3 * aligned.points[:, 1] + 1
    given = with_values(boundary, 2 * boundary.points[:, 0] - 3 * boundary.points[:, 1] + 1)
    values = solve_cut_poisson(aligned, distance, 0.0, boundary=given).ravel()
    assert np.nanmax(abs(values - u)) < 1e-10
    assert np.isnan(values).sum() == 64  # the nodes of the open quarter and of its outer sides


def test_the_corner_of_the_l_shape_converges_at_its_own_order() -> None:
    def harmonic(points: Array) -> Array:
        """r^(2/3) sin(2 (angle - pi/2) / 3), zero on both sides of the corner."""
        angle = np.mod(np.arctan2(points[:, 1], points[:, 0]) - np.pi / 2, 2 * np.pi)
        return np.asarray(np.hypot(points[:, 0], points[:, 1]) ** (2 / 3) * np.sin(2 / 3 * angle))

    by_count = []
    for n in (17, 33, 65, 129):
        grid, boundary = l_shape(n)
        solution = solve_cut_poisson(
            grid, distance, 0.0, boundary=with_values(boundary, harmonic(boundary.points))
        ).ravel()
        inside = np.isfinite(solution)
        u = harmonic(grid.points[inside])
        by_count.append(float(np.linalg.norm(solution[inside] - u) / np.linalg.norm(u)))
    assert observed_orders(by_count)[-1] == pytest.approx(4 / 3, abs=0.1)
    assert by_count[-1] < 1e-3


def test_a_box_as_a_domain_agrees_with_the_box_solver_to_their_order() -> None:
    differences = []
    for n in (17, 33, 65):
        grid = Grid((0, 0), (1, 2), (n, 2 * n - 1))
        x, y = grid.points.T.reshape(2, *grid.shape)
        given = boundary_of(Box((0, 1), (0, 2)), min(grid.spacing) / 8, "D")
        cut = solve_cut_poisson(
            grid,
            lambda points: np.asarray(Box((0, 1), (0, 2)).signed_distance(points)),
            np.sin(3 * x + y),
            boundary=with_values(given, np.zeros(len(given.value))),
            coefficient=1 + x * y,
            reaction=1.5,
        )
        whole = solve_poisson(grid, np.sin(3 * x + y), coefficient=1 + x * y, reaction=1.5)
        differences.append(float(np.linalg.norm(cut - whole) / np.linalg.norm(whole)))
    assert observed_orders(differences).min() > ORDER - 0.2
    assert differences[-1] < 1e-3


def test_sources_and_fluxes_that_do_not_cancel_are_refused_where_nothing_fixes_the_field() -> None:
    grid = Grid((-1, -1), (1, 1), (17, 17))
    given = boundary_of(Disk((0, 0), 0.8), 0.02, "N")
    with pytest.raises(ValueError, match="they must cancel"):
        solve_cut_poisson(
            grid,
            lambda points: np.linalg.norm(points, axis=1) - 0.8,
            1.0,
            boundary=with_values(given, np.ones(len(given.value))),
        )


def test_wrong_data_is_refused_with_what_would_be_right() -> None:
    grid = Grid((-1, -1), (1, 1), (10, 10))
    given = boundary_of(Disk((0, 0), 0.8), 0.02, "D")

    def radius(points: Array) -> Array:
        return np.linalg.norm(points, axis=1)

    with pytest.raises(ValueError, match="extends beyond the grid"):
        solve_cut_poisson(grid, lambda points: radius(points) - 1.2, 1.0, boundary=given)
    with pytest.raises(ResolutionError, match="no node of the grid"):
        solve_cut_poisson(grid, lambda points: radius(points) - 0.1, 1.0, boundary=given)
    with pytest.raises(ValueError, match=r"level function must have shape \(100,\)"):
        solve_cut_poisson(grid, lambda points: radius(points)[1:], 1.0, boundary=given)
    with pytest.raises(ValueError, match=r"source has shape \(4,\)"):
        solve_cut_poisson(grid, lambda points: radius(points) - 0.8, np.ones(4), boundary=given)
    with pytest.raises(
        ValueError, match=r"value of the boundary must be finite with the shape \(.*,\); got the shape \(3,\)"
    ):
        with_values(given, np.ones(3))
    b = given
    with pytest.raises(ValueError, match="Robin coefficient is negative"):
        Boundary(b.points, b.normals, b.weights, ~b.fixed, b.coefficient - 1.0, b.value)
