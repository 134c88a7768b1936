"""The result of an inversion: the velocity as a field, the predicted data, its waves and the record of the run."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from neurapde.core import checks, pictures
from neurapde.core.arrays import Array, as_points, to_numpy
from neurapde.core.gradients import differentiating
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Field
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.files import Contents, Declared, read, rebuilt, write
from neurapde.seismic.inversion.latent import Latent
from neurapde.seismic.inversion.parametrisation import Parametrisation
from neurapde.seismic.inversion.velocity import Gridded, Velocity, true_speed
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.models.model_files import write_model
from neurapde.seismic.survey.geometry import is_depth
from neurapde.seismic.survey.survey import Survey
from neurapde.training.run.history import History
from neurapde.training.run.method import Status
from neurapde.trials.base import Trial

COMPARED, WITHIN = 100, 5
"""Cells along the longer side of a region over which models are averaged and compared; points within one, per axis."""
SURFACE = 401
"""Points of a topography in pictures."""
CELLS = 200
"""Cells along the longer side of a region on which models are compared, unless a shape is given."""

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Posterior(ABC):
    """The posterior of a speed for a report; `npde.seismic.uncertainty` makes one."""

    @property
    @abstractmethod
    def survey(self) -> Survey:
        """The survey of its data."""

    @abstractmethod
    def deviation_at(self, points: np.ndarray) -> np.ndarray:
        """The posterior deviation of the speed `(n,)` at points `(n, 2)`; `str(posterior)` describes it."""


@dataclass(frozen=True, eq=False)
class FoundSpeed(Field):
    """The speed c of an inversion: points `(n, 2)` to `(n,)`; outside its region, that of the edge.

    It has all its parts, so that an inversion that starts from it can be stored. velocity, domain: as declared.
    trial, nodes: see `Declared`. parameters: arrays by name.
    """

    velocity: Velocity
    domain: ComputationalDomain
    trial: Trial | Gridded | Latent
    nodes: Any
    parameters: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, inversion: Contents) -> "FoundSpeed":
        """The present speed of an inversion."""
        setting, unknown = inversion.setting, inversion.unknown
        declared = Declared.of(setting, inversion.method, unknown)
        parameters = {
            name: tensor.detach().cpu().numpy().copy() for name, tensor in unknown.state_dict().items()
        }
        return cls(setting.velocity, setting.domain, declared.trial, declared.nodes, parameters)

    @cached_property
    def unknown(self) -> Parametrisation:
        """The parametrisation with these parameters."""
        made = rebuilt(self.velocity, self.domain, self.trial, self.nodes)
        made.load_state_dict({name: torch.from_numpy(values) for name, values in self.parameters.items()})
        return made

    def __call__(self, points: Array) -> Array:
        if isinstance(points, torch.Tensor):
            return torch.from_numpy(self(points.detach().cpu().numpy())).to(points)
        return self.unknown.at(as_points(points, 2)) ** -0.5

    def describe(self) -> str:
        return "a velocity found by inversion"


@dataclass(frozen=True, eq=False)
class Inversion(Contents):
    """The result of `npde.invert`; see `Contents` for its fields."""

    def __call__(self, points: Array) -> Array:
        """The speed c at points `(n, 2)`, NumPy or torch: `(n,)`."""
        return self.speed(points)

    @property
    def speed(self) -> Field:
        """The found velocity, as a medium for any Problem."""
        return FoundSpeed.of(self)

    def slowness_squared(self, points: np.ndarray) -> np.ndarray:
        """m = 1/c² at points `(n, 2)`: `(n,)`."""
        return self.unknown.at(to_numpy(as_points(points, 2)))

    @property
    def status(self) -> Status:
        """How the last stage ended."""
        return self.stages[-1].status

    @property
    def survey(self) -> Survey:
        """The survey of the last stage."""
        frequencies, whole = self.stages[-1].frequencies, self.setting.survey
        if not frequencies:
            return whole
        return self.method.heard(whole.select(frequencies=frequencies), self.setting)

    @property
    def history(self) -> History:
        """All rows of all stages."""
        return History.joined(stage.history for stage in self.stages)

    @property
    def seconds(self) -> float:
        """Time spent in the stages."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def residual(self) -> float:
        """‖√w(p − d)‖ / ‖√w d‖ over the data of the last stage."""
        survey = self.survey
        observed, weights = survey.record.values, survey.record.spread(survey.weights)
        error = np.sum(weights * np.abs(self.predicted - observed) ** 2)
        return float(np.sqrt(error / np.sum(weights * np.abs(observed) ** 2)))

    def model(self, shape: tuple[int, int] | None = None) -> tuple[Grid, np.ndarray]:
        """The region's grid and the speed on its nodes `(nx, ny)`."""
        region, shape = self.setting.domain.region, Gridded(shape).shape
        if shape is None:
            step = max(region.extents) / CELLS
            nx, ny = (max(3, round(extent / step) + 1) for extent in region.extents)
            shape = (nx, ny)
        lower, upper = (corner.tolist() for corner in region.bounds)
        grid = Grid(lower, upper, shape)
        return grid, np.asarray(self(grid.points)).reshape(shape)

    def export(self, path: str | PathLike[str], shape: tuple[int, int] | None = None) -> Path:
        """Write the speed on the nodes of `model(shape)` for other programs: .sgy, .rsf, .bin, .npy, .h5 or .vti.

        `npde.seismic.read_model` reads it; `save` stores the whole inversion.
        """
        grid, speed = self.model(shape)
        return write_model(checks.path(path), GridField(speed, (tuple(grid.lower), tuple(grid.upper))))

    @property
    def downwards(self) -> bool:
        """Whether y is a depth: its lower side is a free surface, or all shots and receivers are near it."""
        survey, domain = self.setting.survey, self.setting.domain
        if domain.topography is not None:
            return domain.topography.ground > 0
        free = domain.box.faces[2] in domain.sides.fixed
        return free or is_depth(survey.sources, survey.receivers, domain.region)

    def plot(
        self, ax: "Axes | None" = None, *, change: bool = False, shape: tuple[int, int] | None = None
    ) -> "Axes":
        """Draw the found speed, with sources (crosses) and receivers (dots); a depth is drawn downwards.

        change: whether to draw the change from the start model instead, from blue to red with zero in the middle.
        shape: nodes of each axis.
        ax: axes of matplotlib to draw into; None for a new figure. Returns the axes.
        """
        checks.flag(change, "change")
        grid, speed = self.model(shape)
        survey = self.setting.survey
        if change:
            speed = speed - self.unknown.start(grid.points).reshape(grid.shape) ** -0.5
        return pictures.surveys.model(
            pictures.panels.axes_of(ax),
            dict(zip(self.setting.domain.region.axes, grid.axes, strict=True)),
            speed,
            label="speed − start" if change else "speed",
            title=f"{survey.name}, {type(self.method).__name__}",
            sources=survey.sources,
            receivers=survey.receivers,
            downwards=self.downwards,
            surface=self.surface,
        )

    @property
    def surface(self) -> np.ndarray | None:
        """The topography across the region as points `(n, 2)`; None where the surface is a side."""
        topography, ((left, right), _) = self.setting.domain.topography, self.setting.domain.region.sides
        if topography is None:
            return None
        x = np.linspace(left, right, SURFACE)
        return np.stack([x, topography.height(x)], axis=1)

    def model_error(self, true: Any, cells: int = COMPARED) -> float:
        """‖m − m*‖ / ‖m* − m_start‖ over cells of the region, m = 1/c² averaged in each: 1 for the start, 0 for the
        truth.

        Both models are averaged over the same cells, so an edge within a cell counts as waves resolve it.

        true: the true speed, as a field or a function of points. cells: along the longer side of the region.
        """
        region = self.setting.domain.region
        checks.whole(cells, "cells")
        known = true_speed(true, region)
        counts = [max(1, round(cells * extent / max(region.extents))) for extent in region.extents]
        axes = [
            a + (b - a) * (np.arange(n * WITHIN) + 0.5) / (n * WITHIN)
            for (a, b), n in zip(region.sides, counts, strict=True)
        ]
        points = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)

        def mean(values: np.ndarray) -> np.ndarray:
            return np.asarray(values.reshape(counts[0], WITHIN, counts[1], WITHIN).mean(axis=(1, 3)))

        truth = mean(np.asarray(known(points)) ** -2.0)
        recovered, start = mean(self.slowness_squared(points)), mean(self.unknown.start(points))
        if (topography := self.setting.domain.topography) is not None:
            ground = mean((topography.below(points) > 0).astype(float))
            truth, recovered, start = truth * ground, recovered * ground, start * ground
        return float(np.linalg.norm(recovered - truth) / np.linalg.norm(truth - start))

    def save(self, path: str | PathLike[str]) -> None:
        """Write everything to an HDF5 file, in one step; `Inversion.load` reads it."""
        write(checks.path(path), self)

    @classmethod
    @differentiating()
    def load(cls, path: str | PathLike[str]) -> Self:
        """The inversion that `save` wrote.

        Raises: FileNotFoundError, StorageError; DeclarationError if a Python function of the declaration is missing.
        """
        inversion = read(checks.path(path))
        return cls(**{item.name: getattr(inversion, item.name) for item in fields(inversion)})

    def __str__(self) -> str:
        low, high = (f(self.model()[1]) for f in (np.min, np.max))
        return (
            f"{self.setting.survey.name}: {self.method.describe()}\n"
            f"speed {low:.4g} to {high:.4g}, relative data residual {self.residual:.2%}, {self.seconds:.1f} s. "
            f"{self.status}"
        )

    def __repr__(self) -> str:
        how = f"{self.setting.survey.name!r} by {type(self.method).__name__}"
        return f"<Inversion of {how}, {self.seconds:.3g} s: {self.status}>"

    def _repr_html_(self) -> str:
        low, high = (f(self.model()[1]) for f in (np.min, np.max))
        rows = [
            ("survey", self.setting.survey.name),
            ("method", self.method.describe()),
            ("speed", f"{low:.4g} to {high:.4g}"),
            ("relative data residual", f"{self.residual:.2%}"),
            ("time", f"{self.seconds:.3g} s"),
            ("status", str(self.status)),
        ]
        return pictures.html.card("Inversion", rows, self.notes)
