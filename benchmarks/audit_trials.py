"""What a case of the audit is: a problem, where it is looked at, and its true values there."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neurapde as npde

Values = NDArray[Any]


@dataclass(frozen=True)
class Trial:
    """A problem, where it is looked at, and its true values there."""

    problem: npde.Problem
    points: Values
    truth: Values


def units(rng: np.random.Generator) -> tuple[float, float, float]:
    """A length, a time and a size of the field, each of any order of magnitude."""
    length, duration, size = 10 ** rng.uniform([-4, -3, -4], [4, 4, 5])
    return float(length), float(duration), float(size)
