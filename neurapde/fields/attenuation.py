"""Attenuation: how a medium that takes energy from waves slows and damps them at each frequency.

With e^{+iωt} a wave e^{−iωr/c} fades where 1/c has a negative imaginary part. Attenuation turns a real speed, which is that
of a reference frequency, into a complex one at any frequency.
"""

import math
from dataclasses import dataclass
from typing import Any

from neurapde.core import checks
from neurapde.core.arrays import Array, namespace
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.domains.base import Domain
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Constant, Field, Piecewise, as_field, check_positive


@dataclass(frozen=True)
class KolskyFutterman(Declaration):
    """Attenuation by a quality factor Q, with the dispersion that causality asks for.

        1/c(f) = (1/c_r) (1 − ln(i f/f_r) / (πQ)) = (1/c_r) (1 − ln(f/f_r) / (πQ) − i / (2Q))

    c_r is the declared speed, that of waves of the reference frequency f_r. They lose the part 2π/Q of their energy in a
    cycle. At other frequencies Q is (1 − ln(f/f_r) / (πQ)) times what is declared: nearly the same for |ln(f/f_r)| ≪ πQ.

    Args:
        quality_factor: Q, positive: a number, a function of points, a GridField or a Piecewise; 1e6 where nothing is lost.
        reference_frequency: f_r, in cycles per unit of time (Hz), positive.

    Source: Kolsky (1956), Phil. Mag. 1(8); Futterman (1962), J. Geophys. Res. 67(13).

    >>> KolskyFutterman(50.0, reference_frequency=10.0).describe()
    'Kolsky–Futterman attenuation, Q = 50 at 10 cycles per unit of time'
    """

    quality_factor: Any
    reference_frequency: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "quality_factor", as_field(self.quality_factor, "quality_factor"))
        check_quality(self.quality_factor, None)
        frequency = checks.positive(self.reference_frequency, "reference_frequency")
        object.__setattr__(self, "reference_frequency", frequency)

    def on(self, domain: Domain) -> "KolskyFutterman":
        """The same with what it takes from the domain filled in, and checked on it."""
        quality: Field = self.quality_factor.on(domain)
        check_quality(quality, domain)
        return KolskyFutterman(quality, self.reference_frequency)

    def slowing(self, points: Array, frequency: complex) -> Array:
        """c_r/c `(n,)`, complex, at points `(n, d)`; the frequency may be complex, f − iσ/2π of damped spectra."""
        return self._slowing(self.quality_factor(points), frequency)

    def _slowing(self, quality: Any, frequency: complex) -> Any:
        ratio = complex(1j * frequency / self.reference_frequency)
        turned = math.log(abs(ratio)) + 1j * math.atan2(ratio.imag, ratio.real)
        return 1.0 - turned / math.pi / quality

    def complex_speed(self, speed: Field, frequency: float) -> Field:
        """c as waves of a frequency feel it, of the declared speed c_r: constant and in pieces where that is."""
        return self._complex_speed(speed, self.quality_factor, frequency)

    def _complex_speed(self, speed: Field, quality: Field, frequency: float) -> Field:
        if isinstance(speed, Piecewise):
            beneath, under = _alike(quality, [region for region, _ in speed.pieces])
            pieces = [
                (region, self._complex_speed(value, q, frequency))
                for (region, value), q in zip(speed.pieces, under, strict=True)
            ]
            return Piecewise(self._complex_speed(speed.background, beneath, frequency), *pieces)
        if isinstance(quality, Piecewise):
            pieces = [(region, self._complex_speed(speed, q, frequency)) for region, q in quality.pieces]
            return Piecewise(self._complex_speed(speed, quality.background, frequency), *pieces)
        if isinstance(quality, Constant):
            slowing = self._slowing(quality.value, frequency)
            if isinstance(speed, Constant):
                return Constant(speed.value / slowing)
            if isinstance(speed, GridField):
                return GridField(speed.values / slowing, speed.bounds)
        return AttenuatedSpeed(speed, quality, self, frequency)

    def describe(self) -> str:
        """One line for `print(problem)` and notes."""
        return (
            f"Kolsky–Futterman attenuation, Q = {self.quality_factor.describe()} at "
            f"{number(self.reference_frequency)} cycles per unit of time"
        )


@dataclass(frozen=True)
class AttenuatedSpeed(Field):
    """The complex speed of one frequency, of a speed and a quality factor that are functions."""

    speed: Field
    quality: Field
    law: KolskyFutterman
    frequency: float

    def __call__(self, points: Array) -> Array:
        return self.speed(points) / self.law._slowing(self.quality(points), self.frequency)

    def on(self, domain: Domain, part: Domain | None = None) -> "AttenuatedSpeed":
        fields = self.speed.on(domain, part), self.quality.on(domain, part)
        return AttenuatedSpeed(*fields, self.law, self.frequency)

    def describe(self) -> str:
        return f"{self.speed.describe()} with {self.law.describe()}"


def _alike(field: Field, regions: list[Domain]) -> tuple[Field, list[Field]]:
    """A field outside regions and in each of them: its pieces where it has the same regions, else itself."""
    if isinstance(field, Piecewise) and [region for region, _ in field.pieces] == regions:
        return field.background, [value for _, value in field.pieces]
    return field, [field] * len(regions)


def check_quality(quality: Field, domain: Domain | None) -> None:
    """Refuse a quality factor that is not positive, or complex, at known values and on a domain.

    Raises: DeclarationError.
    """
    check_positive(quality, domain, "quality_factor")
    known = [values for _, values in quality.known_values()]
    if domain is not None:
        known.append(quality(domain.sample(64, how="grid").numpy()))
    if any(namespace(values).isdtype(values.dtype, "complex floating") for values in known):
        raise DeclarationError("quality_factor is complex; give real positive numbers")
