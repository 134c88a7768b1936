"""How narrow the data on a boundary are: functions given on faces, followed along them as coefficients are along lines."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.conditions.sides import Sides
from neurapde.core.arrays import to_numpy
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.polygon import Polygon
from neurapde.fields.jumps import narrow_features
from neurapde.fields.line_search import spread_points
from neurapde.fields.medium import Field, FunctionField, Piecewise
from neurapde.fields.operations import followed

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

    def on_face(unit: Values) -> tuple[Values, NDArray[np.bool_]]:
        with (
            torch._C.DisableTorchFunction()
        ):  # what the data compute is followed, and not the way to the face
            cube = torch.as_tensor(unit).expand(-1, domain._boundary_cube)
            points, _, inside = domain._to_boundary(cube, (face,))
            return points.numpy(), inside.numpy()

    def value(unit: Values) -> Values:
        return to_numpy(field(followed(on_face(unit)[0], unit)))

    def inside(unit: Values) -> NDArray[np.bool_]:
        return np.ones(len(unit), bool) if isinstance(domain, Box | Polygon) else on_face(unit)[1]

    cube = spread_points(LOOKED, axes)
    known = value(cube[inside(cube)])
    largest = float(np.abs(known).max(initial=0.0)) or 1.0
    features = narrow_features(
        lambda unit: value(unit) / largest + ABOVE,
        Box(*[(0.0, 1.0)] * axes),
        inside,
    )
    return features.narrowest * domain.boundary_size((face,)) ** (1 / axes)
