"""Tests of an inversion's mathematics: its gradient, its adjoint, its waves.

They take the arguments of `invert`, but use nothing of its loop: a gradient that passes is right for any use.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch.nn.functional import normalize
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.problem.problem import Problem
from neurapde.seismic.inversion.invert import as_method, check_given, settle
from neurapde.seismic.inversion.methods.method import InversionMethod, Setting
from neurapde.seismic.inversion.methods.reduced import EngineMethod
from neurapde.seismic.inversion.misfits import L2, Misfit
from neurapde.seismic.inversion.objective import Objective
from neurapde.seismic.inversion.old_call import takes_old_call
from neurapde.seismic.inversion.parametrisation import GridParametrisation, build_parametrisation
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.modelling.base import Modelling
from neurapde.seismic.survey.records import Recorded
from neurapde.seismic.survey.survey import Survey
from neurapde.seismic.survey.transforms import Real

SLOPE, SLACK = 2.0, 0.05  # the power of the step at which a right gradient's remainder falls, and its slack
STEPS = 10  # of a Taylor test: total variation is smooth only in small ones
RATIO = 0.25  # each step over the one before
FLOOR = 1e-12  # remainders below this part of the objective are round-off
LAST = 3  # slopes, of the smallest steps above it, whose median counts
CHANGE = 0.01  # largest relative change of m by the first step
APART = 1e-10  # relative difference of the two sides of a dot test
EIGHTH = (4 / 5, -1 / 5, 4 / 105, -1 / 280)  # weights of the central difference of order eight
REACH, FURTHEST = 0.006, 0.02  # one of its steps: relative change of the data, and of m at most
SMALL = 1e-4  # the step that finds it out
UNEQUAL = 0.02  # relative difference of data between swapped places that the discretisation may leave
PLACES = 6  # shots and receivers at most that are swapped
NEAREST = 6.0  # nodes between shot and receiver below which the field is too singular to compare
CELLS = 3.0  # standard deviation, in nodes, of what makes the random changes of a medium smooth
VERDICTS = ("FAILED", "passed")


@dataclass(frozen=True)
class TaylorTest:
    """|J(p + h δ) − J(p) − h ⟨∇J, δ⟩| by h. value: J(p). steps: h, descending. remainders: at each."""

    value: float
    steps: tuple[float, ...]
    remainders: tuple[float, ...]

    @property
    def slope(self) -> float:
        """The power of h for small steps above round-off; not a number if all is round-off."""
        usable = [remainder for remainder in self.remainders if remainder > FLOOR * abs(self.value)]
        slopes = np.diff(np.log(usable)) / math.log(RATIO)
        return float(np.median(slopes[-LAST:])) if len(slopes) else math.nan

    @property
    def passed(self) -> bool:
        """Whether it is what it must be."""
        return abs(self.slope - SLOPE) <= SLACK

    def __str__(self) -> str:
        return (
            f"Taylor test of the gradient: the remainder falls as step^{self.slope:.4f}, expected {SLOPE:g} ± {SLACK:g} "
            f"(1 if the gradient is wrong): {VERDICTS[self.passed]}"
        )


@dataclass(frozen=True)
class DotTest:
    """⟨J δm, v⟩ with J δm by differences of the data, and ⟨δm, Jᵀ v⟩ with Jᵀ v by the adjoint."""

    forward: float
    adjoint: float

    @property
    def relative(self) -> float:
        """Their difference over the larger."""
        return abs(self.forward - self.adjoint) / max(abs(self.forward), abs(self.adjoint))

    @property
    def passed(self) -> bool:
        """Whether it is what it must be."""
        return self.relative <= APART

    def __str__(self) -> str:
        return (
            f"Dot test of the adjoint: ⟨J δm, v⟩ = {self.forward:.10g} and ⟨δm, Jᵀ v⟩ = {self.adjoint:.10g} are "
            f"{self.relative:.1e} apart, expected {APART:g} at most: {VERDICTS[self.passed]}"
        )


@dataclass(frozen=True)
class Reciprocity:
    """The data when shots and receivers are exchanged. difference: relative L2. pairs: that were compared."""

    difference: float
    pairs: int

    @property
    def passed(self) -> bool:
        """Whether it is what it must be."""
        return self.difference <= UNEQUAL

    def __str__(self) -> str:
        return (
            f"Reciprocity: {self.pairs} data and those of swapped places are {100 * self.difference:.2g} % apart, expected "
            f"{100 * UNEQUAL:g} % at most: {VERDICTS[self.passed]}"
        )


@takes_old_call
def taylor_test(
    problem: Problem,
    survey: Survey,
    *,
    unknown: Velocity | None = None,
    method: str | InversionMethod = "reduced",
    misfit: Misfit | None = None,
    seed: int = 0,
) -> TaylorTest:
    """Whether the objective's gradient is its derivative, along a sum of a random direction and the gradient.

    A random direction alone is nearly orthogonal to the gradient, and the curvature would hide an error of some
    percent. The arguments are those of `invert`; priors and the estimate of an unknown wavelet are part of what is
    tested.
    Raises: DeclarationError for a method that does not descend by a gradient.
    """
    generator = torch.Generator().manual_seed(checks.whole(seed, "seed", 0))
    chosen, setting, modelling = _settled(problem, survey, unknown, method, misfit)
    velocity, grid = setting.velocity, chosen.grid(setting)
    trial = velocity.trial or chosen.default_trial(setting)
    parametrisation = build_parametrisation(velocity, setting.domain, trial, grid, generator)
    objective = Objective(modelling, parametrisation, setting.survey, setting.misfit)
    parameters = list(parametrisation.parameters())
    value = objective().total
    before = float(value.detach())
    slopes = torch.autograd.grad(value, parameters, allow_unused=True, materialize_grads=True)
    gradient, start = parameters_to_vector(slopes), parameters_to_vector(parameters).detach()
    drawn = torch.randn(len(start), generator=torch.Generator().manual_seed(seed), dtype=start.dtype)
    direction = normalize(drawn, dim=0) + normalize(gradient, dim=0)

    def move(step: float) -> None:
        vector_to_parameters(start + step * direction, parameters)

    def remainder(step: float) -> float:
        move(step)
        with torch.no_grad():
            return abs(float(objective().total) - before - step * float(gradient @ direction))

    first = _first_step(objective, move)
    steps = tuple(first * RATIO**k for k in range(STEPS))
    return TaylorTest(before, steps, tuple(map(remainder, steps)))


@takes_old_call
def dot_test(
    problem: Problem,
    survey: Survey,
    *,
    unknown: Velocity | None = None,
    method: str | InversionMethod = "reduced",
    seed: int = 0,
) -> DotTest:
    """Whether the engine's adjoint is the adjoint of its derivative: ⟨J δm, v⟩ = ⟨δm, Jᵀ v⟩ for random δm and v.

    J δm uses central differences of order eight of the data themselves, so it shares no code with the adjoint. The
    arguments are those of `invert`; the medium is the start model with random changes where it is free.
    Raises: DeclarationError for a method that does not descend by a gradient.
    """
    generator = np.random.default_rng(checks.whole(seed, "seed", 0))
    _, setting, modelling = _settled(problem, survey, unknown, method, None)
    medium = _medium(setting, modelling, generator)
    change = medium * _roughness(setting, modelling, generator)
    forward = modelling.forward(medium)
    derivative = _derivative(modelling, medium, change, forward.data)
    v = generator.standard_normal(forward.data.shape)
    if np.iscomplexobj(forward.data):
        v = v + 1j * generator.standard_normal(forward.data.shape)
    v = v / np.linalg.norm(v) + derivative / np.linalg.norm(derivative)
    return DotTest(float(np.vdot(v, derivative).real), float(change @ modelling.backward(forward, v)))


@takes_old_call
def reciprocity(
    problem: Problem,
    survey: Survey,
    *,
    unknown: Velocity | None = None,
    method: str | InversionMethod = "reduced",
    seed: int = 0,
) -> Reciprocity:
    """Whether unit point sources at the shots, recorded at the receivers, give the same data when both are exchanged.

    The arguments are those of `invert`; up to 6 shots and receivers are drawn. Waves on a grid are reciprocal up to
    their error.
    Raises: DeclarationError for a method that does not descend by a gradient, or if all shots and receivers are too
    near.
    """
    check_given(problem, survey)
    generator = np.random.default_rng(checks.whole(seed, "seed", 0))
    sources, receivers = (
        places[np.sort(generator.permutation(len(places))[:PLACES])]
        for places in (survey.sources, survey.receivers)
    )
    there, modelling = _heard(problem, survey, (sources, receivers), unknown, method, seed)
    back, _ = _heard(problem, survey, (receivers, sources), unknown, method, seed)
    if not survey.band:
        there, back = there[None], back[None]
    offsets = np.linalg.norm(sources[:, None] - receivers, axis=2)
    far = offsets > NEAREST * max(modelling.grid.spacing)
    if not far.any():
        raise DeclarationError(
            f"all shots and receivers drawn are within {NEAREST:g} nodes of each other, where fields are singular; use a "
            "finer grid, or other places"
        )
    first, second = there[:, far], np.swapaxes(back, 1, 2)[:, far]
    return Reciprocity(float(np.linalg.norm(first - second) / np.linalg.norm(first)), int(far.sum()))


def _settled(
    problem: Problem, survey: Survey, unknown: Velocity | None, method: Any, misfit: Misfit | None
) -> tuple[EngineMethod, Setting, Modelling]:
    """The method, its settings as in `invert`, and its engine."""
    chosen = as_method(method)
    if not isinstance(chosen, EngineMethod):
        raise DeclarationError(
            f"{type(chosen).__name__} uses no gradient of the misfit, so there is none to test; test the waves on its "
            "grid with method='adjoint'"
        )
    check_given(problem, survey)
    setting = settle(problem, survey, (survey,), unknown, L2() if misfit is None else misfit)
    chosen.check(setting)
    return chosen, setting, chosen.modelling(setting)


def _first_step(objective: Objective, move: Callable[[float], None]) -> float:
    """The step for which the relative change of m is at most `CHANGE`."""
    step, change = 1e-10, 0.0
    with torch.no_grad():
        before = objective.sample()
        while change <= CHANGE / 100:
            step *= 10.0
            move(step)
            change = float(((objective.sample() - before).abs() / before).max())
    return step * CHANGE / change


def _medium(setting: Setting, modelling: Modelling, generator: np.random.Generator) -> Real:
    """m of the start model with random changes of up to a tenth where it is free, `(grid.size,)`."""
    start = GridParametrisation(setting.velocity, setting.domain, modelling.grid)
    m = start.start_mean(modelling.grid.points, modelling.grid.spacing)
    return np.asarray(m * (1 + 0.1 * _roughness(setting, modelling, generator)))


def _roughness(setting: Setting, modelling: Modelling, generator: np.random.Generator) -> Real:
    """A random function on the nodes, between −1 and 1, smooth over a few of them and 0 where m is not free."""
    grid = modelling.grid
    values = gaussian_filter(generator.standard_normal(grid.shape), CELLS, mode="nearest").ravel()
    values = values * setting.velocity.free(setting.domain.inward(grid.points))
    return np.asarray(values / np.abs(values).max())


def _derivative(modelling: Modelling, medium: Real, change: Real, data: NDArray) -> NDArray:
    """The derivative of the data along a change of m, by differences of order eight."""

    def at(step: float) -> NDArray:
        return modelling.forward(medium + step * change).data

    speed = np.linalg.norm(at(SMALL) - data) / (SMALL * np.linalg.norm(data))
    step = min(FURTHEST, REACH / float(speed))
    differences = [at(k * step) - at(-k * step) for k in range(1, len(EIGHTH) + 1)]
    return np.tensordot(EIGHTH, np.stack(differences), axes=1) / step


def _heard(
    problem: Problem,
    survey: Survey,
    ends: tuple[Real, Real],
    unknown: Velocity | None,
    method: Any,
    seed: int,
) -> tuple[NDArray, Modelling]:
    """The data of unit point sources at receivers, and their engine; `ends` are the positions of both."""
    sources, receivers = ends
    shape = len(sources), len(receivers)
    if survey.band:
        data: Recorded = {"data": np.ones((len(survey.band), *shape), complex), "wavelet": 1.0}
    else:
        data = {"traces": np.ones((*shape, len(survey.times)))}
    swapped = survey.replace(sources=sources, receivers=receivers, weights=None, source_variance=0.0, **data)
    _, setting, modelling = _settled(problem, swapped, unknown, method, None)
    medium = _medium(setting, modelling, np.random.default_rng(seed))
    return modelling.forward(medium).data, modelling
