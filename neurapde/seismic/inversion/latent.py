"""A learned prior: a velocity given by its code in a family that `npde.learn` learned from velocity models."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.arrays import to_numpy
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.fields.grid_field import GridField
from neurapde.learning.codes import whitened
from neurapde.learning.dataset import Fields, Samples, item
from neurapde.learning.family import Family, Member
from neurapde.learning.spaces import ConditionedMLP, FunctionSpace, space_of
from neurapde.trials.base import Setting, Trial

LOOKED_AT = 2000
"""Largest number of models for the errors of a family."""


@dataclass(frozen=True, eq=False, repr=False)
class Latent(Declaration):
    """A velocity that is a member of a learned family: `Velocity(trial=Latent.of(family))`.

    The unknowns y have two parts. The first gives the code z = mean + spread · y, in coordinates in which the codes of
    the data set have mean zero and covariance one. The second has the amplitudes of `components`, in units of their
    deviations. The misfit gets the term ½ weight |y|². A Latent has everything needed from the family, so that an
    inversion can be stored alone.

    trial, bounds, parameters: the space of functions, on the family's domain. shift, factor: of its values.
    mean, spread: `(latent,)` and `(latent, k)`. start: y to start from. weight: see `of`.
    components: `(c, nx, ny)`, speeds that may be added to a member, on nodes of the whole domain.
    """

    trial: Trial | ConditionedMLP
    bounds: Any
    parameters: Mapping[str, np.ndarray]
    shift: float
    factor: float
    mean: np.ndarray
    spread: np.ndarray
    start: np.ndarray
    weight: float
    components: np.ndarray = field(default_factory=lambda: np.zeros((0, 2, 2)))

    @classmethod
    def of(
        cls,
        family: Family,
        *,
        start: Any = None,
        weight: float = 1e-5,
        models: Fields | None = None,
        components: int = 64,
    ) -> Self:
        """A velocity whose unknown is a member of a family.

        family: of speeds in units of length over time, one number at each point of the plane.
        start: a member of the family, or a code (latent,); None for the mean code of the data set.
        weight: of ½|y|², against a misfit that is ½ when nothing is explained. For N complex data with a relative
            error ε, including that of the family, ε²/2N gives the most likely model. 0: no prior from the codes of the
            data set.
        models: models of the class, on the nodes of a grid over the family's domain, such as those of its training.
            The errors of the nearest members are learned too: their first `components` principal components may be
            added to a member, each normal with its deviation there.
        Raises: DeclarationError for a family of other fields.
        """
        way = "give what npde.learn made of velocity models, such as npde.seismic.RandomVelocities(…)"
        checks.kind(family, "family", Family, way)
        made, model = family.made, family.model
        if made.outputs != 1 or made.complex or family.domain.dimension != 2:
            raise DeclarationError(
                f"the family has {made.outputs} {'complex' if made.complex else 'real'} component(s) on "
                f"{family.domain}; a velocity is one real number at each point of a plane"
            )
        mean, spread = _distribution(np.asarray(family.codes, dtype=float))
        checks.whole(components, "components")
        principal = np.zeros((0, 2, 2)) if models is None else _left(family, models, components)
        return cls(
            trial=made.trial,
            bounds=made.bounds,
            parameters={name: _array(tensor) for name, tensor in model.space.state_dict().items()},
            shift=float(model.scale.shift),
            factor=float(model.scale.factor),
            mean=mean,
            spread=spread,
            start=np.concatenate([_place(start, mean, spread), np.zeros(len(principal))]),
            weight=checks.number(weight, "weight", lambda x: x >= 0, "give 0 or a positive number"),
            components=principal,
        )

    def __repr__(self) -> str:
        return f"<Latent: {self.describe()}>"

    def describe(self) -> str:
        """One line for reports."""
        suffix = f" and {len(self.components)} components of its residual" if len(self.components) else ""
        return f"a member of a learned family of {self.trial}{suffix}"

    def speeds(self) -> "Decoder":
        """The map from y to speeds."""
        setting = Setting(
            self.bounds, 1, False, torch.Generator().manual_seed(0), torch.float64, torch.device("cpu")
        )
        space = space_of(self.trial, setting)
        space.load_state_dict({name: torch.from_numpy(array) for name, array in self.parameters.items()})
        return Decoder(self, space.requires_grad_(False))


@dataclass(frozen=True, eq=False)
class Decoder:
    """Speeds of members, in float64 and differentiable; the learned space of functions does not change."""

    latent: Latent
    space: FunctionSpace

    def at(self, points: np.ndarray) -> Callable[[Tensor], Tensor]:
        """The map from y to the speeds `(n,)` at points `(n, 2)`.

        Raises: DeclarationError for points outside the family's domain.
        """
        self._check(points)
        latent, where = self.latent, torch.from_numpy(points)
        mean, spread = torch.from_numpy(latent.mean), torch.from_numpy(latent.spread)
        known = spread.shape[1]
        columns = [GridField(component, latent.bounds)(points) for component in latent.components]
        added = torch.from_numpy(np.stack(columns, axis=1) if columns else np.zeros((len(points), 0)))

        def speeds(y: Tensor) -> Tensor:
            code = mean + spread @ y[:known]
            member = self.space.values(code.unsqueeze(0), where)[0, :, 0] * latent.factor + latent.shift
            return member + added @ y[known:]

        return speeds

    def _check(self, points: np.ndarray) -> None:
        low, high = (np.asarray(corner, dtype=float) for corner in self.latent.bounds)
        room = 1e-6 * (high - low)
        if np.any(points < low - room) or np.any(points > high + room):
            raise DeclarationError(
                f"the Velocity is free outside the box {low.tolist()} to {high.tolist()} on which its family was "
                "learned; give that box as the window of the Velocity"
            )


def _distribution(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of codes (fields, latent) and the root of their covariance, as in `whitened`."""
    mean, spread = (to_numpy(tensor) for tensor in whitened(torch.from_numpy(codes)))
    if not spread.shape[1]:
        raise DeclarationError(
            "all codes of the family are the same, so it has only one member; learn it with an encoder that finds "
            "codes, and from several fields"
        )
    return mean, spread


def _place(start: Any, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    if start is None:
        return np.zeros(spread.shape[1])
    code = start.code if isinstance(start, Member) and start.code is not None else start
    numbers = checks.reals(code, "start")
    if numbers.shape != mean.shape:
        raise DeclarationError(
            f"start has the shape {numbers.shape}; give a field that the family found, or its code of {len(mean)} numbers"
        )
    return np.linalg.lstsq(spread, numbers - mean, rcond=None)[0]


def _left(family: Family, models: Fields, count: int) -> np.ndarray:
    """The principal components `(c, nx, ny)` of the errors of the nearest members, in units of their deviation."""
    read = [item(models, k) for k in range(min(len(models), LOOKED_AT))]
    shape = _nodes(read, family)
    places, values = read[0].points, np.stack([samples.values[:, 0] for samples in read])
    codes = family.encode_all([samples.seen or (samples.points, samples.values) for samples in read])
    _, size, turn = np.linalg.svd(values - family.fields(codes, places), full_matrices=False)
    parts = turn[:count] * (size[:count, None] / math.sqrt(len(read)))
    return parts.reshape(-1, *shape)


def _nodes(read: list[Samples], family: Family) -> tuple[int, ...]:
    """Nodes along each axis of the grid on which all the models are given."""
    points = read[0].points
    low, high = (np.asarray(corner, dtype=float) for corner in family.domain.bounds)
    shape = tuple(len(np.unique(axis)) for axis in points.T)
    lines = [np.linspace(a, b, n) for a, b, n in zip(low, high, shape, strict=True)]
    grid = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)
    near = 1e-6 * (high - low)
    for k, samples in enumerate(read):
        if samples.points.shape != grid.shape or np.any(np.abs(samples.points - grid) > near):
            raise DeclarationError(
                f"model {k} of models is not on a grid from {low.tolist()} to {high.tolist()}, the family's domain; use "
                "npde.learning.Rasters(values, like), or npde.seismic.RandomVelocities(window, …)"
            )
    return shape


def _array(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy(), dtype=float)
