"""How narrow the data on a boundary are: functions given on faces, followed along them as coefficients are along lines."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.conditions.sides import Sides
from neurapde.core.arrays import to_numpy
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.fields.jumps import narrow_features
from neurapde.fields.line_search import spread_points
from neurapde.fields.medium import Field, FunctionField, Piecewise

LOOKED = 2**14
"""Points of a face at which the size of the data is looked up."""
ABOVE = 2.0
"""What is added to data of size 1: of a sum, unlike a coefficient, the changes beside its largest value count."""

Values = NDArray[np.float64]


def narrowest_data(sides: Sides) -> float:
    """The length within which values, slopes or Robin coefficients on faces change; infinite where they vary slowly.

    The boundary of a domain in space that is no box is run through in pieces, and is not looked at.
    """
    domain = sides.domain
    if domain.dimension == 1 or not (domain.dimension == 2 or isinstance(domain, Box)):
        return math.inf
    lengths = [
        _narrowest(field, domain, face)
        for face, given in sides.data.items()
        for field in (given.a, given.b, given.value)
        if isinstance(field, FunctionField | Piecewise)
    ]
    return min(lengths, default=math.inf)


def _narrowest(field: Field, domain: Domain, face: str) -> float:
    """Of one function on one face, whose unit cube is searched."""
    axes = domain.dimension - 1

    def on_face(unit: Values) -> tuple[torch.Tensor, torch.Tensor]:
        cube = torch.as_tensor(unit).expand(-1, domain._boundary_cube)
        points, _, inside = domain._to_boundary(cube, (face,))
        return points, inside

    def value(unit: Values) -> Values:
        return to_numpy(field(on_face(unit)[0].numpy()))

    cube = spread_points(LOOKED, axes)
    known = value(cube[on_face(cube)[1].numpy()])
    largest = float(np.abs(known).max(initial=0.0)) or 1.0
    features = narrow_features(
        lambda unit: value(unit) / largest + ABOVE,
        Box(*[(0.0, 1.0)] * axes),
        lambda unit: on_face(unit)[1].numpy(),
    )
    return features.narrowest * domain.boundary_size((face,)) ** (1 / axes)
