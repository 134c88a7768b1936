"""Gauss–Newton with the derivative of the waves: δdata = Σ U G δm, so a product with the Hessian needs no wave.

One forward pass gives the fields U of the shots and G of the receivers. Conjugate gradients on such products then
solve the linear system of a step, for a network or for values on a grid. Misfits that are functions of |p − d| become
iteratively reweighted least squares, total variation becomes a diffusion with a lagged coefficient, and an unknown
wavelet is projected out of the data.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, cg
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.seismic.inversion.methods.descents import Descent, explained, journal_of, record
from neurapde.seismic.inversion.methods.method import Stage
from neurapde.seismic.inversion.misfits import PhaseOnly
from neurapde.seismic.inversion.objective import Objective, Value
from neurapde.seismic.inversion.parametrisation import GridParametrisation
from neurapde.seismic.modelling.base import FrequencyModelling
from neurapde.training.optimisation.damping import Damping
from neurapde.training.optimisation.parameters import copied, flat, put, shaped
from neurapde.training.run.history import History
from neurapde.training.run.method import Status

LARGEST_DAMPING = 1e12
"""Damping, in units of the first curvature, above which no further step is tried."""


@dataclass(frozen=True)
class GaussNewtonDescent(Descent):
    """Levenberg–Marquardt with conjugate gradients. For spectra; for networks and for values on a grid, within bounds.

    steps:    largest number of accepted models.
    inner:    largest number of conjugate-gradient iterations in each step.
    accuracy: of each linear system, relative. Its early end is part of the regularisation.
    damping:  the first one, in units of the curvature along the gradient.
    tolerance: the relative decrease of the objective below which it has converged.

    Source: Métivier, Brossier, Virieux, Operto (2013), SIAM J. Sci. Comput. 35(2); Nocedal and Wright (2006), chapter 10.
    """

    steps: int = 30
    inner: int = 60
    accuracy: float = 0.03
    damping: float = 1e-2
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole(self.inner, "inner")
        for name in ("accuracy", "damping", "tolerance"):
            number = checks.positive(getattr(self, name), f"{name} of GaussNewtonDescent")
            if name != "damping" and number >= 1:
                raise DeclarationError(f"{name} of GaussNewtonDescent is {number:g}; give a number below 1")
            object.__setattr__(self, name, number)

    def describe(self) -> str:
        return f"Gauss–Newton, {self.steps} steps of {self.inner} conjugate gradients"

    def run(self, objective: Objective, stage: Stage) -> tuple[Status, History]:
        if not isinstance(objective.modelling, FrequencyModelling):
            raise DeclarationError(
                "GaussNewtonDescent works on spectra; use AdamDescent or BoundedLBFGS for traces"
            )
        if isinstance(objective.misfit, PhaseOnly):
            raise DeclarationError(
                "GaussNewtonDescent needs a misfit of |p − d|, which PhaseOnly is not; use L2, L1 or Huber, or AdamDescent"
            )
        damping = Damping(math.nan)
        if stage.resumed is not None:
            damping = Damping(*stage.resumed.tensors["damping"].reshape(-1).tolist())
        journal = journal_of("Gauss–Newton", self.steps, objective, stage, lambda: _state(damping))
        parameters = list(objective.unknown.parameters())
        with journal:
            with journal.at_once():
                value = objective()
            record(journal, value, damping.value)
            for _ in journal.steps(lambda: explained(journal, stage) or self._little(journal.history.loss)):
                if not math.isfinite(float(value.total.detach())):
                    journal.status = Status.DIVERGED
                    break
                start, before = copied(parameters), replace(damping)

                def undo(start: list[Tensor] = start, before: Damping = before) -> None:
                    put(parameters, start)
                    damping.value, damping.raised = before.value, before.raised

                with journal.at_once(undo):
                    lowered = self._lower(objective, value, damping)
                if lowered is None:
                    journal.status = Status.CONVERGED
                    break
                value = lowered
                journal.advance()
                record(journal, value, damping.value)
        return journal.status, journal.history

    def _little(self, losses: np.ndarray) -> bool:
        """Whether the last step gained almost nothing."""
        return len(losses) > 1 and bool(losses[-2] - losses[-1] < self.tolerance * losses[-2])

    def _lower(self, objective: Objective, value: Value, damping: Damping) -> Value | None:
        """The objective after a step that lowers it, with the damping for the next one; None if there is no such step."""
        before = float(value.total.detach())
        quadratic = Quadratic(objective, value)
        if math.isnan(damping.value):
            damping.value = self.damping * quadratic.curvature()
        first = quadratic.place()
        largest = LARGEST_DAMPING * damping.value
        while damping.value < largest:
            step, predicted = quadratic.step(damping.value, self.inner, self.accuracy)
            quadratic.move(first + step)
            value = objective()
            actual = before - float(value.total.detach())
            if actual > 0 and math.isfinite(actual):
                damping.succeed(actual, predicted)
                return value
            damping.fail()
        quadratic.move(first)
        return None


def _state(damping: Damping) -> dict[str, Tensor]:
    return {"damping": torch.tensor([damping.value, damping.raised], dtype=torch.float64)}


class Quadratic:
    """The objective near one model: gradient, products with the Gauss–Newton matrix, and which parameters may move."""

    def __init__(self, objective: Objective, value: Value) -> None:
        self.objective, self.unknown = objective, objective.unknown
        self.parameters = list(self.unknown.parameters())
        self.scale = self.unknown.scale
        slopes = torch.autograd.grad(value.total, self.parameters, allow_unused=True)
        self.gradient = self.scale * torch.cat(
            [
                torch.zeros_like(p).ravel() if slope is None else slope.ravel()
                for p, slope in zip(self.parameters, slopes, strict=True)
            ]
        )
        self.free = self._free()
        self._sampled = _Sampled(objective)
        self._at = self.place().requires_grad_()
        self._model = self._sample(self._at)
        self._dual = torch.zeros_like(self._model, requires_grad=True)
        (self._pulled,) = torch.autograd.grad(self._model, self._at, self._dual, create_graph=True)
        model = self._model.detach()
        self._data = data_hessian(objective, model, value)
        self._priors = _prior_hessian(objective, model)

    def _free(self) -> Tensor:
        """Which parameters are not held at a bound by the gradient."""
        if not isinstance(self.unknown, GridParametrisation):
            return torch.ones_like(self.gradient)
        values = self.unknown.values.detach().ravel()
        slack = 1e-12 * (self.unknown.upper - self.unknown.lower)
        held = (values <= self.unknown.lower + slack) & (self.gradient > 0)
        held |= (values >= self.unknown.upper - slack) & (self.gradient < 0)
        return (~held).to(self.gradient)

    def _sample(self, values: Tensor) -> Tensor:
        """m of flat parameters, differentiable in forward and reverse mode."""
        names = [name for name, _ in self._sampled.named_parameters()]
        tensors = dict(zip(names, shaped(values * self.scale, self.parameters), strict=True))
        return torch.func.functional_call(self._sampled, tensors, ())

    def place(self) -> Tensor:
        """The parameters, flat, in units of their scale."""
        return flat(self.parameters) / self.scale

    def move(self, values: Tensor) -> None:
        """Set the parameters, and project them onto their bounds."""
        put(self.parameters, shaped(values * self.scale, self.parameters))
        self.unknown.project()

    def product(self, direction: Tensor) -> Tensor:
        """The Gauss–Newton matrix times a direction."""
        change = self.along(self.free * direction)
        bent = self._data(change) + self._priors(change)
        (product,) = torch.autograd.grad(self._model, self._at, bent, retain_graph=True)
        return self.free * (product + self.unknown.weight * self.scale**2 * direction)

    def along(self, direction: Tensor) -> Tensor:
        """δm `(n,)` of a direction of the parameters: the derivative of Jᵀw by w, applied to it."""
        (change,) = torch.autograd.grad(self._pulled, self._dual, direction, retain_graph=True)
        return change

    def curvature(self) -> float:
        """Along the gradient."""
        unit = self.free * self.gradient
        unit = unit / torch.linalg.vector_norm(unit).clamp_min(1e-300)
        return max(float(unit @ self.product(unit)), 1e-300)

    def step(self, damping: float, most: int, accuracy: float) -> tuple[Tensor, float]:
        """The approximate solution δ of (H + damping) δ = −gradient, and the decrease of the quadratic.

        The residual of conjugate gradients is orthogonal to δ, so that δᵀHδ = −gradientᵀδ − damping |δ|².
        """

        def damped(direction: np.ndarray) -> np.ndarray:
            vector = torch.from_numpy(direction)
            return (self.product(vector) + damping * vector).numpy()

        target = (-self.free * self.gradient).numpy()
        matrix = LinearOperator((len(target), len(target)), damped, dtype=target.dtype)
        step = torch.from_numpy(cg(matrix, target, rtol=accuracy, maxiter=most)[0])
        return step, float(damping * (step @ step) - self.gradient @ step) / 2


def data_hessian(objective: Objective, model: Tensor, value: Value) -> Callable[[Tensor], Tensor]:
    """The product of the Gauss–Newton matrix of the misfit and δm `(n,)`."""
    modelling = objective.modelling
    assert isinstance(modelling, FrequencyModelling)
    forward = modelling.forward(model.detach().numpy())
    free = objective.unknown.velocity.free(objective.unknown.domain.inward(modelling.grid.points))
    fields = forward.fields.reshape(*forward.fields.shape[:2], -1)[:, :, free]
    fields = fields * value.scales.detach().numpy()[..., None]
    receiving = np.ascontiguousarray(modelling.receiver_fields(forward)[:, :, free])
    predicted = value.data.detach()
    weights = _lagged_weights(objective, predicted).numpy()
    shots = None if objective.survey.wavelet is not None else predicted.numpy()
    live = objective.weights.numpy()

    def product(change: Tensor) -> Tensor:
        moved = (fields * change.detach().numpy()[free]) @ receiving.swapaxes(1, 2)
        if shots is not None:
            moved = moved - _part_along(shots, moved, live)
        back = weights * moved
        if shots is not None:
            back = back - live * _part_along_dual(shots, back, live)
        response = np.zeros(len(free))
        response[free] = np.einsum("fsi,fsi->i", fields, back.conj() @ receiving).real
        return torch.from_numpy(response)

    return product


def _part_along(shots: np.ndarray, moved: np.ndarray, live: np.ndarray) -> np.ndarray:
    """The part of a change of data that a change of each shot's scale explains: Kaufman's projection."""
    above = np.sum(live * shots.conj() * moved, axis=-1, keepdims=True)
    return shots * above / np.sum(live * np.abs(shots) ** 2, axis=-1, keepdims=True)


def _part_along_dual(shots: np.ndarray, back: np.ndarray, live: np.ndarray) -> np.ndarray:
    """The adjoint of `_part_along`, without its weights in front."""
    above = np.sum(shots.conj() * back, axis=-1, keepdims=True)
    return shots * above / np.sum(live * np.abs(shots) ** 2, axis=-1, keepdims=True)


def _lagged_weights(objective: Objective, predicted: Tensor) -> Tensor:
    """φ′(r)/r of a misfit that is a sum of φ(|p − d|): its weights as least squares."""
    tiny = 1e-9 * objective.observed.abs().max()
    error = predicted - objective.observed
    apart = torch.where(error.abs() > tiny, predicted, objective.observed + tiny).requires_grad_()
    (slope,) = torch.autograd.grad(objective.misfit(apart, objective.observed, objective.weights), apart)
    return slope.abs() / (apart.detach() - objective.observed).abs()


def _prior_hessian(objective: Objective, model: Tensor) -> Callable[[Tensor], Tensor]:
    """The product of the curvature of all priors' majorants and δm `(n,)`."""
    priors = objective.unknown.velocity.prior
    if not priors:
        return torch.zeros_like
    relative, start = objective.relative(model.detach()), objective.start
    spacing = objective.modelling.grid.spacing
    majorants = [prior.majorant(relative, start, spacing) for prior in priors]

    def gradient(at: Tensor) -> Tensor:
        return torch.func.grad(lambda m: sum(majorant(objective.relative(m)) for majorant in majorants))(at)

    zero = gradient(torch.zeros_like(model))
    return lambda change: gradient(change) - zero


class _Sampled(torch.nn.Module):
    """An objective's model as a module, so that tensors can stand in for its parameters."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.unknown, self._sample = objective.unknown, objective.sample

    def forward(self) -> Tensor:
        return self._sample()
