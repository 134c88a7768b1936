"""Named constraints: what a field must satisfy, as a residual vector, and where it is sampled."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from neurapde.core import checks
from neurapde.core.arrays import Array, as_points, to_numpy
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.gradients import differentiating
from neurapde.domains.base import Domain, On
from neurapde.domains.parted import Where, named_faces, parted
from neurapde.domains.sampling import Draw, How
from neurapde.jets.layout import HIGHEST

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet


@dataclass(frozen=True, eq=False)
class Samples:
    """Points `(n, d)` at which a constraint is asked for, with outward normals `(n, d)` on a boundary.

    targets: `(n, …)`, what was measured at each point, of a constraint that fits data.
    """

    points: torch.Tensor
    normals: torch.Tensor | None = None
    targets: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.points, torch.Tensor) or self.points.ndim != 2:
            raise DeclarationError(
                f"points={checks.shown(self.points)} of Samples: give a torch tensor (n, d)"
            )
        for name in ("normals", "targets"):
            rows = getattr(self, name)
            if rows is not None and (
                not isinstance(rows, torch.Tensor) or not rows.ndim or len(rows) != len(self.points)
            ):
                raise DeclarationError(
                    f"{name}={checks.shown(rows)} of Samples: give a torch tensor with a row for each point, or None"
                )

    @property
    def outward(self) -> torch.Tensor:
        """The normals. Raises: DeclarationError where there are none, as at points of the interior."""
        if self.normals is None:
            raise DeclarationError(
                "a normal derivative needs normals, and these points have none; give face(…) as points"
            )
        return self.normals

    @property
    def measured(self) -> torch.Tensor:
        """The targets. Raises: DeclarationError where there are none."""
        if self.targets is None:
            raise DeclarationError("points without targets; give at_points(points, targets=…)")
        return self.targets


Residual: TypeAlias = "Callable[[Samples, Jet], torch.Tensor]"


Sampler: TypeAlias = Callable[..., Samples]
"""Draws the points of a constraint; arguments as for `Domain.sample`."""


@dataclass(frozen=True)
class Constraint(Declaration):
    """`residual(samples, u) = 0`, for u a Jet of the field at the samples.

    Args:
        name: of the constraint in losses, weights, history and reports; unique in a problem.
        residual: (Samples, Jet) -> `(n,)` or `(n, c)`, real or complex.
        sample: draws its points: `interior(domain)`, `face(domain, on)`, `at_points(points)`, or your own.
        order: highest derivative that the residual uses, 0 to 4.
        text: the constraint as mathematics, for `print(problem)`.
        mixed: axes of further derivatives that it reads, (0, 1) for u.d2(0, 1); those read when it is tried are
        added.
    """

    name: str
    residual: Callable[..., Any]
    sample: Sampler
    order: int = 0
    text: str = ""
    mixed: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        checks.name(self.name, "name of the constraint")
        if "/" in self.name or not self.name.strip("."):
            raise DeclarationError(
                f"name of the constraint is {self.name!r}, which a file cannot store as a path; use a name without '/' "
                "that is not only dots"
            )
        for function, what in (
            (self.residual, "residual(samples, u)"),
            (self.sample, "sample(count, …), such as npde.interior(domain)"),
        ):
            if not callable(function) or isinstance(function, type):
                raise DeclarationError(
                    f"constraint {self.name!r} was given {function!r}; give a function {what}"
                )
        check_order(self.order, f"constraint {self.name!r}")
        checks.text(self.text, f"text of the constraint {self.name!r}")
        pairs = checked_pairs(self.mixed, self.order, f"constraint {self.name!r}")
        object.__setattr__(self, "mixed", pairs)

    def sample_like(self, anchor: torch.Tensor, count: int, generator: torch.Generator, how: How) -> Samples:
        """Samples on the device of a tensor and in its precision."""
        dtype = anchor.dtype.to_real()
        return self.sample(count, how=how, generator=generator, dtype=dtype, device=anchor.device)


@dataclass(frozen=True)
class InTime:
    """A residual in space–time: its jet knows that the last axis is time."""

    residual: Callable[..., Any]

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        residual: torch.Tensor = self.residual(samples, u.in_time())
        return residual


def check_order(order: Any, what: str) -> None:
    """Refuse an order of derivatives that jets do not carry."""
    if isinstance(order, bool) or not isinstance(order, int) or order not in range(HIGHEST + 1):
        raise DeclarationError(
            f"{what} has order {checks.shown(order)}; give 0 to {HIGHEST}, the highest derivative that it uses"
        )


def checked_pairs(mixed: Any, order: int, what: str) -> tuple[tuple[int, ...], ...]:
    """Axes of mixed second, of third and of fourth derivatives that are read. Raises: DeclarationError for anything else."""
    given = mixed if isinstance(mixed, list | tuple) else (mixed,)
    pairs = tuple(tuple(pair) if isinstance(pair, list | tuple) else (pair,) for pair in given)
    whole = all(isinstance(axis, int) and not isinstance(axis, bool) for pair in pairs for axis in pair)
    if not whole or any(not 2 <= len(pair) <= HIGHEST or pair in [(i, i) for i in pair] for pair in pairs):
        raise DeclarationError(
            f"mixed={checks.shown(mixed)} of the {what}; give pairs of two different axes, such as [(0, 1)]"
        )
    if (most := max(map(len, pairs), default=0)) > order:
        kind = "mixed second derivatives" if most == 2 else f"derivatives of order {most}"
        raise DeclarationError(f"the {what} uses {kind} but has order {order}; give order={most}")
    return pairs


def with_further(
    given: tuple[tuple[int, ...], ...], read: tuple[tuple[int, ...], ...]
) -> tuple[tuple[int, ...], ...]:
    """Axes of derivatives that are given, and those read that are not among them."""
    known = {tuple(sorted(axes)) for axes in given}
    return (*given, *(axes for axes in read if axes not in known))


def check_axes(pairs: tuple[tuple[int, ...], ...], dimension: int, what: str) -> None:
    """Refuse pairs of axes that a domain does not have."""
    if any(not 0 <= axis < dimension for pair in pairs for axis in pair):
        raise DeclarationError(
            f"mixed={pairs} of the {what}, but the domain has the axes 0 to {dimension - 1}; use these"
        )


class DrawnSampler(ABC):
    """A sampler that is called as `Domain.sample` is."""

    @abstractmethod
    def draw(self, wanted: Draw) -> Samples:
        """The points wanted."""

    def __call__(
        self,
        count: int,
        *,
        how: How = "uniform",
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> Samples:
        return self.draw(Draw(count, how, generator, dtype, device))


@dataclass(frozen=True)
class Interior(DrawnSampler):
    """Draws from the inside of a domain."""

    domain: Domain

    def draw(self, wanted: Draw) -> Samples:
        return Samples(self.domain.draw(wanted))


@dataclass(frozen=True)
class Face(DrawnSampler):
    """Draws from faces of a domain, with normals."""

    domain: Domain
    on: tuple[str, ...]

    def draw(self, wanted: Draw) -> Samples:
        sample = self.domain.draw_boundary(wanted, self.on)
        return Samples(sample.points, sample.normals)


@dataclass(frozen=True, eq=False)
class AtPoints(Samples, DrawnSampler):
    """Gives fixed points: all of them, or a random choice where fewer are asked for."""

    def draw(self, wanted: Draw) -> Samples:
        chosen = wanted.choice(len(self.points))
        normals, targets = (
            None if rows is None else wanted.placed(rows[chosen]) for rows in (self.normals, self.targets)
        )
        return Samples(wanted.placed(self.points[chosen]), normals, targets)


def interior(domain: Domain) -> Interior:
    """A sampler of the inside of a domain."""
    return Interior(_checked(domain))


def face(domain: Domain, on: On | Where = None) -> Face:
    """A sampler of faces of a domain (None: all), or of the part of its boundary in a `Where`, with normals."""
    if isinstance(on, Where):
        whole, (part,) = parted(_checked(domain), [on])
        return Face(whole, named_faces(whole, part) or ())
    return Face(domain, _checked(domain).check_faces(on, "the sampler"))


@differentiating()
def _checked(domain: Any) -> Domain:
    if not isinstance(domain, Domain):
        raise DeclarationError(
            f"domain is {checks.shown(domain)}; give a Box, Disk or another domain to sample"
        )
    return domain


def at_points(points: Array, normals: Array | None = None, targets: Array | None = None) -> AtPoints:
    """A sampler of given points `(n, d)`, with normals `(n, d)` and measured targets `(n, …)` if given."""
    shape = checks.array(points, "points of at_points(…)").shape
    if len(shape) != 2 or 0 in shape:
        raise DeclarationError(f"points have the shape {shape}; give an array (n, d) with at least one row")
    fixed = torch.tensor(to_numpy(as_points(points, shape[1])), dtype=torch.float64)
    if normals is not None:
        directions = checks.reals(normals, "normals of at_points(…)")
        if directions.shape != shape:
            raise DeclarationError(
                f"normals have the shape {directions.shape}, but the points {shape}; give one for each point"
            )
        normals = torch.tensor(directions)
    if targets is not None:
        targets = torch.tensor(checks.reals(targets, "targets of at_points(…)"))
        if targets.ndim == 0 or len(targets) != shape[0]:
            raise DeclarationError(
                f"targets have the shape {tuple(targets.shape)} for {shape[0]} points; give one value, vector "
                "or matrix for each point"
            )
    return AtPoints(fixed, normals, targets)
