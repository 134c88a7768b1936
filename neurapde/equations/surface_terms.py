"""The constraints of a signed distance: the SIREN paper's four terms, and a fifth that tells the distance itself.

Terms on the surface share their points, and so do terms off it: a training evaluates the field once for each of the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from neurapde.conditions.constraints import Constraint, Interior, Samples, face, interior
from neurapde.core.gradients import differentiating
from neurapde.domains.base import Domain
from neurapde.domains.sampling import Draw

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet

SHARPNESS = 100.0
"""α of the term exp(−α|Φ|) that keeps the zero set from spreading off the surface, in a domain of half width 1."""
POOL = 2**16
"""Points whose distance is looked up once, from which every step of a training draws its own."""
SEED = 58013
PAPER_WEIGHTS: Mapping[str, float] = {
    "surface": 1500.0,
    "normals": 50.0,
    "off-surface": 50.0,
    "eikonal": 25.0,
    "eikonal-on-surface": 25.0,
}
"""The paper's 3e3, 1e2, 1e2 and 5e1 of means over a batch, half of it on the surface, as weights of each term's own mean."""


@dataclass(frozen=True)
class KnownDistance(Interior):
    """Draws from the inside of a domain; uniform points come from a pool, with their signed distance as targets."""

    surface: Domain

    def draw(self, wanted: Draw) -> Samples:
        if wanted.how != "uniform":
            return super().draw(wanted)
        points, distances = self._pool
        where = wanted.generator.device if wanted.generator else "cpu"
        chosen = torch.randint(POOL, (wanted.count,), generator=wanted.generator, device=where).cpu()
        return Samples(wanted.placed(points[chosen]), targets=wanted.placed(distances[chosen]))

    @cached_property
    @differentiating()
    def _pool(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Points `(POOL, d)` and their distances `(POOL,)`, float64."""
        points = self.domain.sample(POOL, generator=torch.Generator().manual_seed(SEED))
        return points, self.surface.signed_distance(points)


def surface_terms(
    surface: Domain, domain: Domain, distance: bool, half_width: float
) -> tuple[Constraint, ...]:
    """The constraints of a signed distance. distance: with the fifth term; without it the paper's to the letter."""
    on, d = face(surface), surface.name
    inside = KnownDistance(interior(domain).domain, surface) if distance else interior(domain)
    far = Closeness(SHARPNESS / half_width)
    first = Constraint("surface", value, on, 0, f"Φ = 0 on the {d}")
    others = (
        Constraint("off-surface", far, inside, 0, f"exp(−{far.sharpness:g} |Φ|) = 0 off it"),
        Constraint("eikonal", slope, inside, 1, "|∇Φ| = 1 in the domain"),
    )
    if not distance:
        cosine = Constraint("normals", cosine_distance, on, 1, f"cos(∇Φ, n) = 1 on the {d}")
        beside = Constraint("eikonal-on-surface", slope, on, 1, f"|∇Φ| = 1 on the {d}")
        return (first, cosine, *others, beside)
    along = Constraint("normals", normal_slope, on, 1, f"∇Φ · n = 1 on the {d}")
    known = Constraint("distance", DistanceResidual(surface), inside, 0, f"Φ = distance to the {d}")
    return (first, along, *others, known)


@dataclass(frozen=True)
class DistanceResidual:
    """Φ − d, d the known signed distance of the surface."""

    surface: Domain

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        known = samples.targets
        return u.value - (self.surface.signed_distance(samples.points) if known is None else known)


@dataclass(frozen=True)
class Closeness:
    """exp(−α|Φ|), α in the inverse of the problem's unit of length."""

    sharpness: float

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return torch.exp(-self.sharpness * u.value.abs())


def value(samples: Samples, u: "Jet") -> torch.Tensor:
    """Φ."""
    return u.value


def normal_slope(samples: Samples, u: "Jet") -> torch.Tensor:
    """1 − ∇Φ · n."""
    return 1.0 - (u.gradient * samples.outward).sum(-1)


def cosine_distance(samples: Samples, u: "Jet") -> torch.Tensor:
    """1 − cos(∇Φ, n)."""
    return 1.0 - torch.nn.functional.cosine_similarity(u.gradient, samples.outward, dim=-1)


def slope(samples: Samples, u: "Jet") -> torch.Tensor:
    """|∇Φ| − 1."""
    return torch.linalg.vector_norm(u.gradient, dim=-1) - 1.0
