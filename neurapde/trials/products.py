"""Products of sines, one sine for each axis: their tables at points, and sums over all of them, axis by axis."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from neurapde.spectral.modes import AxisModes

Tables = Sequence[Sequence[Tensor]]
"""For each axis the modes and their derivatives at points, each (n, count)."""
Degrees = Sequence[Sequence[int]]
"""For each field wanted, how often it is differentiated along each axis: see `Layout.degrees`."""


def axis_modes(
    sides: Iterable[tuple[float, float]],
    counts: Sequence[int],
    free: Sequence[tuple[bool, bool]] | None = None,
) -> tuple[AxisModes, ...]:
    """The modes of each axis of a box with these (lower, upper); those that vanish at its sides where `free` is None."""
    ends = free or ((False, False),) * len(counts)
    return tuple(
        AxisModes(float(a), float(b), count, end)
        for (a, b), count, end in zip(sides, counts, ends, strict=True)
    )


def table(modes: AxisModes, x: Tensor, order: int = 2) -> list[Tensor]:
    """The modes of one axis and their derivatives up to `order` at x (n,), each (n, count)."""
    omega = torch.as_tensor(modes.frequencies, dtype=x.dtype, device=x.device)
    angle = (x[:, None] - modes.lower) * omega + modes.phase
    value = torch.sin(angle)
    return [value, omega * torch.cos(angle), -(omega**2) * value][: order + 1]


def outer(tables: Tables, degrees: Degrees) -> Tensor:
    """Every product, (len(degrees), n, Π counts)."""
    rows = []
    for wanted in degrees:
        first, *others = (tables[axis][degree] for axis, degree in enumerate(wanted))
        for other in others:
            first = (first[:, :, None] * other[:, None, :]).flatten(1)
        rows.append(first)
    return torch.stack(rows)


def contracted(lattice: Tensor, tables: Tables, degrees: Degrees) -> Tensor:
    """Σ over all products times the lattice (*counts, columns): (len(degrees), n, columns)."""
    firsts = {
        degree: (tables[0][degree] @ lattice.flatten(1)).reshape(-1, *lattice.shape[1:])
        for degree in {wanted[0] for wanted in degrees}
    }
    rows = []
    for degree, *others in degrees:
        sums = firsts[degree]
        for axis, other in enumerate(others, start=1):
            found = torch.bmm(tables[axis][other][:, None, :], sums.flatten(2))
            sums = found.reshape(len(found), *sums.shape[2:])
        rows.append(sums)
    return torch.stack(rows)
