"""How numbers and places are written in messages and in `print(problem)`."""

import math
from collections.abc import Iterable, Sequence

import numpy as np


def number(value: complex) -> str:
    """`0.5`, `1e-4`, `−2`, `1 + 1i`: six digits, a true minus sign, `i` for the imaginary unit."""
    if isinstance(value, complex | np.complexfloating) and value.imag != 0:
        sign = "−" if value.imag < 0 else "+"
        real = f"{number(value.real)} {sign} " if value.real != 0 else ("−" if value.imag < 0 else "")
        return f"{real}{number(abs(value.imag))}i"
    real_part = float(value.real)
    text = f"{real_part:.6g}"
    mantissa, _, exponent = text.partition("e")
    text = f"{mantissa}e{int(exponent)}" if exponent else mantissa
    return text.replace("-", "−", 1) if text.startswith("-") else text


def point(coordinates: Sequence[float]) -> str:
    """`(−0.35, 0)`; a lone number for one axis."""
    if len(coordinates) == 1:
        return number(coordinates[0])
    return f"({', '.join(number(x) for x in coordinates)})"


def factor(value: complex) -> str:
    """A number as a factor in a product: nothing for 1, brackets round a sum."""
    if value == 1:
        return ""
    text = number(value)
    return f"({text}) · " if " " in text else f"{text} · "


def listing(names: Iterable[str], word: str = "and") -> str:
    """`left, right and top`."""
    *head, last = list(names) or ["nothing"]
    return f"{', '.join(head)} {word} {last}" if head else last


def significant(value: float) -> str:
    """Three significant digits, as `0.00213` or `1.2e-08`; a count in full; `n/a` for NaN."""
    if isinstance(value, int):
        return str(value)
    return "n/a" if math.isnan(value) else f"{value:.3g}"


def with_error(value: float, error: float) -> str:
    """`2.028 ± 0.012`: the error to two digits, and the value to the last of these."""
    if not (math.isfinite(value) and 0 < error < math.inf):
        return f"{number(value)} ± {number(error)}"
    last = math.floor(math.log10(float(f"{error:.1e}"))) - 1
    first = math.floor(math.log10(abs(value))) if value else last
    shown = f"{error:.{-last}f}" if -5 <= last <= 0 else f"{error:.1e}"
    if -15 <= last <= 0 and (first >= -3 or last >= -5):
        return f"{_signed(f'{value:.{-last}f}')} ± {shown}"
    return f"{_signed(f'{value:.{min(max(first - last, 0), 15)}e}')} ± {shown}"


def _signed(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text


def percent(value: float) -> str:
    """`0.213 %`; `n/a` for NaN."""
    return "n/a" if math.isnan(value) else f"{100 * value:.3g} %"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table for a terminal: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  " + "  ".join([first.ljust(widths[0]), *cells]))
    return lines
