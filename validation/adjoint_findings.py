"""What tests of an inversion's mathematics found: each a measurement, what it must be, and whether it is."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

SLOPE, SLACK = 2.0, 0.05
"""The power of the step at which the Taylor remainder falls when the gradient is right, and what it may miss it by."""
RATIO = 0.25
"""Each step of a Taylor test over the one before."""
FLOOR, LAST = 1e-12, 3
"""Remainders below this part of the objective are round-off; slopes, of the smallest steps above it, whose median counts."""
APART = 1e-10
"""Relative difference of the two sides of a dot test."""
UNEQUAL = 0.02
"""Relative difference of data between swapped places that the discretisation may leave."""


@dataclass(frozen=True)
class Finding(ABC):
    """A measurement and what it must be."""

    @property
    @abstractmethod
    def passed(self) -> bool:
        """Whether it is what it must be."""

    @property
    def verdict(self) -> str:
        """The same in a word."""
        return "passed" if self.passed else "FAILED"


@dataclass(frozen=True)
class TaylorTest(Finding):
    """|J(p + h δ) − J(p) − h ⟨∇J, δ⟩| by h.

    value: J(p). steps: h, descending. remainders: at each.
    """

    value: float
    steps: tuple[float, ...]
    remainders: tuple[float, ...]

    @property
    def slopes(self) -> tuple[float, ...]:
        """The power of h between neighbouring steps, as far down as remainders are more than round-off."""
        usable = [remainder for remainder in self.remainders if remainder > FLOOR * abs(self.value)]
        return tuple(math.log(b / a) / math.log(RATIO) for a, b in pairwise(usable))

    @property
    def slope(self) -> float:
        """That of small steps; not a number where there is nothing but round-off."""
        return float(np.median(self.slopes[-LAST:])) if self.slopes else math.nan

    @property
    def passed(self) -> bool:
        return abs(self.slope - SLOPE) <= SLACK

    def __str__(self) -> str:
        return (
            f"Taylor test of the gradient: the remainder falls as step^{self.slope:.4f}, expected {SLOPE:g} ± {SLACK:g} "
            f"(1 if the gradient is wrong): {self.verdict}"
        )


@dataclass(frozen=True)
class DotTest(Finding):
    """⟨J δm, v⟩ with J δm by differences of the data, and ⟨δm, Jᵀ v⟩ with Jᵀ v by the adjoint."""

    forward: float
    adjoint: float

    @property
    def relative(self) -> float:
        """Their difference over the larger."""
        return abs(self.forward - self.adjoint) / max(abs(self.forward), abs(self.adjoint))

    @property
    def passed(self) -> bool:
        return self.relative <= APART

    def __str__(self) -> str:
        return (
            f"Dot test of the adjoint: ⟨J δm, v⟩ = {self.forward:.10g} and ⟨δm, Jᵀ v⟩ = {self.adjoint:.10g} are "
            f"{self.relative:.1e} apart, expected {APART:g} at most: {self.verdict}"
        )


@dataclass(frozen=True)
class Reciprocity(Finding):
    """What is recorded when shots and receivers change places. difference: relative L2. pairs: that were compared."""

    difference: float
    pairs: int

    @property
    def passed(self) -> bool:
        return self.difference <= UNEQUAL

    def __str__(self) -> str:
        return (
            f"Reciprocity: {self.pairs} data and those of swapped places are {100 * self.difference:.2g} % apart, expected "
            f"{100 * UNEQUAL:g} % at most: {self.verdict}"
        )
