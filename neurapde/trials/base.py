"""What a trial function is: a specification, and the network that it builds.

A `Trial` is a frozen specification without dimensions or parameters; `draw` makes its parameters for a
domain and a number of outputs, from a given generator. A `TrialFunction` maps points (n, d) to values and to
jets.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet

Bounds = tuple[Any, Any]
"""The lower and upper corner of a bounding box, each (d,): what `Domain.bounds` gives."""


class TrialFunction(torch.nn.Module, ABC):
    """A field with trainable parameters: points (n, d) to values (n,), or (n, outputs) if it has several.

    spec:    the specification that built it.
    outputs: number of components of the field, each complex if `complex`.
    """

    def __init__(self, spec: Trial, dimension: int, outputs: int, complex: bool) -> None:
        super().__init__()
        self.spec = spec
        self.dimension = dimension
        self.outputs = outputs
        self.complex = complex

    @abstractmethod
    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        """The field and its derivatives up to `order` at `points` (n, d), the `mixed` ones only on request."""

    def forward(self, points: Tensor) -> Tensor:
        """The field at `points` (n, d): (n,), or (n, outputs) if it has several; complex if the field is."""
        return self.jet(points, order=0).value

    def features(self, points: Tensor) -> Tensor:
        """The last hidden layer at `points`, (n, width): what the linear head combines. Always real."""
        return self.feature_jet(points, order=0).value

    def feature_jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        """The jet of the last hidden layer, a real field of `width` components."""
        raise self._headless()

    @property
    def head(self) -> torch.nn.Linear:
        """The linear layer on the features; its rows are real and imaginary parts in turn if complex."""
        raise self._headless()

    def field(self, rows: Tensor) -> Tensor:
        """The field (…, n), or (…, n, outputs), of real numbers (…, n, columns), in pairs if it is complex."""
        if self.complex:
            rows = torch.view_as_complex(rows.reshape(*rows.shape[:-1], self.outputs, 2).contiguous())
        return rows.squeeze(-1) if self.outputs == 1 else rows

    def _headless(self) -> DeclarationError:
        return DeclarationError(
            f"{self.spec.describe()} has no linear head, so it has no features to combine linearly: use Siren or MLP "
            "for methods that solve for the head."
        )

    @property
    def parameter_count(self) -> int:
        """The number of trainable numbers."""
        return sum(parameter.numel() for parameter in self.parameters())

    def inputs(self, points: Tensor) -> Tensor:
        """`points` checked to be (n, d) and brought to the dtype and device of the parameters."""
        if not isinstance(points, Tensor) or points.ndim != 2 or points.shape[1] != self.dimension:
            given = tuple(points.shape) if isinstance(points, Tensor) else type(points).__name__
            raise DeclarationError(
                f"this trial function takes a tensor of points (n, {self.dimension}), one row for each point; got "
                f"{given}."
            )
        anchor = next(self.parameters(), None)
        return points if anchor is None else points.to(anchor)


@dataclass(frozen=True)
class Setting:
    """The field and the machine that a trial function is built for.

    bounds:    lower and upper corner (d,), (d,) of the domain's bounding box, mapped to [−1, 1] by one
               common scale.
    outputs:   number of components of the field.
    complex:   whether each component is complex.
    generator: the only source of randomness; the same generator gives the same parameters in any dtype.
    """

    bounds: Bounds
    outputs: int
    complex: bool
    generator: torch.Generator
    dtype: torch.dtype
    device: torch.device | str

    @property
    def dimension(self) -> int:
        """The number of axes d."""
        return len(self.bounds[0])

    @property
    def rows(self) -> int:
        """The number of real numbers in a value of the field, real and imaginary parts."""
        return self.outputs * (2 if self.complex else 1)

    def amplitudes(self, *shape: int) -> Tensor:
        """Zeros (*shape, outputs), with a last axis (real, imaginary) for complex fields."""
        parts = (2,) if self.complex else ()
        return torch.zeros((*shape, self.outputs, *parts), dtype=self.dtype, device=self.device)


@dataclass(frozen=True)
class Trial(Declaration, ABC):
    """The specification of a trial function: its kind and size, without dimensions or parameters."""

    default_dtype: ClassVar[torch.dtype] = torch.float32

    @abstractmethod
    def draw(self, setting: Setting) -> TrialFunction:
        """A trial function for this setting, with parameters at their start."""

    def build(
        self,
        bounds: Bounds,
        outputs: int = 1,
        complex: bool = False,
        *,
        generator: torch.Generator,
        dtype: torch.dtype | None = None,
        device: torch.device | str = "cpu",
    ) -> TrialFunction:
        """`draw` for a setting with these entries; see `Setting`. dtype: None for what the kind of trial is used in."""
        return self.draw(Setting(bounds, outputs, complex, generator, dtype or self.default_dtype, device))

    def describe(self) -> str:
        """One line for reports."""
        return repr(self)

    def describe_parts(self, trials: Sequence[Trial]) -> str:
        """One line for a field that has one of these trials, of which this is the first, in each part of the domain."""
        texts = dict.fromkeys(trial.describe() for trial in trials)
        return f"{'; '.join(texts)}, one in each of {len(trials)} parts"


def copied(trial: TrialFunction, dtype: torch.dtype, device: torch.device) -> TrialFunction:
    """A copy on another device and in another precision, complex parameters staying complex."""
    same = copy.deepcopy(trial).to(device)
    for tensor in chain(same.parameters(), same.buffers()):
        if tensor.is_complex() or tensor.is_floating_point():
            tensor.data = tensor.data.to(dtype.to_complex() if tensor.is_complex() else dtype)
    return same


def corners(bounds: Bounds) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper corner as arrays (d,) of float64."""
    lower, upper = (np.atleast_1d(np.asarray(corner, dtype=float)) for corner in bounds)
    return lower, upper


def box_scale(bounds: Bounds) -> tuple[np.ndarray, float]:
    """The centre (d,) of a bounding box and half its largest extent, which scale it into [−1, 1]."""
    lower, upper = corners(bounds)
    half = float(np.max(upper - lower)) / 2
    if (
        lower.shape != upper.shape
        or lower.ndim != 1
        or not np.isfinite(half)
        or np.any(upper < lower)
        or half <= 0
    ):
        raise DeclarationError(
            f"the bounds {bounds} are not a box: give a lower and a larger upper corner, (d,) each."
        )
    return (lower + upper) / 2, half


def check_size(width: int, depth: int) -> None:
    """Raise a DeclarationError unless width ≥ 1 and depth ≥ 0 are whole numbers."""
    for name, value, least in (("width", width, 1), ("depth", depth, 0)):
        checks.whole(value, name, least, of="a network")


def check_modes(modes: Sequence[int]) -> Sequence[int]:
    """Raise a DeclarationError unless there is a whole number of modes, at least 1, for each axis."""
    every = list(modes) if isinstance(modes, list | tuple) else []
    if not every or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in every):
        raise DeclarationError(
            f"modes={checks.shown(modes)} leaves an axis without modes; give at least 1 mode each, (8, 8)"
        )
    for count in every:
        checks.whole(count, "modes")
    return modes


def check_ends(free: Any, axes: int) -> None:
    """Raise a DeclarationError unless `free` is None, or a pair of booleans for each axis."""
    pairs = list(free) if isinstance(free, list | tuple) else []
    if free is not None and (
        len(pairs) != axes
        or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs)
        or not all(isinstance(end, bool) for pair in pairs for end in pair)
    ):
        raise DeclarationError(
            f"free={checks.shown(free)}: free names {len(pairs)} axes and modes {axes}; give one pair of booleans each, "
            "(False, True), or None"
        )
