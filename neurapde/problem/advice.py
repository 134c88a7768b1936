"""What an equation advises where a network is trained for it; which method takes the advice is no business of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Advice:
    """How a network is best trained for a problem.

    why:      what speaks for it, as the end of a sentence that begins with "since"; "" if only that others fail.
    first:    whether training is better than any direct method that could solve the problem, too.
    curved:   whether few steps of second order on a small network do, rather than many of Adam.
    steps, rate, points, weights: of the training, in the terms of the method that takes them.
    squares:  whether the mean square is lowered, as steps of second order do, rather than the mean size.
    fading:   whether the rate falls to zero. follows: whether points follow the residual.
    """

    why: str = ""
    first: bool = False
    curved: bool = False
    steps: int = 10_000
    rate: float = 1e-4
    points: int | Mapping[str, int] = 4096
    weights: Mapping[str, float] = field(default_factory=dict)
    squares: bool = False
    fading: bool = False
    follows: bool = False
