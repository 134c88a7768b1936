"""Fields known in closed form, to stand behind a trial function: the scattered form u = u₀ + network.

A background is a field with a `jet` and a one-line description. The outgoing wave of a source in a uniform
medium takes a source's singularity or narrow peak off the network, and keeps its exact form inside a PML.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from neurapde.backgrounds.outgoing import (
    Array,
    Radial,
    gaussian_wave,
    gaussian_wave_in_space,
    point_wave,
)
from neurapde.conditions.stretch import Stretch
from neurapde.core import checks
from neurapde.core.arrays import check_shape, to_numpy
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.fields.sources import GaussianSource, PointSource
from neurapde.jets.jet import Jet, Layout

Points = TypeVar("Points", np.ndarray, Tensor)


@dataclass(frozen=True)
class Background(Declaration, ABC):
    """A fixed field whose derivatives are known."""

    @abstractmethod
    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        """The field and its derivatives at `points` (n, d), in their precision and on their device."""

    @abstractmethod
    def describe(self) -> str:
        """One line for reports."""


@dataclass(frozen=True)
class OutgoingWave(Background):
    """The field of one source in an unbounded uniform medium, (Δ + k²)u = f with the time factor e^{+iωt}.

    source:     `PointSource` in 1, 2 or 3 dimensions, or `GaussianSource` in 2 or 3.
    wavenumber: k > 0 of the medium, that is k√m with m the background's slowness squared; in the plane also complex, of
                negative imaginary part where waves fade.
    stretch:    the PML's stretched coordinates; inside the layer the field is the exact damped wave, which
                solves the PML's equation. Outside, and with None everywhere, it is the plain wave.

    The field is a constant of the problem: no gradient flows from it into the points. A Gaussian's field is
    smooth everywhere; a point source's is infinite at the source, and NaN is what it gives exactly there (in one
    dimension it has a kink: the value is finite, the derivatives are NaN).
    Raises DeclarationError for other sources or dimensions and wavenumbers that are not positive and finite.
    """

    source: PointSource | GaussianSource
    wavenumber: complex
    stretch: Stretch | None = None

    def __post_init__(self) -> None:
        k = self.wavenumber
        if isinstance(k, bool) or not isinstance(k, int | float | complex) or not _is_positive(k):
            raise DeclarationError(
                f"the wavenumber of a background is {checks.shown(k)}; it must be positive and finite."
            )
        checks.kind(self.stretch, "stretch", Stretch | None, "give a Stretch, or None")
        if not isinstance(self.source, PointSource | GaussianSource):
            raise DeclarationError(
                f"no outgoing wave in closed form is known for {self.source!r}; give a PointSource or a "
                "GaussianSource."
            )
        allowed = (1, 2, 3) if isinstance(self.source, PointSource) else (2, 3)
        if self.dimension not in allowed:
            raise DeclarationError(
                f"the outgoing wave of a {type(self.source).__name__} in {self.dimension} dimensions has "
                "no closed form here; "
                f"use {' or '.join(map(str, allowed))} dimensions, or solve without a background."
            )

    @property
    def dimension(self) -> int:
        """The number of coordinates d of the source's position."""
        return len(self._at)

    @cached_property
    def _at(self) -> np.ndarray:
        return np.atleast_1d(np.asarray(self.source.at, dtype=float))

    def values(self, points: Points) -> Points:
        """The field at `points` (n, d): complex (n,), of the points' kind, precision and device."""
        displacement, _ = self._stretched(self._coordinates(points))
        return _like(points, self._radial(displacement).value)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        """The field and its derivatives in physical coordinates at `points` (n, d), stretched or not."""
        layout = Layout(self.dimension, order, tuple(mixed))
        return Jet(_like(points, self.channels(self._coordinates(points), layout)), layout)

    def channels(self, points: np.ndarray, layout: Layout) -> np.ndarray:
        """What `layout` names, at NumPy `points` (n, d): complex (layout.count, n)."""
        xi, factors = self._stretched(points)
        wave = self._radial(xi)
        rows = [wave.value]
        rows.extend(2 * xi[:, i] * factors[i] * wave.first for i in range(layout.firsts))
        for i, j in layout.pairs:
            row = 4 * xi[:, i] * xi[:, j] * factors[i] * factors[j] * wave.second
            if i == j:
                slope = 0.0 if self.stretch is None else self.stretch.axis(i).derivative(points[:, i])
                row = row + 2 * (factors[i] ** 2 + slope * xi[:, i]) * wave.first
            rows.append(row)
        return np.stack(rows)

    def describe(self) -> str:
        place = "" if self.stretch is None else ", damped in the PML"
        return f"outgoing wave of {self.source.describe()} at k = {number(self.wavenumber)}{place}"

    def _coordinates(self, points: np.ndarray | Tensor) -> np.ndarray:
        check_shape(points, self.dimension)
        return np.asarray(to_numpy(points), dtype=np.float64)

    def _stretched(self, points: np.ndarray) -> tuple[np.ndarray, list[Any]]:
        """Displacements from the source (n, d), not real in layers only, and the e_i."""
        displacement = points - self._at
        if self.stretch is None or bool(self.stretch.physical(points).all()):
            return displacement, [1.0] * self.dimension
        factors = [np.asarray(factor) for factor in self.stretch.factors(points)]
        stretched = self.stretch.coordinates(points) - self.stretch.coordinates(self._at[None])
        plain = np.stack(factors, axis=1) == 1
        return np.where(plain, displacement, stretched), factors

    def _radial(self, displacement: np.ndarray) -> Radial:
        squared = (displacement**2).sum(1)
        physical = np.all(np.imag(displacement) == 0, axis=1)
        if isinstance(self.source, GaussianSource):
            variance = float(self.source.variance)
            if self.dimension == 2:
                wave = gaussian_wave(self.wavenumber, variance, squared, physical)
            else:
                wave = gaussian_wave_in_space(np.real(self.wavenumber), variance, squared, physical)
        else:
            wave = point_wave(self.wavenumber, squared, self.dimension)
        return Radial(*(self.source.amplitude * channel for channel in wave))


def _is_positive(k: complex) -> bool:
    """Whether a number is finite and its real part positive."""
    return 0 < complex(k).real and abs(k) <= checks.LARGEST


def _like(points: Points, values: Array) -> Points:
    """Complex `values` with the precision, and for torch on the device, of `points`."""
    if isinstance(points, Tensor):
        return torch.as_tensor(values).to(points.dtype.to_complex()).to(points.device)
    return values.astype(np.result_type(points.dtype, np.complex64))
