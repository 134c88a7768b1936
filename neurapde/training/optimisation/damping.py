"""The damping of a Levenberg–Marquardt step: how little the linearised residuals are trusted."""

from dataclasses import dataclass


@dataclass
class Damping:
    """λ, not below `least`: it falls when a step lowers the loss as predicted, and rises ever faster when steps fail.

    Source: Madsen, Nielsen, Tingleff (2004), Methods for Non-Linear Least Squares Problems, algorithm 3.16.
    """

    value: float
    raised: float = 2.0
    least: float = 0.0

    def succeed(self, actual: float, predicted: float) -> None:
        """A step has lowered the loss by `actual`."""
        ratio = min(1.0, actual / predicted) if predicted > 0 else 0.0
        self.value = max(self.value * max(1 / 3, 1 - (2 * ratio - 1) ** 3), self.least)
        self.raised = 2.0

    def fail(self) -> None:
        """A step did not lower the loss."""
        self.value *= self.raised
        self.raised *= 2.0
