"""The Helmholtz equation in a medium of varying speed, with an absorbing layer: its strong form.

Time goes as e^{+iωt}. With m = 1/c², e_i the stretch of axis i and E = Π e_i it reads

    Σ_i ∂_i((E/e_i²) ∂_i u) + E k² m u = E f,

in the plane ∂x((e_y/e_x) ∂x u) + ∂y((e_x/e_y) ∂y u) + e_x e_y k² m u = e_x e_y f; outside the layers (Δ + k² m) u = f.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from neurapde import checks
from neurapde.absorbing import Stretch
from neurapde.arrays import Array, to_numpy
from neurapde.boundaries import beside
from neurapde.constraints import Constraint, Samples, interior
from neurapde.domains.base import Domain
from neurapde.equations.base import AbstractEquation
from neurapde.errors import DeclarationError, DeclarationWarning
from neurapde.medium import Field, as_field, check_positive
from neurapde.sources import FunctionSource, Source, total
from neurapde.wording import number, point

if TYPE_CHECKING:
    from neurapde.jets import Jet
    from neurapde.problem import Problem


@dataclass(frozen=True)
class StrongForm:
    """L u = Σ second_i ∂_ii u + first_i ∂_i u + zeroth u = scale · f, its coefficients in closed form.

    All take points `(n, d)`, NumPy or torch, to complex arrays `(n,)`.
    """

    equation: "Helmholtz"
    stretch: Stretch

    def second(self, points: Array) -> list[Array]:
        """E/e_i² for each axis i."""
        factors = self.stretch.factors(points)
        return [_product(factors, i) / e for i, e in enumerate(factors)]

    def first(self, points: Array) -> list[Array]:
        """∂_i(E/e_i²) for each axis i."""
        factors = self.stretch.factors(points)
        slopes = [axis.derivative(points[:, i]) for i, axis in enumerate(self.stretch.axes)]
        return [
            -_product(factors, i) * slope / e**2
            for i, (e, slope) in enumerate(zip(factors, slopes, strict=True))
        ]

    def zeroth(self, points: Array) -> Array:
        """E k² m."""
        return self.scale(points) * (self.equation.wavenumber**2 * self.equation.slowness_squared(points))

    def scale(self, points: Array) -> Array:
        """E."""
        return _product(self.stretch.factors(points), None)


def _product(factors: list[Array], without: int | None) -> Array:
    chosen = [e for i, e in enumerate(factors) if i != without]
    return math.prod(chosen[1:], start=chosen[0]) if chosen else factors[0] * 0 + 1


@dataclass(frozen=True)
class HelmholtzResidual:
    """L u − E f for one right-hand side `(n,)`, or for several `(n, shots)`."""

    strong: StrongForm
    right_hand_sides: tuple[tuple[Source, ...], ...]

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        x = samples.points
        second, first = self.strong.second(x), self.strong.first(x)
        left = beside(self.strong.zeroth(x), u.value) * u.value
        for i in range(x.shape[1]):
            left = left + beside(second[i], u.value) * u.d2(i) + beside(first[i], u.value) * u.d(i)
        densities = [total(sources, x) for sources in self.right_hand_sides]
        f = densities[0] if u.value.ndim == 1 else torch.stack(densities, dim=1)
        return left - beside(self.strong.scale(x), u.value) * f


@dataclass(frozen=True)
class Helmholtz(AbstractEquation):
    """(Δ + k²/c²) u = f, absorbed by a PML where the problem has one.

    Args:
        wavenumber: k = ω/c₀, radians per unit of length where the speed is 1, positive.
        speed: c, relative to c₀: a positive number, a function of points, a GridField or a Piecewise.
    """

    wavenumber: float
    speed: Any = 1.0

    order: ClassVar[int] = 2
    outputs: ClassVar[int] = 1
    complex: ClassVar[bool] = True
    mixed: ClassVar[tuple[tuple[int, int], ...]] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "wavenumber", checks.positive(self.wavenumber, "wavenumber"))
        object.__setattr__(self, "speed", as_field(self.speed, "speed"))
        check_positive(self.speed, None, "speed")

    def on(self, domain: Domain) -> "Helmholtz":
        speed: Field = self.speed
        return Helmholtz(self.wavenumber, speed.on(domain))

    @property
    def regions(self) -> Mapping[str, Domain]:
        return self.speed.regions

    def slowness_squared(self, points: Array) -> Array:
        """m = 1/c² at points `(n, d)`: `(n,)`."""
        return 1.0 / self.speed(points) ** 2

    def stretch(self, problem: "Problem") -> Stretch:
        """The stretched coordinates of the problem's PML (the identity where it has none)."""
        return Stretch(problem.domain, problem.pml, self.wavenumber)

    def strong(self, problem: "Problem") -> StrongForm:
        """The coefficients of the equation as it stands in the problem."""
        return StrongForm(self, self.stretch(problem))

    def check(self, problem: "Problem") -> None:
        check_positive(self.speed, problem.domain, "speed")
        for sources in problem.right_hand_sides:
            for source in sources:
                check_place(source, problem)
        self._check_layer(problem)

    def _check_layer(self, problem: "Problem") -> None:
        """Refuse a layer under half a wavelength, at the highest speed in it, unless its reflection is given."""
        if problem.pml is None:
            return
        points = problem.domain.sample(4096, how="grid").numpy()
        layer = points[~self.stretch(problem).physical(points)]
        speed = float(np.max(np.real(self.speed(layer)))) if len(layer) else 1.0
        wavelength = 2 * math.pi * speed / self.wavenumber
        for side, width in problem.pml.widths(problem.domain).items():
            if width < wavelength / 2 and problem.pml.reflection is None:
                least = math.ceil(50 * wavelength) / 100
                in_layer = "" if speed == 1 else f" and speed {number(round(speed, 4))}"
                raise DeclarationError(
                    f"PML width {number(width)} is {width / wavelength:.2f} wavelengths at k = {number(self.wavenumber)}{in_layer}; "
                    f"use at least {least:.2f} (half a wavelength), or give reflection=…"
                )

    def constraints(self, problem: "Problem") -> tuple[Constraint, ...]:
        residual = HelmholtzResidual(self.strong(problem), problem.right_hand_sides)
        text = f"L u − f = 0 in the {problem.domain.name}"
        return (Constraint("helmholtz", residual, interior(problem.domain), self.order, text),)

    def describe(self, problem: "Problem") -> list[str]:
        return [
            f"{self._formula(problem)},  u complex, e^(+iωt)",
            f"k = {number(self.wavenumber)}",
            f"c = {self.speed.describe()}",
        ]

    def _formula(self, problem: "Problem") -> str:
        plain = "Δu + k²/c² u = f"
        if problem.pml is None:
            return plain
        axes = problem.domain.axes
        if len(axes) == 1:
            return "L u = ∂x((1/e_x) ∂x u) + e_x k²/c² u = e_x f"
        names = [f"e_{axis}" for axis in axes]
        terms = [
            f"∂{axis}(({' '.join(e for e in names if e != f'e_{axis}')}/e_{axis}) ∂{axis} u)" for axis in axes
        ]
        return f"L u = {' + '.join(terms)} + {' '.join(names)} k²/c² u = {' '.join(names)} f"


def check_place(source: Source, problem: "Problem") -> None:
    """Refuse a source outside the domain or in its layer; warn where only its tail is."""
    if isinstance(source, FunctionSource):
        _check_density(source, problem)
        return
    if source.center is None:
        return
    at = np.array([source.center])
    if not problem.domain.contains(at)[0]:
        raise DeclarationError(
            f"the source at {point(source.center)} lies outside {problem.domain}; move it in"
        )
    if not problem.physical(at)[0]:
        raise DeclarationError(
            f"the source at {point(source.center)} lies in the absorbing layer; move it inside, or make the layer thinner"
        )
    steps = source.reach * np.concatenate([np.eye(at.shape[1]), -np.eye(at.shape[1])])
    if source.reach and not problem.physical(at + steps).all():
        warnings.warn(
            f"the source at {point(source.center)} reaches {number(source.reach)} (four standard deviations), across the edge of "
            "the physical region; its mass there is lost or damped: move it inside or make it narrower",
            DeclarationWarning,
            stacklevel=2,
        )


def _check_density(source: FunctionSource, problem: "Problem") -> None:
    points = problem.domain.sample(4096, how="grid").numpy()
    density = np.abs(to_numpy(source(points)))
    if not np.isfinite(density).all():
        bad = points[np.flatnonzero(~np.isfinite(density))[0]]
        raise DeclarationError(
            f"the source, {source.describe()}, is not finite at {point(bad.tolist())}; give finite values"
        )
    layer = ~problem.physical(points)
    if layer.any() and density[layer].max() > 0.01 * density.max():
        worst = points[layer][int(density[layer].argmax())]
        raise DeclarationError(
            f"the source, {source.describe()}, is {number(float(density[layer].max()))} at {point(worst.tolist())}, in the absorbing "
            "layer; let it vanish there"
        )
