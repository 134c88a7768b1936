"""What the Helmholtz equation asks of a problem: sources in their place, and waves that double precision can hold."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from neurapde.core.arrays import Array, to_numpy
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import number, point
from neurapde.core.warn import warn
from neurapde.fields.sources import FunctionSource, Source

if TYPE_CHECKING:
    from neurapde.problem.problem import Problem

FAINT, STRONG = 1e-4, 1e-2
"""Parts of a density's maximum: in the layer more than the first is warned of, than the second refused."""
LEAST_PHASE, MOST_PHASE, ROUNDING = 1e-7, 1e9, 1e-12
"""Radians across the domain between which double precision holds both k² and the phase."""


def check_phase(wavenumber: float, slowness_squared: Callable[[Array], Array], problem: "Problem") -> None:
    """Refuse waves that double precision cannot tell from noise, or from none."""
    points = problem.domain.sample(1024, how="grid").numpy()
    slowness = math.sqrt(float(np.max(np.abs(slowness_squared(points)))))
    phase = wavenumber * slowness * max(problem.domain.extents)
    if phase > MOST_PHASE:
        raise DeclarationError(
            f"wavenumber {number(wavenumber)} makes {number(phase)} radians across {problem.domain}, so rounding "
            f"destroys the phase; give k in the domain's unit of length, up to {number(MOST_PHASE)} radians"
        )
    if phase < LEAST_PHASE:
        raise DeclarationError(
            f"wavenumber {number(wavenumber)} makes {number(phase)} radians across {problem.domain}, and k² is "
            "negligible beside the Laplacian; give k in the domain's unit of length, or use Poisson"
        )


def check_place(source: Source, problem: "Problem") -> None:
    """Refuse a source outside the domain or in its layer; warn where only its tail is."""
    if isinstance(source, FunctionSource):
        _check_density(source, problem)
        return
    if source.center is None:
        return
    at = np.array([source.center])
    if not problem.domain.contains(at)[0]:
        raise DeclarationError(
            f"the source at {point(source.center)} lies outside {problem.domain}; move it inside"
        )
    if problem.sides.topography is not None:
        problem.sides.topography.check(at, "source")
    if not problem.physical(at)[0]:
        raise DeclarationError(
            f"the source at {point(source.center)} lies in the absorbing layer; move it inside, or make the "
            "layer thinner"
        )
    steps = source.reach * np.concatenate([np.eye(at.shape[1]), -np.eye(at.shape[1])])
    if source.reach and not problem.physical(at + steps).all():
        warn(
            f"the source at {point(source.center)} extends {number(source.reach)} (four standard deviations), beyond "
            "the edge of the physical region; its mass there is lost or damped: move it inside or make it narrower",
            DeclarationWarning,
        )


def _check_density(source: FunctionSource, problem: "Problem") -> None:
    points = problem.domain.sample(4096, how="grid").numpy()
    density = np.abs(to_numpy(source(points)))
    if not np.isfinite(density).all():
        bad = points[np.flatnonzero(~np.isfinite(density))[0]]
        raise DeclarationError(
            f"the source, {source.describe()}, is not finite at {point(bad.tolist())}; give finite values"
        )
    layer = ~problem.physical(points)
    if not layer.any() or density[layer].max() <= FAINT * density.max():
        return
    worst, place = float(density[layer].max()), points[layer][int(density[layer].argmax())]
    message = (
        f"the source, {source.describe()}, is {number(worst)} at {point(place.tolist())}, in the absorbing layer, and "
        f"at most {number(float(density.max()))} elsewhere; let it vanish in the layer"
    )
    if worst > STRONG * density.max():
        raise DeclarationError(message)
    warn(message, DeclarationWarning)


def check_growth(speed: Callable[[Array], Array], problem: "Problem") -> None:
    """Warn of waves that grow on their way where they are to leave: the other convention in time asks for this sign."""
    open_sides = problem.pml is not None or any(
        condition.absorbs for parts in problem.sides.by_face.values() for condition in parts
    )
    speeds = np.ravel(np.asarray(speed(problem.domain.sample(1024, how="grid").numpy())))
    if (
        open_sides
        and np.iscomplexobj(speeds)
        and (growing := speeds[speeds.imag < -ROUNDING * np.abs(speeds)]).size
    ):
        worst = complex(growing[np.argmin(growing.imag)])
        warn(
            f"the speed is {number(worst)} somewhere: with a negative imaginary part waves grow as they travel, and they "
            f"are to leave this domain. Give {number(worst.conjugate())} for a medium that absorbs",
            DeclarationWarning,
        )
