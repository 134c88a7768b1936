"""Declared Poisson problems on domains that are no boxes, solved on a grid: every condition, face by face."""

from dataclasses import replace

import numpy as np
import pytest

import neurapde as npde
from neurapde.core.errors import DeclarationError
from neurapde.references.reference import reference
from neurapde.spectral.boundary_rule import boundary_rule

PLATE = npde.Box((-1, 1), (-1, 1)) - npde.Disk((0.2, 0.1), 0.35, name="hole")


def exact(x: np.ndarray) -> np.ndarray:
    return npde.exp(x[:, 0]) * npde.sin(2 * x[:, 1]) + x[:, 0] ** 2


def flux(x: np.ndarray) -> np.ndarray:
    """a du/dn on the hole, a = 1 + x²/4 and n towards its centre."""
    slope = np.stack(
        [
            np.exp(x[:, 0]) * np.sin(2 * x[:, 1]) + 2 * x[:, 0],
            2 * np.exp(x[:, 0]) * np.cos(2 * x[:, 1]),
        ],
        axis=1,
    )
    inward = (np.array([0.2, 0.1]) - x) / 0.35
    return np.sum(slope * inward, axis=1)


def plate(*conditions: npde.Dirichlet | npde.Neumann | npde.Robin) -> npde.Problem:
    def source(x: np.ndarray) -> np.ndarray:
        wave = npde.exp(x[:, 0]) * npde.sin(2 * x[:, 1])
        return -(1 + x[:, 0] ** 2 / 4) * (2 - 3 * wave) - x[:, 0] / 2 * (wave + 2 * x[:, 0])

    return npde.Problem(
        "plate",
        domain=PLATE,
        equation=npde.Poisson(coefficient=lambda x: 1 + x[:, 0] ** 2 / 4),
        sources=source,
        boundary=list(conditions),
        exact=exact,
    )


@pytest.mark.parametrize(
    "on_hole",
    [
        npde.Neumann(flux, on="hole"),
        pytest.param(
            npde.Robin(2.0, 0.5, lambda x: 2 * exact(x) + flux(x) / 2, on="hole"), marks=pytest.mark.slow
        ),
        pytest.param(npde.Robin(2.0, 0.0, lambda x: 2 * exact(x), on="hole"), marks=pytest.mark.slow),
    ],
    ids=["slopes", "mixed", "a mixed condition without slopes"],
)
def test_a_plate_with_a_hole_takes_a_condition_on_every_face(
    on_hole: npde.Neumann | npde.Robin,
) -> None:
    problem = plate(
        npde.Dirichlet(exact, on=["left", "right"]),
        npde.Robin(1.0, 1.0, lambda x: exact(x) + 2 * np.exp(x[:, 0]) * np.cos(2 * x[:, 1]), on="top"),
        npde.Dirichlet(exact, on="bottom"),
        on_hole,
    )
    grid_solution = reference(problem, shape=129)
    inside = np.isfinite(grid_solution.values.ravel())
    truth = exact(grid_solution.grid.points[inside])
    error = np.linalg.norm(grid_solution.values.ravel()[inside] - truth) / np.linalg.norm(truth)
    assert error < 1e-4
    assert grid_solution.error_estimate is not None
    assert error / 3 < grid_solution.error_estimate < 3e-4


@pytest.mark.parametrize(
    ("corners", "last", "power"),
    [
        ([(0, 0), (1, 0), (1, 1), (-1, 1), (-1, 0)], npde.Neumann(0.0), 1 / 2),
        ([(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)], npde.Dirichlet(0.0), 2 / 3),
    ],
    ids=["a value meets a slope", "an L"],
)
def test_the_stated_error_holds_where_the_field_is_singular(
    corners: list[tuple[float, float]], last: npde.Neumann | npde.Dirichlet, power: float
) -> None:
    def singular(x: np.ndarray) -> np.ndarray:
        angle = np.arctan2(x[:, 1], x[:, 0]) % (2 * np.pi)
        return np.hypot(x[:, 0], x[:, 1]) ** power * np.sin(power * angle)

    domain = npde.Polygon(corners)
    conditions = [npde.Dirichlet(singular, on=domain.faces[:-1]), replace(last, on=domain.faces[-1:])]
    grid_solution = reference(npde.Problem("corner", domain, npde.Poisson(), boundary=conditions), shape=129)
    inside = np.isfinite(grid_solution.values.ravel())
    truth = singular(grid_solution.grid.points[inside])
    error = np.linalg.norm(grid_solution.values.ravel()[inside] - truth) / np.linalg.norm(truth)
    assert grid_solution.error_estimate is not None
    assert 0.7 * error < grid_solution.error_estimate < 3 * error


def test_a_face_without_a_condition_is_named() -> None:
    with pytest.raises(DeclarationError, match="'plate' has no condition on hole"):
        reference(plate(npde.Dirichlet(0.0, on=["left", "right", "top", "bottom"])))


def test_a_rule_on_a_face_that_another_shape_cuts_integrates_what_is_left() -> None:
    notched = npde.Box((0, 1), (0, 1)) - npde.Disk((0.5, 0.0), 0.2, name="notch")
    points, normals, weights = boundary_rule(notched, "bottom", 0.01)
    assert weights.sum() == pytest.approx(0.6, abs=1e-9)
    assert (weights * points[:, 0] ** 2).sum() == pytest.approx((1 - 0.7**3 + 0.3**3) / 3, abs=1e-4)
    assert (normals == [0.0, -1.0]).all()
    points, normals, weights = boundary_rule(notched, "notch", 0.01)
    assert weights.sum() == pytest.approx(0.2 * np.pi, abs=1e-9)
    np.testing.assert_allclose(normals, ([0.5, 0.0] - points) / 0.2, atol=1e-12)


def test_the_rule_of_a_sphere_has_its_area() -> None:
    points, normals, weights = boundary_rule(npde.Ball((0, 0, 0), 2.0), "ball", 0.1)
    assert weights.sum() == pytest.approx(16 * np.pi)
    assert (weights[:, None] * points**2).sum(axis=0) == pytest.approx(np.full(3, 64 * np.pi / 3), rel=1e-3)
    np.testing.assert_allclose(points, 2 * normals, atol=1e-12)
