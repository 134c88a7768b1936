"""Conditions at the same points that no field can meet together, found before any work, for all methods.

At a point a field has a value and derivatives, and a condition that is linear in them is a row for these numbers. If a
combination of rows is zero but that of their right-hand sides is not, no field meets them all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.constraints import AtPoints, Constraint, Face, Samples
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number, point
from neurapde.domains.box import Box
from neurapde.domains.spacetime import FINAL, INITIAL, SpaceTime
from neurapde.equations.fit import Fit
from neurapde.jets.jet import Jet, Layout
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.lengths import axis_lengths

POINTS, MOST_COLUMNS = 64, 400
"""Points on a face, and the largest number of channels of a field at one."""
SAME = 1e-9
"""Fraction of the domain's size: nearer points count as one."""
NONE = 1e-9
"""Fraction of a row: its remainder if it depends on others, or is nonlinear."""
APART = 1e-6
"""Fraction of the largest value: smallest difference that counts."""
PART = 1e-3
"""Of the largest part in a contradiction, below which a condition has none."""
SEED = 40847


@dataclass(frozen=True)
class Contradiction:
    """Conditions at a place that no field can meet: the difference between the last of their names and the others."""

    place: str
    names: tuple[str, ...]
    off: float
    asked: complex
    others: complex

    def __str__(self) -> str:
        names = listing(repr(name) for name in self.names)
        return f"at {self.place} {names} contradict each other by {number(_rounded(self.off))}; {self.values}"

    @property
    def values(self) -> str:
        """The values that they prescribe."""
        nothing = SAME * max(abs(self.asked), abs(self.others))
        asked, others = (number(_rounded(value, nothing)) for value in (self.asked, self.others))
        *_, before, last = (repr(name) for name in self.names)
        if len(self.names) > 2:
            return f"{last} gives {asked} there, but the others give {others}"
        return f"{before} gives {others} there, but {last} gives {asked}"


def check_shared_points(problem: Problem) -> None:
    """Refuse conditions that contradict each other at shared points; nonlinear ones are left out.

    Raises: DeclarationError with their names, the place, the values there, and their difference.
    """
    if isinstance(problem.equation, Fit):  # data may be noisy
        return
    for constraints, samples in _shared(problem):
        if found := contradiction(problem, constraints, samples):
            raise DeclarationError(
                f"{problem.name} has no solution: {found}; change one of them, or leave it out"
            )


def _shared(problem: Problem) -> Iterator[tuple[list[Constraint], Samples]]:
    """Constraints with points that they share: those on a face, and those at given points with each other and with faces."""
    domain = problem.domain
    on_faces = [
        (constraint, constraint.sample)
        for constraint in problem.constraints
        if isinstance(constraint.sample, Face)
    ]
    for face in domain.faces:
        there = [
            constraint for constraint, sample in on_faces if sample.domain == domain and face in sample.on
        ]
        if len(there) > 1:
            yield there, Face(domain, (face,))(POINTS, how="grid")
    at_points = [
        (constraint, constraint.sample)
        for constraint in problem.constraints
        if isinstance(constraint.sample, AtPoints)
    ]
    at_points = [(constraint, sample) for constraint, sample in at_points if sample.targets is None]
    size = max(domain.extents)
    for i, (constraint, sample) in enumerate(at_points):
        for other, places in at_points[:i]:
            near = torch.cdist(sample.points, places.points).amin(1) <= SAME * size
            if near.any():
                yield [other, constraint], Samples(sample.points[near])
        for other, side in on_faces:
            if other.order == 0 and side.domain == domain:
                near = torch.as_tensor(_on_face(side, sample.points.numpy(), size))
                if near.any():
                    yield [other, constraint], Samples(sample.points[near])


def _on_face(face: Face, points: np.ndarray, size: float) -> np.ndarray:
    """Which points (n, d) are on a face: bool (n,). For other domains than boxes, only if all faces are meant."""
    domain = face.domain
    if not isinstance(domain.spatial, Box):
        everywhere = set(domain.faces) <= set(face.on)
        return (
            np.abs(np.asarray(domain.signed_distance(points))) <= SAME * size
            if everywhere
            else points[:, 0] != points[:, 0]
        )
    lower, upper = domain.bounds
    mask = np.zeros(len(points), dtype=bool)
    for name in face.on:
        axis, end = (
            (domain.dimension - 1, int(name == FINAL))
            if isinstance(domain, SpaceTime) and name in (INITIAL, FINAL)
            else domain.spatial.face_axis(name)
        )
        at = (lower, upper)[end][axis]
        mask |= np.abs(points[:, axis] - at) <= SAME * (upper - lower)[axis]
    return mask


def contradiction(
    problem: Problem, constraints: Sequence[Constraint], samples: Samples, least: float = 0.0
) -> Contradiction | None:
    """The point of samples with the largest contradiction of constraints, or None.

    least: smallest difference that counts, besides a small part of the largest value there.
    """
    layout = problem.layout(max(constraints, key=lambda constraint: constraint.order))
    named = [
        (constraint.name, rows)
        for constraint in constraints
        if (rows := linear_rows(problem, constraint, samples, layout)) is not None
    ]
    if len(named) < 2:
        return None
    names = [name for name, (matrix, _) in named for _ in range(matrix.shape[1])]
    matrix, loads = (torch.cat([rows[i] for _, rows in named], dim=1) for i in range(2))
    sizes = torch.linalg.vector_norm(matrix, dim=2).amax(0)
    sizes = torch.where(sizes > 0, sizes, torch.ones_like(sizes))
    matrix, loads = matrix / sizes[:, None], loads / sizes
    left, singular, _ = torch.linalg.svd(matrix)
    held = torch.nn.functional.pad(singular > NONE, (0, left.shape[1] - singular.shape[1]))
    parts = (left.mH @ loads[:, :, None])[..., 0]
    rest = (left @ torch.where(held, 0.0, parts)[..., None])[..., 0]
    worst = int(torch.linalg.vector_norm(rest, dim=1).argmax())
    parts, size = rest[worst].abs(), float(torch.linalg.vector_norm(rest[worst]))
    if not size > max(APART * float(loads.abs().max()), least):
        return None
    within = [i for i in range(len(names)) if float(parts[i]) > PART * float(parts.max())]
    last = within[-1]
    scale, asked = float(sizes[last]), complex(loads[worst, last].item())
    others = asked - size**2 / complex(rest[worst, last].item()).conjugate()
    return Contradiction(
        point([_rounded(x).real for x in samples.points[worst].tolist()]),
        tuple(dict.fromkeys(names[i] for i in within)),
        scale * size**2 / float(parts[last]),
        scale * asked,
        scale * others,
    )


def opposite(
    problem: Problem, given: Constraint, periodic: Constraint, pairs: Samples, least: float
) -> Contradiction | None:
    """The opposite points of a periodic condition with the largest difference of given values, or None.

    pairs: points, then the opposite ones. least: smallest difference that counts.
    """
    rows = linear_rows(problem, given, pairs)
    if rows is None:
        return None
    lower, upper = rows[1].chunk(2)
    differences = (upper - lower).abs().flatten()
    worst = int(differences.argmax())
    if not differences[worst] > least:
        return None
    asked, others = (complex(side.flatten()[worst].item()) for side in (upper, lower))
    place = pairs.points[len(lower) + worst // rows[1].shape[1]]
    return Contradiction(
        point([_rounded(x).real for x in place.tolist()]),
        (periodic.name, given.name),
        float(differences[worst]),
        asked,
        others,
    )


def _rounded(value: complex, nothing: float = 0.0) -> complex:
    """Rounded to four digits; parts smaller than `nothing` are 0."""
    value = complex(value)
    return complex(
        *(float(f"{part:.4g}") if abs(part) > nothing else 0.0 for part in (value.real, value.imag))
    )


def linear_rows(
    problem: Problem, constraint: Constraint, samples: Samples, layout: Layout | None = None
) -> tuple[Tensor, Tensor] | None:
    """The rows (n, equations, columns) of a constraint and their right-hand sides (n, equations); None if not linear.

    Columns are the channels of a jet, in units of those of a field of size 1 that is as long as the domain.
    """
    layout = problem.layout(constraint) if layout is None else layout
    count, outputs = len(samples.points), problem.outputs
    dtype = torch.complex128 if problem.equation.complex else torch.float64
    units = torch.as_tensor(layout.sizes((1 / axis_lengths(problem)).tolist()), dtype=dtype)
    if layout.count * outputs > MOST_COLUMNS:
        return None

    def residual(channels: Tensor) -> Tensor:
        scaled = channels * units[:, None, None]
        values = constraint.residual(samples, Jet(scaled if outputs > 1 else scaled[..., 0], layout))
        return values.reshape(count, -1).to(dtype)

    zero = torch.zeros((layout.count, count, outputs), dtype=dtype)
    columns = []
    try:
        offset = residual(zero)
        for channel in range(layout.count):
            for output in range(outputs):
                unit = zero.clone()
                unit[channel, :, output] = 1.0
                columns.append(residual(unit) - offset)
        matrix = torch.stack(columns, dim=2)
        tried = torch.randn(zero.shape, dtype=dtype, generator=torch.Generator().manual_seed(SEED))
        departure = residual(tried) - offset
    except Exception:  # the user's own function: what is wrong with it is said when it is solved
        return None
    expected = torch.einsum("nec,cn->ne", matrix, tried.movedim(1, 2).reshape(-1, count))
    enough = NONE * (expected.abs() + offset.abs()).max()
    return (matrix, -offset) if bool(((departure - expected).abs() <= enough).all()) else None
