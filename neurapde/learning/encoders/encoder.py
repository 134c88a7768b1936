"""What an encoder is: a declaration, and the module it builds, from what is seen of fields to their codes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from neurapde.core.declaration import Declaration
from neurapde.learning.batches import PointSets
from neurapde.learning.spaces import FunctionSpace
from neurapde.trials.base import Setting


class Conditioner(torch.nn.Module, ABC):
    """What is seen of fields, to codes."""

    @abstractmethod
    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        """The codes (fields, latent) of fields of which `seen` is known, values as networks take them."""

    def trained(self, indices: Tensor, seen: PointSets, space: FunctionSpace) -> Tensor:
        """The codes of fields of the data set in training, with a graph; indices: their numbers."""
        return self.codes(seen, space)

    @property
    def known(self) -> Tensor | None:
        """The codes (fields, latent) of the whole data set, where they are parameters."""
        return None


@dataclass(frozen=True)
class Encoder(Declaration, ABC):
    """How fields are conditioned on what is seen of them."""

    own_values: ClassVar[bool] = False
    """Whether what is seen must be the field's own values."""

    @abstractmethod
    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        """The module, its parameters drawn, for a data set of so many fields.

        seen: what is seen of each, its outputs the components of a value.
        """


@dataclass(frozen=True)
class MeanField(Encoder):
    """No code: the one field that is nearest to all of them. A baseline."""

    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        return _Zero(space.latent)


class _Zero(Conditioner):
    def __init__(self, latent: int) -> None:
        super().__init__()
        self.latent = latent

    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        return seen.points.new_zeros(len(seen.points), self.latent)
