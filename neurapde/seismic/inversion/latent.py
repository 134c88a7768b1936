"""A learned prior: a velocity given by its code in a family that `npde.learn` made of velocity models."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.arrays import to_numpy
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.learning.codes import whitened
from neurapde.learning.family import Family, Member
from neurapde.learning.spaces import ConditionedMLP, FunctionSpace, space_of
from neurapde.trials.base import Setting, Trial


@dataclass(frozen=True, eq=False, repr=False)
class Latent(Declaration):
    """A velocity that is a member of a learned family: `Velocity(trial=Latent.of(family))`.

    The unknowns are y, the code z = mean + spread · y in the coordinates in which the codes of the data set have mean zero
    and covariance one; ½ weight |y|² is added to the misfit. It holds all that is needed of the family, so that an inversion
    can be stored by itself.

    trial, bounds, parameters: the space of functions, on the family's domain. shift, factor: of its values.
    mean, spread: `(latent,)` and `(latent, k)`. start: y `(k,)` to start from. weight: see `of`.
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

    @classmethod
    def of(cls, family: Family, *, start: Any = None, weight: float = 1e-5) -> Self:
        """The members of a family of velocities as unknown.

        family: of speeds in units of length over time, one number at each point of the plane.
        start: a member of the family, or a code (latent,); None for the mean code of the data set.
        weight: of ½|y|², against a misfit that is ½ when nothing is explained. Of N complex data with a relative error ε,
            the family's own included, ε²/2N is that of the most likely model. 0: the codes of the data set count nothing.
        Raises: DeclarationError for a family of something else.
        """
        way = "give what npde.learn made of velocity models, such as npde.seismic.RandomVelocities(…)"
        checks.kind(family, "family", Family, way)
        made, model = family.made, family.model
        if made.outputs != 1 or made.complex or family.domain.dimension != 2:
            raise DeclarationError(
                f"the family is one of {made.outputs} {'complex' if made.complex else 'real'} component(s) on "
                f"{family.domain}; a velocity is one real number at each point of a plane"
            )
        mean, spread = _distribution(np.asarray(family.codes, dtype=float))
        return cls(
            trial=made.trial,
            bounds=made.bounds,
            parameters={name: _array(part) for name, part in model.space.state_dict().items()},
            shift=float(model.scale.shift),
            factor=float(model.scale.factor),
            mean=mean,
            spread=spread,
            start=_place(start, mean, spread),
            weight=checks.number(weight, "weight", lambda x: x >= 0, "give 0 or a positive number"),
        )

    def __repr__(self) -> str:
        return f"<Latent: {self.describe()}>"

    def describe(self) -> str:
        """One line for reports."""
        return f"a member of a learned family of {self.trial}"

    def speeds(self) -> "Decoder":
        """What makes speeds of y."""
        setting = Setting(
            self.bounds, 1, False, torch.Generator().manual_seed(0), torch.float64, torch.device("cpu")
        )
        space = space_of(self.trial, setting)
        space.load_state_dict({name: torch.from_numpy(part) for name, part in self.parameters.items()})
        return Decoder(self, space.requires_grad_(False))


@dataclass(frozen=True, eq=False)
class Decoder:
    """Speeds of members, in float64 and differentiable; the space of functions stays as it was learned."""

    latent: Latent
    space: FunctionSpace

    def __call__(self, y: Tensor, points: Tensor) -> Tensor:
        """The speeds `(n,)` of the member y `(k,)` at points `(n, 2)`."""
        latent = self.latent
        code = torch.from_numpy(latent.mean) + torch.from_numpy(latent.spread) @ y
        return self.space.values(code.unsqueeze(0), points)[0, :, 0] * latent.factor + latent.shift

    def check(self, points: np.ndarray) -> None:
        """Refuse points that the family knows nothing of."""
        low, high = (np.asarray(corner, dtype=float) for corner in self.latent.bounds)
        room = 1e-6 * (high - low)
        if np.any(points < low - room) or np.any(points > high + room):
            raise DeclarationError(
                f"the Velocity is free outside the box {low.tolist()} to {high.tolist()} on which its family was learned; "
                "give that as window of the Velocity"
            )


def _distribution(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of codes (fields, latent) and the root of their covariance, as of `whitened`."""
    mean, spread = (to_numpy(part) for part in whitened(torch.from_numpy(codes)))
    if not spread.shape[1]:
        raise DeclarationError(
            "all codes of the family are the same, so that it has one member; learn it with an encoder that finds codes, "
            "and from several fields"
        )
    return mean, spread


def _place(start: Any, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    if start is None:
        return np.zeros(spread.shape[1])
    code = start.code if isinstance(start, Member) and start.code is not None else start
    found = checks.reals(code, "start")
    if found.shape != mean.shape:
        raise DeclarationError(
            f"start has the shape {found.shape}; give a field that the family found, or its code of {len(mean)} numbers"
        )
    return np.linalg.lstsq(spread, found - mean, rcond=None)[0]


def _array(part: Tensor) -> np.ndarray:
    return np.asarray(part.detach().cpu().numpy(), dtype=float)
