"""Values on equally spaced nodes of a plane, between a file and a `GridField`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.fields.grid_field import GridField

EQUAL = 1e-3
"""Of a step between nodes: up to so much may steps differ, by rounding in headers."""


@dataclass(frozen=True)
class Said:
    """The caller's arguments for a file; see `read_model`."""

    shape: Any = None
    spacing: Any = None
    origin: Any = None
    transposed: bool = False
    dtype: Any = None

    def __post_init__(self) -> None:
        for name in ("spacing", "origin"):
            if (value := getattr(self, name)) is not None:
                pair = checks.coordinates(value, f"{name} of the model", 2)
                if name == "spacing" and min(pair) <= 0:
                    raise DeclarationError(
                        f"spacing of the model is {pair}; give two positive numbers (dx, dz)"
                    )
                object.__setattr__(self, name, pair)
        checks.flag(self.transposed, "transposed")


@dataclass(frozen=True, eq=False)
class Plane:
    """values: `(nx, nz)`. spacing: `(dx, dz)`, None if the file does not give it. origin: `(x, z)` of the first node."""

    values: NDArray[np.float64]
    spacing: tuple[float, float] | None = None
    origin: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(cls, model: GridField) -> "Plane":
        """The plane of a field of two axes with bounds."""
        assert model.bounds is not None
        lower, upper = (np.asarray(corner, dtype=float) for corner in model.bounds)
        steps = (upper - lower) / (np.array(model.values.shape) - 1)
        return cls(model.values, (float(steps[0]), float(steps[1])), (float(lower[0]), float(lower[1])))

    def field(self, said: Said, name: str) -> GridField:
        """The field; the caller's arguments override the file."""
        values = self.values.T if said.transposed else self.values
        spacing, origin = self.spacing, self.origin
        if said.transposed:
            spacing, origin = None if spacing is None else spacing[::-1], origin[::-1]
        spacing, origin = said.spacing or spacing, said.origin or origin
        if values.ndim != 2 or min(values.shape) < 2:
            raise StorageError(
                f"{name} has values of the shape {values.shape}; give at least two nodes along each axis"
            )
        if spacing is None:
            return GridField(values)
        upper = tuple(o + h * (n - 1) for o, h, n in zip(origin, spacing, values.shape, strict=True))
        return GridField(values, (origin, upper))


def evenly(places: ArrayLike, what: str) -> tuple[float, float]:
    """The first of equally spaced places and their step. Raises: StorageError."""
    coordinates = np.asarray(places, dtype=float)
    steps = np.diff(coordinates)
    if (
        coordinates.ndim != 1
        or len(coordinates) < 2
        or not np.isfinite(coordinates).all()
        or not steps.mean() > 0
    ):
        raise StorageError(f"{what} do not increase; give two or more that do")
    off = np.abs(coordinates - np.linspace(coordinates[0], coordinates[-1], len(coordinates))).max()
    if off > EQUAL * steps.mean() and off > 2e-4 * np.abs(steps).mean() * len(coordinates):
        raise StorageError(
            f"{what} deviate by up to {off:.3g} from equal steps of {steps.mean():.6g}; resample the model on equally "
            "spaced nodes"
        )
    return float(coordinates[0]), float(coordinates[-1] - coordinates[0]) / (len(coordinates) - 1)
