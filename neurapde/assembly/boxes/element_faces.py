"""Conditions on the faces of a box of waves, and the part that the polynomials must meet besides known waves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neurapde.assembly.boxes.element_form import Array, Complex, ElementFace, Function
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.conditions.base import ZERO, Mixed
from neurapde.core.arrays import to_numpy
from neurapde.domains.box import Box
from neurapde.jets.jet import Layout
from neurapde.problem.problem import Problem
from neurapde.spectral.elements import ElementEnds

ALONG = 25
"""Points along each axis of a face at which a ratio is looked at."""
SAME = 1e-12
"""Of a ratio: what differs by less is the same."""


@dataclass(frozen=True)
class WaveFaces:
    """The faces of a Helmholtz problem on a box. coefficient: c = k²/speed². backgrounds: the known waves of every shot."""

    problem: Problem
    box: Box
    coefficient: Callable[[Array], Array]
    backgrounds: Sequence[Sequence[OutgoingWave]]

    @cached_property
    def ends(self) -> list[ElementEnds]:
        """The conditions at the ends of each axis, with the mean of a varying ratio."""
        ends = []
        for low, high in zip(self.every[::2], self.every[1::2], strict=True):
            if low is None or high is None:
                ends.append(ElementEnds(periodic=True))
            else:
                pair = (low, high)
                ratios = [0.0 if face.fixed else self._mean_ratio(face) for face in pair]
                ends.append(ElementEnds((low.fixed, high.fixed), (ratios[0], ratios[1])))
        return ends

    def _mean_ratio(self, face: ElementFace) -> complex:
        return complex(np.mean(self._ratio(face.axis, face.end)(self._on(face.axis, face.end))))

    def _on(self, axis: int, end: int) -> Array:
        grid = [np.linspace(*side, ALONG) for side in self.box.sides]
        grid[axis] = np.array([self.box.sides[axis][end]])
        return np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, self.box.dimension)

    @cached_property
    def every(self) -> list[ElementFace | None]:
        """The conditions on every face, the lower and the upper of each axis in turn; None for periodic ones."""
        return [self._face(*divmod(number, 2)) for number in range(2 * self.box.dimension)]

    def _face(self, axis: int, end: int) -> ElementFace | None:
        sides, name = self.problem.sides, self.box.faces[2 * axis + end]
        given = sides.data.get(name)
        if given is None and name not in sides.open:
            return None
        if sides.open.get(name) or (given is not None and (given.fixes or given.b == ZERO)):
            return ElementFace(axis, end, True, self._value(given, axis, end, None))
        ratio = self._ratio(axis, end)
        at = ratio(self._on(axis, end))
        mean = complex(np.mean(at))
        varies = float(np.abs(at - mean).max()) > SAME * abs(mean)
        apart = (lambda x: ratio(x) - mean) if varies else None
        return ElementFace(axis, end, False, self._value(given, axis, end, ratio), apart)

    def _ratio(self, axis: int, end: int) -> Function:
        """β of ∂u/∂n + β u on a face."""
        name = self.box.faces[2 * axis + end]
        given = self.problem.sides.data.get(name)
        if name in self.problem.sides.open or given is None:
            return lambda x: 1j * np.sqrt(self.coefficient(x) + 0j)
        return lambda x: to_numpy(given.a(x)) / to_numpy(given.b(x))

    def _value(self, given: Mixed | None, axis: int, end: int, ratio: Function | None) -> Function:
        """The value or flux of the polynomials on a face: the given one minus that of the known waves."""
        layout = Layout(self.box.dimension, 0 if ratio is None else 1, ())

        def value(points: Array) -> Complex:
            values = np.zeros((len(points), len(self.backgrounds)), dtype=complex)
            if given is not None:
                by = to_numpy(given.b(points)) if ratio is not None else 1.0
                by = to_numpy(given.a(points)) if ratio is None and not given.fixes else by
                values += (to_numpy(given.value(points)) / by)[:, None]
            for shot, waves in enumerate(self.backgrounds):
                for wave in waves:
                    known = wave.channels(points, layout)
                    there = (
                        known[0]
                        if ratio is None
                        else (2 * end - 1) * known[1 + axis] + ratio(points) * known[0]
                    )
                    values[:, shot] -= there
            return values

        return value
