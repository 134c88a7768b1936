"""What is still to come of a sequence that converges, from its last two changes."""

import math

STEADY = 0.9
"""The largest ratio of successive changes that is summed: slower sequences are taken for this one."""


def still_to_come(change: float, before: float, least: float) -> float:
    """The sum of the changes after `change`, as a geometric series with the ratio of it to the one `before`.

    least: the ratio is taken for no smaller, where changes fall faster at first than in the end. A change without one
        before it (infinite, or zero) counts as twice the next.
    """
    ratio = min(max(change / before, least), STEADY) if 0 < before < math.inf else 0.5
    return change * ratio / (1 - ratio)
