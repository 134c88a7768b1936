"""The order of the frequencies of a survey: low ones first, so that no cycle is skipped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from neurapde.core import checks
from neurapde.core.declaration import Declaration, by_fields
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number
from neurapde.seismic.survey.survey import Survey


@dataclass(frozen=True)
class Continuation(Declaration):
    """Groups of frequencies, Hz, inverted one after another, each from the model of the one before.

    >>> Continuation([3.0], [3.0, 4.0]).groups
    ((3.0,), (3.0, 4.0))
    """

    groups: tuple[tuple[float, ...], ...]

    @by_fields
    def __init__(self, *groups: Sequence[float]) -> None:
        if not groups:
            raise DeclarationError("Continuation() has no group; give at least one list of frequencies")
        object.__setattr__(self, "groups", tuple(_group(group) for group in groups))

    @classmethod
    def rebuild(cls, fields: Any) -> Self:
        return cls(*fields["groups"])

    def stages(self, survey: Survey) -> tuple[Survey, ...]:
        """The surveys of the groups; traces are transformed to spectra at their frequencies."""
        if not survey.band:
            return tuple(survey.at(group) for group in self.groups)
        return tuple(survey.select(frequencies=self._recorded(group, survey)) for group in self.groups)

    def _recorded(self, group: tuple[float, ...], survey: Survey) -> list[float]:
        recorded = survey.frequencies
        nearest = [float(recorded[np.argmin(np.abs(recorded - f))]) for f in group]
        far = [f for f, near in zip(group, nearest, strict=True) if abs(f - near) > 1e-6 * f]
        if far:
            raise DeclarationError(
                f"the survey has no data at {listing(number(f) for f in far)} Hz; it has "
                f"{listing(number(f) for f in recorded[:20])} Hz"
            )
        return nearest

    def describe(self) -> str:
        """One line for reports."""
        return "; then ".join(f"{listing(number(f) for f in group)} Hz" for group in self.groups)


def stages_of(survey: Survey, frequencies: Any) -> tuple[Survey, ...]:
    """The surveys of an inversion's stages: all at once, some frequencies, or a Continuation."""
    if frequencies is None:
        return (survey,)
    if isinstance(frequencies, Continuation):
        return frequencies.stages(survey)
    return Continuation(frequencies).stages(survey)


def _group(frequencies: Any) -> tuple[float, ...]:
    """Different frequencies, ascending, from one or several."""
    given = checks.array(frequencies, "frequencies, in Hz,")
    if given.ndim > 1 or not given.size:
        raise DeclarationError(
            f"a group of frequencies has the shape {given.shape}; give a list of at least one"
        )
    if not (given > 0).all():
        raise DeclarationError(
            f"Continuation has the group {checks.shown(given.tolist())}; give positive frequencies in each, in Hz"
        )
    distinct = np.unique(given)
    return tuple(checks.positive(frequency, "a frequency, in Hz,") for frequency in distinct)
