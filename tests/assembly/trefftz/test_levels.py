"""Levels of features that solve Helmholtz' equation, against the Bessel-Hankel series of a penetrable disk."""

import numpy as np
import pytest
import torch
from scipy import special

import neurapde as npde
from neurapde.assembly.trefftz.helmholtz import HelmholtzFamily
from neurapde.assembly.trefftz.levels import Levels
from neurapde.problems import helmholtz_disk
from neurapde.validation.exact import exact_solution


@pytest.mark.parametrize("wavenumber", [20.0, 160.0])
def test_a_disk_has_the_field_of_its_series_and_a_level_more_is_nearer(wavenumber: float) -> None:
    problem = helmholtz_disk(wavenumber=wavenumber)
    levels = Levels(HelmholtzFamily(problem))
    exact = exact_solution(problem)
    assert exact is not None
    known = exact(levels.probes)
    finite = np.isfinite(known)

    errors = []
    for digits in (4.0, 10.0):
        field = levels.field(levels.solve(levels.plan(digits)))[:, 0]
        errors.append(np.linalg.norm((field - known)[finite]) / np.linalg.norm(known[finite]))

    assert errors[0] < 1e-4
    assert errors[1] < min(1e-6, errors[0] / 10)


def between(first: npde.Disk, second: npde.Disk) -> npde.Problem:
    """A point source beside two disks, one fast and one slow."""
    return npde.Problem(
        "two disks",
        npde.Box((-1, 1), (-1, 1)),
        npde.Helmholtz(wavenumber=20.0, speed=npde.Piecewise(1.0, (first, 2.0), (second, 0.7))),
        [npde.PointSource((-0.35, 0.1))],
        npde.PML(width=0.5),
    )


@pytest.mark.slow
def test_disks_that_touch_are_the_limit_of_narrow_gaps() -> None:
    places = torch.as_tensor(np.random.default_rng(61717).uniform(-0.5, 0.5, (2000, 2)))
    fields = [
        npde.solve(
            between(npde.Disk((0.0, 0.0), 0.15), npde.Disk((0.3 + gap, 0.0), 0.15)),
            method=npde.Trefftz(seconds=900),
        )(places)
        for gap in (0.0, 1e-5, 1e-4)
    ]

    near, far = (float((field - fields[0]).norm() / fields[0].norm()) for field in fields[1:])
    assert near < 1e-4
    assert far == pytest.approx(10 * near, rel=0.2)


def test_of_disks_that_overlap_the_later_one_wins() -> None:
    """The earlier one is what is left of it, as a domain of its own."""
    first, second = npde.Disk((0.0, 0.0), 0.15), npde.Disk((0.2, 0.05), 0.15)
    cut = npde.Piecewise(1.0, (second, 0.7), (first - second, 2.0))
    problem = between(first, second)
    other = npde.Problem(
        "cut", problem.domain, npde.Helmholtz(wavenumber=20.0, speed=cut), problem.sources, problem.boundary
    )
    places = torch.as_tensor(np.random.default_rng(61717).uniform(-0.5, 0.5, (2000, 2)))

    overlapping, same = (npde.solve(each, method=npde.Trefftz(seconds=900)) for each in (problem, other))

    error = float((overlapping(places) - same(places)).norm() / overlapping(places).norm())
    assert error < sum(3 * float(each.stages[-1].extras["error_estimate"]) for each in (overlapping, same))


@pytest.mark.slow
def test_a_room_with_a_re_entrant_corner_and_impedance_is_resolved() -> None:
    """u = J(kr) sin αθ of order α = 2/3, whose slope is infinite at the corner, has the value of its own condition."""
    k, alpha = 10.0, 2 / 3

    def wave(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        r, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
        angle = np.where(angle < -1e-9, angle + 2 * np.pi, angle)
        along = k * special.jvp(alpha, k * r) * np.sin(alpha * angle)
        across = alpha * special.jv(alpha, k * r) / r * np.cos(alpha * angle)
        turn, side = x.T / r, np.stack([-x[:, 1], x[:, 0]]) / r
        return special.jv(alpha, k * r) * np.sin(alpha * angle), (along * turn + across * side).T

    room = npde.Polygon([(-1, -1), (0, -1), (0, 0), (1, 0), (1, 1), (-1, 1)])
    normals = [(0, -1), (1, 0), (0, -1), (1, 0), (0, 1), (-1, 0)]

    def condition(face: str, normal: tuple[float, float]) -> npde.Robin:
        def value(x: np.ndarray) -> np.ndarray:
            u, slope = wave(x)
            return np.asarray(1j * k * u + slope @ np.array(normal))

        return npde.Robin(1j * k, 1.0, value, on=face)

    sides = [condition(face, normal) for face, normal in zip(room.faces, normals, strict=True)]
    solution = npde.solve(
        npde.Problem("room", room, npde.Helmholtz(wavenumber=k), [], sides), method=npde.Trefftz(seconds=900)
    )

    points = room.sample(1000, how="grid")
    truth, _ = wave(points.numpy())
    error = float(np.linalg.norm(solution(points).numpy() - truth) / np.linalg.norm(truth))
    assert error < min(1e-5, 3 * float(solution.stages[-1].extras["error_estimate"]))


def test_waves_that_fade_on_their_way_have_the_field_of_their_series() -> None:
    """A disk of complex speed in a medium of complex speed, by Graf's addition theorem about its centre."""
    k, at, radius = 20.0, -0.35, 0.1
    outside, inside = 1 + 0.02j, 2 + 0.3j
    speed = npde.Piecewise(outside, (npde.Disk((0, 0), radius), inside))
    problem = npde.Problem(
        "fading",
        npde.Box((-1, 1), (-1, 1)),
        npde.Helmholtz(k, speed),
        [npde.PointSource((at, 0.0))],
        npde.PML(0.5),
    )
    solution = npde.solve(problem)

    x = np.random.default_rng(50423).uniform(-0.5, 0.5, (400, 2))
    x = x[np.hypot(x[:, 0] - at, x[:, 1]) > 0.03]
    n, r, turn = np.arange(-40, 41), np.hypot(*x.T)[:, None], np.arctan2(x[:, 1], x[:, 0])[:, None]
    p, q = k / outside, k / inside
    incoming = 0.25j * special.hankel2(n, p * abs(at)) * np.exp(-1j * np.pi * n)
    j, dj, h, dh = (
        function(n, p * radius) for function in (special.jv, special.jvp, special.hankel2, special.h2vp)
    )
    y, dy = special.jv(n, q * radius), special.jvp(n, q * radius)
    scattered = -incoming * (p * dj * y - q * dy * j) / (p * dh * y - q * dy * h)
    within = (incoming * j + scattered * h) / y
    waves = np.exp(1j * n * turn)
    truth = 0.25j * special.hankel2(0, p * np.hypot(x[:, 0] - at, x[:, 1]))
    truth += (special.hankel2(n, p * np.maximum(r, radius)) * waves) @ scattered
    core = r[:, 0] < radius
    truth[core] = ((special.jv(n, q * r) * waves) @ within)[core]
    assert solution.method.startswith("Trefftz")
    assert np.linalg.norm(solution(x) - truth) < 1e-10 * np.linalg.norm(truth)
