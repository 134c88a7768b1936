"""Files that are whole or absent, and readable without executing anything."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from neurapde.storage import hdf5
from support import changed


def write(path: Path, value: int = 1) -> None:
    hdf5.write(path, "solution", lambda file: hdf5.put_json(file, "value", value))


def test_trees_and_tensors_come_back_bit_for_bit(tmp_path: Path) -> None:
    tree = {"π": [1, 2.5, None, {"x": []}], "": "text"}
    tensors = {
        "a.weight": torch.randn(3, 2, dtype=torch.float32, generator=torch.Generator().manual_seed(70001)),
        "b": torch.tensor(0.1, dtype=torch.float64),
        "c": torch.tensor([1 + 2j], dtype=torch.complex128),
        "d": torch.arange(3, dtype=torch.uint8),
        "e": torch.zeros(0, 4),
    }

    def fill(file: h5py.File) -> None:
        hdf5.put_json(file, "tree", tree)
        hdf5.put_tensors(file, "tensors", tensors)
        hdf5.put_arrays(file, "arrays", {"x": np.arange(4)})

    hdf5.write(tmp_path / "a.h5", "solution", fill)
    with hdf5.reading(tmp_path / "a.h5") as file:
        assert hdf5.get_json(file, "tree") == tree
        stored = hdf5.get_tensors(file, "tensors")
        np.testing.assert_array_equal(hdf5.get_arrays(file, "arrays")["x"], np.arange(4))
        assert hdf5.versions()["torch"] in file.attrs["written_by"]
    assert list(stored) == list(tensors)
    for name, tensor in tensors.items():
        assert stored[name].dtype == tensor.dtype
        assert torch.equal(stored[name], tensor)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write(path, 1)
    before = path.read_bytes()

    def fail(file: h5py.File) -> None:
        hdf5.put_json(file, "value", 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hdf5.write(path, "solution", fail)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["a.h5"]


def test_a_write_replaces_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write(path, 1)
    write(path, 2)
    with hdf5.reading(path) as file:
        assert hdf5.get_json(file, "value") == 2


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere\. Create it first"):
        write(tmp_path / "nowhere" / "a.h5")
    with pytest.raises(FileNotFoundError, match=r"there is no file .*a\.h5"), hdf5.reading(tmp_path / "a.h5"):
        pass


def test_what_is_no_hdf5_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_text("nothing of the kind")
    with (
        pytest.raises(hdf5.StorageError, match="it is damaged, or it is not an HDF5 file"),
        hdf5.reading(path),
    ):
        pass


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write(path)
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(hdf5.StorageError, match="it is damaged"), hdf5.reading(path):
        pass


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = 1
    with pytest.raises(hdf5.StorageError, match="not one of neurapde's"), hdf5.reading(path):
        pass


def test_a_file_with_a_part_missing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write(path)
    with pytest.raises(hdf5.StorageError, match="other"), hdf5.reading(path) as file:
        hdf5.get_json(file, "other")


def test_a_newer_file_says_which_version_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write(path)
    with changed(path) as file:
        file.attrs["version"] = hdf5.VERSION + 1
    with (
        pytest.raises(hdf5.StorageError, match=r"written by neurapde .*Upgrade neurapde"),
        hdf5.reading(path),
    ):
        pass
