"""Equations on elements in space: interior points are eliminated element by element, so that only the ends remain."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from neurapde.conditions.constraints import Constraint
from neurapde.methods.marching.mesh import Mesh, reference
from neurapde.methods.marching.patches import Patches
from neurapde.methods.marching.rows import Matrix, Rows, Stages
from neurapde.methods.marching.system import PatchSystem, Solve
from neurapde.problem.equation import sharpened
from neurapde.problem.problem import Problem

BESIDE = 1e-9
"""Fraction of an element: distance from its end where the flux of that side is evaluated."""

Sides = tuple[tuple[Constraint, ...], tuple[Constraint, ...]]


class ElementSystem(PatchSystem):
    """An equation inside, conditions at both ends, and continuous slopes between elements.

    sides: the constraints at the lower and at the upper end. flux: points (n, 1) to the factor a (n,) of slopes where
    elements meet, evaluated on either side; None for 1.
    """

    stages = 8

    def __init__(
        self,
        problem: Problem,
        equation: Constraint,
        sides: Sides,
        mesh: Mesh,
        flux: Callable[[Matrix], Matrix] | None = None,
    ) -> None:
        self.problem, self.equation, self.sides, self.mesh, self.flux = problem, equation, sides, mesh, flux
        shortest = mesh.degree * float((mesh.edges[-1] - mesh.edges[0]) / mesh.lengths.min())
        self.inside = Rows(problem, sharpened(problem, equation, shortest), mesh.stencil())
        self.ends = [
            (end, Rows(problem, constraint, mesh.side(end)))
            for end, constraints in enumerate(sides)
            for constraint in constraints
        ]
        before = np.arange(mesh.elements - 1)
        self.pairs = before, before + 1
        slopes = mesh.slopes()
        left, right = slopes[self.pairs[0], 1], slopes[self.pairs[1], 0]
        if flux is not None:
            met, step = mesh.edges[1:-1], BESIDE * mesh.lengths
            left = left * flux((met - step[:-1])[:, None])[:, None]
            right = right * flux((met + step[1:])[:, None])[:, None]
        size = np.maximum(np.abs(left), np.abs(right)).max(axis=1, keepdims=True)
        self.joins = left / size, right / size

    @property
    def positions(self) -> Matrix:
        return self.mesh.positions[:, None]

    @property
    def quadrature(self) -> tuple[Matrix, Matrix]:
        ref = reference(self.mesh.degree)
        weights = np.multiply.outer(self.mesh.lengths / 2, ref.weights)
        return self.mesh.places(ref.points).reshape(-1, 1), weights.ravel()

    @property
    def patches(self) -> Patches:
        mesh = self.mesh
        coefficients = reference(mesh.degree).coefficients
        return Patches(mesh.edges[:-1, None], mesh.edges[1:, None], coefficients, mesh.nodes)

    def on(self, mesh: Mesh | None) -> "ElementSystem | None":
        """The same on another mesh."""
        return (
            None if mesh is None else ElementSystem(self.problem, self.equation, self.sides, mesh, self.flux)
        )

    def finer(self, values: Matrix, sizes: Matrix, limit: float) -> "ElementSystem | None":
        return self.on(self.mesh.cut(self.mesh.tails(values, sizes), limit))

    def coarser(self, values: Matrix, sizes: Matrix, limit: float) -> "ElementSystem | None":
        return self.on(self.mesh.merged(values, sizes, limit))

    def carried(self, values: Matrix, other: "ElementSystem") -> Matrix:
        return self.mesh.carried(values, other.mesh)

    def residual(self, stages: Stages) -> Matrix:
        inside = self.inside.residual(stages)
        return self._all(inside, [rows.residual(stages) for _, rows in self.ends], stages)

    def linearised(self, stages: Stages) -> tuple[Matrix, Solve]:
        residual, slopes = self.inside.linearised(stages)
        ends = [rows.linearised(stages) for _, rows in self.ends]
        residuals = self._all(residual, [pair[0] for pair in ends], stages)
        parts = _Condensed.of(slopes)
        block = int(parts.block)
        rows, columns, entries = [], [], []
        number = 0
        nodes = self.mesh.elements + 1

        def add(first: int, reduced: Matrix, element: int) -> None:
            """A block of rows (rows, 2, block) at the ends of an element."""
            for k in range(2):
                at = (element + k) % nodes * block
                place = np.indices((reduced.shape[0], block))
                rows.append(place[0].ravel() + first)
                columns.append(place[1].ravel() + at)
                entries.append(reduced[:, k].ravel())

        scales = []
        for (end, _), (_, end_slopes) in zip(self.ends, ends, strict=True):
            element = int(end * (self.mesh.elements - 1))
            whole = np.moveaxis(end_slopes[0], 4, 3)
            whole = whole.reshape(whole.shape[0] * whole.shape[1] * whole.shape[2], whole.shape[3], block)
            scale = np.abs(whole).max(axis=(1, 2))
            scales.append((number, element, whole / scale[:, None, None], scale))
            add(number, parts.reduced(scales[-1][2], element), element)
            number += int(scale.size)
        joined = number
        unit = np.eye(block)
        for k, (e, after) in enumerate(zip(*self.pairs, strict=True)):
            for element, row, sign in ((int(e), self.joins[0][k], 1.0), (int(after), self.joins[1][k], -1.0)):
                add(number, parts.reduced(sign * np.einsum("n,ab->anb", row, unit), element), element)
            number += int(block)
        place = (np.concatenate(rows), np.concatenate(columns))
        matrix = coo_matrix((np.concatenate(entries), place), shape=(number, number))
        factors = splu(matrix.tocsc())

        def solve(rest: Matrix) -> Matrix:
            split = residual.size
            inner = np.moveaxis(rest[:split].reshape(residual.shape), 1, 0).reshape(self.mesh.elements, -1)
            alone = parts.alone(inner)
            right = rest[split:].copy()
            for first, element, whole, scale in scales:
                mine = slice(first, first + len(whole))
                right[mine] = right[mine] / scale - np.einsum("anb,nb->a", whole[:, 1:-1], alone[element])
            e, after = self.pairs
            right[joined:] -= np.einsum("kn,knb->kb", self.joins[0][:, 1:-1], alone[e]).ravel()
            right[joined:] += np.einsum("kn,knb->kb", self.joins[1][:, 1:-1], alone[after]).ravel()
            ends = factors.solve(right).reshape(nodes, block)
            both = np.stack(
                [ends[: self.mesh.elements], np.roll(ends, -1, axis=0)[: self.mesh.elements]], axis=1
            )
            change = np.concatenate([both[:, :1], alone - parts.followed(both), both[:, 1:]], axis=1)
            values = np.empty((self.mesh.count, block))
            values[self.mesh.nodes] = change
            count, _, components = stages.values[1:].shape
            return np.moveaxis(values.reshape(self.mesh.count, count, components), 1, 0)

        return residuals, solve

    def _all(self, inside: Matrix, ends: list[Matrix], stages: Stages) -> Matrix:
        """Residuals inside, at both ends, and of the slopes between elements, in one vector."""
        values = stages.values[1:, self.mesh.nodes]
        e, after = self.pairs
        left = np.einsum("kn,iknc->kic", self.joins[0], values[:, e])
        right = np.einsum("kn,iknc->kic", self.joins[1], values[:, after])
        return np.concatenate(
            [inside.ravel(), *(residual.ravel() for residual in ends), (left - right).ravel()]
        )


@dataclass(frozen=True, eq=False)
class _Condensed:
    """The elimination of the nodes inside elements.

    factors: of the rows by the nodes inside. scale: of the rows (elements, rows). follow: (elements, nodes inside,
    block, 2 block). block: numbers at a node, for all stages and components.
    """

    factors: tuple[torch.Tensor, torch.Tensor]
    scale: Matrix
    follow: Matrix
    block: int

    @staticmethod
    def of(slopes: Matrix) -> "_Condensed":
        """From the slopes of `Rows`."""
        elements, count, places, equations, _, nodes, components = slopes.shape
        block = count * components
        whole = np.moveaxis(slopes, 5, 4).reshape(elements, count * places * equations, nodes, block)
        scale = np.abs(whole).max(axis=(2, 3))
        whole = whole / scale[:, :, None, None]
        inner = torch.from_numpy(np.ascontiguousarray(whole[:, :, 1:-1])).reshape(
            elements, -1, (nodes - 2) * block
        )
        outer = torch.from_numpy(np.ascontiguousarray(whole[:, :, [0, -1]])).reshape(elements, -1, 2 * block)
        factors = torch.linalg.lu_factor(inner)
        follow = torch.linalg.lu_solve(*factors, outer).numpy()
        return _Condensed(factors, scale, follow.reshape(elements, nodes - 2, block, 2 * block), block)

    def alone(self, rest: Matrix) -> Matrix:
        """The nodes inside (elements, nodes, block) for residuals (elements, rows), the ends fixed."""
        right = torch.from_numpy((rest / self.scale)[:, :, None])
        return torch.linalg.lu_solve(*self.factors, right).numpy().reshape(self.follow.shape[:3])

    def followed(self, ends: Matrix) -> Matrix:
        """The change of the nodes inside for a change at the ends (elements, 2, block)."""
        return np.einsum("enbk,ek->enb", self.follow, ends.reshape(len(ends), -1))

    def reduced(self, rows: Matrix, element: int) -> Matrix:
        """Rows (a, nodes, block) of one element as rows of its ends (a, 2, block)."""
        inside = np.tensordot(rows[:, 1:-1], self.follow[element], axes=((1, 2), (0, 1)))
        return rows[:, [0, -1]] - inside.reshape(len(rows), 2, self.block)
