"""The null space of a linear problem: fields that change no constraint, so that there are many solutions.

Random amplitudes x₀ are reduced by the rows A, min |A x|² + ε² |x − x₀|². If the problem determines its field, a field
of the size ε remains of x₀; a field that remains unchanged is in the null space. Dependent features do not matter,
because the field is measured and not the amplitudes. A constant that the equation does not determine, as known, does
not count.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.assembly.collocation.system import Assembly
from neurapde.problem.problem import Problem
from neurapde.training.optimisation.balance import balance_of

RANDOM = 6  # amplitudes tried: so many independent fields are told apart
SMALL = 1e-6  # ε, of the rows' size
PROBES = 1000
NOTICED, FREE = 3e-5, 1e-2  # sizes of a field that is determined, and of one that may be left open
SEED = 40829


@dataclass(frozen=True)
class Unnoticed:
    """The remaining fields: their sizes (k,), largest first, and shapes (probes · outputs, k).

    Sizes are relative to the random fields: about 1 for the null space, below 1e-5 for determined fields.
    felt: the residual of the largest relative to its own size: the fraction of the equation's terms that do not
    cancel.
    amplitudes: of the largest (columns,).
    """

    sizes: Tensor
    shapes: Tensor
    felt: float
    amplitudes: Tensor

    @property
    def free(self) -> int:
        """The number of independent fields that remain."""
        return int((self.sizes > NOTICED).sum())

    @property
    def constant(self) -> bool:
        """Whether the largest, of one component, is a constant."""
        first = self.shapes[:, 0]
        return float((first - first.mean()).abs().max()) < FREE * float(first.abs().max())


def unnoticed(assembly: Assembly, small: float = SMALL, rows: Tensor | None = None) -> Unnoticed:
    """The fields that remain of random ones for all rows or the given ones, with ε a small fraction of the rows' size."""
    matrix = assembly.assemble().matrix if rows is None else rows
    sizes_of = torch.as_tensor(assembly.column_sizes, device=matrix.device)  # so that components compare
    lengths = torch.linalg.vector_norm(matrix, dim=0) * sizes_of
    scale = (
        lengths.clamp(min=SMALL * float(lengths.max()) or 1.0) / sizes_of
    )  # a feature that no row sees stays one
    generator = torch.Generator().manual_seed(SEED)
    count = matrix.shape[1]
    tried = torch.randn(count, RANDOM, generator=generator, dtype=torch.float64).to(matrix)
    pulled = torch.cat((matrix / scale, small * torch.eye(count).to(matrix)))
    loads = torch.cat((torch.zeros(len(matrix), RANDOM).to(matrix), small * tried))
    fitted = torch.linalg.lstsq(pulled, loads, driver="gels").solution
    before, after = (_fields(assembly, amplitudes / scale[:, None]) for amplitudes in (tried, fitted))
    shapes, sizes, mixed = torch.linalg.svd(after, full_matrices=False)
    typical = float(torch.linalg.vector_norm(before)) / RANDOM**0.5
    largest = fitted @ mixed[0].conj().to(fitted)
    made = float(torch.linalg.vector_norm(matrix / scale @ largest))
    felt = made * len(after) ** 0.5 / (float(sizes[0]) or 1.0)
    return Unnoticed(sizes / (typical or 1.0), shapes, felt, largest / scale)


def left_open(problem: Problem, unnoticed: Unnoticed) -> str:
    """A description of the null space, and a condition that would determine it."""
    free = unnoticed.free
    if free == 1 and problem.outputs == 1 and unnoticed.constant:
        return (
            "its constraints do not change when a constant is added to the field; give its value on a face, or at a "
            "point: constraints=npde.Constraint('level', lambda s, u: u.value, npde.at_points([[…]]))"
        )
    count = f"{free} or more independent fields" if free > 1 else "a field"
    return (
        f"adding {count} to its field does not change its constraints; give more conditions, for example on the faces "
        "that have none, or at the start"
    )


def _fields(assembly: Assembly, amplitudes: Tensor) -> Tensor:
    """The fields of columns of amplitudes in units of their components, one below the other at the probes."""
    balance = balance_of(assembly.problem)
    probes = assembly.problem.domain.sample(PROBES, how="grid").to(amplitudes.device)
    columns = []
    with torch.no_grad():
        for column in amplitudes.T:
            assembly.set_amplitudes(column)
            field = balance.scaled(assembly.trial(probes))
            open_end = assembly.problem.equation.leaves_constant(assembly.problem)
            columns.append((field - field.mean(dim=0) if open_end else field).flatten())
    return torch.stack(columns, dim=1)
