"""A SIREN of one hidden layer whose frequencies and phases are placed on a lattice instead of drawn at random.

A product of sines, one for each axis, is a sum of 2^(d−1) neurons sin(w·x + b); with frequencies on the lattice of the box
such products are orthogonal and vanish (or have vanishing slope) on its sides. Only the head remains to solve for: see
`methods.Galerkin`. `neurons` writes the same function as an ordinary hidden layer and head.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.spectral.modes import AxisModes
from neurapde.trials.base import Bounds, Setting, Trial, TrialFunction, check_ends, check_modes, corners

Tables = Sequence[Sequence[Tensor]]
"""For each axis the modes and their derivatives at points, each (n, count)."""
Degrees = Sequence[Sequence[int]]
"""For each field wanted, how often it is differentiated along each axis: see `Layout.degrees`."""


@dataclass(frozen=True)
class SineLattice(Trial):
    """Products of sines on the lattice of a box.

    modes: number of modes along each axis. free: for each axis, whether the slope (instead of the value) vanishes at its
    (lower, upper) end; None: the value vanishes on every side.
    """

    modes: tuple[int, ...]
    free: tuple[tuple[bool, bool], ...] | None = None

    default_dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        check_modes(self.modes)
        check_ends(self.free, len(self.modes))

    def axes(self, bounds: Bounds) -> tuple[AxisModes, ...]:
        """The modes of each axis on the box with these corners (d,), (d,)."""
        lower, upper = corners(bounds)
        if len(lower) != len(self.modes):
            raise DeclarationError(
                f"{self} has {len(self.modes)} axes, but the domain has {len(lower)}; give one number of modes for each "
                "axis"
            )
        return axis_modes(zip(lower, upper, strict=True), self.modes, self.free)

    def draw(self, setting: Setting) -> "LatticeFunction":
        amplitudes = setting.amplitudes(*self.modes)
        return LatticeFunction(self, self.axes(setting.bounds), amplitudes, setting.complex)


class ProductFunction(TrialFunction):
    """u = Σ a_ij… φ_i(x) φ_j(y) …, with one coefficient for each product of functions of one axis and each output.

    amplitudes: the parameters, (count_0, …, outputs), and for complex fields a last axis (real, imaginary).
    Evaluation sums one axis after the other, so n points cost n × (number of products).
    """

    def __init__(self, spec: Trial, axes: int, amplitudes: Tensor, complex: bool) -> None:
        super().__init__(spec, axes, amplitudes.shape[axes], complex)
        self.amplitudes = torch.nn.Parameter(amplitudes)

    @abstractmethod
    def tables(self, points: Tensor, order: int) -> list[list[Tensor]]:
        """For each axis, its functions and their derivatives up to an order at points (n, d)."""

    def set_coefficients(self, values: np.ndarray) -> None:
        """Set the coefficients (count_0, …, outputs) of a solve, complex if the field is."""
        numbers = torch.as_tensor(values)
        with torch.no_grad():
            self.amplitudes.copy_(torch.view_as_real(numbers.contiguous()) if self.complex else numbers)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        tables = self.tables(self.inputs(points), order)
        sums = contracted(self.amplitudes.flatten(self.dimension), tables, layout.degrees)
        return Jet(self.field(sums), layout)


class LatticeFunction(ProductFunction):
    """u = Σ a_ij sin(ω_i x + β) sin(ω_j y + β′), with one coefficient for each product of modes and each output."""

    def __init__(
        self, spec: SineLattice, axes: Sequence[AxisModes], amplitudes: Tensor, complex: bool
    ) -> None:
        super().__init__(spec, len(axes), amplitudes, complex)
        self.axes = tuple(axes)

    @property
    def coefficients(self) -> Tensor:
        """The coefficients (count_0, …, outputs), complex if the field is."""
        return torch.view_as_complex(self.amplitudes) if self.complex else self.amplitudes

    def tables(self, points: Tensor, order: int) -> list[list[Tensor]]:
        return [table(modes, points[:, axis], order) for axis, modes in enumerate(self.axes)]

    def neurons(self) -> tuple[Tensor, Tensor, Tensor]:
        """The same function as u = head · sin(weight x + bias): weight (m, d), bias (m,), head (m, outputs).

        m is 2^(d−1) neurons for each mode: sin α sin β = (cos(α − β) − cos(α + β))/2 and so on for more axes.
        """
        weights, biases, heads = [], [], []
        frequencies = np.stack(
            np.meshgrid(*(axis.frequencies for axis in self.axes), indexing="ij"), axis=-1
        ).reshape(-1, self.dimension)
        lower = np.array([axis.lower for axis in self.axes])
        phases = np.array([axis.phase for axis in self.axes])
        flat = self.coefficients.detach().reshape(-1, self.outputs)
        # sin θ = Re(−i e^{iθ}), and of d factors the first may always be taken with the sign +.
        for signs in product((1.0,), *[(1.0, -1.0)] * (self.dimension - 1)):
            sign = np.array(signs)
            weights.append(frequencies * sign)
            angle = (frequencies * sign) @ -lower + phases @ sign
            # Π sin θ_i = 2^(1−d) Σ_signs (Π signs) cos(Σ s_i θ_i − dπ/2), a cosine being a sine π/2 ahead.
            biases.append(angle + np.pi / 2 * (1 - self.dimension))
            heads.append(flat * float(np.prod(sign)) * 2.0 ** (1 - self.dimension))
        as_tensor = [
            torch.as_tensor(np.concatenate(array), dtype=self.amplitudes.dtype) for array in (weights, biases)
        ]
        return as_tensor[0], as_tensor[1], torch.cat(heads)


def axis_modes(
    sides: Iterable[tuple[float, float]],
    counts: Sequence[int],
    free: Sequence[tuple[bool, bool]] | None = None,
) -> tuple[AxisModes, ...]:
    """The modes of each axis of a box with these (lower, upper); those that vanish at its sides if `free` is None."""
    ends = free or ((False, False),) * len(counts)
    return tuple(
        AxisModes(float(a), float(b), count, end)
        for (a, b), count, end in zip(sides, counts, ends, strict=True)
    )


def table(modes: AxisModes, x: Tensor, order: int = 2) -> list[Tensor]:
    """The modes of one axis and their derivatives up to `order` at x (n,), each (n, count)."""
    omega = torch.as_tensor(modes.frequencies, dtype=x.dtype, device=x.device)
    angle = (x[:, None] - modes.lower) * omega + modes.phase
    waves = torch.sin(angle), torch.cos(angle)
    return [(-1) ** (k // 2) * omega**k * waves[k % 2] for k in range(order + 1)]


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
            product = torch.bmm(tables[axis][other][:, None, :], sums.flatten(2))
            sums = product.reshape(len(product), *sums.shape[2:])
        rows.append(sums)
    return torch.stack(rows)
