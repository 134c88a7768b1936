"""The closing check of `MethodOfLines`: the error from unresolved parts of medium, initial values and sources."""

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from neurapde.assembly.forcing import Density, Projected
from neurapde.assembly.wave import WaveLattice
from neurapde.assembly.wave_levels import Evolved, evolve, followed
from neurapde.assembly.wave_medium import squared
from neurapde.fields.medium import FunctionField
from neurapde.fields.sources import Source
from neurapde.spectral.propagation import Driven
from neurapde.spectral.unseen import Unseen, common, unseen, unseen_in


def missed(level: Evolved, enough: float) -> float:
    """The relative error of a level from parts between the nodes of its rules; `enough`: a fraction of a function.

    Unresolved parts of an initial value or a source are propagated in time; those of the medium need a new solve.
    """
    waves, lattice = level.waves, level.lattice
    error = np.zeros((2, *level.raw[0].shape))
    for shot, sources in enumerate(waves.problem.right_hand_sides):
        pulses = [source for source in sources if source not in waves.moving]
        for forcing in (*waves.shared(), *waves.shot(pulses, lattice)):
            if not isinstance(forcing.load, Density | Projected) or not _is_free(forcing.load.pattern.field):
                continue
            seen = forcing.load.pattern.unseen(lattice)
            if seen.part <= enough:
                continue
            tables = [partial(lattice.values, axis) for axis in range(len(lattice.modes))]
            for half, integrals in enumerate(seen.tested(1.0, tables)):
                driven = Driven(
                    forcing.load.of(lattice, integrals), forcing.signal, forcing.value, forcing.rate
                )
                error[half, ..., shot] += followed(lattice, level.times, [driven]).states[0]
    for medium in unseen_medium(lattice):
        if medium.part > enough:
            for half, moments in enumerate(
                medium.tested(1.0, [axis_modes.cosines for axis_modes in lattice.modes])
            ):
                error[half] += evolve(waves, lattice.with_missed(moments), level.times).raw[0] - level.raw[0]
    missed_part = common(np.stack([level.seen(half) for half in error])) / (level.size or 1.0)
    missed_part += max((forcing.missed(lattice, enough) for forcing in waves.moving.values()), default=0.0)
    return missed_part if math.isfinite(missed_part) else 1.0


def _is_free(field: object) -> bool:
    """Whether a field is a function without a known width."""
    return isinstance(field, FunctionField) and not isinstance(field.function, Source)


def unseen_medium(lattice: WaveLattice) -> Iterator[Unseen]:
    """The unresolved part of a medium that is a function, in the plane for each such piece."""
    medium = lattice.source
    free = [piece for piece in medium.pieces if _is_free(piece.field)]
    if medium.core.dimension == 1 and free:
        rules = medium.rules(lattice.modes)
        yield unseen(medium.slowness_squared, [x for _, x in rules], [ends for ends, _ in rules], medium.core)
        return
    breaks = [medium.planes(axis) for axis in range(medium.core.dimension)]
    for piece in free:
        yield unseen_in(piece, partial(squared, piece), breaks, medium.rough(lattice.modes), medium.core)
