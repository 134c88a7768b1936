"""What an equation says of itself to be solved by features that solve it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.near import Spot
from neurapde.assembly.trefftz.regions import AbstractPanel, AbstractPartition, Partition, Region
from neurapde.assembly.trefftz.seams import joined
from neurapde.backgrounds.waves import Background
from neurapde.conditions.base import Mixed
from neurapde.problem.problem import Problem
from neurapde.spectral.weak import Piece


class Family(ABC):
    """An equation with coefficients constant by region, in one problem: −a Δu + c u = f in each, u and a ∂u/∂n going on.

    The core cuts the domain into regions (`regions`), places rows and poles (`rims`, in three axes `space`), and
    solves; a family gives the functions that solve its equation. `is_complex`: whether they and the field are complex.
    """

    is_complex: ClassVar[bool]

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @staticmethod
    @abstractmethod
    def obstacle(problem: Problem) -> str | None:
        """Why this method cannot solve a problem with this equation, as the end of a sentence, or None."""

    @cached_property
    def partition(self) -> AbstractPartition[Any]:
        """The domain, cut where the pieces end."""
        return joined(Partition.of(self.problem.domain, self.pieces), self.problem.sides)

    @property
    @abstractmethod
    def pieces(self) -> Sequence[Piece]:
        """The parts of the domain on which the coefficients are constant: `pieces_of` the medium's field."""

    @property
    @abstractmethod
    def spots(self) -> Sequence[Spot]:
        """Places where the field changes fast: sources."""

    @abstractmethod
    def flux(self, region: Region) -> complex:
        """a of the flux a ∂u/∂n that is continuous across interfaces."""

    @abstractmethod
    def rate(self, region: Region) -> float:
        """The wavenumber in a region, rad per unit length; 0 without waves."""

    @abstractmethod
    def known(self, region: Region, partition: AbstractPartition[Any]) -> tuple[tuple[Background, ...], ...]:
        """For each right-hand side, fields that together have its load in the region; none without a load there."""

    @abstractmethod
    def outside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        """Functions up to an order about the centre of a circle, or a sphere, for a region around it."""

    @abstractmethod
    def inside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        """Functions up to an order about the centre of a circle, or a sphere, for a region inside it."""

    @abstractmethod
    def poles(self, region: Region, at: Sequence[tuple[float, float]]) -> Sequence[Features]:
        """Functions that are singular only at places outside a region."""

    def condition(self, panel: AbstractPanel, region: Region) -> Mixed | None:
        """a u + b ∂u/∂n = value on a panel of the domain's boundary; None without a condition."""
        return self.problem.sides.data.get(panel.face)

    def asks(self, panel: AbstractPanel, region: Region) -> bool:
        """Whether something is asked for on a panel of the domain's boundary."""
        return panel.shift is not None or self.condition(panel, region) is not None

    def slopes(self, points: NDArray[np.float64]) -> NDArray[Any] | float:
        """The factor of each component of the gradient in the flux at points (n, 2): (n, 2), or a number."""
        return 1.0

    @property
    def floor(self) -> float:
        """Relative error that more features cannot lower."""
        return 0.0

    def notes(self) -> Sequence[str]:
        """Sentences on the solution."""
        return ()


Kind = TypeVar("Kind", bound=Family)


@lru_cache(maxsize=4)
def family_of(kind: type[Kind], problem: Problem) -> Kind:
    """The family of a problem; its data are cached between the choice of a method and its run."""
    return kind(problem)
