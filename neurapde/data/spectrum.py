"""How fast samples vary: what the first layer of a network for them is chosen by."""

import numpy as np
from scipy.fft import dct
from scipy.spatial import cKDTree

from neurapde.conditions.constraints import AtPoints
from neurapde.data.raster import Raster

LINES = 64
"""Lines of samples along each axis whose spectra are taken."""


def median_frequency(raster: Raster) -> float:
    """The frequency below which half of the energy lies, of the axis where it is highest; rad a unit of length.

    The field is continued evenly beyond its borders, so that it has no jump there, and its mean is left out.
    """
    frequencies = []
    for axis, spacing in enumerate(raster.spacing):
        turned = np.moveaxis(raster.values, axis, -1)
        *others, count = turned.shape
        number = int(np.prod(others, dtype=int))
        chosen = np.arange(0, number, max(number // LINES, 1))
        lines = turned[np.unravel_index(chosen, others)] if others else turned[None]
        energy = (dct(lines - lines.mean(), norm="ortho").astype(float) ** 2).sum(axis=0)
        middle = int(np.searchsorted(np.cumsum(energy), energy.sum() / 2))
        frequencies.append(np.pi * middle / (count * spacing))
    return float(max(frequencies))


def scattered_frequency(data: AtPoints) -> float:
    """The root mean square frequency of scattered values, rad a unit of length, from each point's nearest."""
    points, values = np.asarray(data.points, dtype=float), np.asarray(data.targets, dtype=float)
    values = values.reshape(len(values), -1)
    if len(points) < 2 or np.ptp(values) == 0:
        return 0.0
    distances, nearest = (column[:, 1] for column in cKDTree(points).query(points, 2))
    change = ((values - values[nearest]) ** 2).sum(1)
    slope = points.shape[1] * change.sum() / max((distances**2).sum(), 1e-300)
    return float(np.sqrt(slope / values.var(axis=0).sum()))
