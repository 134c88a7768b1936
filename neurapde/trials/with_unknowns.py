"""A field with its unknowns: a trial function that includes them, so that a file stores them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core.arrays import Array, to_numpy
from neurapde.core.formatting import with_error
from neurapde.fields.unknown import Unknown, UnknownField
from neurapde.jets.jet import Jet
from neurapde.trials.base import Setting, Trial, TrialFunction


@dataclass(frozen=True)
class WithUnknowns(Trial):
    """A trial with unknowns that are found together with it."""

    field: Trial
    unknowns: tuple[Unknown, ...]

    def draw(self, setting: Setting) -> "WithUnknownsTrial":
        return WithUnknownsTrial(self.field.draw(setting), self.unknowns)

    def describe(self) -> str:
        return self.field.describe()


class WithUnknownsTrial(TrialFunction):
    """A field, and coordinates (size,) of all unknowns with their covariance (size, size)."""

    coordinates: Tensor
    covariance: Tensor

    def __init__(self, field: TrialFunction, unknowns: Sequence[Unknown]) -> None:
        spec = WithUnknowns(field.spec, tuple(unknowns))
        super().__init__(spec, field.dimension, field.outputs, field.complex)
        self.solved = field
        start = torch.cat([unknown.begin() for unknown in unknowns])
        self.register_buffer("coordinates", start)
        self.register_buffer("covariance", torch.zeros((len(start), len(start)), dtype=torch.float64))

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        return self.solved.jet(points, order, mixed)

    @property
    def found(self) -> dict[str, "Found"]:
        """The unknowns by name."""
        assert isinstance(self.spec, WithUnknowns)
        result, start = {}, 0
        for unknown in self.spec.unknowns:
            span = slice(start, start + unknown.size)
            result[unknown.name] = Found(
                unknown, self.coordinates[span].double(), self.covariance[span, span].double()
            )
            start += unknown.size
        return result


@dataclass(frozen=True, eq=False)
class Found:
    """A found unknown: a number with its standard error, or a field that takes points (n, d).

    The standard error follows from the Gauss–Newton matrix, with the given noise of the data or, without one, with the
    noise estimated from their residual.
    """

    unknown: Unknown
    coordinates: Tensor
    covariance: Tensor

    @property
    def value(self) -> float:
        """The number."""
        return float(self.unknown.within(self.coordinates)[0])

    @property
    def standard_error(self) -> float:
        """Of the number."""
        return float(self.unknown.slope(self.coordinates)[0].abs() * self.covariance[0, 0].sqrt())

    def __call__(self, points: Array) -> Array:
        """The field `(n,)` at points `(n, d)`."""
        return to_numpy(self.unknown.within(self._splines(points) @ self.coordinates))

    def standard_errors(self, points: Array) -> Array:
        """Of the field, `(n,)` at points `(n, d)`."""
        splines = self._splines(points)
        variance = ((splines @ self.covariance) * splines).sum(1).clamp(min=0)
        return to_numpy(self.unknown.slope(splines @ self.coordinates).abs() * variance.sqrt())

    def _splines(self, points: Array) -> Tensor:
        if isinstance(self.unknown, UnknownField):
            return self.unknown.splines(points)
        return torch.ones((len(points), 1), dtype=torch.float64)

    def __str__(self) -> str:
        if isinstance(self.unknown, UnknownField):
            return f"{self.unknown.name}: an unknown field of {self.unknown.size} splines"
        return f"{self.unknown.name} = {with_error(self.value, self.standard_error)}"
