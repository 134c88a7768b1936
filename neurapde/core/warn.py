"""Warnings that point at the user's own line, however deep in the package they are given."""

import sys
import warnings

OURS = ("neurapde", "contextlib", "functools")
"""Packages between the user's call and the place that warns: ours, and those whose decorators ours wear."""


def warn(message: str, category: type[Warning]) -> None:
    """Give a warning at the call from outside the package that led here."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS
