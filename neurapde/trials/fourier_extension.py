"""Fourier extension: a hidden layer of sines on the lattice of a box larger than the domain, plus corner functions.

On a larger box the sines do not prescribe values at the domain's boundary. They are a frame, and they approximate a
function that is smooth in the domain faster than any power of the bandwidth (Fourier extension; Adcock, Huybrechs and
Martín-Vaquero 2014). At a corner of the boundary, z^α and z^α log z represent the singular part.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.spectral.modes import AxisModes
from neurapde.trials.base import Setting, Trial, TrialFunction, corners
from neurapde.trials.edge_powers import EdgePowers
from neurapde.trials.sines import axis_modes, contracted, outer, table
from neurapde.trials.start_powers import StartPowers


@dataclass(frozen=True)
class Corner(Declaration):
    """Re, Im of z^α, z^α log z and z^(α+m) z̄ⁿ about a corner of the plane, with z = (x − at) e^{−i start}/size.

    Plain powers with an integer α are left out: they are polynomials, which the sines represent. The products with
    polynomials, of degree up to `largest`, are for varying coefficients and sources.

    at: the corner. start: direction of the side from which the domain opens counterclockwise, rad. opening: the angle of
    the domain there, rad. size: length by which r is scaled. The exponents are α = kπ/opening up to `largest`, for
    fields whose values or slopes vanish on both sides; if `mixed`, also kπ/(2 opening), for one of each.
    """

    at: tuple[float, float]
    start: float
    opening: float
    size: float
    mixed: bool = False
    largest: float = 4.0

    @property
    def exponents(self) -> np.ndarray:
        """α (m,)."""
        step = np.pi / self.opening / (2 if self.mixed else 1)
        return step * np.arange(1, int(self.largest / step + 1e-9) + 1)

    @property
    def powers(self) -> np.ndarray:
        """The α whose plain power is not a polynomial, (p,)."""
        return self.exponents[np.abs(self.exponents - np.round(self.exponents)) > 1e-6]

    @property
    def products(self) -> np.ndarray:
        """(a, b) of z^a z̄^b (q, 2), a = α + m and b integers, without those that are plain powers."""
        sums = (self.powers[:, None] + np.arange(int(self.largest) + 1)).ravel()
        pairs = [
            (round(a, 9), b) for a in sums for b in range(int(self.largest) + 1) if a + b <= self.largest
        ]
        plain = {(round(a, 9), 0) for a in self.powers}
        return np.array(sorted(set(pairs) - plain), dtype=float).reshape(-1, 2)

    @property
    def count(self) -> int:
        """Number of functions: two for each plain power, each with a logarithm and each product."""
        return 2 * (len(self.powers) + len(self.exponents) + len(self.products))

    def channels(self, points: Tensor, layout: Layout) -> Tensor:
        """The functions and their derivatives at points (n, 2): (layout.count, n, count)."""
        turn = np.exp(-1j * (self.start + self.opening / 2)) / self.size
        offset = points - points.new_tensor(self.at)
        tiny = torch.finfo(points.dtype).tiny ** 0.25
        z = torch.complex(offset[:, 0], offset[:, 1]) * turn
        z = torch.where(z.abs() > tiny, z, torch.full_like(z, tiny))
        log = z.log()[:, None] + 1j * self.opening / 2  # the cut runs outside the domain
        turned = turn * np.exp(1j * self.opening / 2)
        plain, logged = (
            torch.as_tensor(array, dtype=points.dtype, device=points.device)
            for array in (self.powers, self.exponents)
        )
        rows = [torch.cat((_power(plain, log, 0), _power(logged, log, 0) * log), dim=1)]
        if layout.order > 0:
            first = torch.cat(
                (plain * _power(plain, log, 1), (logged * log + 1) * _power(logged, log, 1)), dim=1
            )
            rows += [1j**i * turned * first for i in range(2)]
        if layout.order > 1:
            bent = (logged * (logged - 1) * log + 2 * logged - 1) * _power(logged, log, 2)
            second = turned**2 * torch.cat((plain * (plain - 1) * _power(plain, log, 2), bent), dim=1)
            rows += [1j ** (i + j) * second for i, j in layout.pairs]
        products = self._products(log, turned, layout)
        rows = [torch.cat(pair, dim=1) for pair in zip(rows, products, strict=True)]
        return torch.stack([torch.cat((row.real, row.imag), dim=1) for row in rows])

    def _products(self, log: Tensor, turned: complex, layout: Layout) -> list[Tensor]:
        """z^a z̄^b and their derivatives (n, q) from log z (n, 1), z growing by `turned` along x and 1j `turned` along y."""
        a, b = torch.as_tensor(self.products, dtype=log.real.dtype, device=log.device).T
        other = log.conj()
        steps = [1j**i * turned for i in range(2)]
        rows = [_power(a, log, 0) * _power(b, other, 0)]
        if layout.order > 0:
            ahead = a * _power(a, log, 1) * _power(b, other, 0)
            aside = b * _power(a, log, 0) * _power(b, other, 1)
            rows += [s * ahead + np.conj(s) * aside for s in steps]
        if layout.order > 1:
            ahead = a * (a - 1) * _power(a, log, 2) * _power(b, other, 0)
            between = a * b * _power(a, log, 1) * _power(b, other, 1)
            aside = b * (b - 1) * _power(a, log, 0) * _power(b, other, 2)
            for s, t in ((steps[i], steps[j]) for i, j in layout.pairs):
                cross = 2 * (s * np.conj(t)).real
                rows.append(s * t * ahead + cross * between + np.conj(s * t) * aside)
        return rows


def _power(alpha: Tensor, log: Tensor, less: int) -> Tensor:
    """z^(α − less) from log z (n, 1): (n, len(alpha))."""
    return torch.exp((alpha - less) * log)


@dataclass(frozen=True)
class Multipoles(Declaration):
    """Harmonic functions log |z| and Re, Im of z^(−k), k = 1 … order, with z = (x − at)/radius: fields of a hole's inside.

    at: centre of the hole. radius: where they are of size one.
    """

    at: tuple[float, float]
    radius: float
    order: int = 12

    @property
    def count(self) -> int:
        """Number of functions."""
        return 2 * self.order + 1

    def channels(self, points: Tensor, layout: Layout) -> Tensor:
        """The functions and their derivatives at points (n, 2): (layout.count, n, count)."""
        offset = (points - points.new_tensor(self.at)) / self.radius
        z = torch.complex(offset[:, 0], offset[:, 1])[:, None]
        z = torch.where(
            z.abs() > 0.1, z, torch.full_like(z, 0.1)
        )  # never evaluated in the hole but by rounding
        k = torch.arange(1, self.order + 1, dtype=points.dtype, device=points.device)
        powers = torch.cat((z.log(), z**-k), dim=1)
        rows = []
        for axes in layout.derivatives:
            m = len(axes)  # ∂ᵐ log z = (−1)^(m−1) (m−1)! z^−m, and ∂ᵐ z^−k = (−1)ᵐ k (k+1) … (k+m−1) z^−(k+m)
            if m:
                rising = torch.stack([k + i for i in range(m)]).prod(0)
                each = torch.cat((-math.factorial(m - 1) * z**-m, rising * z ** -(k + m)), dim=1)
                powers = (-1 / self.radius) ** m * each
            rows.append(1j ** sum(axes) * powers)
        return torch.stack([torch.cat((row.real, row.imag[:, 1:]), dim=1) for row in rows])


@dataclass(frozen=True)
class FourierExtension(Trial):
    """Sines on a box `1 + margin` times as long as the domain along each axis, and functions of its corners and holes.

    modes: number of modes along each axis. box: lower and upper corner of the part to cover, if it is smaller than the
    domain.
    """

    modes: tuple[int, ...]
    margin: float = 0.5
    extra: tuple[Corner | Multipoles | StartPowers | EdgePowers, ...] = ()
    box: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    default_dtype: ClassVar[torch.dtype] = torch.float64

    def __post_init__(self) -> None:
        if not self.modes or min(self.modes) < 1:
            raise DeclarationError(f"modes={self.modes} leaves an axis without modes; give at least 1 each")
        if not self.margin > 0:
            raise DeclarationError(f"margin={self.margin!r}: give a positive fraction of the domain's length")

    def draw(self, setting: Setting) -> "FourierExtensionTrial":
        lower, upper = corners(self.box or setting.bounds)
        if len(lower) != len(self.modes):
            raise DeclarationError(
                f"{self} has {len(self.modes)} axes, but the domain has {len(lower)}; give one for each"
            )
        pad = self.margin * (upper - lower) / 2
        sides = zip(lower - pad, upper + pad, strict=True)
        axes = axis_modes(sides, self.modes, ((True, True),) * len(self.modes))
        return FourierExtensionTrial(self, axes, setting.amplitudes(self.features), setting.complex)

    @property
    def features(self) -> int:
        """Number of functions in all."""
        return int(np.prod(self.modes)) + sum(corner.count for corner in self.extra)

    def describe(self) -> str:
        extra = f" and functions of {len(self.extra)} corners, holes, starts or edges" if self.extra else ""
        return f"{'×'.join(map(str, self.modes))} sines on a larger box{extra}"


class FourierExtensionTrial(TrialFunction):
    """u = Σ_j a_j φ_j: amplitudes (features, outputs), and for complex fields a last axis (real, imaginary)."""

    def __init__(
        self, spec: FourierExtension, axes: Sequence[AxisModes], amplitudes: Tensor, complex: bool
    ) -> None:
        super().__init__(spec, len(axes), amplitudes.shape[1], complex)
        self.axes = tuple(axes)
        self.extra, self.box = spec.extra, spec.box
        self.amplitudes = torch.nn.Parameter(amplitudes)

    def frequencies(self, lengths: np.ndarray) -> np.ndarray:
        """|ω| of each feature (features,), ω in rad per length (d,) of each axis; 0 for those of corners and holes."""
        each = [(axis.frequencies * length) ** 2 for axis, length in zip(self.axes, lengths, strict=True)]
        squares = sum(np.meshgrid(*each, indexing="ij"))
        rest = len(self.amplitudes) - np.size(squares)
        return np.concatenate([np.sqrt(np.ravel(squares)), np.zeros(rest)])

    def feature_jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        points = self.inputs(points)
        channels = outer(self._tables(points, order), layout.degrees)
        parts = [channels, *(corner.channels(points, layout) for corner in self.extra)]
        return Jet(torch.cat(parts, dim=2), layout)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        points = self.inputs(points)
        columns = self.amplitudes.flatten(1)
        counts = [axis.count for axis in self.axes]
        lattice = columns[: math.prod(counts)].reshape(*counts, -1)
        rest = columns[math.prod(counts) :]
        sums = contracted(lattice, self._tables(points, order), layout.degrees)
        if self.extra:
            sums = sums + torch.cat([corner.channels(points, layout) for corner in self.extra], dim=2) @ rest
        return Jet(self.field(sums), layout)

    def set_amplitudes(self, values: Tensor) -> None:
        """Take the amplitudes (features, outputs) of a solve, complex if the field is."""
        with torch.no_grad():
            self.amplitudes.copy_(torch.view_as_real(values) if self.complex else values)

    def _tables(self, points: Tensor, order: int) -> list[list[Tensor]]:
        return [table(modes, points[:, axis], order) for axis, modes in enumerate(self.axes)]
