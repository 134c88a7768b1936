"""What hard conditions make of a trial function: a field that meets them, and where the network's part vanishes.

A start is the lower side of the box of space and time across its last axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from neurapde.backgrounds.by_component import ByComponent
from neurapde.backgrounds.lift import Lift
from neurapde.backgrounds.side_distance import Sides
from neurapde.conditions.base import ZERO, Boundary
from neurapde.conditions.initial import InitialCondition
from neurapde.core.arrays import Array
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.spacetime import SpaceTime
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Field
from neurapde.fields.spline import CubicField


@dataclass(frozen=True)
class AtAllTimes(Field):
    """A field in space, at points whose last axis is time."""

    field: Field

    def __call__(self, points: Array) -> Array:
        return self.field(points[:, :-1])

    def on(self, domain: Domain, part: Domain | None = None) -> "AtAllTimes":
        return self

    def describe(self) -> str:
        return self.field.describe()


def lift_of(domain: Domain, hard: Sequence[Boundary], outputs: int) -> Lift | ByComponent | None:
    """A field with the values of hard conditions; None where there are none, or all of them are zero."""
    if not hard:
        return None
    if all(condition.component is None for condition in hard):
        lift = _lift(domain, hard, outputs)
        return None if _is_zero(lift) else lift
    parts = tuple(_lift(domain, _of(hard, component), 1) for component in range(outputs))
    return None if all(map(_is_zero, parts)) else ByComponent(parts)


def sides_of(domain: Domain, hard: Sequence[Boundary], outputs: int) -> tuple[Sides, ...]:
    """Where the network's part vanishes, and to which power: one for all components where they are alike, else one each."""
    if all(condition.component is None for condition in hard):
        return (_sides(domain, hard),)
    return tuple(_sides(domain, _of(hard, component)) for component in range(outputs))


def _of(hard: Sequence[Boundary], component: int) -> list[Boundary]:
    return [condition for condition in hard if condition.component in (None, component)]


def _is_zero(lift: Lift) -> bool:
    return lift.velocity in (None, ZERO) and all(value == ZERO for _, value in lift.values)


def _box(domain: Domain) -> Box:
    """The box around a domain, time included."""
    return (
        domain
        if isinstance(domain, Box)
        else Box(*zip(*(end.tolist() for end in domain.bounds), strict=True))
    )


def _lift(domain: Domain, hard: Sequence[Boundary], outputs: int) -> Lift:
    box, values = _box(domain), {}
    velocity: Field | None = None
    in_space = isinstance(domain, SpaceTime)
    for condition in hard:
        if condition.begins:
            initial = cast(InitialCondition, condition)
            fields = [initial.value, initial.velocity]
            start, velocity = (
                field if field is None or field == ZERO or not in_space else AtAllTimes(field)
                for field in fields
            )
            values[box.faces[-2]] = start
        elif condition.mixed is not None:
            value = condition.mixed.value
            value = CubicField(value) if isinstance(value, GridField) else value
            values |= dict.fromkeys(condition.faces(domain), value)
    return Lift(box, tuple((face, value) for face, value in values.items()), outputs, velocity)


def _sides(domain: Domain, hard: Sequence[Boundary]) -> Sides:
    box = _box(domain)
    powers = dict.fromkeys(box.faces, 0)
    for condition in hard:
        if condition.begins:
            powers[box.faces[-2]] = 1 if cast(InitialCondition, condition).velocity is None else 2
        else:
            powers |= dict.fromkeys(condition.faces(domain), 1)
    every = [power if power > 1 else bool(power) for power in powers.values()]
    return tuple(zip(every[::2], every[1::2], strict=True))
