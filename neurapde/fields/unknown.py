"""What a problem does not know and its data tell: numbers, and functions of some of the axes, within bounds.

An unknown stands in residuals, conditions, sources and coefficients as the number or field that it is. What it is taken for
is its start, or within `taken_for` what is given there; within `reading` it is told who was asked.
"""

import math
import operator
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from neurapde.core import checks
from neurapde.core.arrays import Array, Standin, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.domains.base import Domain
from neurapde.fields.medium import Field

DEGREE = 3
DIFFERENCES = (1, -4, 6, -4, 1)
NODES = {1: 12, 2: 8, 3: 6}
"""Splines along each axis of an unknown field, by the number of its axes."""

AT_BOUND = 1e-3
"""Distance from a bound, in units of that between both, that is none."""

Bounds = tuple[float | None, float | None]
_present: ContextVar[Mapping[str, Tensor] | None] = ContextVar("present", default=None)
_asked: ContextVar[dict[str, "Unknown"] | None] = ContextVar("asked", default=None)


@contextmanager
def taken_for(coordinates: Mapping[str, Tensor]) -> Iterator[None]:
    """Let unknowns be these, by name: `(size,)` each, without bounds."""
    token = _present.set(coordinates)
    try:
        yield
    finally:
        _present.reset(token)


@contextmanager
def reading() -> Iterator[dict[str, "Unknown"]]:
    """Gather the unknowns that are asked for, by name."""
    unknowns: dict[str, Unknown] = {}
    token = _asked.set(unknowns)
    try:
        yield unknowns
    finally:
        _asked.reset(token)


class NamedTwiceError(DeclarationError):
    """Two unknowns of one problem have the same name."""


class Unknown(Field):
    """What is to be found: `size` coordinates without bounds, that `within` brings into them."""

    name: str
    start: float
    bounds: Bounds | None

    def _check(self) -> None:
        checks.name(self.name, "name of the unknown")
        checks.number(self.start, f"start of {self.name!r}", math.isfinite, "give a finite number")
        pair = (None, None) if self.bounds is None else self.bounds
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise DeclarationError(
                f"bounds={checks.shown(pair)} of {self.name!r}: give a pair, such as (0, None), or None"
            )
        for end in pair:
            if end is not None:
                checks.number(end, f"bounds of {self.name!r}", math.isfinite, "give finite numbers, or None")
        lower, upper = (None if end is None else float(end) for end in pair)
        inside = (lower is None or lower < self.start) and (upper is None or self.start < upper)
        if not inside:
            raise DeclarationError(
                f"start={number(self.start)} of {self.name!r} is not between its bounds {tuple(pair)}; give a start "
                "between them"
            )
        object.__setattr__(self, "bounds", None if lower is upper is None else (lower, upper))

    @property
    def size(self) -> int:
        """How many numbers are to be found."""
        return 1

    def begin(self) -> Tensor:
        """The coordinates `(size,)` of the start."""
        lower, upper = self.bounds or (None, None)
        start = float(self.start)
        if lower is not None and upper is not None:
            start = float(np.log((start - lower) / (upper - start)))
        elif lower is not None:
            start = float(np.log(start - lower))
        elif upper is not None:
            start = float(np.log(upper - start))
        return torch.full((self.size,), start, dtype=torch.float64)

    def within(self, free: Tensor) -> Tensor:
        """Values of a coordinate, between the bounds."""
        lower, upper = self.bounds or (None, None)
        if lower is not None and upper is not None:
            return lower + (upper - lower) * torch.sigmoid(free)
        if lower is not None:
            return lower + torch.exp(free)
        return free if upper is None else upper - torch.exp(free)

    def slope(self, free: Tensor) -> Tensor:
        """The derivative of `within`."""
        lower, upper = self.bounds or (None, None)
        if lower is not None and upper is not None:
            fraction = torch.sigmoid(free)
            return (upper - lower) * fraction * (1 - fraction)
        if lower is not None:
            return torch.exp(free)
        return torch.ones_like(free) if upper is None else -torch.exp(free)

    def at_bound(self, free: Tensor) -> Tensor:
        """Which coordinates lie as good as at a bound, (size,)."""
        lower, upper = self.bounds or (None, None)
        if lower is not None and upper is not None:
            return self.slope(free) < AT_BOUND * (upper - lower)
        least = AT_BOUND**3 * self.slope(self.begin()).abs()
        return self.slope(free).abs() < least if self.bounds else torch.zeros_like(free, dtype=torch.bool)

    @property
    def present(self) -> Tensor:
        """The coordinates that it is taken for."""
        asked = _asked.get()
        if asked is not None:
            if asked.setdefault(self.name, self) != self:
                raise NamedTwiceError(
                    f"two unknowns are named {self.name!r}; give one of them another name, or use one object for both"
                )
        coordinates = (_present.get() or {}).get(self.name)
        return self.begin() if coordinates is None else coordinates

    @abstractmethod
    def prior_rows(self, free: Tensor) -> tuple[Tensor, Tensor]:
        """What is believed beforehand: rows (m, size) on a change of coordinates, and what they are to give (m,)."""

    def roughness(self) -> Tensor | None:
        """The square (size, size) that is small for a smooth field; None for a number."""
        return None

    def describe(self) -> str:
        ends = "" if self.bounds is None else f" within {self.bounds}"
        return f"{self.name}, unknown{ends}"


def _either(operation: Callable[[Any, Any], Any], reflected: bool = False) -> Callable[..., Any]:
    def result(self: "Parameter", other: Any) -> Any:
        if isinstance(other, Standin):
            other = other.value
        mine = float(self.value.detach()) if isinstance(other, np.ndarray | np.generic) else self.value
        return operation(other, mine) if reflected else operation(mine, other)

    return result


@dataclass(frozen=True)
class Parameter(Unknown, Standin):
    """An unknown number in residuals, conditions, sources or coefficients, which the data determine.

        c = npde.Parameter("c", start=1.0, bounds=(0, None))
        equation = npde.Equation(lambda x, u: u.dt - c * u.d2(0))
        data = npde.measured("sensors", points, values, noise=0.01)
        solution = npde.solve(npde.Problem(…, equation=equation, constraints=data))
        solution.unknowns["c"].value, solution.unknowns["c"].standard_error

    Args:
        name: by which it is found.
        start: where its search begins, within the bounds.
        bounds: (lower, upper), either of them None for none.
        prior: (mean, standard deviation) of what is believed beforehand; None for nothing.
    """

    name: str
    start: float
    bounds: Bounds | None = None
    prior: tuple[float, float] | None = None

    __array_ufunc__ = None  # arrays on the left defer to the operators below

    def __post_init__(self) -> None:
        self._check()
        if self.prior is None:
            return
        if not isinstance(self.prior, list | tuple) or len(self.prior) != 2:
            raise DeclarationError(
                f"prior={checks.shown(self.prior)} of {self.name!r}: give its mean and standard deviation, or None"
            )
        checks.number(self.prior[0], f"prior of {self.name!r}", math.isfinite, "give a finite mean")
        checks.number(self.prior[1], f"prior of {self.name!r}", lambda x: x > 0, "give a positive deviation")
        object.__setattr__(self, "prior", tuple(map(float, self.prior)))

    @property
    def value(self) -> Tensor:
        """The number, as a tensor without axes."""
        return self.within(self.present)[0]

    def __call__(self, points: Array) -> Array:
        if isinstance(points, torch.Tensor):
            return self.value.to(points).expand(len(points))
        return np.full(len(points), float(self.value.detach()))

    def prior_rows(self, free: Tensor) -> tuple[Tensor, Tensor]:
        if self.prior is None:
            return torch.zeros((0, 1), dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
        mean, deviation = self.prior
        return (self.slope(free) / deviation)[None], (mean - self.within(free)) / deviation

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
        plain = tree_map(
            lambda argument: argument.value if isinstance(argument, Parameter) else argument,
            (arguments, keywords or {}),
        )
        return function(*plain[0], **plain[1])

    def __neg__(self) -> Tensor:
        return -self.value

    __add__, __radd__ = _either(operator.add), _either(operator.add, True)
    __sub__, __rsub__ = _either(operator.sub), _either(operator.sub, True)
    __mul__, __rmul__ = _either(operator.mul), _either(operator.mul, True)
    __truediv__, __rtruediv__ = _either(operator.truediv), _either(operator.truediv, True)
    __pow__, __rpow__ = _either(operator.pow), _either(operator.pow, True)


def _cubic(place: Tensor) -> Tensor:
    """The cubic spline on the knots 0 to 4, at places from its first knot."""
    s = place.clamp(0, DEGREE + 1)
    return sum(sign * (s - k).clamp(min=0) ** 3 for k, sign in enumerate(DIFFERENCES)) / 6  # type: ignore[return-value]


def _cubic_slope(place: Tensor) -> Tensor:
    """Its derivative."""
    s = place.clamp(0, DEGREE + 1)
    return sum(sign * (s - k).clamp(min=0) ** 2 for k, sign in enumerate(DIFFERENCES)) / 2  # type: ignore[return-value]


@dataclass(frozen=True)
class UnknownField(Unknown):
    """An unknown function of some of the axes: cubic splines, whose smoothness the data determine.

        k = npde.UnknownField("k", domain, axes=(0,), start=1.0, bounds=(0.01, None))
        npde.Equation(lambda x, u: u.dt - k(x) * u.d2(0) - k.gradient(x)[:, 0] * u.d(0))

    Args:
        name: by which it is found.
        domain: in whose bounding box it is asked for.
        axes: that it depends on; None for all.
        start: its value everywhere where the search begins, within the bounds.
        bounds: (lower, upper) of its values, either of them None for none.
        nodes: splines along each of these axes, at least 4; None for a number by the number of axes.
    Source: Eilers, Marx (1996), Statistical Science 11(2), 89-121, for splines with a penalty on their second differences.
    """

    name: str
    domain: Domain
    axes: tuple[int, ...] | None = None
    start: float = 0.0
    bounds: Bounds | None = None
    nodes: int | None = None

    def __post_init__(self) -> None:
        self._check()
        if not isinstance(self.domain, Domain):
            raise DeclarationError(
                f"domain={checks.shown(self.domain)} of the unknown {self.name!r}: give the domain on which it is "
                "unknown"
            )
        count = self.domain.dimension
        given = range(count) if self.axes is None else self.axes
        if (
            not isinstance(given, list | tuple | range)
            or not given
            or any(
                isinstance(axis, bool) or not isinstance(axis, int) or not 0 <= axis < count for axis in given
            )
            or len(set(given)) != len(given)
        ):
            raise DeclarationError(
                f"axes={checks.shown(self.axes)} of the unknown {self.name!r}: give different axes from 0 to "
                f"{count - 1}"
            )
        if len(given) > len(NODES):
            raise DeclarationError(
                f"the unknown {self.name!r} depends on {len(given)} axes, but splines take up to {len(NODES)}; choose "
                "them with axes=…"
            )
        object.__setattr__(self, "axes", tuple(given))
        nodes = NODES[len(given)] if self.nodes is None else self.nodes
        object.__setattr__(self, "nodes", nodes)
        checks.whole(nodes, f"nodes of {self.name!r}", DEGREE + 1)

    @property
    def size(self) -> int:
        return int(self._nodes ** len(self._axes))

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(self.domain.dimension)) if self.axes is None else self.axes

    @property
    def _nodes(self) -> int:
        return NODES[len(self._axes)] if self.nodes is None else self.nodes

    def __call__(self, points: Array) -> Array:
        """The values `(n,)` at points `(n, d)`."""
        values = self.within(self.splines(points) @ self.present)
        return values.to(points) if isinstance(points, torch.Tensor) else to_numpy(values)

    def gradient(self, points: Array) -> Array:
        """Its derivatives `(n, d)` along all axes: zero along those that it does not depend on."""
        free, present = self.splines(points) @ self.present, self.present
        slope = self.slope(free)
        columns = [torch.zeros_like(free) for _ in range(np.shape(points)[1])]
        for axis in self._axes:
            columns[axis] = slope * (self.splines(points, axis) @ present)
        slopes = torch.stack(columns, dim=1)
        return slopes.to(points) if isinstance(points, torch.Tensor) else to_numpy(slopes)

    def splines(self, points: Array, along: int | None = None) -> Tensor:
        """The splines `(n, size)` at points, or their derivatives along an axis."""
        x = torch.as_tensor(points).double()
        lower, upper = self.domain.bounds
        whole = torch.ones((len(x), 1), dtype=torch.float64)
        for axis in self._axes:
            low, high = float(lower[axis]), float(upper[axis])
            step = (high - low) / (self._nodes - DEGREE)
            place = (x[:, axis].clamp(low, high) - low) / step
            begins = place[:, None] + DEGREE - torch.arange(self._nodes, dtype=torch.float64)
            values = _cubic(begins) if axis != along else _cubic_slope(begins) / step
            whole = (whole[:, :, None] * values[:, None, :]).reshape(len(x), -1)
        return whole

    def prior_rows(self, free: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros((0, self.size), dtype=torch.float64), torch.zeros(0, dtype=torch.float64)

    def roughness(self) -> Tensor:
        """Second differences along each axis, and a little of the size, so that nothing is left open."""
        second = torch.as_tensor(np.diff(np.eye(self._nodes), n=2, axis=0))
        square, plain = second.T @ second, torch.eye(self._nodes, dtype=torch.float64)
        whole = 1e-7 * torch.eye(self.size, dtype=torch.float64)
        for axis in range(len(self._axes)):
            product = torch.ones((1, 1), dtype=torch.float64)
            for other in range(len(self._axes)):
                product = torch.kron(product, square if other == axis else plain)
            whole = whole + product
        return whole
