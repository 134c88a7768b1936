"""Backgrounds faded out or summed, and the right-hand sides that they leave."""

import numpy as np
import pytest
import torch

from neurapde.assembly.helmholtz import LatticeProblem
from neurapde.assembly.scattering import INNER, Superposition, WindowedWave
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.conditions import PML, Dirichlet
from neurapde.domains import Box, Disk
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.medium import Piecewise
from neurapde.fields.sources import GaussianSource, PointSource, Shots
from neurapde.problem.problem import Problem
from neurapde.spectral.quadrature import interval_rule

SOURCE = GaussianSource((0.1, -0.2), 1e-3, 1 + 1j)
WAVE = WindowedWave(OutgoingWave(SOURCE, 11.0), 0.7)
BOX = Box((-1, 1), (-1, 1))


def ring_points(count=40):
    rng = np.random.default_rng(20507)
    radius, angle = rng.uniform(0.02, 0.9, count), rng.uniform(0, 2 * np.pi, count)
    return np.array(SOURCE.at) + radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)


def test_window_is_whole_near_the_source_and_gone_beyond_its_radius():
    at = torch.tensor(SOURCE.at, dtype=torch.float64)
    near, far = at + torch.tensor([[0.9 * INNER * 0.7, 0.0]]), at + torch.tensor([[0.0, 0.71]])
    torch.testing.assert_close(WAVE.jet(near).channels, WAVE.wave.jet(near).channels)
    assert not WAVE.jet(far).channels.any()


def test_windowed_jet_agrees_with_differences():
    points, h = torch.from_numpy(ring_points()), 1e-5
    jet = WAVE.jet(points, 2, ((0, 1),))
    steps = torch.eye(2, dtype=torch.float64) * h
    for i in range(2):
        ahead, behind = WAVE.jet(points + steps[i], 1), WAVE.jet(points - steps[i], 1)
        torch.testing.assert_close(jet.d(i), (ahead.value - behind.value) / (2 * h), atol=1e-6, rtol=1e-6)
        for j in range(2):
            difference = (ahead.d(j) - behind.d(j)) / (2 * h)
            torch.testing.assert_close(jet.d2(i, j), difference, atol=1e-4, rtol=1e-5)


def test_commutator_is_what_the_window_adds_to_the_operator():
    case = Problem("case", BOX, Helmholtz(11.0), [SOURCE], PML(0.4, 5.0))
    strong = case.equation.strong(case)
    wave = WindowedWave(OutgoingWave(SOURCE, 11.0, case.equation.stretch(case)), 1.1)
    points = ring_points()
    tensor = torch.from_numpy(points)

    def apply(jet):
        rows = zip(strong.second(points), strong.first(points), range(2), strict=True)
        parts = [a * jet.d2(i).numpy() + b * jet.d(i).numpy() for a, b, i in rows]
        return sum(parts) + strong.zeroth(points) * jet.value.numpy()

    window = wave.window(tensor, 0).value.numpy()
    expected = apply(wave.jet(tensor)) - window * apply(wave.wave.jet(tensor))
    np.testing.assert_allclose(wave.commutator(points, strong), expected, atol=1e-8)


def test_superposition_sums_within_a_shot_and_stacks_shots():
    wave, other = (OutgoingWave(GaussianSource(at, 1e-3), 9.0) for at in [(0.0, 0.0), (0.3, 0.1)])
    points = torch.from_numpy(ring_points(5))
    both = Superposition(((wave, other),)).jet(points)
    torch.testing.assert_close(both.channels, wave.jet(points).channels + other.jet(points).channels)
    apart = Superposition(((wave,), (), (other,))).jet(points)
    torch.testing.assert_close(apart[2].channels, other.jet(points).channels)
    assert apart.value.shape == (5, 3)
    assert not apart[1].value.any()


@pytest.mark.parametrize(
    ("speed", "boundary", "source"),
    [
        pytest.param(
            Piecewise(1.0, (Disk((0.3, 0.2), 0.25), 2.0)), PML(0.4, 5.0), SOURCE, marks=pytest.mark.slow
        ),
        pytest.param(
            Piecewise(1.0, (Disk((0.1, -0.1), 0.25), 2.0)), PML(0.4, 5.0), SOURCE, marks=pytest.mark.slow
        ),
        pytest.param(
            Piecewise(1.0, (Disk((0.3, 0.2), 0.25), 2.0)),
            Dirichlet(0.0),
            GaussianSource((0.1, -0.2), 1e-4),
            marks=pytest.mark.slow,
        ),
        (lambda x: 1 + 0.2 * x[:, 0], PML(0.4, 5.0), PointSource((0.1, -0.2))),
    ],
    ids=["source-outside", "source-inside", "closed", "smooth"],
)
def test_load_is_the_defect_integrated_point_by_point(speed, boundary, source):
    case = Problem("case", BOX, Helmholtz(11.0, speed), [source], boundary)
    lattice = LatticeProblem(case, case.equation)
    modes = lattice.modes(12.0)
    load = lattice.load(modes, 0)
    # Midpoints on a grid that the jump of the medium crosses anywhere: first order there, so a loose bound.
    n = 1200
    x = -1 + 2 * (np.arange(n) + 0.5) / n
    points = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    density = lattice.density(points, 0).reshape(n, n) * (2 / n) ** 2
    brute = modes[0].values(x) @ density @ modes[1].values(x).T
    np.testing.assert_allclose(load, brute, atol=2e-3 * np.abs(load).max())


def test_smooth_density_has_the_load_of_its_transform():
    wide = GaussianSource((0.1, -0.2), 0.02, 2.0)
    case = Problem("case", BOX, Helmholtz(5.0), [lambda x: wide(x)], Dirichlet(0.0))
    lattice = LatticeProblem(case, case.equation)
    modes = lattice.modes(15.0)
    omega = [axis_modes.frequencies for axis_modes in modes]
    peak = np.outer(modes[0].values(np.array([0.1]))[:, 0], modes[1].values(np.array([-0.2]))[:, 0])
    decay = np.exp(-0.01 * (omega[0][:, None] ** 2 + omega[1] ** 2))
    np.testing.assert_allclose(lattice.load(modes, 0), 2.0 * peak * decay, atol=1e-8)


def test_each_shot_has_its_own_load():
    shots = Shots(SOURCE, [SOURCE, GaussianSource((-0.3, 0.3), 1e-3)])
    medium = Piecewise(1.0, (Disk((0.3, 0.2), 0.25), 2.0))
    case = Problem("case", BOX, Helmholtz(11.0, medium), shots, PML(0.4, 5.0))
    lattice = LatticeProblem(case, case.equation)
    alone = Problem("case", BOX, Helmholtz(11.0, medium), [shots.entries[1][1]], PML(0.4, 5.0))
    modes = lattice.modes(14.0)
    expected = lattice.load(modes, 0) + LatticeProblem(alone, alone.equation).load(modes, 0)
    np.testing.assert_allclose(lattice.load(modes, 1), expected, atol=1e-12)


def test_rule_near_the_source_is_fine_enough_whatever_its_distance_to_an_edge():
    for gap in (0.3, 0.03, 0.003):
        medium = Piecewise(1.0, (Disk((0.0, 0.0), 0.3), 1.5))
        case = Problem("case", BOX, Helmholtz(8.0, medium), [PointSource((0.3 + gap, 0.0))], PML(0.4, 5.0))
        lattice = LatticeProblem(case, case.equation)
        coarse = lattice.load(lattice.modes(10.0), 0)
        fine = lattice.load(lattice.modes(60.0), 0)[: coarse.shape[0], : coarse.shape[1]]
        np.testing.assert_allclose(coarse, fine, atol=1e-7 * np.abs(fine).max())


def test_interval_rule_integrates_oscillations_and_kinks():
    x, w = interval_rule([0.0, 0.37, 2.0], 90.0)
    wave = np.exp(90j * x) * np.where(x < 0.37, 1.0, 3.0)
    exact = ((np.exp(90j * 0.37) - 1) + 3 * (np.exp(180j) - np.exp(90j * 0.37))) / 90j
    assert w @ wave == pytest.approx(exact, abs=1e-12)
