"""Random velocity models, inclusions in a smooth background: a data set from which `npde.learn` makes a prior."""

import math
from dataclasses import dataclass

import numpy as np

from neurapde.core import checks
from neurapde.core.arrays import Array, cos, full
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.data.raster import Raster
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.domains.disk import Disk
from neurapde.fields.medium import Piecewise
from neurapde.learning.dataset import Samples

WITHIN = 4
"""Places per axis for the average of a model over a cell with an edge."""
CURVES = 6
"""Number of cosines in a background."""
WAVELENGTHS = (0.5, 1.5)
"""Wavelengths of these cosines, in units of the shorter side of the window."""
FLATNESS = 0.5
"""Half the thickness of a lens, in units of half its length."""


@dataclass(frozen=True)
class RandomVelocities(Declaration):
    """Models c(x): disks and lenses with constant speeds in a smooth background; number `k` is always the same.

    window:     where the speed varies; outside it and on its border the speed is `background`.
    background: the speed there.
    inclusions: fewest and most of them; each is a disk or a lens of any direction, equally likely; later ones win.
    radius:     smallest and largest radius of a disk, and half length of a lens, in units of length; uniform.
    speed:      slowest and fastest speed of an inclusion; uniform.
    smooth:     standard deviation of the background in the middle of the window, relative; 0 for a constant one, for
                which a direct solve takes a fifth of the time.
    shape:      nodes `(nx, ny)` on which `models[k]` gives the speed, or its mean over the cell if an edge cuts the
                cell; count: number of models.
    seed:       of all models.

    `models.model(k)` is a model as a function of space, for a Problem; `models[k]` are the points and values that
    `npde.learn` reads, computed when needed.
    """

    window: Box
    background: float = 1.0
    inclusions: tuple[int, int] = (1, 3)
    radius: tuple[float, float] = (0.05, 0.15)
    speed: tuple[float, float] = (1.2, 2.0)
    smooth: float = 0.03
    shape: tuple[int, int] = (32, 32)
    count: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        way = "give a box of two axes, npde.Box((-1, 1), (-1, 1))"
        checks.kind(self.window, "window", Box, way)
        if self.window.dimension != 2:
            raise DeclarationError(f"window={self.window}: {way}")
        checks.positive(self.background, "background")
        checks.number(self.smooth, "smooth", lambda x: 0 <= x < 0.25, "give 0 or a fraction below 0.25")
        checks.whole(self.count, "count"), checks.whole(self.seed, "seed", 0)
        for name in ("inclusions", "radius", "speed", "shape"):
            given = getattr(self, name)
            if not isinstance(given, tuple | list) or len(given) != 2:
                raise DeclarationError(f"{name}={checks.shown(given)}: give two numbers, as a tuple")
            object.__setattr__(self, name, tuple(given))
        checks.whole(
            self.inclusions[1], "inclusions[1]", checks.whole(self.inclusions[0], "inclusions[0]", 0)
        )
        for nodes in self.shape:
            checks.whole(nodes, "shape", 2)
        room = min(self.window.extents) / 2
        for name, most in (("radius", room), ("speed", math.inf)):
            low, high = (checks.positive(x, name) for x in getattr(self, name))
            if not low <= high < most:
                raise DeclarationError(
                    f"{name}={getattr(self, name)}: give the smaller value first"
                    + (f", below {room:g}, half the window" if name == "radius" else "")
                )

    @property
    def domain(self) -> Box:
        """The window."""
        return self.window

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Samples:
        points, model = self.raster().points, self.model(index)
        cell = self.window.extents / (np.array(self.shape) - 1)
        line = (np.arange(WITHIN) + 0.5) / WITHIN - 0.5
        shifts = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 1, 2) * cell
        values = np.asarray(model(points), dtype=float)
        edge = np.zeros(len(points), dtype=bool)
        for region, _ in model.pieces:
            edge |= np.abs(region.signed_distance(points)) < np.hypot(*cell) / 2
        places = np.clip(points[edge] + shifts, *self.window.bounds).reshape(-1, 2)
        values[edge] = model(places).reshape(WITHIN**2, -1).mean(0)
        return Samples(points, values)

    def raster(self, values: Array | None = None) -> Raster:
        """Values at the nodes, zero unless given, as a raster: to look at, or for `npde.learning.Rasters`."""
        lower, upper = (tuple(corner.tolist()) for corner in self.window.bounds)
        given = np.zeros(self.shape) if values is None else np.asarray(values).reshape(self.shape)
        return Raster(given, lower, upper)

    def model(self, index: int) -> Piecewise:
        """Model number `index`, from 0 up to `count`, as a field."""
        checks.whole(index, "index", 0)
        if index >= self.count:
            raise IndexError(f"index={index}: there are {self.count} models, numbered from 0")
        rng = np.random.default_rng((self.seed, index))
        background = self._smooth(rng) if self.smooth else self.background
        least, most = self.inclusions
        pieces = [
            (self._inclusion(rng), float(rng.uniform(*self.speed)))
            for _ in range(rng.integers(least, most + 1))
        ]
        return Piecewise(background, *pieces)

    def _inclusion(self, rng: np.random.Generator) -> Domain:
        radius = rng.uniform(*self.radius)
        low, high = self.window.bounds
        center = rng.uniform(low + radius, high - radius)
        if rng.random() < 0.5:
            return Disk(tuple(center), radius)
        angle = rng.uniform(0, math.pi)
        normal = np.array([math.cos(angle), math.sin(angle)])
        curvature_radius = radius * (1 + FLATNESS**2) / (2 * FLATNESS)
        apart = (curvature_radius - FLATNESS * radius) * normal
        return Disk(tuple(center + apart), curvature_radius) & Disk(tuple(center - apart), curvature_radius)

    def _smooth(self, rng: np.random.Generator) -> "_Background":
        angle = rng.uniform(0, 2 * math.pi, CURVES)
        length = rng.uniform(*WAVELENGTHS, CURVES) * min(self.window.extents)
        waves = 2 * math.pi / length * np.stack([np.cos(angle), np.sin(angle)])
        heights = self.smooth * math.sqrt(2 / CURVES) * rng.standard_normal(CURVES)
        return _Background(self.window, self.background, waves, rng.uniform(0, 2 * math.pi, CURVES), heights)


@dataclass(frozen=True, eq=False)
class _Background:
    """c₀ (1 + t Σ a cos(w·x + b)), with t = Π (1 − s²)² over the axes, s from −1 to 1 across the window, 0 outside."""

    window: Box
    speed: float
    waves: np.ndarray
    phases: np.ndarray
    heights: np.ndarray

    def __call__(self, points: Array) -> Array:
        change, taper = full(points, 0.0), full(points, 1.0)
        for axis, (low, high) in enumerate(self.window.sides):
            s = (2 * points[:, axis] - low - high) / (high - low)
            taper = taper * ((1 - s**2) * (1 - s**2 > 0)) ** 2
        for (wx, wy), phase, height in zip(self.waves.T, self.phases, self.heights, strict=True):
            change = change + float(height) * cos(
                float(wx) * points[:, 0] + float(wy) * points[:, 1] + float(phase)
            )
        return self.speed * (1 + taper * change)
