"""The declaration of an unknown velocity: its region, bounds, start and form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number, point
from neurapde.domains.base import Domain
from neurapde.domains.box import Box
from neurapde.fields.medium import Field, as_field, check_positive
from neurapde.seismic.inversion.latent import Latent
from neurapde.seismic.inversion.regularisation import Prior
from neurapde.trials.base import Trial

WIDEST = 2.0
"""Default bounds: the slowest speed of the start model over this, the fastest times this."""
CORNERS = 41
"""Points per axis for the first check of a start model."""


@dataclass(frozen=True)
class Gridded(Declaration):
    """A velocity given by its values on the nodes of a grid, bilinear between them.

    shape: `(nx, ny)` nodes on the region of the model; None for those of the method's grid.
    """

    shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if self.shape is None:
            return
        shape = checks.array(self.shape, "shape of Gridded", "iu")
        if shape.shape != (2,) or shape.min() < 3 or shape.max() > checks.MOST:
            raise DeclarationError(
                f"Gridded has the shape {checks.shown(self.shape)}; give two whole numbers of at least 3"
            )
        object.__setattr__(self, "shape", tuple(int(n) for n in shape))

    def describe(self) -> str:
        """One line for reports."""
        return (
            "values on a grid" if self.shape is None else f"values on {self.shape[0]} × {self.shape[1]} nodes"
        )


@dataclass(frozen=True)
class Velocity(Declaration):
    """The unknown velocity of an inversion.

    Args:
        start: the speed to start from, in units of length over time: a number, a function of points `(n, 2)`, a
            GridField or a Piecewise; None for the speed of the problem. Where it is not free, the velocity has this
            value.
        bounds: (slowest, fastest); None for half the slowest and twice the fastest of `start`.
        trial: its form: `Siren(…)`, `MLP(…)` or another network, `Gridded(…)`, or the members of a learned family,
            `Latent.of(family)`; None for the method's choice.
        prior: one of TotalVariation, Smoothness, Tikhonov, or several; () for none; None for the method's choice.
        window: a Domain outside which the velocity is known; None for the whole region.
        fixed: Domains in which the velocity is known: water, a salt body, the surroundings of the sources.

    Raises: DeclarationError for a start that is not positive or leaves the bounds where it is free.
    """

    start: Any = None
    bounds: tuple[float, float] | None = None
    trial: Trial | Gridded | Latent | None = None
    prior: Any = None
    window: Domain | None = None
    fixed: Any = ()

    def __post_init__(self) -> None:
        if self.start is not None:
            start = as_field(self.start, "start of the Velocity")
            _check_speeds(start, "start of the Velocity")
            object.__setattr__(self, "start", start)
        if self.bounds is not None:
            low, high = checks.coordinates(self.bounds, "bounds of the Velocity", 2)
            if not 0 < low < high:
                raise DeclarationError(
                    f"bounds of the Velocity are {number(low)} and {number(high)}; give a positive slowest and a larger "
                    "fastest speed"
                )
            object.__setattr__(self, "bounds", (low, high))
        way = "give npde.Siren(…), npde.seismic.Gridded(…) or npde.seismic.Latent.of(family), or None"
        checks.kind(self.trial, "trial", Trial | Gridded | Latent | None, way)
        if self.prior is not None:
            way = "npde.seismic.TotalVariation(weight=…)"
            object.__setattr__(self, "prior", _several(self.prior, Prior, "prior", way))
        object.__setattr__(
            self, "fixed", _several(self.fixed, Domain, "fixed", "a domain such as npde.Box(…)")
        )
        checks.kind(self.window, "window", Domain | None, "give a domain such as npde.Box(…), or None")

    def on(self, region: Box) -> "Velocity":
        """The same with the values that depend on the region, all checked; without a prior if none is given."""
        start: Field = self.start.on(region)
        points = _lattice(region)
        speed = np.asarray(start(points))
        if np.iscomplexobj(speed) or not np.all(np.isfinite(speed) & (speed > 0)):
            bad = int(np.flatnonzero(~(np.isfinite(speed.real) & (speed.real > 0)) | np.iscomplex(speed))[0])
            raise DeclarationError(
                f"start of the Velocity is {number(speed[bad])} at {point(points[bad].tolist())}; give positive real speeds"
            )
        free = self.free(points)
        if not free.any():
            raise DeclarationError(
                "the Velocity is fixed everywhere in the region; give a larger window, or a smaller fixed region"
            )
        low, high = self.bounds or (float(speed.min()) / WIDEST, float(speed.max()) * WIDEST)
        outside = free & ((speed < low * (1 - 1e-9)) | (speed > high * (1 + 1e-9)))
        if outside.any():
            bad = int(np.flatnonzero(outside)[0])
            raise DeclarationError(
                f"start of the Velocity is {number(speed[bad])} at {point(points[bad].tolist())}, outside its bounds "
                f"{number(low)} to {number(high)}; widen the bounds, or change the start (are both in the same unit?)"
            )
        return Velocity(start, (low, high), self.trial, self.prior or (), self.window, self.fixed)

    @property
    def limits(self) -> tuple[float, float]:
        """The bounds of a Velocity that `on` completed."""
        if self.bounds is None:
            raise DeclarationError(
                "the bounds of the Velocity are not set yet; give bounds=(slowest, fastest)"
            )
        return self.bounds

    def free(self, points: np.ndarray) -> np.ndarray:
        """Where the velocity is unknown: points `(n, 2)` to bool `(n,)`."""
        inside = (
            np.ones(len(points), dtype=bool)
            if self.window is None
            else np.asarray(self.window.contains(points))
        )
        for domain in self.fixed:
            inside = inside & ~np.asarray(domain.contains(points))
        return inside

    def slowest_and_fastest(self, region: Box) -> tuple[float, float]:
        """The extremes of the start model in a region."""
        speed = np.asarray(self.start.on(region)(_lattice(region)))
        return float(speed.min()), float(speed.max())


def true_speed(value: Any, region: Box) -> Field:
    """The true speed in a region, from a number, a function of points or a field; positive and real.

    Raises: DeclarationError for anything else.
    """
    field = as_field(value, "the true speed")
    _check_speeds(field, "the true speed")
    field = field.on(region)
    check_positive(field, region, "the true speed")
    if np.iscomplexobj(np.asarray(field(_lattice(region)))):
        raise DeclarationError("the true speed is complex; give a real speed")
    return field


def _check_speeds(field: Field, what: str) -> None:
    """Refuse known values that are not speeds: complex, not positive, or too small or large to compute with."""
    for where, known in field.known_values():
        for worst in (np.argmax(np.abs(known.imag)), np.argmin(known.real), np.argmax(known.real)):
            checks.positive(known.flat[worst], f"{what}{where}")
    check_positive(field, None, what)


def _several(value: Any, kind: type, what: str, way: str) -> tuple[Any, ...]:
    items = (value,) if isinstance(value, kind) else value
    if items is None:
        return ()
    if (
        isinstance(items, str | bytes)
        or not isinstance(items, Sequence)
        or not all(isinstance(item, kind) for item in items)
    ):
        raise DeclarationError(
            f"{what} of the Velocity is {checks.shown(value)}; give {way}, or a list of such"
        )
    return tuple(items)


def _lattice(region: Box) -> np.ndarray:
    axes = [np.linspace(a, b, CORNERS) for a, b in region.sides]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
