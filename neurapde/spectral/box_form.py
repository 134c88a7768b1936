"""−∇·(a ∇u) + c u = f on a box in its weak form, on products of polynomials.

With constant a and c it is solved axis by axis (`spectral.separable`). Where they vary, the form is applied by quadrature,
and the separated form with their means is the preconditioner of a Krylov method; how many iterations that takes depends on
how a and c vary, not on the number of polynomials. In one axis the form is a small matrix.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg, minres

from neurapde.spectral.legendre import LegendreAxis
from neurapde.spectral.modes import along_all
from neurapde.spectral.separable import NULL, Array, Separated, Values, constant_form

Function = Callable[[Array], Values]

MOST_STEPS = 400
"""Iterations of a Krylov method at most."""
INDEFINITE = 0.01
"""Of the tolerance, where a small residual may leave a larger error."""


@dataclass(frozen=True)
class Face:
    """What holds on one face: u = value where fixed, else ratio u + ∂u/∂n = value, n outward.

    value: points (n, d) to (n, columns). ratio: points (n, d) to (n,), or None where the ends of the axis have it.
    """

    fixed: bool
    value: Function
    ratio: Function | None = None


@dataclass(frozen=True)
class Rule:
    """Points of one axis and weights (n,), with the basis and its derivatives there (n, count)."""

    axis: LegendreAxis
    x: Array
    weights: Array

    @cached_property
    def values(self) -> Array:
        return self.axis.values(self.x)

    @cached_property
    def slopes(self) -> Array:
        return self.axis.slopes(self.x)

    @cached_property
    def tested(self) -> Array:
        """From values at the points to integrals against the basis, (count, n)."""
        return np.ascontiguousarray((self.values * self.weights[:, None]).T)


class BoxForm:
    """The weak form on one set of polynomials.

    axes, rules: one each. faces: lower and upper of the first axis, then of the second, …; an axis that is periodic has
    None. coefficient, reaction: a and c, numbers or functions of points (n, d). columns: right-hand sides.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        faces: Sequence[Face | None],
        coefficient: float | Function,
        reaction: float | Function,
        columns: int = 1,
    ) -> None:
        self.rules, self.faces, self.columns = tuple(rules), tuple(faces), columns
        self.axes = tuple(rule.axis for rule in rules)
        self.coefficient, self.reaction = coefficient, reaction
        self.constant = isinstance(coefficient, float) and isinstance(reaction, float)
        self.constant = self.constant and all(face is None or face.ratio is None for face in faces)

    def lift(self) -> Values:
        """Amplitudes of a field with the values that are given on faces, (n1, …, nd, columns)."""
        counts = [axis.count for axis in self.axes]
        u: Values = np.zeros((*counts, self.columns))
        for axis, end, face in self._sides(fixed=True):
            others = [k for k in range(len(self.axes)) if k != axis]
            ends = [np.array([self.axes[k].lower, *self.rules[k].x, self.axes[k].upper]) for k in others]
            maps = [
                self.axes[k].projection(x, self.rules[k].weights) for k, x in zip(others, ends, strict=True)
            ]
            lifted = along_all(maps, self._on_face(face.value, axis, end, ends))
            u = u.astype(np.result_type(u, lifted))
            u[(slice(None),) * axis + (end,)] = lifted
        return u

    def load(self, source: Function) -> Values:
        """∫ f ψ + ∮ a (value) ψ over the faces that are not fixed, (n1, …, nd, columns)."""
        tested = [rule.tested for rule in self.rules]
        load = along_all(tested, _on_grid(source, [rule.x for rule in self.rules]))
        for axis, end, face in self._sides(fixed=False):
            others = [k for k in range(len(self.axes)) if k != axis]
            grid = [self.rules[k].x for k in others]
            flux = self._on_face(face.value, axis, end, grid)
            flux = flux * self._coefficient_on(axis, end, grid)
            there = along_all([tested[k] for k in others], flux)
            load = load.astype(np.result_type(load, there))
            load[(slice(None),) * axis + (end,)] += there
        return load

    def apply(self, u: Values) -> Values:
        """The form of u and every function of the basis."""
        if self.constant:
            assert isinstance(self.coefficient, float)
            assert isinstance(self.reaction, float)
            return constant_form(self.axes, self.coefficient, self.reaction, u)
        values = [rule.values for rule in self.rules]
        product = along_all([rule.tested for rule in self.rules], self._weights[1] * along_all(values, u))
        for number, rule in enumerate(self.rules):
            mixed = [*values[:number], rule.slopes, *values[number + 1 :]]
            flux = self._weights[0] * along_all(mixed, u)
            tested = [rule.tested for rule in self.rules]
            tested[number] = (rule.slopes * rule.weights[:, None]).T
            product = product + along_all(tested, flux)
        for axis, end, face in self._sides(fixed=False):
            others = [k for k in range(len(self.axes)) if k != axis]
            at = (slice(None),) * axis + (end,)
            grid = [self.rules[k].x for k in others]
            ratio = self._ratio_on(face, axis, end, grid) * self._coefficient_on(axis, end, grid)
            trace = along_all([values[k] for k in others], u[at])
            product[at] += along_all([self.rules[k].tested for k in others], ratio * trace)
        return product

    def solve(self, source: Function, tolerance: float, guess: Values | None = None) -> tuple[Values, int]:
        """Amplitudes of the solution, and the number of iterations it took, −1 if `MOST_STEPS` were not enough.

        tolerance: of the residual, relative to the right-hand side, where it is iterated. guess: to begin with.
        """
        lifted = self.lift()
        load = self.load(source) - self.apply(lifted)
        if len(self.axes) == 1:
            free = self.axes[0].free
            matrix = free.T @ self.apply(free)
            return lifted + free @ _solved(matrix, free.T @ load), 0
        if self.constant:
            return lifted + self.separated(load), 0
        solution, steps = self._iterated(
            self.separated, load, tolerance, None if guess is None else guess - lifted
        )
        return lifted + solution, steps

    @cached_property
    def separated(self) -> Separated:
        """The form with the means of a and c."""
        return Separated(self.axes, self._mean(self.coefficient), self._mean(self.reaction))

    @property
    def slowest(self) -> float:
        """The least size of its eigenvalues, as the means of a and c give it."""
        return self.separated.slowest

    def amplitudes(self, legendre: Values) -> Values:
        """The amplitudes of a field from those of Legendre polynomials, (n1, …, columns) both."""
        return along_all([np.asarray(np.linalg.inv(axis.to_legendre)) for axis in self.axes], legendre)

    def _iterated(
        self, inverse: "Separated", load: Values, tolerance: float, start: Values | None
    ) -> tuple[Values, int]:
        """Real and imaginary part of each column by conjugate gradients, or MINRES where the form may be indefinite."""
        parts = _as_real(load)
        starts = None if start is None else _as_real(start.astype(load.dtype))
        definite = self._definite and inverse.definite
        solver, tolerance = (cg, tolerance) if definite else (minres, INDEFINITE * tolerance)
        solution, most, steps = np.zeros_like(parts), 0, 0

        def applied(s: Array) -> Array:
            nonlocal steps
            steps += 1
            return inverse.tested(self.apply(inverse.field(s)))

        for column in range(parts.shape[-1]):
            steps = 0
            right = inverse.tested(parts[..., column : column + 1])
            operator = LinearOperator((len(right), len(right)), matvec=applied, dtype=np.float64)
            first = None if starts is None else inverse.coordinates(starts[..., column : column + 1])
            answer, failed = solver(operator, right, x0=first, rtol=tolerance, maxiter=MOST_STEPS)
            solution[..., column : column + 1] = inverse.field(answer)
            most = -1 if failed or most < 0 else max(most, steps)
        return _as_columns(solution, load.dtype), most

    def _sides(self, *, fixed: bool) -> Iterator[tuple[int, int, Face]]:
        """(axis, end, face) of the faces that are fixed, or of those that are not."""
        for number, face in enumerate(self.faces):
            if face is not None and face.fixed == fixed:
                yield (*divmod(number, 2), face)

    def _on_face(self, function: Function, axis: int, end: int, grid: Sequence[Array]) -> Values:
        """A function of points on the products of a grid of the other axes."""
        at = (self.axes[axis].lower, self.axes[axis].upper)[end]
        whole = list(grid)
        whole.insert(axis, np.array([at]))
        return _on_grid(function, whole).squeeze(axis)

    def _coefficient_on(self, axis: int, end: int, grid: Sequence[Array]) -> Values:
        """a on a face, in a shape that multiplies columns."""
        if isinstance(self.coefficient, float):
            return np.array(self.coefficient)
        return self._on_face(self.coefficient, axis, end, grid)[..., None]

    def _ratio_on(self, face: Face, axis: int, end: int, grid: Sequence[Array]) -> Values:
        if face.ratio is None:
            return np.array(self.axes[axis].ends.ratios[end])
        return self._on_face(face.ratio, axis, end, grid)[..., None]

    @cached_property
    def _weights(self) -> tuple[Values, Values]:
        """a and c at the products of the points, in a shape that multiplies columns."""
        grid = [rule.x for rule in self.rules]
        first, second = (
            np.array(field) if isinstance(field, float) else _on_grid(field, grid)[..., None]
            for field in (self.coefficient, self.reaction)
        )
        return first, second

    def _mean(self, field: float | Function) -> float:
        return field if isinstance(field, float) else float(np.mean(self._weights[field is self.reaction]))

    @property
    def _definite(self) -> bool:
        """Whether no reaction and no ratio is negative."""
        ratios = [ratio for axis in self.axes for ratio in axis.ends.ratios]
        return bool(np.all(self._weights[1] >= 0)) and min(ratios) >= 0


def _on_grid(function: Function, grid: Sequence[Array]) -> Values:
    """A function of points (n, d) on the products of a grid, (n1, …, nd), with columns if it has some."""
    points = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1)
    values = np.asarray(function(points.reshape(-1, len(grid))))
    return values.reshape(*points.shape[:-1], *values.shape[1:])


def _solved(matrix: Array, load: Values) -> Values:
    """The least solution where a constant is left open."""
    return np.linalg.lstsq(matrix, load, rcond=NULL)[0]


def _as_real(values: Values) -> Array:
    """Complex columns as real and imaginary ones in turn."""
    return np.ascontiguousarray(values).view(np.float64) if np.iscomplexobj(values) else values


def _as_columns(values: Array, dtype: np.dtype) -> Values:
    return np.ascontiguousarray(values).view(dtype)
