"""An interval in elements, on each of which a field is a polynomial."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from neurapde.methods.marching.radau import vander
from neurapde.methods.marching.rows import Matrix, Stencil
from neurapde.spectral.quadrature import gauss

FINEST = 1e-7
"""Fraction of the interval: shorter elements are not cut."""
MERGED = 0.1
"""Fraction of the limit for the last coefficients of two merged elements."""
ALIKE = 2.1
"""Largest ratio of the lengths of merged neighbours."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Nodes and points on [−1, 1] for polynomials of a degree.

    nodes: (degree + 1,), with both ends. points: collocation points, (degree − 1,), with Gauss weights.
    inside, ends: the value and two derivatives at the points (3, degree − 1, degree + 1) and at both ends (3, 2, …).
    coefficients: Chebyshev's, from values at the nodes.
    """

    nodes: Matrix
    points: Matrix
    weights: Matrix
    inside: Matrix
    ends: Matrix
    coefficients: Matrix


@lru_cache
def reference(degree: int) -> Reference:
    """The reference element of a degree."""
    nodes = -np.cos(np.pi * np.arange(degree + 1) / degree)
    points, weights = gauss(degree - 1)
    coefficients = np.linalg.inv(vander(nodes, degree)[0])
    inside, ends = (vander(places, degree) @ coefficients for places in (points, np.array([-1.0, 1.0])))
    return Reference(nodes, points, weights, inside, ends, coefficients)


@dataclass(frozen=True, eq=False)
class Mesh:
    """edges: of the elements, ascending, (elements + 1,). finest: fraction of the interval below which elements are
    not cut."""

    edges: Matrix
    degree: int
    finest: float = FINEST

    @property
    def elements(self) -> int:
        """How many."""
        return len(self.edges) - 1

    @property
    def count(self) -> int:
        """Nodes in all: neighbours share one."""
        return self.elements * self.degree + 1

    @cached_property
    def nodes(self) -> NDArray[np.int64]:
        """The numbers of the nodes of each element (elements, degree + 1)."""
        return np.arange(self.elements)[:, None] * self.degree + np.arange(self.degree + 1)

    @property
    def lengths(self) -> Matrix:
        """Of the elements."""
        return np.diff(self.edges)

    def places(self, on: Matrix) -> Matrix:
        """Places on each element (elements, n) from those on [−1, 1]."""
        return self.edges[:-1, None] + np.multiply.outer(self.lengths, (on + 1) / 2)

    @property
    def positions(self) -> Matrix:
        """Of the nodes (count,)."""
        positions = np.empty(self.count)
        positions[self.nodes[::-1]] = self.places(reference(self.degree).nodes)[::-1]
        return positions

    def stencil(self) -> Stencil:
        """The points inside all elements."""
        ref = reference(self.degree)
        return Stencil(
            self.places(ref.points)[:, :, None], self.nodes, self._scaled(ref.inside, self.lengths)
        )

    def side(self, end: int) -> Stencil:
        """The lower (0) or upper (1) end."""
        which = slice(0, 1) if end == 0 else slice(-1, None)
        operators = self._scaled(reference(self.degree).ends[:, end : end + 1], self.lengths[which])
        normals = np.array([2.0 * end - 1.0, 0.0])
        return Stencil(self.edges[which].reshape(1, 1, 1), self.nodes[which], operators, normals)

    def slopes(self) -> Matrix:
        """∂/∂x at both ends of each element by its nodes (elements, 2, degree + 1)."""
        return self._scaled(reference(self.degree).ends, self.lengths)[:, :, 1]

    def _scaled(self, operators: Matrix, lengths: Matrix) -> Matrix:
        """Operators (3, places, nodes) on elements of these lengths: (elements, places, 3, nodes)."""
        scale = np.power.outer(2 / lengths, np.arange(3))
        return np.einsum("eb,bpn->epbn", scale, operators)

    def tails(self, values: Matrix, sizes: Matrix) -> Matrix:
        """The last two Chebyshev coefficients on each element (elements,), of values (moments, count, components)."""
        last = reference(self.degree).coefficients[-2:]
        return np.abs(np.einsum("kn,jenc->jekc", last, values[:, self.nodes]) / sizes).max(axis=(0, 2, 3))

    def cut(self, tails: Matrix, limit: float) -> "Mesh | None":
        """The mesh with all elements halved whose tails are above a limit; None if there are none."""
        wide = self.lengths > self.finest * (self.edges[-1] - self.edges[0])
        chosen = (tails > limit) & wide
        if not chosen.any():
            return None
        middles = (self.edges[:-1] + self.edges[1:])[chosen] / 2
        return replace(self, edges=np.sort(np.concatenate([self.edges, middles])))

    def merged(self, values: Matrix, sizes: Matrix, limit: float) -> "Mesh | None":
        """The mesh with neighbours merged whose tails stay far below the limit, at least two elements; None if there
        are none."""
        ends, e, lengths = [0], 0, self.lengths
        whole = self.edges[-1] - self.edges[0]
        while e < self.elements:
            if e + 1 < self.elements and lengths[e] + lengths[e + 1] <= whole / 2:
                ratio = lengths[e] / lengths[e + 1]
                if 1 / ALIKE < ratio < ALIKE and self._joint_tail(values, e, sizes) < MERGED * limit:
                    e += 1
            e += 1
            ends.append(e)
        if len(ends) == self.elements + 1:
            return None
        return replace(self, edges=self.edges[ends])

    def _joint_tail(self, values: Matrix, e: int, sizes: Matrix) -> float:
        """The tail of elements e and e + 1 as one, including the jump between their polynomials."""
        joint = Mesh(self.edges[[e, e + 2]], self.degree)
        two = Mesh(self.edges[e : e + 3], self.degree)
        both = values[:, np.concatenate([self.nodes[e], self.nodes[e + 1][1:]])]
        return float(joint.tails(two.carried(both, joint), sizes).max())

    def carried(self, values: Matrix, other: "Mesh") -> Matrix:
        """Values (…, count, components) on the nodes of another mesh of the same interval."""
        places = other.positions
        mine = np.clip(np.searchsorted(self.edges, places, side="right") - 1, 0, self.elements - 1)
        on = 2 * (places - self.edges[mine]) / self.lengths[mine] - 1
        weights = vander(on, self.degree)[0] @ reference(self.degree).coefficients
        return np.einsum("mn,...mnc->...mc", weights, values[..., self.nodes[mine], :])
