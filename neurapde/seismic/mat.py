"""MAT files in the layout of the SIREN paper's receiver data: one frequency, keys source, receivers and rec_val."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.storage.hdf5 import StorageError

KEYS = {"source": "(S, d)", "receivers": "(R, d)", "rec_val": "(R, S)"}


def read(path: Path, frequency: float | None) -> dict[str, Any]:
    """The arguments of a Survey: `source` `(S, d)`, `receivers` `(R, d)` and complex `rec_val` `(R, S)`.

    frequency: Hz; the layout does not hold it.
    Raises: FileNotFoundError, StorageError for another layout, DeclarationError without a frequency.
    """
    if frequency is None:
        raise DeclarationError(
            f"{path.name} does not say at which frequency it was recorded; give frequency=, in cycles: k = 20 in a "
            "medium of speed 1 is 20/(2π)"
        )
    found = _content(path)
    if missing := [key for key in KEYS if key not in found]:
        keys = ", ".join(key for key in found if not key.startswith("__")) or "none"
        layout = ", ".join(f"{key} {shape}" for key, shape in KEYS.items())
        raise StorageError(
            f"{path} has no {missing[0]}; its keys are {keys}. The layout read here is {layout}."
        )
    sources, receivers, values = (np.asarray(found[key]) for key in KEYS)
    if values.shape != (len(receivers), len(sources)):
        raise StorageError(
            f"{path}: rec_val has the shape {values.shape}, but must be (R, S) = ({len(receivers)}, {len(sources)}), a "
            "row for each receiver."
        )
    return {
        "sources": sources,
        "receivers": receivers,
        "data": values.T[None],
        "frequencies": [checks.positive(frequency, "frequency")],
    }


def _content(path: Path) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = scipy.io.loadmat(path)
    except FileNotFoundError:
        raise
    except (ValueError, TypeError, NotImplementedError, OSError) as error:
        raise StorageError(
            f"{path} cannot be read as a MAT file ({error}). MATLAB's version 7.3 is HDF5: save it with -v7."
        ) from error
    return found
