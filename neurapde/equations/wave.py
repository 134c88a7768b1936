"""The wave equation u_tt = c² Δu + f in a medium of varying speed, over space and time: its strong form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from neurapde.conditions import beside
from neurapde.conditions.base import normal_derivative
from neurapde.conditions.constraints import Constraint, Samples, interior
from neurapde.core.arrays import Array, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import point
from neurapde.domains.base import Domain
from neurapde.domains.spacetime import SpaceTime
from neurapde.fields.medium import Field, as_field, check_positive
from neurapde.fields.pulses import Pulse
from neurapde.fields.sources import PointSource, Source, total
from neurapde.problem.equation import AbstractEquation

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet
    from neurapde.problem.problem import Problem


@dataclass(frozen=True)
class WaveResidual:
    """u_tt − c² Δu − f for one right-hand side `(n,)`, or for several `(n, shots)`."""

    speed: Field
    right_hand_sides: tuple[tuple[Source, ...], ...]

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        x = samples.points
        densities = [total(sources, x) for sources in self.right_hand_sides]
        f = densities[0] if u.value.ndim == 1 else torch.stack(densities, dim=1)
        return u.dtt - beside(self.speed(x[:, :-1]) ** 2, u.value) * u.laplacian - f


@dataclass(frozen=True)
class OutflowResidual:
    """∂u/∂t + c ∂u/∂n."""

    speed: Field

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        space = samples.points[:, :-1]
        return u.dt + beside(self.speed(space), u.value) * normal_derivative(samples, u, space.shape[1])


@dataclass(frozen=True)
class Wave(AbstractEquation):
    """u_tt = c² Δu + f on a space–time domain, `Box(…).over(Time(…))`.

    Where the problem has no InitialCondition, the field is at rest and zero at the start.

    Args:
        speed: c: a positive number, a function of points in space `(n, d)`, a GridField or a Piecewise.
    """

    speed: Any = 1.0

    one_condition_a_face: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "speed", as_field(self.speed, "speed"))
        check_positive(self.speed, None, "speed")

    def on(self, domain: Domain) -> "Wave":
        if not isinstance(domain, SpaceTime):
            raise DeclarationError(
                f"the wave equation needs a time, but the domain is {domain}; use domain.over(Time(0, 1))"
            )
        speed: Field = self.speed
        return Wave(speed.on(domain.space))

    @property
    def regions(self) -> Mapping[str, Domain]:
        return self.speed.regions

    def second_in_time(self, domain: Domain) -> bool:
        return True

    def medium_points(self, points: Array) -> Array:
        return points[:, :-1]

    def check(self, problem: "Problem") -> None:
        assert isinstance(problem.domain, SpaceTime)
        check_positive(self.speed, problem.domain.space, "speed")
        if len(problem.sides.starts) > 1:
            raise DeclarationError("there are two InitialConditions; give one")
        for sources in problem.right_hand_sides:
            for source in sources:
                _check_source(source, problem)

    def constraints(self, problem: "Problem") -> tuple[Constraint, ...]:
        text = f"u_tt − c² Δu = f in the {problem.domain.name}"
        residual = WaveResidual(self.speed, problem.right_hand_sides)
        constraints = [Constraint("wave", residual, interior(problem.domain), self.order, text)]
        if not problem.sides.starts:
            constraints += problem.sides.start.constraints(problem.domain)
        return (*constraints, *problem.sides.outflow(OutflowResidual(self.speed)))

    def weak_first(self, problem: "Problem") -> str:
        return "the equation is linear and the space a box"

    @property
    def under_topography(self) -> bool:
        return True

    def untrainable(self, problem: "Problem") -> str | None:
        if problem.pml is not None:
            return "the layers of a PML need more fields than u; use MethodOfLines, or train with Absorbing sides"
        for source in (s for sources in problem.right_hand_sides for s in sources):
            if isinstance(source, Pulse) and isinstance(source.shape, PointSource):
                return (
                    f"{source.describe()} has no density at points; use MethodOfLines, or give it a variance"
                )
        return None

    def describe(self, problem: "Problem") -> list[str]:
        return ["u_tt = c² Δu + f,  u real", f"c = {self.speed.describe()}"]


def _check_source(source: Source, problem: "Problem") -> None:
    """Refuse a source of one place in space and time, outside the domain or its layers, or that is not finite."""
    domain = problem.domain
    assert isinstance(domain, SpaceTime)
    if isinstance(source, PointSource):
        raise DeclarationError(
            f"{source.describe()} acts at only one time; use RickerSource or PulsedSource(PointSource(…), signal)"
        )
    if isinstance(source, Pulse):
        if source.center is None:
            return
        at = np.array([[*source.center, domain.time.start]])
        if not domain.contains(at)[0]:
            raise DeclarationError(
                f"the source at {point(source.center)} lies outside {domain.space}; move it inside"
            )
        if not problem.physical(at)[0]:
            raise DeclarationError(
                f"the source at {point(source.center)} lies in the absorbing layer; move it inside, or make the "
                "layer thinner"
            )
        return
    points = domain.sample(4096, how="grid").numpy()
    values = to_numpy(source(points))
    if not np.isfinite(values).all() or np.iscomplexobj(values):
        raise DeclarationError(
            f"the source, {source.describe()}, is not finite and real everywhere; give finite, real values"
        )
