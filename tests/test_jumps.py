"""Jumps and narrow features of functions: found where they are, as thick as they are, and none where there are none."""

import numpy as np
import pytest

import neurapde as npde
from neurapde.jumps import features_of, narrow_features

SQUARE = npde.Box((-1, 1), (-1, 1))


def within(condition, inside=0.01, outside=1.0):
    """A function of two values."""
    return lambda x: npde.where(condition(x), inside + 0 * x[:, 0], outside + 0 * x[:, 0])


@pytest.mark.parametrize("thickness", [0.03, 0.003, 2e-4])
def test_a_slab_is_found_on_both_of_its_planes(thickness: float) -> None:
    found = narrow_features(within(lambda x: npde.abs(x[:, 1] - 0.2371) < thickness / 2), SQUARE)
    assert found.planes(1) == pytest.approx([0.2371 - thickness / 2, 0.2371 + thickness / 2], abs=1e-9)
    assert len(found.planes(0)) == 0
    assert not found.askew
    assert found.narrowest == pytest.approx(thickness, rel=1e-6)


def test_a_slab_at_a_slant_is_askew_and_no_thicker_than_its_chords() -> None:
    found = narrow_features(within(lambda x: npde.abs(x[:, 0] - 0.3 * x[:, 1]) < 0.002), SQUARE)
    assert found.askew
    assert found.narrowest == pytest.approx(0.004, rel=1e-6)
    assert np.abs(np.abs(found.points[:, 0] - 0.3 * found.points[:, 1]) - 0.002).max() < 1e-9


def test_the_rim_of_a_disk_is_not_taken_for_a_thin_layer() -> None:
    found = narrow_features(within(lambda x: x[:, 0] ** 2 + x[:, 1] ** 2 < 0.04), SQUARE)
    assert np.hypot(*found.points.T) == pytest.approx(0.2, abs=1e-9)
    assert found.narrowest > 0.1


@pytest.mark.parametrize(
    "smooth",
    [
        lambda x: 2 + npde.sin(25 * x[:, 0]) * npde.cos(9 * x[:, 1]),
        lambda x: 1 + npde.abs(x[:, 0] - 0.31),
        lambda x: npde.exp(-((x[:, 0] - 0.2) ** 2 + x[:, 1] ** 2) / 0.02),
        lambda x: 1e3 + 0 * x[:, 0],
    ],
)
def test_nothing_is_found_in_a_continuous_function_that_varies_slowly(smooth) -> None:
    assert len(narrow_features(smooth, SQUARE)) == 0


def test_a_steep_change_has_a_width() -> None:
    found = narrow_features(lambda x: npde.tanh((x[:, 0] - 0.2 * x[:, 1]) / 1e-4), SQUARE)
    assert 1e-5 < found.narrowest < 1e-3
    resolved = narrow_features(lambda x: npde.tanh((x[:, 0] - 0.2 * x[:, 1]) / 5e-3), SQUARE)
    assert 5e-3 < resolved.narrowest < 2e-2


def test_jumps_are_found_on_a_line_in_space_and_in_a_cut_domain() -> None:
    line = narrow_features(within(lambda x: npde.abs(x[:, 0] - 0.4) < 1e-4), npde.Interval(0, 3))
    assert line.planes(0) == pytest.approx([0.3999, 0.4001], abs=1e-9)
    cube = npde.Box((0, 1), (0, 1), (0, 2))
    space = narrow_features(within(lambda x: npde.abs(x[:, 2] - 0.7) < 0.01), cube)
    assert space.planes(2) == pytest.approx([0.69, 0.71], abs=1e-9)
    corner = SQUARE - npde.Box((0, 1), (0, 1))
    asked = []

    def function(x):
        asked.append(np.all(corner.contains(x)))
        return npde.where(x[:, 0] > -0.5, 1.0 + 0 * x[:, 0], 2.0 + 0 * x[:, 0])

    assert narrow_features(function, corner).planes(0) == pytest.approx([-0.5], abs=1e-9)
    assert all(asked)


def test_complex_values_may_jump_too() -> None:
    found = narrow_features(lambda x: np.where(x[:, 0] > 0.25, 1j, 1.0), SQUARE)
    assert found.planes(0) == pytest.approx([0.25], abs=1e-9)


def test_functions_within_a_piecewise_field_are_looked_at_where_they_hold() -> None:
    disk = npde.Disk((0.3, 0.0), 0.4)
    inner = within(lambda x: npde.abs(x[:, 0] - 0.3) < 0.01)
    field = npde.Piecewise(1.0, (disk, inner)).on(SQUARE)
    found = features_of([field], SQUARE)
    assert found.planes(0) == pytest.approx([0.29, 0.31], abs=1e-9)
    assert np.hypot(found.points[:, 0] - 0.3, found.points[:, 1]).max() <= 0.4
    assert len(features_of([npde.Piecewise(1.0, (disk, 2.0)).on(SQUARE)], SQUARE)) == 0


def test_it_is_said_how_fine_a_function_was_looked_at() -> None:
    assert (
        narrow_features(lambda x: x[:, 0], npde.Box((0, 2), (0, 2))).looked
        == "every 0.002 on 128 lines along each axis"
    )
