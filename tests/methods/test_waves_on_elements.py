"""Helmholtz' equation in a plane whose medium varies: direct on elements, against closed forms and against iteration."""

import numpy as np
import pytest
from scipy.special import hankel2

import neurapde as npde
from neurapde.assembly.boxes.element_condensed import CondensedForm, nested_dissection
from neurapde.assembly.boxes.element_cost import element_cost
from neurapde.assembly.boxes.element_form import ElementForm
from neurapde.assembly.boxes.element_medium import on_cells
from neurapde.assembly.boxes.element_waves import ElementWaves
from support import relative

PLATE = npde.Box((-0.5, 0.7), (0, 1))
K = 15.0


def phase(x: np.ndarray) -> np.ndarray:
    return npde.exp(-1j * K * (0.6 * x[:, 0] + 0.8 * x[:, 1]))


def medium(x: np.ndarray) -> np.ndarray:
    return 1 + 0.3 * x[:, 0] * npde.sin(3 * x[:, 1])


def load(x: np.ndarray) -> np.ndarray:
    return K**2 * (1 / medium(x) ** 2 - 1) * phase(x)


def side(kind: str, face: str) -> npde.Dirichlet | npde.Neumann | npde.Robin:
    axis, end = PLATE.face_axis(face)
    slope = -1j * K * (0.6, 0.8)[axis] * (2 * end - 1)
    if kind == "D":
        return npde.Dirichlet(phase, on=face)
    if kind == "N":
        return npde.Neumann(lambda x: slope * phase(x), on=face)
    return npde.Robin(
        lambda x: 1 + 1j * x[:, 0] ** 2,
        0.1,
        lambda x: (1 + 1j * x[:, 0] ** 2 + 0.1 * slope) * phase(x),
        on=face,
    )


@pytest.mark.parametrize("kinds", ["DDDD", "RNDR", "RRRR"])
def test_a_smooth_medium_is_solved_directly_under_every_condition(kinds: str) -> None:
    boundary = [side(kind, face) for kind, face in zip(kinds, PLATE.faces, strict=True)]
    problem = npde.Problem("plate", PLATE, npde.Helmholtz(K, speed=medium), load, boundary)
    solution = npde.solve(problem, method=npde.Galerkin(tolerance=1e-6, seconds=900), progress=False)
    x = PLATE.sample(300, how="grid").numpy()
    error = relative(solution(x), phase(x))
    assert error < 1e-6
    assert error <= 3 * solution.stages[-1].extras["error_estimate"]


def grid_lens(k: float) -> npde.Problem:
    speed = npde.GridField(1 + 0.2 * np.random.default_rng(60913).random((9, 9)))
    source = npde.PointSource((-0.3, 0.1))
    return npde.Problem(
        "lens",
        npde.Box((-1, 1), (-1, 1)),
        npde.Helmholtz(k, speed=speed),
        [source],
        npde.PML(0.45, reflection=1e-6),
    )


def test_what_is_inside_elements_is_condensed_exactly() -> None:
    waves = ElementWaves(grid_lens(8.0), grid_lens(8.0).equation)
    axes = waves.axes(waves.first_bandwidth)
    values = on_cells(waves.coefficient, axes, False)
    faces = [face for face in waves.faces.every if face is not None]
    density = np.random.default_rng(90821).standard_normal(values.shape)
    fields = [
        kind(axes, waves.form.scale, waves.constant, values - waves.constant, faces).solve(
            density, 0, 1e-11, None
        )[0]
        for kind in (CondensedForm, ElementForm)
    ]
    assert relative(fields[0], fields[1]) < 1e-8


def test_the_ends_of_a_periodic_axis_are_one() -> None:
    across = 2 * np.pi

    def wave(x: np.ndarray) -> np.ndarray:
        return npde.exp(1j * across * x[:, 1]) * npde.sin(3 * x[:, 0])

    def speed(x: np.ndarray) -> np.ndarray:
        return 1 + 0.2 * npde.sin(across * x[:, 1])

    problem = npde.Problem(
        "ring",
        PLATE,
        npde.Helmholtz(K, speed=speed),
        lambda x: (K**2 / speed(x) ** 2 - across**2 - 9) * wave(x),
        [npde.Dirichlet(wave, on=("left", "right")), npde.Periodic("y")],
    )
    solution = npde.solve(problem, method=npde.Galerkin(tolerance=1e-6, seconds=900), progress=False)
    x = PLATE.sample(300, how="grid").numpy()
    assert relative(solution(x), wave(x)) < 1e-6


def test_the_wave_of_a_source_goes_on_at_the_opposite_side() -> None:
    sides = [npde.Dirichlet(0.0, on=("left", "right")), npde.Periodic("y")]

    def problem(source: object) -> npde.Problem:
        return npde.Problem("ring", PLATE, npde.Helmholtz(6.0), source, sides)

    bell = problem(npde.GaussianSource(PLATE.sample(1, how="grid").numpy()[0], 5e-3))
    by_elements = npde.solve(bell, method=npde.Galerkin(tolerance=1e-3), progress=False)
    by_separation = npde.solve(bell, method=npde.Separable(), progress=False)
    x = PLATE.sample(300, how="grid").numpy()
    assert relative(by_elements(x), by_separation(x)) < 1e-3
    point = problem(npde.PointSource(PLATE.sample(1, how="grid").numpy()[0]))
    with pytest.raises(npde.DeclarationError, match="its known wave is not periodic; use Trefftz"):
        npde.solve(point, method=npde.Galerkin(), progress=False)


def test_a_gridded_medium_converges_across_its_kinks() -> None:
    problem = grid_lens(12.0)
    x = np.random.default_rng(1187).uniform(-0.5, 0.5, (300, 2))
    x = x[np.hypot(x[:, 0] + 0.3, x[:, 1] - 0.1) > 0.1]
    fine = npde.solve(
        problem, method=npde.Galerkin(tolerance=5e-3, bandwidth=60.0, seconds=900), progress=False
    )
    rough = npde.solve(problem, method=npde.Galerkin(tolerance=1e-3, seconds=900), progress=False)
    assert relative(rough(x), fine(x)) <= 3 * rough.stages[-1].extras["error_estimate"]
    assert relative(rough(x), fine(x)) < 1e-3


def test_a_thousand_square_wavelengths_are_predicted_to_end() -> None:
    problem = grid_lens(160.0)
    waves = ElementWaves(problem, problem.equation)
    cost = element_cost(waves, 1.35 * waves.first_bandwidth)
    assert 1.0 < cost.seconds < 120.0
    assert cost.memory < 8e9


def test_edges_are_eliminated_halves_before_the_line_between_them() -> None:
    lattice = np.stack(np.meshgrid(np.arange(-1, 32), np.arange(-1, 24), indexing="ij")).reshape(2, -1)
    stations = lattice[:, (lattice % 2 == 1).any(axis=0)]
    order = nested_dissection(stations)
    assert sorted(order) == list(range(stations.shape[1]))
    last = stations[:, order[-13:]]
    assert set(last[0]) == {15}  # a line across the longer axis comes last
    sides = np.sign(stations[0, order[:-25]] - 15)
    assert np.count_nonzero(np.diff(sides)) == 1


@pytest.mark.parametrize("source", [npde.PointSource((-0.3, 0.1)), npde.GaussianSource((-0.3, 0.1), 1e-3)])
def test_waves_fade_in_a_uniform_medium_of_complex_speed(source: npde.PointSource) -> None:
    speed, k = 1 + 0.05j, 12.0
    box, layer = npde.Box((-1, 1), (-1, 1)), npde.PML(0.45, reflection=1e-6)
    problem = npde.Problem("fading", box, npde.Helmholtz(k, speed=speed), [source], layer)
    solution = npde.solve(problem, method=npde.Galerkin(), progress=False)
    x = npde.Box((-0.5, 0.5), (-0.5, 0.5)).sample(300, how="grid").numpy()
    x = x[np.hypot(x[:, 0] + 0.3, x[:, 1] - 0.1) > 0.2]
    variance = getattr(source, "variance", 0.0)
    local = k / speed
    exact = (
        0.25j
        * np.exp(-(local**2) * variance / 2)
        * hankel2(0, local * np.hypot(x[:, 0] + 0.3, x[:, 1] - 0.1))
    )
    assert relative(solution(x), exact) < 1e-6


@pytest.mark.slow
def test_a_gaussian_source_in_a_uniform_block_of_complex_speed_agrees_with_the_grid() -> None:
    box, layer = npde.Box((-1, 1), (-1, 1), (-1, 1)), npde.PML(0.4, reflection=1e-3)
    source = npde.GaussianSource((0.1, 0.0, 0.05), 1e-2)
    problem = npde.Problem("block", box, npde.Helmholtz(6.0, speed=1 + 0.1j), [source], layer)
    solution = npde.solve(problem, method=npde.Galerkin(), progress=False)
    grid = npde.reference(problem, shape=41)
    x = npde.Box((-0.6, 0.6), (-0.6, 0.6), (-0.6, 0.6)).sample(300, how="grid").numpy()
    assert relative(solution(x), grid(x)) < 1e-2
