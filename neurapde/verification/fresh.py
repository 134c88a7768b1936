"""Fresh points of a constraint, concentrated where its declaration changes from place to place, with their weights.

The residual of a jet that is the same everywhere is a function of the place alone: sources, data and coefficients show in
it, whoever wrote them. Where it changes most, every point of a fine scan is taken; of the rest a part. Gaussian sources,
whose place and width are known, get points of their own.
"""

import math

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from neurapde.collocation.samples import Weighed
from neurapde.conditions.constraints import Constraint, Face, Interior, Samples
from neurapde.core.arrays import to_numpy
from neurapde.fields.sources import GaussianSource
from neurapde.jets.jet import Jet
from neurapde.optimisation.jacobian import real_residuals
from neurapde.problem.problem import Problem

SCAN = {1: 2**14, 2: 2**17, 3: 2**17}
"""Points at which what a constraint says is looked at, by the axes of the set they lie in."""
BASE = 1024
"""Points beside which a change is measured: as many as a coarse solve sees."""
STEEPEST, REST = 1536, 1536
"""Points taken where it changes most, and of all others."""
AROUND, DEVIATIONS, MOST_SOURCES = 1024, 5.0, 16
"""Points in the ball round a Gaussian source, its radius in standard deviations, and the sources that get one."""
SEED = 83417


def fresh_samples(problem: Problem, sizes: Tensor) -> dict[str, Samples]:
    """Samples of every constraint of a problem by name, in float64 on the CPU.

    sizes: of the field and its derivatives (channels,), or with components: the jets that are tried are as large.
    """
    generator = torch.Generator().manual_seed(SEED)
    return {one.name: _of(problem, one, sizes, generator) for one in problem.constraints}


def _of(problem: Problem, constraint: Constraint, sizes: Tensor, generator: torch.Generator) -> Samples:
    axes = problem.domain.dimension - isinstance(constraint.sample, Face)
    if not isinstance(constraint.sample, Interior | Face) or axes == 0:
        return constraint.sample(BASE, how="sobol", generator=generator)
    scan = constraint.sample(SCAN[min(axes, 3)], how="sobol", generator=generator)
    balls = _balls(problem, constraint, generator)
    free = torch.ones(len(scan.points), dtype=torch.bool)
    for ball in balls:
        free &= (scan.points - ball.center).norm(dim=1) > ball.radius
    rank = torch.argsort(_change(problem, constraint, scan, sizes)[free], descending=True)
    index = torch.nonzero(free)[:, 0][rank]
    steep, others = index[:STEEPEST], index[STEEPEST:]
    rest = others[torch.randperm(len(others), generator=generator)[:REST]]
    share = 1.0 / len(scan.points)
    points = [scan.points[steep], scan.points[rest], *(ball.points for ball in balls)]
    parts = [share, share * len(others) / max(len(rest), 1), *(ball.share for ball in balls)]
    weights = torch.cat(
        [torch.full((len(one),), part).double() for one, part in zip(points, parts, strict=True)]
    )
    normals = None if scan.normals is None else scan.normals[torch.cat([steep, rest])]
    return Weighed(torch.cat(points), normals, None, weights * (len(weights) / float(weights.sum())))


def _change(problem: Problem, constraint: Constraint, scan: Samples, sizes: Tensor) -> Tensor:
    """How far what a constraint says at each point (n,) is from what it says at the nearest of a few."""
    layout = problem.layout(constraint)
    generator = torch.Generator().manual_seed(SEED)
    columns = []
    for signs in (0.0, 1.0, 1.0):
        random = torch.randn(sizes.shape, generator=generator, dtype=torch.float64)
        constant = (signs * random * sizes)[: layout.count, None]
        channels = constant.expand(layout.count, len(scan.points), *sizes.shape[1:]).contiguous()
        if problem.equation.complex:
            channels = torch.view_as_complex(channels)
        with torch.no_grad():
            columns.append(real_residuals(constraint, scan, Jet(channels, layout)))
    found = torch.cat(columns, dim=1)
    _, nearest = cKDTree(to_numpy(scan.points[:BASE])).query(to_numpy(scan.points))
    change = (found - found[torch.as_tensor(nearest)]).abs()
    return (change / change.amax(0).clamp(min=torch.finfo(torch.float64).tiny)).sum(1)


class _Ball:
    """Points inside the domain within a ball round a source, and the part of the domain that each stands for."""

    def __init__(self, problem: Problem, source: GaussianSource, generator: torch.Generator) -> None:
        d = problem.domain.dimension
        self.radius = DEVIATIONS * math.sqrt(source.variance)
        self.center = torch.tensor(source.center, dtype=torch.float64)
        direction = torch.nn.functional.normalize(
            torch.randn(AROUND, d, generator=generator, dtype=torch.float64)
        )
        length = torch.rand(AROUND, 1, generator=generator, dtype=torch.float64) ** (1 / d)
        drawn = self.center + self.radius * length * direction
        self.points = drawn[torch.as_tensor(problem.domain.contains(drawn))]
        volume = math.pi ** (d / 2) / math.gamma(d / 2 + 1) * self.radius**d
        self.share = volume / float(problem.domain.measure) / AROUND


def _balls(problem: Problem, constraint: Constraint, generator: torch.Generator) -> list[_Ball]:
    """Of an equation's Gaussian sources, those that do not overlap one before."""
    own = {one.name for one in problem.equation.constraints(problem)}
    if constraint.name not in own or not isinstance(constraint.sample, Interior):
        return []
    found: list[_Ball] = []
    for source in (source for side in problem.right_hand_sides for source in side):
        if isinstance(source, GaussianSource) and len(found) < MOST_SOURCES:
            ball = _Ball(problem, source, generator)
            apart = all(float((ball.center - one.center).norm()) > ball.radius + one.radius for one in found)
            if apart and len(ball.points):
                found.append(ball)
    return found
