"""A network combined with known parts of the field: u(x) = background(x) + factor(x) · network(x / lengths).

One trial function with four declarations: plus a background, times a known factor, zero on sides, in other units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurapde.backgrounds.by_component import ByComponent
from neurapde.backgrounds.known import KnownFunction
from neurapde.backgrounds.side_distance import SideDistance, Sides
from neurapde.backgrounds.waves import Background
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet
from neurapde.trials.base import Bounds, Setting, Trial, TrialFunction, corners
from neurapde.trials.networks.layered import LayeredTrial


class AnsatzTrial(TrialFunction):
    """u(x) = background(x) + factor(x) · network(x / lengths). Only the network has parameters.

    background: None for zero. factor: None for one; of components, one number each. lengths: of the axes, None for one each.
    Features are factor · the network's, and the head is the network's.
    """

    def __init__(
        self,
        spec: Trial,
        network: TrialFunction,
        background: Background | None = None,
        factor: Background | float | tuple[float, ...] | None = None,
        lengths: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__(spec, network.dimension, network.outputs, network.complex)
        self.network, self.background, self.factor, self.lengths = network, background, factor, lengths

    @property
    def head(self) -> torch.nn.Linear:
        return self.network.head

    def inner(self, points: Tensor) -> Tensor:
        """Points (n, d) in the units of the network."""
        points = self.inputs(points)
        return points if self.lengths is None else points / points.new_tensor(self.lengths)

    def forward(self, points: Tensor) -> Tensor:
        jet = Jet.of(self.network(self.inner(points)), dimension=self.dimension)
        return self._whole(jet, self.inputs(points)).value

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        jet = self._outer(self.network.jet(self.inner(points), order, mixed))
        return self._whole(jet, self.inputs(points))

    def features(self, points: Tensor) -> Tensor:
        self._check_common()
        jet = Jet.of(self.network.features(self.inner(points)), dimension=self.dimension)
        return self._times_factor(jet, self.inputs(points)).value

    def feature_jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        self._check_common()
        jet = self._outer(self.network.feature_jet(self.inner(points), order, mixed))
        return self._times_factor(jet, self.inputs(points))

    def _check_common(self) -> None:
        if isinstance(self.factor, ByComponent):
            raise DeclarationError(
                "conditions that are built into one component alone leave no features that all components share; leave "
                "out hard=True for this method"
            )
        if isinstance(self.factor, tuple):
            raise DeclarationError(
                f"size={self.factor} of OutputScaling: this needs features that all components share, but components "
                "with separate sizes share none; give one size"
            )

    def _outer(self, jet: Jet) -> Jet:
        """Derivatives by the points, of derivatives by those in the units of the network."""
        if self.lengths is None:
            return jet
        factors = jet.layout.sizes([1 / length for length in self.lengths])
        shape = (-1, *[1] * (jet.channels.ndim - 1))
        return Jet(jet.channels * jet.channels.real.new_tensor(factors).reshape(shape), jet.layout)

    def _times_factor(self, jet: Jet, points: Tensor) -> Jet:
        if self.factor is None:
            return jet
        if isinstance(self.factor, tuple):
            return Jet(jet.channels * jet.channels.real.new_tensor(self.factor), jet.layout)
        if not isinstance(self.factor, Background):
            return jet * self.factor
        factor = self.factor.jet(points, jet.layout.order, jet.layout.mixed)
        wider = jet.channels.ndim - factor.channels.ndim
        return Jet(factor.channels.reshape(*factor.channels.shape, *[1] * wider), jet.layout) * jet

    def _whole(self, jet: Jet, points: Tensor) -> Jet:
        product = self._times_factor(jet, points)
        if self.background is None:
            return product
        return self.background.jet(points, jet.layout.order, jet.layout.mixed) + product


@dataclass(frozen=True)
class Ansatz(Trial):
    """The trial u = background + factor · network: the network represents only the difference from a known field.

    background: a field known in closed form, such as `OutgoingWave`, or a function of points (n, d), written with
                `npde.sin` and the like: torch differentiates it.
    network:    the specification of the network.
    factor:     likewise, (n,) for all components; zero where u is the background alone. None for 1.
    Raises      DeclarationError at `build` when the background is complex or has components and the field has
    not.
    """

    background: Any
    network: Trial
    factor: Any = None

    def __post_init__(self) -> None:
        for name in ("background", "factor"):
            value = getattr(self, name)
            if callable(value) and not isinstance(value, Background | type):
                object.__setattr__(self, name, KnownFunction(value))
        _check_parts(self, self.background, self.network, "Ansatz(OutgoingWave(source, k), Siren())")
        checks.kind(self.factor, "factor", Background | None, "give a function of points, or None")

    def draw(self, setting: Setting) -> AnsatzTrial:
        _check_field(self.background, setting)
        self._check_factor(setting)
        return AnsatzTrial(self, self.network.draw(setting), self.background, self.factor)

    def _check_factor(self, setting: Setting) -> None:
        if self.factor is None:
            return
        value = self.factor.jet(_corner(setting), order=0).value
        if value.ndim > 1 or (value.is_complex() and not setting.complex):
            raise DeclarationError(
                f"the factor ({self.factor.describe()}) gives {value.dtype} {tuple(value.shape)} at one point; give one "
                "number for each point, real if the field is"
            )

    def around(self, network: TrialFunction) -> AnsatzTrial:
        """The same background with a network that is already built, such as the trial of a field of a family."""
        checks.kind(network, "network", TrialFunction, "give the trial of a solution, member.trial")
        return AnsatzTrial(replace(self, network=network.spec), network, self.background, self.factor)

    def describe(self) -> str:
        factor = "" if self.factor is None else f", times {self.factor.describe()},"
        return f"{self.network.describe()}{factor} on the background {self.background.describe()}"


@dataclass(frozen=True)
class FactoredAnsatz(Trial):
    """The trial u = background · (1 + network): travel times as T = T₀τ, where T₀ has the kink at the source.

    background: a field known in closed form, such as `StraightRays`, of as many components as the problem has.
    network:    the specification of the network for τ − 1, which is smooth because T₀ has the kink. A layered one
                starts with a head of zeros, so that u starts as the background, on its branch.
    Source: Fomel, Luo, Zhao (2009), J. Comput. Phys. 228, 6440-6455, for the factored eikonal equation.
    """

    background: Background
    network: Trial

    def __post_init__(self) -> None:
        _check_parts(self, self.background, self.network, "FactoredAnsatz(StraightRays(…), Siren())")

    def draw(self, setting: Setting) -> AnsatzTrial:
        _check_field(self.background, setting)
        network = self.network.draw(setting)
        if isinstance(network, LayeredTrial):
            torch.nn.init.zeros_(network.head.weight)
            torch.nn.init.zeros_(network.head.bias)
        return AnsatzTrial(self, network, self.background, self.background)

    def describe(self) -> str:
        return f"{self.background.describe()}, times 1 + {self.network.describe()}"


@dataclass(frozen=True)
class DistanceFactor(Trial):
    """The trial D(x) · network, where D is the `SideDistance`, which vanishes on sides of the box.

    network: the specification of the network. sides: where the field vanishes; None: on every side.
    components: where each component does, instead of `sides`; () where all of them are alike.
    """

    network: Trial
    sides: Sides | None = None
    components: tuple[Sides, ...] = ()

    def draw(self, setting: Setting) -> AnsatzTrial:
        return self.around(self.network.draw(setting), setting.bounds)

    def around(self, network: TrialFunction, bounds: Bounds) -> AnsatzTrial:
        """The same trial around a network that is already built."""
        lower, upper = (tuple(corner.tolist()) for corner in corners(bounds))
        every = self.components or (self.sides or ((True, True),) * len(lower),)
        for sides in every:
            if len(sides) != len(lower):
                raise DeclarationError(
                    f"sides names {len(sides)} axes, but the domain has {len(lower)}; give a pair each"
                )
        factors = tuple(SideDistance(lower, upper, sides) for sides in every)
        return AnsatzTrial(self, network, factor=ByComponent(factors) if self.components else factors[0])

    def describe(self) -> str:
        return (
            f"{self.network.describe()}, vanishing on "
            f"{'every side' if self.sides is None and not self.components else 'given sides'}"
        )


@dataclass(frozen=True)
class OutputScaling(Trial):
    """The trial u(x) = size · network(x / lengths): a network in other units, with its own numbers of the order of
    one.

    network: the specification of the network.
    size:    of the field, positive: a distance in a box of half width 100 is of the order of 100; of components, one each.
    lengths: of each axis, positive: for axes such as seconds and metres, so that one scale suits all. None: 1 each.

    A training takes steps of one size for all parameters; a network that must first grow to 100 would take steps that
    are too long for its hidden layers.
    """

    network: Trial
    size: float | tuple[float, ...]
    lengths: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        checks.kind(self.network, "network", Trial, "give one such as OutputScaling(Siren(), 100.0)")
        for size in self.size if isinstance(self.size, tuple) else (self.size,):
            checks.amount(size, "size")
        if self.lengths is not None and (not isinstance(self.lengths, list | tuple) or not self.lengths):
            raise DeclarationError(f"lengths={checks.shown(self.lengths)}: give one for each axis, or None.")
        for length in self.lengths or ():
            checks.amount(length, "lengths", of="OutputScaling")

    def draw(self, setting: Setting) -> AnsatzTrial:
        if isinstance(self.size, tuple) and len(self.size) != setting.outputs:
            raise DeclarationError(
                f"size={self.size} of OutputScaling, the field has {setting.outputs} components; give one for each."
            )
        if self.lengths is not None:
            if len(self.lengths) != setting.dimension:
                raise DeclarationError(
                    f"lengths={self.lengths} of OutputScaling, the domain has {setting.dimension} axes; give one for each."
                )
            lower, upper = (np.divide(corner, self.lengths) for corner in setting.bounds)
            setting = replace(setting, bounds=(lower, upper))
        network = self.network.draw(setting)
        return AnsatzTrial(self, network, factor=self.size, lengths=self.lengths)

    def describe(self) -> str:
        units = (
            "" if self.lengths is None else f", axes in units of {', '.join(f'{x:g}' for x in self.lengths)}"
        )
        sizes = self.size if isinstance(self.size, tuple) else (self.size,)
        return f"{', '.join(f'{x:g}' for x in sizes)} times {self.network.describe()}{units}"


@dataclass(frozen=True)
class Sum(Trial):
    """The trial first + second: a field and its correction."""

    first: Trial
    second: Trial

    def draw(self, setting: Setting) -> SumTrial:
        return SumTrial(self.first.draw(setting), self.second.draw(setting))

    def describe(self) -> str:
        return f"{self.first.describe()}, plus {self.second.describe()}"


class SumTrial(TrialFunction):
    """Adds two trial functions."""

    def __init__(self, first: TrialFunction, second: TrialFunction) -> None:
        spec = Sum(first.spec, second.spec)
        super().__init__(spec, first.dimension, first.outputs, first.complex)
        self.first, self.second = first, second

    def jet(self, points: Tensor, order: int = 2, mixed: Sequence[tuple[int, ...]] = ()) -> Jet:
        return self.first.jet(points, order, mixed) + self.second.jet(points, order, mixed)


def plain_network(trial: TrialFunction) -> TrialFunction:
    """The network of a trial without the known parts."""
    return plain_network(trial.network) if isinstance(trial, AnsatzTrial) else trial


def _check_parts(spec: Trial, background: object, network: object, way: str) -> None:
    if not isinstance(background, Background) or not isinstance(network, Trial):
        raise DeclarationError(
            f"{type(spec).__name__} takes a background and a network, such as {way}; got {type(background).__name__} "
            f"and {type(network).__name__}."
        )


def _corner(setting: Setting) -> Tensor:
    """The upper corner of the domain's box, (1, d)."""
    return torch.as_tensor(setting.bounds[1], dtype=torch.float64).reshape(1, -1)


def _check_field(background: Background, setting: Setting) -> None:
    """Refuse a background that is complex or has components if the field is not or has not."""
    value = background.jet(_corner(setting), order=0).value
    columns = value.shape[1] if value.ndim == 2 else 1
    if value.is_complex() and not setting.complex:
        raise DeclarationError(
            f"the background ({background.describe()}) is complex, but the field is real; "
            "use it with a complex equation such as Helmholtz."
        )
    if columns != setting.outputs:
        raise DeclarationError(
            f"the background ({background.describe()}) has {columns} component(s), but the field has {setting.outputs}; "
            "give one background for each."
        )
