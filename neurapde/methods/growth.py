"""What direct methods that grow their features to a tolerance have in common: checks of its settings, and what they tell."""

import math
import warnings
from collections.abc import Sequence

import numpy as np

from neurapde.core.errors import DeclarationError, ResolutionWarning
from neurapde.core.wording import number
from neurapde.methods.history import History


def check_growth(tolerance: float, largest: int, least: int) -> None:
    """Refuse a tolerance that is no relative error, and a largest number of features below `least`."""
    if not 0 < tolerance < 1:
        raise DeclarationError(f"tolerance={tolerance!r}: give a relative error between 0 and 1.")
    if isinstance(largest, bool) or not isinstance(largest, int) or largest < least:
        raise DeclarationError(f"largest={largest!r}: give a whole number of at least {least}.")


def check_bandwidth(bandwidth: float | None) -> None:
    """Refuse a bandwidth that is no frequency; None lets it grow."""
    if bandwidth is not None and not 0 < bandwidth < math.inf:
        raise DeclarationError(f"bandwidth={bandwidth!r}: give a positive, finite frequency.")


def estimate_note(estimate: float, levels: str) -> str:
    """The sentence on an error estimated from the change between two `levels`; infinite where there was but one."""
    if math.isinf(estimate):
        return f"The error is not estimated: there was no time for two {levels}."
    return f"Estimated relative error: {estimate:.1e}, from the change between the last two {levels}."


def tell_unresolved(name: str, estimate: float, features: int, tolerance: float, way: str) -> None:
    """Warn that a solve ended above its tolerance; `way` is the method that may get there."""
    warnings.warn(
        f"the estimated relative error of {name} is {estimate:.1e} with {features} features, above the tolerance "
        f"{number(tolerance)}; give {way}, or a larger tolerance",
        ResolutionWarning,
        stacklevel=4,
    )


def growth_history(features: Sequence[int], changes: Sequence[float]) -> History:
    """A row for each level but the first: its features, and the field's change from the level before."""
    return History(
        step=np.array(features, dtype=np.int64),
        seconds=np.zeros(len(features)),
        loss=np.array(changes),
        learning_rate=np.full(len(features), np.nan),
        constraints={"change between bandwidths": np.array(changes)},
    )
