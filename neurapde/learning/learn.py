"""`learn`: from a data set of fields to a family of them."""

import time
from dataclasses import replace
from os import PathLike

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.arrays import to_numpy
from neurapde.core.devices import find_device
from neurapde.core.errors import DeclarationError
from neurapde.core.gradients import differentiating
from neurapde.core.interrupts import terminable
from neurapde.core.progress import Progress
from neurapde.domains.base import Domain
from neurapde.learning.batches import Batch, Reader
from neurapde.learning.dataset import Fields
from neurapde.learning.encoders.encoder import Encoder
from neurapde.learning.encoders.set_encoder import SetEncoder
from neurapde.learning.family import Family
from neurapde.learning.files import Learning, read_checkpoint, write_checkpoint
from neurapde.learning.mini_batch import Descent, MiniBatchAdam
from neurapde.learning.model import Model, made_for
from neurapde.learning.spaces import ConditionedMLP
from neurapde.storage.fingerprint import Identity, fingerprint
from neurapde.storage.run_folder import RunFolder, run_folder
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Snapshot, Status
from neurapde.training.run.stage import Stage
from neurapde.trials.base import Trial
from neurapde.trials.networks.hyper import HyperSiren

FILE = "checkpoint.h5"
KEPT = 512
"""Largest number of fields of the data set whose codes a family stores."""
AT_ONCE = 64
"""Fields that are encoded at a time."""


@differentiating()
@terminable()
def learn(
    dataset: Fields,
    trial: Trial | ConditionedMLP | None = None,
    *,
    encoder: Encoder | None = None,
    method: MiniBatchAdam | None = None,
    device: str | torch.device = "auto",
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
    out: str | PathLike[str] | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Family:
    """Learn the space of functions that a data set of fields spans.

    dataset: anything with a `domain`, a length, and items that give points (n, d) and values (n,) or (n, c):
        `npde.learning.Rasters`, `npde.learning.SampledFields`, or your own.
    trial: the form of the fields: `HyperSiren()` by default, `Siren()` if all its weights are the code, or
        `npde.learning.ConditionedMLP()`, with `SetEncoder()` a conditional neural process.
    encoder: how observations give a field: `npde.learning.SetEncoder()` by default, `GridEncoder(shape)`,
        `AutoDecoder()`, `MetaSGD()`, `MeanField()`.
    method: `npde.learning.MiniBatchAdam(steps=…)`.
    device, dtype, seed, out, resume, progress: as for `npde.solve`; only one run at a time may use the folder `out`.
    Returns a Family; its `status` says how the training ended. Ctrl-C and SIGTERM end it after the current step, and
    the result is kept.
    Raises DeclarationError, before any work, for arguments that do not fit together and for a checkpoint of another
    training.
    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 4.4.
    """
    checks.flag(progress, "progress"), checks.flag(resume, "resume"), checks.whole(seed, "seed", 0)
    _check_dataset(dataset)
    spec = HyperSiren() if trial is None else trial
    how = SetEncoder() if encoder is None else encoder
    way = MiniBatchAdam() if method is None else method
    for name, value, kind in (("encoder", how, Encoder), ("method", way, MiniBatchAdam)):
        if not isinstance(value, kind):
            raise DeclarationError(f"{name}={checks.shown(value)}: give one of npde.learning, or None")
    if dtype not in (torch.float32, torch.float64):
        raise DeclarationError(f"dtype={checks.shown(dtype)}: use torch.float32 or torch.float64.")
    if resume and out is None:
        raise DeclarationError("resume=True needs the folder of the checkpoint: give out=….")
    way.augment.check(dataset.domain)
    made, looked_at = made_for(dataset, spec, how)
    model = made.build(
        torch.Generator().manual_seed(seed), torch.zeros(0, dtype=dtype, device=find_device(device))
    )
    model.fit_scales(looked_at)
    declared = Learning(dataset.domain, made, way)
    with run_folder(out, FILE, resume) as folder:
        return _trained(
            declared,
            dataset,
            model,
            folder,
            seed,
            resume,
            _identity(out, seed, declared, looked_at),
            progress,
        )


def _check_dataset(dataset: Fields) -> None:
    domain, length = getattr(dataset, "domain", None), getattr(dataset, "__len__", None)
    if not isinstance(domain, Domain) or length is None or not len(dataset):
        raise DeclarationError(
            f"dataset={checks.shown(dataset)} is not a data set of fields, which needs a domain and at least one item; "
            "use npde.learning.Rasters(values, like) or npde.learning.SampledFields(domain, items)"
        )


def _identity(out: str | PathLike[str] | None, seed: int, declared: Learning, looked_at: Batch) -> Identity:
    """The values that a checkpoint must share; the first fields identify a data set."""
    identity = Identity.of(seed, {"learning": declared} if out is not None else {})
    digests = (
        {**identity.digests, "dataset": fingerprint(looked_at.targets.values)} if out is not None else {}
    )
    return replace(identity, digests=digests)


def _trained(
    declared: Learning,
    dataset: Fields,
    model: Model,
    folder: RunFolder,
    seed: int,
    resume: bool,
    identity: Identity,
    progress: bool,
) -> Family:
    key = replace(declared, method=declared.method.resume_key())
    snapshot: Snapshot | None = None
    if resume and folder.path is not None and folder.path.exists():
        snapshot = read_checkpoint(folder.path, key, model, identity)
    descent = Descent(declared.method, dataset, model, torch.Generator().manual_seed(seed + 1))
    if snapshot is not None:
        descent.restore(snapshot.tensors)

    def save(snapshot: Snapshot, status: Status) -> None:
        folder.save(lambda path: write_checkpoint(path, key, model, snapshot, identity))

    started = time.perf_counter()
    journal = Journal(
        "learn",
        declared.method.steps,
        declared.method.objective.names,
        Progress(progress),
        resumed=snapshot,
        save=save,
        state=descent.tensors,
        every=declared.method.checkpoint_seconds,
    )
    status = descent.run(journal)
    seconds = (0.0 if snapshot is None else snapshot.seconds) + time.perf_counter() - started
    stage = Stage(declared.method.describe(), status, seconds, journal.history)
    notes = [f"Trial: {declared.made.trial}.", f"Encoder: {declared.made.encoder}."]
    notes += [] if snapshot is None else [f"Resumed after step {snapshot.step}."]
    codes = to_numpy(_codes(dataset, model))
    return Family(
        declared.domain, declared.made, model, declared.method, codes, (stage,), (*notes, *folder.notes)
    )


def _codes(dataset: Fields, model: Model) -> Tensor:
    """The codes of the data set's fields, each from all its observations."""
    known = model.conditioner.known
    if known is not None:
        return known[:KEPT]
    every = np.linspace(0, len(dataset) - 1, min(len(dataset), KEPT)).round().astype(int).tolist()
    rows, reader = [], Reader(dataset, model.like)
    for start in range(0, len(every), AT_ONCE):
        batch = model.normal(reader.batch(every[start : start + AT_ONCE]))
        with torch.no_grad():
            rows.append(model.codes(batch.seen))
    return torch.cat(rows)
