"""The known fields of a region: what has its loads, in closed form; the waves of point sources are summed together."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.backgrounds.waves import Background, OutgoingWave
from neurapde.fields.sources import PointSource
from neurapde.jets.layout import Layout
from neurapde.trefftz.features.poles import Poles


@dataclass(frozen=True)
class Known:
    """The known fields of a region, one tuple of them for each right-hand side."""

    shots: tuple[tuple[Background, ...], ...]

    def channels(self, points: NDArray[np.float64], layout: Layout, dtype: Any) -> NDArray[Any]:
        """What `layout` names at points (n, 2): (layout.count, n, shots)."""
        found = np.zeros((layout.count, len(points), len(self.shots)), dtype=dtype)
        for features, shares in self._points:
            found += features.summed(points, layout, shares)
        places = torch.from_numpy(points)
        for i, shot in enumerate(self.shots):
            for one in shot:
                if _at_point(one) is None:
                    found[..., i] += one.jet(places, layout.order, layout.mixed).channels.numpy()
        return found

    @cached_property
    def _points(self) -> list[tuple[Poles, NDArray[Any]]]:
        """The waves of all point sources in one medium together, with their amplitudes (sources, shots)."""
        found: dict[Any, list[tuple[PointSource, int]]] = {}
        for i, shot in enumerate(self.shots):
            for one in shot:
                if (source := _at_point(one)) is not None:
                    assert isinstance(one, OutgoingWave)
                    found.setdefault((one.wavenumber, one.stretch), []).append((source, i))
        together = []
        for (wavenumber, stretch), sources in found.items():
            shares = np.zeros((len(sources), len(self.shots)), dtype=complex)
            for row, (source, i) in enumerate(sources):
                shares[row, i] = source.amplitude
            at = tuple((float(source.at[0]), float(source.at[1])) for source, _ in sources)
            together.append((Poles(wavenumber, at, stretch), shares))
        return together


def _at_point(background: Background) -> PointSource | None:
    """The source of the wave of a point source."""
    point = isinstance(background, OutgoingWave) and isinstance(background.source, PointSource)
    return background.source if point else None  # type: ignore[attr-defined]
