"""HDF5 files of our own: written whole or not at all, verified before they are read, and read without executing anything.

Such a file is HDF5 behind 512 bytes that hold the SHA-256 of the rest. Any program that reads HDF5 passes over them. We
compare them first, so a byte that was changed is found before the HDF5 library sees the file. In memory it is made and
read: no disk that is full or fails is ever met inside that library, which ends the process where one is.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import file_digest, sha256
from importlib.metadata import version
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurapde.core import atomic
from neurapde.core.errors import DeclarationError
from neurapde.core.errors import StorageError as StorageError
from neurapde.core.readers.isolated import isolated
from neurapde.late import Late

if TYPE_CHECKING:
    import h5py
else:
    h5py = Late("h5py")

closed = Late("neurapde.storage.closed")

FORMAT = "neurapde"
VERSION = 2
"""Version of the layout; a file with a larger one was written by a newer neurapde. Those of layout 1 have no digest."""
SEALED = 512
"""Bytes before the HDF5 content: the least that HDF5 passes over."""
MAGIC = b"neurapde file, HDF5 from byte 512 on, of which this is the SHA-256: "
READ_BY = (
    "Solutions are read by npde.load, surveys by npde.Survey.load, inversions by npde.seismic.Inversion.load; to "
    "continue from a checkpoint, solve with resume=True in its folder."
)
SIGNATURE = b"\x89HDF\r\n\x1a\n"


@cache
def versions() -> dict[str, str]:
    """What a file records of the software that wrote it."""
    names = ("neurapde", "torch", "numpy", "scipy", "h5py")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def write(path: Path, kind: str, fill: Callable[[h5py.File], None]) -> None:
    """Write what `fill` puts into a new file to `path`, whole or not at all.

    Raises: FileNotFoundError where the folder of `path` does not exist; OSError, naming the disk, where that fails.
    """
    atomic.write(path, made(kind, fill))


def made(kind: str, fill: Callable[[h5py.File], None]) -> memoryview:
    """A file of what `fill` puts into it, in memory."""
    content = BytesIO()
    with h5py.File(content, "w", userblock_size=SEALED) as file:
        file.attrs.update(format=FORMAT, kind=kind, version=VERSION, written_by=json.dumps(versions()))
        fill(file)
    return seal(content.getbuffer())


def seal(content: memoryview) -> memoryview:
    """Put the digest of the rest into the first bytes of a file in memory; the file."""
    content[:SEALED] = _seal(sha256(content[SEALED:]).hexdigest())
    return content


def _seal(digest: str) -> bytes:
    return (MAGIC + digest.encode() + b"\n").ljust(SEALED, b"\0")


@contextmanager
def reading(path: Path, *kinds: str) -> Iterator[h5py.File]:
    """Open a file of one of these kinds, or of any, that `write` made, once it is found to be as it was written.

    Raises FileNotFoundError when there is none; StorageError when it is foreign, damaged, newer or of another kind.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}.")
    with path.open("rb") as content:
        whole = _verified(path, content)
        if not whole:
            isolated(closed.touch, path, "a file of neurapde")
        try:
            with h5py.File(content, "r") as file:
                _check_format(path, file, whole)
                if kinds and (kind := file.attrs["kind"]) not in kinds:
                    wanted = " or ".join(map(repr, kinds))
                    raise StorageError(f"{path} is of the kind {kind!r}, not {wanted}. {READ_BY}")
                closed.check_closed(file)
                yield file
        except (StorageError, DeclarationError):
            raise
        except closed.ForeignPart as error:
            raise StorageError(
                f"{path} is refused: {error}. A file of neurapde must not refer to other files."
            ) from error
        except Exception as error:
            raise _damaged(path, f"{type(error).__name__}: {error}") from error


def kind_of(path: Path) -> str:
    """The kind of a file that `write` made. Raises as `reading`."""
    with reading(path) as file:
        return str(file.attrs["kind"])


def _verified(path: Path, content: BufferedReader) -> bool:
    """Whether the digest of a file is that of its content; False for one of layout 1, which has none."""
    seal = content.read(SEALED)
    if seal.startswith(SIGNATURE):
        return False
    if seal != _seal(file_digest(content, "sha256").hexdigest()):
        ours = seal.startswith(MAGIC)
        raise _damaged(path, "its content does not match its SHA-256" if ours else "its first bytes")
    return True


def _damaged(path: Path, fault: str) -> StorageError:
    return StorageError(
        f"{path} cannot be read ({fault}): it is damaged, or it is not an HDF5 file of neurapde. Give a file that "
        "Solution.save or a checkpoint wrote."
    )


def _check_format(path: Path, file: h5py.File, whole: bool) -> None:
    stored = file.attrs.get("format")
    if stored != FORMAT:
        raise StorageError(
            f"{path} is an HDF5 file, but not one of neurapde's (format {stored!r}). "
            "Give a file that Solution.save or a checkpoint wrote."
        )
    if int(file.attrs["version"]) > VERSION:
        writer = json.loads(file.attrs["written_by"])["neurapde"]
        raise StorageError(
            f"{path} has layout {file.attrs['version']}, written by neurapde {writer}; this is neurapde "
            f"{version('neurapde')}, which reads layouts up to {VERSION}. Upgrade neurapde to read it."
        )
    if int(file.attrs["version"]) > 1 and not whole:
        raise _damaged(path, "its SHA-256 is missing")


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
