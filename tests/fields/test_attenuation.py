"""Attenuation: what its law says of phases and amplitudes, that it is causal, and how it composes with fields."""

import math

import numpy as np
import pytest

import neurapde as npde
from neurapde.fields.medium import Constant, Piecewise
from support import relative

POINT = np.zeros((1, 2))
DISK = npde.Disk((0.0, 0.0), 0.2)


def test_at_the_reference_frequency_the_speed_is_the_declared_and_a_cycle_costs_its_part_of_the_energy() -> (
    None
):
    law, f = npde.KolskyFutterman(40.0, 8.0), 8.0
    c = 2000.0 / complex(law.slowing(POINT, f)[0])
    assert 1 / (1 / c).real == pytest.approx(2000.0, rel=1e-14)
    cycle = np.exp(-1j * 2 * math.pi * f * (2000.0 / f) / c)
    assert -math.log(abs(cycle) ** 2) == pytest.approx(2 * math.pi / 40.0, rel=1e-12)


def test_high_frequencies_are_faster_by_the_logarithm_that_causality_asks_for() -> None:
    law = npde.KolskyFutterman(50.0, 10.0)
    slow, fast = (1 / law.slowing(POINT, f).real[0] for f in (5.0, 20.0))
    assert fast - slow == pytest.approx(math.log(4.0) / (50.0 * math.pi), rel=1e-3)


def test_a_damped_spectrum_of_a_wave_in_time_is_the_law_at_a_complex_frequency() -> None:
    """The phase, the amplitude and the sign of the dispersion belong to one analytic function."""
    law, distance, sigma, dt = npde.KolskyFutterman(25.0, 6.0), 900.0, 3.0, 0.004
    times = dt * np.arange(2048)
    pulse = npde.Ricker(6.0, 0.4)(times)
    band = np.fft.rfftfreq(len(times), dt)
    delays = np.array([law.slowing(POINT, max(f, 1e-9))[0] for f in band]) * distance / 1800.0
    wave = np.fft.irfft(np.fft.rfft(pulse) * np.exp(-2j * np.pi * band * delays), len(times))
    for f in (4.0, 7.0):
        complex_frequency = f - 1j * sigma / (2 * math.pi)
        kernel = np.exp(-2j * np.pi * complex_frequency * times)
        delay = law.slowing(POINT, complex_frequency)[0] * distance / 1800.0
        expected = (pulse @ kernel) * np.exp(-2j * np.pi * complex_frequency * delay)
        assert wave @ kernel == pytest.approx(expected, rel=2e-3)


def test_pieces_and_numbers_stay_what_they_are() -> None:
    speed = Piecewise(2.0, (DISK, 3.0))
    both = npde.KolskyFutterman(Piecewise(40.0, (DISK, 20.0)), 1.0).complex_speed(speed, 2.0)
    assert isinstance(both, Piecewise)
    assert isinstance(both.background, Constant)
    assert [region for region, _ in both.pieces] == [DISK]
    inside = npde.KolskyFutterman(20.0, 1.0).complex_speed(Constant(3.0), 2.0)
    assert both(POINT)[0] == pytest.approx(inside(POINT)[0], rel=1e-12)


def test_functions_grids_and_pieces_say_the_same() -> None:
    points = np.random.default_rng(70219).uniform(-0.5, 0.5, (200, 2))
    grid = npde.GridField(np.full((5, 5), 30.0), ((-1.0, -1.0), (1.0, 1.0)))
    speeds = [2.0, lambda x: 2.0 + 0.0 * x[:, 0], npde.GridField(np.full((3, 3), 2.0), ((-1, -1), (1, 1)))]
    expected = 2.0 / npde.KolskyFutterman(30.0, 1.0).slowing(points, 1.5)
    for quality in (30.0, grid, lambda x: 30.0 + 0.0 * x[:, 0], Piecewise(30.0, (DISK, 30.0))):
        for speed in speeds:
            equation = npde.Helmholtz(3 * math.pi, speed, npde.KolskyFutterman(quality, 1.0))
            assert relative(equation.complex_speed(points), expected) < 1e-14


@pytest.mark.parametrize("method", [npde.Trefftz(), pytest.param(npde.Galerkin(), marks=pytest.mark.slow)])
def test_every_solver_sees_attenuation_as_the_complex_speed_that_it_is(
    method: npde.Trefftz | npde.Galerkin,
) -> None:
    law, k = npde.KolskyFutterman(Piecewise(15.0, (DISK, 8.0)), 1.0), 10.0
    speed = Piecewise(1.0, (DISK, 1.5))
    declared = npde.Helmholtz(k, speed, law)
    plain = npde.Helmholtz(k, law.complex_speed(speed, k / (2 * math.pi)))
    box, source = npde.Box((-1, 1), (-1, 1)), npde.GaussianSource((-0.4, 0.0), 1e-3)
    points = np.random.default_rng(31121).uniform(-0.3, 0.3, (50, 2))
    layer = npde.PML(0.45, reflection=1e-8)
    problems = [npde.Problem("lossy", box, equation, [source], layer) for equation in (declared, plain)]
    fields = [npde.solve(problem, method=method, progress=False)(points) for problem in problems]
    assert relative(fields[0], fields[1]) < 1e-12
    grid = npde.reference(problems[0], shape=129)(points)
    assert relative(fields[0], grid) < 5e-3


def test_what_makes_no_medium_is_refused() -> None:
    law = npde.KolskyFutterman(20.0, 10.0)
    with pytest.raises(npde.DeclarationError, match=r"quality_factor is −3, but must be positive"):
        npde.KolskyFutterman(-3.0, 10.0)
    with pytest.raises(npde.DeclarationError, match="quality_factor is complex"):
        npde.KolskyFutterman(20.0 + 1j, 10.0)
    with pytest.raises(npde.DeclarationError, match="speed is complex, and attenuation makes it so"):
        npde.Helmholtz(1.0, 2 + 0.1j, law)
    with pytest.raises(npde.DeclarationError, match=r"too low for 1591\.55 times the reference frequency"):
        npde.Helmholtz(1e4, 1.0, npde.KolskyFutterman(2.0, 1.0))
    with pytest.raises(npde.DeclarationError, match="attenuation"):
        npde.Helmholtz(1.0, 2.0, 30.0)
