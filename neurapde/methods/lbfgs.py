"""L-BFGS with a strong Wolfe line search on fixed points: the end of a training, or all of a small one."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.problem.problem import Problem
from neurapde.training.losses import Loss, MeanSquare, as_loss
from neurapde.training.memory import check_training_fits
from neurapde.training.objective import Objective, check_trainable
from neurapde.training.optimisation.parameters import copied, put, trainable
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Method, Outcome, Status, Task, Training
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.networks.mlp import MLP

ROUND = 10
"""Iterations between two rows of the history."""
SEARCH = 25
"""Evaluations that the line search of one iteration may take."""
SCALARS = ("n_iter", "func_evals", "t", "prev_loss", "H_diag")
VECTORS, PAIRS = ("d", "prev_flat_grad"), ("old_dirs", "old_stps", "ro")
"""Names of torch's state: numbers, vectors, and lists with an entry for each pair of steps and gradients."""
FALLEN = 1e-6
"""Part of the loss at the last restart below which the search starts anew in units of the present one.

torch leaves out curvature y·s below 1e-10, which in units of a loss long past is all there is.
"""


@dataclass(frozen=True)
class LBFGS(Method):
    """Minimise the loss on drawn points by limited-memory BFGS, in double precision.

    steps:   iterations in all, each of one evaluation or a few more.
    points:  drawn at the start for every constraint, or a number for each by name; fixed until redrawn.
    loss:    `MeanSquare()`, or `MeanAbsolute()`, whose corners disturb the method.
    weights: factors of the constraints' losses by name, by default 1.
    memory:  pairs of steps for the curvature.
    redraw:  iterations after which new points are drawn and the memory is emptied; None keeps the first ones.
    tolerance: the method has converged if no entry of the gradient is larger.

    If the line search finds no lower loss, or the loss has fallen by six orders, the memory is emptied and the search
    continues along the gradient. If that does not help, the method has converged to its precision. A resumed run keeps
    memory and points, so it equals the uninterrupted one. The classical physics-informed network is
    `solve(problem, MLP(width=20, depth=7), LBFGS(5000))`.
    Source: Nocedal, Wright (2006), Numerical Optimization, algorithms 7.5 and 3.5; Raissi, Perdikaris, Karniadakis
    (2019), J. Comput. Phys. 378, 686–707.
    """

    steps: int
    points: int | Mapping[str, int] = 4096
    loss: Loss = field(default_factory=MeanSquare)
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
        object.__setattr__(self, "loss", as_loss(self.loss))
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
        check_trainable(problem, self)

    def check_memory(self, problem: Problem, trial: TrialFunction | None) -> None:
        copies = 4 * min(self.memory, self.steps) + 8  # pairs, twice where they are saved, and the search's
        check_training_fits(self.objective(problem), trial, copies, whole=True)

    def objective(self, problem: Problem) -> Objective:
        """The loss that this method lowers. Raises DeclarationError for names the problem does not have."""
        return Objective(problem, self.points, self.loss, self.weights, 100, None)

    def training(self, problem: Problem) -> Training:
        objective = self.objective(problem)
        return Training(objective.counts if self.redraw is None else {}, objective.weights, second_order=True)

    def resume_key(self) -> "LBFGS":
        return dataclasses.replace(self, steps=1, checkpoint_seconds=1.0)

    def describe(self) -> str:
        drawn = self.points if isinstance(self.points, int) else sum(self.points.values())
        return f"L-BFGS, {self.steps} iterations, {self.loss.short} loss on {drawn} points"

    def run(self, task: Task) -> Outcome:
        if task.trial is None:
            raise DeclarationError("LBFGS trains a trial function; give solve(…, trial=npde.MLP()).")
        return _Descent(self, task, task.trial).run()


class _Descent:
    """One run of L-BFGS: its points (a state of the generator), its memory (the optimiser) and its history."""

    def __init__(self, method: LBFGS, task: Task, trial: TrialFunction) -> None:
        self.method, self.task, self.trial = method, task, trial
        self.objective = method.objective(task.problem)
        self.parameters = trainable(trial)
        self.journal = Journal(
            task.problem.name,
            method.steps,
            self.objective.names,
            task.progress,
            resumed=task.resumed,
            save=partial(task.save, trial),
            state=lambda: {"generator": self.draw} | self._memory(),
            every=method.checkpoint_seconds,
        )
        if task.resumed is not None:
            task.generator.set_state(task.resumed.tensors["generator"])
        self.draw = task.generator.get_state()
        self.losses: list[Tensor] = []
        self.unit, self.since = 1.0, 0
        self._restart()
        if task.resumed is not None:
            self._remember(task.resumed.tensors)

    def _restart(self) -> None:
        """Empty the memory, and scale the loss by the present one."""
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
        notes: tuple[str, ...] = ()
        with self.journal as journal:
            for _ in journal.steps():
                if self.method.redraw is not None and self.since >= self.method.redraw:
                    self.draw, self.since = self._redrawn(), 0
                    self._restart()
                undo = self._undo()
                with journal.at_once(undo):
                    done, loss = self._round(self._iterations())
                if not math.isfinite(loss):
                    undo()
                    journal.status = Status.DIVERGED
                    notes = (
                        f"The loss was not finite after iteration {journal.step}; the parameters before it were kept.",
                    )
                    break
                journal.advance(done)
                self.since += done
                journal.record(loss, [term.item() for term in self.losses])
                if done == 0 and self.fresh:
                    journal.status = Status.CONVERGED
                    break
                self.fresh = False
                if done == 0 or loss < FALLEN * self.unit:
                    self._restart()
        return Outcome(self.trial, journal.status, journal.history, notes, {"steps": journal.step})

    def _undo(self) -> Callable[[], None]:
        """A function that restores everything that a round changes."""
        start, memory = copied(self.parameters), self._memory()

        def undo() -> None:
            put(self.parameters, start)
            self._remember(memory)

        return undo

    def _iterations(self) -> int:
        """Iterations of the next round, which ends at a redraw or at the last step."""
        limits = [ROUND, self.method.steps - self.journal.step]
        if self.method.redraw is not None:
            limits.append(self.method.redraw - self.since)
        return min(limits)

    def _redrawn(self) -> Tensor:
        """A state of the generator after that of the present points."""
        torch.rand(1, generator=self.task.generator, device=self.task.generator.device)
        return self.task.generator.get_state()

    def _round(self, iterations: int) -> tuple[int, float]:
        """Do a few iterations; return how many lowered the loss, and the last loss."""
        self.optimizer.param_groups[0]["max_iter"] = iterations
        self.optimizer.param_groups[0]["max_eval"] = SEARCH * iterations
        before = self._taken()
        start = self.unit * self.optimizer.step(self._loss).item()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            end = self._evaluate().item()
        lowered = end < start
        return (self._taken() - before if lowered or not math.isfinite(end) else 0), end

    def _taken(self) -> int:
        """Iterations since the memory was emptied."""
        return int(self.optimizer.state_dict()["state"].get(0, {}).get("n_iter", 0))

    def _evaluate(self) -> Tensor:
        self.task.generator.set_state(self.draw)
        total, self.losses = self.objective.evaluate(self.trial, self.task.generator)
        return total

    def _loss(self) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        total = self._evaluate() / self.unit
        total.backward()  # type: ignore[no-untyped-call]
        return total

    def _memory(self) -> dict[str, Tensor]:
        """The optimiser's state: its pairs of steps and gradients, and the data for its next direction."""
        state = self.optimizer.state_dict()["state"].get(0, {})
        numbers = [self.unit, float(self.fresh), float(self.since)]
        if "old_dirs" not in state:
            return {"numbers": torch.tensor(numbers, dtype=torch.float64)}
        numbers += [float(state[name]) for name in SCALARS]
        tensors = {"numbers": torch.tensor(numbers, dtype=torch.float64)}
        tensors |= {name: state[name].clone() for name in VECTORS}
        if state["old_dirs"]:
            tensors |= {name: torch.stack(state[name]) for name in PAIRS}
        return tensors

    def _remember(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore the state of `_memory`."""
        unit, fresh, since, *scalars = tensors["numbers"].tolist()
        self._begin(unit, fresh=bool(fresh))
        self.since = int(since)
        if not scalars:
            return
        state: dict[str, object] = dict(zip(SCALARS, scalars, strict=True))
        state["n_iter"] = int(scalars[0])
        state |= {name: tensors[name] for name in VECTORS}
        state |= {name: list(tensors[name]) if name in tensors else [] for name in PAIRS}
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": {0: state}})
