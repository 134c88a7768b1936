"""What many tests need: fields with known derivatives, distances, and small surveys."""

import numpy as np
from torch import Tensor

import neurapde as npde
from neurapde.jets.jet import Jet, Layout, jet_of_constant


def jet_of_coordinates(points: Tensor, layout: Layout) -> tuple[Jet, ...]:
    """The jets of the d coordinate functions at `points` (n, d), to make polynomials of."""
    jets = []
    for i in range(layout.dimension):
        jet = jet_of_constant(points[:, i], layout)
        if layout.order:
            jet.channels[layout.first(i)] = 1.0
        jets.append(jet)
    return tuple(jets)


def waves(domain: npde.Box, *conditions: npde.conditions.Boundary, speed: object = 1.0) -> npde.Problem:
    """Waves in a box with these conditions, or with sides that absorb where there are none."""
    boundary = conditions or npde.Absorbing()
    return npde.Problem("waves", domain.over(npde.Time(0, 1)), npde.Wave(speed), boundary=boundary)


def plane_survey(speed: float = 2080.0) -> npde.Survey:
    """Traces of a uniform plane from two shots at six receivers, and noise of a hundredth of their peak."""
    sources = np.array([[240.0, 190.0], [770.0, 205.0]])
    receivers = np.column_stack([np.linspace(210.0, 795.0, 6), np.full(6, 805.0)])
    offsets = np.linalg.norm(sources[:, None] - receivers, axis=2)
    times, s = 0.012 * np.arange(100), np.linspace(0, 4, 801)
    pulse = npde.Ricker(4.0, 0.25)
    waves = pulse(times[:, None] - offsets[..., None, None] / speed * np.cosh(s)) / (2 * np.pi)
    traces = np.trapezoid(waves, s, axis=-1)
    noise = np.random.default_rng(60317).standard_normal(traces.shape)
    traces = traces + 0.01 * np.abs(traces).max() * noise
    return npde.Survey(sources, receivers, traces=traces, dt=0.012, wavelet=pulse(times))


def noisy_survey() -> npde.Survey:
    """Noise that arrives after a pulse: what is found is of no matter."""
    times = 0.012 * np.arange(100)
    pulse = npde.Ricker(4.0, 0.25)(times)
    traces = np.random.default_rng(60317).standard_normal((2, 5, 100)) * pulse
    receivers = np.column_stack([np.linspace(210.0, 795.0, 5), np.full(5, 805.0)])
    return npde.Survey([[240.0, 190.0], [770.0, 205.0]], receivers, traces=traces, dt=0.012, wavelet=pulse)
