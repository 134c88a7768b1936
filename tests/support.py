"""What many tests need: fields with known derivatives, distances, and small surveys."""

from torch import Tensor

import neurapde as npde
from neurapde.jets.jet import Jet, Layout, jet_of_constant


def jet_of_coordinates(points: Tensor, layout: Layout) -> tuple[Jet, ...]:
    """The jets of the d coordinate functions at `points` (n, d), to make polynomials of."""
    jets = []
    for i in range(layout.dimension):
        jet = jet_of_constant(points[:, i], layout)
        if layout.order:
            jet.channels[layout.first(i)] = 1.0
        jets.append(jet)
    return tuple(jets)


def waves(domain: npde.Box, *conditions: npde.conditions.Boundary, speed: object = 1.0) -> npde.Problem:
    """Waves in a box with these conditions, or with sides that absorb where there are none."""
    boundary = conditions or npde.Absorbing()
    return npde.Problem("waves", domain.over(npde.Time(0, 1)), npde.Wave(speed), boundary=boundary)
