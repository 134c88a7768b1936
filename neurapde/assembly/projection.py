"""Variable projection: at each step the head is solved for, and the hidden layers move along what is then left."""

import torch

from neurapde.assembly.head import StrongRows, WeakRows, best_head, write_head
from neurapde.optimisation.adam import AdamSteps
from neurapde.optimisation.parameters import copied, put
from neurapde.run.journal import Journal
from neurapde.trials.base import TrialFunction

RESIDUAL = "relative residual"
"""What is left, by its name in the history."""


def project_head(rows: WeakRows | StrongRows, trial: TrialFunction, lr: float, journal: Journal) -> float:
    """Solve for the head of `trial`, and train its hidden layers by Adam at rate `lr`, in place: the residual left.

    The last of the journal's steps solves for the head alone. The gradient of the least residual is that at the best head
    held fixed. The best parameters met are kept.
    """
    loads = rows.loads()
    size = loads.abs().square().sum().clamp_min(torch.finfo(torch.float64).tiny)
    parameters, head_parameters = list(trial.parameters()), set(trial.head.parameters())
    optimizer = AdamSteps([parameter for parameter in parameters if parameter not in head_parameters])
    best, kept = float("inf"), copied(parameters)
    with journal:
        for step in journal.steps():
            last = step == journal.total - 1
            with journal.at_once(), torch.set_grad_enabled(not last):
                matrix = rows.matrix(trial)
                head = best_head(matrix.detach(), loads)
                loss = (matrix @ head - loads).abs().square().sum() / size
            left = float(loss.detach().sqrt())
            journal.record(left, [left], lr)
            if left < best:
                write_head(trial, head)
                best, kept = left, copied(parameters)
            if not last:
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step(lr)
            journal.advance()
    put(parameters, kept)
    return best
