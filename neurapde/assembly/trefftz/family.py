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
from neurapde.backgrounds.waves import Background
from neurapde.conditions.base import Mixed
from neurapde.problem.problem import Problem
from neurapde.spectral.weak import Piece


class Family(ABC):
    """An equation with coefficients constant by region, in one problem: −a Δu + c u = f in each, u and a ∂u/∂n going on.

    The core cuts the domain into regions (`regions`), places rows and poles (`rims`, in three axes `space`), and solves; a
    family says which functions solve its equation. `is_complex`: whether they are, and the field.
    """

    is_complex: ClassVar[bool]

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @staticmethod
    @abstractmethod
    def obstacle(problem: Problem) -> str | None:
        """Why a problem with this equation cannot be solved so, in words that end a sentence; None where it can."""

    @cached_property
    def partition(self) -> AbstractPartition[Any]:
        """The domain, cut where the pieces end."""
        return Partition.of(self.problem.domain, self.pieces)

    @property
    @abstractmethod
    def pieces(self) -> Sequence[Piece]:
        """The parts of the domain on which the coefficients are constant: `pieces_of` the medium's field."""

    @property
    @abstractmethod
    def spots(self) -> Sequence[Spot]:
        """Places near which the field changes fast: sources."""

    @abstractmethod
    def flux(self, region: Region) -> complex:
        """a of the flux a ∂u/∂n that goes on across interfaces."""

    @abstractmethod
    def rate(self, region: Region) -> float:
        """Rad per unit length of the waves in a region; 0 where there are none."""

    @abstractmethod
    def known(self, region: Region, partition: AbstractPartition[Any]) -> tuple[tuple[Background, ...], ...]:
        """For each right-hand side, fields that together have its load in the region; none where it has no load there."""

    @abstractmethod
    def outside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        """Functions up to an order about the centre of a circle, or a sphere, that a region lies around."""

    @abstractmethod
    def inside(
        self, region: Region, center: tuple[float, ...], radius: float, order: int
    ) -> Sequence[Features]:
        """Functions up to an order about the centre of a circle, or a sphere, that a region lies within."""

    @abstractmethod
    def poles(self, region: Region, at: Sequence[tuple[float, float]]) -> Sequence[Features]:
        """Functions that are singular at places outside a region alone."""

    def condition(self, panel: AbstractPanel, region: Region) -> Mixed | None:
        """a u + b ∂u/∂n = value on a panel of the domain's boundary; None where nothing is asked for."""
        return self.problem.sides.data.get(panel.face)

    def slopes(self, points: NDArray[np.float64]) -> NDArray[Any] | float:
        """What each component of the gradient is multiplied by in the flux at points (n, 2): (n, 2), or a number."""
        return 1.0

    @property
    def floor(self) -> float:
        """Relative error that no number of features lowers."""
        return 0.0

    def notes(self) -> Sequence[str]:
        """Sentences on what was solved."""
        return ()


Kind = TypeVar("Kind", bound=Family)


@lru_cache(maxsize=4)
def family_of(kind: type[Kind], problem: Problem) -> Kind:
    """The family of a problem; what it has found of the problem is kept from the choice of a method to its run."""
    return kind(problem)
