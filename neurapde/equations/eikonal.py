"""The eikonal equation |∇u| = 1/c: signed distance of a surface, and first-arrival times of point sources.

With a surface, c = 1: u is the signed distance Φ, negative inside, and the constraints are the four terms of the
SIREN paper, with a fifth that tells the distance itself. With sources, u is the time T at which a wave that leaves
each source at time 0 first arrives; its product form T = T₀τ is the trial `FactoredAnsatz`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurapde.backgrounds.rays import StraightRays
from neurapde.conditions.constraints import AtPoints, Constraint, Samples, interior
from neurapde.core import checks
from neurapde.core.arrays import Array
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.equations.surface_terms import PAPER_WEIGHTS, surface_terms
from neurapde.fields.medium import Constant, Field, as_field, check_positive
from neurapde.fields.sources import PointSource
from neurapde.problem.advice import Advice
from neurapde.problem.equation import AbstractEquation
from neurapde.trials.ansatz import FactoredAnsatz, OutputScaling
from neurapde.trials.base import Trial, box_scale

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet
    from neurapde.problem.problem import Problem

PROBES, ALONG = 4096, 64
"""Points at which the highest speed is looked for, and points of a straight path."""


@dataclass(frozen=True)
class Eikonal(AbstractEquation):
    """|∇u| = 1/c, from a surface or from the problem's point sources.

    Args:
        speed: c, for travel times: a positive number, a function of points, a GridField or a Piecewise.
        surface: whose signed distance is wanted: any domain, `PointCloud` and `Mesh` included.
        distance: with a surface, whether the known distance supervises u too. False: the paper's four terms to the letter.

    The constraints of a surface: "surface" Φ = 0 and "normals" ∇Φ·n = 1 on it, "off-surface" exp(−α|Φ|) = 0,
    "eikonal" |∇Φ| = 1 and "distance" Φ = d in the domain; α = 100 in a domain of half width 1. The paper's: "normals" is
    1 − cos(∇Φ, n), and the slope is 1 in the domain, "eikonal", and on the surface, "eikonal-on-surface".
    Of sources: "eikonal" c|∇T| = 1, "source" T = 0.
    Several sources each need a field of their own (Shots); the first arrival of all is the least of them.
    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 4.2.
    """

    speed: Any = 1.0
    surface: Domain | None = None
    distance: bool = True

    order = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "speed", as_field(self.speed, "speed"))
        checks.flag(self.distance, "distance")
        check_positive(self.speed, None, "speed")
        if self.surface is None:
            return
        checks.kind(self.surface, "surface", Domain, "give a domain such as Ball, Mesh or PointCloud")
        if not isinstance(self.speed, Constant) or self.speed.value != 1:
            raise DeclarationError(
                f"the signed distance of {self.surface.name} has the speed 1, but speed is {self.speed.describe()}; "
                "leave speed out, or give sources instead of a surface for travel times"
            )

    def on(self, domain: Domain) -> "Eikonal":
        speed: Field = self.speed
        return Eikonal(speed.on(domain), self.surface, self.distance)

    @property
    def regions(self) -> Mapping[str, Domain]:
        return self.speed.regions if self.surface is None else {}

    def slowness(self, points: Array) -> Array:
        """1/c at points `(n, d)`: `(n,)`."""
        return 1.0 / self.speed(points)

    def check(self, problem: "Problem") -> None:
        if problem.boundary:
            raise DeclarationError(
                f"the eikonal equation takes no boundary conditions, but boundary has {problem.boundary[0]!r}; leave it out"
            )
        if self.surface is None:
            check_positive(self.speed, problem.domain, "speed")
            _check_sources(problem)
        else:
            _check_surface(self.surface, problem)

    def around(self, network: Trial, problem: "Problem") -> Trial:
        """For travel times the factored form T = T₀(1 + network), T₀ along straight rays at the sources' speed.

        For a distance the network is in units of the domain's half width.
        """
        if self.surface is not None:
            size = self.field_size(problem)
            return network if size == 1 else OutputScaling(network, size)
        at = sources_of(problem)
        slowness = self.slowness(np.asarray(at))
        return FactoredAnsatz(StraightRays(at, tuple(float(s) for s in slowness)), network)

    @property
    def sized(self) -> tuple[str, ...]:
        """Names of the constraints whose residual is as large as the field: a length, or a time."""
        return ("source",) if self.surface is None else ("surface", "distance")

    def field_size(self, problem: "Problem") -> float:
        """The distance, or the time at the sources' speed, of half the longest side of the box around the domain."""
        half = half_width(problem.domain)
        if self.surface is not None:
            return half
        return half * float(np.mean(self.slowness(np.asarray(sources_of(problem)))))

    def advice(self, problem: "Problem", given: bool) -> Advice:
        """Of a signed distance lengths count most, and exp(−α|Φ|), which the true distance misses, not at all."""
        small = "the equation is nonlinear and a small network is enough"
        if self.surface is None:
            return Advice() if given else Advice(small, first=True, curved=True, steps=40, points=2000)
        if not self.distance:
            return Advice(
                "the paper trains its four terms so", first=True, weights=PAPER_WEIGHTS, fading=True
            )
        slope = 1.0 if given else 0.1
        weights = {"surface": 10.0, "normals": slope, "off-surface": 0.0, "eikonal": slope, "distance": 10.0}
        if given:
            return Advice(steps=2000, rate=3e-4, weights=weights, fading=True)
        points = {"surface": 1500, "normals": 750, "off-surface": 750, "eikonal": 1500, "distance": 3000}
        return Advice(small, first=True, curved=True, steps=40, points=points, weights=weights)

    def constraints(self, problem: "Problem") -> tuple[Constraint, ...]:
        if self.surface is None:
            inside = interior(problem.domain)
            at = torch.tensor(sources_of(problem), dtype=torch.float64)
            return (
                Constraint("eikonal", SlownessResidual(self.speed), inside, 1, "c |∇T| = 1 in the domain"),
                Constraint("source", AtSources(at), AtPoints(at), 0, "T = 0 at its source"),
            )
        return surface_terms(self.surface, problem.domain, self.distance, half_width(problem.domain))

    def bounds(self, problem: "Problem", points: Array) -> tuple[Array, Array] | None:
        """Of travel times, which −T and reflected ones meet the residuals as well as: those of Fermat's principle.

        A wave needs no less than the distance at the highest speed, and no more than along the straight path, where that
        lies in the domain.
        """
        if self.surface is not None:
            return None
        least = float(np.min(self.slowness(problem.domain.sample(PROBES, how="grid").numpy())))
        straight = [
            self._along_straight_path(problem.domain, np.asarray(at), points) for at in sources_of(problem)
        ]
        distances = [np.linalg.norm(points - np.asarray(at), axis=1) for at in sources_of(problem)]
        upper = np.stack(straight, axis=1)
        return np.minimum(least * np.stack(distances, axis=1), upper), upper

    def _along_straight_path(self, domain: Domain, at: Array, points: Array) -> Array:
        """The time from a source to points `(n, d)` along straight paths `(n,)`; infinite where these leave the domain."""
        fractions = (np.arange(ALONG) + 0.5) / ALONG
        path = (at + fractions[:, None, None] * (points - at)).reshape(-1, points.shape[1])
        inside = np.asarray(domain.contains(path)).reshape(ALONG, -1).all(axis=0)
        slowness = np.asarray(self.slowness(path)).reshape(ALONG, -1).mean(axis=0)
        return np.where(inside, slowness * np.linalg.norm(points - at, axis=1), np.inf)

    def describe(self, problem: "Problem") -> list[str]:
        if self.surface is None:
            return ["|∇T| = 1/c,  T = 0 at the source", f"c = {self.speed.describe()}"]
        return [
            "|∇Φ| = 1,  Φ = 0 on the surface,  Φ < 0 inside",
            f"surface: {self.surface.name}, {self.surface}",
        ]


@dataclass(frozen=True)
class SlownessResidual:
    """c |∇T| − 1, for one source `(n,)` or several `(n, shots)`."""

    speed: Field

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        size = torch.linalg.vector_norm(u.gradient, dim=-1)
        speed = self.speed(samples.points)
        return (speed if size.ndim == 1 else speed[:, None]) * size - 1.0


@dataclass(frozen=True, eq=False)
class AtSources:
    """T at its own source, `(n,)`, or `(n, shots)` with 0 in the columns of the others."""

    at: torch.Tensor

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        if u.value.ndim == 1:
            return u.value
        nearest = torch.cdist(samples.points, self.at.to(samples.points)).argmin(dim=1)
        nearest_to = torch.nn.functional.one_hot(nearest, len(self.at)).bool()
        return torch.where(nearest_to, u.value, torch.zeros_like(u.value))


def half_width(domain: Domain) -> float:
    """Half the longest side of the box around a domain."""
    return box_scale(domain.bounds)[1]


def sources_of(problem: "Problem") -> tuple[tuple[float, ...], ...]:
    """Where the source of each field sits, in the order of the fields."""
    return tuple(source.center or () for (source,) in problem.right_hand_sides)


def _check_sources(problem: "Problem") -> None:
    lower, upper = problem.domain.bounds
    for sources in problem.right_hand_sides:
        if len(sources) != 1 or not isinstance(sources[0], PointSource):
            raise DeclarationError(
                f"travel times of {problem.name!r} need one PointSource for each field, but sources={sources!r}; give "
                "sources=PointSource(at), Shots(PointSource(…), …), or a surface for a signed distance"
            )
        at = np.asarray(sources[0].at)
        if np.any(at < lower) or np.any(at > upper):
            raise DeclarationError(
                f"the source at {tuple(at.tolist())} lies outside {problem.domain}; move it inside"
            )
        if sources[0].amplitude != 1:
            raise DeclarationError(
                f"amplitude={sources[0].amplitude} of a source of travel times, which do not depend on it; leave it out"
            )


def _check_surface(surface: Domain, problem: "Problem") -> None:
    if problem.right_hand_sides != ((),):
        raise DeclarationError(
            f"the signed distance of {surface.name} takes no sources; leave them out, or leave surface out for "
            "travel times"
        )
    if surface.dimension != problem.domain.dimension:
        raise DeclarationError(
            f"the surface has {surface.dimension} axes, but the domain {problem.domain.dimension}; make them equal"
        )
    (lower, upper), (low, high) = surface.bounds, problem.domain.bounds
    if np.any(lower < low) or np.any(upper > high):
        raise DeclarationError(
            f"the {surface.name} extends from {lower.tolist()} to {upper.tolist()}, beyond the domain {problem.domain}; "
            "scale the surface, or take a larger domain"
        )
