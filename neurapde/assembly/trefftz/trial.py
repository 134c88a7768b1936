"""Sums of features as a trial function: a region's field besides its known part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurapde.assembly.trefftz.features.base import Features
from neurapde.assembly.trefftz.known import Known
from neurapde.backgrounds.waves import Background
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.base import Setting, Trial, TrialFunction


@dataclass(frozen=True)
class FeatureSum(Trial):
    """u = Σ known + Σ a_j φ_j with closed-form φ_j, each a solution of the equation in its region.

    known: for each right-hand side, the fields with its load there.
    """

    features: tuple[Features, ...]
    known: tuple[tuple[Background, ...], ...] = ((),)

    default_dtype: ClassVar[torch.dtype] = torch.float64

    @property
    def count(self) -> int:
        """The number of features."""
        return sum(functions.count for functions in self.features)

    def draw(self, setting: Setting) -> "FeatureFunction":
        return FeatureFunction(self, setting.dimension, setting.amplitudes(self.count), setting.complex)

    def describe(self) -> str:
        return f"{self.count} solutions of the equation"

    def describe_parts(self, trials: Sequence[Trial]) -> str:
        count = sum(trial.count for trial in trials if isinstance(trial, FeatureSum))
        return f"{count} solutions of the equation in {len(trials)} regions"


class FeatureFunction(TrialFunction):
    """The sum, evaluated in batches on the CPU; its amplitudes (count, outputs), as real numbers, are the parameters.

    The features are fixed: no gradient flows into the points or the amplitudes.
    """

    def __init__(self, spec: FeatureSum, dimension: int, amplitudes: Tensor, complex: bool) -> None:
        super().__init__(spec, dimension, amplitudes.shape[1], complex)
        self.parts, self.known = spec.features, Known(spec.known)
        self.amplitudes = torch.nn.Parameter(amplitudes)

    def set_amplitudes(self, values: NDArray[Any]) -> None:
        """Set the amplitudes (count, outputs) of a solve."""
        amplitudes = torch.as_tensor(values)
        if amplitudes.shape != self.amplitudes.shape[:2]:
            raise DeclarationError(
                f"{tuple(amplitudes.shape)} amplitudes for {tuple(self.amplitudes.shape[:2])} features"
            )
        with torch.no_grad():
            self.amplitudes.copy_(torch.view_as_real(amplitudes.contiguous()) if self.complex else amplitudes)

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        layout = Layout(self.dimension, order, tuple(mixed))
        points = self.inputs(points)
        places = points.detach().double().cpu().numpy()
        amplitudes = self.amplitudes.detach().double().cpu()
        numbers = (torch.view_as_complex(amplitudes) if self.complex else amplitudes).numpy()
        total = np.zeros((layout.count, len(places), self.outputs), dtype=numbers.dtype)
        start = 0
        total += self.known.channels(places, layout, numbers.dtype)
        with np.errstate(divide="ignore", invalid="ignore"):  # a point outside of the region may be a pole
            for functions in self.parts:
                total += functions.summed(places, layout, numbers[start : start + functions.count])
                start += functions.count
        dtype = points.dtype.to_complex() if self.complex else points.dtype
        channels = torch.as_tensor(total).to(dtype).to(points.device)
        return Jet(channels.squeeze(-1) if self.outputs == 1 else channels, layout)
