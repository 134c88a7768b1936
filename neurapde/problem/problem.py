"""The problem: domain, equation, sources and conditions as one frozen object, checked when it is made."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from neurapde.backgrounds.by_component import ByComponent
from neurapde.backgrounds.held import lift_of
from neurapde.backgrounds.lift import Lift
from neurapde.conditions import PML, Boundary, Sides
from neurapde.conditions.constraints import Constraint, InTime, check_axes
from neurapde.conditions.residuals import CheckedResidual
from neurapde.conditions.stretch import Stretch
from neurapde.core import checks, pictures
from neurapde.core.arrays import Array
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.gradients import differentiating
from neurapde.domains.base import Domain
from neurapde.domains.box import Interval
from neurapde.domains.parted import parted
from neurapde.domains.spacetime import SpaceTime, Time
from neurapde.fields.sources import Shots, Source, as_sources
from neurapde.fields.unknown import Unknown
from neurapde.jets.layout import Layout
from neurapde.problem.checks import (
    check_exact,
    check_residuals,
    check_sources,
    check_values,
    read_unknowns,
    with_derivatives,
)
from neurapde.problem.equation import AbstractEquation
from neurapde.problem.picture import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, init=False)
class Problem(Declaration):
    """Find u on the domain with the equation, the conditions at the boundary and any extra constraints.

    Args:
        name: for files and reports.
        domain: where u lives. Always needed. Time(0, 1) alone is the Interval of these times.
        equation: Helmholtz(…), or Equation(residual). Always needed.
        sources: one, a list (which radiate together), or Shots (each a right-hand side of its own).
        boundary: one condition or a list.
        constraints: further named constraints.
        exact: the solution, if known: points `(n, d)` -> `(n,)`, or `(n, shots)`.
        extra: the further constraints where `constraints` is None: what `dataclasses.replace` passes on.

    `problem.constraints` lists every named constraint: the equation's, the boundary's and the extra ones;
    `problem.trained` leaves out those that are built into the trial function, `Dirichlet(…, hard=True)`.
    `dataclasses.replace(problem, sources=…)` is the problem with another argument, here the sources.
    Raises: DeclarationError for everything that can be wrong before there is a network or a grid.
    """

    name: str
    domain: Domain
    equation: AbstractEquation
    sources: tuple[Source, ...] | Shots
    boundary: tuple[Boundary, ...]
    extra: tuple[Constraint, ...]
    exact: Callable[[Array], Array] | None

    @differentiating()
    def __init__(
        self,
        name: str = "problem",
        domain: Domain | Time | None = None,
        equation: AbstractEquation | None = None,
        sources: Any = (),
        boundary: Boundary | Sequence[Boundary] = (),
        constraints: Constraint | Sequence[Constraint] | None = None,
        exact: Callable[[Array], Array] | None = None,
        *,
        extra: Sequence[Constraint] = (),
    ) -> None:
        checks.name(name, "name of the problem")
        if isinstance(domain, Time):
            domain = Interval(domain.start, domain.stop)
        if not isinstance(domain, Domain):
            raise DeclarationError(
                f"domain is {domain!r}; give a Box, Disk, Ball, Polygon or a combination of these"
            )
        if not isinstance(equation, AbstractEquation):
            raise DeclarationError(
                f"equation is {equation!r}; give Helmholtz(wavenumber, speed) or Equation(residual)"
            )
        if exact is not None and not callable(exact):
            raise DeclarationError(f"exact is {exact!r}; give a function of points (n, d), or None")
        domain, named = _parted(
            domain, _tuple(boundary, Boundary, "boundary", "Dirichlet, Neumann, Robin, Periodic or PML")
        )
        conditions = [condition.on_domain(domain) for condition in named]
        if _in_time(domain, conditions) and equation.second_in_time(domain):
            conditions = [condition.second_in_time() for condition in conditions]
        further, given_as = (extra, "extra") if constraints is None else (constraints, "constraints")
        extra = _tuple(further, Constraint, given_as, "npde.Constraint(name, residual, sample)")
        given: Mapping[str, object] = {
            "name": name,
            "domain": domain,
            "equation": equation.on(domain),
            "sources": _sources(sources, domain),
            "boundary": tuple(conditions),
            "extra": tuple(with_derivatives(constraint, domain, equation) for constraint in extra),
            "exact": exact,
        }
        for field, value in given.items():
            object.__setattr__(self, field, value)
        self._check()

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            fields["name"],
            fields["domain"],
            fields["equation"],
            fields["sources"],
            fields["boundary"],
            exact=fields["exact"],
            extra=fields["extra"],
        )

    def _check(self) -> None:
        self.sides.check_layers()
        if self.sides.topography is not None and not self.equation.under_topography:
            raise DeclarationError(
                f"a Topography is a surface over waves, but the equation is {type(self.equation).__name__}; declare "
                "Helmholtz, or another boundary"
            )
        if len(self.right_hand_sides) > 1 and self.equation.outputs > 1:
            raise DeclarationError(
                f"{len(self.right_hand_sides)} shots of a field with {self.equation.outputs} components; "
                "declare a problem for each shot"
            )
        for condition in self.boundary:
            if condition.component is not None:
                self._check_component(condition.component, condition.describe(self.domain))
        self.equation.check(self)
        names = [constraint.name for constraint in self.constraints]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DeclarationError(
                f"two constraints are named {twice[0]!r}, but weights and reports identify constraints by name; give "
                "one of them another name=…"
            )
        for constraint in self.extra:
            check_axes(constraint.mixed, self.domain.dimension, f"constraint {constraint.name!r}")
        self._check_hard()
        self.sides.check_contradictions(one_each=self.equation.one_condition_a_face)
        check_sources(self)
        check_values(self)
        check_residuals(self)
        check_exact(self)

    def _check_component(self, component: int, condition: str) -> None:
        count = self.equation.outputs
        if count < 2 or component >= count:
            there = (
                "one component; leave out component=…" if count < 2 else f"the components 0 to {count - 1}"
            )
            raise DeclarationError(
                f"the condition {condition} is for component {component}, but the field has {there}"
            )

    def _check_hard(self) -> None:
        for component in range(self.equation.outputs):
            mine = [condition for condition in self.hard if condition.component in (None, component)]
            faces = [face for condition in mine for face in condition.faces(self.domain)]
            if twice := [face for face in faces if faces.count(face) > 1]:
                raise DeclarationError(
                    f"two hard conditions are on {twice[0]}, but a field has only one value there; give each face one "
                    "condition"
                )
        if self.lift is not None and self.lift.complex and not self.equation.complex:
            raise DeclarationError(
                f"a hard condition is complex, {self.lift.describe()}, but the field is real; give real values, or "
                "declare the Equation with complex=True"
            )

    @property
    def right_hand_sides(self) -> tuple[tuple[Source, ...], ...]:
        """One tuple of sources that radiate together for each field: one, or as many as there are Shots."""
        return self.sources.entries if isinstance(self.sources, Shots) else (self.sources,)

    @property
    def outputs(self) -> int:
        """Columns of the field: its components, or one for each right-hand side; a single one is `(n,)`."""
        return self.equation.outputs * len(self.right_hand_sides)

    @cached_property
    def sides(self) -> Sides:
        """Which condition holds on which face."""
        return Sides(self.domain, self.boundary)

    @property
    def further(self) -> str | None:
        """That it has a constraint beside those of its equation and boundary, in words; None where it has none."""
        return f"it has the additional constraint {self.extra[0].name!r}" if self.extra else None

    @property
    def pml(self) -> PML | None:
        """The absorbing layer, if there is one."""
        return self.sides.layer

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """Every named constraint: the equation's, the boundary's, and the extra ones."""
        implied = [
            constraint for condition in self.boundary for constraint in condition.constraints(self.domain)
        ]
        extra = [
            dataclasses.replace(
                constraint,
                residual=CheckedResidual(
                    constraint.residual, f"constraint {constraint.name!r}", self.equation.complex
                ),
            )
            for constraint in self.extra
        ]
        every = (*self.equation.constraints(self), *implied, *extra)
        if not self.in_time:
            return every
        return tuple(
            dataclasses.replace(constraint, residual=InTime(constraint.residual)) for constraint in every
        )

    @property
    def in_time(self) -> bool:
        """Whether the last axis is time, so that a jet has u.dt: over a Time, or where an Interval has a start."""
        return _in_time(self.domain, self.boundary)

    @cached_property
    def mixed(self) -> tuple[tuple[int, ...], ...]:
        """The axes of the mixed, third and fourth derivatives that the equation or an extra constraint reads."""
        every = (*self.equation.mixed, *(axes for constraint in self.extra for axes in constraint.mixed))
        return tuple(dict.fromkeys(tuple(sorted(axes)) for axes in every))

    def layout(self, constraint: Constraint) -> Layout:
        """The derivatives that a jet carries where a constraint is evaluated."""
        return Layout.within(self.domain.dimension, constraint.order, self.mixed)

    @cached_property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The unknown numbers and fields that its constraints read, by their names."""
        return read_unknowns(self)

    @property
    def hard(self) -> tuple[Boundary, ...]:
        """The conditions that trial functions meet by their form, whatever their parameters."""
        return self.sides.hard

    @property
    def trained(self) -> tuple[Constraint, ...]:
        """The named constraints that are left to train: all but those of the hard conditions."""
        met = self.built_in
        return tuple(constraint for constraint in self.constraints if constraint.name not in met)

    @property
    def built_in(self) -> tuple[str, ...]:
        """Names of the constraints of the hard conditions."""
        return tuple(
            constraint.name for condition in self.hard for constraint in condition.constraints(self.domain)
        )

    @cached_property
    def lift(self) -> Lift | ByComponent | None:
        """A field with the values of the hard conditions; None where there are none, or all of them are zero."""
        return lift_of(self.domain, self.hard, self.outputs)

    @property
    def regions(self) -> Mapping[str, Domain]:
        """Named regions of the medium, at all times where the domain has a time."""
        regions = self.equation.regions
        if not isinstance(self.domain, SpaceTime):
            return regions
        return {name: SpaceTime(region, self.domain.time) for name, region in regions.items()}

    def physical(self, points: Array) -> Array:
        """Which points `(n, d)` lie in the domain, outside its layers and below its topography: bool `(n,)`."""
        inside = self.domain.contains(points)
        if self.sides.topography is not None:
            inside = inside & self.sides.topography.covers(points)
        if self.pml is None:
            return inside
        space = self.domain.spatial
        return inside & Stretch(space, self.pml, 1.0).physical(points[:, : space.dimension])

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the domain with what holds on each face, layers, regions of the medium and sources.

        ax: axes of matplotlib to draw into; None for a new figure. Returns the axes.
        """
        return picture(self, ax)

    def _rows(self) -> list[tuple[str, str]]:
        """What is declared, a label and a text each; a label that is repeated is left out."""
        formula, *coefficients = self.equation.describe(self)
        name, text = self.domain.name, str(self.domain)
        rows = [
            ("domain", text if text.startswith(f"{name} ") else f"{name} {text}"),
            ("equation", formula),
        ]
        rows += [("", line) for line in coefficients]
        for i, sources in enumerate(self.right_hand_sides):
            label = f"shot {i + 1}" if len(self.right_hand_sides) > 1 else "sources"
            if sources:
                rows.append((label, "f = " + " + ".join(source.describe() for source in sources)))
        rows += [("boundary", condition.describe(self.domain)) for condition in self.boundary]
        rows += [("constraint", f"{c.name}: {c.text}" if c.text else c.name) for c in self.constraints]
        if self.exact is not None:
            rows.append(("exact", "known"))
        labels = [""] + [label for label, _ in rows]
        return [
            ("" if label == before else label, text)
            for before, (label, text) in zip(labels, rows, strict=False)
        ]

    def __str__(self) -> str:
        return "\n".join([self.name, *(f"  {label:<12}{text}" for label, text in self._rows())])

    def __repr__(self) -> str:
        return f"<Problem {self.name!r}: {type(self.equation).__name__} on {self.domain}>"

    def _repr_html_(self) -> str:
        return pictures.html.card(f"Problem {self.name}", self._rows())


def _in_time(domain: Domain, conditions: Sequence[Boundary]) -> bool:
    """Whether the last axis of a domain is time."""
    return isinstance(domain, SpaceTime) or any(condition.begins for condition in conditions)


def _tuple(value: Any, kind: type, what: str, way: str) -> tuple[Any, ...]:
    items = tuple(value) if isinstance(value, list | tuple) else (value,)
    for item in items:
        if not isinstance(item, kind):
            raise DeclarationError(f"{what} is {item!r}; give {way}, or a list of these")
    return items


def _parted(domain: Domain, conditions: Sequence[Boundary]) -> tuple[Domain, Sequence[Boundary]]:
    """A domain whose faces end where the predicates of conditions change, and the conditions by these faces."""
    parts = [condition.part for condition in conditions if condition.part is not None]
    if not parts:
        return domain, conditions
    whole, placed = parted(domain, parts)
    named = dict(zip(parts, placed, strict=True))
    return whole, [condition.within(whole, named) for condition in conditions]


def _sources(value: Any, domain: Domain) -> tuple[Source, ...] | Shots:
    if isinstance(value, Shots):
        return value.on(domain)
    return tuple(source.on(domain) for source in as_sources(value, "sources"))
