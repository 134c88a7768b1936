"""What many tests need: errors, randomness, files to damage, fields with known derivatives, small problems and surveys."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor

import neurapde as npde
from neurapde.jets.jet import Jet, Layout
from neurapde.storage import hdf5


def relative(values: np.ndarray, exact: np.ndarray) -> float:
    """The error of `values` in the L2 norm, in units of what is exact."""
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


def assert_same_field(values: Any, expected: Any) -> None:
    """Two evaluations of one field agree but for rounding: a matrix product rounds by where its factors lie in memory."""
    expected = np.asarray(expected)
    rounding = 500 * np.finfo(expected.dtype).eps * np.nanmax(np.abs(expected))
    np.testing.assert_allclose(np.asarray(values), expected, rtol=0, atol=rounding)


def seeded(seed: int) -> torch.Generator:
    """A generator of random numbers."""
    return torch.Generator().manual_seed(seed)


def random_points(n: int, d: int = 2, seed: int = 20023) -> Tensor:
    """Points (n, d) of the cube from −1 to 1."""
    return torch.rand(n, d, dtype=torch.float64, generator=seeded(seed)) * 2 - 1


@contextmanager
def changed(path: Path) -> Iterator[h5py.File]:
    """A file of ours to write into, that afterwards says of itself that it is whole."""
    with h5py.File(path, "a") as file:
        yield file
    content = bytearray(path.read_bytes())
    path.write_bytes(hdf5.seal(memoryview(content)))


def jet_of_constant(value: Tensor, layout: Layout) -> Jet:
    """The jet of a field that does not vary: `value` (n,) or (n, c) with derivatives zero."""
    return Jet(torch.cat((value.unsqueeze(0), value.new_zeros(layout.count - 1, *value.shape))), layout)


def jet_of_coordinates(points: Tensor, layout: Layout) -> tuple[Jet, ...]:
    """The jets of the d coordinate functions at `points` (n, d), to make polynomials of."""
    jets = []
    for i in range(layout.dimension):
        jet = jet_of_constant(points[:, i], layout)
        if layout.order:
            jet.channels[layout.first(i)] = 1.0
        jets.append(jet)
    return tuple(jets)


def hat_fit() -> npde.Problem:
    """u = f on (0, 1) with f a narrow hat at 0.8: the residual of u = 0 is −f."""

    def residual(x: Tensor, u: npde.Jet) -> Tensor:
        return u.value - torch.relu(1 - 10 * (x[:, 0] - 0.8).abs())

    return npde.Problem(
        name="hat",
        domain=npde.Interval(0.0, 1.0),
        equation=npde.Equation(residual, order=1),
        boundary=npde.Dirichlet(0.0),
    )


def absorbed_waves() -> npde.Problem:
    """Waves of a Gaussian in a square with an absorbing layer."""
    return npde.Problem(
        name="wave",
        domain=npde.Box((-2, 2), (-2, 2)),
        equation=npde.Helmholtz(wavenumber=5.0),
        sources=npde.GaussianSource(at=(0.1, 0.0), variance=0.01, amplitude=1 + 1j),
        boundary=npde.PML(width=0.7),
    )


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


def some_slow(values: Iterable[Any], *slow: Any) -> list[Any]:
    """The values of a parametrization, those that are named marked slow: others stand in for them."""
    return [pytest.param(value, marks=pytest.mark.slow) if value in slow else value for value in values]
