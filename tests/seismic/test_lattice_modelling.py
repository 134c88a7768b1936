"""Waves from known waves and a SIREN's head: against the grid solver, reciprocity, and the exact derivative."""

import numpy as np
import pytest

from neurapde.conditions import PML, Absorbing, Dirichlet, Neumann
from neurapde.core.errors import DeclarationError
from neurapde.domains import Box
from neurapde.fields.medium import Piecewise
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.modelling import window_scattering
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.seismic.modelling.lattice_modelling import LatticeModelling
from neurapde.seismic.survey.survey import Survey
from support import relative, waves

BOX = Box((-1, 1), (-0.8, 0.8))
LAYERS = PML(width=0.4, reflection=1e-4)
SPEED = (1.0, 1.0)
WINDOW = Box((-0.3, 0.4), (-0.35, 0.35))
SOURCES = np.array([[-0.5, -0.2], [0.1, -0.3], [0.47, 0.31]])
RECEIVERS = np.stack([np.linspace(-0.55, 0.55, 9), np.full(9, 0.35)], axis=1)


def survey(frequencies=(1.6,), sources=SOURCES, receivers=RECEIVERS, variance=0.0) -> Survey:
    shape = (len(frequencies), len(sources), len(receivers))
    return Survey(
        sources,
        receivers,
        data=np.ones(shape, complex),
        frequencies=frequencies,
        wavelet=1.5 - 0.5j,
        source_variance=variance,
    )


def blob(grid: Grid, centre=(0.05, 0.02), depth=-0.4) -> np.ndarray:
    """m, smooth to 1e-7, 1 outside a radius of 0.3."""
    r2 = np.sum((grid.points - centre) ** 2, axis=1) / 0.15**2
    return 1.0 + depth * np.where(r2 < 4.0, np.exp(-(r2**2)), 0.0)


def lattice(observed: Survey, *conditions, window=WINDOW, **options) -> LatticeModelling:
    domain = ComputationalDomain.of(waves(BOX, *(conditions or [LAYERS])), 0.5)
    velocity = Velocity(1.0, (0.5, 2.0), window=window).on(domain.region)
    return LatticeModelling(observed, domain, velocity.start, velocity.free, SPEED, **options)


@pytest.mark.parametrize("variance", [0.0, 1e-4])
def test_its_data_are_those_of_the_grid_solver(variance: float) -> None:
    observed = survey((1.2, 1.6), variance=variance)
    grid = GridModelling(observed, ComputationalDomain.of(waves(BOX, LAYERS), 0.5), SPEED, spacing=0.0125)
    expected = grid.forward(blob(grid.grid)).data
    engine = lattice(observed)
    assert relative(engine.forward(blob(engine.grid)).data, expected) < 1e-3


def test_its_data_converge_with_the_bandwidth() -> None:
    wavenumber = 2 * np.pi * 1.6
    data = []
    for factor in (2.0, 2.5, 3.0, 5.0):
        engine = lattice(survey(), bandwidth=factor * wavenumber)
        data.append(engine.forward(blob(engine.grid)).data)
    errors = [relative(coarse, data[-1]) for coarse in data[:-1]]
    assert errors[0] < 0.02
    assert errors[1] < 2e-3
    assert errors[2] < 3e-4


@pytest.mark.parametrize(
    "condition", [Dirichlet(0.0, on="top"), pytest.param(Neumann(0.0, on="top"), marks=pytest.mark.slow)]
)
def test_a_side_that_reflects_mirrors_the_known_waves(condition) -> None:
    box = Box((-1, 1), (-1, 0.0))
    sources = np.array([[-0.5, -0.05], [0.2, -0.12]])
    receivers = np.stack([np.linspace(-0.5, 0.5, 7), np.full(7, -0.07)], axis=1)
    observed = survey(sources=sources, receivers=receivers)
    domain = ComputationalDomain.of(waves(box, condition, Absorbing(["left", "right", "bottom"])), 1.0)
    grid = GridModelling(observed, domain, SPEED, spacing=0.01)
    uniform = grid.forward(np.ones(grid.grid.size)).data
    scattered = grid.forward(blob(grid.grid, (0.1, -0.4))).data - uniform
    velocity = Velocity(1.0, (0.5, 2.0), window=Box((-0.4, 0.6), (-0.8, 0.0))).on(domain.region)
    engine = LatticeModelling(observed, domain, velocity.start, velocity.free, SPEED)
    forward = engine.forward(blob(engine.grid, (0.1, -0.4)))
    direct = engine.forward(np.ones(engine.grid.size)).data
    assert relative(direct, uniform) < 6e-3
    assert relative(forward.data - direct, scattered) < 3e-3


def test_sources_and_receivers_may_change_places() -> None:
    plain, other = survey(), survey(sources=RECEIVERS, receivers=SOURCES)
    first, second = lattice(plain), lattice(other)
    data, swapped = first.forward(blob(first.grid)).data, second.forward(blob(second.grid)).data
    assert relative(swapped.swapaxes(1, 2), data) < 1e-10


def test_a_start_that_varies_joins_what_is_scattered() -> None:
    observed = survey()
    domain = ComputationalDomain.of(waves(BOX, LAYERS), 0.5)
    block = Box((-0.2, 0.1), (0.05, 0.25))
    velocity = Velocity(Piecewise(1.0, (block, 1.2)), (0.5, 2.0), window=Box((0.1, 0.4), (-0.3, 0.0)))
    velocity = velocity.on(domain.region)
    engine = LatticeModelling(observed, domain, velocity.start, velocity.free, SPEED)
    assert engine.reference == pytest.approx(1.0)
    m = np.where(block.contains(engine.grid.points), 1 / 1.44, 1.0)
    wide = lattice(observed, window=Box((-0.5, 0.5), (-0.35, 0.35)), bandwidth=2.5 * 2 * np.pi * 1.6)
    assert wide.grid == engine.grid
    assert relative(engine.forward(m).data, wide.forward(m).data) < 1e-8


def changed(engine: LatticeModelling, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    m = blob(engine.grid)
    change = generator.standard_normal(engine.grid.size) * (m != 1.0) * 0.1
    shape = engine.forward(m).data.shape
    weights = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    return m, change, weights


@pytest.mark.parametrize("dense", [True, False])
def test_its_gradient_has_taylor_slope_two(dense: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not dense:
        monkeypatch.setattr("neurapde.seismic.modelling.lattice_modelling.LARGEST_DENSE", 1)
    engine = lattice(survey((1.2, 1.6)), window=Box((-0.3, 0.45), (-0.35, 0.35)), bandwidth=22.0)
    m, change, weights = changed(engine, 40913)
    forward = engine.forward(m)
    slope = engine.backward(forward, weights) @ change
    steps = 0.2 / 2.0 ** np.arange(4)
    value = np.vdot(weights, forward.data).real
    remainders = [
        abs(np.vdot(weights, engine.forward(m + h * change).data).real - value - h * slope) for h in steps
    ]
    assert np.log2(np.array(remainders[:-1]) / remainders[1:])[-1] == pytest.approx(2.0, abs=0.05)
    assert remainders[-1] < 0.02 * abs(steps[-1] * slope)


def test_products_of_two_fields_are_the_adjoint_of_the_gradient() -> None:
    engine = lattice(survey((1.2, 1.6)))
    m, change, weights = changed(engine, 61357)
    forward = engine.forward(m)
    assert forward.fields is not None
    fields = forward.fields.reshape(2, len(SOURCES), -1)
    pushed = np.einsum("fsi,fri,i->fsr", fields, engine.receiver_fields(forward), change)
    pulled = engine.backward(forward, weights) @ change
    assert abs(np.vdot(weights, pushed).real - pulled) < 1e-10 * abs(pulled)


def test_iterating_gives_what_factoring_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    direct = lattice(survey())
    monkeypatch.setattr("neurapde.seismic.modelling.lattice_modelling.LARGEST_DENSE", 1)
    iterated = lattice(survey())
    model = blob(direct.grid, depth=1.5)
    assert relative(iterated.forward(model).data, direct.forward(model).data) < 1e-9


def test_iterations_that_do_not_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurapde.seismic.modelling.lattice_modelling.LARGEST_DENSE", 1)
    monkeypatch.setattr(window_scattering, "LARGEST_ITERATIONS", 2)
    monkeypatch.setattr(window_scattering, "RESTART", 2)
    engine = lattice(survey())
    with pytest.raises(DeclarationError, match="did not converge in 2 iterations"):
        engine.forward(blob(engine.grid, depth=3.0))


def test_what_it_cannot_do_is_refused() -> None:
    with pytest.raises(DeclarationError, match="two opposite sides reflect"):
        lattice(survey(), Dirichlet(0.0, on=["top", "bottom"]), Absorbing(on=["left", "right"]))
    with pytest.raises(DeclarationError, match="below the largest wavenumber of the start model"):
        lattice(survey(), bandwidth=5.0)
    engine = lattice(survey())
    with pytest.raises(ValueError, match="differs from the start model at nodes where"):
        engine.forward(np.full(engine.grid.size, 1.1))
