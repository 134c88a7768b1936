"""Periodic sides of Trefftz' method against series of modes, layers, moved boxes, and finite elements."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neurapde as npde
from neurapde.methods.choice import choose_method
from support import relative

L, H = 2.0, 1.3
BOX = npde.Box((-1, 1), (0, H))
ACROSS = npde.Periodic("x")
SHUT = npde.Dirichlet(0.0, on=["bottom", "top"])
AT = (0.97, 0.55)
PLACES = np.random.default_rng(30713).uniform((-1, 0), (1, H), (300, 2))
AWAY = PLACES[np.abs(PLACES[:, 1] - AT[1]) > 0.05]


def strip(square: complex, at: tuple[float, float], points: NDArray) -> NDArray:
    """−Δu + square u = δ between plates at y = 0 and H on which u = 0, periodic along x: mode by mode."""
    n = np.arange(-2000, 2001)
    g = np.sqrt((2 * np.pi * n / L) ** 2 + square + 0j)
    g = np.where(g.imag < 0, -g, g) if square.real < 0 else g
    low, high = (side(points[:, 1, None], at[1]) for side in (np.minimum, np.maximum))
    above = np.exp(-g * (high - low)) * (1 - np.exp(-2 * g * low)) * (1 - np.exp(-2 * g * (H - high)))
    modes = above / (1 - np.exp(-2 * g * H)) / (2 * g)
    return np.asarray((modes * np.exp(2j * np.pi * n / L * (points[:, :1] - at[0]))).sum(axis=1) / L)


def solved(problem: npde.Problem, **settings: Any) -> tuple[npde.Solution, float]:
    """By Trefftz' method, and the error that it states."""
    solution = npde.solve(problem, method=npde.Trefftz(**settings), progress=False)
    return solution, float(solution.stages[-1].extras["error_estimate"])


@pytest.mark.parametrize("wavenumber", [7.0, pytest.param(20.0, marks=pytest.mark.slow)])
def test_waves_of_a_point_in_a_strip_are_the_sum_of_its_modes(wavenumber: float) -> None:
    problem = npde.Problem("strip", BOX, npde.Helmholtz(wavenumber), npde.PointSource(AT), [ACROSS, SHUT])
    solution, stated = solved(problem)
    error = relative(solution(AWAY), -strip(complex(-(wavenumber**2), 0), AT, AWAY))
    assert error < min(3 * stated, 1e-5)


@pytest.mark.parametrize("reaction", [0.0, 9.0])
def test_the_potential_of_a_point_in_a_strip_is_the_sum_of_its_modes(reaction: float) -> None:
    """0 in the exponent of the mode that is constant along x is taken as 1e-12."""
    equation = npde.Poisson(reaction=reaction)
    problem = npde.Problem("strip", BOX, equation, npde.PointSource(AT), [ACROSS, SHUT])
    solution, stated = solved(problem)
    error = relative(solution(AWAY), strip(complex(reaction + 1e-12, 0), AT, AWAY).real)
    assert error < min(3 * stated, 1e-5)


def test_the_potential_on_a_torus_has_mean_zero() -> None:
    box, n = npde.Box((0, 1), (0, 1)), np.arange(-20, 21)
    variance, charges = 3e-3, (((0.3, 0.6), 1.0), ((0.7, 0.4), -1.0))
    sources = [npde.GaussianSource(at, variance, amplitude=amplitude) for at, amplitude in charges]
    problem = npde.Problem("torus", box, npde.Poisson(), sources, [ACROSS, npde.Periodic("y")])
    solution, stated = solved(problem)
    points = box.sample(400, how="grid").numpy()
    waves = 2 * np.pi * np.stack(np.meshgrid(n, n), axis=-1).reshape(-1, 2)
    square = (waves**2).sum(axis=1)
    bells = np.exp(-square * variance / 2) / np.where(square > 0, square, np.inf)
    exact = sum(a * (bells * np.cos((points - at) @ waves.T)).sum(axis=1) for at, a in charges)
    assert (
        relative(np.asarray(solution(points)), np.asarray(exact)) < 3 * stated + 1e-5
    )  # bells end at the sides


@pytest.mark.slow
def test_layers_carry_a_wave_as_their_ordinary_equation_says() -> None:
    """u = e^{iπx} Y(y), Y″ + (k²/c² − π²) Y = 0 in three layers, Y(0) = 1, Y′ + ikY = 0 at the top."""
    k, c, planes = 12.0, 2.0, (0.0, 0.9, 1.1, H)
    numbers = [np.sqrt(complex(k**2 / speed**2 - np.pi**2)) for speed in (1.0, c, 1.0)]
    rows, right = np.zeros((6, 6), dtype=complex), np.zeros(6, dtype=complex)

    def wave(layer: int, y: float) -> tuple[NDArray, NDArray]:
        q = numbers[layer]
        value = np.array([np.exp(1j * q * y), np.exp(-1j * q * y)])
        return value, 1j * q * value * [1, -1]

    rows[0, :2], right[0] = wave(0, 0.0)[0], 1.0
    for layer in (0, 1):
        for which in (0, 1):
            row = rows[1 + 2 * layer + which]
            row[2 * layer : 2 * layer + 2] = wave(layer, planes[layer + 1])[which]
            row[2 * layer + 2 : 2 * layer + 4] = -wave(layer + 1, planes[layer + 1])[which]
    rows[5, 4:] = wave(2, H)[1] + 1j * k * wave(2, H)[0]
    amplitudes = np.linalg.solve(rows, right).reshape(3, 2)
    speed = npde.Piecewise(1.0, (npde.Box((-1, 1), planes[1:3]), c))
    sides = [
        ACROSS,
        npde.Dirichlet(lambda x: npde.exp(1j * np.pi * x[:, 0]), on="bottom"),
        npde.Absorbing(on="top"),
    ]
    problem = npde.Problem("layers", BOX, npde.Helmholtz(k, speed), [], sides)
    solution, stated = solved(problem, tolerance=1e-3)
    layers = np.searchsorted(planes[1:3], PLACES[:, 1])
    exact = np.exp(1j * np.pi * PLACES[:, 0]) * [
        wave(layer, y)[0] @ amplitudes[layer] for layer, y in zip(layers, PLACES[:, 1], strict=True)
    ]
    assert relative(solution(PLACES), exact) < min(3 * stated, 1e-3)


@pytest.mark.parametrize("equation", [pytest.param("waves", marks=pytest.mark.slow), "potential"])
def test_a_disk_that_a_side_cuts_is_the_disk_of_the_moved_box(equation: str) -> None:
    def problem(shift: float) -> npde.Problem:
        disks = [npde.Disk((1.2 + shift + turn, 0.6), 0.3) for turn in (-2 * L, -L, 0.0)]
        disks = [disk for disk in disks if abs(disk.center[0]) < 1.3]
        parts = npde.Piecewise(1.0, *((disk, 2.0) for disk in disks))
        at = ((0.2 + shift + 1) % L - 1, 0.9)
        if equation == "waves":
            top = [npde.Dirichlet(0.0, on="bottom"), npde.Absorbing(on="top")]
            return npde.Problem("cut", BOX, npde.Helmholtz(4.0, parts), npde.PointSource(at), [ACROSS, *top])
        top = [npde.Dirichlet(0.0, on="bottom"), npde.Neumann(1.0, on="top")]
        return npde.Problem("cut", BOX, npde.Poisson(coefficient=parts), npde.PointSource(at), [ACROSS, *top])

    cut, stated = solved(problem(0.0), tolerance=1e-3)
    whole, _ = solved(problem(-1.0))
    points = PLACES[np.hypot((PLACES[:, 0] - 0.2 + 1) % L - 1, PLACES[:, 1] - 0.9) > 0.1]
    moved = np.stack([(points[:, 0] - 1 + 1) % L - 1, points[:, 1]], axis=1)
    assert relative(np.asarray(cut(points)), np.asarray(whole(moved))) < 3 * stated + 1e-5


def test_a_hole_may_stand_between_periodic_sides_but_meet_both_or_none() -> None:
    def problem(x: float) -> npde.Problem:
        sides = [ACROSS, SHUT, npde.Neumann(0.0, on="disk")]
        hole = BOX - npde.Disk((x, 0.6), 0.3)
        return npde.Problem("hole", hole, npde.Helmholtz(6.0), npde.PointSource((-0.3, 0.9)), sides)

    solution, stated = solved(problem(0.4))
    seam = np.stack([np.full(50, -1.0), np.linspace(0.05, 1.25, 50)], axis=1)
    jump = np.abs(solution(seam) - solution(seam + np.array([L, 0.0]))).max()
    assert solution.status is npde.Status.CONVERGED
    assert jump < 20 * stated * np.abs(solution(seam)).max()
    with pytest.raises(npde.DeclarationError, match=r"a hole .* ends at one of them"):
        solved(problem(1.0))


def test_what_it_leaves_to_others_is_said() -> None:
    on_side = npde.Problem("side", BOX, npde.Helmholtz(6.0), npde.PointSource((1.0, 0.5)), [ACROSS, SHUT])
    with pytest.raises(npde.DeclarationError, match="lies on a periodic side"):
        solved(on_side)
    in_space = npde.Box((0, 1), (0, 1), (0, 1))
    faces = npde.Dirichlet(0.0, on=["bottom", "top", "front", "back"])
    source = npde.PointSource((0.5, 0.5, 0.5))
    with pytest.raises(npde.DeclarationError, match="does not support the condition u periodic in x"):
        solved(npde.Problem("room", in_space, npde.Helmholtz(6.0), source, [ACROSS, faces]))


def test_an_inclusion_is_taken_by_default() -> None:
    disk = npde.Piecewise(1.0, (npde.Disk((0.3, 0.6), 0.3), 2.0))
    sides = [ACROSS, npde.Absorbing(on=["bottom", "top"])]
    for equation in (npde.Helmholtz(5.0, disk), npde.Poisson(reaction=disk)):
        conditions = sides if isinstance(equation, npde.Helmholtz) else [ACROSS, npde.Periodic("y")]
        problem = npde.Problem("grating", BOX, equation, npde.PointSource((-0.3, 0.9)), conditions)
        method, why = choose_method(problem, None)
        assert isinstance(method, npde.Trefftz)
        assert "constant by region" in why


@pytest.mark.slow
def test_a_field_beside_a_resonance_is_right_or_told() -> None:
    source = npde.PointSource((-0.3, 0.9))
    for beside in (1e-11, 1e-5):
        resonance = float(np.hypot(np.pi, np.pi / H)) * (1 + beside)
        problem = npde.Problem("empty", BOX, npde.Helmholtz(resonance), source, [ACROSS, SHUT])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            solution, stated = solved(problem)
        points = PLACES[np.abs(PLACES[:, 1] - 0.9) > 0.05]
        exact = -strip(complex(-(resonance**2), 0), source.at, points)
        assert caught or relative(solution(points), exact) < 3 * stated


@pytest.mark.slow
def test_disks_and_a_triangle_are_those_of_finite_elements() -> None:
    """NGSolve of order 9, periodic; the background is what the disk and the triangle leave."""
    ngsolve, occ = pytest.importorskip("ngsolve"), pytest.importorskip("netgen.occ")
    k, corners, at, variance = 12.0, [(0.1, 0.3), (0.6, 0.4), (0.2, 0.8)], (-0.1, 0.9), 3e-3
    wedge = occ.MoveTo(*corners[0]).LineTo(*corners[1]).LineTo(*corners[2]).Close().Face()
    disk = occ.Circle((-0.5, 0.5), 0.25).Face()
    plate = occ.MoveTo(-1, 0).Rectangle(2, H).Face()
    rest = plate - wedge - disk
    for face, name in ((wedge, "wedge"), (disk, "disk"), (rest, "rest")):
        face.faces.name = name
    shape = occ.Glue([wedge, disk, rest])
    for edges, name in ((shape.edges.Min(occ.Y), "bottom"), (shape.edges.Max(occ.Y), "top")):
        edges.name = name
    way = occ.gp_Trsf.Translation(L * occ.X)
    shape.edges.Min(occ.X).Identify(shape.edges.Max(occ.X), "x", occ.IdentificationType.PERIODIC, way)
    mesh = ngsolve.Mesh(occ.OCCGeometry(shape, dim=2).GenerateMesh(maxh=0.12)).Curve(8)
    space = ngsolve.Periodic(ngsolve.H1(mesh, order=9, complex=True))
    u, v = space.TnT()
    square = mesh.MaterialCF({"wedge": (k / 0.5) ** 2, "disk": (k / 2) ** 2, "rest": k**2})
    form = ngsolve.BilinearForm(space)
    form += (ngsolve.grad(u) * ngsolve.grad(v) - square * u * v) * ngsolve.dx
    form += 1j * k * u * v * ngsolve.ds("bottom|top")
    away = (ngsolve.x - at[0]) ** 2 + (ngsolve.y - at[1]) ** 2
    bell = ngsolve.exp(-away / (2 * variance)) / (2 * np.pi * variance)
    load = ngsolve.LinearForm(space)
    load += -bell * v * ngsolve.dx(bonus_intorder=10)
    form.Assemble(), load.Assemble()
    field = ngsolve.GridFunction(space)
    field.vec.data = form.mat.Inverse(space.FreeDofs(), inverse="umfpack") * load.vec
    truth = np.array([field(mesh(*point)) for point in PLACES.tolist()])
    speed = npde.Piecewise(1.0, (npde.Polygon(corners), 0.5), (npde.Disk((-0.5, 0.5), 0.25), 2.0))
    sides = [ACROSS, npde.Absorbing(on=["bottom", "top"])]
    problem = npde.Problem("grating", BOX, npde.Helmholtz(k, speed), npde.GaussianSource(at, variance), sides)
    solution, stated = solved(problem)
    assert relative(solution(PLACES), truth) < 3 * stated + 1e-5
