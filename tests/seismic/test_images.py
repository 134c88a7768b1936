"""Images and deviations: against another wave solver, a known reflector, and dense matrices by differences of the data."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.seismic import Adjoint, BoundedLBFGS, Checkerboard, TimeDomain, gradient, migrate, uncertainty
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from support import relative, waves

SPEED = 2000.0


def test_the_gradient_is_that_of_deepwave() -> None:
    """By automatic differentiation of its own time steps, for the same least squares."""
    deepwave = pytest.importorskip("deepwave")
    h, dt, count = 10.0, 0.002, 360
    times = dt * np.arange(count)
    pulse = npde.Ricker(7.0, 0.2)(times)
    x = h * np.arange(61)
    lens = 150 * np.exp(-((x[:, None] - 300) ** 2 + (x - 280) ** 2) / (2 * 70**2))
    sources, receivers = (
        np.array([[80.0, 150.0], [80.0, 400.0]]),
        np.array([[520.0, 100.0 * r] for r in range(1, 6)]),
    )
    places = [
        torch.tensor(np.round(at / h).astype(int)) for at in (sources[:, None], np.stack([receivers] * 2))
    ]
    strength = torch.tensor(np.tile(pulse / h**2, (2, 1, 1)))

    def heard(speed: torch.Tensor) -> torch.Tensor:
        options = {"accuracy": 8, "pml_width": 20, "pml_freq": 7.0}
        recorded: torch.Tensor = deepwave.scalar(
            speed,
            h,
            dt,
            source_amplitudes=strength,
            source_locations=places[0],
            receiver_locations=places[1],
            **options,
        )[-1]
        return recorded

    observed = heard(torch.tensor(SPEED + lens))
    start = torch.full((61, 61), SPEED, dtype=torch.float64, requires_grad=True)
    predicted = heard(start)
    misfit = 0.5 * (((predicted - observed) ** 2).sum((1, 2)) / (observed**2).sum((1, 2))).mean()
    misfit.backward()
    assert start.grad is not None
    expected = start.grad.numpy() / h**2
    sign = float(np.sign(predicted.detach().numpy()[0, 1] @ _exact(sources[0], receivers[1], times)))
    survey = npde.Survey(sources, receivers, traces=sign * observed.numpy(), dt=dt, wavelet=pulse)
    plane = waves(npde.Box((0, 600), (0, 600)))
    image = gradient(plane, survey, unknown=npde.Velocity(SPEED), method=TimeDomain(per_wavelength=6.0))
    inner = slice(16, 45)
    points = np.stack(np.meshgrid(x[inner], x[inner], indexing="ij"), axis=-1).reshape(-1, 2)
    values = np.asarray(image.field(points)).reshape(29, 29)
    assert relative(values, expected[inner, inner]) < 0.08


def _exact(source: np.ndarray, receiver: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The wave of a line source in a plane of `SPEED`."""
    s, late = np.linspace(0, 4, 801), np.linalg.norm(source - receiver) / SPEED
    pulse = npde.Ricker(7.0, 0.2)(times[:, None] - late * np.cosh(s))
    return np.asarray(np.trapezoid(pulse, s, axis=1) / (2 * np.pi))


@cache
def reflector() -> tuple[npde.Problem, npde.Survey]:
    """A layer 10 % faster from 300 to 360 m of depth, seen from the surface, and a plane without it."""

    def plane(speed: Any, box: npde.Box, boundary: Any) -> npde.Problem:
        equation = npde.Helmholtz(wavenumber=50.0, speed=speed)
        return npde.Problem(
            "layer", box, equation, sources=npde.PointSource(at=(400.0, 20.0)), boundary=boundary
        )

    layer = npde.Piecewise(SPEED, (npde.Box((-200, 1000), (300, 360)), 2200.0))
    true = plane(layer, npde.Box((-200, 1000), (-200, 700)), npde.PML(width=200.0))
    sources = np.column_stack([np.linspace(100, 700, 4), np.full(4, 20.0)])
    receivers = np.column_stack([np.linspace(50, 750, 12), np.full(12, 40.0)])
    survey = npde.Survey.simulate(
        true, receivers, sources=sources, frequencies=[7.0, 11.0, 15.0], shape=(101, 76)
    )
    box = npde.Box((0, 800), (0, 500))
    return plane(SPEED, box, npde.Absorbing()), survey.replace(origin=None)


@pytest.mark.parametrize("steps", [0, 4])
def test_migration_puts_a_layer_where_it_is(steps: int) -> None:
    image = migrate(*reflector(), method=Adjoint(per_wavelength=7.0), steps=steps)
    x, z = image.grid.axes
    profile = image.values[(x > 250) & (x < 550)].mean(axis=0)
    deep = z > 130
    shortest = SPEED / 15
    assert abs(z[deep][np.abs(profile[deep]).argmax()] - 330) < shortest / 3
    assert 20 < profile[deep].max() < 400  # of 200
    assert image.illumination is not None
    assert image.illumination.max() == 1
    assert image.illumination[len(x) // 2, len(z) // 10] > image.illumination[len(x) // 2, -1] > 0


@pytest.mark.slow
def test_least_squares_migration_explains_more_of_the_data() -> None:
    problem, survey = reflector()
    method = Adjoint(per_wavelength=7.0)
    domain = ComputationalDomain.of(problem, SPEED / 7.0)
    engine = GridModelling(survey, domain, (SPEED, SPEED), per_wavelength=7.0)

    def unexplained(change: Any) -> float:
        """Of the data, in a model with a small part of the change, per part."""
        speed = SPEED + 0.01 * np.asarray(change(domain.inward(engine.grid.points)))
        born = (engine.forward(speed**-2.0).data - plain) / 0.01
        return float(np.linalg.norm(survey.data - plain - born))

    plain = engine.forward(np.full(engine.grid.size, SPEED**-2)).data
    residuals = [
        unexplained(migrate(problem, survey, method=method, steps=steps).field) for steps in (0, 3, 9)
    ]
    assert np.linalg.norm(survey.data - plain) > residuals[0] > residuals[1] > residuals[2]


WELLS = (
    np.array([[20.0, z] for z in (30.0, 90.0, 150.0)]),
    np.array([[180.0, z] for z in range(15, 170, 30)]),
)
SMALL = npde.Box((0, 200), (0, 180))


def small(noise: float = 0.05) -> npde.seismic.Inversion:
    """Between two wells of a plane, inverted without a step."""
    sources, receivers = WELLS
    band = [8.0, 12.0]
    domain = ComputationalDomain.of(waves(SMALL), SPEED / band[0])
    shell = npde.Survey(sources, receivers, data=np.ones((2, 3, 6), complex), frequencies=band, wavelet=1.0)
    engine = GridModelling(shell, domain, (SPEED, SPEED), per_wavelength=9.0)
    data = engine.forward(np.full(engine.grid.size, SPEED**-2)).data
    survey = shell.replace(data=data).with_noise(noise, 70201)
    method = Adjoint(per_wavelength=8.0, descent=BoundedLBFGS(1))
    return npde.invert(
        waves(SMALL), survey, unknown=npde.Velocity(SPEED, prior=()), method=method, progress=False
    )


@pytest.mark.slow
def test_the_deviation_is_that_of_dense_matrices_by_differences_of_the_data() -> None:
    inversion = small()
    noise, deviation, length = 0.05, 60.0, 45.0
    estimate = uncertainty(inversion, deviation=deviation, length=length, noise=noise)
    grid, speed = estimate.deviation.grid, inversion.speed
    survey, domain = inversion.survey, inversion.setting.domain
    engine = GridModelling(survey, domain, (SPEED, SPEED), per_wavelength=8.0)
    base = np.asarray(speed(domain.inward(engine.grid.points)))
    places = engine.grid.points
    inside = np.flatnonzero(
        ((places > np.array(grid.lower) - 1) & (places < np.array(grid.upper) + 1)).all(1)
    )
    assert len(inside) == grid.size
    step, columns = 0.5, []
    for node in inside:
        change = step * (np.arange(len(base)) == node)
        ahead, behind = (engine.forward((base + s * change) ** -2.0).data for s in (1, -1))
        columns.append(((ahead - behind) / (2 * step)).ravel())
    jacobian = np.stack(columns, axis=1).reshape(2, -1, grid.size)
    size = (np.abs(survey.data) ** 2).sum((1, 2))
    per_datum = noise**2 * size / survey.live.sum()
    hessian = sum(2 * (j.conj().T @ j).real / s for j, s in zip(jacobian, per_datum, strict=True))
    kernels = [np.exp(-(((a[:, None] - a) / length) ** 2)) for a in grid.axes]
    half = np.kron(*(k / np.linalg.norm(k, axis=1, keepdims=True) for k in kernels))
    prior = deviation**2 * half @ half.T
    shifted = hessian + 1e-9 * np.trace(hessian) * np.eye(grid.size)
    posterior = prior - prior @ np.linalg.solve(np.linalg.inv(shifted) + prior, prior)
    exact = np.sqrt(np.diag(posterior)).reshape(grid.shape)
    assert relative(estimate.deviation.values, exact) < 0.03
    assert estimate.deviation.values.max() <= deviation * (1 + 1e-9)
    board = Checkerboard(60.0, 20.0)
    seen = posterior @ hessian @ board(grid.points)
    assert relative(estimate.resolved(board).values.ravel(), seen) < 0.03
    drawn = estimate.samples(400, 60493)
    assert relative(drawn.std(axis=0), estimate.deviation.values) < 0.1


def test_more_noise_leaves_more_open() -> None:
    inversion = small()
    quiet, loud = (uncertainty(inversion, deviation=60.0, noise=noise) for noise in (0.02, 0.2))
    assert (loud.deviation.values >= quiet.deviation.values - 1e-6).all()
    assert len(loud.eigenvalues) < len(quiet.eigenvalues)
    assert "the data determine" in str(quiet)


def test_what_cannot_be_asked_is_refused() -> None:
    problem, survey = reflector()
    with pytest.raises(npde.DeclarationError, match="does not predict data from a model"):
        gradient(problem, survey, method="irwri")
    with pytest.raises(npde.DeclarationError, match="has 2 stages"):
        migrate(problem, survey, frequencies=npde.seismic.Continuation([7.0], [11.0]))
    with pytest.raises(npde.DeclarationError, match="deviation of the speed is -1"):
        uncertainty(small(), deviation=-1.0)


@pytest.mark.slow
def test_the_truth_lies_within_two_deviations_of_a_lens() -> None:
    """Between wells, the wavelet unknown, 10 % of noise, and a prior that holds the lens; data of another grid."""

    def lens(points: Any) -> Any:
        return SPEED + 200 * npde.exp(
            -((points[:, 0] - 500) ** 2 + (points[:, 1] - 450) ** 2) / (2 * 110.0**2)
        )

    def plane(speed: Any, box: npde.Box, boundary: Any) -> npde.Problem:
        equation = npde.Helmholtz(wavenumber=30.0, speed=speed)
        return npde.Problem(
            "lens", box, equation, sources=npde.PointSource(at=(50.0, 50.0)), boundary=boundary
        )

    sources = np.column_stack([np.full(6, 40.0), np.linspace(60, 840, 6)])
    receivers = np.column_stack([np.full(16, 960.0), np.linspace(50, 850, 16)])
    true = plane(lens, npde.Box((-300, 1300), (-300, 1200)), npde.PML(width=300.0))
    heard = npde.Survey.simulate(
        true, receivers, sources=sources, frequencies=[4.0, 7.0], shape=(185, 173), noise=0.1, seed=70213
    )
    problem = plane(SPEED, npde.Box((0, 1000), (0, 900)), npde.Absorbing())
    inversion = npde.invert(
        problem,
        heard.replace(origin=None, wavelet=None),
        unknown=npde.Velocity(SPEED, bounds=(1700.0, 2500.0)),
        progress=False,
    )
    estimate = uncertainty(inversion, deviation=80.0, length=110.0)
    points, deviation = estimate.deviation.grid.points, estimate.deviation.values.ravel()
    error = np.abs(np.asarray(inversion(points)) - lens(points))
    assert np.mean(error < 2 * deviation) > 0.9
    assert deviation.mean() < 0.7 * 80.0
