"""The known fields of a region, which have its loads in closed form; the waves of all sources are computed together.

Away from its source the wave of a Gaussian is that of a point times e^{−κ}, κ = k²s²/2. So only the field inside the
Gaussians is computed separately for each.
"""

import cmath
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from neurapde.assembly.trefftz.features.base import BATCH
from neurapde.assembly.trefftz.features.poles import Poles
from neurapde.backgrounds.outgoing import TAIL
from neurapde.backgrounds.waves import Background, OutgoingWave
from neurapde.fields.sources import GaussianSource
from neurapde.jets.layout import Layout


@dataclass(frozen=True)
class Known:
    """The known fields of a region, one tuple of them for each right-hand side."""

    shots: tuple[tuple[Background, ...], ...]

    def channels(self, points: NDArray[np.float64], layout: Layout, dtype: Any) -> NDArray[Any]:
        """The channels of `layout` at points (n, 2): (layout.count, n, shots)."""
        channels = np.zeros((layout.count, len(points), len(self.shots)), dtype=dtype)
        for together in self._waves:
            channels += together.summed(points, layout)
        places = torch.from_numpy(points)
        for i, shot in enumerate(self.shots):
            for background in shot:
                if not _in_plane(background):
                    channels[..., i] += background.jet(places, layout.order, layout.mixed).channels.numpy()
        return channels

    @cached_property
    def _waves(self) -> list["_Waves"]:
        """The waves in each medium."""
        media: dict[Any, dict[OutgoingWave, dict[int, complex]]] = {}
        for i, shot in enumerate(self.shots):
            for wave in shot:
                if isinstance(wave, OutgoingWave) and _in_plane(wave):
                    unit = replace(wave, source=replace(wave.source, amplitude=1.0))
                    amplitudes = media.setdefault((wave.wavenumber, wave.stretch), {}).setdefault(unit, {})
                    amplitudes[i] = amplitudes.get(i, 0.0) + wave.source.amplitude
        by_medium = []
        for waves in media.values():
            shares = np.zeros((len(waves), len(self.shots)), dtype=complex)
            for row, amplitudes in enumerate(waves.values()):
                shares[row, list(amplitudes)] = list(amplitudes.values())
            by_medium.append(_Waves(tuple(waves), shares))
        return by_medium


def _in_plane(background: Background) -> bool:
    return isinstance(background, OutgoingWave) and background.dimension == 2


@dataclass(frozen=True)
class _Waves:
    """Waves of sources of size 1 in one medium, with their amplitudes (sources, shots)."""

    waves: tuple[OutgoingWave, ...]
    shares: NDArray[Any]

    @cached_property
    def _poles(self) -> Poles:
        first = self.waves[0]
        at = tuple((float(wave.source.at[0]), float(wave.source.at[1])) for wave in self.waves)
        return Poles(first.wavenumber, at, first.stretch)

    @cached_property
    def _variances(self) -> NDArray[np.float64]:
        """The variances of Gaussian sources; 0 for points."""
        return np.array(
            [
                float(wave.source.variance) if isinstance(wave.source, GaussianSource) else 0.0
                for wave in self.waves
            ]
        )

    def summed(self, points: NDArray[np.float64], layout: Layout) -> NDArray[Any]:
        """The channels of `layout` for the sums at points (n, 2): (layout.count, n, shots)."""
        if not self._variances.any():
            return self._poles.summed(points, layout, self.shares)
        step = max(1, BATCH // len(self.waves))
        parts = [self._table(points[i : i + step], layout) @ self.shares for i in range(0, len(points), step)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((layout.count, 0, self.shares.shape[1]))

    def _table(self, points: NDArray[np.float64], layout: Layout) -> NDArray[Any]:
        """Of each wave (layout.count, n, sources)."""
        fainter = [cmath.exp(-(self._poles.wavenumber**2) * variance / 2) for variance in self._variances]
        with np.errstate(divide="ignore", invalid="ignore"):
            channels = self._poles.channels(points, layout) * np.array(fainter)
        near = cdist(points, np.array(self._poles.at)) < np.sqrt(2 * TAIL * self._variances)
        for j in np.flatnonzero(near.any(axis=0)):
            channels[:, near[:, j], j] = self.waves[j].channels(points[near[:, j]], layout)
        return channels
