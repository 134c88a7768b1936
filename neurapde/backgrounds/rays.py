"""Travel times along straight rays: what a point source's times are in a uniform medium, and near it in any."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background
from neurapde.core import checks
from neurapde.core.arrays import check_shape, safe_sqrt
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, point
from neurapde.jets.jet import Jet, Layout


@dataclass(frozen=True)
class StraightRays(Background):
    """T₀ = s|x − a| of each source: `(n,)` for one, `(n, shots)` for several.

    at:       places a of the sources, `(d,)` each.
    slowness: s of each, time per length: that of the medium at the source.

    At the source itself, where T₀ has a kink, its derivatives are given as 0. Differentiable by torch.
    """

    at: tuple[tuple[float, ...], ...]
    slowness: tuple[float, ...]

    def __post_init__(self) -> None:
        every = all(isinstance(values, list | tuple) for values in (self.at, self.slowness))
        if not every or not self.at or len(self.at) != len(self.slowness):
            raise DeclarationError(
                f"StraightRays at {checks.shown(self.at)} of slowness {checks.shown(self.slowness)}: give a list of "
                "places, and one positive number for each"
            )
        places = [checks.coordinates(place, "at of the StraightRays") for place in self.at]
        if len({len(place) for place in places}) > 1:
            raise DeclarationError(
                f"StraightRays at {self.at}: give places that all have the same number of coordinates"
            )
        for slowness in self.slowness:
            checks.amount(slowness, "slowness of the StraightRays")

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        check_shape(points, len(self.at[0]))
        layout = Layout(points.shape[1], order, tuple(mixed))
        at = torch.as_tensor(self.at, dtype=points.dtype, device=points.device)
        slowness = torch.as_tensor(self.slowness, dtype=points.dtype, device=points.device)
        offset = points[:, None, :] - at
        distance = safe_sqrt((offset**2).sum(-1))
        inverse = torch.where(distance > 0, 1.0 / torch.where(distance > 0, distance, 1.0), 0.0)
        ray = offset * inverse[..., None]
        rows = [distance]
        rows += [ray[..., i] for i in range(layout.firsts)]
        rows += [(float(i == j) - ray[..., i] * ray[..., j]) * inverse for i, j in layout.pairs]
        channels = torch.stack(rows) * slowness
        return Jet(channels[..., 0] if len(self.at) == 1 else channels, layout)

    def describe(self) -> str:
        places = ", ".join(point(place) for place in self.at[:3]) + (", …" if len(self.at) > 3 else "")
        speeds = sorted({1 / s for s in self.slowness})
        span = number(speeds[0]) if len(speeds) == 1 else f"{number(speeds[0])} to {number(speeds[-1])}"
        return f"straight rays from {places} at speed {span}"
