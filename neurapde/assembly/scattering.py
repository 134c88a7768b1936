"""Backgrounds made of outgoing waves: several at once, and waves faded out before they reach a reflecting side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background, OutgoingWave
from neurapde.jets.jet import Jet, Layout

if TYPE_CHECKING:
    from neurapde.equations.helmholtz_residual import StrongForm

INNER = 0.25  # of the window's radius: the wave is whole up to here


@dataclass(frozen=True)
class WindowedWave(Background):
    """χ u₀ with χ = 1 within a quarter of `radius` of the source, 0 beyond `radius`, and four continuous derivatives."""

    wave: OutgoingWave
    radius: float

    @property
    def center(self) -> tuple[float, ...]:
        """The position of the source, (d,)."""
        return tuple(self.wave.source.at)

    def window(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        """The jet of χ at points (n, d)."""
        layout = Layout(points.shape[1], order, tuple(mixed))
        offset = points - torch.as_tensor(self.center, dtype=points.dtype, device=points.device)
        r = torch.linalg.vector_norm(offset, dim=1)
        ramp = (1 - INNER) * self.radius
        t = ((r - INNER * self.radius) / ramp).clamp(0.0, 1.0)
        value = 1 - t**5 * (126 - 420 * t + 540 * t**2 - 315 * t**3 + 70 * t**4)
        first = -630 * t**4 * (1 - t) ** 4 / ramp
        second = -2520 * t**3 * (1 - t) ** 3 * (1 - 2 * t) / ramp**2
        safe = r.clamp_min(INNER * self.radius / 2)  # nearer to the source all derivatives vanish
        unit = offset / safe[:, None]
        rows = [value, *(first * unit[:, i] for i in range(layout.firsts))]
        for i, j in layout.pairs:
            tangential = float(i == j) - unit[:, i] * unit[:, j]
            rows.append(second * unit[:, i] * unit[:, j] + first / safe * tangential)
        return Jet(torch.stack(rows), layout)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(points.shape[1], order, tuple(mixed))
        near = torch.linalg.vector_norm(points - points.new_tensor(self.center), dim=1) < self.radius
        channels = torch.zeros(
            (layout.count, len(points)), dtype=points.dtype.to_complex(), device=points.device
        )
        inside = points[near]
        if len(inside):
            channels[:, near] = (
                self.wave.jet(inside, order, mixed) * self.window(inside, order, mixed)
            ).channels
        return Jet(channels, layout)

    def values(self, points: np.ndarray) -> np.ndarray:
        """The field at NumPy points (n, d): complex (n,)."""
        return self.jet(torch.from_numpy(points), 0).value.numpy()

    def commutator(self, points: np.ndarray, strong: "StrongForm") -> np.ndarray:
        """(Lχ − χL) u₀ at points (n, d), for L = Σ second_i ∂_ii + first_i ∂_i + zeroth: complex (n,)."""
        tensor = torch.from_numpy(points)
        wave, window = self.wave.jet(tensor, 1), self.window(tensor)
        u = wave.value.numpy()
        total = np.zeros(len(points), dtype=complex)
        for i, (second, first) in enumerate(zip(strong.second(points), strong.first(points), strict=True)):
            slope, bend = window.d(i).numpy(), window.d2(i).numpy()
            total += second * (2 * slope * wave.d(i).numpy() + bend * u) + first * slope * u
        return total

    def describe(self) -> str:
        return f"{self.wave.describe()}, faded out within {self.radius:g}"


@dataclass(frozen=True)
class Superposition(Background):
    """The sum of the waves of each shot: (n,) for one shot, (n, shots) for several; a shot may have no wave."""

    shots: tuple[tuple[OutgoingWave | WindowedWave, ...], ...]

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(points.shape[1], order, tuple(mixed))
        zero = torch.zeros((layout.count, len(points)), dtype=points.dtype.to_complex(), device=points.device)
        sums = [sum((wave.jet(points, order, mixed).channels for wave in shot), zero) for shot in self.shots]
        return Jet(sums[0] if len(sums) == 1 else torch.stack(sums, dim=-1), layout)

    def describe(self) -> str:
        waves = [wave.describe() for shot in self.shots for wave in shot]
        return waves[0] if len(waves) == 1 else f"{len(waves)} waves, the first {waves[0]}"
