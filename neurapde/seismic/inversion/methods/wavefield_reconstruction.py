"""IR-WRI as a method of `invert`: the classical inversion in the extended space, with values on the grid.

It converts a stage to `Experiment`s of the reference solver, and its state to snapshots. See
`reference_solvers.irwri`.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy
import torch

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.irwri import Entry, Prior, State, irwri
from neurapde.reference_solvers.operators.total_variation import Splitting
from neurapde.reference_solvers.reconstruction import Experiment
from neurapde.seismic.inversion.methods.cost import CostEstimate, factored
from neurapde.seismic.inversion.methods.method import Found, Setting, Stage
from neurapde.seismic.inversion.methods.reduced import OnGrid
from neurapde.seismic.inversion.misfits import L2
from neurapde.seismic.inversion.objective import Objective
from neurapde.seismic.inversion.parametrisation import GridParametrisation
from neurapde.seismic.inversion.regularisation import TotalVariation
from neurapde.seismic.inversion.velocity import Gridded
from neurapde.seismic.modelling.grid_modelling import GridModelling, refuse_complex
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Snapshot, Status

NAMES = (
    "relative residual",
    "residual of reconstructed waves",
    "violation of the equation",
    "total variation",
)


@dataclass(frozen=True)
class WavefieldReconstruction(OnGrid):
    """Iteratively refined wavefield reconstruction by alternating directions, with bounds and total variation.

    It should end at the noise of the survey, because it would otherwise explain the noise too. Nodes on the edge of
    the region where a layer begins keep their start values, like the layer.

    steps: largest number. penalty: μ, of the wave equation against the data, see `irwri`; with total variation only
    the ratio of its weight to μ matters much.
    spacing, per_wavelength: of the grid's nodes, as for `Reduced`.
    Source: Aghamiry, Gholami, Operto (2019), Geophysics 84(6).
    """

    steps: int = 40
    penalty: float = 1e-2

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.whole(self.steps, "steps")
        self._check_positive("penalty")

    def default_trial(self, setting: Setting) -> Gridded:
        return Gridded()

    def cost(self, setting: Setting) -> CostEstimate:
        columns = 2 * setting.survey.shots + len(setting.survey.receivers)
        return factored(self.grid(setting), setting.survey, columns, self.steps)

    def check(self, setting: Setting) -> None:
        refuse_complex(setting.survey, setting.domain)
        velocity = setting.velocity
        if velocity.trial is not None and not isinstance(velocity.trial, Gridded):
            raise DeclarationError(
                f"WavefieldReconstruction inverts for values on a grid, but trial={velocity.trial!r}; leave it out, or "
                "use method='reduced'"
            )
        if not isinstance(setting.misfit, L2):
            raise DeclarationError(
                f"WavefieldReconstruction works only with L2(), not {setting.misfit!r}; use method='adjoint' for other "
                "misfits"
            )
        if len(velocity.prior) > 1 or any(not isinstance(prior, TotalVariation) for prior in velocity.prior):
            raise DeclarationError(
                f"WavefieldReconstruction supports one prior, TotalVariation, but got {velocity.prior!r}. Use "
                "method='adjoint' for other priors"
            )

    def describe(self) -> str:
        return (
            f"wavefield reconstruction: nine-point grid solver, {self.steps} steps, penalty {self.penalty:g}"
        )

    def run(self, stage: Stage) -> Found:
        setting, unknown = stage.setting, stage.unknown
        assert isinstance(unknown, GridParametrisation)
        modelling = self.modelling(setting)
        objective = Objective(modelling, unknown, setting.survey, setting.misfit)
        medium = objective.sample().detach().numpy().reshape(modelling.grid.shape)
        run = _Run(stage, modelling.grid, self.steps)
        with run.journal as journal:
            with journal.at_once():
                reconstruction = irwri(
                    _experiments(modelling, setting),
                    run.state or medium,
                    _prior(modelling, setting, objective),
                    penalty=self.penalty,
                    iterations=self.steps,
                    misfit=stage.target or 0.0,
                    callback=run.after,
                )
            run.record(reconstruction.state)
            if reconstruction.explained:
                journal.status = Status.CONVERGED
        forward = modelling.forward(objective.sample().detach().numpy())
        data, scales, fields = objective.fitted(forward)
        assert run.state is not None  # an interrupt may have come before the reconstruction was given back
        last = run.state.history[-1]
        notes = (
            f"Waves: {modelling.describe()}.",
            f"IR-WRI: {last.iteration} steps of {self.steps}. {journal.status}",
        )
        return Found(
            journal.status,
            journal.history,
            data,
            scales,
            modelling.grid,
            fields,
            notes,
            {"violation of the equation": last.equation},
        )


class _Run:
    """The journal of a run, and its present state."""

    def __init__(self, stage: Stage, grid: Grid, steps: int) -> None:
        self._unknown, self._grid = stage.unknown, grid
        self.state = None if stage.resumed is None else _state(stage.resumed)
        self.journal = Journal(
            "IR-WRI",
            steps,
            NAMES,
            stage.progress,
            resumed=stage.resumed,
            save=lambda snapshot, _: stage.save(snapshot),
            state=self._tensors,
        )

    def after(self, state: State) -> bool:
        """Take the state after an iteration; return whether the run ends."""
        with self.journal.interrupts.held():
            assert isinstance(self._unknown, GridParametrisation)
            _place(self._unknown, self._grid, state.medium)
            self.journal.advance()
            self.record(state)
            self.journal.keep()
            return self.journal.stopped()

    def record(self, state: State) -> None:
        """Record the entries without a row; the loss is half the squared relative residual."""
        self.state = state
        for entry in state.history[len(self.journal.history) :]:
            row = (entry.misfit, entry.fitted, entry.equation, entry.variation)
            shown = {NAMES[0]: entry.misfit}
            self.journal.record(0.5 * entry.misfit**2, row, step=entry.iteration, shown=shown)

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {} if self.state is None else _tensors(self.state)


def _experiments(modelling: GridModelling, setting: Setting) -> list[Experiment]:
    survey = setting.survey
    return [
        Experiment(scheme, load, modelling.receivers, data, survey.weights, survey.wavelet is None)
        for scheme, load, data in zip(modelling.schemes, modelling.loads, survey.data, strict=True)
    ]


def _prior(modelling: GridModelling, setting: Setting, objective: Objective) -> Prior:
    grid, domain, velocity = modelling.grid, setting.domain, setting.velocity
    inward = domain.inward(grid.points)
    lower, upper = (np.asarray(corner) for corner in domain.region.bounds)
    last = (1 - 1e-9) * np.asarray(
        grid.spacing
    )  # such nodes have a share in the value at the edge, the layer's
    layered = np.array(domain.box.bounds) - np.array(domain.region.bounds) != 0
    beyond = (layered[0] & (grid.points < lower + last)) | (layered[1] & (grid.points > upper - last))
    held = (beyond.any(axis=1) | ~velocity.free(inward)).reshape(grid.shape)
    weight = sum(prior.weight for prior in velocity.prior)
    weight /= objective.reference * math.sqrt(math.prod(domain.region.extents))
    unknown = objective.unknown
    return Prior(unknown.lower, unknown.upper, held, weight)


def _place(unknown: GridParametrisation, grid: Grid, medium: np.ndarray) -> None:
    """The medium on the nodes of the unknown, bilinear between those of `grid` if they differ."""
    values = medium
    if unknown.grid != grid:
        points = np.clip(unknown.grid.points, grid.lower, grid.upper)
        values = scipy.interpolate.RegularGridInterpolator(grid.axes, medium)(points).reshape(
            unknown.grid.shape
        )
    with torch.no_grad():
        unknown.values.copy_(torch.from_numpy(np.ascontiguousarray(values)))


def _tensors(state: State) -> dict[str, torch.Tensor]:
    """A state as tensors, and `_state` back."""
    arrays = {
        "medium": state.medium,
        "source_duals": np.stack(state.source_duals),
        "data_duals": np.stack(state.data_duals),
        "penalties": np.array(state.penalties),
        "history": np.array([list(vars(entry).values()) for entry in state.history], dtype=float),
    }
    if state.splitting is not None:
        arrays |= {f"splitting.{name}": np.array(value) for name, value in vars(state.splitting).items()}
    return {name: torch.from_numpy(np.array(values)) for name, values in arrays.items()}


def _state(snapshot: Snapshot) -> State:
    arrays = {name: tensor.numpy() for name, tensor in snapshot.tensors.items()}
    splitting = None
    if "splitting.bounded" in arrays:
        parts = {
            name.partition(".")[2]: each for name, each in arrays.items() if name.startswith("splitting.")
        }
        bounds, gradients = map(float, parts.pop("penalties"))
        splitting = Splitting(**parts, penalties=(bounds, gradients))
    return State(
        arrays["medium"],
        tuple(arrays["source_duals"]),
        tuple(arrays["data_duals"]),
        tuple(map(float, arrays["penalties"])),
        splitting,
        tuple(Entry(int(step), *map(float, row)) for step, *row in arrays["history"]),
    )
