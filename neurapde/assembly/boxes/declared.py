"""Problems −∇·(a ∇u) + c u = f on a box with smooth a and c, and their data for the weak form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.fft import dct

from neurapde.conditions import Dirichlet, Neumann, Periodic, Robin, Treated
from neurapde.conditions.base import ZERO, Mixed
from neurapde.core.arrays import to_numpy
from neurapde.domains.box import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.equations.recognised import as_known
from neurapde.fields.grid_field import GridField
from neurapde.fields.hidden import hidden_places
from neurapde.fields.jumps import features_of, narrow_features
from neurapde.fields.medium import Constant, Field, Piecewise
from neurapde.fields.sources import PointSource, total
from neurapde.problem.problem import Problem
from neurapde.spectral.box_form import BoxForm, Face, Rule
from neurapde.spectral.legendre import Ends, LegendreAxis
from neurapde.spectral.separable import Array, Separated, Values

TREATED = Treated("separation", (Dirichlet, Neumann, Robin, Periodic))
ALONG_EDGE, PROBES = 33, 1024
"""Points of an edge at which the values of two faces are compared, and of the domain or a face at which fields are asked."""
ALONG_FACE, FOLLOWED = 384, 1e-6
"""Points of a side at which its values are asked, and of their largest part what the last polynomials may have."""
SAME = 1e-6
"""Of the largest value: what two faces may differ by at their edge."""
RESONANT = 1e-8
"""Of the reaction: how near to an eigenvalue it may be."""
STEPS = 64
"""Polynomials with which eigenvalues are found up to those of a field that changes as slowly as a domain's size."""


@dataclass(frozen=True)
class BoxProblem:
    """−∇·(a ∇u) + c u = sign f on a box, from a declared problem.

    varies: the field that makes a or c vary.
    """

    problem: Problem
    box: Box
    coefficient: Field
    reaction: Callable[[Any], Any] | float
    sign: float
    varies: tuple[Field, ...]

    @classmethod
    def of(cls, problem: Problem) -> "BoxProblem | None":
        """The problem in this form, a user's own equation recognised; None for another equation or domain."""
        domain = problem.domain
        if not isinstance(domain, Box) or domain.dimension > 3:
            return None
        problem = as_known(problem) or problem
        equation = problem.equation
        if isinstance(equation, Poisson):
            fields = (equation.coefficient, equation.reaction)
            return cls(problem, domain, equation.coefficient, _plain(equation.reaction), 1.0, fields)
        if isinstance(equation, Helmholtz):
            speed, square = equation.complex_speed, equation.wavenumber**2
            fixed = float(np.real(speed.value)) if isinstance(speed, Constant) else None
            reaction = _Resonator(equation) if fixed is None else -square / fixed**2
            return cls(problem, domain, Constant(1.0), reaction, -1.0, (speed,))
        return None

    @property
    def varying(self) -> bool:
        """Whether the coefficients, or those of a condition, vary from place to place."""
        robins = (given.a for given in self.problem.sides.data.values())
        return not all(isinstance(field, Constant) for field in (*self.varies, *robins))

    def obstacle(self) -> str | None:
        """Why polynomials cannot solve the form, or None."""
        problem, sides = self.problem, self.problem.sides
        if problem.further:
            return problem.further
        if reason := sides.missing(TREATED):
            return reason
        if any(isinstance(source, PointSource) for side in problem.right_hand_sides for source in side):
            return "a PointSource has no values at points; use a GaussianSource"
        if any(isinstance(field, GridField | Piecewise) for field in self.varies):
            return "its coefficients are piecewise"
        if any(np.iscomplexobj(field(self._probes)) for field in self.varies):
            return "its coefficients are complex"
        if len(features_of(self.varies, problem.domain)):
            return "its coefficients change too steeply for polynomials"
        for face, given in sides.data.items():
            fields = [] if given.fixes else [given.a, given.b]
            if not isinstance(given.b, Constant) or any(
                np.iscomplexobj(field(self._probes)) for field in fields
            ):
                of = "of complex coefficients" if isinstance(given.b, Constant) else "whose b varies"
                return f"it has the condition {sides.by_face[face][-1].describe(self.box)}, {of}"
        return self._hidden() or self._rough_data() or self._resonance() or self._disagreement()

    def _hidden(self) -> str | None:
        """A part of the sources, or of the values on a face, that lies between all points."""
        lower, upper = self.box.bounds

        def size(points: Array) -> Values:
            return np.asarray(np.abs(self.source(points)).sum(axis=1))

        if len(hidden_places(size, lower, upper)) and narrow_features(size, self.box).unseen:
            return "its sources have details too narrow for polynomials"
        for number, face in enumerate(self.box.faces if self.box.dimension > 1 else ()):
            given = self.problem.sides.data.get(face)
            if given is None or isinstance(given.value, Constant):
                continue
            axis, end = divmod(number, 2)
            at, others = (lower, upper)[end][axis], [k for k in range(len(lower)) if k != axis]

            def value(points: Array, given: Mixed = given, axis: int = axis, at: float = at) -> Values:
                return np.abs(to_numpy(given.value(np.insert(points, axis, at, axis=1))))

            if len(hidden_places(value, lower[others], upper[others])):
                return f"the values on {face} have details too narrow for polynomials"
        return None

    def _rough_data(self) -> str | None:
        """The face of a planar box whose values polynomials do not follow, because they jump, bend or are narrow."""
        if self.box.dimension != 2:
            return None
        nodes = (1 + np.cos(np.pi * (np.arange(ALONG_FACE) + 0.5) / ALONG_FACE)) / 2
        lower, upper = (np.asarray(corner) for corner in self.box.bounds)
        for number, face in enumerate(self.box.faces):
            given = self.problem.sides.data.get(face)
            if given is None or isinstance(given.value, Constant):
                continue
            points = lower + np.outer(nodes, upper - lower)
            points[:, number // 2] = (lower, upper)[number % 2][number // 2]
            parts = np.abs(dct(np.real(to_numpy(given.value(points)))))
            if parts[-ALONG_FACE // 4 :].max() > FOLLOWED * parts.max():
                return f"the values on {face} change too steeply for polynomials"
        return None

    def form(self, counts: Sequence[int], nodes: Sequence[int]) -> BoxForm:
        """The form for numbers of polynomials along each axis, integrated on numbers of points."""
        lower, upper = (corner.tolist() for corner in self.box.bounds)
        axes = [
            LegendreAxis(count, a, b, ends)
            for count, a, b, ends in zip(counts, lower, upper, self.ends, strict=True)
        ]
        rules = [Rule(axis, *axis.nodes(number)) for axis, number in zip(axes, nodes, strict=True)]
        return BoxForm(rules, self.faces, _plain(self.coefficient), self.reaction, self.columns)

    def source(self, points: Array) -> Values:
        """The right-hand sides at points (n, d), (n, columns)."""
        every = [to_numpy(total(side, points)) for side in self.problem.right_hand_sides]
        return self.sign * np.stack([np.broadcast_to(values, len(points)) for values in every], axis=1)

    @property
    def columns(self) -> int:
        """The number of unknown fields."""
        return len(self.problem.right_hand_sides)

    @property
    def leaves_constant(self) -> bool:
        """Whether the field is determined only up to a constant."""
        return self.problem.equation.leaves_constant(self.problem)

    @cached_property
    def mean_coefficient(self) -> float:
        """The mean of a."""
        return float(np.mean(to_numpy(self.coefficient(self._probes))))

    @cached_property
    def mean_reaction(self) -> float:
        """The mean of c."""
        reaction = self.reaction
        return reaction if isinstance(reaction, float) else float(np.mean(reaction(self._probes)))

    @cached_property
    def faces(self) -> list[Face | None]:
        """The conditions on every face, the lower and the upper of each axis in turn."""
        data = self.problem.sides.data
        return [self._face(data[name]) if name in data else None for name in self.box.faces]

    def _face(self, given: Mixed) -> Face:
        by = given.a if _fixes(given) else given.b
        factor = _number(by) if isinstance(by, Constant) else 1.0

        def value(points: Array) -> Values:
            values = to_numpy(given.value(points)) / factor
            return np.broadcast_to(values[:, None], (len(points), self.columns))

        varies = not _fixes(given) and not isinstance(given.a, Constant)
        ratio = (lambda points: to_numpy(given.a(points)) / factor) if varies else None
        return Face(_fixes(given), value, ratio)

    @cached_property
    def ends(self) -> list[Ends]:
        """The same by axes, with the mean of a varying ratio."""
        data, ends = self.problem.sides.data, []
        for name, other in zip(self.box.faces[::2], self.box.faces[1::2], strict=True):
            if name not in data:
                ends.append(Ends(periodic=True))
                continue
            pair = (data[name], data[other])
            ratios = [
                0.0 if _fixes(condition) else self._ratio(face, condition)
                for face, condition in zip((name, other), pair, strict=True)
            ]
            ends.append(Ends((_fixes(pair[0]), _fixes(pair[1])), (ratios[0], ratios[1])))
        return ends

    def _ratio(self, face: str, given: Mixed) -> float:
        return float(np.mean(to_numpy(given.a(self._on(face))))) / _number(given.b)

    @cached_property
    def _probes(self) -> Array:
        return self.box.sample(PROBES, how="grid").numpy()

    def _resonance(self) -> str | None:
        """A constant reaction that is the negative of an eigenvalue: the field is not determined."""
        coefficient, reaction = _plain(self.coefficient), self.reaction
        if (
            not (isinstance(coefficient, float) and isinstance(reaction, float))
            or reaction >= 0
            or self.varying
        ):
            return None
        rate = np.sqrt(-reaction / coefficient)
        counts = [STEPS + int(rate * extent) for extent in self.box.extents]
        axes = self.form(counts, counts).axes
        nearest = np.abs(Separated(axes, coefficient, reaction).rates).min()
        if nearest <= -RESONANT * reaction:
            return "its reaction is the negative of an eigenvalue of the box, so the solution is not unique"
        return None

    def _disagreement(self) -> str | None:
        """Two faces whose values differ at their common edge: no smooth field has both."""
        box, conditions = self.box, self.problem.sides.data
        lower, upper = box.bounds
        faces = [name for name in box.faces if name in conditions and _fixes(conditions[name])]
        edges = []
        for i, first in enumerate(faces):
            for second in faces[:i]:
                (axis, end), (other, stop) = (box.face_axis(name) for name in (first, second))
                if axis != other:
                    edge = lower + (upper - lower) * np.linspace(0, 1, ALONG_EDGE)[:, None]
                    edge[:, axis], edge[:, other] = (lower, upper)[end][axis], (lower, upper)[stop][other]
                    values = [to_numpy(conditions[name].value(edge)) for name in (first, second)]
                    edges.append((first, second, np.array([value + np.zeros(len(edge)) for value in values])))
        inside = [to_numpy(conditions[name].value(self._on(name))) for name in faces]
        largest = max((float(np.abs(values).max()) for values in inside), default=0.0)
        for first, second, (these, those) in edges:
            if np.abs(these - those).max() > SAME * largest:
                return f"the values on {first} and {second} differ at their edge"
        return None

    def _on(self, face: str) -> Array:
        """Points of a face, ALONG_EDGE along each of its axes, its edges included, (n, d)."""
        axis, end = self.box.face_axis(face)
        grid = [np.linspace(*side, ALONG_EDGE) for side in self.box.sides]
        grid[axis] = np.array([self.box.sides[axis][end]])
        return np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, len(grid))


@dataclass(frozen=True)
class _Resonator:
    """−k²/c² of points (n, d)."""

    equation: Helmholtz

    def __call__(self, points: Array) -> Values:
        return -(self.equation.wavenumber**2) * to_numpy(self.equation.slowness_squared(points))


def _plain(field: Field) -> Any:
    """A number, or a function of points to NumPy's arrays."""
    return _number(field) if isinstance(field, Constant) else lambda points: to_numpy(field(points))


def _number(field: Field) -> float:
    assert isinstance(field, Constant)
    return float(np.real(field.value))


def _fixes(given: Mixed) -> bool:
    """Whether a condition gives only values, with b = 0."""
    return given.fixes or given.b == ZERO
