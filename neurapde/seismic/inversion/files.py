"""Inversions and their checkpoints as HDF5 files: declarations as data, parameters and waves as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.late import Late
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.latent import Latent
from neurapde.seismic.inversion.methods.method import InversionMethod, Setting, StageRecord
from neurapde.seismic.inversion.parametrisation import (
    GridParametrisation,
    LatentParametrisation,
    NetworkParametrisation,
    Parametrisation,
    build_parametrisation,
)
from neurapde.seismic.inversion.velocity import Gridded, Velocity
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.solution.files import BASES
from neurapde.storage import hdf5
from neurapde.storage.encoding import Encoded, NotStored, current, decode, difference, encode
from neurapde.storage.fingerprint import Identity
from neurapde.training.run.files import get_run, get_snapshot, get_stages, put_snapshot, put_stages
from neurapde.training.run.method import Snapshot
from neurapde.trials.base import Trial

if TYPE_CHECKING:
    import h5py
else:
    h5py = Late("h5py")

KIND, CHECKPOINT = "inversion", "inversion checkpoint"


@dataclass(frozen=True, eq=False)
class Contents:
    """The complete content of an inversion.

    setting: survey, domain, velocity and misfit, as declared and completed; its survey is that of all stages.
    method:  of the inversion. unknown: the velocity's parameters. stages: the record, in order.
    predicted: data in the model found, scaled to the observed, shaped like those of the last stage.
    scales: complex factor of each shot (and frequency) where the wavelet was unknown, else 1.
    grid, fields: the method's own waves in the last stage, complex `(frequencies, shots, *grid.shape)`, or None.
    """

    setting: Setting
    method: InversionMethod
    unknown: Parametrisation
    stages: tuple[StageRecord, ...]
    predicted: np.ndarray
    scales: np.ndarray
    grid: Grid
    fields: np.ndarray | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Declared(Declaration):
    """The declarations of an inversion; nodes: lower corner, upper corner and shape of a gridded velocity."""

    setting: Setting
    method: InversionMethod
    trial: Trial | Gridded | Latent
    nodes: Any = None

    @classmethod
    def of(cls, setting: Setting, method: InversionMethod, unknown: Parametrisation) -> Declared:
        """The declarations of a running inversion."""
        if isinstance(unknown, GridParametrisation):
            return cls(setting, method, Gridded(), _corners(unknown.grid))
        if isinstance(unknown, LatentParametrisation):
            return cls(setting, method, unknown.latent)
        assert isinstance(unknown, NetworkParametrisation)
        return cls(setting, method, unknown.network.spec)

    def build(self) -> Parametrisation:
        """The unknown, its parameters yet to be filled in."""
        return rebuilt(self.setting.velocity, self.setting.domain, self.trial, self.nodes)


def rebuilt(
    velocity: Velocity, domain: ComputationalDomain, trial: Trial | Gridded | Latent, nodes: Any
) -> Parametrisation:
    """An unknown, its parameters yet to be filled in; trial and nodes as `Declared` has them."""
    grid = Grid(*nodes) if nodes is not None else Grid((0, 0), (1, 1), (3, 3))
    return build_parametrisation(velocity, domain, trial, grid, torch.Generator().manual_seed(0))


def _corners(grid: Grid) -> tuple[Any, ...]:
    return tuple(grid.lower), tuple(grid.upper), tuple(grid.shape)


def write(path: Path, contents: Contents) -> None:
    """Write an inversion to `path` in one step."""
    declared = encode(Declared.of(contents.setting, contents.method, contents.unknown))
    waves = {"predicted": contents.predicted, "scales": contents.scales}
    if contents.fields is not None:
        waves["fields"] = contents.fields

    def fill(file: h5py.File) -> None:
        hdf5.put_json(file, "declared", declared.tree)
        hdf5.put_arrays(file, "arrays", declared.arrays)
        hdf5.put_tensors(file, "parameters", contents.unknown.state_dict())
        hdf5.put_json(file, "grid", _corners(contents.grid))
        hdf5.put_json(file, "notes", contents.notes)
        hdf5.put_arrays(file, "waves", waves)
        put_stages(file, contents.stages)

    hdf5.write(path, KIND, fill)


def read(path: Path) -> Contents:
    """What `write` stored. Raises: FileNotFoundError, StorageError, DeclarationError."""
    with hdf5.reading(path, KIND) as file:
        encoded = Encoded(current(hdf5.get_json(file, "declared")), hdf5.get_arrays(file, "arrays"))
        try:
            declared: Declared = decode(encoded, BASES)
        except NotStored as error:
            raise DeclarationError(
                f"{path} cannot be restored as an inversion: {error}. Give the start model as a number, a GridField or "
                "a Piecewise before saving."
            ) from error
        unknown = declared.build()
        unknown.load_state_dict(hdf5.get_tensors(file, "parameters"))
        waves = hdf5.get_arrays(file, "waves")
        return Contents(
            setting=declared.setting,
            method=declared.method,
            unknown=unknown,
            stages=get_stages(file, StageRecord),
            predicted=waves["predicted"],
            scales=waves["scales"],
            grid=Grid(*hdf5.get_json(file, "grid")),
            fields=waves.get("fields"),
            notes=tuple(hdf5.get_json(file, "notes")),
        )


def write_checkpoint(
    path: Path,
    declared: Declared,
    unknown: Parametrisation,
    earlier: Sequence[StageRecord],
    snapshot: Snapshot,
    identity: Identity,
) -> None:
    """Write what stage number `len(earlier)` needs to continue from `snapshot`."""
    encoded = encode(declared)

    def fill(file: h5py.File) -> None:
        hdf5.put_json(file, "declared", encoded.tree)
        hdf5.put_tensors(file, "parameters", unknown.state_dict())
        put_snapshot(file, snapshot, identity)
        put_stages(file, earlier)

    hdf5.write(path, CHECKPOINT, fill)


def read_checkpoint(
    path: Path, declared: Declared, unknown: Parametrisation, identity: Identity
) -> tuple[tuple[StageRecord, ...], Snapshot]:
    """The finished stages and the snapshot to continue from; sets the parameters of `unknown`.

    Raises: DeclarationError with the first difference if the checkpoint belongs to another inversion.
    """
    with hdf5.reading(path, CHECKPOINT) as file:
        text = difference(current(hdf5.get_json(file, "declared")), encode(declared).tree, "inversion")
        run = get_run(file)
        if text is None and "identity" in run:
            text = identity.difference(run["identity"])
        if text is not None:
            raise DeclarationError(
                f"cannot resume from {path}: {text}. Use the same settings as before, or another folder."
            )
        unknown.load_state_dict(hdf5.get_tensors(file, "parameters"))
        return get_stages(file, StageRecord), get_snapshot(file, run)
