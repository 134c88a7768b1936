"""The known fields of a region: what has its loads, in closed form; the waves of all sources are found together.

Away from its source the wave of a Gaussian is that of a point, fainter by e^{−κ}, κ = k²s²/2; so what is found one by one is
the field in the Gaussians alone.
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
        """What `layout` names at points (n, 2): (layout.count, n, shots)."""
        found = np.zeros((layout.count, len(points), len(self.shots)), dtype=dtype)
        for together in self._waves:
            found += together.summed(points, layout)
        places = torch.from_numpy(points)
        for i, shot in enumerate(self.shots):
            for one in shot:
                if not isinstance(one, OutgoingWave):
                    found[..., i] += one.jet(places, layout.order, layout.mixed).channels.numpy()
        return found

    @cached_property
    def _waves(self) -> list["_Waves"]:
        """The waves in each medium."""
        media: dict[Any, dict[OutgoingWave, dict[int, complex]]] = {}
        for i, shot in enumerate(self.shots):
            for one in shot:
                if isinstance(one, OutgoingWave):
                    unit = replace(one, source=replace(one.source, amplitude=1.0))
                    own = media.setdefault((one.wavenumber, one.stretch), {}).setdefault(unit, {})
                    own[i] = own.get(i, 0.0) + one.source.amplitude
        found = []
        for waves in media.values():
            shares = np.zeros((len(waves), len(self.shots)), dtype=complex)
            for row, own in enumerate(waves.values()):
                shares[row, list(own)] = list(own.values())
            found.append(_Waves(tuple(waves), shares))
        return found


@dataclass(frozen=True)
class _Waves:
    """Waves of sources of size 1 in one medium, with their amplitudes (sources, shots)."""

    waves: tuple[OutgoingWave, ...]
    shares: NDArray[Any]

    @cached_property
    def _poles(self) -> Poles:
        first = self.waves[0]
        at = tuple((float(one.source.at[0]), float(one.source.at[1])) for one in self.waves)
        return Poles(first.wavenumber, at, first.stretch)

    @cached_property
    def _variances(self) -> NDArray[np.float64]:
        """Of Gaussian sources; 0 of points."""
        return np.array(
            [
                float(one.source.variance) if isinstance(one.source, GaussianSource) else 0.0
                for one in self.waves
            ]
        )

    def summed(self, points: NDArray[np.float64], layout: Layout) -> NDArray[Any]:
        """What `layout` names of the sums at points (n, 2): (layout.count, n, shots)."""
        if not self._variances.any():
            return self._poles.summed(points, layout, self.shares)
        step = max(1, BATCH // len(self.waves))
        parts = [self._table(points[i : i + step], layout) @ self.shares for i in range(0, len(points), step)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((layout.count, 0, self.shares.shape[1]))

    def _table(self, points: NDArray[np.float64], layout: Layout) -> NDArray[Any]:
        """Of each wave (layout.count, n, sources)."""
        fainter = [cmath.exp(-(self._poles.wavenumber**2) * one / 2) for one in self._variances]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self._poles.channels(points, layout) * np.array(fainter)
        near = cdist(points, np.array(self._poles.at)) < np.sqrt(2 * TAIL * self._variances)
        for j in np.flatnonzero(near.any(axis=0)):
            found[:, near[:, j], j] = self.waves[j].channels(points[near[:, j]], layout)
        return found
