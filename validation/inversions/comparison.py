"""Comparison of an inversion with the truth if known, with a classical inversion, and of its waves with a finer grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import RectBivariateSpline
from skimage.metrics import structural_similarity

from neurapde.core.formatting import number, percent
from neurapde.fields.medium import Field
from neurapde.reference_solvers.grids.averaging import cell_average
from neurapde.seismic.inversion.invert import METHODS
from neurapde.seismic.inversion.methods.method import InversionMethod
from neurapde.seismic.inversion.objective import Objective
from neurapde.seismic.inversion.result import Inversion
from neurapde.seismic.modelling.base import Forward
from neurapde.seismic.modelling.grid_modelling import GridModelling, angular_frequencies
from neurapde.storage import hdf5
from neurapde.training.run.history import History
from neurapde.validation.metrics import relative_l2
from neurapde.validation.pages.made import how_made

Measures = Mapping[str, float]
"""Name of a measure → value; unknown ones are absent."""
RESIDUAL, ELSEWHERE = "data residual", "data residual, fine grid"
MODEL_ERROR, SPEED_ERROR, SIMILARITY = "model error", "RMS speed error", "similarity"
COLUMNS = (RESIDUAL, ELSEWHERE, MODEL_ERROR, SPEED_ERROR, SIMILARITY)
"""Measures in the order of the table."""
_SAID = {SPEED_ERROR: "RMS speed error", SIMILARITY: "structural similarity"}
PER_FREQUENCY = "residual at "
"""Prefix of history columns of single frequencies."""
PER_WAVELENGTH, NODES = 20.0, 150_000
"""Nodes of the finer grid in the shortest wavelength of the start model, and altogether: the coarser of both."""


@dataclass(frozen=True, eq=False)
class Account:
    """The result of one method.

    method: in one line. status: at the end. seconds: of all stages. parameters: the number of unknowns.
    speed: on the report's grid. predicted: data of the last stage, shaped like the observed.
    measures: see `COLUMNS`. history: of all stages. ends: last row of each stage. notes: of the inversion.
    """

    method: str
    status: str
    seconds: float
    parameters: int
    speed: NDArray[np.float64]
    predicted: NDArray
    measures: Measures
    history: History
    ends: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Waves:
    """One shot's field at one frequency, by a method and by the fine grid in the same model, `(nx, ny)`."""

    axes: tuple[NDArray[np.float64], ...]
    own: NDArray[np.complex128]
    grid: NDArray[np.complex128]
    title: str
    source: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class InversionComparison:
    """An inversion compared with known models and with a classical inversion.

    title: of the survey. survey, model: as they print. accounts: by the method's short name, the inversion itself first.
    yardsticks: measures of the start model and, if known, of the true one.
    axes: coordinates of the report's grid. start, truth: speeds on it; free: where the speed was unknown.
    sources, receivers: `(n, 2)`. downwards: whether y is a depth. wells: x of the vertical profiles.
    deviation: posterior, of the found speed, `(nx, ny)`, if computed; sure: its description, in one line.
    observed: of the last stage. frequencies: its, Hz, empty for traces. times: of traces. live: `(S, R)`.
    surface: the topography `(n, 2)`, or None.
    waves: of one shot, or None. notes: for the reader of the numbers. made: when, and by which command.
    """

    title: str
    survey: str
    model: str
    accounts: Mapping[str, Account]
    yardsticks: Mapping[str, Measures]
    axes: tuple[NDArray[np.float64], ...]
    start: NDArray[np.float64]
    truth: NDArray[np.float64] | None
    free: NDArray[np.bool_]
    sources: NDArray[np.float64]
    receivers: NDArray[np.float64]
    downwards: bool
    wells: tuple[float, ...]
    observed: NDArray
    frequencies: NDArray[np.float64]
    times: NDArray[np.float64]
    live: NDArray[np.bool_]
    waves: Waves | None
    notes: tuple[str, ...]
    versions: Mapping[str, str] = field(default_factory=hdf5.versions)
    made: Mapping[str, str] = field(default_factory=how_made)
    deviation: NDArray[np.float64] | None = None
    sure: str = ""
    surface: NDArray[np.float64] | None = None

    @property
    def first(self) -> Account:
        """The requested inversion."""
        return next(iter(self.accounts.values()))

    @property
    def measures(self) -> Measures:
        """Its measures."""
        return self.first.measures

    @property
    def headline(self) -> str:
        """The outcome in one sentence."""
        measures = self.measures
        text = f"The model explains the data to {percent(measures[RESIDUAL])}"
        if MODEL_ERROR not in measures:
            return f"{text}; the true model is not known."
        start = self.yardsticks.get("start model", {})
        rest = [f"model error {measures[MODEL_ERROR]:.3f} (1 for the start model)"]
        for name, digits in ((SPEED_ERROR, ".3g"), (SIMILARITY, ".3f")):
            if name in measures:
                beside = f" ({start[name]:{digits}})" if name in start else ""
                rest.append(f"{_SAID[name]} {measures[name]:{digits}}{beside}")
        return f"{text}; {', '.join(rest)}."

    @property
    def off(self) -> NDArray[np.float64] | None:
        """|found − true| in posterior deviations `(nx, ny)`, NaN where the speed was known; None if one is missing."""
        if self.deviation is None or self.truth is None:
            return None
        free = self.free & (self.deviation > 0)
        safe = np.where(free, self.deviation, 1.0)
        return np.where(free, np.abs(self.first.speed - self.truth) / safe, np.nan)

    @property
    def certainty(self) -> str:
        """One or two sentences on the deviation, or nothing."""
        if self.deviation is None:
            return ""
        text = f"Posterior deviation: {self.sure}."
        if self.off is None:
            return text
        within = float(np.mean(self.off[np.isfinite(self.off)] <= 2))
        return f"{text} Within two of them of the truth lie {percent(within)} of the nodes, of 95 % in the mean of many."

    @property
    def table(self) -> list[list[str]]:
        """A row for each method and yardstick, the first row the headings."""
        everything: dict[str, Measures] = {name: a.measures for name, a in self.accounts.items()}
        everything |= self.yardsticks
        columns = [name for name in COLUMNS if any(name in measures for measures in everything.values())]
        rows = [["model", *columns, "seconds"]]
        for name, measures in everything.items():
            seconds = f"{self.accounts[name].seconds:.1f}" if name in self.accounts else ""
            rows.append([name, *(_cell(column, measures) for column in columns), seconds])
        return rows


def _cell(column: str, measures: Measures) -> str:
    if column not in measures:
        return ""
    if column in (RESIDUAL, ELSEWHERE):
        return percent(measures[column])
    return f"{measures[column]:.3g}"


def measured(inversion: Inversion, classical: Inversion | None, truth: Field | None) -> dict[str, Any]:
    """The fields of `InversionComparison` that are measured: accounts, yardsticks, models and waves."""
    models = Models(inversion, truth)
    runs = {short_name(inversion.method): inversion}
    if classical is not None:
        name = short_name(classical.method)
        runs[f"classical {name}" if name in runs else name] = classical
    accounts, waves = {}, None
    yardsticks: dict[str, dict[str, float]] = {"start model": {}, "true model": {}}
    if not inversion.survey.band:
        accounts = {name: models.account(run, {}) for name, run in runs.items()}
    else:
        judge = FineGrid(inversion)
        for name, run in runs.items():
            forward = judge.of(run)
            accounts[name] = models.account(run, {ELSEWHERE: judge.residual(forward)})
            waves = judge.waves(run, forward) if run is inversion else waves
        for name, known in (("start model", inversion.setting.velocity.start), ("true model", truth)):
            if known is not None:
                yardsticks[name][ELSEWHERE] = judge.residual(judge.of_field(known))
    yardsticks["start model"] |= models.measures(models.start)
    return {
        "accounts": accounts,
        "yardsticks": {name: measures for name, measures in yardsticks.items() if measures},
        "axes": models.grid.axes,
        "start": models.start,
        "truth": models.true,
        "free": models.free,
        "waves": waves,
    }


def short_name(method: InversionMethod) -> str:
    """The name of a method in `invert(method=…)`."""
    return next(
        (name for name, kind in METHODS.items() if kind is type(method)), type(method).__name__.lower()
    )


class Models:
    """Speeds on the grid of an inversion: `start`, `true` if known, and `free`, where the speed was unknown."""

    def __init__(self, inversion: Inversion, truth: Field | None) -> None:
        self.grid, _ = inversion.model()
        self.truth = truth
        points, shape = self.grid.points, self.grid.shape
        self.start = inversion.unknown.start(points).reshape(shape) ** -0.5
        lowered = inversion.setting.domain.inward(points)
        self.true = None if truth is None else np.asarray(truth(lowered)).reshape(shape)
        self.free = inversion.setting.velocity.free(points).reshape(shape)
        if (topography := inversion.setting.domain.topography) is not None:
            self.free &= topography.below(points).reshape(shape) > 0

    def measures(self, speed: NDArray) -> dict[str, float]:
        """Errors where the velocity was unknown; the structural similarity of speeds, in windows of 7² nodes."""
        true, free = self.true, self.free
        if true is None:
            return {}
        away = float(np.linalg.norm(true**-2.0 - self.start**-2.0))
        measures = {SPEED_ERROR: float(np.sqrt(np.mean((speed - true)[free] ** 2)))}
        if away > 0:
            measures[MODEL_ERROR] = float(np.linalg.norm(speed**-2.0 - true**-2.0)) / away
        span = float(np.ptp(true))
        if span > 0 and min(true.shape) >= 7:
            _, local = structural_similarity(speed, true, data_range=span, full=True)  # type: ignore[no-untyped-call]
            measures[SIMILARITY] = float(np.mean(local[free]))
        return measures

    def account(self, run: Inversion, elsewhere: Measures) -> Account:
        """The result of one method on this grid."""
        speed = np.asarray(run(self.grid.points)).reshape(self.grid.shape)
        measures = {RESIDUAL: run.residual, **elsewhere, **self.measures(speed)}
        if self.truth is not None and MODEL_ERROR in measures:
            # By cells: an edge counts as what waves see of it.
            measures[MODEL_ERROR] = run.model_error(self.truth)
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


class FineGrid:
    """A grid finer than that of most methods, on which the data of the last stage are computed for all models."""

    def __init__(self, inversion: Inversion) -> None:
        setting, self.survey = inversion.setting, inversion.survey
        self.domain = setting.domain
        shortest = 2 * math.pi * setting.start[0] / float(angular_frequencies(self.survey).max())
        area = float(np.prod(self.domain.box.extents))
        spacing = max(shortest / PER_WAVELENGTH, math.sqrt(area / NODES))
        self.modelling = GridModelling(self.survey, self.domain, setting.start, spacing)
        self.grid = self.modelling.grid
        self.objective = Objective(self.modelling, inversion.unknown, self.survey, setting.misfit)

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
        data, _, fields = self.objective.fitted(self.modelling.forward(slowness_squared))
        return Forward(data, fields, None)

    def residual(self, forward: Forward) -> float:
        """‖√w(p − d)‖ / ‖√w d‖."""
        root = np.sqrt(self.survey.weights)
        return relative_l2(root * forward.data, root * self.survey.data)

    def waves(self, inversion: Inversion, forward: Forward) -> Waves | None:
        """The middle shot at the highest frequency, in the region of the model."""
        if inversion.fields is None:
            return None
        shot = self.survey.shots // 2
        inside, axes = [], []
        for axis, low, high in zip(inversion.grid.axes, *self.domain.region.bounds, strict=True):
            slack = 1e-9 * (high - low)
            inside.append((axis >= low - slack) & (axis <= high + slack))
            axes.append(axis[inside[-1]])
        method_waves = inversion.fields[-1, shot][np.ix_(*inside)]
        field = forward.fields[-1, shot]
        real, imaginary = (
            RectBivariateSpline(*self.grid.axes, component)(*axes) for component in (field.real, field.imag)
        )
        grid = real + 1j * imaginary
        title = (
            f"waves of shot {shot + 1} at {number(float(self.survey.band[-1]))} Hz (difference "
            f"{100 * relative_l2(method_waves, grid):.2g} % in relative L2)"
        )
        return Waves(tuple(axes), method_waves, grid, title, tuple(self.survey.sources[shot].tolist()))
