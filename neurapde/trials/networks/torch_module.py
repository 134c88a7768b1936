"""Any `torch.nn.Module` as a trial function, with its derivatives by torch's own differentiation."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.autograd import jet_by_autograd
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.base import Setting, Trial, TrialFunction


class TorchModuleTrial(TrialFunction):
    """A module that maps points (n, d), in physical coordinates, to outputs (n, columns)."""

    def __init__(
        self, spec: Trial, module: torch.nn.Module, dimension: int, outputs: int, complex: bool
    ) -> None:
        super().__init__(spec, dimension, outputs, complex)
        self.module = module

    def forward(self, points: Tensor) -> Tensor:
        """The field at `points` (n, d): the module's outputs, paired if the field is complex."""
        out = self.module(self.inputs(points))
        if self.complex and not out.is_complex():
            out = torch.view_as_complex(out.reshape(-1, self.outputs, 2).contiguous())
        return out.squeeze(-1) if self.outputs == 1 else out

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        return jet_by_autograd(self, self.inputs(points), layout, keep_graph=torch.is_grad_enabled())


@dataclass(frozen=True)
class TorchModule(Trial):
    """A `torch.nn.Module` of your own as the trial function.

    module: maps points (n, d) to (n, outputs), or (n, 2·outputs) for a complex field (real and imaginary
            parts in turn); complex outputs are used directly. Its input is physical coordinates. It must treat each
            point separately (no batch normalisation) and be twice differentiable for a second-order PDE.

    `build` copies the module, so the given one does not change; the trained copy is `solution.trial.module`.
    Derivatives take about twice the time of the package's own networks.
    """

    module: torch.nn.Module

    def __post_init__(self) -> None:
        checks.kind(self.module, "module", torch.nn.Module, "give a torch.nn.Module")

    def draw(self, setting: Setting) -> TorchModuleTrial:
        outputs, complex, kind = setting.outputs, setting.complex, (setting.device, setting.dtype)
        module = copy.deepcopy(self.module).to(*kind)
        probe = torch.as_tensor(setting.bounds[1]).to(*kind).reshape(1, -1)
        values = module(probe)
        columns = 2 * outputs if complex and not values.is_complex() else outputs
        if values.shape != (1, columns) or (values.is_complex() and not complex):
            raise DeclarationError(
                f"the module maps a point (1, {probe.shape[1]}) to {values.dtype} {tuple(values.shape)}, but "
                "the field needs "
                f"(1, {columns}): {outputs} component(s), {'complex' if complex else 'real'}. Change its "
                "last layer."
            )
        return TorchModuleTrial(self, module, probe.shape[1], outputs, complex)
