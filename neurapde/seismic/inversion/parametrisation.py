"""A velocity with parameters, made from a `Velocity`. Everything is in m = 1/c².

An `Unknown` gives m at fixed points as a differentiable function of its parameters: a network between its bounds,
values on a grid, or the code of a member of a learned family. Where the velocity is not free, m is that of the start
model; outside the region it is that of its edge.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from neurapde.fields.medium import Field
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.latent import Latent
from neurapde.seismic.inversion.velocity import Gridded, Velocity
from neurapde.seismic.modelling.computational_domain import MEANS, ComputationalDomain, cell_places
from neurapde.trials.base import Trial, TrialFunction

EDGE = 1e-3  # a start model on a bound is moved inside by this part of the interval, where a sigmoid still has a slope
FIRST_HEAD = 0.05  # the head of a fresh network is scaled by this: it begins near the start model
SHARPNESS = 50.0
"""Of the bend at a bound, where a member of a family is held, in units of 1 / the interval."""

Sampler = Callable[[], Tensor]
"""m `(n,)` at the points it was made for, at the present parameters, differentiable."""


class Parametrisation(torch.nn.Module, ABC):
    """m = 1/c² with parameters, in float64.

    velocity:  the declaration, complete (`Velocity.on`).
    lower, upper: bounds of m.
    """

    def __init__(self, velocity: Velocity, domain: ComputationalDomain) -> None:
        super().__init__()
        self.velocity, self.domain = velocity, domain
        slowest, fastest = velocity.limits
        self.lower, self.upper = fastest**-2.0, slowest**-2.0

    def sampler(self, points: np.ndarray, cell: Sequence[float] | None = None) -> Sampler:
        """m at any points `(n, 2)`, or its mean over a `cell` around each if it is rougher than that."""
        inside = self.domain.inward(points)
        start = torch.from_numpy(self.start(inside) if cell is None else self.start_mean(points, cell))
        free = torch.from_numpy(self.velocity.free(inside))
        varying = self._varying(inside[free.numpy()], start[free], cell)

        def sample() -> Tensor:
            return start.masked_scatter(free, varying())

        return sample

    def start(self, points: np.ndarray) -> np.ndarray:
        """m of the start model at points `(n, 2)` of the region, `(n,)`."""
        field: Field = self.velocity.start
        return np.asarray(field(points), dtype=float) ** -2.0

    def start_mean(self, points: np.ndarray, cell: Sequence[float]) -> np.ndarray:
        """m of the start model, `(n,)`, averaged over cells of this size around points `(n, 2)`.

        A jump, such as the sea floor, then acts at its place and not at the next node, with 8 nodes per wavelength.
        """
        places = [self.domain.inward(points + shift) for shift in cell_places(cell, (MEANS, MEANS))]
        return np.mean([self.start(at) for at in places], axis=0)

    @abstractmethod
    def _varying(self, points: np.ndarray, start: Tensor, cell: Sequence[float] | None) -> Sampler:
        """m at points of the region where it is free, `start` being the start model there; see `sampler`."""

    def project(self) -> None:
        """Project parameters onto their bounds, after a step without bounds."""
        return

    @property
    def scale(self) -> float:
        """The size of a parameter: the unit of a step."""
        return 1.0

    @property
    def weight(self) -> float:
        """The weight of ½|θ|² in the objective, θ the parameters: a prior on them besides those on m."""
        return 0.0

    def at(self, points: np.ndarray) -> np.ndarray:
        """m at points `(n, 2)`, as an array."""
        with torch.no_grad():
            return self.sampler(points)().numpy()

    @property
    def parameter_count(self) -> int:
        """The number of trainable numbers."""
        return sum(parameter.numel() for parameter in self.parameters())


class NetworkParametrisation(Parametrisation):
    """m = lower + (upper − lower) σ(s + z): z the network; s makes z = 0 the start model."""

    def __init__(self, velocity: Velocity, domain: ComputationalDomain, network: TrialFunction) -> None:
        super().__init__(velocity, domain)
        self.network = network

    def _varying(self, points: np.ndarray, start: Tensor, cell: Sequence[float] | None) -> Sampler:
        where = torch.from_numpy(points)
        share = (start - self.lower) / (self.upper - self.lower)
        offset = torch.logit(share.clamp(EDGE, 1 - EDGE))
        return lambda: self.lower + (self.upper - self.lower) * torch.sigmoid(offset + self.network(where))


class GridParametrisation(Parametrisation):
    """m bilinear between values on the nodes of a grid, `values` `(nx, ny)`."""

    def __init__(self, velocity: Velocity, domain: ComputationalDomain, grid: Grid) -> None:
        super().__init__(velocity, domain)
        self.grid = grid
        start = torch.from_numpy(self.start_mean(grid.points, grid.spacing)).reshape(tuple(grid.shape))
        self._scale = float(start.mean())
        self.values = torch.nn.Parameter(start.clamp(self.lower, self.upper))

    def _varying(self, points: np.ndarray, start: Tensor, cell: Sequence[float] | None) -> Sampler:
        steps = np.asarray(self.grid.spacing)
        wider = np.zeros(2) if cell is None else np.maximum(np.asarray(cell) - steps, 0.0)
        first, second = (int(n) + 1 for n in np.ceil(wider / steps - 1e-6))
        shifts = cell_places(wider, (first, second))
        interpolations = [_bilinear(self.grid, points + shift) for shift in shifts]
        index = torch.cat([index for index, _ in interpolations], dim=1)
        weight = torch.cat([weight for _, weight in interpolations], dim=1) / len(interpolations)
        return lambda: (self.values.ravel()[index] * weight).sum(dim=1)

    @property
    def scale(self) -> float:
        return self._scale

    def project(self) -> None:
        with torch.no_grad():
            self.values.clamp_(self.lower, self.upper)


class LatentParametrisation(Parametrisation):
    """m = 1/c², c a member of a learned family, kept between the bounds; `code` `(k,)` selects it."""

    def __init__(self, velocity: Velocity, domain: ComputationalDomain, latent: Latent) -> None:
        super().__init__(velocity, domain)
        self.latent, self.speeds = latent, latent.speeds()
        self.code = torch.nn.Parameter(torch.from_numpy(latent.start.copy()))

    def _varying(self, points: np.ndarray, start: Tensor, cell: Sequence[float] | None) -> Sampler:
        speeds = self.speeds.at(points)
        slowest, fastest = self.velocity.limits

        def sample() -> Tensor:
            share = (speeds(self.code) - slowest) / (fastest - slowest)
            return (slowest + (fastest - slowest) * _held(share)) ** -2.0

        return sample

    @property
    def weight(self) -> float:
        return self.latent.weight


def build_parametrisation(
    velocity: Velocity,
    domain: ComputationalDomain,
    trial: Trial | Gridded | Latent,
    grid: Grid,
    generator: torch.Generator,
) -> Parametrisation:
    """The unknown of a velocity as `trial`; `grid` is that of a `Gridded` without a shape."""
    if isinstance(trial, Gridded):
        lower, upper = (corner.tolist() for corner in domain.region.bounds)
        return GridParametrisation(
            velocity, domain, grid if trial.shape is None else Grid(lower, upper, trial.shape)
        )
    if isinstance(trial, Latent):
        return LatentParametrisation(velocity, domain, trial)
    network = trial.build(free_bounds(velocity, domain), generator=generator, dtype=torch.float64)
    with torch.no_grad():
        network.head.weight.mul_(FIRST_HEAD)
        network.head.bias.mul_(FIRST_HEAD)
    return NetworkParametrisation(velocity, domain, network)


def free_bounds(velocity: Velocity, domain: ComputationalDomain) -> tuple[np.ndarray, np.ndarray]:
    """The corners of a box around where the velocity is free."""
    lower, upper = domain.region.bounds
    if velocity.window is None:
        return lower, upper
    low, high = velocity.window.bounds
    return np.maximum(lower, low), np.minimum(upper, high)


def _held(share: Tensor) -> Tensor:
    """A number limited to 0 … 1: unchanged except within 1 / SHARPNESS of these, smooth and increasing."""
    rise = torch.nn.functional.softplus(SHARPNESS * share)
    return (rise - torch.nn.functional.softplus(SHARPNESS * (share - 1))) / SHARPNESS


def _bilinear(grid: Grid, points: np.ndarray) -> tuple[Tensor, Tensor]:
    """Flat indices and weights, both `(n, 4)`, of the four nodes around points `(n, 2)`; outside, the edge continues."""
    index = np.zeros((len(points), 1), dtype=np.int64)
    weight = np.ones((len(points), 1))
    for axis, (n, step) in enumerate(zip(grid.shape, grid.spacing, strict=True)):
        place = np.clip((points[:, axis] - grid.lower[axis]) / step, 0.0, n - 1.0)
        cell = np.minimum(place.astype(np.int64), n - 2)
        right = (place - cell)[:, None]
        index = np.concatenate([index * n + cell[:, None], index * n + cell[:, None] + 1], axis=1)
        weight = np.concatenate([weight * (1 - right), weight * right], axis=1)
    return torch.from_numpy(index), torch.from_numpy(weight)
