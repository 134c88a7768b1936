"""Variable projection: the unknowns' part of a least-squares problem, after one QR eliminates the amplitudes.

Source: Golub, Pereyra (2003), Inverse Problems 19(2), R1-R26, for the elimination; MacKay (1992), Neural Computation 4(3),
415-447, for the weights of noise and smoothness by their evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.assembly.collocation.head import DEPENDENT
from neurapde.fields.unknown import Unknown

LEAST, MOST = 1e-8, 1e12
"""Bounds of the weight of smoothness, in units of a coordinate."""


@dataclass(frozen=True)
class Reduced:
    """min |upper (rows) · x − right|² over the unknowns alone, and the amplitudes (columns,) as a function of these.

    leverage: of each row of data, how much the amplitudes alone fit it.
    """

    head: Tensor
    coupling: Tensor
    head_loads: Tensor
    upper: Tensor
    right: Tensor
    scale: Tensor

    @property
    def normal(self) -> Tensor:
        """The Gauss–Newton matrix (size, size) of the unknowns."""
        return self.upper.T @ self.upper

    def amplitudes(self, change: Tensor) -> Tensor:
        """The best amplitudes for a change of the unknowns."""
        loads = self.head_loads - self.coupling @ change
        return torch.linalg.solve_triangular(self.head, loads[:, None], upper=True)[:, 0] / self.scale

    def freedom(self, by_amplitudes: Tensor, by_unknowns: Tensor, covariance: Tensor) -> float:
        """The degrees of freedom that the fit uses of some rows: the trace of the matrix from data to fitted values."""
        upper = self.head.T
        whitened = torch.linalg.solve_triangular(upper, (by_amplitudes / self.scale).T, upper=False)
        rest = by_unknowns - whitened.T @ self.coupling
        return float(whitened.square().sum() + ((rest @ covariance) * rest).sum())


def reduced(by_amplitudes: Tensor, by_unknowns: Tensor, loads: Tensor) -> Reduced:
    """Eliminate the amplitudes from weighted rows; parts that rounding would make large are dropped."""
    lengths = torch.linalg.vector_norm(by_amplitudes, dim=0)
    scale = torch.where(lengths > 0, lengths, torch.ones_like(lengths))
    columns, size = by_amplitudes.shape[1], by_unknowns.shape[1]
    whole = torch.cat([by_amplitudes / scale, by_unknowns, loads[:, None]], dim=1)
    small = torch.zeros((columns, whole.shape[1]), dtype=whole.dtype)
    small[:, :columns] = DEPENDENT * columns**0.5 * torch.eye(columns, dtype=whole.dtype)
    upper = torch.linalg.qr(torch.cat([whole, small]), mode="r").R
    end = columns + size
    return Reduced(
        upper[:columns, :columns],
        upper[:columns, columns:end],
        upper[:columns, end],
        upper[columns:end, columns:end],
        upper[columns:end, end],
        scale,
    )


class Beliefs:
    """The priors of unknowns: those of numbers, and the smoothness of fields with a weight from the data."""

    def __init__(self, unknowns: Sequence[Unknown]) -> None:
        self.unknowns = unknowns
        self.size = sum(unknown.size for unknown in unknowns)
        self.start = torch.cat([unknown.begin() for unknown in unknowns])
        self.parts: list[tuple[slice, Unknown]] = []
        begin = 0
        for unknown in unknowns:
            self.parts.append((slice(begin, begin + unknown.size), unknown))
            begin += unknown.size
        self.smoothness = {unknown.name: 1.0 for unknown in unknowns if unknown.roughness() is not None}

    def rows(self, coordinates: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (m, size) for a change of the coordinates, and their right-hand sides (m,)."""
        blocks, loads = [], []
        for span, unknown in self.parts:
            rows, wanted = unknown.prior_rows(coordinates[span])
            square = unknown.roughness()
            if square is not None:
                root = self.smoothness[unknown.name] ** 0.5 * torch.linalg.cholesky(square, upper=True)
                rows = torch.cat([rows, root])
                wanted = torch.cat([wanted, -root @ (coordinates[span] - self.start[span])])
            block = torch.zeros((len(rows), self.size), dtype=torch.float64)
            block[:, span] = rows
            blocks.append(block)
            loads.append(wanted)
        return torch.cat(blocks), torch.cat(loads)

    def weigh(self, coordinates: Tensor, covariance: Tensor) -> None:
        """Set the weight of smoothness that makes the data most likely."""
        for span, unknown in self.parts:
            square = unknown.roughness()
            if square is None:
                continue
            change = coordinates[span] - self.start[span]
            weight = self.smoothness[unknown.name]
            degrees_of_freedom = unknown.size - weight * float((covariance[span, span] * square).sum())
            rough = float(change @ square @ change)
            if rough > 0:
                self.smoothness[unknown.name] = min(max(max(degrees_of_freedom, 1e-3) / rough, LEAST), MOST)
