"""What an inversion method is: it takes one frequency stage of a survey and changes an unknown until the data fit."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.progress import Progress
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.methods.continuation import stages_of
from neurapde.seismic.inversion.methods.cost import CostEstimate, band_of
from neurapde.seismic.inversion.misfits import L2, Misfit
from neurapde.seismic.inversion.parametrisation import Parametrisation
from neurapde.seismic.inversion.velocity import Gridded, Velocity
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.survey.survey import Survey
from neurapde.training.run.history import History
from neurapde.training.run.method import Snapshot, Status
from neurapde.training.run.stage import Stage as RunStage
from neurapde.trials.base import Trial


@dataclass(frozen=True)
class Setting(Declaration):
    """All settings of an inversion.

    survey: the part in use. velocity: complete. start: the slowest and fastest speed of the start model.
    """

    survey: Survey
    domain: ComputationalDomain
    velocity: Velocity
    misfit: Misfit
    start: tuple[float, float]


@dataclass(frozen=True)
class Stage:
    """The input of a method: a setting whose survey has only this stage's data.

    unknown: changed in place. target: the relative residual at which the data are explained down to their noise, or
    None.
    save: stores a snapshot (nothing without a folder). resumed: the snapshot to continue from, or None.
    executor: computes misfits and gradients in tasks; None for this process.
    """

    setting: Setting
    unknown: Parametrisation
    target: float | None
    seed: int
    progress: Progress
    save: Callable[[Snapshot], None]
    resumed: Snapshot | None = None
    executor: Executor | None = None


@dataclass(frozen=True)
class Found:
    """The result of a stage.

    data: predicted, scaled to the observed, of the survey's shape. scales: see `objective.Value`.
    grid, fields: the method's own waves, complex `(frequencies, shots, *grid.shape)`; None for methods in time.
    notes: one sentence each on the discretisation and on why it stopped.
    """

    status: Status
    history: History
    data: np.ndarray
    scales: np.ndarray
    grid: Grid
    fields: np.ndarray | None
    notes: tuple[str, ...] = ()
    extras: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class StageRecord(RunStage):
    """One stage of an inversion, for the record. frequencies: Hz, none for traces."""

    frequencies: tuple[float, ...] = ()


@dataclass(frozen=True)
class InversionMethod(Declaration, ABC):
    """A way to find a velocity.

    default_misfit: the misfit if `invert` gets none.
    """

    default_misfit: ClassVar[Misfit] = L2()

    def __post_init__(self) -> None:
        """Check the settings, after those of the base classes."""

    def _check_positive(self, *names: str, or_none: bool = False) -> None:
        """Refuse settings that are not positive numbers."""
        for name in names:
            value = getattr(self, name)
            if value is not None or not or_none:
                object.__setattr__(self, name, checks.positive(value, f"{name} of {type(self).__name__}"))

    @abstractmethod
    def default_trial(self, setting: Setting) -> Trial | Gridded:
        """The default trial of the velocity."""

    @abstractmethod
    def grid(self, setting: Setting) -> Grid:
        """The grid of a stage; a grid that is too large is refused before any work."""

    def stages(self, survey: Survey, frequencies: Any) -> tuple[Survey, ...]:
        """The surveys of the stages; `frequencies` as in `invert`."""
        return stages_of(survey, frequencies)

    def heard(self, survey: Survey, setting: Setting) -> Survey:
        """The part of a stage's survey in use."""
        return survey

    def believed(
        self, setting: Setting, stages: Sequence[Survey], executor: Executor | None = None
    ) -> tuple[Setting, tuple[str, ...]]:
        """The setting with this method's prior for a velocity without one, and sentences on its choice."""
        return setting, ()

    @property
    def undivided(self) -> str | None:
        """Why its work cannot be divided into tasks of an executor, or None."""
        return "its waves are computed together"

    def cost(self, setting: Setting) -> CostEstimate:
        """The predicted cost of a stage; see `preflight`."""
        return CostEstimate(self.grid(setting), band=band_of(setting.survey))

    @abstractmethod
    def check(self, setting: Setting) -> None:
        """Raise a DeclarationError, before any work, for what this method cannot do."""

    @abstractmethod
    def describe(self) -> str:
        """One line for notes and reports."""

    @abstractmethod
    def run(self, stage: Stage) -> Found:
        """Change `stage.unknown` until its data fit."""
