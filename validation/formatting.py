"""How a report words its numbers, headings and tables, on the terminal and on the page alike."""

import math
from collections.abc import Mapping

HEADINGS = {
    "points": "points",
    "relative_l2": "relative L2",
    "psnr": "PSNR (dB)",
    "mse": "MSE",
    "max_error": "max error",
    "relative_max": "relative max",
    "phase_error": "phase (rad)",
    "amplitude_error": "amplitude",
}
"""Metrics in the order of a table, with their headings."""

_FIELDS = {"exact": "the exact field", "reference": "the grid reference"}


def heading(pair: tuple[str, str]) -> str:
    """What a table compares: `Solution against the exact field`."""
    field, truth = (_FIELDS.get(name, name) for name in pair)
    text = f"{field.removeprefix('the ')} against {truth}"
    return text[:1].upper() + text[1:]


def table(regions: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """The errors by region as rows of cells, the first row the headings."""
    names = [name for name in HEADINGS if any(name in metrics for metrics in regions.values())]
    rows = [["region", *(HEADINGS[name] for name in names)]]
    for region, metrics in regions.items():
        rows.append([region, *(significant(metrics[name]) for name in names)])
    return rows


def significant(value: float) -> str:
    """Three significant digits, as `0.00213` or `1.2e-08`; a count in full; `n/a` for NaN."""
    if isinstance(value, int):
        return str(value)
    return "n/a" if math.isnan(value) else f"{value:.3g}"


def percent(value: float) -> str:
    """`0.213 %`; `n/a` for NaN."""
    return "n/a" if math.isnan(value) else f"{100 * value:.3g} %"
