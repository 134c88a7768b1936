"""The order of a training in time: the time interval grows from the initial condition."""

from dataclasses import dataclass, replace

from neurapde.conditions.constraints import Constraint, Face, Interior, Samples
from neurapde.conditions.periodic import PairedPoints
from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.spacetime import SpaceTime
from neurapde.problem.problem import Problem


@dataclass(frozen=True)
class Curriculum(Declaration):
    """Train near the start of the time first: at step n, points lie in the first n / steps of it, at the end in all.

    steps: number of steps over which the time interval grows, evenly; usually two thirds of the method's own.
    first: part of the time at the beginning.

    Points given with the problem (`at_points`) stay where they are. The SIREN paper trains waves in this way. Measured
    on u_t = 20 u (1 − u), two seeds, 2000 steps of Adam: the errors are 0.15 and 0.28, and 0.98 with all times at
    once, the false solution u = 0. It did not help on a wave that crosses the domain nearly five times, u_t + 30 u_x =
    0.
    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, the wave equation's training.
    """

    steps: int
    first: float = 0.0

    def __post_init__(self) -> None:
        checks.whole(self.steps, "steps", of="the Curriculum")
        way = "give a fraction between 0 and 1"
        checks.number(self.first, "first", lambda x: 0 <= x <= 1, way, of="the Curriculum")

    def check(self, problem: Problem) -> None:
        """Refuse a problem without a time."""
        if not isinstance(problem.domain, SpaceTime):
            raise DeclarationError(
                f"a Curriculum extends time, but the domain of {problem.name} is {problem.domain}; use "
                "domain.over(Time(0, 1))."
            )

    def reach(self, step: int) -> float:
        """The part of the time that a step covers."""
        return min(1.0, self.first + (1 - self.first) * step / self.steps)


def within_reach(samples: Samples, constraint: Constraint, problem: Problem, reach: float) -> Samples:
    """The samples of a constraint, with their times scaled into the part of the time in use."""
    domain = problem.domain
    drawn = isinstance(constraint.sample, Interior | Face | PairedPoints)
    if reach >= 1 or not drawn or not isinstance(domain, SpaceTime):
        return samples
    points = samples.points.clone()
    points[:, -1] = domain.time.start + reach * (points[:, -1] - domain.time.start)
    return replace(samples, points=points)
