"""L-BFGS with a strong Wolfe line search on points that stay: the finish of a training, or the whole of a small one."""

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.methods.base import Method, Outcome, Snapshot, Status, Task
from neurapde.methods.interrupts import Interrupts
from neurapde.methods.losses import MEASURES, LossName
from neurapde.methods.objective import Objective
from neurapde.methods.recorder import Recorder
from neurapde.problem import Problem
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.mlp import MLP

ROUND = 10
"""Iterations between two rows of the history."""


@dataclass(frozen=True)
class LBFGS(Method):
    """Minimise the loss on drawn points by limited-memory BFGS, in double precision.

    steps:   iterations in all, each of one evaluation or a few more.
    points:  drawn at the start for every constraint, or a number for each by name; they stay until redrawn.
    loss:    "l2", the mean of |r|², or "l1", whose corners the method does not like.
    weights: factors of the constraints' losses by name; 1 where none is given.
    memory:  pairs of steps that the curvature is made of.
    redraw:  iterations after which new points are drawn, and the memory is emptied; None keeps the first ones.
    tolerance: the largest entry of the gradient at which the minimum counts as reached.

    Where the line search finds no lower loss the memory is emptied, and the search goes on down the gradient; where
    that does not help either, the method has converged to its precision. The classical physics-informed network is
    `solve(problem, MLP(width=20, depth=7), LBFGS(5000))`. A resumed run starts with an empty memory and new points.
    Source: Nocedal, Wright (2006), Numerical Optimization, algorithms 7.5 and 3.5; Raissi, Perdikaris, Karniadakis
    (2019), J. Comput. Phys. 378, 686–707.
    """

    steps: int
    points: int | Mapping[str, int] = 4096
    loss: LossName = "l2"
    weights: Mapping[str, float] = field(default_factory=dict)
    memory: int = 50
    redraw: int | None = None
    tolerance: float = 1e-9
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        counts = {"steps": self.steps, "memory": self.memory}
        counts |= {} if self.redraw is None else {"redraw": self.redraw}
        counts |= dict(self.points) if isinstance(self.points, Mapping) else {"points": self.points}
        for name, count in counts.items():
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise DeclarationError(f"{name}={count!r}: give a whole number of at least 1.")
        if self.loss not in MEASURES:
            raise DeclarationError(
                f"loss={self.loss!r} is not known; use {' or '.join(map(repr, MEASURES))}."
            )
        for name, value in {
            "tolerance": self.tolerance,
            "checkpoint_seconds": self.checkpoint_seconds,
        }.items():
            if not 0 < value < math.inf:
                raise DeclarationError(f"{name}={value!r}: give a positive, finite number.")

    @property
    def default_dtype(self) -> torch.dtype:
        return torch.float64

    def default_trial(self, problem: Problem) -> Trial:
        return MLP(width=20, depth=7)

    def check(self, problem: Problem) -> None:
        self.objective(problem)

    def objective(self, problem: Problem) -> Objective:
        """The loss that this method lowers. Raises DeclarationError for names the problem does not have."""
        return Objective(problem, self.points, self.loss, self.weights, 100, None)

    def resume_key(self) -> "LBFGS":
        return dataclasses.replace(self, steps=1, checkpoint_seconds=1.0)

    def describe(self) -> str:
        drawn = self.points if isinstance(self.points, int) else sum(self.points.values())
        return f"L-BFGS, {self.steps} iterations, {self.loss.upper()} loss on {drawn} points"

    def run(self, task: Task) -> Outcome:
        if task.trial is None:
            raise DeclarationError("LBFGS trains a trial function; give solve(…, trial=npde.MLP()).")
        return _Descent(self, task, task.trial).run()


class _Descent:
    """One run of L-BFGS: its points (a state of the generator), its memory (the optimiser) and its history."""

    def __init__(self, method: LBFGS, task: Task, trial: TrialFunction) -> None:
        self.method, self.task, self.trial = method, task, trial
        self.objective = method.objective(task.problem)
        self.parameters = [p for p in trial.parameters() if p.requires_grad]
        if not self.parameters:
            raise DeclarationError(f"{trial.spec} has no trainable parameters; LBFGS has nothing to move.")
        before = task.resumed
        self.step = 0 if before is None else before.step
        self.seconds_before = 0.0 if before is None else before.seconds
        self.recorder = Recorder(self.objective.names, None if before is None else before.history)
        if before is not None:
            task.generator.set_state(before.tensors["generator"])
        self.draw = task.generator.get_state()
        self.losses: list[Tensor] = []
        self.optimizer = self._emptied()
        self.started = self.saved = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self.seconds_before + time.perf_counter() - self.started

    def _emptied(self) -> torch.optim.LBFGS:
        return torch.optim.LBFGS(
            self.parameters,
            lr=1.0,
            history_size=self.method.memory,
            tolerance_grad=self.method.tolerance,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )

    def run(self) -> Outcome:
        status, fresh, since = Status.STEP_LIMIT, True, 0
        with (
            Interrupts() as interrupts,
            self.task.progress.bar(self.task.problem.name, self.method.steps, done=self.step) as bar,
        ):
            while self.step < self.method.steps:
                if self.method.redraw is not None and since >= self.method.redraw:
                    self.draw, self.optimizer, fresh, since = self._redrawn(), self._emptied(), True, 0
                good = [p.detach().clone() for p in self.parameters]
                done, loss = self._round(min(ROUND, self.method.steps - self.step))
                if not math.isfinite(loss):
                    with torch.no_grad():
                        for parameter, value in zip(self.parameters, good, strict=True):
                            parameter.copy_(value)
                    return self._outcome(Status.DIVERGED)
                self.step, since = self.step + done, since + done
                self._record(loss)
                for _ in range(done):
                    bar.advance()
                bar.show(dict(zip(self.objective.names, [part.item() for part in self.losses], strict=True)))
                if done == 0 and fresh:
                    status = Status.CONVERGED
                    break
                if done == 0:
                    self.optimizer, fresh = self._emptied(), True
                else:
                    fresh = False
                if interrupts.asked and self.step < self.method.steps:
                    status = Status.INTERRUPTED
                    break
                if time.perf_counter() - self.saved >= self.method.checkpoint_seconds:
                    self._save(Status.INTERRUPTED)
            self._save(status)
        return self._outcome(status)

    def _redrawn(self) -> Tensor:
        """A state of the generator beyond the one that the present points were drawn from."""
        torch.rand(1, generator=self.task.generator, device=self.task.generator.device)
        return self.task.generator.get_state()

    def _round(self, iterations: int) -> tuple[int, float]:
        """A few iterations: how many lowered the loss, and the loss at the end."""
        self.optimizer.param_groups[0]["max_iter"] = iterations
        self.optimizer.param_groups[0]["max_eval"] = 4 * iterations
        state = self.optimizer.state[self.parameters[0]]
        before = state.get("n_iter", 0)
        start = self.optimizer.step(self._loss).item()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            end = self._evaluate().item()
        lowered = end < start
        return (state.get("n_iter", 0) - before if lowered or not math.isfinite(end) else 0), end

    def _evaluate(self) -> Tensor:
        self.task.generator.set_state(self.draw)
        total, self.losses = self.objective.evaluate(self.trial, self.task.generator)
        return total

    def _loss(self) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        total = self._evaluate()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    def _record(self, loss: float) -> None:
        self.recorder.add(self.step, self.seconds, loss, math.nan, [part.item() for part in self.losses])

    def _save(self, status: Status) -> None:
        self.saved = time.perf_counter()
        tensors = {"generator": self.task.generator.get_state()}
        self.task.save(self.trial, Snapshot(self.step, self.recorder.history, self.seconds, tensors), status)

    def _outcome(self, status: Status) -> Outcome:
        notes: tuple[str, ...] = ()
        if status is Status.DIVERGED:
            notes = (
                f"The loss was not finite after iteration {self.step}; the parameters before it were kept.",
            )
        return Outcome(self.trial, status, self.recorder.history, notes, {"steps": self.step})
