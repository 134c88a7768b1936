"""Poisson's equation with a coefficient that may vary and jump: its strong form, and how parts are joined.

    −∇·(a ∇u) + c u = f,

written out −(a Δu + ∇a·∇u) + c u = f where a is smooth; across a jump of a, u and a ∂u/∂n go on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from neurapde.conditions import beside
from neurapde.conditions.constraints import Constraint, Samples, interior
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import point
from neurapde.domains.base import Domain
from neurapde.fields.grid_field import GridField
from neurapde.fields.jumps import features_of, features_of_sources
from neurapde.fields.medium import Constant, Field, Piecewise, as_field, check_positive
from neurapde.fields.sources import PointSource, Source, total
from neurapde.problem.equation import AbstractEquation, Transmission
from neurapde.spectral.weak import pieces_of

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet
    from neurapde.problem.problem import Problem

BESIDE = 1e-9
"""Of the domain's extent: points that are nearer to its boundary are on it."""


@dataclass(frozen=True)
class PoissonResidual:
    """−(a Δu + ∇a·∇u) + c u − f for one right-hand side `(n,)`, or for several `(n, shots)`."""

    coefficient: Field
    reaction: Field
    right_hand_sides: tuple[tuple[Source, ...], ...]

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        x = samples.points
        applied = (
            -beside(self.coefficient(x), u.value) * u.laplacian + beside(self.reaction(x), u.value) * u.value
        )
        slopes = gradient_of(self.coefficient, x)
        if slopes is not None:
            for i in range(x.shape[1]):
                applied = applied - beside(slopes[:, i], u.value) * u.d(i)
        densities = [total(sources, x) for sources in self.right_hand_sides]
        return applied - (densities[0] if u.value.ndim == 1 else torch.stack(densities, dim=1))


def gradient_of(coefficient: Field, points: torch.Tensor) -> torch.Tensor | None:
    """∇ of a field at points (n, d), (n, d), by automatic differentiation; None where it is constant, piece by piece."""
    if isinstance(coefficient, Constant):
        return None
    if isinstance(coefficient, Piecewise):
        values = [coefficient.background, *(value for _, value in coefficient.pieces)]
        if all(isinstance(value, Constant) for value in values):
            return None
    try:
        return torch.func.grad(lambda x: coefficient(x).sum())(points)
    except RuntimeError as error:
        raise DeclarationError(
            f"the coefficient {coefficient.describe()} cannot be differentiated ({error}); write it with npde.sin, "
            "npde.exp, … or torch"
        ) from error


def _on_grid(field: Field) -> bool:
    if isinstance(field, Piecewise):
        return any(map(_on_grid, (field.background, *(value for _, value in field.pieces))))
    return isinstance(field, GridField)


def of_points(problem: "Problem") -> str | None:
    """What keeps methods that ask for densities from a problem with point sources."""
    for source in (given for side in problem.right_hand_sides for given in side):
        if isinstance(source, PointSource):
            return (
                f"{source.describe()} has no density; use Trefftz where the coefficients are constant by region, or a "
                "GaussianSource"
            )
    return None


def _check_point(source: PointSource, domain: Domain) -> None:
    """Refuse a point source that is not in the domain, or on a line."""
    if domain.dimension not in (2, 3):
        raise DeclarationError(
            f"Poisson's equation takes a PointSource in two or three dimensions, not {source.describe()} in {domain}; use a "
            "GaussianSource"
        )
    at = np.array([source.at], dtype=float)
    if float(np.asarray(domain.signed_distance(at))[0]) > -BESIDE * max(domain.extents):
        raise DeclarationError(f"{source.describe()} does not lie within {domain}; move it inside")


@dataclass(frozen=True)
class Poisson(AbstractEquation):
    """−∇·(a∇u) + c u = f, f the problem's sources.

    Args:
        coefficient: a, positive: a number, a function of points, a GridField or a Piecewise.
        reaction: c, likewise, of any sign.
    """

    coefficient: Any = 1.0
    reaction: Any = 0.0

    one_condition_a_face: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "coefficient", as_field(self.coefficient, "coefficient"))
        object.__setattr__(self, "reaction", as_field(self.reaction, "reaction"))
        check_positive(self.coefficient, None, "coefficient")

    def on(self, domain: Domain) -> "Poisson":
        return Poisson(self.coefficient.on(domain), self.reaction.on(domain))

    @property
    def regions(self) -> Mapping[str, Domain]:
        return {**self.reaction.regions, **self.coefficient.regions}

    def check(self, problem: "Problem") -> None:
        check_positive(self.coefficient, problem.domain, "coefficient")
        if name := problem.sides.absorbing:
            raise DeclarationError(
                f"{name} absorbs waves, but Poisson's equation has no waves; use Dirichlet, Neumann or Robin"
            )
        for source in (source for side in problem.right_hand_sides for source in side):
            if isinstance(source, PointSource):
                _check_point(source, problem.domain)
                continue
            points = problem.domain.sample(1024, how="grid").numpy()
            if not np.isfinite(source(points)).all():
                raise DeclarationError(
                    f"the source, {source.describe()}, is not finite in {problem.domain}; give finite values"
                )

    def constraints(self, problem: "Problem") -> tuple[Constraint, ...]:
        residual = PoissonResidual(self.coefficient, self.reaction, problem.right_hand_sides)
        text = f"−∇·(a∇u) + c u − f = 0 in the {problem.domain.name}"
        return (Constraint("poisson", residual, interior(problem.domain), self.order, text),)

    def untrainable(self, problem: "Problem") -> str | None:
        """Points have no density, and a function that jumps has no slope: what its jump does to the flux is lost."""
        if reason := of_points(problem):
            return reason
        features = features_of([self.coefficient], problem.domain)
        jumps = features.points[features.widths == 0]
        if not len(jumps):
            return None
        place = point(jumps[len(jumps) // 2].round(4).tolist())
        return (
            f"its coefficient, {self.coefficient.describe()}, jumps at {place}, where a residual at points cannot see "
            "its slope; declare the region, Piecewise(…, (region, value)), or use Galerkin on a Box with values on its "
            "sides"
        )

    def weak_first(self, problem: "Problem") -> str | None:
        """Where a coefficient is one of which the strong form knows too little."""
        fields = (self.coefficient, self.reaction)
        if any(map(_on_grid, fields)) or len(features_of(fields, problem.domain)):
            return "the coefficient is too rough for the strong form"

        if of_points(problem):
            return None
        if features_of_sources(problem.right_hand_sides, problem.domain).jumps:
            return "the source jumps, or has details too narrow for the strong form"
        return None

    def leaves_constant(self, problem: "Problem") -> bool:
        """Where there is no reaction, and slopes or periodicity alone are given."""
        return problem.sides.leave_constant and self.reaction == Constant(0.0) and not problem.extra

    def transmission(self, problem: "Problem") -> Transmission | None:
        pieces = pieces_of(self.coefficient if isinstance(self.coefficient, Piecewise) else self.reaction)
        return None if len(pieces) == 1 else Transmission(pieces, self.coefficient)

    def describe(self, problem: "Problem") -> list[str]:
        lines = ["−∇·(a ∇u) + c u = f,  u real", f"a = {self.coefficient.describe()}"]
        return lines if self.reaction == Constant(0.0) else [*lines, f"c = {self.reaction.describe()}"]
