"""The error after a fixed time of the SIREN paper's training, beside `Galerkin`'s at its own time.

The problem is the paper's, `helmholtz-uniform` at k = 20, and with a disk in it, of which `Galerkin` has no
closed form to start from. Errors are relative L2 in the physical region against the exact field. Trainings
differ in points per step and learning rate: the paper's, and smaller, faster steps, of which more fit into
the time.
"""

import dataclasses

from harness import Lap, Measured, error_against_exact, timed

import neurapde as npde
from neurapde.problems import helmholtz_disk, helmholtz_uniform

SECONDS = 60.0
TRAININGS = {
    "Adam, the paper's": npde.Adam(50_000, lr=2e-5, points=230**2),
    "Adam, 2048 points": npde.Adam(50_000, lr=1e-4, points=2048),
}


class Solved:
    """A problem solved by one method: the solution, and how long it took."""

    def __init__(
        self, problem: npde.Problem, method: npde.Adam | npde.Galerkin, trial: npde.Siren | None
    ) -> None:
        self.problem, self.method, self.trial = problem, method, trial
        self.lap: Lap = timed(self._solve)()

    def _solve(self) -> None:
        self.solution = npde.solve(self.problem, self.trial, self.method, progress=False)

    def row(self, way: str) -> dict:
        """The raw numbers."""
        trained = isinstance(self.method, npde.Adam)
        losses = self.solution.history.loss
        return {
            "problem": self.problem.name,
            "way": way,
            "method": self.solution.method,
            "steps": self.method.steps if trained else None,
            "wall": self.lap.wall,
            "computed": self.lap.computed,
            "error": error_against_exact(self.problem, self.solution),
            "loss": [float(losses[0]), float(losses[-1])] if trained else None,
        }


def train(problem: npde.Problem, method: npde.Adam, trial: npde.Siren, seconds: float) -> Solved:
    """Train for about this long: three steps tell how many fit."""
    pace = Solved(problem, dataclasses.replace(method, steps=3), trial).lap.wall / 3
    return Solved(problem, dataclasses.replace(method, steps=max(1, round(seconds / pace))), trial)


def measure(small: bool) -> Measured:
    """Train and solve, one after the other."""
    seconds = 0.2 if small else SECONDS
    trial = npde.Siren(16, 1) if small else npde.Siren()
    trainings = {"Adam": npde.Adam(9, points=64)} if small else TRAININGS
    rows = []
    for problem in (helmholtz_uniform(),) if small else (helmholtz_uniform(), helmholtz_disk()):
        for way, method in trainings.items():
            rows.append(train(problem, method, trial, seconds).row(way))
        rows.append(Solved(problem, npde.Galerkin(), None).row("Galerkin"))
    table = [["way, problem", "steps", "wall", "computed", "loss falls to", "error"]]
    for row in rows:
        table.append(
            [
                f"{row['way']}, {row['problem']}",
                str(row["steps"] or ""),
                f"{row['wall']:.3g} s",
                f"{row['computed']:.3g} s",
                f"{row['loss'][1] / row['loss'][0]:.2g}" if row["loss"] else "",
                f"{row['error']:.1e}",
            ]
        )
    return Measured({"seconds": seconds, "trial": str(trial)}, rows, table)
