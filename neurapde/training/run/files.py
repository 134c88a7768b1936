"""The record of a run in files, for solutions and inversions: histories, stages, and the snapshot to resume from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from neurapde.late import Late
from neurapde.storage import hdf5
from neurapde.storage.encoding import current
from neurapde.storage.fingerprint import Identity
from neurapde.training.run.history import History
from neurapde.training.run.method import Snapshot, Status
from neurapde.training.run.stage import Stage

if TYPE_CHECKING:
    import h5py
else:
    h5py = Late("h5py")

COLUMNS = ("step", "seconds", "loss", "learning_rate")

SomeStage = TypeVar("SomeStage", bound=Stage)


def columns(history: History) -> dict[str, np.ndarray]:
    """The columns of a history that belong to no constraint."""
    return {name: getattr(history, name) for name in COLUMNS}


def put_stages(file: h5py.File, stages: Sequence[Stage]) -> None:
    """Store stages with their histories."""
    described = []
    for stage in stages:
        history, status, extras = stage.history, stage.status.name, dict(stage.extras)
        described.append({**vars(stage), "status": status, "extras": extras, "names": history.names})
        del described[-1]["history"]
    hdf5.put_json(file, "stages", described)
    for index, stage in enumerate(stages):
        _put_history(file, f"history/{index}", stage.history)


def get_stages(file: h5py.File, kind: type[SomeStage]) -> tuple[SomeStage, ...]:
    """The stages that `put_stages` stored."""
    group, axis = ("histories", 0) if "histories" in file else ("history", 1)  # inversions had the former
    stages = []
    for index, tree in enumerate(hdf5.get_json(file, "stages")):
        history = _get_history(file, f"{group}/{index}", tree.pop("names"), axis)
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in tree.items()
        }
        stages.append(kind(**{**plain, "status": Status[tree["status"]], "history": history}))
    return tuple(stages)


def put_snapshot(file: h5py.File, snapshot: Snapshot, identity: Identity, **settings: object) -> None:
    """Store the state of a run, its identity, and `more` data of its kind."""
    progress = {"step": snapshot.step, "seconds": snapshot.seconds, "names": snapshot.history.names}
    hdf5.put_json(file, "run", {**settings, **progress, "identity": asdict(identity)})
    hdf5.put_tensors(file, "state", snapshot.tensors)
    _put_history(file, "run_history", snapshot.history)


def get_run(file: h5py.File) -> dict[str, Any]:
    """What `put_snapshot` stored, without arrays. The first release stored no `identity`."""
    apart = {key: hdf5.get_json(file, key) for key in ("names", "identity") if key in file}
    return {**current(hdf5.get_json(file, "run")), **apart}  # inversions had these beside it


def get_snapshot(file: h5py.File, run: Mapping[str, Any]) -> Snapshot:
    """The snapshot that `put_snapshot` stored; run: the result of `get_run`."""
    name, axis = ("run_history", 1) if "run_history" in file else ("history", 0)  # inversions had the latter
    history = _get_history(file, name, run["names"], axis)
    return Snapshot(run["step"], history, run["seconds"], hdf5.get_tensors(file, "state"))


def _put_history(file: h5py.File, name: str, history: History) -> None:
    losses = [history[constraint] for constraint in history.names]
    constraints = np.stack(losses, axis=1) if losses else np.zeros((0, 0))
    hdf5.put_arrays(file, name, {**columns(history), "constraints": constraints})


def _get_history(file: h5py.File, name: str, names: Sequence[str], axis: int) -> History:
    """A history; axis: the axis of its constraints that runs over their names."""
    arrays = hdf5.get_arrays(file, name)
    losses = np.moveaxis(arrays.pop("constraints"), axis, 0)
    return History(**arrays, constraints=dict(zip(names, losses, strict=True)))
