"""Gauss-Newton with Levenberg-Marquardt damping: small networks, any equation, linear or not, in double precision.

Where Adam sees the gradient of one number, this sees how every residual moves with every parameter, and solves for the
step: tens of steps where Adam takes tens of thousands. A step costs a Jacobian (points × parameters), so it is for
networks of up to some two thousand parameters.
"""

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from neurapde.constraints import Constraint, Samples
from neurapde.core.errors import DeclarationError
from neurapde.core.progress import Bar
from neurapde.methods.base import Method, Outcome, Snapshot, Status, Task
from neurapde.methods.interrupts import Interrupts
from neurapde.methods.jacobian import linearised, residuals
from neurapde.methods.recorder import Recorder
from neurapde.problem import Problem
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.siren import Siren

LARGEST = 4000
"""Parameters above which the normal equations are refused: 4000² numbers, and 20 s a step."""
LEAST_DAMPING, MOST_DAMPING = 1e-14, 1e12


@dataclass(frozen=True)
class GaussNewton(Method):
    """Minimise the mean squares of all residuals over fixed points by damped Gauss-Newton steps.

    steps:     steps at most; one that would raise the loss is not taken, but counts.
    points:    for each constraint, low-discrepancy, drawn once; or a number for each by name. Some three times
               as many as there are parameters keep the field from bending between them.
    weights:   factors of the constraints' mean squares by name; 1 where none is given.
    damping:   of the first step, as a part of the mean diagonal of JᵀJ.
    tolerance: stop when three steps in a row lower the loss by less than this part of it.

    Refused (DeclarationError): more than 4000 parameters.
    Source: Madsen, Nielsen, Tingleff (2004), Methods for Non-Linear Least Squares Problems, algorithm 3.16, whose
    rule for the damping this is.
    """

    steps: int = 60
    points: int | Mapping[str, int] = 3000
    weights: Mapping[str, float] = field(default_factory=dict)
    damping: float = 1e-3
    tolerance: float = 1e-3

    def __post_init__(self) -> None:
        counts = dict(self.points) if isinstance(self.points, Mapping) else {"points": self.points}
        for name, count in {"steps": self.steps, **counts}.items():
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise DeclarationError(f"{name}={count!r}: give a whole number of at least 1.")
        for name, weight in self.weights.items():
            if not 0 <= weight < math.inf:
                raise DeclarationError(f"weights[{name!r}]={weight!r}: give a finite number, not negative.")
        for name, number in {"damping": self.damping, "tolerance": self.tolerance}.items():
            if not 0 < number < math.inf:
                raise DeclarationError(f"{name}={number!r}: give a positive, finite number.")

    @property
    def default_dtype(self) -> torch.dtype:
        return torch.float64

    def default_trial(self, problem: Problem) -> Trial:
        return problem.equation.around(Siren(width=24, depth=2, omega_0=4.0, omega_hidden=4.0), problem)

    def check(self, problem: Problem) -> None:
        names = tuple(constraint.name for constraint in problem.trained)
        _check_names(self.weights, names, "weights")
        if isinstance(self.points, Mapping):
            _check_names(self.points, names, "points")
            if missing := [name for name in names if name not in self.points]:
                raise DeclarationError(
                    f"points gives no number for {', '.join(missing)}; name every constraint, or give one number."
                )

    def resume_key(self) -> "GaussNewton":
        return dataclasses.replace(self, steps=1)

    def describe(self) -> str:
        drawn = self.points if isinstance(self.points, int) else sum(self.points.values())
        return f"Gauss-Newton, up to {self.steps} steps on {drawn} points"

    def run(self, task: Task) -> Outcome:
        if task.trial is None:
            raise DeclarationError(
                "GaussNewton trains a trial function; give solve(…, trial=npde.Siren(width=24, depth=1))."
            )
        return _Descent(self, task, task.trial).run()


class _Descent:
    """One run: the points, the normal equations where it stands, and the damping."""

    def __init__(self, method: GaussNewton, task: Task, trial: TrialFunction) -> None:
        self.method, self.task, self.trial = method, task, trial
        self.parameters = [p for p in trial.parameters() if p.requires_grad]
        self.size = sum(p.numel() for p in self.parameters)
        if not 0 < self.size <= LARGEST:
            raise DeclarationError(
                f"{trial.spec.describe()} has {self.size} parameters; GaussNewton takes 1 to {LARGEST}. Give a "
                "smaller network, such as Siren(width=24, depth=1), or train with Adam."
            )
        self.recorder = Recorder([constraint.name for constraint in task.problem.trained])
        self.step, self.small, self.raised, self.seconds_before = 0, 0, 2.0, 0.0
        self.drawn = task.generator.get_state()
        self.damping: float | None = None
        if task.resumed is not None:
            self._restore(task.resumed)
        self.terms = [self._term(constraint) for constraint in task.problem.trained]
        self.started = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self.seconds_before + time.perf_counter() - self.started

    def run(self) -> Outcome:
        status = Status.STEP_LIMIT
        loss, losses = self._losses()
        if not math.isfinite(loss):
            return Outcome(self.trial, Status.DIVERGED, notes=("The residuals of the trial are not finite.",))
        with (
            Interrupts() as interrupts,
            self.task.progress.bar(self.task.problem.name, self.method.steps, done=self.step) as bar,
        ):
            moved = True
            if not self.step:
                self._record(bar, loss, losses)
            while self.step < self.method.steps:
                if moved:
                    matrix, slope = self._normal_equations()
                before = loss
                moved, loss, losses = self._move(matrix, slope, loss, losses)
                self.step += 1
                self._record(bar, loss, losses)
                bar.advance()
                self.small = (
                    self.small + 1 if moved and before - loss <= self.method.tolerance * before else 0
                )
                if loss == 0 or self.small >= 3 or (self.damping or 0.0) > MOST_DAMPING:
                    status = Status.CONVERGED
                    break
                if interrupts.asked:
                    status = Status.INTERRUPTED
                    break
        self.task.save(self.trial, self._snapshot(), status)
        return Outcome(self.trial, status, self.recorder.history, (), {"steps": self.step})

    def _move(
        self, matrix: Tensor, slope: Tensor, loss: float, losses: list[float]
    ) -> tuple[bool, float, list[float]]:
        """Try a step; keep it if the loss falls, and set the damping by how well the model foretold the fall."""
        scale = float(matrix.diagonal().mean())
        if self.damping is None:
            self.damping = self.method.damping
        damped = matrix + self.damping * scale * torch.eye(
            self.size, dtype=matrix.dtype, device=matrix.device
        )
        factor, failed = torch.linalg.cholesky_ex(damped)
        if not bool(failed):
            change = -torch.cholesky_solve(slope[:, None], factor)[:, 0]
            foretold = float(-(2 * slope @ change + change @ (matrix @ change)))
            before = [parameter.detach().clone() for parameter in self.parameters]
            self._shift(change)
            tried, apart = self._losses()
            gain = (loss - tried) / max(foretold, 1e-300)
            if tried < loss and math.isfinite(tried):
                self.damping = max(self.damping * max(1 / 3, 1 - (2 * gain - 1) ** 3), LEAST_DAMPING)
                self.raised = 2.0
                return True, tried, apart
            with torch.no_grad():
                for parameter, kept in zip(self.parameters, before, strict=True):
                    parameter.copy_(kept)
        self.damping *= self.raised
        self.raised *= 2.0
        return False, loss, losses

    def _normal_equations(self) -> tuple[Tensor, Tensor]:
        """JᵀJ and Jᵀr of the weighted mean squares."""
        anchor = self.parameters[0]
        matrix = torch.zeros(self.size, self.size, dtype=anchor.dtype.to_real(), device=anchor.device)
        slope = torch.zeros_like(matrix[0])
        for constraint, samples, weight in self.terms:
            if not weight:
                continue
            residual, jacobian = linearised(self.trial, constraint, samples, self.task.problem.equation.mixed)
            rows, flat = jacobian.reshape(-1, self.size), residual.reshape(-1)
            matrix += (weight / len(flat)) * (rows.T @ rows)
            slope += (weight / len(flat)) * (rows.T @ flat)
        return matrix, slope

    def _losses(self) -> tuple[float, list[float]]:
        """The weighted sum and each constraint's mean square."""
        mixed = self.task.problem.equation.mixed
        apart = [
            float(residuals(self.trial, constraint, samples, mixed).square().mean())
            for constraint, samples, _ in self.terms
        ]
        return sum(w * loss for (_, _, w), loss in zip(self.terms, apart, strict=True)), apart

    def _term(self, constraint: Constraint) -> tuple[Constraint, Samples, float]:
        points, anchor = self.method.points, self.parameters[0]
        count = points if isinstance(points, int) else points[constraint.name]
        samples = constraint.sample(
            count,
            how="sobol",
            generator=self.task.generator,
            dtype=anchor.dtype.to_real(),
            device=anchor.device,
        )
        return constraint, samples, self.method.weights.get(constraint.name, 1.0)

    def _shift(self, change: Tensor) -> None:
        with torch.no_grad():
            start = 0
            for parameter in self.parameters:
                parameter.add_(change[start : start + parameter.numel()].reshape(parameter.shape))
                start += parameter.numel()

    def _record(self, bar: Bar, loss: float, losses: list[float]) -> None:
        self.recorder.add(self.step, self.seconds, loss, 1.0, losses)
        bar.show(dict(zip(self.recorder.names, losses, strict=True)))

    def _snapshot(self) -> Snapshot:
        numbers = torch.tensor(
            [self.damping or math.nan, self.raised, float(self.small)], dtype=torch.float64
        )
        tensors = {"generator": self.drawn, "damping": numbers}
        return Snapshot(self.step, self.recorder.history, self.seconds, tensors)

    def _restore(self, snapshot: Snapshot) -> None:
        self.step, self.seconds_before = snapshot.step, snapshot.seconds
        self.recorder = Recorder(self.recorder.names, snapshot.history)
        self.drawn = snapshot.tensors["generator"]
        self.task.generator.set_state(self.drawn)
        damping, self.raised, small = snapshot.tensors["damping"].tolist()
        self.damping, self.small = None if math.isnan(damping) else damping, int(small)


def _check_names(given: Mapping[str, object], names: tuple[str, ...], what: str) -> None:
    if unknown := [name for name in given if name not in names]:
        raise DeclarationError(
            f"{what} names {', '.join(map(repr, unknown))}, but the constraints of this problem are "
            f"{', '.join(names)}. Use these names."
        )
