"""Solutions and checkpoints as HDF5 files: which part of a record goes where, and how it comes back.

A checkpoint is a solution's file with one group more: what its method needs to go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurapde.backgrounds.lift import Lift
from neurapde.backgrounds.waves import Background
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.late import Late
from neurapde.problem.problem import Problem
from neurapde.solution.record import Record
from neurapde.storage import hdf5
from neurapde.storage.encoding import Encoded, NotStored, current, decode, difference, encode, tag
from neurapde.storage.fingerprint import Identity
from neurapde.training.run.files import get_run, get_snapshot, get_stages, put_snapshot, put_stages
from neurapde.training.run.method import Method, Snapshot
from neurapde.training.run.stage import Stage
from neurapde.training.schedules import Schedule
from neurapde.trials.base import Bounds, Trial, TrialFunction

if TYPE_CHECKING:
    import h5py
else:
    h5py = Late("h5py")

BASES = (Declaration, Trial, Background, Method, Schedule)
"""Classes of which (and of whose descendants) a file's declarations may be made."""
DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (torch.float32, torch.float64)}


@dataclass(frozen=True)
class Run:
    """Where a solve stands, for a checkpoint. methods: all stages. stage: index of the one under way."""

    methods: Sequence[Method]
    stage: int
    snapshot: Snapshot
    identity: Identity


def write(path: Path, record: Record, run: Run | None = None, dtype: torch.dtype | None = None) -> None:
    """Write a solution, or with `run` a checkpoint, to `path` in one step; its parameters in `dtype`, None for their own."""
    bounds = (
        None if record.domain is None else [np.asarray(corner).tolist() for corner in record.domain.bounds]
    )
    keys = [] if run is None else _keys(run.methods, run.stage)
    declared = encode((record.problem, record.domain, record.trial.spec, keys))
    problem, domain, spec, methods = declared.tree
    shape = {"bounds": bounds, "outputs": record.trial.outputs, "complex": record.trial.complex}
    kind = str(_dtype(record.trial)).removeprefix("torch.")
    parameters = record.trial.state_dict()
    if dtype is not None:
        parameters = {name: _rounded(tensor, dtype) for name, tensor in parameters.items()}

    def fill(file: h5py.File) -> None:
        hdf5.put_json(file, "problem", problem)
        hdf5.put_json(file, "domain", domain)
        hdf5.put_json(file, "trial", {"spec": spec, "dtype": kind, **shape})
        hdf5.put_json(file, "notes", {"notes": record.notes, "text": record.text})
        hdf5.put_tensors(file, "parameters", parameters)
        put_stages(file, record.stages)
        if run is not None:
            put_snapshot(file, run.snapshot, run.identity, stage=run.stage, methods=methods)
        hdf5.put_arrays(file, "arrays", declared.arrays)

    hdf5.write(path, "solution" if run is None else "checkpoint", fill)


def _rounded(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A tensor of real numbers in another precision; others as they are. Raises: DeclarationError for one that overflows."""
    if not tensor.is_floating_point():
        return tensor
    rounded = tensor.to(dtype)
    if not bool(torch.isfinite(rounded).all()):
        raise DeclarationError(
            f"the parameters reach {float(tensor.abs().max()):.3g}, more than {str(dtype).removeprefix('torch.')} "
            "holds; save them with dtype=torch.float32, or with dtype=None."
        )
    return rounded


def _keys(methods: Sequence[Method], stage: int) -> list[Method]:
    """The methods, those to come as a run may be continued with."""
    return [method if i < stage else method.resume_key() for i, method in enumerate(methods)]


def _dtype(trial: TrialFunction) -> torch.dtype:
    anchor = next(trial.parameters(), None)
    return torch.float64 if anchor is None else anchor.dtype.to_real()


def read(path: Path, problem: Problem | None, trial: Trial | None, device: torch.device) -> Record:
    """The record that `write` stored.

    problem, trial: what the file could not hold (a problem with Python functions, a foreign network); where
    it does hold them, they must agree. Raises StorageError, DeclarationError or FileNotFoundError.
    """
    with hdf5.reading(path, "solution", "checkpoint") as file:
        arrays = hdf5.get_arrays(file, "arrays")
        stored, missing = _problem(Encoded(current(hdf5.get_json(file, "problem")), arrays), problem)
        domain = (
            stored.domain
            if stored is not None
            else _domain(Encoded(current(hdf5.get_json(file, "domain")), arrays))
        )
        texts = hdf5.get_json(file, "notes")
        return Record(
            problem=stored,
            domain=domain,
            trial=_trial(path, file, arrays, trial, stored, device),
            stages=get_stages(file, Stage),
            notes=tuple(texts["notes"]),
            text=texts["text"],
            missing=missing,
        )


def _problem(encoded: Encoded, given: Problem | None) -> tuple[Problem | None, str]:
    if given is not None:
        if encoded.tree is not None and (text := difference(encoded.tree, encode(given).tree, "problem")):
            raise DeclarationError(
                f"the file is of another problem: {text}. Give the problem that was solved."
            )
        return given, ""
    if encoded.tree is None:
        return None, "it was saved without its problem"
    try:
        return decode(_without_lost_exact(encoded), BASES), ""
    except NotStored as error:
        return None, str(error)


def _without_lost_exact(encoded: Encoded) -> Encoded:
    """The problem without its exact solution where that cannot be made again: it defines nothing."""
    content = encoded.tree["fields"]
    try:
        decode(Encoded(content["exact"], encoded.arrays), BASES)
    except NotStored:
        return Encoded({**encoded.tree, "fields": {**content, "exact": None}}, encoded.arrays)
    return encoded


def _domain(encoded: Encoded) -> Domain | None:
    try:
        return decode(encoded, BASES)
    except NotStored:
        return None


def _trial(
    path: Path,
    file: h5py.File,
    arrays: Mapping[str, np.ndarray],
    given: Trial | None,
    problem: Problem | None,
    device: torch.device,
) -> TrialFunction:
    stored = current(hdf5.get_json(file, "trial"))
    if given is not None:
        _check_given(path, stored["spec"], encode(given).tree)
    lift = None if problem is None else problem.lift
    parts = [trial for trial in (given, lift) if trial is not None]
    try:
        spec = decode(Encoded(stored["spec"], arrays), BASES, parts)
    except NotStored as error:
        background = stored["spec"].get("fields", {}).get("background", {})
        way = "problem=…" if lift is None and background.get("class") == tag(Lift) else "trial=…"
        raise DeclarationError(
            f"{path} contains the parameters of a trial function, but not its declaration: {error or 'trial'}. Give it "
            f"when loading: npde.load(path, {way})."
        ) from error
    return rebuild(spec, stored, hdf5.get_tensors(file, "parameters"), device)


def _check_given(path: Path, stored: Any, given: Any) -> None:
    """Refuse a given specification that is neither the stored one nor the network in it."""
    networks = [stored]
    while "network" in networks[-1].get("fields", {}):
        networks.append(networks[-1]["fields"]["network"])
    if given not in networks:
        alike = next((tree for tree in networks if tree.get("class") == given.get("class")), stored)
        raise DeclarationError(
            f"{path} is of another trial function: {difference(alike, given, 'trial')}. Give the one that was solved."
        )


def rebuild(
    spec: Trial, shape: Mapping[str, Any], parameters: Mapping[str, torch.Tensor], device: torch.device
) -> TrialFunction:
    """A trial function of `spec` with the given parameters."""
    lower, upper = shape["bounds"]
    bounds: Bounds = (np.asarray(lower), np.asarray(upper))
    trial = spec.build(
        bounds,
        shape["outputs"],
        shape["complex"],
        generator=torch.Generator().manual_seed(0),
        dtype=DTYPES[shape["dtype"]],
        device=device,
    )
    try:
        trial.load_state_dict(dict(parameters))
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise hdf5.StorageError(f"the parameters stored do not fit {spec.describe()}: {text}") from error
    return trial


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds, once it has been found to belong to the solve that asks."""

    stage: int
    earlier: tuple[Stage, ...]
    trial: TrialFunction
    snapshot: Snapshot


def read_checkpoint(
    path: Path,
    problem: Problem,
    trial: Trial | None,
    methods: Sequence[Method],
    dtype: torch.dtype,
    device: torch.device,
    identity: Identity,
) -> Checkpoint:
    """The state to go on from.

    trial: the specification asked for, None where none was. identity: what it must agree in beside. Raises
    DeclarationError naming the first difference when the checkpoint is of another problem, trial, method, precision,
    seed, or of other functions; StorageError for a file that is none.
    """
    with hdf5.reading(path) as file:
        if "run" not in file:
            raise hdf5.StorageError(
                f"{path} is a saved solution, not a checkpoint; solve without resume=True."
            )
        run = get_run(file)
        shape = current(hdf5.get_json(file, "trial"))
        stage = run["stage"]
        pairs = [(current(hdf5.get_json(file, "problem")), encode(problem).tree, "problem")]
        asked = None if trial is None else encode(trial).tree
        if asked is not None and stage == 0:
            pairs.append((shape["spec"], asked, "trial"))
        pairs.append((run["methods"], encode(_keys(methods, stage)).tree, "method"))
        pairs.append((shape["dtype"], str(dtype).removeprefix("torch."), "dtype"))
        differences = (difference(*pair) for pair in pairs)
        text = next(filter(None, differences), None)
        if text is None and "identity" in run:  # which the first release did not store
            text = identity.difference(run["identity"])
        if text is not None:
            raise DeclarationError(
                f"cannot resume from {path}: {text}. Use the settings of the checkpoint, or start again in another "
                "folder."
            )
        arrays = hdf5.get_arrays(file, "arrays")
        reused = trial if asked == shape["spec"] else None
        return Checkpoint(
            stage=stage,
            earlier=get_stages(file, Stage)[:stage],
            trial=_trial(path, file, arrays, reused, problem, device),
            snapshot=get_snapshot(file, run),
        )
