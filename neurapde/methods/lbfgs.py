"""L-BFGS with a strong Wolfe line search on points that stay: the finish of a training, or the whole of a small one."""

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.interrupts import Interrupts
from neurapde.problem.problem import Problem
from neurapde.run.method import Method, Outcome, Snapshot, Status, Task, Training
from neurapde.run.recorder import Recorder
from neurapde.training.losses import MEASURES, LossName
from neurapde.training.memory import check_training_fits
from neurapde.training.objective import Objective
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.mlp import MLP

ROUND = 10
"""Iterations between two rows of the history."""
SEARCH = 25
"""Evaluations that the line search of one iteration may take."""
SCALARS = ("n_iter", "func_evals", "t", "prev_loss", "H_diag")
"""Numbers of torch's state beside its vectors."""
FALLEN = 1e-6
"""Part of the loss at the last restart below which the search starts anew in units of the present one.

torch leaves out curvature y·s below 1e-10, which in units of a loss long past is all there is.
"""


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

    Where the line search finds no lower loss, or the loss has fallen by six orders, the memory is emptied, and the
    search goes on down the gradient; where that does not help either, the method has converged to its precision. A
    resumed run, its memory and points kept, is the uninterrupted one. The classical physics-informed network is
    `solve(problem, MLP(width=20, depth=7), LBFGS(5000))`.
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
        checks.whole(self.steps, "steps")
        checks.whole(self.memory, "memory")
        if self.redraw is not None:
            checks.whole(self.redraw, "redraw")
        checks.counts(self.points, "points")
        checks.one_of(self.loss, MEASURES, "loss")
        checks.weights(self.weights)
        checks.amount(self.tolerance, "tolerance")
        checks.amount(self.checkpoint_seconds, "checkpoint_seconds")

    @property
    def default_dtype(self) -> torch.dtype:
        return torch.float64

    def default_trial(self, problem: Problem) -> Trial:
        return MLP(width=20, depth=7)

    def check(self, problem: Problem) -> None:
        self.objective(problem)

    def check_memory(self, problem: Problem, trial: TrialFunction | None) -> None:
        copies = 4 * min(self.memory, self.steps) + 8  # pairs, twice where they are saved, and the search's
        check_training_fits(self.objective(problem), trial, copies, whole=True)

    def objective(self, problem: Problem) -> Objective:
        """The loss that this method lowers. Raises DeclarationError for names the problem does not have."""
        return Objective(problem, self.points, self.loss, self.weights, 100, None)

    def training(self, problem: Problem) -> Training:
        names = [constraint.name for constraint in problem.trained]
        points = self.points if isinstance(self.points, Mapping) else dict.fromkeys(names, self.points)
        weights = self.objective(problem).weights
        return Training(points if self.redraw is None else {}, weights, second_order=True)

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
        self.unit, self.since = 1.0, 0
        self._restart()
        if before is not None:
            self._remember(before.tensors)
        self.started = self.saved = time.perf_counter()

    @property
    def seconds(self) -> float:
        return self.seconds_before + time.perf_counter() - self.started

    def _restart(self) -> None:
        """Empty the memory, and measure the loss in units of the present one."""
        with torch.no_grad():
            loss = self._evaluate().item()
        self._begin(loss if 0 < loss < math.inf else 1.0, fresh=True)

    def _begin(self, unit: float, *, fresh: bool) -> None:
        self.unit, self.fresh = unit, fresh
        self.optimizer = torch.optim.LBFGS(
            self.parameters,
            lr=1.0,
            history_size=self.method.memory,
            tolerance_grad=self.method.tolerance / unit,
            tolerance_change=0.0,
            line_search_fn="strong_wolfe",
        )

    def run(self) -> Outcome:
        status = Status.STEP_LIMIT
        with (
            Interrupts() as interrupts,
            self.task.progress.bar(self.task.problem.name, self.method.steps, done=self.step) as bar,
        ):
            while self.step < self.method.steps:
                if self.method.redraw is not None and self.since >= self.method.redraw:
                    self.draw, self.since = self._redrawn(), 0
                    self._restart()
                good = [p.detach().clone() for p in self.parameters]
                kept = self._memory()
                try:
                    with interrupts.at_once():
                        done, loss = self._round(self._iterations())
                except KeyboardInterrupt:
                    self._put_back(good)
                    self._remember(kept)
                    status = Status.INTERRUPTED
                    break
                if not math.isfinite(loss):
                    self._put_back(good)
                    return self._outcome(Status.DIVERGED)
                self.step, self.since = self.step + done, self.since + done
                self._record(loss)
                for _ in range(done):
                    bar.advance()
                bar.show(dict(zip(self.objective.names, [part.item() for part in self.losses], strict=True)))
                if done == 0 and self.fresh:
                    status = Status.CONVERGED
                    break
                self.fresh = False
                if done == 0 or loss < FALLEN * self.unit:
                    self._restart()
                if interrupts.asked and self.step < self.method.steps:
                    status = Status.INTERRUPTED
                    break
                if time.perf_counter() - self.saved >= self.method.checkpoint_seconds:
                    self._save(Status.INTERRUPTED)
            self._save(status)
        return self._outcome(status)

    def _put_back(self, good: list[Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self.parameters, good, strict=True):
                parameter.copy_(value)

    def _iterations(self) -> int:
        """Iterations of the next round, which ends where a redraw or the last step is due."""
        left = [ROUND, self.method.steps - self.step]
        if self.method.redraw is not None:
            left.append(self.method.redraw - self.since)
        return min(left)

    def _redrawn(self) -> Tensor:
        """A state of the generator beyond the one that the present points were drawn from."""
        torch.rand(1, generator=self.task.generator, device=self.task.generator.device)
        return self.task.generator.get_state()

    def _round(self, iterations: int) -> tuple[int, float]:
        """A few iterations: how many lowered the loss, and the loss at the end."""
        self.optimizer.param_groups[0]["max_iter"] = iterations
        self.optimizer.param_groups[0]["max_eval"] = SEARCH * iterations
        state = self.optimizer.state[self.parameters[0]]
        before = state.get("n_iter", 0)
        start = self.unit * self.optimizer.step(self._loss).item()  # type: ignore[no-untyped-call]
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
        total = self._evaluate() / self.unit
        total.backward()  # type: ignore[no-untyped-call]
        return total

    def _record(self, loss: float) -> None:
        """One row after `self.step` steps, unless there is one: a round that gets nowhere adds none."""
        rows = self.recorder.history.step
        if len(rows) and rows[-1] == self.step:
            return
        self.recorder.add(self.step, self.seconds, loss, math.nan, [part.item() for part in self.losses])

    def _save(self, status: Status) -> None:
        self.saved = time.perf_counter()
        tensors = {"generator": self.draw} | self._memory()
        self.task.save(self.trial, Snapshot(self.step, self.recorder.history, self.seconds, tensors), status)

    def _memory(self) -> dict[str, Tensor]:
        """The optimiser's state: its pairs of steps and gradients, and what its next direction follows from."""
        state = self.optimizer.state[self.parameters[0]]
        numbers = [self.unit, float(self.fresh), float(self.since)]
        if "old_dirs" not in state:
            return {"numbers": torch.tensor(numbers, dtype=torch.float64)}
        numbers += [float(state[name]) for name in SCALARS]
        kept = {"numbers": torch.tensor(numbers, dtype=torch.float64)}
        kept |= {name: state[name].clone() for name in ("d", "prev_flat_grad")}
        if state["old_dirs"]:
            kept |= {name: torch.stack(state[name]) for name in ("old_dirs", "old_stps", "ro")}
        return kept

    def _remember(self, tensors: Mapping[str, Tensor]) -> None:
        unit, fresh, since, *scalars = tensors["numbers"].tolist()
        self._begin(unit, fresh=bool(fresh))
        self.since = int(since)
        if not scalars:
            return
        anchor = self.parameters[0]
        state = self.optimizer.state[anchor]
        state |= dict(zip(SCALARS, scalars, strict=True))
        state["n_iter"] = int(state["n_iter"])
        for name in ("d", "prev_flat_grad"):
            state[name] = tensors[name].to(anchor)
        for name in ("old_dirs", "old_stps", "ro"):
            state[name] = list(tensors[name].to(anchor)) if name in tensors else []

    def _outcome(self, status: Status) -> Outcome:
        notes: tuple[str, ...] = ()
        if status is Status.DIVERGED:
            notes = (
                f"The loss was not finite after iteration {self.step}; the parameters before it were kept.",
            )
        return Outcome(self.trial, status, self.recorder.history, notes, {"steps": self.step})
