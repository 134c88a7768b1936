"""`solve`: the one loop from a problem to a solution; it knows no equation and no optimiser by name."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike

import torch

from neurapde.core import checks
from neurapde.core.devices import find_device
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.core.gradients import differentiating
from neurapde.core.interrupts import terminable
from neurapde.core.memory import Fitting
from neurapde.core.progress import Progress, Row
from neurapde.methods.choice import choose_method
from neurapde.problem.problem import Problem
from neurapde.solution.files import Checkpoint, Run, read_checkpoint, write
from neurapde.solution.record import Record
from neurapde.solution.solution import Solution
from neurapde.storage.fingerprint import Identity, fingerprint
from neurapde.storage.run_folder import RunFolder, run_folder
from neurapde.training import diagnostics as diagnosis
from neurapde.training.run.callbacks import Callback, checked, watching
from neurapde.training.run.hard import missed_conditions, with_hard_conditions
from neurapde.training.run.method import Method, Snapshot, Status, Task
from neurapde.training.run.stage import Stage
from neurapde.training.units import in_units
from neurapde.trials.base import Trial, TrialFunction, copied
from neurapde.verification.closing import closed
from neurapde.verification.determined import check_determined, warn_of_nothing

CHECKPOINT = "checkpoint.h5"
DTYPES = (torch.float32, torch.float64)


@differentiating()
@terminable()
def solve(
    problem: Problem,
    trial: Trial | TrialFunction | None = None,
    method: Method | Sequence[Method] | None = None,
    *,
    device: str | torch.device = "auto",
    dtype: torch.dtype | None = None,
    seed: int = 0,
    out: str | PathLike[str] | None = None,
    resume: bool = False,
    progress: bool = True,
    callbacks: Callback | Sequence[Callback] | None = None,
) -> Solution:
    """Solve a problem: `solve(problem)` chooses the rest and says in `solution.notes` what it chose, and why.

    problem: the declaration.
    trial: a specification such as `Siren()`, or the trial function of an earlier solution, which is copied.
    method: one, or a list of stages, each of which starts from the trial function that the one before left.
    device: "auto" (CUDA where there is one), "cpu", "cuda", ….
    dtype: torch.float32 or torch.float64; None for the precision the methods are meant for.
    seed: of the parameters drawn and the points drawn; on a CPU the same seed gives the same solution.
    out: a folder, made when missing, for `checkpoint.h5`. A checkpoint already there is kept under a number,
        `checkpoint.1.h5`, unless the solve resumes from it. One run at a time works in a folder. A checkpoint that cannot
        be written is a StorageWarning and a note; the next one is tried again.
    resume: continue from the checkpoint in `out`, which must be of the same problem, functions, data, trial,
    method and seed; start if there is none yet. progress: show a bar on stderr, if that is a terminal.
    callbacks: functions of an `npde.training.TrainingState`, called at each row of the history. One that
        returns True ends the training after the step under way, and the next stage begins:
        `npde.training.TargetLoss(1e-4)`, `Patience(steps)`, `TimeLimit(seconds)`. `TensorBoard(folder)` writes
        for TensorBoard. Direct methods call them at each level, and end by their tolerance alone.
    Returns a Solution; `solution.status` says how it ended. Ctrl-C and SIGTERM are one: a training ends after the step
        under way, a direct method at once, with the level before; where there is none yet, they raise KeyboardInterrupt.
    Raises DeclarationError, before any work, for arguments that do not fit together or a checkpoint of another
    solve.
    """
    checks.flag(progress, "progress")
    watching = checked(callbacks)
    setup = _prepare(problem, trial, method, device, dtype, seed, resume, out)
    with run_folder(out, CHECKPOINT, resume) as folder:
        return _solved(setup, folder, seed, resume, progress, watching)


def _solved(
    setup: "_Setup",
    folder: RunFolder,
    seed: int,
    resume: bool,
    progress: bool,
    callbacks: tuple[Callback, ...],
) -> Solution:
    """The loop over the stages."""
    problem, checkpoint = setup.problem, _checkpoint(setup, folder, resume)
    notes = list(setup.notes)
    stages: list[Stage] = []
    first, current, resumed = 0, setup.trial, None
    if checkpoint is not None:
        first, current, resumed = checkpoint.stage, checkpoint.trial, checkpoint.snapshot
        stages = list(checkpoint.earlier)
        notes += [note for stage in stages for note in stage.notes]
        notes.append(f"Resumed after step {checkpoint.snapshot.step}.")
    generator = torch.Generator(setup.device).manual_seed(seed + 1)
    for index in range(first, len(setup.methods)):
        saver = _saver(setup, folder, index, tuple(stages), tuple(notes))
        task = Task(
            problem=problem,
            trial=current,
            device=setup.device,
            dtype=setup.dtype,
            seed=seed,
            generator=generator,
            progress=Progress(progress, _watch(setup, current, callbacks)),
            save=saver,
            resumed=resumed,
        )
        stage, current = _run(setup.methods[index], task, current if resumed is None else setup.trial)
        stages.append(stage)
        notes += stage.notes
        resumed = None
        if stage.status in (Status.INTERRUPTED, Status.DIVERGED):
            break
    if current is None:
        raise DeclarationError("no method was given; leave method out, or give at least one.")
    notes += folder.notes
    warn_of_nothing(problem, current)
    return Solution(problem, problem.domain, current, tuple(stages), tuple(notes), str(problem))


def _watch(
    setup: "_Setup", trial: TrialFunction | None, callbacks: tuple[Callback, ...]
) -> Callable[[Row], bool]:
    """What shows the callbacks the field as it stands."""
    problem = setup.problem
    field = None if trial is None else Solution(problem, problem.domain, trial, (), (), str(problem))
    return watching(callbacks, solution=field)


@dataclass(frozen=True)
class _Setup:
    """All that is settled before work begins."""

    problem: Problem
    spec: Trial | None
    trial: TrialFunction | None
    methods: tuple[Method, ...]
    device: torch.device
    dtype: torch.dtype
    notes: tuple[str, ...]
    identity: Identity | None


def _prepare(
    problem: Problem,
    trial: Trial | TrialFunction | None,
    method: Method | Sequence[Method] | None,
    device: str | torch.device,
    dtype: torch.dtype | None,
    seed: int,
    resume: bool,
    out: str | PathLike[str] | None,
) -> _Setup:
    """Check everything against everything, and settle what was left open."""
    checks.kind(problem, "problem", Problem, "give a Problem as the first argument of solve")
    if problem.sides.topography is not None:
        raise DeclarationError(
            f"{problem.name!r} has a Topography, which no trial function meets; use npde.reference, or npde.invert"
        )
    checks.flag(resume, "resume")
    if out is not None:
        checks.path(out, "out")
    if resume and out is None:
        raise DeclarationError("resume=True needs the folder of the checkpoint: give out=….")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= checks.MOST:
        raise DeclarationError(f"seed={checks.shown(seed)}: give a whole number of at least 0.")
    check_determined(problem)
    methods, notes = _methods(problem, trial, method)
    for stage in methods:
        if problem.unknowns and not stage.finds_unknowns:
            raise DeclarationError(
                f"{problem.name} has unknowns, {listing(unknown.name for unknown in problem.unknowns)}, which "
                f"{type(stage).__name__} cannot estimate; leave method out, or give method=npde.GaussNewton()."
            )
        stage.check(problem)
    chosen = find_device(device)
    precision = _precision(methods, dtype)
    if device == "auto":
        notes.append(
            f"Device: {chosen.type}, "
            f"{'the fastest available' if chosen.type == 'cuda' else 'since no CUDA device was found'}."
        )
    if dtype is None:
        meant = " and ".join(dict.fromkeys(type(stage).__name__ for stage in methods))
        notes.append(f"Precision: {str(precision).removeprefix('torch.')}, which suits {meant}.")
    spec = in_units(problem, _spec(problem, trial, methods[0], notes), trial, methods)
    function = _function(problem, trial, spec, precision, chosen, seed)
    if function is not None:
        function, added = with_hard_conditions(problem, function)
        spec, notes = function.spec, [*notes, *added]
    for stage in methods:
        stage.check_memory(problem, function)
    identity = None if out is None else _identity(problem, trial, spec, methods, seed)
    return _Setup(problem, spec, function, methods, chosen, precision, tuple(notes), identity)


def _identity(
    problem: Problem,
    trial: Trial | TrialFunction | None,
    spec: Trial | None,
    methods: Sequence[Method],
    seed: int,
) -> Identity:
    """What a checkpoint must agree in beside the declarations; a trial function is known by its parameters."""
    parts: dict[str, object] = {"problem": problem, "trial": spec}
    parts["method"] = [stage.resume_key() for stage in methods]
    identity = Identity.of(seed, parts)
    if isinstance(trial, TrialFunction):
        identity = replace(identity, digests={**identity.digests, "trial": fingerprint(trial.state_dict())})
    return identity


def _methods(
    problem: Problem, trial: Trial | TrialFunction | None, method: Method | Sequence[Method] | None
) -> tuple[tuple[Method, ...], list[str]]:
    if method is None:
        chosen, why = choose_method(problem, trial)
        return (chosen,), [why]
    stages = tuple(method) if isinstance(method, list | tuple) else (method,)
    if not stages:
        raise DeclarationError("method=[] has no stage; give at least one, or leave method out.")
    for stage in stages:
        checks.kind(stage, "method", Method, "use npde.Galerkin(), npde.Adam(steps=…), or a list")
    return stages, []


def _precision(methods: Sequence[Method], dtype: torch.dtype | None) -> torch.dtype:
    if dtype is None:
        return max((stage.default_dtype for stage in methods), key=lambda d: d.itemsize)
    if not isinstance(dtype, torch.dtype) or dtype not in DTYPES:
        raise DeclarationError(f"dtype={checks.shown(dtype)}: use torch.float32 or torch.float64.")
    return dtype


def _spec(
    problem: Problem, trial: Trial | TrialFunction | None, method: Method, notes: list[str]
) -> Trial | None:
    if isinstance(trial, TrialFunction):
        return trial.spec
    if isinstance(trial, torch.nn.Module):
        raise DeclarationError(
            f"trial is a {type(trial).__name__}, a plain torch module; wrap it: trial=npde.TorchModule(module)."
        )
    checks.kind(trial, "trial", Trial | None, "use npde.Siren(), npde.MLP(), …")
    if trial is not None:
        return trial
    chosen = method.default_trial(problem)
    if chosen is not None:
        notes.append(f"Trial function: {chosen.describe()}, the default of {type(method).__name__}.")
    return chosen


def _function(
    problem: Problem,
    trial: Trial | TrialFunction | None,
    spec: Trial | None,
    dtype: torch.dtype,
    device: torch.device,
    seed: int,
) -> TrialFunction | None:
    outputs, is_complex = problem.outputs, problem.equation.complex
    if isinstance(trial, TrialFunction):
        shape = (trial.dimension, trial.outputs, trial.complex)
        wanted = (problem.domain.dimension, outputs, is_complex)
        if shape != wanted:
            raise DeclarationError(
                f"the trial function has (dimension, outputs, complex) = {shape}, but {problem.name} needs {wanted}. "
                "Give its specification instead, for example npde.Siren()."
            )
        return copied(trial, dtype, device)
    if spec is None:
        return None
    generator = torch.Generator().manual_seed(seed)
    with Fitting(f"{spec.describe()} has too many parameters", "give a smaller network"):
        return spec.build(
            problem.domain.bounds, outputs, is_complex, generator=generator, dtype=dtype, device=device
        )


def _checkpoint(setup: _Setup, folder: RunFolder, resume: bool) -> Checkpoint | None:
    if not resume or setup.identity is None or folder.path is None or not folder.path.exists():
        return None
    return read_checkpoint(
        folder.path, setup.problem, setup.spec, setup.methods, setup.dtype, setup.device, setup.identity
    )


def _saver(
    setup: _Setup, folder: RunFolder, index: int, earlier: tuple[Stage, ...], notes: tuple[str, ...]
) -> Callable[[TrialFunction, Snapshot, Status], None]:
    """What writes the checkpoint of stage `index`: a solution as it stands, and what it takes to go on."""
    problem, method = setup.problem, setup.methods[index]

    def save(trial: TrialFunction, snapshot: Snapshot, status: Status) -> None:
        if setup.identity is None:
            return
        stage = Stage(method.describe(), status, snapshot.seconds, snapshot.history)
        record = Record(problem, problem.domain, trial, (*earlier, stage), notes, str(problem))
        run = Run(setup.methods, index, snapshot, setup.identity)
        folder.save(lambda path: write(path, record, run))

    return save


def _run(method: Method, task: Task, start: TrialFunction | None) -> tuple[Stage, TrialFunction]:
    """One stage. start: the field from which what is left is counted, of a resumed run the first one."""
    started = time.perf_counter() - (0.0 if task.resumed is None else task.resumed.seconds)
    training = method.training(task.problem)
    begun = None
    if training is not None and start is not None:
        begun = diagnosis.before(training, type(method).__name__, task.problem, start)
    outcome = closed(task, method.run(task), training, method.strong_tolerance())
    notes, numbers = outcome.notes, dict(outcome.extras)
    if training is not None and begun is not None and outcome.status is not Status.DIVERGED:
        steps = float(outcome.history.step[-1]) if len(outcome.history) else 0.0
        remarks, estimates = diagnosis.after(training, task.problem, outcome.trial, begun, steps)
        notes, numbers = (*notes, *remarks), {**numbers, **estimates}
    seconds = time.perf_counter() - started
    notes = (*notes, *missed_conditions(task.problem, outcome.trial))
    stage = Stage(method.describe(), outcome.status, seconds, outcome.history, numbers, notes)
    return stage, outcome.trial
