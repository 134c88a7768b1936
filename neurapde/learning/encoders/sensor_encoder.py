"""The sensor encoder: one network takes the values at all sensors, whose places are fixed, such as receivers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.learning.batches import PointSets
from neurapde.learning.encoders.encoder import Conditioner, Encoder
from neurapde.learning.encoders.set_encoder import relu_layers
from neurapde.learning.spaces import FunctionSpace
from neurapde.trials.base import Setting


@dataclass(frozen=True)
class SensorEncoder(Encoder):
    """z = A v + ρ(v): v has the values at all sensors and a mask of the observed ones, ρ is a ReLU network.

    places: (sensors, d), of the sensors. A value belongs to the sensor nearest to its point, in any order; several
            values give their mean. Sensors without observations have the value zero.
    width, depth: neurons and hidden layers of ρ.

    If a field depends on its data linearly, or nearly so, A finds it at once; a `SetEncoder` must learn first what
    each place means.
    Source: Lu, Jin, Pang, Zhang, Karniadakis (2021), DeepONet, Nature Machine Intelligence 3, 218-229, for one network
    of all sensors, its branch; the term A v is ours.
    """

    places: Any
    width: int = 128
    depth: int = 1

    def __post_init__(self) -> None:
        given = checks.reals(self.places, "places")
        if given.ndim != 2 or not given.size:
            raise DeclarationError(
                f"places has the shape {given.shape}; give (sensors, d), the points at which fields are observed"
            )
        object.__setattr__(self, "places", tuple(tuple(row) for row in given.tolist()))
        checks.whole(self.width, "width")
        checks.whole(self.depth, "depth")

    def build(self, seen: Setting, space: FunctionSpace, fields: int) -> Conditioner:
        if len(self.places[0]) != seen.dimension:
            raise DeclarationError(
                f"places have {len(self.places[0])} coordinates, but the observed points have {seen.dimension}; give "
                f"places (sensors, {seen.dimension})"
            )
        numbers = len(self.places) * (seen.rows + 1)
        network = relu_layers([numbers, *[self.width] * self.depth, space.latent], seen)
        return _Sensors(self.places, relu_layers([numbers, space.latent], seen), network, seen)


class _Sensors(Conditioner):
    places: Tensor

    def __init__(
        self, places: Any, linear: torch.nn.Sequential, network: torch.nn.Sequential, setting: Setting
    ) -> None:
        super().__init__()
        here = torch.from_numpy(np.array(places)).to(device=setting.device, dtype=setting.dtype)
        self.register_buffer("places", here, persistent=False)
        self.linear, self.network = linear, network

    def codes(self, seen: PointSets, space: FunctionSpace) -> Tensor:
        sensor = torch.cdist(seen.points, self.places.expand(len(seen.points), -1, -1)).argmin(-1)
        values = seen.means_at(sensor, len(self.places)).flatten(1)
        return self.linear(values) + self.network(values)
