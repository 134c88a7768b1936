"""The loss of `Penalty`: residuals of the equation for networks of waves, and the misfit at the receivers.

Equation and sides are those of the problem, on the computational domain; only the medium is unknown.
"""

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.constraints import Sampler, Samples, interior
from neurapde.core.arrays import Array, to_numpy
from neurapde.equations.helmholtz_residual import HelmholtzResidual, StrongForm
from neurapde.fields.sources import GaussianSource
from neurapde.seismic.inversion.methods.method import Stage
from neurapde.seismic.inversion.objective import Objective, Value
from neurapde.seismic.modelling.grid_modelling import GridModelling, amplitudes, angular_frequencies
from neurapde.seismic.survey.survey import Survey
from neurapde.training.losses import MeanAbsolute, mean_loss
from neurapde.training.near_sources import NearSources
from neurapde.training.run.method import Snapshot
from neurapde.trials.base import Trial, TrialFunction

AT_SOURCES, ELSEWHERE = "equation at sources", "equation elsewhere"
SOURCE_POINTS = 100
"""Points drawn around every source, beside those in all of the box."""


class PenaltyObjective(Objective):
    """The loss: residuals of the equation and its sides, plus misfit and priors weighted as in the paper.

    modelling: the grid for the priors. waves: the networks. points: drawn at every call.
    before: calls in which the medium is fixed and data do not count.

    networks: waves of one frequency each, of all shots, in units of `sizes`, the amplitude of their sources.
    """

    def __init__(
        self, modelling: GridModelling, stage: Stage, waves: Trial, points: int, before: int
    ) -> None:
        setting = stage.setting
        survey, domain = setting.survey, setting.domain
        super().__init__(modelling, stage.unknown, survey, setting.misfit)
        self._step, self._seed, self._before, self._points = 0, stage.seed, before, points
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
        self._fastest = setting.start[1]
        self._wavenumbers = [float(omega) / self._fastest for omega in omegas]
        self._length = max(domain.box.extents) / 2
        self._medium_moves = True
        self._equations = [
            HelmholtzResidual(StrongForm(k, self._medium, domain.stretch(k)), self._shots(index))
            for index, k in enumerate(self._wavenumbers)
        ]
        self._near = [NearSources.of(domain.box, equation.right_hand_sides) for equation in self._equations]
        self._interior = interior(domain.box)
        self._sides = [side for condition in domain.boundary for side in condition.constraints(domain.box)]
        self._receivers = torch.tensor(survey.receivers, dtype=torch.float32)
        self._data_weight = float(np.mean([_data_weight(survey, k) for k in self._wavenumbers]))

    def _shots(self, index: int) -> tuple[tuple[GaussianSource], ...]:
        """The sources at one frequency, in units of their size, at least as wide as the distance of nodes."""
        variance = self.survey.source_variance
        width = variance or max(self.modelling.grid.spacing) ** 2
        far = math.exp(self._wavenumbers[index] ** 2 * (width - variance) / 2) / self.sizes[index]
        return tuple(
            (GaussianSource(tuple(place.tolist()), width, complex(far * strength)),)
            for place, strength in zip(self.survey.sources, amplitudes(self.survey, index), strict=True)
        )

    def _medium(self, points: Array) -> Array:
        """m in units of that of the fastest start speed."""
        places = np.asarray(to_numpy(points), dtype=float)
        with torch.set_grad_enabled(self._medium_moves and torch.is_grad_enabled()):
            m = self._fastest**2 * self.unknown.sampler(places)()
        return m.to(points) if isinstance(points, torch.Tensor) else m.detach().numpy()

    @property
    def names(self) -> tuple[str, ...]:
        return (AT_SOURCES, ELSEWHERE, *(side.name for side in self._sides), *super().names)

    def __call__(self) -> Value:
        """The loss on new points, at the present parameters; a call is a step."""
        value = super().__call__()
        self._medium_moves = self._step >= self._before
        self._generator.manual_seed(_seed(self._seed, self._step))
        self._step += 1
        by_frequency = [self._losses(index) for index in range(len(self.networks))]
        losses = {name: torch.stack([each[name] for each in by_frequency]).mean() for name in by_frequency[0]}
        total = torch.stack(list(losses.values())).sum()
        if self._medium_moves:
            total = total + self._data_weight * value.total
        parts = {name: float(loss.detach()) for name, loss in losses.items()}
        return replace(value, total=total, parts={**parts, **value.parts})

    def _losses(self, index: int) -> dict[str, Tensor]:
        """Losses of one frequency by name, without units: lengths are those of half the box."""
        network, equation, near = self.networks[index], self._equations[index], self._near[index]
        points = near.joined(self._drawn(self._interior, network).points, SOURCE_POINTS, self._generator)
        residual = equation(Samples(points), network.jet(points, order=2))
        close = near.at(points).reshape(residual.shape)
        unit = self._length**2
        losses = {
            AT_SOURCES: unit * mean_loss(residual, MeanAbsolute(), self._points / 1000 * close),
            ELSEWHERE: unit * mean_loss(residual, MeanAbsolute(), ~close),
        }
        for side in self._sides:
            samples = self._drawn(side.sample, network)
            residual = side.residual(samples, network.jet(samples.points, order=side.order))
            unit = self._length**2 * self._wavenumbers[index] ** (2 - side.order)
            losses[side.name] = unit * mean_loss(residual, MeanAbsolute(), None)
        return losses

    def _drawn(self, sampler: Sampler, network: TrialFunction) -> Samples:
        """New points, in the kind of numbers that a network has."""
        kind = next(network.parameters()).dtype.to_real()
        return sampler(self._points, generator=self._generator, dtype=kind)

    def predicted(self, model: Tensor) -> Tensor:
        """The waves of the networks at the receivers, for any model."""
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
        """Σ|L u − E f| over Σ|E k² m u|, at nodes of the grid without a source."""
        above, below = 0.0, 0.0
        points = torch.from_numpy(self.modelling.grid.points).float()
        with torch.no_grad():
            for equation, near, network in zip(self._equations, self._near, self.networks, strict=True):
                residual = equation(Samples(points), network.jet(points, order=2))
                away = ~near.at(points).reshape(residual.shape)
                zeroth = equation.strong.zeroth(points)
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


def _data_weight(survey: Survey, wavenumber: float) -> float:
    """Σ |u| over the receivers of a shot, in the mean, u of a unit source: the factor from a misfit to a sum of
    residuals."""
    apart = np.linalg.norm(survey.sources[:, None] - survey.receivers[None], axis=-1)
    far = np.sqrt(2 / (math.pi * np.maximum(wavenumber * apart, 1.0))) / 4  # |H0|/4, from some distance on
    return float(far.sum() / survey.shots)


def _seed(seed: int, step: int) -> int:
    """A seed of its own for each step of a run."""
    return (1_000_003 * seed + step) % 2**63
