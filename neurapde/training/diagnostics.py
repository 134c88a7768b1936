"""Common failures of trained fields, found before and after a training, with one warning each that names a remedy.

Before: too little precision, too few points or too low a bandwidth for the declared waves. After: a zero field despite
data, a constraint that did not influence the training, too few points for the field found.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.constraints import Constraint, Interior, Samples
from neurapde.core.errors import DeclarationWarning
from neurapde.core.warn import warn
from neurapde.equations.helmholtz import Helmholtz
from neurapde.jets.activations import Sine
from neurapde.jets.jet import Jet
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.training.optimisation.jacobian import real_residuals
from neurapde.training.run.method import Training
from neurapde.trials.base import TrialFunction
from neurapde.trials.networks.layered import LayeredTrial

LEAST_PER_WAVELENGTH = 6.0
POINTS = 1024
"""Points of each constraint for the measurements."""
SEED = 50417
FEW, FEW_OF_SECOND_ORDER = 100, 8
"""Steps below which a training has hardly begun, of methods of first and second order."""
TINY = 0.1
"""Smallest fraction of the data that a field must explain so that it does not count as zero."""
HARMONICS = 2.0
"""Multiple of its first layer's wavenumbers that a network learns easily."""
LOST, UNMOVED = 1e-2, 0.5
"""A constraint is lost if its gradient is below this part of the largest and its residual above this part of the first."""


@dataclass(frozen=True)
class Measured:
    """One constraint with the residuals of a field.

    residual: root mean square. asked: that of the zero field. answered: that of the difference of both.
    gradient: norm of the gradient of its weighted mean square by all parameters.
    """

    residual: float
    asked: float
    answered: float
    gradient: float


def before(training: Training, name: str, problem: Problem, trial: TrialFunction) -> dict[str, Measured]:
    """Warn of failures that show before a training by the method `name`, and measure the constraints."""
    anchor = next(trial.parameters())
    if training.second_order and anchor.dtype.to_real() == torch.float32:
        warn(
            f"{name} in float32 stops at errors of about 1e-3, because rounding hides its steps: leave dtype out, or "
            "give dtype=torch.float64.",
            DeclarationWarning,
        )
    wavenumber = _highest_wavenumber(problem)
    if wavenumber is not None:
        waves = [wavenumber] * problem.domain.dimension
        _check_points(training, problem, waves, f"the largest wavenumber, {wavenumber:.3g}")
        _check_bandwidth(trial, wavenumber)
    return measured(training, problem, trial)


def after(
    training: Training, problem: Problem, trial: TrialFunction, begun: Mapping[str, Measured], steps: float
) -> tuple[tuple[str, ...], dict[str, float]]:
    """Warn of failures after a training of so many steps; return notes and numbers on each constraint.

    A training that has hardly begun is not checked.
    """
    measures = measured(training, problem, trial)
    if not all(math.isfinite(measure.residual + measure.gradient) for measure in measures.values()):
        return (), {}
    begins = steps < (FEW_OF_SECOND_ORDER if training.second_order else FEW)
    if not begins and not _check_zero(problem, measures):
        _check_lost(training, begun, measures)
        waves = _wavenumbers(problem, trial)
        listed = ", ".join(f"{wave:.3g}" for wave in waves)
        _check_points(
            training, problem, waves, f"the field found, whose wavenumbers along the axes are {listed},"
        )
    rows = [f"{name} {measure.residual:.2g}, {measure.gradient:.2g}" for name, measure in measures.items()]
    numbers = {f"residual of {name}": measure.residual for name, measure in measures.items()}
    numbers |= {f"gradient of {name}": measure.gradient for name, measure in measures.items()}
    note = "Root mean square of the residual, and norm of its loss's gradient, by constraint: " + "; ".join(
        rows
    )
    return (f"{note}.",), numbers


def measured(training: Training, problem: Problem, trial: TrialFunction) -> dict[str, Measured]:
    """Residual and gradient of each trained constraint at separate points, which change no generator in use."""
    anchor = next(trial.parameters())
    generator = torch.Generator(anchor.device).manual_seed(SEED)
    measures = {}
    for constraint in problem.trained:
        samples = constraint.sample_like(anchor, POINTS, generator, "sobol")
        weight = training.weights.get(constraint.name, 1.0)
        measures[constraint.name] = _measure(constraint, samples, problem, trial, weight)
    return measures


def _measure(
    constraint: Constraint, samples: Samples, problem: Problem, trial: TrialFunction, weight: float
) -> Measured:
    parameters = [parameter for parameter in trial.parameters() if parameter.requires_grad]
    with torch.enable_grad():
        layout = problem.layout(constraint)
        jet = trial.jet(samples.points, layout.order, layout.mixed)
        residual = real_residuals(constraint, samples, jet)
        loss = weight * residual.square().mean()
        if loss.requires_grad and parameters:
            slopes: Sequence[Tensor | None] = torch.autograd.grad(loss, parameters, allow_unused=True)
        else:
            slopes = []
    with torch.no_grad():
        zero = real_residuals(constraint, samples, Jet(torch.zeros_like(jet.channels), jet.layout))
    gradient = math.sqrt(sum(float(slope.abs().square().sum()) for slope in slopes if slope is not None))
    residual = residual.detach()
    return Measured(_rms(residual), _rms(zero), _rms(residual - zero), gradient)


def _rms(values: Tensor) -> float:
    return float(values.abs().square().mean().sqrt())


def _check_zero(problem: Problem, measures: Mapping[str, Measured]) -> bool:
    """Warn if the field is almost zero despite sources and data."""
    asked = {name: measure for name, measure in measures.items() if measure.asked > 0}
    if not asked or any(measure.answered >= TINY * measure.asked for measure in asked.values()):
        return False
    parts = ", ".join(f"{name} {measure.answered / measure.asked:.1%}" for name, measure in asked.items())
    warn(
        f"the field found for {problem.name} is almost zero, but its data are not: it accounts for {parts} of the data. "
        "Zero satisfies every other condition, and the training has stayed there; draw more points where the data are "
        "(points=…, source_points=…), raise their weights=…, or subtract a known part of the field (npde.Ansatz).",
        DeclarationWarning,
    )
    return True


def _check_lost(training: Training, begun: Mapping[str, Measured], measures: Mapping[str, Measured]) -> None:
    """Warn of the constraint with the least influence on the training, if that is almost none."""
    felt = {name: measure for name, measure in measures.items() if training.weights.get(name, 1.0) > 0}
    if len(felt) < 2:
        return
    loudest = max(felt, key=lambda name: felt[name].gradient)
    largest = felt[loudest].gradient
    if felt[loudest].residual > UNMOVED * begun[loudest].residual:
        return
    for name, measure in felt.items():
        was = begun[name].residual
        missed = measure.residual >= max(UNMOVED * was, TINY * measure.asked, TINY * measure.answered)
        if 0 < measure.gradient < LOST * largest and missed and measure.residual > 0:
            factor = training.weights.get(name, 1.0) * largest / measure.gradient
            warn(
                f"constraint {name!r} is dominated by {loudest!r}: the gradients of their losses have the norms "
                f"{measure.gradient:.2g} and {largest:.2g}, and its residual only went from {was:.2g} to "
                f"{measure.residual:.2g}. Give weights={{{name!r}: {factor:.0e}}}, build the condition into the trial "
                "(hard=True), or train with NaturalGradient.",
                DeclarationWarning,
            )


def _check_points(training: Training, problem: Problem, wavenumbers: Sequence[float], what: str) -> None:
    """Warn of fixed points inside the domain that are too few for waves of these wavenumbers along its axes."""
    lengths = [
        min(2 * math.pi / wave, side) if wave > 0 else side
        for wave, side in zip(wavenumbers, problem.domain.extents, strict=True)
    ]
    counts = {
        constraint.name: training.fixed[constraint.name]
        for constraint in problem.trained
        if isinstance(constraint.sample, Interior)
        and constraint.name in training.fixed
        and training.weights.get(constraint.name, 1.0) > 0
    }
    if not counts:
        return
    name, count = max(counts.items(), key=lambda item: item[1])
    dimension = problem.domain.dimension
    per_wavelength = (count * math.prod(lengths) / float(problem.domain.measure)) ** (1 / dimension)
    if per_wavelength < LEAST_PER_WAVELENGTH:
        enough = math.ceil(count * (LEAST_PER_WAVELENGTH / per_wavelength) ** dimension)
        warn(
            f"the {count} points of {name!r} are {per_wavelength:.2g} per wavelength for {what}, so the field may be "
            f"wrong between them; {LEAST_PER_WAVELENGTH:g} per wavelength need points={enough}, or redraw the points "
            "(redraw=…).",
            ResolutionWarning,
        )


def _check_bandwidth(trial: TrialFunction, wavenumber: float) -> None:
    """Warn of sines whose first layer has far too low frequencies for the waves from the start."""
    for network in trial.modules():
        first = network.activations[0] if isinstance(network, LayeredTrial) else None
        if isinstance(network, LayeredTrial) and isinstance(first, Sine):
            reached = first.omega / network.half_extent
            if HARMONICS * reached < wavenumber:
                wanted = math.ceil(wavenumber * network.half_extent * math.sqrt(trial.dimension))
                warn(
                    f"omega_0={first.omega:g} gives a SIREN wavenumbers up to {reached:.3g} on this domain, but the "
                    f"largest of the problem is {wavenumber:.3g}, which training would have to reach; use "
                    f"omega_0={wanted}.",
                    ResolutionWarning,
                )


def _highest_wavenumber(problem: Problem) -> float | None:
    """The largest wavenumber in the declaration, or None."""
    if not isinstance(problem.equation, Helmholtz):
        return None
    points = problem.domain.sample(POINTS, how="grid")
    slowness = np.asarray(problem.equation.slowness_squared(points))
    return problem.equation.wavenumber * math.sqrt(float(slowness.max()))


def _wavenumbers(problem: Problem, trial: TrialFunction) -> list[float]:
    """Along each axis, the root mean square of ∂u over that of u, less its mean: k of a wave sin kx."""
    with torch.no_grad():
        jet = trial.jet(problem.domain.sample(POINTS, how="grid"), order=1)
    size = _rms(jet.value - jet.value.mean(0))
    return [_rms(jet.d(axis)) / size if size > 0 else 0.0 for axis in range(trial.dimension)]
