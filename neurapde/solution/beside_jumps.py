"""Derivatives of sines beside a jump of the medium, which they run across: those of neither side, and this is said."""

import numpy as np
from scipy.spatial import cKDTree

from neurapde.core.arrays import Array, as_points, to_numpy
from neurapde.core.warn import warn
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.fields.jumps import features_of
from neurapde.fields.medium import Field
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.spectral.weak import pieces_of
from neurapde.trials.ansatz import plain_network
from neurapde.trials.base import TrialFunction
from neurapde.trials.sines import LatticeFunction

BESIDE = 4.0
"""Half waves of the finest sines from a jump within which derivatives are doubtful."""


def warn_beside_jumps(problem: Problem | None, trial: TrialFunction, points: Array, what: str) -> None:
    """Warn where a "Laplacian" or "gradient" of sines is asked for at points `(n, d)` near a jump that it feels.

    The Laplacian jumps with the speed of waves and the coefficient of Poisson's equation, the gradient with the latter.
    """
    network = plain_network(trial)
    if problem is None or not isinstance(network, LatticeFunction):
        return
    fields: tuple[Field, ...] = ()
    if isinstance(problem.equation, Poisson):
        fields = (problem.equation.coefficient,)
        fields += (problem.equation.reaction,) if what == "Laplacian" else ()
    elif isinstance(problem.equation, Helmholtz) and what == "Laplacian":
        fields = (problem.equation.complex_speed,)
    distance = BESIDE * max(axis.length / axis.count for axis in network.axes)
    near = _near_jumps(problem, fields, distance, to_numpy(as_points(points, trial.dimension)))
    if near:
        warn(
            f"{near} of the points are closer than {distance:.2g} to a jump of the medium of {problem.name!r}. The "
            f"sines run across the jump, so their {what} is wrong there; keep farther away, or solve with "
            "npde.LeastSquares() and regions declared by Piecewise, where each side has its own features",
            ResolutionWarning,
        )


def _near_jumps(problem: Problem, fields: tuple[Field, ...], distance: float, points: np.ndarray) -> int:
    """How many points `(n, d)` are within a distance of where a field jumps, declared or as a function."""
    near = np.zeros(len(points), dtype=bool)
    for field in fields:
        for region in {region for piece in pieces_of(field) for region in (*piece.within, *piece.outside)}:
            near |= np.abs(to_numpy(region.signed_distance(points))) < distance
    features = features_of(fields, problem.domain)
    if len(features) and len(points):
        near |= cKDTree(features.points).query(points)[0] < distance
    return int(near.sum())
