"""Distillation: a deep network is trained on the field of a direct method, because training on residuals fails.

The residual of a wave tells little about its error: a field of wavenumber κ near k leaves only k² − κ² times itself.
So fields with errors of their own size have small residuals, and a deep network trained on the residual stops there.
Training on the field itself has no such minima: a direct method solves the problem first, and the network is trained
on its values.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.warn import warn
from neurapde.equations.fit import Fit
from neurapde.equations.helmholtz import Helmholtz
from neurapde.methods.choice import choose_method
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.near_sources import NearSources
from neurapde.training.optimisation.adam import AdamSteps
from neurapde.training.optimisation.parameters import copied, put, trainable
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import DirectMethod, Method, Outcome, Status, Task
from neurapde.training.schedules import Cosine
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.networks.siren import Siren
from neurapde.verification.closing import closed

BETWEEN_LOOKS = 50
"""Steps between two measurements of the network's distance to the field, at points that it is not trained on."""
HELD_OUT = 4096
"""Points of such a measurement."""
AT_SOURCES = 512
"""Points added near each Gaussian source, where the field is narrow."""
FOLLOWED = "distance to the field"
"""The name of this distance in the history: relative L2."""
FINAL_RATE = 0.01
"""Factor of the learning rate at the last step."""


@dataclass(frozen=True)
class Distillation(Method):
    """Solve the problem by a direct method, and train a network of any depth on the field that it finds.

    teacher:   the direct method, such as `Galerkin(1e-3)`; None for the one that `solve(problem)` takes.
    steps:     largest number of steps of Adam. The rate falls from `lr` over all of them as a cosine, and the error
               with it: on the paper's wave it is 2.6 % after 250 of 250 steps, and 10 % after 768 of 2000. The
               training ends when the error is below the tolerance.
    points:    number of points with known values, low-discrepancy in the whole domain; 512 more at each Gaussian
               source.
    batch:     number of these in a step, drawn anew each time.
    tolerance: relative L2 error to stop at: the stated error of the direct method plus the network's distance to its
               field, at other points than those of the training, outside absorbing layers. If that method states no
               error, the distance alone counts, and the status is UNRESOLVED.
    checkpoint_seconds: time between two checkpoints, where the solve has an `out` folder; a resumed run solves for the
               field again, and continues as if it had not been stopped.

    The network is at best as accurate as the direct method. Use it if you need a *deep* network that is a solution, as
    the start of another training, of a family of solutions or of an inversion, but not for a solution alone. It can be
    the first of several stages: `solve(problem, Siren(), [Distillation(), NaturalGradient(…)])`.
    Raises DeclarationError (from `solve`, before any work) for problems that no direct method takes.
    Source: Hinton, Vinyals, Dean (2015), arXiv:1503.02531, for the word; Sitzmann, Martel, Bergman, Lindell, Wetzstein
    (2020), NeurIPS 33, for sines that learn values where they do not learn residuals.
    """

    teacher: DirectMethod | None = None
    steps: int = 500
    lr: float = 5e-4
    points: int = 16_384
    batch: int = 1024
    tolerance: float = 0.01
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        for name in ("steps", "points", "batch"):
            checks.whole(getattr(self, name), name)
        for name in ("lr", "tolerance", "checkpoint_seconds"):
            checks.amount(getattr(self, name), name)
        if self.teacher is not None and not isinstance(self.teacher, DirectMethod):
            raise DeclarationError(
                f"teacher={self.teacher!r} is not a direct method; give a direct method, such as Galerkin(), or leave "
                "it out."
            )

    @property
    def default_dtype(self) -> torch.dtype:
        return torch.float32

    def default_trial(self, problem: Problem) -> Trial:
        """A Siren of the paper's size whose first layer reaches the wavenumber, also at an angle to the axes."""
        default = problem.equation.trial(problem)
        if default is not None:
            return default
        if not isinstance(problem.equation, Helmholtz):
            return Siren(omega_0=10.0, omega_hidden=10.0)
        lower, upper = (torch.as_tensor(corner) for corner in problem.domain.bounds)
        slowness = problem.equation.slowness_squared(problem.domain.sample(1024, how="grid"))
        fastest = problem.equation.wavenumber * float(torch.as_tensor(slowness).max()) ** 0.5
        reach = fastest * float((upper - lower).max()) / 2 * math.sqrt(problem.domain.dimension)
        return Siren(omega_0=max(30.0, math.ceil(reach)))

    def check(self, problem: Problem) -> None:
        self.solver(problem).check(problem)

    def solver(self, problem: Problem) -> DirectMethod:
        """The direct method that finds the field. Raises: DeclarationError where there is none."""
        if self.teacher is not None:
            return self.teacher
        chosen, _ = choose_method(problem, None)
        if not isinstance(chosen, DirectMethod) or isinstance(problem.equation, Fit):
            raise DeclarationError(
                f"Distillation trains on the field of a direct method, but no direct method can solve {problem.name}; "
                "train the network with NaturalGradient or Adam."
            )
        return chosen

    def resume_key(self) -> "Distillation":
        return replace(self, checkpoint_seconds=1.0)

    def describe(self) -> str:
        teacher = "a direct method" if self.teacher is None else self.teacher.describe()
        return f"distillation from {teacher}, up to {self.steps} steps of Adam, lr {self.lr:g}, {self.batch} values a step"

    def run(self, task: Task) -> Outcome:
        if task.trial is None:
            raise DeclarationError("Distillation trains a trial function; give solve(…, trial=npde.Siren()).")
        return _Following(self, task, task.trial).run()


class _Following:
    """One run: the field found, known at points, and the network on its way."""

    def __init__(self, method: Distillation, task: Task, trial: TrialFunction) -> None:
        self.method, self.task, self.trial = method, task, trial
        solver = method.solver(task.problem)
        alone = replace(task, trial=None, dtype=solver.default_dtype, save=lambda *_: None, resumed=None)
        self.solved = closed(alone, solver.run(alone), None, solver.strong_tolerance())
        estimate = self.solved.extras.get("error_estimate")
        self.stated = None if estimate is None else float(estimate)
        accuracy = "an unknown error" if self.stated is None else f"an estimated error of {self.stated:.1e}"
        self.teacher = f"Teacher field: {solver.describe()}, with {accuracy}."
        self.parameters = trainable(trial)
        self.optimizer = AdamSteps(self.parameters)
        self.points, self.values = self._known(method.points, AT_SOURCES, task.seed)
        self.fresh, self.truth = self._held_out(task.seed + 1)
        self.unit = _size(self.values)
        self.journal = Journal(
            task.problem.name,
            method.steps,
            (FOLLOWED,),
            task.progress,
            resumed=task.resumed,
            save=partial(task.save, trial),
            state=lambda: {"generator": task.generator.get_state()} | self.optimizer.tensors(),
            every=method.checkpoint_seconds,
        )
        if task.resumed is not None:
            task.generator.set_state(task.resumed.tensors["generator"])
            self.optimizer.restore(task.resumed.tensors)

    def run(self) -> Outcome:
        schedule = Cosine(FINAL_RATE)
        looks = self.journal.history
        self.left = float(looks[FOLLOWED][-1]) if len(looks) else self._distance()
        with self.journal as journal:
            for step in journal.steps(self._reached):
                with journal.at_once(self._undo()):
                    loss = self._descend()
                    self.optimizer.step(self.method.lr * schedule.factor(step, self.method.steps))
                journal.advance()
                if journal.step % BETWEEN_LOOKS == 0 or journal.step == self.method.steps:
                    self.left = self._distance()
                    journal.record(loss, [self.left], self.method.lr)
                    if not math.isfinite(self.left):
                        journal.status = Status.DIVERGED
                        break
        return self._outcome()

    def _outcome(self) -> Outcome:
        status = self.journal.status
        if self.stated is None and status in (Status.CONVERGED, Status.STEP_LIMIT):
            status = Status.UNRESOLVED
            warn(
                f"the network for {self.task.problem.name} differs by {self.left:.1e} from its teacher field, but the "
                "error of that field is unknown: its method gives no estimate. Give a teacher=… that estimates its "
                "error, such as LeastSquares().",
                ResolutionWarning,
            )
        elif self.stated is not None and status is Status.STEP_LIMIT:
            status = Status.UNRESOLVED
            warn(
                f"after {self.journal.step} steps the network for {self.task.problem.name} differs by {self.left:.1e} "
                f"from its teacher field, whose own error is {self.stated:.1e}: together more than the tolerance, "
                f"{self.method.tolerance:g}. Give more steps=… or points=…, a larger network, or a better teacher=….",
                ResolutionWarning,
            )
        notes = (
            self.teacher,
            f"The network differs from it by {self.left:.1e} at {len(self.fresh)} fresh points.",
        )
        extras = {"steps": self.journal.step, FOLLOWED: self.left}
        if self.stated is not None:
            extras["error_estimate"] = self.stated + self.left
        return Outcome(self.trial, status, self.journal.history, notes, extras)

    def _reached(self) -> bool:
        return (self.stated or 0.0) + self.left <= self.method.tolerance

    def _known(self, count: int, around: int, seed: int) -> tuple[Tensor, Tensor]:
        """Points of the domain and near its sources, and the field there, in the network's precision."""
        problem, device = self.task.problem, self.task.device
        generator = torch.Generator(device).manual_seed(seed)
        drawn = problem.domain.sample(count, how="sobol", generator=generator, device=device)
        near = NearSources.of(problem.domain, problem.right_hand_sides)
        points = near.joined(drawn, around, generator) if near else drawn
        with torch.no_grad():
            values = self.solved.trial(points)
        real = self.task.dtype
        return points.to(real), values.to(real.to_complex() if values.is_complex() else real)

    def _held_out(self, seed: int) -> tuple[Tensor, Tensor]:
        """Points outside the training and outside absorbing layers, and the field there."""
        points, values = self._known(HELD_OUT, 0, seed)
        inside = torch.as_tensor(self.task.problem.physical(points.cpu().double().numpy()))
        return points[inside], values[inside]

    def _distance(self) -> float:
        with torch.no_grad():
            return _size(self.trial(self.fresh) - self.truth) / (_size(self.truth) or 1.0)

    def _descend(self) -> float:
        """Store the gradient of a batch's mean square, in units of the field's, in the parameters."""
        generator = self.task.generator
        chosen = torch.randint(
            len(self.points), (self.method.batch,), generator=generator, device=generator.device
        )
        miss = self.trial(self.points[chosen]) - self.values[chosen]
        loss = miss.abs().square().mean() / self.unit**2
        loss.backward()
        return float(loss.detach())

    def _undo(self) -> Callable[[], None]:
        """A function that restores the parameters of a step that is given up."""
        return partial(put, self.parameters, copied(self.parameters))


def _size(values: Tensor) -> float:
    """Root mean square."""
    return float(values.abs().square().mean().sqrt())
