"""Fields of loads as backgrounds of a trial function, and the polynomial that a load is in a region."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background
from neurapde.core.arrays import to_numpy
from neurapde.fields.sources import GaussianSource, Source
from neurapde.jets.jet import Jet
from neurapde.jets.layout import Layout
from neurapde.trefftz.potentials.loads import Array, Medium, Polynomial, gaussian
from neurapde.trefftz.regions import Partition, Region

GRID, RIM = 40, 65
"""Points along each axis of a region's box, and along each of its panels, at which a load is looked at."""
DEGREES = 10
"""Of the polynomials that are tried."""
EXACT = 1e-13
"""Of the largest value: how well a polynomial must be met."""


@dataclass(frozen=True, eq=False)
class Potential(Background):
    """A field −aΔw + cw = f in the plane; no gradient flows from it into the points."""

    @abstractmethod
    def channels(self, points: Array, layout: Layout) -> Array:
        """What `layout` names at points (n, 2): (layout.count, n)."""

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, int]] = ()) -> Jet:
        layout = Layout(2, order, tuple(mixed))
        found = self.channels(points.detach().double().cpu().numpy(), layout)
        return Jet(torch.as_tensor(found).to(points), layout)


@dataclass(frozen=True, eq=False)
class GaussianPotential(Potential):
    """Of a Gaussian source, c ≥ 0; without a reaction it is zero far away up to a logarithm, in this unit of length."""

    source: GaussianSource
    coefficient: float
    reaction: float
    unit: float

    def channels(self, points: Array, layout: Layout) -> Array:
        medium = Medium(self.coefficient, self.reaction)
        center = np.asarray(self.source.at, dtype=float)
        found = gaussian(points, center, self.source.variance, medium, layout, self.unit)
        return float(np.real(self.source.amplitude)) * found

    def describe(self) -> str:
        return f"potential of {self.source.describe()}"


@dataclass(frozen=True, eq=False)
class PolynomialPotential(Potential):
    """A polynomial: see `Polynomial`."""

    coefficients: Array
    center: Array
    scale: float

    def channels(self, points: Array, layout: Layout) -> Array:
        return Polynomial(self.coefficients, self.center, self.scale).channels(points, layout)

    def describe(self) -> str:
        return f"polynomial of degree {len(self.coefficients) - 1}"


def polynomial_load(source: Source, region: Region, partition: Partition) -> Polynomial | None:
    """The polynomial that a load is in a region; None where it is none, as far as points tell."""
    rim = np.concatenate(
        [panel.curve.points(np.linspace(0, 1, RIM)) for panel, _ in partition.border(region)]
    )
    lower, upper = rim.min(axis=0), rim.max(axis=0)
    center, scale = (lower + upper) / 2, float(np.max(upper - lower)) / 2
    lines = [np.linspace(lower[i], upper[i], GRID + 2)[1:-1] for i in range(2)]
    points = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1).reshape(-1, 2)
    points = points[np.asarray(partition.domain.contains(points))]
    points = points[np.asarray(region.contains(points))]
    values = np.asarray(to_numpy(source(points)), dtype=float)
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return Polynomial(np.zeros((1, 1)), center, scale)
    scaled = (points - center) / scale
    for degree in (0, 1, 2, 4, 6, 8, DEGREES):
        pairs = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
        if 3 * len(pairs) > len(points):
            break
        columns = np.stack([scaled[:, 0] ** i * scaled[:, 1] ** j for i, j in pairs], axis=1)
        found = np.linalg.lstsq(columns, values, rcond=None)[0]
        if np.abs(columns @ found - values).max() < EXACT * largest:
            coefficients = np.zeros((degree + 1, degree + 1))
            for (i, j), one in zip(pairs, found, strict=True):
                coefficients[i, j] = one
            return Polynomial(coefficients, center, scale)
    return None
