"""Families and the checkpoints of their trainings as HDF5 files: declarations as data, parameters and codes as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.late import Late
from neurapde.learning.mini_batch import MiniBatchAdam
from neurapde.learning.model import Made, Model
from neurapde.solution.files import BASES
from neurapde.storage import hdf5
from neurapde.storage.encoding import Encoded, NotStored, current, decode, difference, encode
from neurapde.storage.fingerprint import Identity
from neurapde.training.run.files import get_run, get_snapshot, get_stages, put_snapshot, put_stages
from neurapde.training.run.method import Snapshot
from neurapde.training.run.stage import Stage

if TYPE_CHECKING:
    import h5py
else:
    h5py = Late("h5py")

KIND, CHECKPOINT = "family", "family checkpoint"


@dataclass(frozen=True, eq=False)
class Learned:
    """The complete content of a family.

    domain: of its fields. made: the parts of the model. model: the trained one. method: of the training.
    codes: (fields, latent) of the data set, or of a part of it. stages: the record. notes: of the run.
    """

    domain: Domain
    made: Made
    model: Model
    method: MiniBatchAdam
    codes: np.ndarray
    stages: tuple[Stage, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Learning(Declaration):
    """The declarations of a family."""

    domain: Domain
    made: Made
    method: MiniBatchAdam


def write(path: Path, learned: Learned) -> None:
    """Write a family to `path` in one step."""
    declared = encode(Learning(learned.domain, learned.made, learned.method))

    def fill(file: h5py.File) -> None:
        _put(file, declared, learned.model)
        hdf5.put_arrays(file, "codes", {"codes": learned.codes})
        hdf5.put_json(file, "notes", learned.notes)
        put_stages(file, learned.stages)

    hdf5.write(path, KIND, fill)


def _put(file: h5py.File, declared: Encoded, model: Model) -> None:
    hdf5.put_json(file, "declared", declared.tree)
    hdf5.put_json(file, "dtype", str(model.like.dtype).removeprefix("torch."))
    hdf5.put_arrays(file, "arrays", declared.arrays)
    hdf5.put_tensors(file, "parameters", model.state_dict())


def read(path: Path, device: torch.device) -> Learned:
    """What `write` stored. Raises: FileNotFoundError, StorageError, DeclarationError."""
    with hdf5.reading(path, KIND) as file:
        encoded = Encoded(current(hdf5.get_json(file, "declared")), hdf5.get_arrays(file, "arrays"))
        try:
            declared: Learning = decode(encoded, BASES)
        except NotStored as error:
            raise DeclarationError(f"{path} cannot be restored as a family: {error}.") from error
        dtype = {"float32": torch.float32, "float64": torch.float64}[hdf5.get_json(file, "dtype")]
        like = torch.zeros(0, dtype=dtype, device=device)
        model = declared.made.build(torch.Generator().manual_seed(0), like)
        model.load_state_dict(hdf5.get_tensors(file, "parameters"))
        return Learned(
            domain=declared.domain,
            made=declared.made,
            model=model,
            method=declared.method,
            codes=hdf5.get_arrays(file, "codes")["codes"],
            stages=get_stages(file, Stage),
            notes=tuple(hdf5.get_json(file, "notes")),
        )


def write_checkpoint(
    path: Path, declared: Learning, model: Model, snapshot: Snapshot, identity: Identity
) -> None:
    """Write what a training needs to continue from `snapshot`."""
    encoded = encode(declared)

    def fill(file: h5py.File) -> None:
        _put(file, encoded, model)
        put_snapshot(file, snapshot, identity)

    hdf5.write(path, CHECKPOINT, fill)


def read_checkpoint(path: Path, declared: Learning, model: Model, identity: Identity) -> Snapshot:
    """The snapshot to continue from; sets the parameters of `model`.

    Raises: DeclarationError with the first difference if the checkpoint belongs to another training.
    """
    with hdf5.reading(path, CHECKPOINT) as file:
        text = difference(current(hdf5.get_json(file, "declared")), encode(declared).tree, "learning")
        run = get_run(file)
        text = text or identity.difference(run["identity"])
        if text is not None:
            raise DeclarationError(
                f"cannot resume from {path}: {text}. Use the same settings as before, or another folder."
            )
        model.load_state_dict(hdf5.get_tensors(file, "parameters"))
        return get_snapshot(file, run)
