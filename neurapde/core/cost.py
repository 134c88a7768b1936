"""What a piece of work takes, told before it is begun: memory, and time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """What one level of a direct method takes.

    memory: bytes at most. seconds: of a core; within a factor of three, where the number of iterations is as predicted.
    what: the level in words, "509 × 509 sines".
    """

    memory: float
    seconds: float
    what: str


def duration(seconds: float) -> str:
    """A time for a person: 12 s, 3.5 minutes, 7 hours."""
    if seconds < 120:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.2g} minutes" if seconds < 7200 else f"{seconds / 3600:.2g} hours"
