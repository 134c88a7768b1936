"""What is still to come of a sequence that converges, from its changes so far."""

import math
from collections.abc import Sequence

STEADY = 0.9
"""The largest ratio of successive changes that is summed: slower sequences are taken for this one."""
RECENT = 4
"""Changes among which a peak says that a small one may be so by chance."""


def estimate_error(changes: Sequence[float], least: float) -> float:
    """The sum of the changes after the last: a geometric series with the ratio of it to the one before.

    Where one of the last few changes was larger than both before it, the sequence does not fall steadily (the field
    jumps within a feature, or is not resolved yet): what is to come is then as large as that peak, at least. Larger than
    one of them it may be where every second level adds nothing, as odd modes to an even field.

    least: the ratio is taken for no smaller, where changes fall faster at first than in the end. A change without one
        before it counts as twice the next; without any change nothing is known.
    """
    if not changes:
        return math.inf
    *_, before, change = (0.0, *changes)
    ratio = min(max(change / before, least), STEADY) if before > 0 else 0.5
    last = len(changes)
    peaks = [
        changes[i] for i in range(max(2, last - RECENT + 1), last) if changes[i] > max(changes[i - 2 : i])
    ]
    return max([change * ratio / (1 - ratio), *peaks])
