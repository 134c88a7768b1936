"""The loss of `Penalty`: what networks of waves leave of the equation, and the misfit of their values at the receivers.

The wave equation, its coefficients and the points are those of a forward problem; only the medium is an unknown.
"""

import math
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.constraints import Samples
from neurapde.conditions.stretch import Stretch
from neurapde.core.arrays import Array, to_numpy
from neurapde.core.errors import DeclarationWarning
from neurapde.domains.base import Domain
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.medium import Field
from neurapde.fields.sources import GaussianSource, Shots
from neurapde.problem.problem import Problem
from neurapde.run.method import Snapshot
from neurapde.seismic.inversion.methods.method import Setting, Stage
from neurapde.seismic.inversion.objective import Objective, Value
from neurapde.seismic.inversion.parametrisation import Parametrisation
from neurapde.seismic.modelling.grid_modelling import GridModelling, amplitudes, angular_frequencies
from neurapde.seismic.survey.survey import Survey
from neurapde.training.losses import absolute, mean_loss
from neurapde.training.objective import Batch
from neurapde.training.objective import Objective as Collocation
from neurapde.trials.base import Trial, TrialFunction

AT_SOURCES, ELSEWHERE = "equation at sources", "equation elsewhere"
SOURCE_POINTS = 100
"""Points drawn around every source, beside those in all of the box."""


class PenaltyObjective(Objective):
    """The loss: what waves leave of the equation and its sides, plus misfit and priors weighed as in the paper.

    modelling: the grid on which priors look at the model. waves: the networks. points: drawn at every call.
    before: calls in which the medium is held and data do not count.

    networks: waves of one frequency each, of all shots, in units of `sizes`, the amplitude of their sources.
    """

    def __init__(
        self, modelling: GridModelling, stage: Stage, waves: Trial, points: int, before: int
    ) -> None:
        setting = stage.setting
        survey, domain = setting.survey, setting.domain
        super().__init__(modelling, stage.unknown, survey, setting.misfit)
        self._step, self._seed, self._before = 0, stage.seed, before
        self._generator = torch.Generator()
        self.networks = [
            waves.build(
                domain.box.bounds,
                survey.shots,
                complex=True,
                generator=self._generator.manual_seed(_seed(stage.seed, -1 - index)),
            )
            for index in range(len(modelling.schemes))
        ]
        omegas = angular_frequencies(survey)
        self.sizes = [float(np.sqrt(np.mean(np.abs(amplitudes(survey, i)) ** 2))) for i in range(len(omegas))]
        speed = setting.start[1]
        self._wavenumbers = [float(omega) / speed for omega in omegas]
        self._length = max(domain.box.extents) / 2
        self._held, self._trained = (
            [
                Collocation(
                    self._problem(setting, index, _Medium(stage.unknown, speed, trained)),
                    points,
                    "l1",
                    {},
                    SOURCE_POINTS,
                    None,
                )
                for index in range(len(omegas))
            ]
            for trained in (False, True)
        )
        self._receivers = torch.tensor(survey.receivers, dtype=torch.float32)
        self._data_weight = float(np.mean([_data_weight(survey, k) for k in self._wavenumbers]))

    def _problem(self, setting: Setting, index: int, medium: "_Medium") -> Problem:
        survey, wavenumber = setting.survey, self._wavenumbers[index]
        own = survey.source_variance
        width = own or max(self.modelling.grid.spacing) ** 2
        far = math.exp(wavenumber**2 * (width - own) / 2) / self.sizes[index]
        sources = [
            GaussianSource(tuple(place.tolist()), width, complex(far * strength))
            for place, strength in zip(survey.sources, amplitudes(survey, index), strict=True)
        ]
        with warnings.catch_warnings():  # what there is to say of layers and places has been said
            warnings.simplefilter("ignore", DeclarationWarning)
            return Problem(
                name=survey.name,
                domain=setting.domain.box,
                equation=_Waves(wavenumber, medium, layers=setting.domain.stretch(wavenumber)),
                sources=Shots(*sources),
                boundary=setting.domain.boundary,
            )

    @property
    def names(self) -> tuple[str, ...]:
        sides = [name for name in self._held[0].names if name not in self._held[0].equation_names]
        return (AT_SOURCES, ELSEWHERE, *sides, *super().names)

    def __call__(self) -> Value:
        """The loss on new points, at the present parameters; a call is a step."""
        value = super().__call__()
        before = self._step < self._before
        self._generator.manual_seed(_seed(self._seed, self._step))
        self._step += 1
        found = [
            self._equation(*each)
            for each in zip(
                self._held if before else self._trained, self.networks, self._wavenumbers, strict=True
            )
        ]
        losses = {name: torch.stack([each[name] for each in found]).mean() for name in found[0]}
        total = torch.stack(list(losses.values())).sum()
        if not before:
            total = total + self._data_weight * value.total
        parts = {name: float(loss.detach()) for name, loss in losses.items()}
        return replace(value, total=total, parts={**parts, **value.parts})

    def _equation(
        self, objective: Collocation, network: TrialFunction, wavenumber: float
    ) -> dict[str, Tensor]:
        """Losses by name, without units: lengths are those of half the box."""
        losses: dict[str, Tensor] = {}
        for constraint in objective.problem.trained:
            batch = objective.batch(constraint, objective.draw(constraint, network, self._generator))
            residual = objective.residual(batch, network)
            unit = self._length**2 * wavenumber ** (2 - constraint.order)
            if constraint.name not in objective.equation_names:
                losses[constraint.name] = unit * mean_loss(residual, absolute, None)
                continue
            near = objective.near_sources(batch.samples.points).reshape(residual.shape)
            assert batch.weights is not None
            losses[AT_SOURCES] = unit * mean_loss(residual, absolute, batch.weights * near)
            losses[ELSEWHERE] = unit * mean_loss(residual, absolute, batch.weights * ~near)
        return losses

    def predicted(self, model: Tensor) -> Tensor:
        """The waves of the networks at the receivers, whatever the model."""
        return self._waves(self._receivers).swapaxes(1, 2)

    def fields(self) -> np.ndarray:
        """The waves on the grid, `(frequencies, shots, *grid.shape)`."""
        grid = self.modelling.grid
        with torch.no_grad():
            waves = self._waves(torch.from_numpy(grid.points).float())
        return waves.swapaxes(1, 2).reshape(len(waves), -1, *grid.shape).numpy()

    def _waves(self, points: Tensor) -> Tensor:
        """`(frequencies, n, shots)`."""
        return torch.stack(
            [
                size * network(points).reshape(len(points), -1).to(torch.complex128)
                for size, network in zip(self.sizes, self.networks, strict=True)
            ]
        )

    def violation(self) -> float:
        """Σ|L u − E f| over Σ|E k² m u|, at nodes of the grid that no source acts at."""
        above, below = 0.0, 0.0
        points = torch.from_numpy(self.modelling.grid.points).float()
        with torch.no_grad():
            for objective, network in zip(self._trained, self.networks, strict=True):
                (constraint,) = objective.problem.equation.constraints(objective.problem)
                residual = objective.residual(Batch(constraint, Samples(points)), network)
                away = ~objective.near_sources(points).reshape(residual.shape)
                equation = objective.problem.equation
                assert isinstance(equation, Helmholtz)
                zeroth = equation.strong(objective.problem).zeroth(points)
                term = zeroth.reshape(-1, *[1] * (residual.ndim - 1)) * network(points)
                above += float(residual[away].abs().sum())
                below += float(term[away].abs().sum())
        return above / below

    def parameters(self) -> list[Tensor]:
        return [*super().parameters(), *(p for network in self.networks for p in network.parameters())]

    def tensors(self) -> dict[str, Tensor]:
        return {
            f"waves.{index}.{name}": tensor.detach().clone()
            for index, network in enumerate(self.networks)
            for name, tensor in network.state_dict().items()
        }

    def restore(self, snapshot: Snapshot) -> None:
        self._step = snapshot.step
        for index, network in enumerate(self.networks):
            start = f"waves.{index}."
            network.load_state_dict(
                {k.removeprefix(start): v for k, v in snapshot.tensors.items() if k.startswith(start)}
            )


@dataclass(frozen=True, eq=False)
class _Medium(Field):
    """The speed that an unknown stands for, in units of `unit`; trained: torch points are told its derivative."""

    unknown: Parametrisation
    unit: float
    trained: bool

    def __call__(self, points: Array) -> Array:
        places = np.asarray(to_numpy(points), dtype=float)
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            speed = self.unknown.sampler(places)() ** -0.5 / self.unit
        return speed.to(points) if isinstance(points, torch.Tensor) else speed.detach().numpy()

    def describe(self) -> str:
        return "a velocity under way"


@dataclass(frozen=True)
class _Waves(Helmholtz):
    """Waves in layers as strong as the start model asks for, whatever becomes of the medium."""

    layers: Stretch = field(kw_only=True)

    def on(self, domain: Domain) -> "_Waves":
        return self

    def stretch(self, problem: Problem) -> Stretch:
        return self.layers


def _data_weight(survey: Survey, wavenumber: float) -> float:
    """Σ |u| over the receivers of a shot, in the mean, u of a unit source: what makes a misfit a sum of residuals."""
    apart = np.linalg.norm(survey.sources[:, None] - survey.receivers[None], axis=-1)
    far = np.sqrt(2 / (math.pi * np.maximum(wavenumber * apart, 1.0))) / 4  # |H0|/4, from some distance on
    return float(far.sum() / survey.shots)


def _seed(seed: int, step: int) -> int:
    """A seed of its own for each step of a run."""
    return (1_000_003 * seed + step) % 2**63
