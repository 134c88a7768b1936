"""HDF5 files that are written whole or not at all, and read without executing anything they contain."""

import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from neurapde.core.errors import StorageError as StorageError

FORMAT = "neurapde"
VERSION = 1
"""Version of the layout; a file with a larger one was written by a newer neurapde."""


def versions() -> dict[str, str]:
    """What a file records of the software that wrote it."""
    names = ("neurapde", "torch", "numpy", "scipy", "h5py")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def write(path: Path, kind: str, fill: Callable[[h5py.File], None]) -> None:
    """Write `path` atomically: `fill` fills a new file beside it, which then takes its place in one step.

    Until that step the old file, if any, is untouched; an error or an interruption leaves it as it was.
    Raises FileNotFoundError when the folder of `path` does not exist.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}. Make it first.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with h5py.File(temporary, "w") as file:
            file.attrs.update(format=FORMAT, kind=kind, version=VERSION, written_by=json.dumps(versions()))
            fill(file)
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """Open a file that `write` made.

    Raises FileNotFoundError when there is none; StorageError when it is foreign, damaged or newer.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    try:
        with h5py.File(path, "r") as file:
            _check_format(path, file)
            yield file
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise StorageError(
            f"{path} cannot be read ({error}): it is damaged, or no HDF5 file. "
            "Give a file that Solution.save or a checkpoint wrote."
        ) from error


def _check_format(path: Path, file: h5py.File) -> None:
    found = file.attrs.get("format")
    if found != FORMAT:
        raise StorageError(
            f"{path} is an HDF5 file, but not one of neurapde's (format {found!r}). "
            "Give a file that Solution.save or a checkpoint wrote."
        )
    if int(file.attrs["version"]) > VERSION:
        writer = json.loads(file.attrs["written_by"])["neurapde"]
        raise StorageError(
            f"{path} has layout {file.attrs['version']}, written by neurapde {writer}; this is neurapde "
            f"{version('neurapde')}, which reads layouts up to {VERSION}. Upgrade neurapde to read it."
        )


def put_json(group: h5py.Group, name: str, tree: Any) -> None:
    """Store a tree of dicts, lists, texts, numbers and None as one text."""
    group.create_dataset(name, data=json.dumps(tree), dtype=h5py.string_dtype())


def get_json(group: h5py.Group, name: str) -> Any:
    """The tree that `put_json` stored."""
    return json.loads(group[name].asstr()[()])


def put_tensors(group: h5py.Group, name: str, tensors: Mapping[str, torch.Tensor]) -> None:
    """Store tensors by name, bit for bit, in the order given."""
    folder = group.create_group(name, track_order=True)
    for key, tensor in tensors.items():
        folder.create_dataset(key, data=tensor.detach().cpu().contiguous().numpy())


def get_tensors(group: h5py.Group, name: str) -> dict[str, torch.Tensor]:
    """The tensors that `put_tensors` stored, on the CPU."""
    return {key: torch.from_numpy(np.asarray(data[()])) for key, data in group[name].items()}


def put_arrays(group: h5py.Group, name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Store NumPy arrays by name."""
    folder = group.create_group(name, track_order=True)
    for key, array in arrays.items():
        folder.create_dataset(key, data=array)


def get_arrays(group: h5py.Group, name: str) -> dict[str, np.ndarray]:
    """The arrays that `put_arrays` stored."""
    return {key: np.asarray(data[()]) for key, data in group[name].items()}
