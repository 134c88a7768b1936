"""What files hold of a run comes back, whatever its size, and from the files of earlier layouts."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.seismic.inversion.methods.method import StageRecord
from neurapde.storage import hdf5
from neurapde.storage.fingerprint import Identity
from neurapde.training.run import files
from neurapde.training.run.history import History
from neurapde.training.run.method import Snapshot, Status
from neurapde.training.run.stage import Stage

OLD = Path(__file__).parents[2] / "storage" / "files"


def history(rows: int, names: int) -> History:
    draw = np.random.default_rng(51907)
    columns = draw.standard_normal((4, rows))
    return History(*columns, {f"part/{i}": draw.standard_normal(rows) for i in range(names)})


def assert_same(history: History, other: History) -> None:
    assert history.names == other.names
    for name, column in files.columns(history).items():
        np.testing.assert_array_equal(getattr(other, name), column)
    for name in history.names:
        np.testing.assert_array_equal(other[name], history[name])


@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("names", [0, 1, 3])
def test_stages_and_snapshots_come_back(tmp_path: Path, rows: int, names: int) -> None:
    stage = Stage("Adam", Status.CONVERGED, 1.5, history(rows, names), {"steps": 3}, ("one", "two"))
    record = StageRecord("Adjoint", Status.STALLED, 2.5, history(rows, names), frequencies=(1.0, 2.0))
    snapshot = Snapshot(7, history(rows, names), 0.5, {"moment": torch.arange(3.0)})
    identity = Identity(50413, "3.11", {"problem": "digest"})
    for index, (stages, kind) in enumerate([((stage, stage), Stage), ((record,), StageRecord)]):
        path = tmp_path / f"{index}.h5"

        def fill(file: hdf5.h5py.File, stages: tuple[Stage, ...] = stages) -> None:
            files.put_stages(file, stages)
            files.put_snapshot(file, snapshot, identity, stage=1)

        hdf5.write(path, "run", fill)
        with hdf5.reading(path) as file:
            read_stages, run = files.get_stages(file, kind), files.get_run(file)
            back = files.get_snapshot(file, run)
        assert [{**vars(stage), "history": None} for stage in read_stages] == [
            {**vars(stage), "history": None} for stage in stages
        ]
        for original, other in zip(stages, read_stages, strict=True):
            assert_same(original.history, other.history)
        assert (run["stage"], run["identity"]["seed"], back.step, back.seconds) == (1, 50413, 7, 0.5)
        assert_same(snapshot.history, back.history)
        assert torch.equal(back.tensors["moment"], snapshot.tensors["moment"])


@pytest.mark.parametrize("layout", ["layout-1", "layout-2"])
def test_histories_of_earlier_inversions_keep_their_columns(layout: str) -> None:
    history = npde.seismic.Inversion.load(OLD / layout / "inversion.h5").history
    parts = history.names[: history.names.index("relative residual")]
    np.testing.assert_allclose(sum(history[name] for name in parts), history.loss, rtol=1e-12)
    assert (np.diff(history["relative residual"]) < 0).all()
