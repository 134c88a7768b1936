"""Jumps and narrow features of functions: found where they are, as thick as they are, and none where there are none."""

import numpy as np
import pytest

import neurapde as npde
from neurapde.fields.jumps import features_of, narrow_features
from neurapde.reference_solvers.grids.grid import ResolutionWarning

SQUARE = npde.Box((-1, 1), (-1, 1))


def within(condition, inside=0.01, outside=1.0):
    """A function of two values."""
    return lambda x: npde.where(condition(x), inside + 0 * x[:, 0], outside + 0 * x[:, 0])


@pytest.mark.parametrize("thickness", [0.03, 0.003, 2e-4])
def test_a_slab_is_found_on_both_of_its_planes(thickness: float) -> None:
    features = narrow_features(within(lambda x: npde.abs(x[:, 1] - 0.2371) < thickness / 2), SQUARE)
    assert features.planes(1) == pytest.approx([0.2371 - thickness / 2, 0.2371 + thickness / 2], abs=1e-9)
    assert len(features.planes(0)) == 0
    assert not features.askew
    assert features.narrowest == pytest.approx(thickness, rel=1e-6)


def test_a_slab_at_a_slant_is_askew_and_no_thicker_than_its_chords() -> None:
    features = narrow_features(within(lambda x: npde.abs(x[:, 0] - 0.3 * x[:, 1]) < 0.002), SQUARE)
    assert features.askew
    assert features.narrowest == pytest.approx(0.004, rel=1e-6)
    assert np.abs(np.abs(features.points[:, 0] - 0.3 * features.points[:, 1]) - 0.002).max() < 1e-9


def test_the_rim_of_a_disk_is_not_taken_for_a_thin_layer() -> None:
    features = narrow_features(within(lambda x: x[:, 0] ** 2 + x[:, 1] ** 2 < 0.04), SQUARE)
    assert np.hypot(*features.points.T) == pytest.approx(0.2, abs=1e-9)
    assert features.narrowest > 0.1


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


@pytest.mark.parametrize(("domain", "width"), [(npde.Interval(0, 1), 0.01), (SQUARE, 0.008)])
def test_the_far_tails_of_a_pulse_are_no_jumps(domain: npde.Domain, width: float) -> None:
    features = narrow_features(lambda x: npde.exp(-((x - 0.3) ** 2).sum(1) / (2 * width**2)), domain)
    assert features.narrowest > width


def test_a_steep_change_has_a_width() -> None:
    features = narrow_features(lambda x: npde.tanh((x[:, 0] - 0.2 * x[:, 1]) / 1e-4), SQUARE)
    assert 1e-5 < features.narrowest < 1e-3
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
    features = narrow_features(lambda x: np.where(x[:, 0] > 0.25, 1j, 1.0), SQUARE)
    assert features.planes(0) == pytest.approx([0.25], abs=1e-9)


def test_functions_within_a_piecewise_field_are_looked_at_where_they_hold() -> None:
    disk = npde.Disk((0.3, 0.0), 0.4)
    inner = within(lambda x: npde.abs(x[:, 0] - 0.3) < 0.01)
    field = npde.Piecewise(1.0, (disk, inner)).on(SQUARE)
    features = features_of([field], SQUARE)
    assert features.planes(0) == pytest.approx([0.29, 0.31], abs=1e-9)
    assert np.hypot(features.points[:, 0] - 0.3, features.points[:, 1]).max() <= 0.4
    assert len(features_of([npde.Piecewise(1.0, (disk, 2.0)).on(SQUARE)], SQUARE)) == 0


def test_it_is_said_how_fine_a_function_was_looked_at() -> None:
    assert (
        narrow_features(lambda x: x[:, 0], npde.Box((0, 2), (0, 2))).looked
        == "every 0.002 on 128 lines along each axis"
    )


def barrier(x):
    return npde.where(npde.abs(x[:, 0] - 0.1371) < 0.0015, 1e-3 + 0 * x[:, 0], 1.0 + 0 * x[:, 0])


BETWEEN = [
    npde.Dirichlet(1.0, on="left"),
    npde.Dirichlet(0.0, on="right"),
    npde.Neumann(0.0, on=("bottom", "top")),
]


SLAB = npde.Piecewise(1.0, (npde.Box((0.1371 - 0.0015, 0.1371 + 0.0015), (-1, 1)), 1e-3))


@pytest.mark.parametrize("coefficient", [barrier, SLAB], ids=["function", "declared"])
def test_a_barrier_that_the_sines_do_not_see_is_told_and_not_converged(coefficient) -> None:
    problem = npde.Problem("barrier", SQUARE, npde.Poisson(coefficient), boundary=BETWEEN)
    with pytest.warns(ResolutionWarning, match="change within 0.003, but the sines resolve nothing thinner"):
        solution = npde.solve(problem, method=npde.Galerkin(largest=64), progress=False)
    assert solution.status is npde.Status.UNRESOLVED
    assert solution.stages[-1].extras["error_estimate"] >= 1.0
    warned = any("sampled every 0.002" in note for note in solution.notes)
    assert warned == (coefficient is barrier)


def test_layers_of_a_function_along_the_axes_are_integrated_exactly() -> None:
    thick = within(lambda x: npde.abs(x[:, 0] - 0.1371) < 0.1, 0.5)
    problem = npde.Problem("slab", SQUARE, npde.Poisson(thick), boundary=BETWEEN)
    solution = npde.solve(problem, method=npde.Galerkin(tolerance=1e-3), progress=False)
    x = np.random.default_rng(50413).uniform(-1, 1, (500, 2))
    passed = x[:, 0] + 1 + np.clip(x[:, 0] - 0.0371, 0, 0.2)
    truth = 1 - passed / 2.2
    assert np.linalg.norm(solution(x) - truth) < 2e-3 * np.linalg.norm(truth)


@pytest.mark.parametrize("method", [npde.LeastSquares(), npde.Adam(steps=10), None])
def test_residuals_at_points_of_a_function_that_jumps_are_refused_where_the_energy_is_no_way(method) -> None:
    jump = within(lambda x: x[:, 0] ** 2 + x[:, 1] ** 2 < 0.04, 5.0)
    problem = npde.Problem("disk", npde.Disk((0, 0), 1.0), npde.Poisson(jump), [1.0], npde.Dirichlet(0.0))
    with pytest.raises(npde.DeclarationError, match=r"jumps at .*; declare the region, Piecewise"):
        npde.solve(problem, method=method, progress=False)


def test_a_laplacian_of_sines_beside_a_jump_is_told_to_be_that_of_neither_side() -> None:
    slab = within(lambda x: npde.abs(x[:, 0]) < 0.5, 0.5)
    problem = npde.Problem("slab", SQUARE, npde.Poisson(slab), boundary=BETWEEN)
    solution = npde.solve(problem, method=npde.Galerkin(tolerance=1e-3), progress=False)
    beside, far = np.array([[0.49, 0.1], [0.0, 0.3]]), np.array([[0.0, 0.3], [-0.9, -0.3]])
    for derivative in (solution.laplacian, solution.gradient):
        with pytest.warns(ResolutionWarning, match="1 of the points are closer than"):
            derivative(beside)
        assert np.isfinite(derivative(far)).all()


def test_a_speed_that_jumps_as_a_function_gives_the_field_of_the_declared_one() -> None:
    thin = within(lambda x: npde.abs(x[:, 1] + 0.2371) < 0.004, 0.4)
    declared = npde.Piecewise(1.0, (npde.Box((-1, 1), (-0.2411, -0.2331)), 0.4))
    points = np.random.default_rng(50413).uniform(-0.55, 0.55, (500, 2))
    points = points[np.hypot(*(points - (-0.3, 0.1)).T) > 0.12]
    fields = []
    for speed in (thin, declared):
        problem = npde.Problem(
            "sheet",
            SQUARE,
            npde.Helmholtz(8.0, speed),
            [npde.GaussianSource(at=(-0.3, 0.1), variance=4e-4)],
            npde.PML(0.4),
        )
        solution = npde.solve(problem, method=npde.Galerkin(tolerance=4e-3), progress=False)
        fields += [solution(points), npde.reference(problem)(points)]
    for field in fields[1:]:
        assert np.linalg.norm(field - fields[0]) < 1e-2 * np.linalg.norm(fields[0])
    plain = npde.Problem(
        "plain",
        SQUARE,
        npde.Helmholtz(8.0),
        [npde.GaussianSource(at=(-0.3, 0.1), variance=4e-4)],
        npde.PML(0.4),
    )
    without = npde.reference(plain)(points)
    assert np.linalg.norm(without - fields[0]) > 0.02 * np.linalg.norm(fields[0])
