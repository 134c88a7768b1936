"""The weak form of waves in a box on products of polynomials on elements, its loads, and its solution by iteration.

    ∫ Σ (E/e_i²) ∂_i u ∂_i ψ − ∫ E c u ψ + ∮ E β u ψ = −∫ E f ψ + ∮ E g ψ,        E = Π e_i,

with the stretch e_i of the layers, ∂u/∂n + β u = g on faces that are not fixed, and c = k²/speed². With one c and one
β on each face it separates (`spectral.elements`), and quadrature adds the varying part. GMRES (Saad, Schultz 1986)
solves the whole with the separated form as its preconditioner; if nothing varies it only corrects rounding errors.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from neurapde.spectral.elements import ElementAxis

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Function = Callable[[Array], NDArray]

RESTART, MOST_STEPS = 80, 480
"""Krylov vectors that are kept, and iterations at most."""
ROUNDS, FALLING, COARSE = 8, 0.5, 1e-2
"""Solutions for what is left at most, as long as it falls by this; and how well one of them is solved at least."""


@dataclass(frozen=True)
class ElementFace:
    """The condition on one face: u = value if fixed, else ∂u/∂n + β u = value, n outward.

    value: points (n, d) to (n, columns). ratio: β at points (n, d), or None if the end of the axis has it.
    """

    axis: int
    end: int
    fixed: bool
    value: Function
    ratio: Function | None = None


class ElementForm:
    """The form on one set of polynomials.

    axes: one each. scale: E at points (n, d). constant: c₀. variation: c − c₀ on the products of the axes' points, or
    None if it is 0. faces: those that are not periodic.
    """

    def __init__(
        self,
        axes: Sequence[ElementAxis],
        scale: Function,
        constant: complex,
        variation: NDArray | None,
        faces: Sequence[ElementFace],
    ) -> None:
        self.axes, self.scale, self.constant, self.faces = tuple(axes), scale, constant, tuple(faces)
        self.shape = tuple(axis.count for axis in axes)
        self._free = [axis.free for axis in axes]
        self._restrict = [axis.free.T for axis in axes]
        self._values = [axis.values for axis in axes]
        self._tested = [np.ascontiguousarray((axis.values * axis.weights[:, None]).T) for axis in axes]
        self._scale = on_grid(scale, self._points)
        self._varies = None if variation is None else self._scale * variation
        self._ratios = [
            (face, self._on_face(face, self._points, face.ratio) * self._on_face(face, self._points, scale))
            for face in self.faces
            if face.ratio is not None
        ]

    @cached_property
    def _vectors(self) -> list[Complex]:
        return [axis.eigen[1] for axis in self.axes]

    @cached_property
    def _inverse(self) -> Complex:
        rates = np.meshgrid(*(axis.eigen[0] for axis in self.axes), indexing="ij")
        return np.asarray(1 / (np.sum(rates, axis=0) - self.constant))

    @cached_property
    def _seen(self) -> list[NDArray]:
        """From unknown amplitudes to the points of the quadrature."""
        return [values @ free for values, free in zip(self._values, self._free, strict=True)]

    @cached_property
    def _felt(self) -> list[NDArray]:
        """From these points to the eigenvectors."""
        parts = zip(self._vectors, self._restrict, self._tested, strict=True)
        return [vectors.T @ (restrict @ tested) for vectors, restrict, tested in parts]

    def apply(self, u: Complex) -> Complex:
        """The form of amplitudes u and every function of the basis, (n1, …, nd) both."""
        total = self._separated(u, 0) + self._on_faces(u)
        if self._varies is not None:
            total = total - along_each(self._tested, self._varies * along_each(self._values, u))
        return total

    def _separated(self, u: Complex, first: int) -> Complex:
        """Σ K_i ⊗ M … − c₀ M ⊗ … over the axes from `first` on, axis after axis."""
        axis = self.axes[first]
        through = along(axis.stiffness, first, u)
        if first == len(self.axes) - 1:
            return through - self.constant * along(axis.mass, first, u)
        for later in range(first + 1, len(self.axes)):
            through = along(self.axes[later].mass, later, through)
        return through + along(axis.mass, first, self._separated(u, first + 1))

    def _on_faces(self, u: Complex) -> Complex:
        """∮ E (β − its mean) u ψ."""
        total = np.zeros_like(u)
        for face, ratio in self._ratios:
            at, others = self._slab(face)
            trace = along_each([self._values[k] for k in others], u[at])
            total[at] += along_each([self._tested[k] for k in others], ratio * trace)
        return total

    def inverse(self, load: Complex) -> Complex:
        """Unknown amplitudes for the separated form and a load of them, (n1, …, nd) both."""
        return self._combined(along_each([matrix.T for matrix in self._vectors], load))

    def _combined(self, modal: Complex) -> Complex:
        return along_each(self._vectors, modal * self._inverse)

    def _preconditioned(self, u: Complex) -> Complex:
        """The inverse of the separated form, applied to the form, of unknown amplitudes."""
        if self._varies is not None:
            u = u - self._combined(along_each(self._felt, self._varies * along_each(self._seen, u)))
        if self._ratios:
            there = self._on_faces(along_each(self._free, u))
            u = u + self.inverse(along_each(self._restrict, there))
        return u

    def load(self, density: NDArray, column: int) -> Complex:
        """−∫ E f ψ + ∮ E g ψ of one column, (n1, …, nd). density: f on the products of the axes' points."""
        load = np.asarray(-along_each(self._tested, self._scale * density), dtype=complex)
        for face in self.faces:
            if not face.fixed:
                at, others = self._slab(face)
                given = self._on_face(face, self._points, partial(_column, face, column))
                given = given * self._on_face(face, self._points, self.scale)
                load[at] += along_each([self._tested[k] for k in others], given)
        return load

    def lift(self, column: int) -> Complex:
        """Amplitudes of a field with the given values on faces, (n1, …, nd)."""
        lifted = np.zeros(self.shape, dtype=complex)
        nodes = [axis.nodes for axis in self.axes]
        for face in self.faces:
            if face.fixed:
                at, others = self._slab(face)
                given = self._on_face(face, nodes, partial(_column, face, column))
                lifted[at] = along_each([self.axes[k].interpolation for k in others], given)
        return lifted

    def solve(
        self, density: NDArray, column: int, accuracy: float, guess: Complex | None
    ) -> tuple[Complex, float, int]:
        """Amplitudes (n1, …, nd), the residual relative to the field, and iterations.

        Layers make the eigenvectors nearly dependent; a second solve then corrects the rounding errors.
        """
        solution = self.lift(column)
        load = along_each(self._restrict, self.load(density, column))
        if guess is not None:
            inside = along_each([np.linalg.pinv(matrix) for matrix in self._free], guess - solution)
            solution = solution + along_each(self._free, inside)
        steps, residual, size = 0, np.inf, 0.0
        for _ in range(ROUNDS):
            target = self.inverse(load - along_each(self._restrict, self.apply(solution)))
            size = size or float(np.linalg.norm(solution) + np.linalg.norm(target))
            if not size:
                return solution, 0.0, steps
            before, residual = residual, float(np.linalg.norm(target)) / size
            if residual <= accuracy or residual > FALLING * before:
                break
            change, more_steps = self._iterated(target, min(accuracy / residual, COARSE))
            solution, steps = solution + along_each(self._free, change), steps + more_steps
        return solution, residual, steps

    def _iterated(self, target: Complex, accuracy: float) -> tuple[Complex, int]:
        """A change of the unknown amplitudes whose preconditioned form is the target, and the iterations it took."""
        if self._varies is None and not self._ratios:
            return target, 0
        steps = 0

        def step(flat: Complex) -> Complex:
            return self._preconditioned(flat.reshape(target.shape)).ravel()

        def count(_: float) -> None:
            nonlocal steps
            steps += 1

        solution, _ = gmres(
            LinearOperator((target.size, target.size), step, dtype=complex),
            target.ravel(),
            rtol=accuracy,
            restart=RESTART,
            maxiter=MOST_STEPS // RESTART,
            callback=count,
            callback_type="pr_norm",
        )
        return solution.reshape(target.shape), steps

    @property
    def _points(self) -> list[Array]:
        return [axis.x for axis in self.axes]

    def _slab(self, face: ElementFace) -> tuple[tuple[slice | int, ...], list[int]]:
        """The places of the amplitudes of a face, and the axes along it."""
        others = [k for k in range(len(self.axes)) if k != face.axis]
        return (slice(None),) * face.axis + (self.axes[face.axis].end(face.end),), others

    def _on_face(self, face: ElementFace, places: Sequence[Array], function: Function) -> NDArray:
        """A function on the products of places along the other axes."""
        grid, axis = list(places), self.axes[face.axis]
        grid[face.axis] = np.array([(axis.lower, axis.upper)[face.end]])
        return on_grid(function, grid).squeeze(face.axis)


def _column(face: ElementFace, column: int, points: Array) -> NDArray:
    return np.asarray(face.value(points))[:, column]


def on_grid(function: Function, grid: Sequence[Array]) -> NDArray:
    """A function of points (n, d) on the products of a grid, (n1, …, nd)."""
    points = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1)
    return np.asarray(function(points.reshape(-1, len(grid)))).reshape(points.shape[:-1])


def along(matrix: NDArray, axis: int, array: NDArray) -> NDArray:
    """Multiply a matrix (m, n) into one axis of an array."""
    rows, columns = math.prod(array.shape[:axis]), math.prod(array.shape[axis + 1 :])
    if columns == 1:
        product = array.reshape(rows, -1) @ matrix.T
    else:
        product = np.matmul(matrix, array.reshape(rows, -1, columns))
    return product.reshape(*array.shape[:axis], len(matrix), *array.shape[axis + 1 :])


def along_each(matrices: Sequence[NDArray], array: NDArray) -> NDArray:
    """Multiply one matrix into each of the axes of an array."""
    for axis, matrix in enumerate(matrices):
        array = along(matrix, axis, array)
    return array
