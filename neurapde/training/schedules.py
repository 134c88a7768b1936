"""Learning-rate schedules: small frozen objects with the factor of a method's learning rate at each step."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from neurapde.core import checks


class Schedule(ABC):
    """The factor of the learning rate."""

    @property
    @abstractmethod
    def follows_total(self) -> bool:
        """Whether `factor` depends on the total number of steps, so that a run cannot be lengthened."""

    @abstractmethod
    def factor(self, step: int, steps: int) -> float:
        """The multiplier of step `step` (from 0) of `steps`; 1 keeps the learning rate."""


@dataclass(frozen=True)
class ConstantRate(Schedule):
    """The same learning rate throughout, as in the SIREN paper."""

    @property
    def follows_total(self) -> bool:
        return False

    def factor(self, step: int, steps: int) -> float:
        return 1.0


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from 1 at the first step to `final` after the last.

    Source: Loshchilov, Hutter (2017), SGDR, eq. (5), one cycle.
    """

    final: float = 0.0

    def __post_init__(self) -> None:
        checks.number(
            self.final, "Cosine final", lambda x: 0 <= x <= 1, "it must lie in 0 … 1, for example 0.01"
        )

    @property
    def follows_total(self) -> bool:
        return True

    def factor(self, step: int, steps: int) -> float:
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * step / steps)) / 2


@dataclass(frozen=True)
class Exponential(Schedule):
    """Times `rate` every `every` steps, smoothly: rate^(step / every)."""

    rate: float = 0.5
    every: int = 10_000

    def __post_init__(self) -> None:
        way = "it must lie in 0 … 1, for example 0.5 to halve"
        checks.number(self.rate, "Exponential rate", lambda x: 0 < x <= 1, way)
        checks.whole(self.every, "Exponential every", 1, " step")

    @property
    def follows_total(self) -> bool:
        return False

    def factor(self, step: int, steps: int) -> float:
        return float(self.rate ** (step / self.every))
