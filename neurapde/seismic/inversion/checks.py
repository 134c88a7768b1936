"""Checks before an inversion starts: nodes, layers, positions, the grid of the data, memory, skipped cycles.

They raise an error for what cannot work, warn of probable mistakes, and return sentences for the result's notes.
"""

import math
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.cost import duration
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import listing, number, point
from neurapde.core.memory import lacking, told
from neurapde.core.warn import warn
from neurapde.equations.helmholtz import REFLECTED
from neurapde.reference_solvers.grids.grid import ResolutionError
from neurapde.seismic.inversion.diagnosis import diagnosed
from neurapde.seismic.inversion.methods.cost import CostEstimate
from neurapde.seismic.inversion.methods.method import InversionMethod, Setting
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.survey.survey import Survey

ALIKE = 0.01
"""Spacings of two grids that differ by less than this part of one are the same."""


def preflight(method: InversionMethod, setting: Setting, stages: tuple[Survey, ...]) -> tuple[str, ...]:
    """Check an inversion before it starts; `stages` are its surveys in order.

    Returns sentences for the notes of the result.
    Raises: ResolutionError for a grid too coarse for the slowest speed that the bounds allow; DeclarationError for a layer
        too thin, or too little free memory. Warns: DeclarationWarning for settings that are possible but doubtful.
    """
    settings = [replace(setting, survey=survey) for survey in stages]
    costs = [method.cost(stage_setting) for stage_setting in settings]
    for stage_setting, cost in zip(settings, costs, strict=True):
        _check_nodes(stage_setting, cost)
    lowest = min(range(len(costs)), key=lambda index: (costs[index].band or (0.0,))[0])
    return (
        *_layers(settings[lowest], costs[lowest]),
        *_crime(setting.survey, costs),
        *_estimate(settings, costs),
        *diagnosed(settings),
    )


def check_executor(executor: Any, method: InversionMethod) -> None:
    """Refuse an object that is not an executor, or a method whose work cannot be divided."""
    way = "give a concurrent.futures.Executor, such as ProcessPoolExecutor(2), or None"
    checks.kind(executor, "executor", Executor | None, way)
    if executor is not None and (reason := method.undivided):
        raise DeclarationError(
            f"{type(method).__name__} cannot be divided into tasks for an executor: {reason}. Leave executor out, or "
            "use method='multiscale', 'adjoint' or 'reduced'"
        )


def check_places(survey: Survey, domain: ComputationalDomain) -> None:
    """Refuse shots and receivers where the field is damped or zero, or in the air.

    Raises: DeclarationError.
    """
    lower, upper = domain.region.bounds
    slack = 1e-9 * (upper - lower)
    for what, places in (("source", survey.sources), ("receiver", survey.receivers)):
        outside = ((places < lower - slack) | (places > upper + slack)).any(axis=1)
        if outside.any():
            raise DeclarationError(
                f"{_many(what, outside)} in the absorbing layer, where the field is damped, "
                f"{_first(what, places, outside)}; move them inside, widen the domain, or leave the layer out of "
                "boundary: a layer is then added around the domain"
            )
        for face, held in _on_fixed(places, domain).items():
            if held.any():
                raise DeclarationError(
                    f"{_many(what, held)} on {face}, where the field is zero, {_first(what, places, held)}; give their "
                    f"true distance from it, or npde.Neumann(0, on={face!r})"
                )
        if domain.topography is not None:
            domain.topography.check(places, what)


def _many(what: str, mask: NDArray[np.bool_]) -> str:
    count = int(mask.sum())
    return f"{count} of {len(mask)} {what}s {'lies' if count == 1 else 'lie'}"


def _first(what: str, places: NDArray, mask: NDArray[np.bool_]) -> str:
    row = int(np.flatnonzero(mask)[0])
    return f"for example {what}s[{row}] = {point(places[row].tolist())}"


def _on_fixed(places: NDArray, domain: ComputationalDomain) -> dict[str, NDArray[np.bool_]]:
    """The places on each side where the field is zero."""
    box = domain.box
    ends = [(axis, end) for axis, side in enumerate(box.sides) for end in side]
    return {
        face: np.abs(places[:, axis] - end) <= 1e-9 * box.extents[axis]
        for face, (axis, end) in zip(box.faces, ends, strict=True)
        if face in domain.sides.fixed
    }


def _check_nodes(setting: Setting, cost: CostEstimate) -> None:
    """Check the nodes in the shortest wavelength that the bounds allow."""
    if cost.band is None:
        return
    slowest, spacing, highest = setting.velocity.limits[0], max(cost.grid.spacing), cost.band[1]
    nodes = slowest / (highest * spacing)
    if nodes >= cost.doubtful * (1 - ALIKE):
        return
    way = (
        f"at {number(highest)} Hz, in the slowest speed that the bounds allow, {number(slowest)}, a wavelength has "
        f"{nodes:.2g} nodes of the grid, {number(spacing)} apart; use at least {cost.doubtful:g}, by spacing= or "
        f"per_wavelength= of the method, or a slowest bound of {number(float(f'{slowest * cost.doubtful / nodes:.3g}'))}"
    )
    if nodes < cost.refused * (1 - ALIKE):
        raise ResolutionError(f"{way}. Below {cost.refused:g} its waves are meaningless")
    warn(way, DeclarationWarning)


def _layers(setting: Setting, cost: CostEstimate) -> tuple[str, ...]:
    """Check width and reflection of the absorbing layer at the lowest frequency, for the fastest speed of the start
    model."""
    layer = setting.domain.pml
    if layer is None or cost.band is None:
        return ()
    lowest = cost.band[0]
    wavelength = setting.start[1] / lowest
    for side, width in layer.widths(setting.domain.box).items():
        reflection = layer.reflection_for(2 * math.pi / wavelength, side)
        thin, loud = width < wavelength / 2 * (1 - ALIKE), reflection > REFLECTED
        if not (thin or loud):
            continue
        half = number(float(f"{wavelength / 2:.3g}"))
        text = (
            f"Layer: at {number(lowest)} Hz the PML at {side}, {number(width)} wide, is {width / wavelength:.2g} "
            f"wavelengths and reflects |R| = {reflection:.1e}; use at least half a wavelength, {half}, with "
            "reflection=1e-3, or leave out boundary: layers are then added around the domain."
        )
        if thin and loud:
            raise DeclarationError(text)
        if loud:
            warn(text, DeclarationWarning)
        return (text,)
    return ()


def _crime(survey: Survey, costs: list[CostEstimate]) -> tuple[str, ...]:
    """An inverse crime: data made by the solver that inverts them, on a grid of the same spacing."""
    origin = survey.origin
    if origin is None:
        return ()
    for cost in costs:
        steps = cost.grid.spacing
        if origin.solver == cost.solver and np.allclose(origin.spacing, steps, rtol=ALIKE, atol=0):
            text = (
                f"Inverse crime: the data were made by the same solver ({origin.solver}) at the same spacing of nodes, "
                f"{number(max(steps))}, as the inversion's: its errors cancel, and the result is better than it would "
                "be for field data. Simulate with another shape=, or invert with another spacing=."
            )
            warn(text, DeclarationWarning)
            return (text,)
    return ()


def _estimate(settings: list[Setting], costs: list[CostEstimate]) -> tuple[str, ...]:
    """Estimate memory and time; refuse an inversion that needs more memory than is free."""
    needed = max(range(len(costs)), key=lambda index: costs[index].memory)
    heaviest, band = costs[needed], settings[needed].survey.band
    stage = "" if not band else f" at {listing(number(f) for f in band)} Hz"
    if free := lacking(heaviest.memory):
        raise DeclarationError(
            f"the stage{stage} needs about {told(heaviest.memory)} ({heaviest.work}), but only {free} are free; invert "
            "fewer frequencies at a time (npde.seismic.Continuation), fewer shots (survey.select), a smaller domain, "
            "or use a coarser grid (spacing=, per_wavelength= or bandwidth= of the method)"
        )
    if not heaviest.seconds:
        return ()
    total = sum(cost.seconds * cost.steps for cost in costs)
    steps = sum(cost.steps for cost in costs)
    return (
        f"CostEstimate: about {told(heaviest.memory)}, and {heaviest.seconds:.2g} s of a core for a step ({heaviest.work}); "
        f"{duration(total)} for {steps} steps.",
    )
