"""Waves of a survey in time: exact arrivals at long steps, an exact derivative through torch, and inversion."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import neurapde as npde
from neurapde.conditions import Absorbing, Boundary, Dirichlet, Neumann
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.reference_solvers.grids.grid import ResolutionError
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.seismic.modelling.time_modelling import TimeModelling, excited_frequencies
from neurapde.seismic.survey.survey import Survey
from support import waves

Array = NDArray[np.float64]
OPEN = Absorbing(on=["left", "right", "top"])

SPEED = 2000.0
BOX = Box((0, 1000), (0, 1000))
TIMES = 0.008 * np.arange(138)
SOURCES = np.array([[130.0, 177.0], [500.0, 400.0]])
RECEIVERS = np.array([[860.0, 780.0], [400.0, 300.0], [703.0, 111.0]])


def wavelet(times: Array) -> Array:
    return npde.Ricker(5.0, 0.3)(times)


def arrivals(distance: float) -> Array:
    """1/(2 pi) int w(t - (r/c) cosh s) ds, the field of w(t) delta in the uniform plane."""
    s = np.linspace(0, 4, 4001)
    return np.trapezoid(wavelet(TIMES[:, None] - distance / SPEED * np.cosh(s)), s, axis=1) / (2 * np.pi)


def traces(sources: Array = SOURCES, mirrored: float = 0.0) -> Array:
    """In the uniform plane, and `mirrored` times those of the sources' images above y = 0."""
    arrived = np.array([[arrivals(float(np.hypot(*(r - s)))) for r in RECEIVERS] for s in sources])
    return arrived + (mirrored * traces(sources * [1, -1]) if mirrored else 0.0)


def survey(recorded: Array | None = None) -> Survey:
    return Survey(
        SOURCES,
        RECEIVERS,
        traces=traces() if recorded is None else recorded,
        dt=0.008,
        wavelet=wavelet(TIMES),
    )


def engine(*boundary: Boundary, of: Survey | None = None, **settings: float) -> TimeModelling:
    domain = ComputationalDomain.of(waves(BOX, *boundary), 500.0)
    return TimeModelling(of or survey(), domain, (SPEED, SPEED), 1.2 * SPEED, **settings)


def medium(modelling: TimeModelling) -> Array:
    x, y = modelling.grid.points.T
    return (SPEED * (1 + 0.1 * np.sin(x / 200) * np.cos(y / 150))) ** -2.0


@pytest.mark.parametrize(
    ("side", "mirrored"),
    [((), 0.0), ((Dirichlet(0.0, on="bottom"), OPEN), -1.0), ((Neumann(0.0, on="bottom"), OPEN), 1.0)],
    ids=["open", "free surface", "mirror"],
)
@pytest.mark.parametrize(("per_wavelength", "bound"), [(5.0, 0.01), (8.0, 0.0015)])
def test_arrivals_are_exact_at_steps_as_long_as_samples(
    side: tuple[Boundary, ...], mirrored: float, per_wavelength: float, bound: float
) -> None:
    modelling = engine(*side, per_wavelength=per_wavelength)
    data = modelling.forward(np.full(modelling.grid.size, SPEED**-2)).data
    exact = traces(mirrored=mirrored)
    assert modelling.filters.dt > 0.5 * 0.008
    assert np.linalg.norm(data - exact) < bound * np.linalg.norm(exact)


@pytest.mark.parametrize("memory", [2e9, 5e6])
def test_the_derivative_of_the_data_and_the_gradient_are_each_other_s_transpose(memory: float) -> None:
    modelling = engine(per_wavelength=4.0, memory=memory)
    assert (modelling.shots.plan.segments == 1) == (memory > 1e9)
    rng = np.random.default_rng(51577)
    forward = modelling.forward(medium(modelling))
    change, cotangent = rng.normal(size=modelling.grid.size), rng.normal(size=forward.data.shape)
    born = modelling.born(forward, change)
    there, back = np.vdot(born, cotangent), np.vdot(change, modelling.backward(forward, cotangent))
    assert abs(there - back) < 1e-12 * np.linalg.norm(born) * np.linalg.norm(cotangent)


def test_torch_differentiates_a_misfit_with_a_remainder_of_second_order() -> None:
    modelling = engine(per_wavelength=4.0)
    observed = torch.from_numpy(traces())
    m = torch.from_numpy(medium(modelling)).requires_grad_()

    def misfit(model: torch.Tensor) -> torch.Tensor:
        return ((modelling.predict(model) - observed) ** 2).sum()

    value = misfit(m)
    (gradient,) = torch.autograd.grad(value, m)
    generator = torch.Generator().manual_seed(88211)
    direction = m.detach() * torch.randn(len(m), generator=generator, dtype=torch.float64)
    sizes = [1e-2, 1e-3, 1e-4]
    with torch.no_grad():
        remainders = [
            float(abs(misfit(m + s * direction) - value - s * (gradient @ direction))) for s in sizes
        ]
    assert np.diff(np.log10(remainders)) == pytest.approx(-2.0, abs=0.05)


def test_spectra_of_the_traces_are_those_of_the_nine_point_scheme() -> None:
    """Two engines that share neither stencil nor layer, in a medium that varies."""
    timed = engine(per_wavelength=8.0)
    shape = survey(timed.forward(medium(timed)).data)
    spectral = shape.at([4.0, 6.0], taper=0.1)
    domain = ComputationalDomain.of(waves(BOX), 500.0)
    gridded = GridModelling(spectral, domain, (SPEED, SPEED), 15.0)
    x, y = gridded.grid.points.T
    model = (SPEED * (1 + 0.1 * np.sin(x / 200) * np.cos(y / 150))) ** -2.0
    data = gridded.forward(model).data
    assert np.linalg.norm(data - spectral.data) < 0.01 * np.linalg.norm(data)


def test_the_frequencies_of_a_ricker_wavelet_are_found() -> None:
    peak, highest = excited_frequencies(survey())
    assert peak == pytest.approx(5.0, abs=0.15)
    assert highest == pytest.approx(2.61 * 5, abs=0.1)  # x^2 exp(1 - x^2) = 0.02


def test_what_cannot_be_marched_is_refused_with_the_way_out() -> None:
    unknown = Survey(SOURCES, RECEIVERS, traces=traces(), dt=0.008)
    with pytest.raises(
        DeclarationError,
        match=r"unknown wavelet, but this method needs the wavelet; give survey.replace\(wavelet",
    ):
        engine(of=unknown)
    with pytest.raises(DeclarationError, match="the survey has spectra, and this method works in time"):
        engine(of=survey().at([5.0]))
    with pytest.raises(
        ResolutionError, match=r"2 nodes in the shortest wavelength, .*; use at least 3: a spacing of"
    ):
        engine(spacing=80.0)
    with pytest.raises(ValueError, match="GB with checkpoints, more than memory"):
        engine(memory=1e5)
    modelling = engine(per_wavelength=4.0)
    with pytest.raises(ValueError, match="unstable on this grid"):
        modelling.forward(np.full(modelling.grid.size, (2 * SPEED) ** -2))
