"""Adam on freshly drawn collocation points: the training of the SIREN paper."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.problem.problem import Problem
from neurapde.training.causal import Causal
from neurapde.training.curriculum import Curriculum
from neurapde.training.descent import Descent
from neurapde.training.losses import Loss, MeanAbsolute, as_loss
from neurapde.training.memory import check_training_fits
from neurapde.training.objective import Objective, check_trainable
from neurapde.training.optimisation.adam import (
    AdamSteps,
    MakeOptimizer,
    Steps,
    TorchSteps,
    checked_optimizer,
    optimizer_name,
)
from neurapde.training.optimisation.parameters import copied, put, trainable
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Method, Outcome, Snapshot, Status, Task, Training
from neurapde.training.sampling import Fixed, Fresh, Sampling
from neurapde.training.schedules import ConstantRate, Schedule
from neurapde.training.self_adaptive import SelfAdaptive
from neurapde.training.weighting import Weighting
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.networks.layered import compiled, first_frequencies
from neurapde.trials.networks.siren import Siren

COPIES = 6
"""Of the parameters at a time: themselves, gradient, two moments, the last good ones and those before."""


@dataclass(frozen=True)
class Adam(Method):
    """Train the trial's parameters by Adam, every step on new points.

    steps:    steps in all; a resumed run counts those already taken.
    lr:       learning rate of the first step.
    points:   per step, for every constraint; or a number for each by name.
    sampling: of the points: `Fresh(how)`, drawn anew by measure; `Fixed(how)`; `ResidualAdaptive()`.
    loss:     `MeanAbsolute()`, of a complex residual |Re r| + |Im r|, or `MeanSquare()`.
    weights:  factors of the constraints' losses by name, by default 1; or `GradientNorm()`, which finds them.
    point_weights: `SelfAdaptive()`, with `sampling=Fixed("sobol")`: points whose residual stays large count more.
    schedule: factor of lr: `ConstantRate()`, `Cosine(final)`, `Exponential(rate, every)`.
    clip:     largest norm of the gradient over all parameters; a longer one is scaled down. None: unlimited.
    source_points: extra points per step for the equation, uniform within 5 standard deviations of each
        Gaussian source.
    source_weight: weight, in the mean, of the points where a Gaussian source acts (within 6 standard
        deviations); None for points / 1000.
    curriculum: for problems in time, a `Curriculum(steps)` whose time interval grows from the start, or `Causal()`,
        whose weight of a time depends on the losses of earlier times; None: all at once.
    optimizer: another optimiser instead of Adam: a class of `torch.optim`, such as `torch.optim.RAdam`, or a function
        of groups of parameters, such as `lambda groups: torch.optim.SGD(groups, lr=1, momentum=0.9)`. Its rate is lr ×
        schedule.
    phase_step: largest change of the phases of a SIREN's first layer in a step, rad: the rate of its weights is at
        most phase_step / ω. With None and an ω₀ of thousands, as sounds need, every step is noise at the rates at
        which the other layers learn.
    compile:  whether to compile the layers' elementwise work for this machine, which takes some seconds at the start.
        Without a compiler the training runs uncompiled, and the notes say so.
    record_every: steps between two rows of the history, and between two checks that the loss is finite.
    checkpoint_seconds: time between two checkpoints, where the solve has an `out` folder.

    The paper's Helmholtz training is `Adam(50_000, lr=2e-5, points=52_900)` with the defaults: 230² points and 100 at
    the source (in the paper 100 of the 230²). The paper's loss is a sum over points, here it is the mean: a constant
    factor, which does not change Adam's steps.
    Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, and the authors' code for the
    source's radius, threshold and weight; Kingma, Ba (2015) for Adam.
    """

    steps: int
    lr: float = 1e-4
    points: int | Mapping[str, int] = 4096
    loss: Loss = field(default_factory=MeanAbsolute)
    sampling: Sampling = field(default_factory=Fresh)
    weights: Mapping[str, float] | Weighting = field(default_factory=dict)
    point_weights: SelfAdaptive | None = None
    schedule: Schedule = field(default_factory=ConstantRate)
    clip: float | None = None
    source_points: int = 100
    source_weight: float | None = None
    curriculum: Curriculum | Causal | None = None
    optimizer: MakeOptimizer | None = None
    phase_step: float | None = 0.1
    compile: bool = False
    record_every: int = 10
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        _check_numbers(self)
        object.__setattr__(self, "loss", as_loss(self.loss))
        kinds = Curriculum | Causal | None
        checks.kind(self.curriculum, "curriculum", kinds, "use Curriculum(steps), Causal() or None")
        checks.kind(self.sampling, "sampling", Sampling, "use Fresh(), Fixed() or ResidualAdaptive()")
        checks.kind(self.point_weights, "point_weights", SelfAdaptive | None, "use SelfAdaptive() or None")
        if self.point_weights is not None and not isinstance(self.sampling, Fixed):
            raise DeclarationError(
                f"point_weights={self.point_weights!r} need points that stay the same, but sampling={self.sampling!r} "
                "draws new ones; use sampling=Fixed('sobol')."
            )
        checked_optimizer(self.optimizer)
        checks.kind(self.schedule, "schedule", Schedule, "use ConstantRate(), Cosine() or Exponential()")

    @property
    def default_dtype(self) -> torch.dtype:
        return torch.float32

    def default_trial(self, problem: Problem) -> Trial:
        return problem.equation.trial(problem) or Siren()

    def check(self, problem: Problem) -> None:
        self.objective(problem)
        if self.curriculum is not None:
            self.curriculum.check(problem)
        check_trainable(problem, self)

    def check_memory(self, problem: Problem, trial: TrialFunction | None) -> None:
        check_training_fits(self.objective(problem), trial, COPIES)

    def objective(self, problem: Problem) -> Objective:
        """The loss that this method minimises. Raises DeclarationError for names the problem does not have."""
        weights = {} if isinstance(self.weights, Weighting) else self.weights
        return Objective(problem, self.points, self.loss, weights, self.source_points, self.source_weight)

    def training(self, problem: Problem) -> Training:
        return Training(weights=self.objective(problem).weights)

    def resume_key(self) -> "Adam":
        """This method without the settings that may change when a run is resumed."""
        settings = dataclasses.replace(self, record_every=1, checkpoint_seconds=1.0)
        return settings if self.schedule.follows_total else dataclasses.replace(settings, steps=1)

    def describe(self) -> str:
        drawn = self.points if isinstance(self.points, int) else sum(self.points.values())
        rate = f"lr {self.lr:g}" if self.schedule == ConstantRate() else f"lr {self.lr:g} · {self.schedule}"
        name = "Adam" if self.optimizer is None else optimizer_name(self.optimizer)
        return f"{name}, {self.steps} steps, {rate}, {self.loss.short} loss on {drawn} points a step"

    def run(self, task: Task) -> Outcome:
        if task.trial is None:
            raise DeclarationError("Adam trains a trial function; give solve(…, trial=npde.Siren()).")
        if not self.compile:
            return _Training(self, task, task.trial).run()
        with compiled(task.trial) as reason:
            outcome = _Training(self, task, task.trial).run()
        return outcome if reason is None else dataclasses.replace(outcome, notes=(*outcome.notes, reason))


class _Training:
    """One run: the parameters, the optimiser, and the last finite parameters."""

    def __init__(self, method: Adam, task: Task, trial: TrialFunction) -> None:
        self.method, self.task, self.trial = method, task, trial
        self.objective = method.objective(task.problem)
        self.parameters = trainable(trial)
        most = math.inf if method.phase_step is None else method.phase_step / method.lr
        factors = {parameter: min(1.0, most / omega) for parameter, omega in first_frequencies(trial).items()}
        self.optimizer: Steps = (
            AdamSteps(self.parameters, factors=factors)
            if method.optimizer is None
            else TorchSteps(method.optimizer, self.parameters, factors=factors)
        )
        weighting = method.weights if isinstance(method.weights, Weighting) else None
        self.descent = Descent(
            self.objective,
            method.sampling,
            weighting,
            method.curriculum,
            trial,
            task.generator,
            method.point_weights,
        )
        if task.resumed is not None:
            task.generator.set_state(task.resumed.tensors["generator"])
            self.descent.restore(task.resumed.tensors)
            self.optimizer.restore(task.resumed.tensors)
        self.journal = Journal(
            task.problem.name,
            method.steps,
            self.objective.names,
            task.progress,
            resumed=task.resumed,
            save=self._save,
            state=self._tensors,
            every=method.checkpoint_seconds,
        )
        self.good, self.good_step = copied(self.parameters), self.journal.step

    def run(self) -> Outcome:
        with self.journal as journal:
            for step in journal.steps():
                if not self._advance(step):
                    journal.status = Status.DIVERGED
                    break
            if not self._finite():
                journal.status = Status.DIVERGED
        notes: tuple[str, ...] = ()
        if journal.status is Status.DIVERGED:
            put(self.parameters, self.good)
            notes = (
                f"The loss was not finite after step {journal.step}; the parameters of step {self.good_step} were kept. "
                "A smaller lr, or clip=1.0, may help.",
            )
        extras = {"steps": journal.step, **self.descent.extras()}
        return Outcome(self.trial, journal.status, journal.history, notes, extras)

    def _advance(self, step: int) -> bool:
        """Take one step, recording the losses before it every `record_every` steps; False if not finite."""
        rate = self.method.lr * self.method.schedule.factor(step, self.method.steps)
        total, losses = self.descent.gradient(step)
        if self.method.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, self.method.clip)
        if step % self.method.record_every == 0 or step == self.method.steps - 1:
            first, *values = torch.stack([total, *losses]).tolist()
            self.journal.record(first, values, rate)
            if not math.isfinite(first):
                return False
            self.good, self.good_step = copied(self.parameters), step
        self.optimizer.step(rate)
        self.journal.advance()
        return True

    def _finite(self) -> bool:
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.parameters)

    def _save(self, snapshot: Snapshot, status: Status) -> None:
        if self._finite():
            self.task.save(self.trial, snapshot, status)

    def _tensors(self) -> dict[str, Tensor]:
        return {
            "generator": self.task.generator.get_state(),
            **self.descent.tensors(),
            **self.optimizer.tensors(),
        }


def _check_numbers(method: Adam) -> None:
    for name, count in {"steps": method.steps, "record_every": method.record_every}.items():
        checks.whole(count, name)
    checks.counts(method.points, "points")
    checks.whole(method.source_points, "source_points", 0, ", 0 for none")
    checks.amount(method.lr, "lr")
    checks.amount(method.checkpoint_seconds, "checkpoint_seconds")
    optional = {"clip": method.clip, "source_weight": method.source_weight, "phase_step": method.phase_step}
    for name, value in optional.items():
        if value is not None:
            checks.amount(value, name)
    if not isinstance(method.weights, Weighting):
        checks.weights(method.weights)
    checks.flag(method.compile, "compile")
