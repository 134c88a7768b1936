"""Helmholtz' equation on boxes of three axes: against plane waves, layers, modes of a guide, and the series of a ball."""

import warnings

import numpy as np
import pytest
import torch
from scipy.special import lpmv, spherical_jn, spherical_yn

import neurapde as npde
from neurapde.core.errors import DeclarationError
from neurapde.methods.choice import choose_method
from neurapde.trials import OutgoingWave
from support import assert_same_field, relative

CUBE = npde.Box((-1, 1), (-1, 1), (-1, 1))
BRICK = npde.Box((0, 1), (-0.5, 0.7), (2, 2.8))
K = 6.0
WAY = np.array([0.6, 0.48, 0.64])


def phase(x: np.ndarray) -> np.ndarray:
    return npde.exp(-1j * K * (WAY[0] * x[:, 0] + WAY[1] * x[:, 1] + WAY[2] * x[:, 2]))


def inside(count: int = 300, half: float = 0.45) -> np.ndarray:
    return np.random.default_rng(40927).uniform(-half, half, (count, 3))


def in_brick(count: int = 300) -> np.ndarray:
    return BRICK.sample(count, how="sobol", generator=torch.Generator().manual_seed(20479)).numpy()


def solved(problem: npde.Problem, **settings: float) -> npde.Solution:
    return npde.solve(problem, method=npde.Galerkin(seconds=900, **settings), progress=False)


def estimate(solution: npde.Solution) -> float:
    return float(solution.stages[-1].extras["error_estimate"])


def side(kind: str, face: str) -> npde.Dirichlet | npde.Neumann | npde.Robin:
    axis, sign = BRICK.face_axis(face)[0], 2 * BRICK.face_axis(face)[1] - 1
    slope = -1j * K * WAY[axis] * sign
    if kind == "D":
        return npde.Dirichlet(phase, on=face)
    if kind == "N":
        return npde.Neumann(lambda x: slope * phase(x), on=face)
    if kind == "R":
        return npde.Robin(1j * K, 2.0, lambda x: (1j * K + 2 * slope) * phase(x), on=face)
    return npde.Robin(
        lambda x: 1 + x[:, 0] ** 2, 0.5, lambda x: (1 + x[:, 0] ** 2 + 0.5 * slope) * phase(x), on=face
    )


@pytest.mark.parametrize("kinds", ["DDDDDD", "RRRRRR", "RNDRRD", "RVDVRV"])
def test_plane_waves_are_found_under_every_condition(kinds: str) -> None:
    boundary = [side(kind, face) for kind, face in zip(kinds, BRICK.faces, strict=True)]
    solution = solved(npde.Problem("plane", BRICK, npde.Helmholtz(K), 0.0, boundary), tolerance=1e-6)
    x = in_brick()
    assert relative(solution(x), phase(x)) < 1e-6


def test_a_gaussian_source_in_open_space_is_known_and_its_layer_is_solved() -> None:
    source = npde.GaussianSource((-0.3, 0.1, 0.0), 1e-3)
    problem = npde.Problem("open", CUBE, npde.Helmholtz(K), [source], npde.PML(0.5, reflection=1e-9))
    assert isinstance(choose_method(problem, None)[0], npde.Trefftz)
    solution, x = solved(problem), inside()
    assert relative(solution(x), OutgoingWave(source, K).values(x)) < 1e-5


def test_the_error_of_a_wide_source_falls_fast_and_its_estimate_covers_it() -> None:
    def density(x: np.ndarray) -> np.ndarray:
        return npde.exp(-(x**2).sum(1) / 0.02) * (2 * np.pi * 0.01) ** -1.5

    problem = npde.Problem("wide", CUBE, npde.Helmholtz(K), density, npde.PML(0.45, reflection=1e-8))
    x = inside(half=0.5)
    truth = OutgoingWave(npde.GaussianSource((0, 0, 0), 0.01), K).values(x)
    errors = []
    for bandwidth in (12.0, 18.0, 27.0):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            solution = solved(problem, bandwidth=bandwidth)
        errors.append(relative(solution(x), truth))
        assert errors[-1] <= 3 * estimate(solution)
    assert errors[1] < errors[0] / 2
    assert errors[2] < errors[1] / 4
    assert errors[2] < 2e-3


def medium(x: np.ndarray) -> np.ndarray:
    return 1 + 0.3 * x[:, 0] * npde.sin(x[:, 1] + x[:, 2])


def forced(speed: object) -> object:
    """Of (Δ + k²/c²) u = f for u the plane wave."""
    return lambda x: K**2 * (1 / speed(x) ** 2 - 1) * phase(x)


def test_a_smooth_medium_is_iterated_on() -> None:
    boundary = [side("R", "left"), npde.Dirichlet(phase, on=tuple(f for f in BRICK.faces if f != "left"))]
    problem = npde.Problem("medium", BRICK, npde.Helmholtz(K, speed=medium), forced(medium), boundary)
    solution, x = solved(problem, tolerance=1e-6), in_brick()
    assert relative(solution(x), phase(x)) < 1e-6
    assert solution.stages[-1].extras["iterations"] > 0


def test_a_gridded_medium_is_that_of_its_interpolation() -> None:
    speed = npde.GridField(1 + 0.2 * np.random.default_rng(71993).random((3, 4, 3)), bounds=BRICK.bounds)
    boundary = [side("R", "left"), npde.Dirichlet(phase, on=tuple(f for f in BRICK.faces if f != "left"))]
    problem = npde.Problem("gridded", BRICK, npde.Helmholtz(K, speed=speed), forced(speed), boundary)
    solution, x = solved(problem, tolerance=1e-3), in_brick()
    error = relative(solution(x), phase(x))
    assert error < 1e-3
    assert error <= 3 * estimate(solution)


def test_a_layer_reflects_and_lets_pass_what_it_does_on_a_line() -> None:
    slow = npde.Box((0, 0.4), (-0.5, 0.7), (2, 2.8), name="slow")
    sides = tuple(face for face in BRICK.faces if face not in ("left", "right"))
    boundary = [npde.Dirichlet(1.0, on="left"), npde.Absorbing(on="right"), npde.Neumann(on=sides)]
    problem = npde.Problem(
        "layer", BRICK, npde.Helmholtz(K, speed=npde.Piecewise(1.0, (slow, 0.5))), 0.0, boundary
    )
    inner, at = 2 * K, 0.4
    matrix = [
        [1, 1, 0],
        [np.exp(-1j * inner * at), np.exp(1j * inner * at), -np.exp(-1j * K * at)],
        [-inner * np.exp(-1j * inner * at), inner * np.exp(1j * inner * at), K * np.exp(-1j * K * at)],
    ]
    right, left, passed = np.linalg.solve(matrix, [1, 0, 0])
    x = in_brick()
    truth = np.where(
        x[:, 0] < at,
        right * np.exp(-1j * inner * x[:, 0]) + left * np.exp(1j * inner * x[:, 0]),
        passed * np.exp(-1j * K * x[:, 0]),
    )
    assert relative(solved(problem, tolerance=1e-6)(x), truth) < 1e-6


def test_a_mode_runs_along_a_periodic_guide_into_its_layer() -> None:
    guide = npde.Box((0, 2), (0, 1.5), (0, 1.0))
    across = 2 * np.pi / 1.5
    along = np.sqrt(K**2 - across**2)
    boundary = [
        npde.Dirichlet(lambda x: npde.exp(1j * across * x[:, 1]), on="left"),
        npde.PML({"right": 0.8}, strength=12.0),
        npde.Periodic("y"),
        npde.Periodic("z"),
    ]
    solution = solved(npde.Problem("guide", guide, npde.Helmholtz(K), 0.0, boundary), tolerance=1e-6)
    x = np.random.default_rng(3413).uniform((0, 0, 0), (1.2, 1.5, 1.0), (300, 3))
    assert relative(solution(x), np.exp(1j * across * x[:, 1] - 1j * along * x[:, 0])) < 1e-5


def ball_field(points: np.ndarray, at: float, radius: float, speed: float) -> np.ndarray:
    """The field of a point source on the x axis beside a ball at the origin of another speed: its spherical series."""
    r = np.linalg.norm(points, axis=1)
    cosine = points[:, 0] / r
    total = np.zeros(len(points), dtype=complex)
    inner = K / speed

    def h(n: int, z: np.ndarray, derivative: bool = False) -> np.ndarray:
        return spherical_jn(n, z, derivative) - 1j * spherical_yn(n, z, derivative)

    for n in range(25):
        incident = 1j * K * (2 * n + 1) / (4 * np.pi) * h(n, K * abs(at))
        matrix = [
            [h(n, K * radius), -spherical_jn(n, inner * radius)],
            [K * h(n, K * radius, True), -inner * spherical_jn(n, inner * radius, True)],
        ]
        known = incident * np.array([spherical_jn(n, K * radius), K * spherical_jn(n, K * radius, True)])
        out, within = np.linalg.solve(matrix, -known)
        total += lpmv(0, n, np.sign(at) * cosine) * np.where(
            r > radius, out * h(n, K * np.maximum(r, radius)), within * spherical_jn(n, inner * r)
        )
    source = OutgoingWave(npde.PointSource((at, 0.0, 0.0)), K)
    return np.where(r > radius, total + source.values(points), total)


def test_a_ball_of_another_speed_scatters_as_its_series_does() -> None:
    ball = npde.Ball((0, 0, 0), 0.25)
    speed = npde.Piecewise(1.0, (ball, 1.5))
    source = npde.PointSource((-0.55, 0.0, 0.0))
    problem = npde.Problem(
        "ball", CUBE, npde.Helmholtz(K, speed=speed), [source], npde.PML(0.4, reflection=1e-6)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        solution = solved(problem, bandwidth=36.0)
    x = inside()
    error = relative(solution(x), ball_field(x, -0.55, 0.25, 1.5))
    assert error < 5e-3
    assert error <= 3 * estimate(solution)


def test_a_field_of_elements_is_the_same_from_its_file(tmp_path) -> None:
    boundary = [side("R", face) for face in BRICK.faces]
    solution = solved(npde.Problem("saved", BRICK, npde.Helmholtz(K), 0.0, boundary))
    solution.save(tmp_path / "field.h5")
    x = in_brick(50)
    assert_same_field(npde.load(tmp_path / "field.h5")(x), solution(x))


def test_what_does_not_fit_is_refused_with_its_numbers() -> None:
    problem = npde.Problem(
        "large", CUBE, npde.Helmholtz(1500.0), [npde.PointSource((0.0, 0.0, 0.0))], npde.PML(0.2)
    )
    with pytest.raises(DeclarationError, match=r"polynomials.*too much memory"):
        npde.solve(problem, method=npde.Galerkin(largest=4096), progress=False)


def test_a_source_on_a_side_is_refused() -> None:
    problem = npde.Problem(
        "edge", CUBE, npde.Helmholtz(K), [npde.PointSource((1.0, 0.0, 0.0))], npde.Absorbing()
    )
    assert "lies on a side" in str(npde.Galerkin().obstacle(problem))
