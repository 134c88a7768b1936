"""Fields that no constraint of a linear problem notices: with them a problem has many solutions.

Random amplitudes are pulled towards what the rows A allow, min |A x|² + ε² |x − x₀|². Where the problem determines its
field, what is left of x₀ is a field of the size ε; a field that is left whole is one that the rows do not see. Features
that depend on one another do no harm: what is measured is the field, not the amplitudes; a constant that the equation is
known to leave open does not count.
"""

import torch
from torch import Tensor

from neurapde.balance import balance_of
from neurapde.collocation.system import Assembly

RANDOM = 6  # amplitudes tried: so many independent fields are told apart
SMALL = 1e-6  # ε, of the rows' size
PROBES = 1000
SEED = 40829


def unnoticed(assembly: Assembly) -> tuple[Tensor, Tensor]:
    """The sizes (k,), largest first, and the shapes (probes · outputs, k) of fields that the rows leave.

    Sizes are relative to the fields that were tried: about 1 for what nobody notices, below 1e-5 for what is determined.
    """
    matrix = assembly.assemble().matrix
    lengths = torch.linalg.vector_norm(matrix, dim=0)
    scale = lengths.clamp(min=SMALL * float(lengths.max()) or 1.0)  # a feature that no row sees stays one
    generator = torch.Generator().manual_seed(SEED)
    count = matrix.shape[1]
    tried = torch.randn(count, RANDOM, generator=generator, dtype=torch.float64).to(matrix)
    rows = torch.cat((matrix / scale, SMALL * torch.eye(count).to(matrix)))
    loads = torch.cat((torch.zeros(len(matrix), RANDOM).to(matrix), SMALL * tried))
    left = torch.linalg.lstsq(rows, loads, driver="gels").solution
    before, after = (_fields(assembly, amplitudes / scale[:, None]) for amplitudes in (tried, left))
    shapes, sizes, _ = torch.linalg.svd(after, full_matrices=False)
    typical = float(torch.linalg.vector_norm(before)) / RANDOM**0.5
    return sizes / (typical or 1.0), shapes


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
