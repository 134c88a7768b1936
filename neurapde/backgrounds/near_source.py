"""What a narrow source has beside a wide one of the same far field: the part of a wave that no moderate network holds.

A Gaussian source of variance s² makes e^{−k²s²/2} of a point's wave, some widths away from it. So the waves of two sources,
the wider one stronger by e^{k²(S² − s²)/2}, differ near them only, by a peak in closed form. On it a network is left with
a problem whose source is as wide as S, and with all of the wave.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from neurapde.backgrounds.waves import Background, OutgoingWave
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.fields.sources import GaussianSource
from neurapde.jets.jet import Jet

WIDEST = 5.0
"""Of kS; the wide source is e^{12.5} times stronger there."""


@dataclass(frozen=True)
class NearSource(Background):
    """The wave of a narrow Gaussian source in the plane less that of one of width S and the same far field.

    source:     whose peak it is. wavenumber: k > 0 of the medium at its place, which is uniform within some 5 S of it.
    width:      S, in units of length, more than the source's own; some quarter of a wavelength (1.6/k) is a good one.

    `Ansatz(NearSource(source, k, 1.6 / k), Siren(…))` leaves to the network a source of width S, in any medium that is
    uniform around it. Raises DeclarationError for another source, and for a width that is none.
    """

    source: GaussianSource
    wavenumber: float
    width: float

    def __post_init__(self) -> None:
        if not isinstance(self.source, GaussianSource):
            raise DeclarationError(
                f"NearSource separates the peak of a GaussianSource, but the source is {self.source!r}; give a "
                "GaussianSource in the plane."
            )
        for name in ("wavenumber", "width"):
            object.__setattr__(self, name, checks.positive(getattr(self, name), f"{name} of NearSource"))
        if self.width**2 <= self.source.variance:
            raise DeclarationError(
                f"width={self.width:g} of NearSource is not above that of the source, {self.source.variance**0.5:g}; give "
                f"some {1.6 / self.wavenumber:.2g}, or leave the background out."
            )
        reach = self.wavenumber * self.width
        if reach > WIDEST:
            raise DeclarationError(
                f"wavenumber={self.wavenumber:g} and width={self.width:g} of NearSource: kS is {reach:.2g}, and so wide "
                f"a source hardly radiates; give width={1.6 / self.wavenumber:.2g}, at most {WIDEST:g}/k."
            )
        self.waves  # noqa: B018  # which refuses what has no closed form

    @cached_property
    def waves(self) -> tuple[OutgoingWave, OutgoingWave]:
        """Of the source, and of the wide one."""
        stronger = math.exp(self.wavenumber**2 * (self.width**2 - self.source.variance) / 2)
        wide = replace(self.source, variance=self.width**2, amplitude=stronger * self.source.amplitude)
        return OutgoingWave(self.source, self.wavenumber), OutgoingWave(wide, self.wavenumber)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        narrow, wide = (wave.jet(points.double(), order, mixed) for wave in self.waves)
        channels = (narrow.channels - wide.channels).to(points.dtype.to_complex())
        return Jet(channels, narrow.layout)

    def describe(self) -> str:
        return f"peak of {self.source.describe()}, beside one of width {self.width:g} and the same far field"
