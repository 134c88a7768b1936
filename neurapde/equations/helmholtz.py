"""The Helmholtz equation in a medium of varying speed, with an absorbing layer.

Time goes as e^{+iωt}. With m = 1/c², e_i the stretch of axis i and E = Π e_i it reads

    Σ_i ∂_i((E/e_i²) ∂_i u) + E k² m u = E f,

in the plane ∂x((e_y/e_x) ∂x u) + ∂y((e_x/e_y) ∂y u) + e_x e_y k² m u = e_x e_y f, and outside the layers
(Δ + k² m) u = f.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurapde.conditions.constraints import Constraint, interior
from neurapde.conditions.stretch import Stretch
from neurapde.core import checks
from neurapde.core.arrays import Array
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import number
from neurapde.core.warn import warn
from neurapde.domains.base import Domain
from neurapde.domains.box import Box, outer_box
from neurapde.equations.helmholtz_checks import check_growth, check_phase, check_place
from neurapde.equations.helmholtz_residual import HelmholtzResidual, OutflowResidual, StrongForm
from neurapde.fields.attenuation import KolskyFutterman
from neurapde.fields.jumps import features_of
from neurapde.fields.medium import Constant, Field, as_field, check_positive
from neurapde.fields.sources import PointSource
from neurapde.problem.equation import AbstractEquation, Transmission
from neurapde.spectral.weak import Piece, WeakForm, pieces_of

if TYPE_CHECKING:
    from neurapde.problem.problem import Problem

MEDIUM_POINTS = 1000
"""Points along an axis that a speed which jumps as a function may ask of a quadrature."""
REFLECTED = 1e-2
"""|R| at normal incidence above which a layer under half a wavelength is refused."""


@dataclass(frozen=True)
class WavenumberSquared:
    """The coefficient c = k²/speed², of values of the speed (n,)."""

    wavenumber: float

    def __call__(self, speed: np.ndarray) -> np.ndarray:
        return self.wavenumber**2 / np.asarray(speed) ** 2


@dataclass(frozen=True)
class Helmholtz(AbstractEquation):
    """(Δ + k²/c²) u = f, absorbed by a PML where the problem has one.

    Args:
        wavenumber: k = ω/c₀, radians per unit of length where the speed is 1, positive.
        speed: c, relative to c₀: a positive number, a function of points, a GridField or a Piecewise; complex, of positive
            imaginary part, where waves fade.
        attenuation: a `KolskyFutterman`, by which the speed, then real, is that of its reference frequency; the frequency of
            the waves is k/2π.
    """

    wavenumber: float
    speed: Any = 1.0
    attenuation: KolskyFutterman | None = None

    complex = True
    one_condition_a_face: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "wavenumber", checks.positive(self.wavenumber, "wavenumber"))
        object.__setattr__(self, "speed", as_field(self.speed, "speed"))
        check_positive(self.speed, None, "speed")
        way = "give npde.KolskyFutterman(quality_factor, reference_frequency), or None"
        checks.kind(self.attenuation, "attenuation", KolskyFutterman | None, way)
        self._check_attenuated(self.speed.known_values())

    def on(self, domain: Domain) -> "Helmholtz":
        speed: Field = self.speed
        lost = None if self.attenuation is None else self.attenuation.on(domain)
        return Helmholtz(self.wavenumber, speed.on(domain), lost)

    @cached_property
    def complex_speed(self) -> Field:
        """c as waves feel it: the declared speed, or what attenuation makes of it at their frequency."""
        if self.attenuation is None:
            return self.speed
        return self.attenuation.complex_speed(self.speed, self.wavenumber / (2 * math.pi))

    def _check_attenuated(self, speeds: Iterable[tuple[str, np.ndarray]]) -> None:
        """Refuse a speed that is complex beside an attenuation, and a quality factor too low for the frequency."""
        if self.attenuation is None:
            return
        for where, values in speeds:
            if (np.imag(values) != 0).any():
                raise DeclarationError(
                    f"speed{where} is complex, and attenuation makes it so, too; give a real speed, that of the reference "
                    "frequency, or leave attenuation out"
                )
        for where, values in self.complex_speed.known_values():
            if not (np.real(values) > 0).all():
                ratio = self.wavenumber / (2 * math.pi * self.attenuation.reference_frequency)
                raise DeclarationError(
                    f"the quality factor{where} is too low for {number(round(ratio, 4))} times the reference frequency, "
                    "at which Kolsky and Futterman's law has no positive speed; give a larger one, or a nearer reference"
                )

    @property
    def regions(self) -> Mapping[str, Domain]:
        return self.complex_speed.regions

    def slowness_squared(self, points: Array) -> Array:
        """m = 1/c² at points `(n, d)`: `(n,)`."""
        return 1.0 / self.complex_speed(points) ** 2

    def stretch(self, problem: "Problem") -> Stretch:
        """The stretched coordinates of the problem's PML (the identity where it has none).

        A layer given by its reflection is as strong as waves in the fastest medium within it ask for.
        """
        bare = Stretch(problem.domain, problem.pml, self.wavenumber)
        if problem.pml is None or problem.pml.reflection is None:
            return bare
        return Stretch(problem.domain, problem.pml, self.wavenumber / self.fastest_in_layer(problem))

    def reflections(self, problem: "Problem") -> dict[str, float]:
        """|R| of the layer at each face that has one: at normal incidence, at the highest speed in the layers."""
        box = outer_box(problem.domain)
        if problem.pml is None or box is None:
            return {}
        axes, k = self.stretch(problem).axes, self.wavenumber / self.fastest_in_layer(problem)
        pairs = [pair for axis in axes for pair in zip(axis.widths, axis.strengths, strict=True)]
        return {
            face: math.exp(-2 * k * strength * width / 3)
            for face, (width, strength) in zip(box.faces, pairs, strict=True)
            if width
        }

    def fastest_in_layer(self, problem: "Problem") -> float:
        """The highest speed within the absorbing layer; 1 without one."""
        points = problem.domain.sample(4096, how="grid").numpy()
        layer = points[~Stretch(problem.domain, problem.pml, self.wavenumber).physical(points)]
        return float(np.max(np.real(self.complex_speed(layer)))) if len(layer) else 1.0

    def strong(self, problem: "Problem") -> StrongForm:
        """The coefficients of the equation as it stands in the problem."""
        return StrongForm(self.wavenumber, self.slowness_squared, self.stretch(problem))

    def weak(self, problem: "Problem") -> WeakForm:
        """The weak form on the problem's Box, with c = k² m; sides without a layer or a flux condition hold u = 0."""
        if not isinstance(problem.domain, Box):
            raise DeclarationError(
                f"the weak form is taken on a Box, but the domain is {problem.domain}; use Adam"
            )
        features = features_of([self.complex_speed], problem.domain)
        longest = max(problem.domain.extents)
        most = 2 * MEDIUM_POINTS / longest  # of bandwidth, for so many points along the longest axis
        detail = min(max(4 * math.pi / features.narrowest, most / 2), most) if features.askew else 0.0
        return WeakForm(
            problem.domain,
            self.stretch(problem),
            pieces_of(self.complex_speed),
            WavenumberSquared(self.wavenumber),
            problem.sides.natural,
            tuple(tuple(features.planes(axis).tolist()) for axis in range(problem.domain.dimension)),
            detail,
            features.note,
        )

    def check(self, problem: "Problem") -> None:
        check_positive(self.speed, problem.domain, "speed")
        if self.attenuation is not None:
            points = problem.domain.sample(1024, how="grid").numpy()
            self._check_attenuated([("", np.asarray(self.speed(points)))])
            check_positive(self.complex_speed, problem.domain, "the complex speed")
        check_growth(self.complex_speed, problem)
        check_phase(self.wavenumber, self.slowness_squared, problem)
        for sources in problem.right_hand_sides:
            for source in sources:
                check_place(source, problem)
        self._check_layer(problem)
        for face, parts in problem.sides.by_face.items():
            if len({type(condition) for condition in parts if condition.absorbs}) > 1:
                raise DeclarationError(
                    f"{face} has a PML and an Absorbing condition; give one of them there: Absorbing(on=…)"
                )

    def _check_layer(self, problem: "Problem") -> None:
        """Refuse a thin layer that reflects, warn of one that does not; one given by its reflection is meant so.

        A layer is thin under half a wavelength, at the highest speed in it.
        """
        pml = problem.pml
        if pml is None or pml.reflection is not None:
            return
        speed = self.fastest_in_layer(problem)
        wavelength = 2 * math.pi * speed / self.wavenumber
        for side, width in pml.widths(problem.domain).items():
            if width >= wavelength / 2:
                continue
            in_layer = "" if speed == 1 else f" and speed {number(round(speed, 4))}"
            fault = (
                f"PML width {number(width)} is {width / wavelength:.2f} wavelengths at k = "
                f"{number(self.wavenumber)}{in_layer}"
            )
            way = f"use at least {_rounded_up(wavelength / 2)} (half a wavelength), or give reflection=…"
            reflection = pml.reflection_for(self.wavenumber / speed, side)
            if reflection > REFLECTED:
                raise DeclarationError(f"{fault}; {way}")
            warn(
                f"{fault}, less than half a wavelength: |R| = {reflection:.1e} at normal incidence, but such a steep "
                f"layer is hard to resolve; {way}",
                DeclarationWarning,
            )
            return

    def constraints(self, problem: "Problem") -> tuple[Constraint, ...]:
        residual = HelmholtzResidual(self.strong(problem), problem.right_hand_sides)
        text = f"{self._short(problem)} in the {problem.domain.name}"
        outflow = OutflowResidual(self.wavenumber, self.slowness_squared)
        inside = Constraint("helmholtz", residual, interior(problem.domain), self.order, text)
        return (inside, *problem.sides.outflow(outflow))

    @property
    def under_topography(self) -> bool:
        return True

    def untrainable(self, problem: "Problem") -> str | None:
        for source in (source for sources in problem.right_hand_sides for source in sources):
            if isinstance(source, PointSource):
                return (
                    f"{source.describe()} has no density at points; use Galerkin, or a GaussianSource that is narrow "
                    "compared with the wavelength"
                )
        return None

    def weak_first(self, problem: "Problem") -> str:
        return "the equation is linear and the domain a box"

    def transmission(self, problem: "Problem") -> Transmission | None:
        """Where the speed jumps, and where a layer begins, whose stretch has a kink there: u and its slope go on."""
        pieces = pieces_of(self.complex_speed)
        for slabs in _slabs(self.stretch(problem)):
            pieces = tuple(
                Piece((*piece.within, slab), piece.outside, piece.field)
                for piece in pieces
                for slab in slabs
                if _overlap((*piece.within, slab))
            )
        return None if len(pieces) == 1 else Transmission(pieces, Constant(1.0))

    def describe(self, problem: "Problem") -> list[str]:
        return [
            f"{self._formula(problem)},  u complex, e^(+iωt)",
            f"k = {number(self.wavenumber)}",
            f"c = {self.speed.describe()}",
            *([] if self.attenuation is None else [self.attenuation.describe()]),
        ]

    def _short(self, problem: "Problem") -> str:
        """The equation in one glance."""
        scale = " ".join(f"e_{axis}" for axis in problem.domain.axes)
        return "Δu + k²/c² u = f" if problem.pml is None else f"L u = {scale} f"

    def _formula(self, problem: "Problem") -> str:
        """The equation in full."""
        if problem.pml is None:
            return self._short(problem)
        axes = problem.domain.axes
        terms = []
        for axis in axes:
            others = " ".join(f"e_{other}" for other in axes if other != axis) or "1"
            terms.append(f"∂{axis}(({others}/e_{axis}) ∂{axis} u)")
        operator, _, right = self._short(problem).partition(" = ")
        return f"{operator} = {' + '.join(terms)} + {right.removesuffix(' f')} k²/c² u = {right}"


def reflection_note(equation: AbstractEquation, problem: "Problem") -> tuple[str, ...]:
    """The sentence on how far a problem with layers is from open space; none where there is no layer."""
    reflections = equation.reflections(problem) if isinstance(equation, Helmholtz) else {}
    if not reflections:
        return ()
    return (
        "The problem was solved with the declared layer and u = 0 behind it. The layer reflects |R| = "
        f"{max(reflections.values()):.1e} at normal incidence, and more at oblique incidence.",
    )


def _rounded_up(value: float) -> str:
    """Two digits, not below the value."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return number(math.ceil(value / unit) * unit)


def _slabs(stretch: Stretch) -> list[list[Box]]:
    """For each axis with layers the parts of the domain that they and what is between them make."""
    lower, upper = (corner.tolist() for corner in stretch.domain.bounds)
    slabs = []
    for i, axis in enumerate(stretch.axes):
        cuts = [lower[i], *axis.breaks, upper[i]]
        sides = list(zip(lower, upper, strict=True))
        if len(cuts) > 2:
            slabs.append([Box(*sides[:i], pair, *sides[i + 1 :]) for pair in pairwise(cuts)])
    return slabs


def _overlap(regions: tuple[Domain, ...]) -> bool:
    """Whether the boxes around regions have a common inside."""
    lower, upper = (np.array(corners) for corners in zip(*(region.bounds for region in regions), strict=True))
    return bool(np.all(lower.max(axis=0) < upper.min(axis=0)))
