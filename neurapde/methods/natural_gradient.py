"""Natural gradient: damped Gauss-Newton in sample space, with momentum, for any problem, in double precision.

Adam uses the gradient of one number. This method uses the derivative of every residual by every parameter and solves
for the step: it takes tens of steps instead of tens of thousands. The least-squares problem is solved in the space of
the parameters or of the residuals, whichever is smaller. So there may be many parameters or many points, but not both.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.problem.problem import Problem
from neurapde.training.losses import MeanSquare
from neurapde.training.memory import check_gram_fits, check_training_fits, refuse_gram
from neurapde.training.objective import Objective, check_trainable
from neurapde.training.optimisation.damping import Damping
from neurapde.training.optimisation.normal import Equations
from neurapde.training.optimisation.parameters import copied, put, shaped, trainable
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Method, Outcome, Status, Task, Training
from neurapde.training.sampling import Draws, Fixed, Sampling
from neurapde.training.weighted_residuals import WeightedResiduals
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.networks.mlp import MLP
from neurapde.trials.networks.siren import Siren

LEAST_DAMPING, MOST_DAMPING = 1e-15, 1e12
PARTS = (1.0, 0.3, 0.1)
"""Parts of a step that are tried in turn until one lowers the loss."""
PROBE = 0.1
"""Part of a step over which the second derivative of the residuals is taken."""
AT_SOURCES = 100
"""Points added to the equation's at each Gaussian source."""
LARGEST_ACCELERATION = 0.75
"""Length of the change by curvature, in lengths of the step, above which it is not trusted."""


@dataclass(frozen=True)
class NaturalGradient(Method):
    """Minimise the mean squares of all residuals by steps δ that minimise |r + Jδ|² + λ|δ − μδ₋|².

    J is the Jacobian of the weighted residuals r, δ₋ the step before.

    steps:     steps at most; one that would raise the loss is not taken, but counts.
    points:    for each constraint, low-discrepancy; or a number for each by name. Some three times as many points as
               parameters avoid oscillations between the points.
    weights:   factors of the constraints' mean squares by name, by default 1.
    damping:   λ of the first step, as a fraction of the mean diagonal of JᵀJ; later ones depend on how well the
               linearised residuals predicted the loss (Levenberg-Marquardt).
    momentum:  μ, from 0 to below 1; it is dropped after a failed step.
    sampling:  of the points: `Fixed("sobol")`; `ResidualAdaptive(every)`, which follows a front; `Fresh("sobol")`,
               drawn anew for every step. Those at Gaussian sources are added as in `Adam`.
    redraw:    steps after which fixed points are drawn anew; None keeps the first ones.
    tolerance: stop when three steps in a row lower the loss by less than this part of it.
    checkpoint_seconds: time between two checkpoints, where the solve has an `out` folder.

    Each step is corrected by the curvature of the residuals along it (geodesic acceleration), which takes two more
    evaluations. A step that does not lower the loss is shortened, then damped more. The parameters are always the best
    so far, on the points in use; Ctrl-C keeps them. A resumed run equals the uninterrupted one. In absorbing layers
    the residual is divided by the size of the stretch e_x e_y …, a factor of the equation; otherwise the corners count
    most. It raises DeclarationError for sizes that do not fit in memory, and for a constraint whose rows do not belong
    to single points.
    Source: Madsen, Nielsen, Tingleff (2004), Methods for Non-Linear Least Squares Problems, algorithm 3.16, for the
    damping; Transtrum, Sethna (2012), arXiv:1201.5885, for the acceleration; Goldshlager, Abrahamsen, Lin (2024), J.
    Comput. Phys. 516, 113351, for the momentum (SPRING); Müller, Zeinhofer (2023), ICML, for natural gradients of
    physics-informed networks.
    """

    steps: int = 100
    points: int | Mapping[str, int] = 3000
    weights: Mapping[str, float] = field(default_factory=dict)
    damping: float = 1e-3
    momentum: float = 0.0
    sampling: Sampling = field(default_factory=lambda: Fixed("sobol"))
    redraw: int | None = None
    tolerance: float = 1e-3
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        checks.whole(self.steps, "steps")
        if self.redraw is not None:
            checks.whole(self.redraw, "redraw")
        checks.counts(self.points, "points")
        checks.weights(self.weights)
        for name in ("damping", "tolerance", "checkpoint_seconds"):
            checks.amount(getattr(self, name), name)
        checks.kind(self.sampling, "sampling", Sampling, "use Fixed(), ResidualAdaptive() or Fresh()")
        if self.redraw is not None and not isinstance(self.sampling, Fixed):
            raise DeclarationError(
                f"redraw={self.redraw} has no effect with {self.sampling!r}, which decides when points are drawn; leave "
                "redraw out."
            )
        checks.number(
            self.momentum,
            "momentum",
            lambda x: 0 <= x < 1,
            "give a number from 0 to below 1, for example 0.9",
        )

    @property
    def default_dtype(self) -> torch.dtype:
        return torch.float64

    def default_trial(self, problem: Problem) -> Trial:
        if problem.equation.fronts:
            return MLP(width=20, depth=3)
        return problem.equation.around(Siren(width=24, depth=2, omega_0=4.0, omega_hidden=4.0), problem)

    def check(self, problem: Problem) -> None:
        self.objective(problem)
        check_trainable(problem, self)

    def check_memory(self, problem: Problem, trial: TrialFunction | None) -> None:
        check_gram_fits(self.objective(problem), trial)
        check_training_fits(self.objective(problem), trial, 8)

    def objective(self, problem: Problem) -> Objective:
        """The points and weights of every constraint. Raises DeclarationError for names the problem does not have."""
        return Objective(problem, self.points, MeanSquare(), self.weights, AT_SOURCES, None)

    def training(self, problem: Problem) -> Training:
        stay = self.redraw is None and isinstance(self.sampling, Fixed)
        objective = self.objective(problem)
        return Training(objective.counts if stay else {}, objective.weights, second_order=True)

    def resume_key(self) -> "NaturalGradient":
        return replace(self, steps=1, checkpoint_seconds=1.0)

    def describe(self) -> str:
        drawn = self.points if isinstance(self.points, int) else sum(self.points.values())
        momentum = f", momentum {self.momentum:g}" if self.momentum else ""
        return f"natural gradient, up to {self.steps} steps on {drawn} points{momentum}"

    def run(self, task: Task) -> Outcome:
        if task.trial is None:
            raise DeclarationError(
                "NaturalGradient trains a trial function; give solve(…, trial=npde.Siren(width=24, depth=1))."
            )
        return _Descent(self, task, task.trial).run()


class _Descent:
    """One run: the points, the present linearised residuals, the damping and the previous step."""

    def __init__(self, method: NaturalGradient, task: Task, trial: TrialFunction) -> None:
        self.method, self.task, self.trial = method, task, trial
        objective = method.objective(task.problem)
        self.parameters = trainable(trial)
        self.residuals = WeightedResiduals(trial, task.problem, objective.weights)
        self.small, self.damping = 0, Damping(method.damping, least=LEAST_DAMPING)
        self.before = self.parameters[0].new_zeros(self.residuals.size)
        self.draws = Draws(method.sampling, objective, trial, task.generator)
        self.journal = Journal(
            task.problem.name,
            method.steps,
            objective.names,
            task.progress,
            resumed=task.resumed,
            save=partial(task.save, trial),
            state=self._tensors,
            every=method.checkpoint_seconds,
        )
        if task.resumed is None:
            self._draw()
        else:
            self._restore(task.resumed.tensors)
        entry, device = self.before.element_size(), self.before.device
        refuse_gram(self.residuals.rows, self.residuals.size, entry, device)

    def run(self) -> Outcome:
        equations = None
        self.loss, self.losses = self.residuals.measure()
        if not math.isfinite(self.loss):
            return Outcome(self.trial, Status.DIVERGED, notes=("The residuals of the trial are not finite.",))
        with self.journal as journal:
            journal.record(self.loss, self.losses)
            for step in journal.steps(self._converged):
                if self._due(step):
                    self._draw()
                    self.loss, self.losses = self.residuals.measure()
                    equations = None
                before = self.loss
                with journal.at_once(self._undo()):
                    equations = equations or self.residuals.linearise()
                    moved = self._move(equations)
                journal.advance()
                journal.record(self.loss, self.losses)
                little = moved and before - self.loss <= self.method.tolerance * before
                self.small = self.small + 1 if little else 0
                if moved:
                    equations = None
        return Outcome(self.trial, journal.status, journal.history, (), {"steps": journal.step})

    def _converged(self) -> bool:
        return self.loss == 0 or self.small >= 3 or self.damping.value > MOST_DAMPING

    def _move(self, equations: Equations) -> bool:
        """Try a step and shorter ones; keep one if the loss falls, and set the damping by the quality of the prediction."""
        change = equations.step(self.damping.value, self.method.momentum * self.before)
        if change is not None:
            start = copied(self.parameters)
            acceleration = self._geodesic_acceleration(equations, start, change)
            for fraction in PARTS:
                tried = fraction * change + fraction**2 * acceleration
                self._put(start, tried)
                loss, losses = self.residuals.measure()
                if math.isfinite(loss) and loss < self.loss:
                    predicted = equations.predicted_reduction(fraction * change)
                    self.damping.succeed(fraction * (self.loss - loss), predicted)
                    self.before, self.loss, self.losses = tried, loss, losses
                    return True
            put(self.parameters, start)
        self.damping.fail()
        self.before = torch.zeros_like(self.before)
        return False

    def _geodesic_acceleration(self, equations: Equations, start: list[Tensor], change: Tensor) -> Tensor:
        """The correction of a step by the curvature of the residuals along it; none if it would be large."""
        sides = []
        for sign in (1.0, -1.0):
            self._put(start, sign * PROBE * change)
            with torch.no_grad():
                sides.append(self.residuals.vector())
        put(self.parameters, start)
        with torch.no_grad():
            curvature = (sides[0] - 2 * self.residuals.vector() + sides[1]) / PROBE**2
        acceleration = equations.acceleration(curvature)
        trusted = bool(acceleration.norm() <= LARGEST_ACCELERATION * change.norm())
        return acceleration if trusted else torch.zeros_like(change)

    def _put(self, start: list[Tensor], change: Tensor) -> None:
        parts = shaped(change, self.parameters)
        put(self.parameters, [begun + step for begun, step in zip(start, parts, strict=True)])

    def _undo(self) -> Callable[[], None]:
        """A function that restores everything that a step changes."""
        start, damping, before = copied(self.parameters), replace(self.damping), self.before

        def undo() -> None:
            put(self.parameters, start)
            self.damping, self.before = damping, before

        return undo

    def _due(self, step: int) -> bool:
        """Whether points are drawn anew before the next step; not before the first one or after a checkpoint."""
        if not step or step == self.drawn_at:
            return False
        return step % self.method.redraw == 0 if self.method.redraw else self.method.sampling.due(step)

    def _draw(self) -> None:
        self.drawn_at = self.journal.step
        for constraint in self.task.problem.trained:
            self.draws.kept[constraint.name] = self.method.sampling.draw(constraint, self.draws, 1.0)
        self.residuals.place(self.draws.kept)

    def _tensors(self) -> dict[str, Tensor]:
        state = [self.damping.value, self.damping.raised, float(self.small), float(self.drawn_at)]
        numbers = torch.tensor(state, dtype=torch.float64)
        tensors = {"generator": self.task.generator.get_state(), "damping": numbers, "before": self.before}
        return tensors | self.draws.tensors()

    def _restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.task.generator.set_state(tensors["generator"])
        self.draws.restore(tensors)
        self.residuals.place(self.draws.kept)
        value, raised, small, drawn_at = tensors["damping"].tolist()
        self.damping, self.small, self.drawn_at = (
            Damping(value, raised, LEAST_DAMPING),
            int(small),
            int(drawn_at),
        )
        self.before = tensors["before"].to(self.before)
