"""What all reports write their folders with: JSON without NaN, and tables."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurapde.storage import hdf5


def finite(tree: Any) -> Any:
    """The tree with null for numbers that are not finite."""
    if isinstance(tree, Mapping):
        return {str(key): finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [finite(value) for value in tree]
    if isinstance(tree, float | np.floating):
        return float(tree) if math.isfinite(tree) else None
    return tree


def strict_json(tree: Any) -> bytes:
    """A tree as strict JSON."""
    return json.dumps(finite(tree), indent=1, ensure_ascii=False, allow_nan=False).encode()


def read_json(path: Path, form: str, version: int) -> dict[str, Any]:
    """The tree of a report of this form.

    Raises: FileNotFoundError where there is none; StorageError for one that is damaged, foreign or newer.
    """
    tree = _tree(path)
    if tree.get("format") != form:
        raise hdf5.StorageError(f"{path} is no report of neurapde; give the folder of one.")
    found = tree.get("version")
    if not isinstance(found, int):
        raise hdf5.StorageError(
            f"{path} is damaged: its layout has the number {found!r}; make the report again."
        )
    if found > version:
        raise hdf5.StorageError(
            f"{path} has layout {found}, but this neurapde reads up to {version}; upgrade neurapde."
        )
    return tree


def form_of(folder: Path) -> str | None:
    """Which form of report a folder says it holds. Raises: as `read_json`."""
    found = _tree(folder / "report.json").get("format")
    return found if isinstance(found, str) else None


def _tree(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}; give the folder that a report was saved in.")
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise hdf5.StorageError(f"{path} is damaged ({error}); make the report again.") from error
    return tree if isinstance(tree, dict) else {}


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table for a terminal: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  " + "  ".join([first.ljust(widths[0]), *cells]))
    return lines
