"""The error of a field on a box, from its residuals in equation and conditions between the points of a solve.

The residual at many points is expanded in sines or cosines of each axis that suit its ends. Each is divided by a|ω|² +
c, which gives the error, exactly for constant a and c. The residual of the conditions is a load at the faces.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.polynomial.legendre import legder, legvander

from neurapde.assembly.boxes.declared import BoxProblem
from neurapde.conditions.constraints import Samples
from neurapde.core.arrays import to_numpy
from neurapde.jets.jet import Jet
from neurapde.spectral.box_form import Face
from neurapde.spectral.legendre import Ends
from neurapde.spectral.modes import along_all
from neurapde.spectral.quadrature import gauss
from neurapde.spectral.separable import Array, Values

FOLLOWED = 0.6
"""Waves along an axis, in units of the points, which are less dense in the middle than on average."""


@dataclass(frozen=True)
class _Waves:
    """Orthonormal sines and cosines of one axis that suit its ends.

    points: Gauss points (m,), dense towards the ends, where the residual of a polynomial oscillates.
    frequencies: ω (n,). transform: from values at the points to coefficients, (n, m). at_ends: (2, n), the
    contribution of a slope at the lower and the upper end to each coefficient, or that of a value at fixed ends.
    """

    points: Array
    frequencies: Array
    transform: Array
    at_ends: Array

    @classmethod
    def of(cls, lower: float, upper: float, ends: Ends, count: int) -> "_Waves":
        unit, weights = gauss(count)
        length = upper - lower
        x, along = lower + length * (unit + 1) / 2, np.arange(int(FOLLOWED * count))
        if ends.periodic:
            omega, phase = 2 * np.pi / length * ((along + 1) // 2), -np.pi / 2 * (along % 2)
        else:
            first = {(True, True): 1.0, (False, False): 0.0}.get(ends.fixed, 0.5)
            omega = np.pi / length * (along + first)
            phase = np.full(len(omega), -np.pi / 2 if ends.fixed[0] else 0.0)
        size = np.where(omega > 0, math.sqrt(2 / length), math.sqrt(1 / length))
        at_ends = np.zeros((2, len(omega)))
        for end in (0, 1) if not ends.periodic else ():
            angle, outward = omega * length * end + phase, 2 * end - 1
            at_ends[end] = size * (outward * omega * np.sin(angle) if ends.fixed[end] else np.cos(angle))
        waves: Array = size[:, None] * np.cos(np.multiply.outer(omega, x - lower) + phase[:, None])
        return cls(x, np.asarray(omega), waves * (weights * length / 2), at_ends)


def residual_error(box: BoxProblem, amplitudes: Values, counts: Sequence[int], slowest: float) -> float:
    """The L2 norm of the error relative to that of the field, the largest of all columns.

    amplitudes: of Legendre polynomials (n1, …, columns). counts: points along each axis. slowest: the smallest size of
    an eigenvalue of the equation.
    """
    lower, upper = (corner.tolist() for corner in box.box.bounds)
    waves = [
        _Waves.of(a, b, ends, count) for a, b, ends, count in zip(lower, upper, box.ends, counts, strict=True)
    ]
    tables = [
        _tables(wave.points, a, b, n)
        for wave, a, b, n in zip(waves, lower, upper, amplitudes.shape, strict=False)
    ]
    residual = _of_equation(box, amplitudes, [wave.points for wave in waves], tables)
    residual = along_all([wave.transform for wave in waves], residual)
    for number, face in enumerate(box.faces):
        if face is not None:
            residual = residual + _of_face(box, number, face, amplitudes, waves, tables)
    squares = sum(np.meshgrid(*(wave.frequencies**2 for wave in waves), indexing="ij"))
    rates = np.maximum(np.abs(box.mean_coefficient * squares + box.mean_reaction), slowest)
    if box.leaves_constant:
        residual[(0,) * len(waves)] = 0.0
    error = norms(residual / rates[..., None])
    size = norms(weighed(box, amplitudes))
    return float(np.max(error / np.where(size > 0, size, 1.0)))


def weighed(box: BoxProblem, amplitudes: Values) -> Values:
    """Amplitudes of Legendre polynomials (n1, …, columns) of the norm 1 over the box."""
    weighted = amplitudes
    for axis, extent in enumerate(box.box.extents):
        count = weighted.shape[axis]
        size = np.sqrt(extent / (2 * np.arange(count) + 1))
        weighted = weighted * np.expand_dims(size, [k for k in range(weighted.ndim) if k != axis])
    return weighted


def norms(values: Values) -> Array:
    """The norm of each column (…, columns): (columns,)."""
    return np.linalg.norm(values.reshape(-1, values.shape[-1]), axis=0)


def _tables(x: Array, lower: float, upper: float, count: int) -> list[Array]:
    """The polynomials at x and their first two derivatives, (n, count) each."""
    half = (upper - lower) / 2
    t, every = (x - lower) / half - 1, np.eye(count)
    table: Array = np.asarray(legvander(t, count - 1), dtype=np.float64)
    tables: list[Array] = [table]
    for order in (1, 2):
        slope = np.zeros((count, count))
        slope[: count - order] = legder(every, order)
        tables.append(np.asarray(table @ slope / half**order))
    return tables


def _of_equation(
    box: BoxProblem, amplitudes: Values, grid: Sequence[Array], tables: Sequence[Sequence[Array]]
) -> Values:
    """f minus the equation's left-hand side at the products of a grid, (n1, …, columns)."""
    problem, d = box.problem, len(grid)
    constraint = next(constraint for constraint in problem.equation.constraints(problem))
    layout = problem.layout(constraint)
    parts = [
        along_all([table[degree] for table, degree in zip(tables, degrees, strict=True)], amplitudes)
        for degrees in layout.degrees
    ]
    points = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, d)
    channels = torch.as_tensor(np.stack(parts)).reshape(layout.count, len(points), box.columns)
    jet = Jet(channels if box.columns > 1 else channels[..., 0], layout)
    with torch.no_grad():
        residual = to_numpy(constraint.residual(Samples(torch.as_tensor(points)), jet))
    return -box.sign * residual.reshape(*(len(x) for x in grid), box.columns)


def _of_face(
    box: BoxProblem,
    number: int,
    face: Face,
    amplitudes: Values,
    waves: Sequence[_Waves],
    tables: Sequence[Sequence[Array]],
) -> Values:
    """The coefficient of each product of waves for an error in the value or slope on a face."""
    axis, end = divmod(number, 2)
    lower, upper = box.box.sides[axis]
    others = [k for k in range(len(waves)) if k != axis]
    grid = [waves[k].points for k in others]
    grid.insert(axis, np.array([(lower, upper)[end]]))
    points = np.stack(np.meshgrid(*grid, indexing="ij"), axis=-1).reshape(-1, len(waves))
    ends = _tables(grid[axis], lower, upper, amplitudes.shape[axis])
    shape = [len(wave.points) for k, wave in enumerate(waves) if k != axis]

    def there(order: int) -> Values:
        maps = [tables[k][0] for k in range(len(waves))]
        maps[axis] = ends[order]
        return along_all(maps, amplitudes).squeeze(axis)

    missed = face.value(points).reshape(*shape, box.columns)
    if face.fixed:
        missed = missed - there(0)
    else:
        ratio = face.ratio(points) if face.ratio else np.full(len(points), box.ends[axis].ratios[end])
        missed = missed - (2 * end - 1) * there(1) - ratio.reshape(*shape, 1) * there(0)
    by = to_numpy(box.coefficient(points)).reshape(*shape, 1)
    missed = along_all([waves[k].transform for k in others], by * missed)
    return np.moveaxis(np.multiply.outer(waves[axis].at_ends[end], missed), 0, axis)
