"""`invert`: from a survey to a velocity; it knows no wave equation and no optimiser by name."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np
import torch

from neurapde.conditions.topography import Grounded
from neurapde.core import checks
from neurapde.core.arrays import as_points, to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing, number
from neurapde.core.gradients import differentiating
from neurapde.core.interrupts import terminable
from neurapde.core.progress import Progress, Row
from neurapde.problem.problem import Problem
from neurapde.seismic.inversion.checks import check_executor, check_places, preflight
from neurapde.seismic.inversion.files import Declared, read_checkpoint, write_checkpoint
from neurapde.seismic.inversion.methods.joint import Joint
from neurapde.seismic.inversion.methods.method import Found, InversionMethod, Setting, Stage, StageRecord
from neurapde.seismic.inversion.methods.multiscale import Multiscale
from neurapde.seismic.inversion.methods.penalty import Penalty
from neurapde.seismic.inversion.methods.reduced import Adjoint, Reduced
from neurapde.seismic.inversion.methods.time_domain import TimeDomain
from neurapde.seismic.inversion.methods.wavefield_reconstruction import WavefieldReconstruction
from neurapde.seismic.inversion.misfits import Misfit
from neurapde.seismic.inversion.old_call import takes_old_call
from neurapde.seismic.inversion.parametrisation import Parametrisation, build_parametrisation
from neurapde.seismic.inversion.result import Inversion
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.modelling.computational_domain import ComputationalDomain, waves_in
from neurapde.seismic.survey.survey import Survey
from neurapde.storage.fingerprint import PYTHON, Identity, fingerprint
from neurapde.storage.run_folder import RunFolder, run_folder
from neurapde.training.run.callbacks import Callback, checked, watching
from neurapde.training.run.method import Snapshot, Status

METHODS: dict[str, Callable[[], InversionMethod]] = {
    "joint": Joint,
    "reduced": Reduced,
    "adjoint": Adjoint,
    "irwri": WavefieldReconstruction,
    "penalty": Penalty,
    "multiscale": Multiscale,
    "time": TimeDomain,
}
"""Methods by name, with their defaults."""
DEFAULT = "multiscale"
"""The default method of `invert`."""
FILE = "inversion.checkpoint.h5"
KINDS = {"frequency": "spectra", "time": "traces in time"}
WAYS = {"frequency": "survey.at(frequencies=[…])", "time": "its traces by method='time'"}


@takes_old_call
def invert(
    problem: Problem,
    survey: Survey,
    *,
    unknown: Velocity | None = None,
    method: str | InversionMethod = DEFAULT,
    frequencies: Any = None,
    misfit: Misfit | None = None,
    seed: int = 0,
    out: str | PathLike[str] | None = None,
    resume: bool = False,
    progress: bool = True,
    executor: Executor | None = None,
    callbacks: Callback | Sequence[Callback] | None = None,
) -> Inversion:
    """Find the velocity that explains a survey.

    problem: the medium of the waves, on a Box of two axes: its equation, Helmholtz or Wave, its speed, and its
        conditions. A PML is a layer inside the domain, whose inner part is then the region of the model;
        `Absorbing` sides get a layer around it, Dirichlet(0, on=…) is a free surface. Sources, wavelets,
        frequencies and times are the survey's.
    survey: spectra, or traces for a method in time.
    unknown: where the velocity is unknown, and its prior; by default everywhere, starting from the problem's
    speed. method: a name of `METHODS`, or an object such as `Reduced(descent=AdamDescent(steps=300))`.
    frequencies: None for the method's choice, low ones first or all at once; a list in Hz; or a
    `Continuation`. misfit: `L2()` unless given, of `Penalty` `L1()`. seed: of the parameters drawn.
    out: a folder for a checkpoint, created if missing. That of an earlier run is kept under a number unless this run
        resumes it. Only one run at a time may use a folder.
    resume: continue from the checkpoint in `out`, which must be of the same survey, model, functions, method and seed;
        start if there is none yet.
    progress: show bars on stderr, if that is a terminal.
    executor: computes misfits and gradients in tasks, by frequency and group of shots: a ProcessPoolExecutor, Dask's
        `client.get_executor()`, …; None for this process. If a worker dies, only its task is lost. Waves are not
        stored.
    callbacks: functions of an `npde.training.TrainingState`, called at each row of the history, as in `solve`;
        `state.velocity` is the current velocity. If one returns True, the stage ends and the next one begins.
    Returns an Inversion; its `status` says how it ended. Ctrl-C and SIGTERM end it and keep the result so far. If the
    survey states its noise, a stage ends when the data are explained down to it, unless a given prior balances them.
    Raises DeclarationError, before any work, for arguments that do not fit together.
    """
    chosen, watching = as_method(method), checked(callbacks)
    checks.whole(seed, "seed", 0), checks.flag(resume, "resume"), checks.flag(progress, "progress")
    check_given(problem, survey)
    check_executor(executor, chosen)
    surveys = chosen.stages(survey, frequencies)
    setting = settle(problem, survey, surveys, unknown, chosen.default_misfit if misfit is None else misfit)
    chosen.check(setting)
    surveys = tuple(chosen.heard(stage_survey, setting) for stage_survey in surveys)
    notes: tuple[str, ...] = ()
    if unknown is None or unknown.prior is None:
        setting, notes = chosen.believed(setting, surveys, executor)
    return inverted(
        setting,
        surveys,
        chosen,
        seed=seed,
        out=out,
        resume=resume,
        progress=progress,
        notes=notes,
        executor=executor,
        callbacks=watching,
    )


@differentiating()
@terminable()
def inverted(
    setting: Setting,
    surveys: tuple[Survey, ...],
    method: InversionMethod,
    *,
    seed: int = 0,
    out: str | PathLike[str] | None = None,
    resume: bool = False,
    progress: bool = True,
    notes: tuple[str, ...] = (),
    executor: Executor | None = None,
    callbacks: tuple[Callback, ...] = (),
) -> Inversion:
    """Run an inversion after all checks; `surveys` are those of its stages, the rest is as in `invert`."""
    method.check(setting)
    warned = preflight(method, setting, surveys)
    trial = setting.velocity.trial or method.default_trial(setting)
    unknown = build_parametrisation(
        setting.velocity, setting.domain, trial, method.grid(setting), torch.Generator().manual_seed(seed)
    )
    lines = [
        f"Velocity: {trial.describe()}, {unknown.parameter_count} parameters.",
        f"Model: {setting.domain.describe()}.",
        *notes,
        *warned,
    ]
    if resume and out is None:
        raise DeclarationError("resume=True needs the folder of the checkpoint: give out=….")
    with run_folder(out, FILE, resume) as folder:
        keep = _Keeper(folder, Declared.of(setting, method, unknown), unknown, seed, surveys)
        return _staged(keep, surveys, lines, resume, Progress(progress, _watch(unknown, callbacks)), executor)


def _watch(unknown: Parametrisation, callbacks: tuple[Callback, ...]) -> Callable[[Row], bool]:
    """A function that gives the callbacks the current velocity."""

    def velocity(points: Any) -> np.ndarray:
        return unknown.at(to_numpy(as_points(points, 2))) ** -0.5

    return watching(callbacks, velocity=velocity)


def _staged(
    keep: "_Keeper",
    surveys: tuple[Survey, ...],
    notes: list[str],
    resume: bool,
    progress: Progress,
    executor: Executor | None,
) -> Inversion:
    """The loop over the stages."""
    setting, chosen, unknown = keep.declared.setting, keep.declared.method, keep.unknown
    records, resumed = keep.found(resume)
    while True:
        survey = surveys[len(records)]
        stage = Stage(
            replace(setting, survey=survey),
            unknown,
            survey.noise,
            keep.seed,
            progress,
            keep.saver(records),
            resumed,
            executor,
        )
        record, outcome = _run(chosen, stage)
        records, resumed = (*records, record), None
        if record.status in (Status.INTERRUPTED, Status.DIVERGED) or len(records) == len(surveys):
            break
    notes += [note for record in records for note in record.notes]
    notes += keep.folder.notes
    return Inversion(
        setting=setting,
        method=chosen,
        unknown=unknown,
        stages=records,
        predicted=outcome.data,
        scales=outcome.scales,
        grid=outcome.grid,
        fields=outcome.fields,
        notes=tuple(notes),
    )


def settle(
    problem: Problem, survey: Survey, surveys: tuple[Survey, ...], unknown: Velocity | None, misfit: Misfit
) -> Setting:
    """All settings before work begins, checked for consistency; the survey is that of all stages."""
    checks.kind(misfit, "misfit", Misfit, "use npde.seismic.L2(), npde.seismic.L1(), npde.seismic.Huber(), …")
    if misfit.of not in (None, surveys[0].kind):
        raise DeclarationError(
            f"{type(misfit).__name__} compares {KINDS[misfit.of]}, and {survey.name!r} is inverted as "
            f"{KINDS[surveys[0].kind]}; use L2, L1 or Huber, or invert {WAYS[misfit.of]}"
        )
    box, speed = waves_in(problem)
    velocity = Velocity() if unknown is None else unknown
    way = "give npde.Velocity(start, bounds=(slowest, fastest)), or leave it out"
    checks.kind(velocity, "unknown", Velocity, way)
    if velocity.start is None:
        velocity = replace(velocity, start=speed)
    if problem.sides.topography is not None:
        velocity = replace(velocity, start=Grounded(velocity.start, problem.sides.topography))
    survey.check_in(box)
    _, fastest = velocity.slowest_and_fastest(box)
    domain = ComputationalDomain.of(problem, fastest / _lowest(surveys))
    check_places(survey, domain)
    complete = velocity.on(domain.region)
    used = survey
    band = sorted({frequency for survey in surveys for frequency in survey.band})
    if band:
        used = survey.at(band)
    return Setting(used, domain, complete, misfit, complete.slowest_and_fastest(domain.region))


def _lowest(surveys: tuple[Survey, ...]) -> float:
    """The lowest frequency, Hz; for traces, one period in an eighth of the record."""
    lowest = [survey.band[0] for survey in surveys if survey.band]
    return min(lowest) if lowest else 8.0 / float(surveys[0].times[-1] - surveys[0].times[0])


def as_method(method: str | InversionMethod) -> InversionMethod:
    """The method given as an object or by its name."""
    if isinstance(method, InversionMethod):
        return method
    if not isinstance(method, str) or method not in METHODS:
        raise DeclarationError(
            f"method={checks.shown(method)} is not known; use {listing(METHODS)}, or an object such as "
            "npde.seismic.Reduced(…)"
        )
    return METHODS[method]()


def check_given(problem: Any, survey: Any) -> None:
    """Refuse anything but a Problem with a Survey in the plane."""
    if not isinstance(problem, Problem):
        raise DeclarationError(
            f"an inversion takes a Problem first, then the Survey, but got a {type(problem).__name__}; give the "
            "medium and its boundary: npde.Problem(name, box, npde.Helmholtz(…), boundary=…)"
        )
    if not isinstance(survey, Survey):
        raise DeclarationError(
            f"an inversion takes a Survey after the Problem, but got a {type(survey).__name__}. Read one with "
            "npde.Survey.read(path)"
        )
    if survey.dimension != 2:
        raise DeclarationError(f"the survey has {survey.dimension} coordinates; an inversion needs 2")


def _run(method: InversionMethod, stage: Stage) -> tuple[StageRecord, Found]:
    started = time.perf_counter()
    outcome = method.run(stage)
    seconds = time.perf_counter() - started + (stage.resumed.seconds if stage.resumed is not None else 0.0)
    frequencies = stage.setting.survey.band
    title = f"At {listing(number(f) for f in frequencies)} Hz: " if frequencies else ""
    notes = tuple(title + note for note in outcome.notes)
    record = StageRecord(
        method.describe(), outcome.status, seconds, outcome.history, outcome.extras, notes, frequencies
    )
    return record, outcome


class _Keeper:
    """The checkpoint of an inversion, if a folder was given."""

    def __init__(
        self,
        folder: RunFolder,
        declared: Declared,
        unknown: Parametrisation,
        seed: int,
        surveys: tuple[Survey, ...],
    ) -> None:
        self.folder, self.declared, self.unknown, self.seed = folder, declared, unknown, seed
        self.identity = Identity(seed, PYTHON, {})
        if folder.path is not None:
            identity = Identity.of(seed, {"inversion": declared})
            stages = fingerprint([survey.frequencies if survey.band else None for survey in surveys])
            self.identity = replace(identity, digests={**identity.digests, "frequencies": stages})

    def found(self, resume: bool) -> tuple[tuple[StageRecord, ...], Snapshot | None]:
        path = self.folder.path
        if not resume or path is None or not path.exists():
            return (), None
        return read_checkpoint(path, self.declared, self.unknown, self.identity)

    def saver(self, earlier: tuple[StageRecord, ...]) -> Callable[[Snapshot], None]:
        def save(snapshot: Snapshot) -> None:
            self.folder.save(
                lambda path: write_checkpoint(
                    path, self.declared, self.unknown, earlier, snapshot, self.identity
                )
            )

        return save
