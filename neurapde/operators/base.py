"""The interface of operators that use a field at many points, and their values for a residual.

A constraint whose residual uses operators draws the quadrature nodes of each of its points, too. Its jet covers all of
them, so that the solver of a field need not know about operators. The residual gets the part at its own points.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neurapde.conditions.constraints import DrawnSampler, Samples
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.sampling import Draw
from neurapde.jets.jet import Jet

MODES_A_POINT, SPARE, MOST = 2.5, 10, 256
"""Points for each function of an axis, further nodes of a rule beyond one for each of these, and the largest number."""
CLUSTERED = 4
"""Power of the position of every other point, so that these cluster where a field starts like a root."""

_asked: ContextVar[dict["Operator", None] | None] = ContextVar("asked", default=None)


@contextmanager
def reading_operators() -> Iterator[dict["Operator", None]]:
    """Collect the operators that are applied to jets without surroundings; there they give zero."""
    operators: dict[Operator, None] = {}
    token = _asked.set(operators)
    try:
        yield operators
    finally:
        _asked.reset(token)


@dataclass(frozen=True, eq=False)
class Rule:
    """Nodes `(m, n, d)` of n points, and their weights `(m, n)`; own: weight of the value at the point itself, `(n,)`."""

    nodes: Tensor
    weights: Tensor
    own: Tensor | None = None

    def of(self, points: slice) -> "Rule":
        """The rule of some of the points."""
        own = None if self.own is None else self.own[points]
        return Rule(self.nodes[:, points], self.weights[:, points], own)


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The data of an operator: its points `(n, d)`, its nodes `(m · n, d)` in turn for all points, their weights and jet."""

    points: Tensor
    nodes: Tensor
    weights: Tensor
    jet: Jet
    own: Tensor | None = None

    def component(self, index: int) -> "Surroundings":
        """The same of one component."""
        return Surroundings(self.points, self.nodes, self.weights, self.jet[index], self.own)

    def summed(self, values: Tensor) -> Tensor:
        """Values `(m · n,)` or `(m · n, c)` at the nodes, times weights `(m, n)`: `(n,)` or `(n, c)`."""
        each = values.reshape(*self.weights.shape, *values.shape[1:])
        weights = self.weights.reshape(*self.weights.shape, *[1] * (values.ndim - 1))
        return (weights * each).sum(0)


@dataclass(frozen=True, eq=False)
class SurroundedJet(Jet):
    """A jet at points with known surroundings."""

    around: Mapping["Operator", Surroundings]

    def __getitem__(self, component: int) -> "SurroundedJet":
        channels = super().__getitem__(component).channels
        around = {operator: known.component(component) for operator, known in self.around.items()}
        return SurroundedJet(channels, self.layout, around)


class Operator(Declaration, ABC):
    """An operator on the field of an Equation; its residual applies it to u, or to a component: `operator(u)`.

    Make it once, outside the residual. `solve` finds out that the residual uses it.
    """

    @property
    def order(self) -> int:
        """The highest derivative of u that it needs."""
        return 0

    def __call__(self, u: Jet) -> Tensor:
        """Its values `(n,)`, or `(n, c)` for c components."""
        if isinstance(u, SurroundedJet) and self in u.around:
            return self.apply(u, u.around[self])
        asked = _asked.get()
        if asked is None or not isinstance(u, Jet):
            raise DeclarationError(
                f"{self.describe()} was applied to {type(u).__name__} values that are known at points alone; apply it to u, "
                "or to a component u[0], in the residual of an Equation, and make it once, outside of the residual"
            )
        asked[self] = None
        return torch.zeros_like(u.value)

    @abstractmethod
    def check(self, domain: Domain) -> None:
        """Refuse a domain that it does not support."""

    @abstractmethod
    def rule(self, points: Tensor, domain: Domain, count: int) -> Rule:
        """Nodes of each point (n, d), for functions of so many modes along an axis."""

    @abstractmethod
    def apply(self, u: Jet, around: Surroundings) -> Tensor:
        """Its values at the points of u."""

    @abstractmethod
    def describe(self) -> str:
        """The operator as a line of mathematics."""

    def starts(self, domain: Domain) -> tuple[int, tuple[float, ...]]:
        """An axis, and the non-integer powers of the distance from its start that solutions have for smooth data."""
        return 0, ()

    def edge(self) -> float:
        """The non-integer power of the distance to the boundary that solutions have for smooth data; 0 for none."""
        return 0.0


@dataclass(frozen=True, eq=False)
class Surrounded(Samples):
    """Points, and after them the nodes of operators' rules: those of an operator in turn for all points."""

    count: int = 0
    rules: tuple[Rule, ...] = ()

    def split(self, size: int) -> Iterator["Surrounded"]:
        """The same in parts of so many points."""
        for start in range(0, self.count, size):
            part = slice(start, start + size)
            rules = tuple(rule.of(part) for rule in self.rules)
            yield surrounded(self.points[: self.count][part], rules)


def surrounded(points: Tensor, rules: tuple[Rule, ...]) -> Surrounded:
    """Points with the nodes of rules."""
    every = torch.cat([points, *(rule.nodes.flatten(0, 1) for rule in rules)])
    return Surrounded(every, None, None, len(points), rules)


@dataclass(frozen=True)
class AroundPoints(DrawnSampler):
    """Draws points inside a domain with the nodes that operators need."""

    domain: Domain
    operators: tuple[Operator, ...]

    def nodes(self, count: int) -> int:
        """The number of nodes of each of so many points."""
        modes = (count / MODES_A_POINT) ** (1 / self.domain.dimension)
        one = self.domain.sample(1, how="grid")
        rules = [
            operator.rule(one, self.domain, min(MOST, SPARE + round(modes))) for operator in self.operators
        ]
        return sum(len(rule.weights) for rule in rules)

    def draw(self, wanted: Draw) -> Surrounded:
        """So many points with their nodes, whose number grows with the points."""
        points = self.domain.draw(wanted)
        for axis, powers in (operator.starts(self.domain) for operator in self.operators):
            if powers:
                low, high = (float(end[axis]) for end in self.domain.bounds)
                part = (points[::2, axis] - low) / (high - low)
                points[::2, axis] = low + (high - low) * part**CLUSTERED
        modes = (wanted.count / MODES_A_POINT) ** (1 / self.domain.dimension)
        count = min(MOST, SPARE + round(modes))
        rules = tuple(operator.rule(points, self.domain, count) for operator in self.operators)
        return surrounded(points, rules)


@dataclass(frozen=True)
class AtNodes:
    """A residual at points, with the values of operators there."""

    residual: Callable[..., Any]
    operators: tuple[Operator, ...]

    def __call__(self, samples: Surrounded, u: Jet) -> Tensor:
        points = samples.points[: samples.count]
        around, start = {}, samples.count
        for operator, rule in zip(self.operators, samples.rules, strict=True):
            part = slice(start, start + rule.weights.numel())
            jet = Jet(u.channels[:, part], u.layout)
            around[operator] = Surroundings(points, samples.points[part], rule.weights, jet, rule.own)
            start = part.stop
        here = SurroundedJet(u.channels[:, : samples.count], u.layout, around)
        values: Tensor = self.residual(Samples(points), here)
        return values
