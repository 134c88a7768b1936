"""Fields on a box that take given values on some of its faces, for conditions built into a trial function.

Values that agree where faces meet are blended linearly from face to face (transfinite interpolation). Where they do not,
the field must jump: there it turns from one value to the other by the angle about the corner or edge, which is harmonic
in the plane, and what that leaves on the faces agrees again.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background
from neurapde.conditions.sides import Sides
from neurapde.core.arrays import check_shape
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number, point
from neurapde.domains.box import Box
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Constant, Field
from neurapde.fields.spline import CubicField
from neurapde.jets.autograd import jet_by_autograd
from neurapde.jets.jet import Jet, Layout

SAME = 1e-9
"""Values on the edge of two faces that differ by less than this part of the largest are the same."""
ALONG_EDGE = 17
"""Points on each axis of an edge at which values are compared."""

FaceValue = Callable[[str, Tensor], Tensor]
"""A value `(n,)` on a face, at points `(n, d)` of that face."""


@dataclass(frozen=True)
class Lift(Background):
    """A field u on a box with u = value on each of the faces that are given.

    domain:   the box; of a field in space and time, with the time as its last axis.
    values:   (face, value) for each face, the value a smooth Field; used on its face only.
    outputs:  components of the field, all alike.
    velocity: ∂u/∂t at the lower end of the last axis, a smooth Field of all axes; None where it is not given.

    Where the values of two faces differ at the corner (edge) that they share, u is bounded and has no limit there; exactly
    at the corner it is the value of the face across the earlier axis. In three dimensions the second derivatives
    then grow as 1/r towards the edges; in the plane towards the corner in question only, and the Laplacian does not.

    Raises DeclarationError for values that are not finite or that torch cannot differentiate.
    """

    domain: Box
    values: tuple[tuple[str, Field], ...]
    outputs: int = 1
    velocity: Field | None = None

    @classmethod
    def of(cls, sides: Sides, outputs: int = 1) -> "Lift | None":
        """A field with the values that are given on sides; None where they are all zero."""
        values = [
            (face, CubicField(given.value) if isinstance(given.value, GridField) else given.value)
            for face, given in sides.data.items()
            if given.fixes
        ]
        if all(value == Constant(0.0) for _, value in values):
            return None
        assert isinstance(sides.domain, Box)
        return cls(sides.domain, tuple(values), outputs)

    def __post_init__(self) -> None:
        for name, value in self.values:
            self.domain.check_faces(name, "the lift")
            at = self.domain.sample_boundary(64, on=name, how="grid").points
            values = value(at)
            if not bool(torch.isfinite(values).all()):
                bad = at[int(torch.nonzero(~torch.isfinite(values))[0])].tolist()
                raise DeclarationError(
                    f"the value on {name}, {value.describe()}, is not finite at {point(bad)}; give finite values"
                )
        self._check_velocity()
        self._check_derivatives()

    def _check_velocity(self) -> None:
        """Refuse a start that moves on as its sides do not."""
        if self.velocity is None:
            return
        if self.jumps:
            names = " and ".join(self.jumps[0])
            raise DeclarationError(
                f"the hard values on {names} differ where these meet, so that ∂u/∂t has no value there; make them agree, "
                "or leave out hard=True"
            )
        start = self.domain.faces[-2]
        for name in self.faces:
            if name == start or self.domain.dimension == 1:
                continue
            at = self._edge(start, name)
            off = self._start_rate(at).abs()
            if bool(off.max() > SAME * max(1.0, float(self.velocity(at).abs().max()))):
                i = int(off.argmax())
                raise DeclarationError(
                    f"the hard initial velocity and the rate of change of the hard value on {name} differ by "
                    f"{number(float(off[i]))} at {point(at[i].tolist())}; make them agree, or leave out hard=True"
                )

    def _check_derivatives(self) -> None:
        inside = self.domain.sample(16, how="grid")
        names = listing(value.describe() for _, value in self.values)
        try:
            finite = bool(torch.isfinite(self.jet(inside).channels).all())
        except RuntimeError as error:
            raise DeclarationError(
                f"the values on {listing(self.faces)}, {names}, cannot be differentiated by torch: {error} Write them "
                "with npde.sin and similar functions, give a GridField, or leave out hard=True"
            ) from error
        if not finite:
            raise DeclarationError(
                f"the second derivatives of the values on {listing(self.faces)}, {names}, are not finite; give smooth "
                "values, or leave out hard=True"
            )

    @property
    def faces(self) -> tuple[str, ...]:
        """The faces with a value."""
        return tuple(name for name, _ in self.values)

    @property
    def complex(self) -> bool:
        """Whether the field is complex."""
        return self.jet(self.domain.sample(1, how="grid"), 0).value.is_complex()

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        check_shape(points, self.domain.dimension)
        layout = Layout(self.domain.dimension, order, tuple(mixed))
        if order == 0:
            jet = Jet(self._field(points).unsqueeze(0), layout)
        else:
            keep = points.requires_grad and torch.is_grad_enabled()
            jet = jet_by_autograd(self._field, points, layout, keep_graph=keep)
        if self.outputs == 1:
            return jet
        return Jet(jet.channels.unsqueeze(-1).expand(-1, -1, self.outputs), layout)

    def describe(self) -> str:
        return "values given on " + listing(f"{name} ({value.describe()})" for name, value in self.values)

    def _field(self, x: Tensor) -> Tensor:
        if self.velocity is None:
            return self._blend(x)
        return self._blend(x) + (x[:, -1] - self.domain.sides[-1][0]) * self._start_rate(x)

    def _start_rate(self, x: Tensor) -> Tensor:
        """By how much ∂u/∂t at the start, at the places of points, must be more than that of the blend."""
        assert self.velocity is not None
        start = torch.cat([x[:, :-1], torch.full_like(x[:, -1:], self.domain.sides[-1][0])], dim=1)
        later = torch.zeros_like(start)
        later[:, -1] = 1.0
        rate: Tensor = torch.func.jvp(self._blend, (start,), (later,))[1]
        return self.velocity(start) - rate

    def _blend(self, x: Tensor) -> Tensor:
        if not self.jumps:
            return self._transfinite(x, self._value, self.domain.dimension)

        def rest(name: str, y: Tensor) -> Tensor:
            return self._value(name, y) - self._jump(y, on=name)

        # In space the jumps of two edges meet in a vertex, which no blend of values at vertices can follow.
        if self.domain.dimension > 2:
            return self._jump(x) + self._by_distance(x, rest)
        return self._jump(x) + self._transfinite(x, rest, self.domain.dimension)

    def _value(self, name: str, y: Tensor) -> Tensor:
        return dict(self.values)[name](y)

    def _onto(self, x: Tensor, name: str) -> Tensor:
        """The points `(n, d)` of a face nearest to x."""
        axis, end = self.domain.face_axis(name)
        columns = list(x.unbind(1))
        columns[axis] = torch.full_like(columns[axis], self.domain.sides[axis][end])
        return torch.stack(columns, dim=1)

    def _distance(self, x: Tensor, name: str) -> Tensor:
        axis, end = self.domain.face_axis(name)
        a, b = self.domain.sides[axis]
        return b - x[:, axis] if end else x[:, axis] - a

    def _transfinite(self, x: Tensor, value: FaceValue, count: int) -> Tensor:
        """The blend of the faces across the first `count` axes: what those before miss on the last is added to it."""
        if count == 0:
            return torch.zeros_like(x[:, 0])
        total = self._transfinite(x, value, count - 1)
        across = [name for name in self.faces if self.domain.face_axis(name)[0] == count - 1]
        for name in across:
            y = self._onto(x, name)
            missing = value(name, y) - self._transfinite(y, value, count - 1)
            if len(across) == 2:
                missing = missing * (1 - self._distance(x, name) / self.domain.extents[count - 1])
            total = total + missing
        return total

    def _by_distance(self, x: Tensor, value: FaceValue) -> Tensor:
        """The mean of the faces' values, each weighed by the inverse of the distance to its face."""
        distances = torch.stack([self._distance(x, name) for name in self.faces])
        others = [torch.cat((distances[:i], distances[i + 1 :])).prod(0) for i in range(len(distances))]
        weights = torch.stack(others)
        # Where two faces meet all these products are zero; the first of those faces counts.
        touching = (distances == 0).to(x.dtype)
        first = torch.nn.functional.one_hot(touching.argmax(0), len(distances)).T.to(x.dtype)
        weights = torch.where(touching.sum(0) > 1, first, weights)
        weights = weights / weights.sum(0)
        return sum(
            (
                weight * value(name, self._onto(x, name))
                for weight, name in zip(weights, self.faces, strict=True)
            ),
            start=torch.zeros_like(x[:, 0]),
        )

    @cached_property
    def jumps(self) -> tuple[tuple[str, str], ...]:
        """Pairs of faces, that across the earlier axis first, whose values differ on the edge they share."""
        jumps = []
        names = sorted(self.faces, key=self.domain.faces.index)
        for i, first in enumerate(names):
            for second in names[i + 1 :]:
                if self.domain.face_axis(first)[0] != self.domain.face_axis(second)[0]:
                    at = self._edge(first, second)
                    value, other = self._value(first, at), self._value(second, at)
                    if (value - other).abs().max() > SAME * max(value.abs().max(), other.abs().max()):
                        jumps.append((first, second))
        return tuple(jumps)

    def _edge(self, first: str, second: str) -> Tensor:
        """Points of the edge that two faces share, its ends included."""
        fixed = dict(self.domain.face_axis(name) for name in (first, second))
        axes = [
            torch.tensor([side[fixed[axis]]]) if axis in fixed else torch.linspace(*side, ALONG_EDGE)
            for axis, side in enumerate(self.domain.sides)
        ]
        return torch.cartesian_prod(*(axis.to(torch.float64) for axis in axes))

    def _jump(self, x: Tensor, on: str | None = None) -> Tensor:
        """Half the difference of the values, from + on the first face of each pair to − on the second, by the angle.

        on: the face on which x lies, where the field is taken to its corners from within the face.
        """
        total = torch.zeros_like(x[:, 0])
        for first, second in self.jumps:
            at = self._onto(self._onto(x, first), second)
            difference = self._value(first, at) - self._value(second, at)
            if on in (first, second):
                turned = 0.5 if on == first else -0.5
                total = total + difference * turned
                continue
            distance, other = self._distance(x, first), self._distance(x, second)
            corner = (distance == 0) & (other == 0)
            angle = torch.atan2(torch.where(corner, 0.0, distance), torch.where(corner, 1.0, other))
            total = total + difference * (0.5 - angle * (2 / math.pi))
        return total
