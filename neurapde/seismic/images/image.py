"""An image on the nodes of the region, and a model with the derivative of its data, for migration and uncertainty."""

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from neurapde.core import checks, pictures
from neurapde.core.errors import DeclarationError
from neurapde.domains.box import Box
from neurapde.fields.grid_field import GridField
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.invert import as_method, check_given, settle
from neurapde.seismic.inversion.methods.continuation import stages_of
from neurapde.seismic.inversion.methods.method import Setting
from neurapde.seismic.inversion.methods.reduced import EngineMethod
from neurapde.seismic.inversion.misfits import L2, Misfit
from neurapde.seismic.inversion.objective import Objective, inner_nodes
from neurapde.seismic.inversion.parametrisation import GridParametrisation
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.modelling.base import FrequencyModelling, Modelling
from neurapde.seismic.models.model_files import write_model
from neurapde.seismic.survey.geometry import is_depth
from neurapde.seismic.survey.survey import Survey

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Real = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Image:
    """Values on the nodes of a grid in the region of the model.

    values: `(nx, ny)`. what: the quantity, in words. grid: of the nodes. survey: used for them.
    illumination: `(nx, ny)`, the sensitivity of the data to each node, 1 at its maximum; None if it was not computed.
    """

    values: Real
    what: str
    grid: Grid
    survey: Survey
    illumination: Real | None = None

    @property
    def field(self) -> GridField:
        """The values as a function of points."""
        return GridField(self.values, (tuple(self.grid.lower), tuple(self.grid.upper)))

    def export(self, path: str | PathLike[str]) -> Path:
        """Write the values for other programs, as `npde.seismic.write_model` does."""
        return write_model(checks.path(path), self.field)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the values, with sources (crosses) and receivers (dots); a depth is drawn downwards.

        ax: axes of matplotlib to draw into; None for a new figure. Returns the axes.
        """
        box = Box(*zip(self.grid.lower, self.grid.upper, strict=True))
        sources, receivers = self.survey.sources, self.survey.receivers
        return pictures.surveys.model(
            pictures.panels.axes_of(ax),
            dict(zip("xy", self.grid.axes, strict=True)),
            self.values,
            label=self.what,
            title=self.survey.name,
            sources=sources,
            receivers=receivers,
            downwards=is_depth(sources, receivers, box),
        )


class Linearised:
    """A model on the nodes of an engine's grid, with derivatives of its data.

    setting: with the survey in use. speed: `(nx, ny)` on the nodes of `grid`, those in the region.
    """

    def __init__(self, setting: Setting, modelling: Modelling) -> None:
        self.setting, self.modelling = setting, modelling
        unknown = GridParametrisation(setting.velocity, setting.domain, modelling.grid)
        self.objective = Objective(modelling, unknown, setting.survey, setting.misfit)
        self.inside = inner_nodes(modelling, unknown)
        axes = [axis[nodes] for axis, nodes in zip(modelling.grid.axes, self.inside, strict=True)]
        self.grid = Grid([a[0] for a in axes], [a[-1] for a in axes], [len(a) for a in axes])
        self.model = self.objective.sample().detach()
        self.speed = self.cut(self.model.numpy()) ** -0.5
        self.free = setting.velocity.free(self.grid.points).reshape(self.grid.shape)

    @classmethod
    def of(
        cls,
        problem: Problem,
        survey: Survey,
        unknown: Velocity | None,
        frequencies: Any,
        method: Any,
        misfit: Misfit | None = None,
    ) -> "Linearised":
        """The linearised model of a declared problem, with the arguments of `invert`."""
        chosen = as_method(method)
        if not isinstance(chosen, EngineMethod):
            raise DeclarationError(
                f"{type(chosen).__name__} does not predict data from a model; use method='adjoint' or 'time', for "
                "example"
            )
        check_given(problem, survey)
        stages = stages_of(survey, frequencies)
        if len(stages) > 1:
            raise DeclarationError(
                f"frequencies has {len(stages)} stages, but an image has only one; give a list of frequencies"
            )
        setting = settle(problem, stages[0], stages, unknown, L2() if misfit is None else misfit)
        chosen.check(setting)
        return cls(setting, chosen.modelling(setting))

    def cut(self, values: Real) -> Real:
        """The part in the region `(nx, ny)` of values on all nodes `(n,)`."""
        return values.reshape(tuple(self.modelling.grid.shape))[self.inside]

    def spread(self, values: Real) -> Real:
        """The values of the region on all nodes, 0 in the layers around it: the transpose of `cut`."""
        whole = np.zeros(tuple(self.modelling.grid.shape))
        whole[self.inside] = values
        return whole.ravel()

    def slope(self) -> Real:
        """The derivative of the misfit by m at each node of the region, 0 where the velocity is known."""
        model = self.model.clone().requires_grad_()
        misfit, _, _ = self.objective.explained(model)
        (gradient,) = torch.autograd.grad(misfit, model)
        return self.cut(gradient.numpy()) * self.free

    def curvature(self) -> Real:
        """The diagonal of the Gauss–Newton matrix of least squares by m `(nx, ny)`: the illumination of each node.

        Σ w |U|² |G|² over frequencies, shots and receivers, U the waves of the shots, G those from the receivers.
        """
        modelling, survey = self.modelling, self.setting.survey
        if not isinstance(modelling, FrequencyModelling):
            raise DeclarationError(
                "the illumination is computed at frequencies; give frequencies=[…] and use method='adjoint'"
            )
        forward = modelling.forward(self.model.numpy())
        _, _, fields = self.objective.fitted(forward)
        receiving = modelling.receiver_fields(forward)
        scale = (survey.weights * np.abs(survey.data) ** 2).sum(axis=(1, 2)) * len(survey.band)
        illumination = np.zeros(modelling.grid.size)
        for size, waves, back in zip(scale, fields, receiving, strict=True):
            powers = np.abs(waves.reshape(len(waves), -1)) ** 2, np.abs(back) ** 2
            illumination += np.einsum("si,si->i", powers[0], survey.weights @ powers[1]) / size
        return self.cut(illumination)
