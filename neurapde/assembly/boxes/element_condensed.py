"""The weak form of waves in a plane on many elements, solved directly: an element is condensed to its edges.

Polynomials that vanish on the edges of an element do not couple to other elements, so they are eliminated element by
element. The rest couples only the edges, and is factored once for all right-hand sides. Unlike that of an iteration,
the work does not depend on how waves are scattered or trapped.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse.linalg import SuperLU, splu

from neurapde.assembly.boxes.element_form import Complex, ElementForm
from neurapde.spectral.elements import ElementAxis, LocalBasis

PIVOT = 0.01
"""Least size of a pivot on the diagonal, relative to its column: the matrix is symmetric, and its order kept."""
SMALLEST = 4
"""Stations along an axis that are not cut any more: those of two elements."""


@dataclass(frozen=True)
class _Inside:
    """The inside of one element: places of its amplitudes and of those on its edges, and their coupling."""

    places: NDArray[np.int64]
    edge: NDArray[np.int64]
    factors: tuple[Complex, NDArray[np.int32]]
    out: Complex
    back: Complex


class CondensedForm(ElementForm):
    """The form on two axes of many elements."""

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """The amplitude that each product of the elements' own polynomials has."""
        first, second = self.axes
        places: NDArray[np.int64] = np.add.outer(first.places * self.shape[1], second.places).ravel()
        return places

    def solve(
        self, density: NDArray, column: int, accuracy: float, guess: Complex | None
    ) -> tuple[Complex, float, int]:
        """Amplitudes (n1, n2), the residual left relative to the right-hand side, and no iterations."""
        known = self.lift(column).ravel()
        right = np.zeros(len(known), dtype=complex)
        np.add.at(right, self._places, self.load(density, column).ravel())
        insides, matrix = self._condensed
        inner = [lu_solve(element.factors, right[element.places]) for element in insides]
        for element, interior in zip(insides, inner, strict=True):
            right[element.edge] -= element.out @ interior
        free, fixed = self._edges
        target = right[free] - matrix[free][:, fixed] @ known[fixed]
        solution = np.zeros(len(known), dtype=complex)
        solution[fixed] = known[fixed]
        solution[free] = self._factors.solve(target)
        residual = np.linalg.norm(matrix[free][:, free] @ solution[free] - target)
        for element, interior in zip(insides, inner, strict=True):
            solution[element.places] = interior - element.back @ solution[element.edge]
        size = np.linalg.norm(target)
        return solution[self._places].reshape(self.shape), float(residual / size) if size else 0.0, 0

    @cached_property
    def _edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The places on edges of elements: unknown ones in the order of elimination, and those with given values."""
        edges = np.unique(np.concatenate([element.edge for element in self._condensed[0]]))
        first, second = (_stations(axis, size) for axis, size in zip(self.axes, self.shape, strict=True))
        edges = edges[
            nested_dissection(np.stack([first[edges // self.shape[1]], second[edges % self.shape[1]]]))
        ]
        given = np.zeros(self.shape, dtype=bool)
        for face in self.faces:
            if face.fixed:
                given[self._slab(face)[0]] = True
        fixed = np.zeros(given.size, dtype=bool)
        fixed[self._places[given.ravel()]] = True
        return edges[~fixed[edges]], edges[fixed[edges]]

    @cached_property
    def _factors(self) -> SuperLU:
        free, _ = self._edges
        matrix = sparse.csc_array(self._condensed[1][free][:, free])
        options = {"SymmetricMode": True}
        return splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=PIVOT, options=options)

    @cached_property
    def _condensed(self) -> tuple[list[_Inside], sparse.csr_array]:
        """The insides of all elements, and the matrix of all edges."""
        insides, rows, columns, values = [], [], [], []
        for element in self.axes[0].elements:
            for other in self.axes[1].elements:
                matrix = self._of_element(element, other)
                places = np.add.outer(element.places * self.shape[1], other.places).ravel()
                on_edge = np.logical_or.outer(
                    np.arange(len(element.places)) < 2, np.arange(len(other.places)) < 2
                )
                edge, inside = np.flatnonzero(on_edge), np.flatnonzero(~on_edge)
                out, factors = matrix[np.ix_(edge, inside)], lu_factor(matrix[np.ix_(inside, inside)])
                back = lu_solve(factors, matrix[np.ix_(inside, edge)])
                insides.append(_Inside(places[inside], places[edge], factors, out, back))
                rows.append(np.repeat(places[edge], len(edge)))
                columns.append(np.tile(places[edge], len(edge)))
                values.append((matrix[np.ix_(edge, edge)] - out @ back).ravel())
        for row, column, value in self._of_faces():
            rows.append(row)
            columns.append(column)
            values.append(value)
        size = self.shape[0] * self.shape[1]
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return insides, sparse.csr_array(entries, shape=(size, size))

    def _of_element(self, element: LocalBasis, other: LocalBasis) -> Complex:
        """The form of one element, (n, n), summed axis by axis."""
        n, m = len(element.places), len(other.places)
        first = element.stiffness - self.constant * element.mass
        matrix = np.multiply.outer(first.ravel(), other.mass.ravel())
        matrix += np.multiply.outer(element.mass.ravel(), other.stiffness.ravel())
        if self._varies is not None:
            weights = self._varies[element.rows, other.rows] * np.multiply.outer(
                element.weights, other.weights
            )
            matrix -= element.products.T @ weights @ other.products
        return matrix.reshape(n, n, m, m).transpose(0, 2, 1, 3).reshape(n * m, n * m)

    def _of_faces(self) -> list[tuple[NDArray, NDArray, NDArray]]:
        """Rows, columns and values of ∮ E (β − its mean) u ψ."""
        entries = []
        for face, ratio in self._ratios:
            at, (other,) = self._slab(face)
            places = self._places.reshape(self.shape)[at]
            matrix = sparse.coo_array(self._tested[other] @ (ratio[:, None] * self._values[other]))
            entries.append((places[matrix.row], places[matrix.col], matrix.data))
        return entries


def _stations(axis: ElementAxis, size: int) -> NDArray[np.int64]:
    """The places of the polynomials of an axis: 2e inside element e, and odd numbers at its ends."""
    stations = np.zeros(size, dtype=np.int64)
    for number, element in enumerate(axis.elements):
        stations[element.places[:2]] = 2 * number - 1, 2 * number + 1
        stations[element.places[2:]] = 2 * number
    return stations


def nested_dissection(stations: NDArray[np.int64]) -> NDArray[np.int64]:
    """An elimination order for the edges of a lattice of elements: halves first, then the line between them.

    stations: `(2, n)`, odd on lines of the lattice. Fill grows like n log n, and work like n^1.5.
    Source: George (1973), SIAM J. Numer. Anal. 10(2).
    """

    def ordered(some: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        here = stations[:, some]
        lowest, highest = here.min(axis=1), here.max(axis=1)
        axis = int(np.argmax(highest - lowest))
        if highest[axis] - lowest[axis] <= SMALLEST:
            return [some]
        line = (int(lowest[axis] + highest[axis]) // 4) * 2 + 1
        at = here[axis]
        parts = (some[at < line], some[at > line])
        return [*(place for half in parts if len(half) for place in ordered(half)), some[at == line]]

    return np.concatenate(ordered(np.arange(stations.shape[1]))) if stations.size else np.arange(0)
