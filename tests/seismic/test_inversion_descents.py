"""Ways down, on engines that are linear, where the answer is known, and on waves, where nothing may depend on a stop."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurapde.conditions import PML
from neurapde.core.errors import DeclarationError
from neurapde.core.progress import Progress
from neurapde.domains import Box
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.methods.bounded_lbfgs import BoundedLBFGS
from neurapde.seismic.inversion.methods.descents import AdamDescent, Descent
from neurapde.seismic.inversion.methods.gauss_newton import GaussNewtonDescent, Quadratic
from neurapde.seismic.inversion.methods.joint import Joint
from neurapde.seismic.inversion.methods.method import Setting, Stage
from neurapde.seismic.inversion.methods.reduced import default_siren
from neurapde.seismic.inversion.misfits import L1, L2, Huber, Misfit, PhaseOnly
from neurapde.seismic.inversion.objective import Objective
from neurapde.seismic.inversion.parametrisation import Parametrisation, build_parametrisation
from neurapde.seismic.inversion.regularisation import Smoothness, Tikhonov, TotalVariation
from neurapde.seismic.inversion.velocity import Gridded, Velocity
from neurapde.seismic.modelling.base import Forward, FrequencyModelling
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.lattice_modelling import LatticeModelling
from neurapde.seismic.survey.survey import Survey
from neurapde.training.run.method import Snapshot, Status
from neurapde.trials.networks.siren import Siren
from support import waves

SHOTS, RECEIVERS, FREQUENCIES = 3, 4, (1.0, 2.0)
BOX = Box((0, 1), (0, 1))
DOMAIN_OF_WAVES = ComputationalDomain(BOX, BOX, ())


class Linear(FrequencyModelling):
    """data = d₀ + Σ U G (m − 1) with given U and G."""

    def __init__(self, nodes: int = 4, seed: int = 20717) -> None:
        generator = np.random.default_rng(seed)
        self.grid = Grid((0, 0), (1, 1), (nodes, nodes))

        def draw(*shape: int) -> np.ndarray:
            return generator.standard_normal(shape) + 1j * generator.standard_normal(shape)

        self.first = draw(len(FREQUENCIES), SHOTS, RECEIVERS)
        self.fields = draw(len(FREQUENCIES), SHOTS, nodes**2)
        self.receiving = draw(len(FREQUENCIES), RECEIVERS, nodes**2)

    def forward(self, slowness_squared: np.ndarray) -> Forward:
        moved = (self.fields * (slowness_squared - 1)) @ self.receiving.swapaxes(1, 2)
        fields = self.fields.reshape(*self.fields.shape[:2], *self.grid.shape)
        return Forward(self.first + moved, fields, None)

    def backward(self, forward: Forward, cotangent: np.ndarray) -> np.ndarray:
        return np.einsum("fsi,fri,fsr->i", self.fields, self.receiving, cotangent.conj()).real

    def receiver_fields(self, forward: Forward) -> np.ndarray:
        return self.receiving

    def describe(self) -> str:
        return "linear"


def survey_of(data: np.ndarray, wavelet: complex | None = 1.0) -> Survey:
    generator = np.random.default_rng(80021)
    places = generator.uniform(0.1, 0.9, (SHOTS + RECEIVERS, 2))
    return Survey(places[:SHOTS], places[SHOTS:], data=data, frequencies=FREQUENCIES, wavelet=wavelet)


def objective_of(
    engine: FrequencyModelling,
    survey: Survey,
    trial: Gridded | Siren | None = None,
    prior=(),
    misfit: Misfit | None = None,
    bounds=(0.5, 2.0),
) -> tuple[Objective, Stage]:
    velocity = Velocity(1.0, bounds, prior=prior).on(BOX)
    generator = torch.Generator().manual_seed(31193)
    unknown: Parametrisation = build_parametrisation(
        velocity, DOMAIN_OF_WAVES, trial or Gridded(), engine.grid, generator
    )
    misfit = misfit or L2()
    setting = Setting(survey, DOMAIN_OF_WAVES, velocity, misfit, (1.0, 1.0))
    stage = Stage(setting, unknown, None, 5, Progress(False), lambda snapshot: None)
    return Objective(engine, unknown, survey, misfit), stage


def explained(engine: Linear, seed: int = 44111, size: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """A model and its data."""
    m = 1 + size * np.random.default_rng(seed).standard_normal(engine.grid.size)
    return m, engine.forward(m).data


ONE_STEP = GaussNewtonDescent(steps=1, inner=400, accuracy=1e-12, damping=1e-12)


def test_one_step_solves_a_linear_problem() -> None:
    engine = Linear()
    m, data = explained(engine)
    objective, stage = objective_of(engine, survey_of(data))
    ONE_STEP.run(objective, stage)
    assert np.max(np.abs(objective.sample().detach().numpy() - m)) < 1e-6
    assert objective().residual < 1e-6


@pytest.mark.parametrize("prior", [Tikhonov(0.3), Smoothness(0.05)])
def test_one_step_finds_the_minimum_of_misfit_and_quadratic_prior(prior) -> None:
    engine = Linear()
    _, data = explained(engine)
    objective, stage = objective_of(engine, survey_of(data + 1.0), prior=prior)
    ONE_STEP.run(objective, stage)
    slope = torch.autograd.grad(objective().total, list(stage.unknown.parameters()))[0]
    fresh, _ = objective_of(engine, survey_of(data + 1.0), prior=prior)
    first = torch.autograd.grad(fresh().total, list(fresh.unknown.parameters()))[0]
    assert slope.abs().max() < 1e-6 * first.abs().max()


def test_an_unknown_wavelet_is_projected_out() -> None:
    engine = Linear()
    m, data = explained(engine)
    scales = np.exp(1j * np.arange(6.0)).reshape(2, 3, 1) * np.array([0.3, 2.0, 1.0])[:, None]
    objective, stage = objective_of(engine, survey_of(data * scales, wavelet=None))
    GaussNewtonDescent(steps=25, inner=400, accuracy=1e-8, tolerance=1e-12).run(objective, stage)
    value = objective()
    assert value.residual < 1e-5
    assert np.allclose(value.scales.detach().numpy(), scales[..., 0], rtol=1e-3)
    assert np.max(np.abs(objective.sample().detach().numpy() - m)) < 1e-3


def test_values_stay_within_their_bounds_and_are_optimal_there() -> None:
    engine = Linear()
    _, data = explained(engine, size=2.0)
    objective, stage = objective_of(engine, survey_of(data), bounds=(0.9, 1.1), prior=Tikhonov(1e-2))
    GaussNewtonDescent(steps=60, inner=400, accuracy=1e-6, tolerance=1e-12).run(objective, stage)
    m = objective.sample().detach().numpy()
    low, high = 1.1**-2, 0.9**-2
    assert m.min() == pytest.approx(low)
    assert m.max() == pytest.approx(high)
    slope = torch.autograd.grad(objective().total, list(stage.unknown.parameters()))[0].numpy().ravel()
    inside = (m > low + 1e-9) & (m < high - 1e-9)
    assert inside.any()
    assert np.abs(slope[inside]).max(initial=0.0) < 1e-3 * np.abs(slope).max()
    assert np.all(slope[m <= low + 1e-9] > -1e-9)
    assert np.all(slope[m >= high - 1e-9] < 1e-9)


def test_total_variation_ends_no_higher_than_by_quasi_newton() -> None:
    engine = Linear(nodes=6)
    step = 1 + 0.2 * (engine.grid.points[:, 0] > 0.5)
    data = engine.forward(step).data
    totals = []
    for descent in (GaussNewtonDescent(steps=60, inner=200, tolerance=1e-7), BoundedLBFGS(500)):
        objective, stage = objective_of(engine, survey_of(data), prior=TotalVariation(1e-2))
        descent.run(objective, stage)
        totals.append(float(objective().total.detach()))
    assert totals[0] < totals[1] * 1.01


@pytest.mark.parametrize(("misfit", "bound"), [(L1(), 0.02), (Huber(0.05), 0.05)])
def test_robust_misfits_forget_a_wild_datum(misfit: Misfit, bound: float) -> None:
    engine = Linear(nodes=3)
    m, data = explained(engine)
    wild = data.copy()
    wild[0, 0, 0] += 30.0
    errors = []
    for candidate in (misfit, L2()):
        objective, stage = objective_of(engine, survey_of(wild), misfit=candidate)
        GaussNewtonDescent(steps=60, inner=300, accuracy=1e-8, tolerance=1e-9).run(objective, stage)
        errors.append(float(np.max(np.abs(objective.sample().detach().numpy() - m))))
    assert errors[0] < bound
    assert errors[1] > 3 * bound


def test_a_product_with_the_matrix_is_that_of_the_networks_jacobian() -> None:
    engine = Linear()
    _, data = explained(engine)
    objective, _ = objective_of(engine, survey_of(data), trial=Siren(6, 1, 3.0, 10.0))
    quadratic = Quadratic(objective, objective())
    through = torch.autograd.functional.jacobian(quadratic._sample, quadratic.place()).numpy()
    wave = np.einsum("fsi,fri->fsri", engine.fields, engine.receiving)
    jacobian = wave @ through
    weight = 0.5 / np.sum(np.abs(data) ** 2, axis=(1, 2))
    matrix = np.einsum("fsrp,fsrq,f->pq", jacobian.conj(), jacobian, weight).real
    direction = torch.from_numpy(np.random.default_rng(9127).standard_normal(matrix.shape[0]))
    product = quadratic.product(direction).numpy()
    assert np.max(np.abs(product - matrix @ direction.numpy())) < 1e-10 * np.abs(product).max()


@pytest.mark.parametrize("most", [3, 400])
def test_the_decrease_promised_is_that_of_the_quadratic_however_early_a_step_ends(most: int) -> None:
    engine = Linear()
    _, data = explained(engine)
    objective, _ = objective_of(engine, survey_of(data + 1.0), prior=Tikhonov(0.3))
    quadratic = Quadratic(objective, objective())
    step, promised = quadratic.step(0.1 * quadratic.curvature(), most, 1e-12)
    assert promised == pytest.approx(float(-quadratic.gradient @ step - 0.5 * step @ quadratic.product(step)))


def small_inversion(trial=None, prior=()) -> tuple[Objective, Stage]:
    """A small inversion of waves by the lattice."""
    problem = waves(Box((-1, 1), (-1, 1)), PML(width=0.5, reflection=1e-3))
    sources = np.array([[-0.4, -0.3], [0.4, -0.35]])
    receivers = np.stack([np.linspace(-0.4, 0.4, 6), np.full(6, 0.4)], axis=1)
    survey = Survey(sources, receivers, data=np.ones((1, 2, 6), complex), frequencies=[1.2], wavelet=1.0)
    domain = ComputationalDomain.of(problem, 0.8)
    velocity = Velocity(1.0, (0.7, 1.5), prior=prior, window=Box((-0.25, 0.25), (-0.25, 0.25))).on(
        domain.region
    )
    engine = LatticeModelling(survey, domain, velocity.start, velocity.free, (1.0, 1.0), bandwidth=12.0)
    r2 = np.sum(engine.grid.points**2, axis=1) / 0.15**2
    true = 1 - 0.3 * np.where(r2 < 2.0, np.exp(-r2), 0.0)
    survey = survey.replace(data=engine.forward(true).data)
    setting = Setting(survey, domain, velocity, L2(), (1.0, 1.0))
    generator = torch.Generator().manual_seed(71353)
    unknown = build_parametrisation(velocity, domain, trial or default_siren(setting), engine.grid, generator)
    stage = Stage(setting, unknown, None, 5, Progress(False), lambda snapshot: None)
    return Objective(engine, unknown, survey, L2()), stage


@pytest.mark.parametrize("trial", [Siren(24, 1, 3.0, 10.0), Gridded()])
def test_gauss_newton_explains_waves_in_a_few_steps(trial) -> None:
    objective, stage = small_inversion(trial)
    status, history = GaussNewtonDescent(steps=12).run(objective, stage)
    residual = history["relative residual"]
    assert residual[-1] < 0.05 * residual[0]
    assert len(history) <= 13
    assert np.all(np.diff(history.loss) < 0)
    assert status in (Status.STEP_LIMIT, Status.CONVERGED)


def test_it_ends_where_the_data_are_explained_to_their_noise() -> None:
    objective, stage = small_inversion()
    status, history = GaussNewtonDescent(steps=20).run(objective, replace(stage, target=0.05))
    residual = history["relative residual"]
    assert status is Status.CONVERGED
    assert residual[-1] <= 0.05 < residual[-2]


@pytest.mark.parametrize(
    ("whole", "beginning"),
    [
        (GaussNewtonDescent(steps=4, inner=8), GaussNewtonDescent(steps=2, inner=8)),
        (AdamDescent(6), None),
    ],
    ids=["Gauss–Newton", "Adam"],
)
def test_a_descent_goes_on_as_if_it_had_not_stopped(whole: Descent, beginning: Descent | None) -> None:
    trial, prior = Siren(12, 1, 3.0, 10.0), TotalVariation(1e-3)
    objective, stage = small_inversion(trial, prior)
    snapshots: list[tuple[Snapshot, dict]] = []

    def keep(snapshot: Snapshot) -> None:
        state = {name: tensor.clone() for name, tensor in stage.unknown.state_dict().items()}
        tensors = {name: tensor.clone() for name, tensor in snapshot.tensors.items()}
        snapshots.append((replace(snapshot, tensors=tensors), state))

    first = replace(stage, save=keep)
    if beginning is None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("neurapde.training.run.journal.SAVED_EVERY", -1.0)
            whole.run(objective, first)
        snapshot, state = snapshots[2]
    else:
        beginning.run(objective, first)
        snapshot, state = snapshots[-1]
    stopped, resumed = small_inversion(trial, prior)
    resumed.unknown.load_state_dict(state)
    _, history = whole.run(stopped, replace(resumed, resumed=snapshot))
    straight, fresh = small_inversion(trial, prior)
    _, expected = whole.run(straight, fresh)
    for name, tensor in resumed.unknown.state_dict().items():
        assert torch.equal(tensor, fresh.unknown.state_dict()[name]), name
    assert np.array_equal(history.step, expected.step)
    assert np.array_equal(history.loss, expected.loss)


class Overflowing(Linear):
    """Waves that are no numbers from the fifth model on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[np.ndarray] = []

    def forward(self, slowness_squared: np.ndarray) -> Forward:
        self.asked.append(slowness_squared.copy())
        forward = super().forward(slowness_squared)
        return forward if len(self.asked) < 5 else replace(forward, data=np.nan * forward.data)


@pytest.mark.parametrize("steps", [4, 9])
def test_adam_whose_waves_overflow_has_diverged_and_keeps_the_last_model_that_had_numbers(steps: int) -> None:
    engine = Overflowing()
    objective, stage = objective_of(engine, survey_of(engine.first + 1.0))
    status, history = AdamDescent(steps, lr=1e-2).run(objective, stage)
    assert status is Status.DIVERGED
    assert np.isnan(history.loss[-1])
    assert np.array_equal(objective.sample().detach().numpy().ravel(), engine.asked[3])
    assert not np.array_equal(engine.asked[3], engine.asked[2])


def test_what_it_cannot_do_is_refused() -> None:
    engine = Linear()
    objective, stage = objective_of(engine, survey_of(engine.first), misfit=PhaseOnly())
    with pytest.raises(DeclarationError, match="which PhaseOnly is not; use L2, L1 or Huber"):
        GaussNewtonDescent().run(objective, stage)
    with pytest.raises(DeclarationError, match="inner=0: give a whole number"):
        GaussNewtonDescent(inner=0)
    with pytest.raises(DeclarationError, match="descent=3: give AdamDescent"):
        Joint(descent=3)


def test_without_a_prior_the_default_network_is_smoother() -> None:
    _, stage = small_inversion()
    plain = stage.setting
    with_prior = replace(plain, velocity=replace(plain.velocity, prior=TotalVariation(1e-3)))
    assert default_siren(plain).omega_0 < default_siren(with_prior).omega_0
    assert default_siren(plain).depth < default_siren(with_prior).depth
