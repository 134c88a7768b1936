"""The arrays of an inversion's report as HDF5, so that its pictures can be drawn again."""

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from neurapde.run.files import columns
from neurapde.run.history import History
from neurapde.storage import hdf5
from neurapde.validation.inversion_findings import Account, InversionFindings, Waves

_ARRAYS = ("start", "free", "sources", "receivers", "observed", "frequencies", "times", "live")


def fill(file: h5py.File, found: InversionFindings) -> None:
    """Write the arrays."""
    arrays = {name: getattr(found, name) for name in _ARRAYS}
    arrays |= {f"axis {i}": axis for i, axis in enumerate(found.axes)}
    if found.truth is not None:
        arrays["truth"] = found.truth
    hdf5.put_arrays(file, "model", arrays)
    if found.waves is not None:
        waves: dict[str, np.ndarray] = {"own": found.waves.own, "grid": found.waves.grid}
        waves |= {f"axis {i}": axis for i, axis in enumerate(found.waves.axes)}
        hdf5.put_arrays(file, "waves", waves)
    for name, account in found.accounts.items():
        group = f"methods/{name}"
        hdf5.put_arrays(file, f"{group}/found", {"speed": account.speed, "predicted": account.predicted})
        hdf5.put_arrays(file, f"{group}/history", columns(account.history))
        rows = {str(i): account.history[part] for i, part in enumerate(account.history.names)}
        hdf5.put_arrays(file, f"{group}/parts", rows)
        hdf5.put_json(file, f"{group}/names", account.history.names)


def findings_of(tree: Mapping[str, Any], file: h5py.File) -> dict[str, Any]:
    """The fields of `InversionFindings` from its JSON and its arrays."""
    arrays = hdf5.get_arrays(file, "model")
    waves = None
    if tree["waves"] is not None:
        title, *source = tree["waves"]
        fields = hdf5.get_arrays(file, "waves")
        waves = Waves(
            (fields["axis 0"], fields["axis 1"]), fields["own"], fields["grid"], title, tuple(source)
        )
    return {
        **{name: arrays[name] for name in _ARRAYS},
        "axes": (arrays["axis 0"], arrays["axis 1"]),
        "truth": arrays.get("truth"),
        "accounts": {name: _account(file, name, part) for name, part in tree["methods"].items()},
        "waves": waves,
        "wells": tuple(tree["wells"]),
        "notes": tuple(tree["notes"]),
        **{name: tree[name] for name in ("title", "survey", "model", "yardsticks", "downwards", "versions")},
    }


def _account(file: h5py.File, name: str, tree: Mapping[str, Any]) -> Account:
    group = f"methods/{name}"
    found = hdf5.get_arrays(file, f"{group}/found")
    rows = hdf5.get_arrays(file, f"{group}/parts")
    parts = {part: rows[str(i)] for i, part in enumerate(hdf5.get_json(file, f"{group}/names"))}
    return Account(
        method=tree["method"],
        status=tree["status"],
        seconds=tree["seconds"],
        parameters=tree["parameters"],
        speed=found["speed"],
        predicted=found["predicted"],
        measures=tree["measures"],
        history=History(**hdf5.get_arrays(file, f"{group}/history"), constraints=parts),
        ends=tuple(tree["ends"]),
        notes=tuple(tree["notes"]),
    )
