"""Variable projection: at each step the head is solved for, and the hidden layers move along what is then left."""

import time
from dataclasses import dataclass

import torch

from neurapde.assembly.head import StrongRows, WeakRows, best_head, write_head
from neurapde.core.interrupts import Interrupts
from neurapde.core.progress import Bar
from neurapde.run.history import History
from neurapde.run.recorder import Recorder
from neurapde.trials.base import TrialFunction


@dataclass(frozen=True)
class Projected:
    """The history of the relative residual, the residual left at the end, and whether Ctrl-C ended it."""

    history: History
    residual: float
    interrupted: bool


def project_head(
    rows: WeakRows | StrongRows, trial: TrialFunction, steps: int, lr: float, bar: Bar
) -> Projected:
    """Solve for the head of `trial`, and train its hidden layers by `steps` of Adam at rate `lr`, in place.

    The gradient of the least residual is that at the best head held fixed. The best parameters met are kept.
    """
    loads = rows.loads()
    size = loads.abs().square().sum().clamp_min(torch.finfo(torch.float64).tiny)
    head_parameters = set(trial.head.parameters())
    hidden = [parameter for parameter in trial.parameters() if parameter not in head_parameters]
    optimizer = torch.optim.Adam(hidden, lr=lr)
    recorder = Recorder(("relative residual",))
    best, kept = float("inf"), [parameter.detach().clone() for parameter in trial.parameters()]
    started = time.perf_counter()
    interrupted = False
    with Interrupts() as interrupts:
        for step in range(steps + 1):
            try:
                with interrupts.at_once(), torch.set_grad_enabled(step < steps):
                    matrix = rows.matrix(trial)
                    head = best_head(matrix.detach(), loads)
                    loss = (matrix @ head - loads).abs().square().sum() / size
            except KeyboardInterrupt:
                if not step:
                    raise
                interrupted = True
                break
            left = float(loss.detach().sqrt())
            recorder.add(step, time.perf_counter() - started, left, lr, [left])
            if left < best:
                write_head(trial, head)
                best, kept = left, [parameter.detach().clone() for parameter in trial.parameters()]
            bar.advance()
            bar.show({"relative residual": left})
            interrupted = interrupts.asked
            if step == steps or interrupted:
                break
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    with torch.no_grad():
        for parameter, value in zip(trial.parameters(), kept, strict=True):
            parameter.copy_(value)
    return Projected(recorder.history, best, interrupted)
