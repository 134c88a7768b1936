"""Whether an inversion's own mathematics can be believed: its gradient, its adjoint, its waves.

Three measurements of the engine that a method of `invert` works with, each against what theory says it must be. They
take the arguments of `invert` and call nothing of its loop: a gradient that passes is right, whatever is done with it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.seismic.inversion.invert import as_method, check_planar, settle
from neurapde.seismic.inversion.methods.method import InversionMethod, Setting
from neurapde.seismic.inversion.methods.reduced import EngineMethod
from neurapde.seismic.inversion.misfits import L2, Misfit
from neurapde.seismic.inversion.objective import Objective
from neurapde.seismic.inversion.parametrisation import GridParametrisation, build_parametrisation
from neurapde.seismic.modelling.base import Modelling
from neurapde.seismic.survey.survey import Survey
from neurapde.validation.adjoint_findings import RATIO, DotTest, Reciprocity, TaylorTest

STEPS = 10
"""Steps of a Taylor test: total variation is smooth only in small ones."""
CHANGE = 0.01
"""Largest relative change of m by the first step."""
EIGHTH = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
"""Weights of the central difference of order eight at one to four steps."""
REACH, FURTHEST, SMALL = 0.006, 0.02, 1e-4
"""One of its steps: relative change of the data, and of m at most; and the step that finds it out."""
PLACES = 6
"""Shots and receivers at most that are swapped."""
NEAREST = 6.0
"""Nodes between shot and receiver below which the field is too singular to compare."""
CELLS = 3.0
"""Standard deviation, in nodes, of what makes the random changes of a medium smooth."""

Real = NDArray[np.float64]


def taylor_test(
    survey: Survey,
    *,
    domain: Domain,
    velocity: Any,
    method: str | InversionMethod = "reduced",
    boundary: Any = None,
    misfit: Misfit | None = None,
    seed: int = 0,
) -> TaylorTest:
    """Whether the objective's gradient is its derivative, along a direction half random and half its own.

    A random direction alone is nearly orthogonal to it, where an error of some percent drowns in the
    curvature. The arguments are those of `invert`; priors and the estimate of an unknown wavelet are part of what is tested.
    Raises: DeclarationError for a method that does not descend by a gradient.
    """
    checks.whole(seed, "seed", 0)
    chosen, setting = _settled(survey, domain, velocity, method, boundary, misfit)
    objective = _objective(chosen, setting, seed)
    start = [p.detach().clone() for p in objective.unknown.parameters()]
    value = objective().total
    before = float(value.detach())
    slopes = torch.autograd.grad(
        value, list(objective.unknown.parameters()), allow_unused=True, materialize_grads=True
    )
    direction = _direction(slopes, torch.Generator().manual_seed(seed))
    slope = sum(float((g * way).sum()) for g, way in zip(slopes, direction, strict=True))

    def move(step: float) -> None:
        with torch.no_grad():
            for p, at, way in zip(objective.unknown.parameters(), start, direction, strict=True):
                p.copy_(at + step * way)

    first = _first_step(objective, move)
    steps = tuple(first * RATIO**k for k in range(STEPS))
    remainders = []
    for step in steps:
        move(step)
        with torch.no_grad():
            remainders.append(abs(float(objective().total) - before - step * slope))
    return TaylorTest(before, steps, tuple(remainders))


def dot_test(
    survey: Survey,
    *,
    domain: Domain,
    velocity: Any,
    method: str | InversionMethod = "reduced",
    boundary: Any = None,
    seed: int = 0,
) -> DotTest:
    """Whether the engine's adjoint is the adjoint of its derivative: ⟨J δm, v⟩ = ⟨δm, Jᵀ v⟩ for random δm and v.

    J δm is by central differences of order eight of the data themselves, so that it shares nothing with the adjoint.
    The arguments are those of `invert`; the medium is the start model with random changes where it is free.
    Raises: DeclarationError for a method that does not descend by a gradient.
    """
    checks.whole(seed, "seed", 0)
    chosen, setting = _settled(survey, domain, velocity, method, boundary, None)
    modelling = chosen.modelling(setting)
    generator = np.random.default_rng(seed)
    medium = _medium(setting, modelling, generator)
    change = medium * _roughness(setting, modelling, generator)
    forward = modelling.forward(medium)
    derivative = _derivative(modelling, medium, change, forward.data)
    v = generator.standard_normal(forward.data.shape)
    if np.iscomplexobj(forward.data):
        v = v + 1j * generator.standard_normal(forward.data.shape)
    v = v / np.linalg.norm(v) + derivative / np.linalg.norm(derivative)
    return DotTest(float(np.vdot(v, derivative).real), float(change @ modelling.backward(forward, v)))


def reciprocity(
    survey: Survey,
    *,
    domain: Domain,
    velocity: Any,
    method: str | InversionMethod = "reduced",
    boundary: Any = None,
    seed: int = 0,
) -> Reciprocity:
    """Whether unit point sources at the shots heard at the receivers give the same data the other way round.

    The arguments are those of `invert`; up to 6 shots and receivers are drawn. Waves on a grid meet it up to their error.
    Raises: DeclarationError for a method that does not descend by a gradient, or where all shots and receivers are too near.
    """
    check_planar(survey)
    generator = np.random.default_rng(checks.whole(seed, "seed", 0))
    sources, receivers = (
        places[np.sort(generator.permutation(len(places))[:PLACES])]
        for places in (survey.sources, survey.receivers)
    )
    there, modelling = _heard(survey, sources, receivers, (domain, velocity, method, boundary), seed)
    back, _ = _heard(survey, receivers, sources, (domain, velocity, method, boundary), seed)
    if survey.data is None:
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
    survey: Survey, domain: Domain, velocity: Any, method: Any, boundary: Any, misfit: Misfit | None
) -> tuple[EngineMethod, Setting]:
    """The method and everything it needs, as `invert` would settle it."""
    chosen = as_method(method)
    if not isinstance(chosen, EngineMethod):
        raise DeclarationError(
            f"{type(chosen).__name__} does not go down a gradient of the data, so there is none to test; test the waves on "
            "its grid by method='adjoint'"
        )
    check_planar(survey)
    setting = settle(survey, (survey,), domain, velocity, boundary, L2() if misfit is None else misfit)
    chosen.check(setting)
    return chosen, setting


def _objective(method: EngineMethod, setting: Setting, seed: int) -> Objective:
    trial = setting.velocity.trial or method.default_trial(setting)
    generator = torch.Generator().manual_seed(seed)
    unknown = build_parametrisation(setting.velocity, setting.domain, trial, method.grid(setting), generator)
    return Objective(method.modelling(setting), unknown, setting.survey, setting.misfit)


def _direction(slopes: Sequence[torch.Tensor], generator: torch.Generator) -> list[torch.Tensor]:
    """Random numbers and the gradient, each of length one, added."""
    drawn = [torch.randn(slope.shape, generator=generator, dtype=slope.dtype) for slope in slopes]
    sizes = [math.sqrt(sum(float((part**2).sum()) for part in parts)) for parts in (drawn, slopes)]
    return [
        one / sizes[0] + (other / sizes[1] if sizes[1] else 0.0)
        for one, other in zip(drawn, slopes, strict=True)
    ]


def _first_step(objective: Objective, move: Callable[[float], None]) -> float:
    """The step by which m changes by `CHANGE` of it at most."""
    step = 1e-9
    with torch.no_grad():
        before = objective.sample()
        while True:
            move(step)
            change = float(((objective.sample() - before).abs() / before).max())
            if change > CHANGE / 100:
                return step * CHANGE / change
            step *= 10.0


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
    survey: Survey, sources: Real, receivers: Real, place: tuple[Any, ...], seed: int
) -> tuple[NDArray, Modelling]:
    """What unit point sources send to receivers, and the engine that says so; `place` is what `invert` is told of it."""
    domain, velocity, method, boundary = place
    changes: dict[str, Any] = {
        "sources": sources,
        "receivers": receivers,
        "weights": None,
        "source_variance": 0.0,
    }
    if survey.frequencies is not None:
        size = (len(survey.frequencies), len(sources), len(receivers))
        changes |= {"data": np.ones(size, complex), "wavelet": 1.0}
    else:
        changes["traces"] = np.ones((len(sources), len(receivers), len(survey.times)))
    chosen, setting = _settled(survey.replace(**changes), domain, velocity, method, boundary, None)
    modelling = chosen.modelling(setting)
    medium = _medium(setting, modelling, np.random.default_rng(seed))
    return modelling.forward(medium).data, modelling
