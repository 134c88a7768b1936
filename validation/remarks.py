"""What must be known to read the numbers of a comparison, in sentences; the worst of it is a warning, too."""

import math
import warnings
from collections.abc import Mapping, Sequence

from neurapde.core.errors import DeclarationWarning
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grid import Grid
from neurapde.validation.findings import Errors, Pair
from neurapde.validation.formatting import percent
from neurapde.validation.regions import CELLS, is_resolved

PAIRS: tuple[Pair, ...] = (("solution", "reference"), ("solution", "exact"), ("reference", "exact"))
AGREED = 3.0
"""Times nearer than to the exact field, and than the reference's error bar, at which two fields count as one."""
ROUNDING = 1e-6
"""Relative difference from the exact field below which it is not asked why."""


def remarks(
    problem: Problem,
    exact: Sequence[str],
    reference: Sequence[str],
    bar: float | None,
    errors: Mapping[Pair, Errors],
    grid: Grid,
) -> list[str]:
    """The notes of a comparison.

    exact, reference: what is to be said of either, nothing where there is none. bar: the reference's error estimate.
    Warns: DeclarationWarning where solution and reference agree with each other, but not with the exact field.
    """
    notes = _on_agreement(bar, errors)
    if problem.equation.leaves_constant(problem):
        notes.append("The data leave a constant open: every field is compared with its mean taken away.")
    notes += exact
    if ("solution", "reference") in errors:
        notes += _on_the_bar(bar, errors, known=("solution", "exact") in errors)
        notes += [f"The reference: {note}" for note in reference]
    sources = [source for shot in problem.right_hand_sides for source in shot]
    if any(not is_resolved(source, max(grid.spacing)) for source in sources):
        notes.append(
            "The grid does not resolve the source: all regions leave out its surroundings, 6 s of a "
            f"Gaussian and at least {CELLS:g} cells."
        )
    for (field, truth), regions in errors.items():
        for region, metrics in regions.items():
            if metrics["points"] == 0:
                notes.append(f"No node to compare {field} and {truth} in region {region}; use a finer grid.")
            elif math.isnan(metrics["relative_l2"]):
                notes.append(f"The {field} is not finite everywhere in region {region}.")
    return notes


def _on_agreement(bar: float | None, errors: Mapping[Pair, Errors]) -> list[str]:
    """What there is to say, and to warn of, where two fields found in different ways are one, and the exact is another."""
    if any(pair not in errors for pair in PAIRS):
        return []
    between, *from_exact = (errors[pair]["physical"]["relative_l2"] for pair in PAIRS)
    least = max(ROUNDING, AGREED * between, 0.0 if bar is None or math.isnan(bar) else AGREED * bar)
    if not min(from_exact) > least:
        return []
    text = (
        f"The solution and the reference agree to {percent(between)}, but both differ from the exact field, by "
        f"{percent(from_exact[0])} and {percent(from_exact[1])}: it is not that of the problem declared, or both miss the "
        "same thing, such as a source or a layer between their points."
    )
    warnings.warn(text, DeclarationWarning, stacklevel=4)
    return [text]


def _on_the_bar(bar: float | None, errors: Mapping[Pair, Errors], *, known: bool) -> list[str]:
    """Whether the reference is good enough to measure the difference that was found."""
    if bar is None or math.isnan(bar):
        return ["The reference comes without an error estimate: differences from it may be its own."]
    difference = errors["solution", "reference"]["physical"]["relative_l2"]
    if bar >= difference:
        return [
            f"The reference's own error bar, {percent(bar)}, is larger than the difference measured, "
            f"{percent(difference)}: that number is a bound, not a measurement. The solution's error may be "
            f"anything up to about {percent(bar + difference)}; "
            + ("see the comparison with the exact field." if known else "a finer reference would tell.")
        ]
    if bar > 0.3 * difference:
        return [
            f"Of the difference from the reference, {percent(difference)}, up to {percent(bar)} may be the "
            "reference's own."
        ]
    return []
