"""The closing check of weak forms: the error from parts of declared functions that their quadrature does not resolve."""

from collections.abc import Callable

from neurapde.core.warn import warn
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.run.method import Outcome, Status

ENOUGH = 0.05
"""Fraction of the tolerance: a part of a function between a rule's nodes below this needs no further check."""
ROUGHLY = 0.05
"""Accuracy of the linear system of an error."""


def with_missed(outcome: Outcome, name: str, missed: Callable[[], float], tolerance: float) -> Outcome:
    """A converged outcome with this error added; above the tolerance it becomes unresolved."""
    if outcome.status is not Status.CONVERGED:
        return outcome
    stated, change = float(outcome.extras["error_estimate"]), missed()
    if change <= tolerance:
        return outcome
    warn(
        f"the closing check of {name} finds an error that the quadrature has missed: between its nodes the declared "
        f"functions have details that change the field by a relative {change:.1e}, but the method estimates "
        f"{stated:.1e}. Some detail is narrower than the sines of this tolerance resolve: declare the narrow part "
        "(GaussianSource, Piecewise), make it wider, or give a larger bandwidth=…",
        ResolutionWarning,
    )
    return outcome.unresolved(change, "from details between the nodes of the quadrature")
