"""The grid: nodes of a box, and how nested grids share them."""

import numpy as np
import pytest

from neurapde.reference_solvers.grids.grid import Grid, ResolutionError, ResolutionWarning


def test_the_corners_are_nodes() -> None:
    grid = Grid((-1, 0), (1, 3), (5, 7))
    assert grid.points.shape == (35, 2)
    np.testing.assert_array_equal(grid.points[[0, -1]], [[-1, 0], [1, 3]])


def test_a_row_of_points_belongs_to_a_value_of_the_ravelled_field() -> None:
    grid = Grid((-1, 0), (1, 3), (5, 7))
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    np.testing.assert_array_equal(grid.points, np.stack([x.ravel(), y.ravel()], axis=1))
    np.testing.assert_allclose([np.diff(axis)[0] for axis in grid.axes], grid.spacing, rtol=1e-12)


def test_every_other_node_is_the_coarser_grid() -> None:
    grid = Grid((-1, 0, 2), (1, 3, 4), (5, 9, 17))
    coarse = grid.coarser()
    assert coarse.shape == (3, 5, 9)
    np.testing.assert_array_equal(
        coarse.points, grid.points.reshape(*grid.shape, 3)[::2, ::2, ::2].reshape(-1, 3)
    )


def test_an_even_number_of_nodes_has_no_coarser_grid() -> None:
    grid = Grid((0, 0), (1, 1), (6, 7))
    assert not grid.has_coarser
    with pytest.raises(ValueError, match=r"use odd numbers, e\.g\. \(7, 7\)"):
        grid.coarser()


def test_the_box_is_closed_and_single_precision_is_forgiven() -> None:
    grid = Grid((-0.3, 0), (0.3, 1), (5, 5))
    points = np.array([[-0.3, 0], [np.float32(0.3), 1], [0.30001, 0.5], [0, -1e-3]])
    np.testing.assert_array_equal(grid.contains(points), [True, True, False, False])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 0), (1, 1), (5,)), "of equal length"),
        (((0, 1), (1, 1), (5, 5)), "below the upper corner"),
        (((0, 0), (1, np.inf), (5, 5)), "finite"),
        (((0, 0), (1, 1), (5, 2)), "at least 3 nodes"),
        (((0, 0), (1, 1), (5, 5.5)), "whole numbers"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Grid(*arguments)


def test_a_resolution_that_is_too_low_is_a_value_error_and_a_doubtful_one_a_user_warning() -> None:
    assert issubclass(ResolutionError, ValueError)
    assert issubclass(ResolutionWarning, UserWarning)
