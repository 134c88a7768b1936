"""The closing check of every solve: the residuals of the solution in the declared constraints, at fresh points.

A method knows only its own points and its own tolerance. This check decides the status: CONVERGED needs a residual
that is small compared with the terms that cancel in it, wherever the declaration has sources, data or coefficients. A
training also gets an error estimate, because a small loss does not mean a small error.
"""

import dataclasses
import math
import warnings

import numpy as np
import torch

from neurapde.assembly.collocation.conditions_count import crowded
from neurapde.conditions.constraints import AtPoints, Samples
from neurapde.core.warn import warn
from neurapde.data.raster import Nodes
from neurapde.equations.fit import Fit
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.diagnostics import FEW, FEW_OF_SECOND_ORDER
from neurapde.training.run.history import History
from neurapde.training.run.method import Outcome, Status, Task, Training
from neurapde.trials.base import TrialFunction, copied
from neurapde.verification.correction import Correction, correction, no_correction
from neurapde.verification.residual_left import Left, field_sizes, residuals_left

POINTS = 2048
"""Points of each constraint."""
SEED = 83417
SMALL = 1e-4
"""Residual relative to a constraint's terms up to which a training counts as converged."""
LARGE = 0.1
"""Residual relative to a constraint's terms from which a training that took all its steps counts as stalled."""
TIMES = 20.0
"""An error at fresh points of a converged field, in units of the stated or allowed one, counts above this."""
UNMET = 0.05
"""Residual relative to a constraint's terms that this needs, because unresolved parts are not met at all."""
LOST = 0.5
"""Residual relative to a constraint's terms where the field does not respond to it at all."""
UNANSWERED = 1e-12
"""A change of the field that counts as none: no feature explains the residual."""
LEAST_ANSWERED = 0.1
"""Smallest explained part of a residual from which the total error is extrapolated."""
ANSWERED = 0.9
"""Part of a residual that a few features must explain so that their error counts alone."""
FLAT = 0.99
"""Loss of a training's last third, in units of that of the third before, that counts as flat."""
ROWS, ROWS_OF_SECOND_ORDER = 30, 9
"""Rows of a history that are needed to see that, of methods of first and second order."""


def closed(task: Task, outcome: Outcome, training: Training | None, tolerance: float | None) -> Outcome:
    """An outcome with the status, the estimate and the notes that follow from its fresh residuals; it warns on
    failure.

    training: for a method that trains. tolerance: of a method that solves the strong form directly.
    """
    if training is not None:
        judged = _with_estimate(task.problem, _after_training(task.problem, outcome, training), training)
        return _within_bounds(task.problem, judged, training)
    if tolerance is None or isinstance(task.problem.equation, Fit):  # data may be noisy
        return outcome
    if outcome.status in (Status.CONVERGED, Status.UNRESOLVED):
        return _after_strong_form(task.problem, outcome, tolerance)
    return outcome


def _after_strong_form(problem: Problem, outcome: Outcome, tolerance: float) -> Outcome:
    """Correct the estimate from the change between levels, which uses only their points, by one at other points.

    A field that is unresolved by its own estimate already has a warning. For it the larger estimate counts, multiplied
    by the ratio of the residual to the part that the few features explain. Functions that take only NumPy arrays
    cannot be used in a residual; a note says so.
    """
    stated = float(outcome.extras["error_estimate"])
    if not _is_everywhere(problem, outcome.trial):
        return outcome
    corrected = _corrected(problem, outcome.trial)
    if isinstance(corrected, str):
        return dataclasses.replace(outcome, notes=(*outcome.notes, corrected))
    worst = max(residual.relative for residual in corrected.left.values())
    answered = UNANSWERED < corrected.error <= max(stated, tolerance)  # by a change that is small enough
    lost, unmet = worst >= LOST and not answered, worst >= UNMET
    converged = outcome.status is Status.CONVERGED
    error = corrected.error if converged else corrected.error / max(corrected.answered, LEAST_ANSWERED)
    missed = unmet and error > (TIMES * max(stated, tolerance) if converged else stated)
    if not missed and not lost:
        return outcome
    estimate = max(error, stated)
    if converged:
        warn(
            f"the closing check of {problem.name} finds an error that the method has missed: at fresh points "
            f"{corrected.loudest}. A correction by a few more features changes the field by a relative {estimate:.1e}, "
            f"but the method estimates {stated:.1e}. Some detail is narrower than the spacing of the points, or no "
            "field satisfies all constraints: make the narrow part wider, separate it (npde.Ansatz), or change the "
            "declaration.",
            ResolutionWarning,
        )
    return outcome.unresolved(estimate, f"since {corrected.loudest}")


def _is_everywhere(problem: Problem, trial: TrialFunction) -> bool:
    """Whether a field has values in the whole domain: an evolution may have ended early, with a warning."""
    anchor = next(trial.parameters())
    with torch.no_grad():
        return bool(torch.isfinite(trial(problem.domain.sample(POINTS, how="grid").to(anchor))).all())


def _corrected(problem: Problem, trial: TrialFunction) -> Correction | str:
    """The correction of a field by least squares at fresh points, or a note on why it is not known."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy's functions for tensors
            return correction(problem, copied(trial, torch.float64, torch.device("cpu")))
    except (RuntimeError, TypeError, ValueError) as error:
        return f"The closing check was not possible, since a function does not accept torch points ({error})."


def _with_estimate(problem: Problem, outcome: Outcome, training: Training) -> Outcome:
    """The outcome of a training with the error of its field, which its loss does not show, or why it is not known.

    The error is the correction by least squares at fresh points. A few features cannot represent a narrow error: if
    they explain little of the residual, the error is at least the residual of given values. A training that has hardly
    begun is not checked.
    """
    if not _judged(outcome, training) or isinstance(problem.equation, Fit):
        return outcome
    if reason := no_correction(problem):
        return dataclasses.replace(outcome, notes=(*outcome.notes, f"The error is not estimated: {reason}."))
    corrected = _corrected(problem, outcome.trial)
    if isinstance(corrected, str):
        return dataclasses.replace(outcome, notes=(*outcome.notes, corrected))
    given = [
        constraint.name
        for constraint in problem.constraints
        if constraint.order == 0 and corrected.answered < ANSWERED
    ]
    estimate = max(corrected.error, *(corrected.left[name].relative for name in given), 0.0)
    if outcome.status is Status.CONVERGED and estimate > LARGE:
        warn(
            f"the training of {problem.name} has ended, but the estimated relative error of its field is "
            f"{estimate:.1e}: {corrected.loudest}. Leave trial and method out to use a direct method, train a network "
            "on its field (npde.Distillation), or give a larger trial and more points=….",
            ResolutionWarning,
        )
        return outcome.unresolved(estimate, f"since {corrected.loudest}")
    note = f"Closing check: the estimated relative error is {estimate:.1e}; {corrected.loudest}."
    extras = {**outcome.extras, "error_estimate": estimate}
    return dataclasses.replace(outcome, notes=(*outcome.notes, note), extras=extras)


def _judged(outcome: Outcome, training: Training) -> bool:
    """Whether a training has come far enough to check its field."""
    steps = float(outcome.history.step[-1]) if len(outcome.history) else 0.0
    begun = steps >= (FEW_OF_SECOND_ORDER if training.second_order else FEW)
    return begun and outcome.status not in (Status.INTERRUPTED, Status.DIVERGED)


def _within_bounds(problem: Problem, outcome: Outcome, training: Training) -> Outcome:
    """The outcome of a training whose field leaves the known bounds of its solution; the excess is an error."""
    if not _judged(outcome, training):
        return outcome
    points = problem.domain.sample(POINTS, how="grid")
    bounds = problem.equation.bounds(problem, points.numpy())
    if bounds is None:
        return outcome
    with torch.no_grad():
        values = outcome.trial(points.to(next(outcome.trial.parameters()))).double().cpu().numpy()
    values = values.reshape(len(points), -1)
    possible = np.clip(values, *bounds)
    beyond = float(np.linalg.norm(values - possible) / (np.linalg.norm(possible) or 1.0))
    if not beyond > LARGE:
        return outcome
    under, over = np.maximum(bounds[0] - values, 0), np.maximum(values - bounds[1], 0)
    side = "below the least" if np.linalg.norm(under) > np.linalg.norm(over) else "above the largest"
    warn(
        f"the field found for {problem.name} is not the solution: its values lie {side} that the solution may have, by "
        f"a relative {beyond:.1e}, which the residuals do not show. Leave trial out to use a trial whose form has the "
        "right sign and size, or build that form around your own network: problem.equation.around(npde.Siren(…), "
        "problem).",
        ResolutionWarning,
    )
    return outcome.unresolved(beyond, f"since values lie {side} that the solution may have")


def _after_training(problem: Problem, outcome: Outcome, training: Training) -> Outcome:
    """A training that ended because its loss no longer fell has converged if the residual is small, else stalled.

    Fitted data may be noisy, so their residual does not count.
    """
    least = ROWS_OF_SECOND_ORDER if training.second_order else ROWS
    flat = outcome.status is Status.STEP_LIMIT and _is_flat(outcome.history, least)
    if isinstance(problem.equation, Fit) or not (flat or outcome.status is Status.CONVERGED):
        return outcome
    residuals = _fresh(problem, outcome.trial, training)
    worst = max((residual.relative for residual in residuals.values()), default=0.0)
    if worst <= (LARGE if flat else SMALL):
        return outcome
    rows = ", ".join(f"{name} {residual.relative:.1e}" for name, residual in residuals.items())
    loudest = max(residuals, key=lambda name: residuals[name].relative)
    surplus = crowded(problem)
    conditions = f": {surplus}" if surplus else ""
    warn(
        f"the training of {problem.name} has stalled: its loss no longer falls, and the relative residuals of its "
        f"constraints are {rows}. The field is a solution only to that precision. Start from another seed=…, give more "
        f"points=… or a larger trial, or weights={{{loudest!r}: …}} above 1; if no field satisfies all constraints, "
        f"change the declaration{conditions}.",
        ResolutionWarning,
    )
    note = f"Residual at fresh points, relative to the terms of each constraint: {rows}."
    return dataclasses.replace(outcome, status=Status.STALLED, notes=(*outcome.notes, note))


def _is_flat(history: History, least: int) -> bool:
    """Whether the last third of the steps did not lower the loss; there must be a minimum number of rows."""
    third = len(history) // 3
    if len(history) < least:
        return False
    before, last = (
        float(np.median(losses)) for losses in (history.loss[third : 2 * third], history.loss[-third:])
    )
    return math.isfinite(last) and last > FLAT * before


def _fresh(problem: Problem, trial: TrialFunction, training: Training) -> dict[str, Left]:
    """The residual of each trained constraint with a positive weight that must be met exactly."""
    judged = [
        constraint
        for constraint in problem.trained
        if training.weights.get(constraint.name, 1.0) > 0
        and not isinstance(constraint.sample, Nodes)
        and not (isinstance(constraint.sample, AtPoints) and constraint.sample.targets is not None)
    ]
    anchor = next(trial.parameters())
    generator = torch.Generator(anchor.device).manual_seed(SEED)
    samples: dict[str, Samples] = {
        constraint.name: constraint.sample_like(anchor, POINTS, generator, "sobol") for constraint in judged
    }
    return residuals_left(problem, trial, samples, field_sizes(problem, trial))
