"""Holds an inversion against the truth where it is known, against a classical one, and its waves against a finer grid."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from skimage.metrics import structural_similarity

from neurapde.conditions import Dirichlet
from neurapde.core.formatting import listing, number
from neurapde.fields.medium import Field
from neurapde.reference_solvers.averaging import cell_average
from neurapde.reference_solvers.grid import Grid
from neurapde.seismic.inversion.invert import METHODS
from neurapde.seismic.inversion.methods.method import InversionMethod
from neurapde.seismic.inversion.objective import Objective
from neurapde.seismic.inversion.result import Inversion
from neurapde.seismic.modelling.base import Forward
from neurapde.seismic.modelling.grid_modelling import GridModelling, angular_frequencies
from neurapde.validation.inversion_findings import (
    ELSEWHERE,
    MODEL_ERROR,
    RESIDUAL,
    SIMILARITY,
    SPEED_ERROR,
    Account,
    Measures,
    Waves,
)
from neurapde.validation.metrics import relative_l2

PER_WAVELENGTH, NODES = 20.0, 150_000
"""Nodes of the finer grid in the shortest wavelength of the start model, and altogether: the coarser of both."""
QUANTILES = (0.15, 0.5, 0.85)
"""Wells stand where these parts of all change of the model lie to their left."""
SURFACE = 0.15
"""Where all sources and receivers are in this part of the model, at its lower y, y is a depth."""


def short_name(method: InversionMethod) -> str:
    """What `invert(method=…)` calls it."""
    return next(
        (name for name, kind in METHODS.items() if kind is type(method)), type(method).__name__.lower()
    )


def findings(inversion: Inversion, classical: Inversion | None, truth: Field | None) -> dict[str, Any]:
    """The fields of `InversionFindings`, notes apart from what the caller knows."""
    setting, survey = inversion.setting, inversion.survey
    grid, _ = inversion.model()
    start = inversion.unknown.start(grid.points).reshape(grid.shape) ** -0.5
    true = None if truth is None else np.asarray(truth(grid.points)).reshape(grid.shape)
    free = setting.velocity.free(grid.points).reshape(grid.shape)
    judge = Judge(inversion) if survey.band else None
    runs = {short_name(inversion.method): inversion}
    if classical is not None:
        name = short_name(classical.method)
        runs[f"classical {name}" if name in runs else name] = classical
    forwards = {name: None if judge is None else judge.of(run) for name, run in runs.items()}
    accounts = {
        name: _account(run, grid, true, truth, start, free, judge, forwards[name])
        for name, run in runs.items()
    }
    speed = next(iter(accounts.values())).speed
    waves = None if judge is None else judge.waves(inversion, forwards[short_name(inversion.method)])
    return {
        "title": setting.survey.name,
        "survey": str(setting.survey),
        "model": f"{setting.domain.describe()}\n{_velocity(inversion)}",
        "accounts": accounts,
        "yardsticks": _yardsticks(inversion, judge, start, true, truth, free),
        "axes": grid.axes,
        "start": start,
        "truth": true,
        "free": free,
        "sources": setting.survey.sources,
        "receivers": setting.survey.receivers,
        "downwards": _downwards(inversion),
        "wells": _wells(grid, (speed if true is None else true) - start, free),
        "observed": survey.record.values,
        "frequencies": np.array(survey.band),
        "times": np.zeros(0) if survey.band else survey.times,
        "live": survey.live,
        "waves": waves,
    }


class Judge:
    """A grid that is finer than most methods work on, in which all models are asked for the data of the last stage."""

    def __init__(self, inversion: Inversion) -> None:
        setting, self.survey = inversion.setting, inversion.survey
        self.domain = setting.domain
        shortest = 2 * math.pi * setting.start[0] / float(angular_frequencies(self.survey).max())
        area = float(np.prod(self.domain.box.extents))
        spacing = max(shortest / PER_WAVELENGTH, math.sqrt(area / NODES))
        self.modelling = GridModelling(self.survey, self.domain, setting.start, spacing)
        self.objective = Objective(self.modelling, inversion.unknown, self.survey, setting.misfit)

    @property
    def grid(self) -> Grid:
        """Its grid."""
        return self.modelling.grid

    def of(self, inversion: Inversion) -> Forward:
        """Data and waves in the model of an inversion."""
        with torch.no_grad():
            return self._scaled(inversion.unknown.sampler(self.grid.points, self.grid.spacing)().numpy())

    def of_field(self, speed: Field) -> Forward:
        """Data and waves in a known model."""
        domain = self.domain

        def slowness_squared(points: NDArray) -> NDArray:
            return np.asarray(speed(domain.inward(points)), dtype=float) ** -2.0

        return self._scaled(cell_average(slowness_squared, self.grid).ravel())

    def _scaled(self, slowness_squared: NDArray) -> Forward:
        found = self.modelling.forward(slowness_squared)
        assert found.fields is not None
        data, scales = self.objective.scaled(torch.from_numpy(found.data))
        return Forward(data.numpy(), found.fields * scales.numpy()[..., None, None], None)

    def residual(self, forward: Forward) -> float:
        """‖√w(p − d)‖ / ‖√w d‖."""
        root = np.sqrt(self.survey.weights)
        return relative_l2(root * forward.data, root * self.survey.data)

    def waves(self, inversion: Inversion, forward: Forward | None) -> Waves | None:
        """The middle shot at the highest frequency, in the region of the model."""
        if inversion.fields is None or forward is None:
            return None
        assert forward.fields is not None
        shot = self.survey.shots // 2
        inside, axes = [], []
        for axis, low, high in zip(inversion.grid.axes, *self.domain.region.bounds, strict=True):
            slack = 1e-9 * (high - low)
            inside.append((axis >= low - slack) & (axis <= high + slack))
            axes.append(axis[inside[-1]])
        own = inversion.fields[-1, shot][np.ix_(*inside)]
        field = forward.fields[-1, shot]
        real, imaginary = (
            RectBivariateSpline(*self.grid.axes, part)(*axes) for part in (field.real, field.imag)
        )
        grid = real + 1j * imaginary
        title = (
            f"waves of shot {shot + 1} at {number(float(self.survey.frequencies[-1]))} Hz (difference "
            f"{100 * relative_l2(own, grid):.2g} % in relative L2)"
        )
        return Waves(tuple(axes), own, grid, title, tuple(self.survey.sources[shot].tolist()))


def _account(
    run: Inversion,
    grid: Grid,
    true: NDArray | None,
    truth: Field | None,
    start: NDArray,
    free: NDArray,
    judge: Judge | None,
    forward: Forward | None,
) -> Account:
    speed = np.asarray(run(grid.points)).reshape(grid.shape)
    measures = {RESIDUAL: run.residual}
    if judge is not None and forward is not None:
        measures[ELSEWHERE] = judge.residual(forward)
    measures |= _model_measures(speed, start, true, free)
    if truth is not None and MODEL_ERROR in measures:
        measures[MODEL_ERROR] = run.model_error(truth)  # by cells: an edge counts as what waves see of it
    ends = np.cumsum([len(stage.history) for stage in run.stages]) - 1
    return Account(
        method=run.method.describe(),
        status=str(run.status),
        seconds=run.seconds,
        parameters=run.unknown.parameter_count,
        speed=speed,
        predicted=run.predicted,
        measures=measures,
        history=run.history,
        ends=tuple(int(end) for end in ends),
        notes=run.notes,
    )


def _model_measures(
    speed: NDArray, start: NDArray, true: NDArray | None, free: NDArray
) -> Mapping[str, float]:
    """Errors where the velocity was unknown; the structural similarity of speeds, in windows of 7² nodes."""
    if true is None:
        return {}
    found, wanted, first = (values**-2.0 for values in (speed, true, start))
    away = float(np.linalg.norm(wanted - first))
    measures = {SPEED_ERROR: float(np.sqrt(np.mean((speed - true)[free] ** 2)))}
    if away > 0:
        measures[MODEL_ERROR] = float(np.linalg.norm(found - wanted)) / away
    span = float(np.ptp(true))
    if span > 0 and min(true.shape) >= 7:
        _, local = structural_similarity(speed, true, data_range=span, full=True)  # type: ignore[no-untyped-call]
        measures[SIMILARITY] = float(np.mean(local[free]))
    return measures


def _yardsticks(
    inversion: Inversion,
    judge: Judge | None,
    start: NDArray,
    true: NDArray | None,
    truth: Field | None,
    free: NDArray,
) -> dict[str, Measures]:
    """What the start model and the truth themselves score."""
    found: dict[str, Measures] = {}
    if judge is not None:
        found["start model"] = {ELSEWHERE: judge.residual(judge.of_field(inversion.setting.velocity.start))}
    if true is not None:
        found["start model"] = {**found.get("start model", {}), **_model_measures(start, start, true, free)}
    if judge is not None and truth is not None:
        found["true model"] = {ELSEWHERE: judge.residual(judge.of_field(truth))}
    return found


def _wells(grid: Grid, change: NDArray, free: NDArray) -> tuple[float, ...]:
    """Where along x the model changed."""
    energy = np.cumsum(np.where(free, change**2, 0.0).sum(axis=1))
    if energy[-1] == 0:
        energy = np.cumsum(free.sum(axis=1).astype(float))
    columns = np.searchsorted(energy, np.array(QUANTILES) * energy[-1])
    return tuple(float(grid.axes[0][column]) for column in columns)


def _downwards(inversion: Inversion) -> bool:
    """Whether y is a depth: its lower side is a free surface, or all shots and receivers are near it."""
    survey, domain = inversion.setting.survey, inversion.setting.domain
    lower, upper = domain.region.bounds
    lowest = domain.box.faces[2]
    held = [part for part in domain.boundary if isinstance(part, Dirichlet)]
    if any(lowest in domain.box.check_faces(part.on, "the condition") for part in held):
        return True
    deepest = max(survey.sources[:, 1].max(), survey.receivers[:, 1].max())
    return bool(deepest <= lower[1] + SURFACE * (upper[1] - lower[1]))


def _velocity(inversion: Inversion) -> str:
    velocity = inversion.setting.velocity
    assert velocity.bounds is not None
    low, high = map(number, velocity.bounds)
    priors = [f"{prior.name} of weight {number(prior.weight)}" for prior in velocity.prior]
    return f"speed between {low} and {high}; prior: {listing(priors) if priors else 'none'}"
