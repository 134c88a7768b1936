"""What `Galerkin` tells of a wave problem on a lattice of sines, before and after."""

import math

import numpy as np

from neurapde.assembly.helmholtz import LatticeProblem, Step
from neurapde.core.errors import ResolutionWarning
from neurapde.core.warn import warn
from neurapde.equations.helmholtz import reflection_note
from neurapde.methods.refinement import estimate_note

MARGIN = 1.2  # the smallest bandwidth, in units of the largest local wavenumber, that can carry its waves


def warn_bandwidth(lattice: LatticeProblem, last: float, fixed: bool) -> None:
    """Warn where the sines up to `last` cannot carry the waves; fixed: whether the user gave that bandwidth."""
    need = MARGIN * lattice.largest_wavenumber
    if need <= last:
        return
    modes = max(lattice.count(need, axis) for axis in range(2))
    way = f"bandwidth of at least {need:.0f}" if fixed else f"largest={math.ceil(1.5 * modes)}"
    warn(
        f"the largest local wavenumber of {lattice.problem.name} is {lattice.largest_wavenumber:.0f} rad per unit length, "
        f"but the sines go up to {last:.0f}: the field cannot be resolved; give Galerkin a {way}, "
        "a lower wavenumber or a smaller domain",
        ResolutionWarning,
    )


def notes_of(lattice: LatticeProblem, step: Step) -> list[str]:
    """What the trial function is, what it adds to, and how good it is."""
    level = step.level
    waves = sum(len(shot) for shot in lattice.backgrounds)
    neurons, band = 2 * level.features, level.bandwidth
    notes = [
        f"Trial function: one hidden layer of {neurons} sines on the lattice of the box, up to "
        f"{band:.0f} rad per unit length ({band / lattice.largest_wavenumber:.1f} times the largest local wavenumber)."
    ]
    if waves:
        notes.append(
            f"Scattered form: the outgoing wave of {'each source' if waves > 1 else 'the source'} in a uniform "
            "medium is known, the sines add what the medium and the sides change."
        )
    if not np.any(level.coefficients):
        notes.append("The medium is uniform and every side absorbs: the known wave is the whole field.")
    notes.append(estimate_note(step.estimate, "bandwidths"))
    return [*notes, *reflection_note(lattice.problem.equation, lattice.problem)]
