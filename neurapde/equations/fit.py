"""Fits: a field whose values, gradient or Laplacian are given at sample points, and nothing else."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch

from neurapde.conditions.constraints import AtPoints, Constraint, Samples
from neurapde.core.errors import DeclarationError
from neurapde.data.raster import Raster
from neurapde.data.spectrum import median_frequency, scattered_frequency
from neurapde.domains.base import Domain, axis_names
from neurapde.domains.box import Box
from neurapde.problem.advice import Advice
from neurapde.problem.equation import AbstractEquation
from neurapde.trials.networks.siren import Siren

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet
    from neurapde.problem.problem import Problem

Data: TypeAlias = Raster | AtPoints
LEAST = 3.0
"""Lowest frequency ω of a SIREN's layers that learns as quickly as those above it, in units of the domain's half size."""
SHARE = 0.4
"""The highest wavenumber of the first layer, in units of the frequency below which half of the energy lies."""
FEW, PART = 4096, 8
"""Samples that a step of training sees: a PART-th of them, but at least so many, and at most twice that."""
SLACK = 1e-9
"""Samples this far outside the domain, in units of its largest extent, count as in it: rounding."""


@dataclass(frozen=True)
class Value:
    """u − targets: `(n,)`, or `(n, c)` for several channels."""

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return u.value - _targets(samples, u.value)


@dataclass(frozen=True)
class Gradient:
    """∇u − targets: `(n, d)`, or `(n, c·d)` for several channels."""

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return (u.gradient - _targets(samples, u.gradient)).flatten(1)


@dataclass(frozen=True)
class Slope:
    """∂u along one axis − targets: `(n,)`, or `(n, c)`."""

    axis: int

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return u.d(self.axis) - _targets(samples, u.value)


@dataclass(frozen=True)
class Laplacian:
    """Δu − targets: `(n,)`, or `(n, c)`."""

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return u.laplacian - _targets(samples, u.value)


@dataclass(frozen=True)
class Fit(AbstractEquation):
    """Fit u to samples of its values, its gradient, its Laplacian, or several of these at once.

        npde.Problem("photo", image.domain, npde.Fit(values=image))
        npde.Problem("relief", image.domain, npde.Fit(gradient=image.differences()))

    Args:
        values: a Raster, or `npde.at_points(points, targets=values)` with targets (n,), or (n, c) for c channels.
        gradient: one raster for each axis, of the derivative along it (each on a grid of its own), or
            `at_points` with targets (n, d), or (n, c, d).
        laplacian: as `values`.

    The constraints are named values; gradient, or gradient-x, gradient-y, … of one for each axis; laplacian.
    Without values the mean of u is free, and of Δu alone any harmonic function, unless the problem has conditions
    at the boundary.
    """

    values: Data | None = None
    gradient: Data | Sequence[Raster] | None = None
    laplacian: Data | None = None

    def __post_init__(self) -> None:
        if isinstance(self.gradient, list | tuple):
            object.__setattr__(self, "gradient", tuple(self.gradient))
        given = [data for _, data, _ in self._parts(2)] if self.gradient is not None else []
        if self.values is None and self.gradient is None and self.laplacian is None:
            raise DeclarationError("Fit() has no data; give values=…, gradient=… or laplacian=…")
        for what, data in (
            ("values", self.values),
            ("laplacian", self.laplacian),
            *(("gradient", g) for g in given),
        ):
            if data is not None and not isinstance(data, Raster | AtPoints):
                raise DeclarationError(
                    f"Fit({what}=…) was given a {type(data).__name__}; give a Raster, such as npde.data.read_image(…), or "
                    "npde.at_points(points, targets=…)"
                )
            if isinstance(data, AtPoints) and data.targets is None:
                raise DeclarationError(
                    f"Fit({what}=…) has points without targets; give at_points(points, targets=…)"
                )

    @property
    def order(self) -> int:  # type: ignore[override]
        return 2 if self.laplacian is not None else 1 if self.gradient is not None else 0

    @property
    def outputs(self) -> int:  # type: ignore[override]
        for data in (self.values, self.laplacian):
            if data is not None:
                return _channels(data)
        if isinstance(self.gradient, tuple):
            return _channels(self.gradient[0])
        assert isinstance(self.gradient, Raster | AtPoints)
        return _channels(self.gradient) // _dimension(self.gradient)

    @property
    def rasters(self) -> tuple[Raster, ...]:
        """The data that lie on grids."""
        every: list[Any] = [self.values, self.laplacian]
        every += self.gradient if isinstance(self.gradient, tuple) else [self.gradient]
        return tuple(data for data in every if isinstance(data, Raster))

    @property
    def free(self) -> bool:
        """Whether the data leave a constant open."""
        return self.values is None

    def _parts(self, dimension: int) -> list[tuple[str, Any, Any]]:
        """Name, data and residual of each constraint."""
        parts: list[tuple[str, Any, Any]] = []
        if self.values is not None:
            parts.append(("values", self.values, Value()))
        if isinstance(self.gradient, tuple):
            names = axis_names(max(dimension, len(self.gradient)))
            parts += [(f"gradient-{names[i]}", data, Slope(i)) for i, data in enumerate(self.gradient)]
        elif self.gradient is not None:
            parts.append(("gradient", self.gradient, Gradient()))
        if self.laplacian is not None:
            parts.append(("laplacian", self.laplacian, Laplacian()))
        return parts

    def sizes(self, problem: "Problem") -> dict[str, int]:
        """The number of samples of each constraint."""
        return {name: _count(data) for name, data, _ in self._parts(problem.domain.dimension)}

    def leaves_constant(self, problem: "Problem") -> bool:
        return self.values is None and problem.sides.leave_constant

    def trial(self, problem: "Problem") -> Siren:
        """A SIREN whose first layer starts with low frequencies of the samples, from which the others make the rest.

        Of values on a grid the wavenumbers of the first layer reach up to SHARE of the frequency below which half of the
        energy lies, and ω₀ is at least the paper's 30. With a higher one each sample is learnt by itself; with a lower one
        details come late. Scattered values get layers of the frequency that they have themselves, up to 30: with higher ones
        the network would pass through the samples and ripple between them. Derivatives at samples are
        matched by functions that ripple between them too, the more so the wider the network and the higher its
        frequencies: for a gradient ω₀ is a tenth of the highest frequency of the grid, 5 or more, the other layers have 10,
        and the width is 128. A Laplacian tells low frequencies least, by their square, so that ripples spoil them first: it
        gets a twentieth, layers of 5, width 64.
        """
        half = max(problem.domain.extents) / 2
        if isinstance(self.values, AtPoints):
            omega = float(np.clip(scattered_frequency(self.values) * half, LEAST, 30.0))
            width, hidden = 256, float(f"{omega:.2g}")
        elif self.values is not None:
            half_energy = median_frequency(self.values) * half
            width, omega, hidden = 256, max(30.0, SHARE * problem.domain.dimension * half_energy), 30.0
        else:
            width, share, hidden = (128, 10, 10.0) if self.gradient is not None else (64, 20, 5.0)
            omega = max([5.0, *(np.pi * half / min(raster.spacing) / share for raster in self.rasters)])
        return Siren(width, omega_0=float(f"{omega:.2g}"), omega_hidden=hidden)

    def advice(self, problem: "Problem", given: bool) -> Advice:
        """The paper's mean squares, at a rate that ebbs: 500 steps, and up to four times as many for many samples.

        A step sees an eighth of the samples, but 4096 to 8192 of them.
        """
        sizes = self.sizes(problem)
        points = {name: min(n, max(FEW, min(n // PART, 2 * FEW))) for name, n in sizes.items()}
        points |= {
            constraint.name: FEW // 4 for constraint in problem.constraints if constraint.name not in points
        }
        steps = round(500 * min(max(max(sizes.values()) / (2 * PART * FEW), 1), 4))
        why = "it is the paper's for samples"
        return Advice(why, first=True, steps=steps, rate=1e-3, points=points, squares=True, fading=True)

    def check(self, problem: "Problem") -> None:
        domain = problem.domain
        if problem.right_hand_sides != ((),):
            raise DeclarationError(
                f"Fit has no right-hand side for sources={problem.sources!r}; leave them out"
            )
        if name := problem.sides.absorbing:
            raise DeclarationError(
                f"{name} is a condition for waves; a Fit takes Dirichlet, Neumann, Robin or Periodic"
            )
        if isinstance(self.gradient, tuple) and len(self.gradient) != domain.dimension:
            raise DeclarationError(
                f"gradient has {len(self.gradient)} rasters, but the domain {domain.dimension} axes; give one for each"
            )
        for name, data, residual in self._parts(domain.dimension):
            if _dimension(data) != domain.dimension:
                raise DeclarationError(
                    f"the samples of {name} have {_dimension(data)} coordinates, but the domain has "
                    f"{domain.dimension}; give (n, {domain.dimension})"
                )
            each = domain.dimension if isinstance(residual, Gradient) else 1
            if _channels(data) != each * self.outputs:
                raise DeclarationError(
                    f"{name} has {_channels(data)} numbers at each point, but {self.outputs} channel(s) need "
                    f"{each * self.outputs}"
                )
            points = _spanning(data, domain)
            outside = np.asarray(domain.signed_distance(points)) > SLACK * max(domain.extents)
            if outside.any():
                raise DeclarationError(
                    f"{np.count_nonzero(outside)} samples of {name} lie outside the domain, the first at "
                    f"{points[int(outside.argmax())].tolist()}; make the domain larger, or use Raster.domain"
                )

    def constraints(self, problem: "Problem") -> tuple[Constraint, ...]:
        constraints = []
        for name, data, residual in self._parts(problem.domain.dimension):
            order = {Value: 0, Laplacian: 2}.get(type(residual), 1)
            text = f"{_symbol(residual, problem.domain)} = data at {_count(data)} samples"
            sampler = data.samples() if isinstance(data, Raster) else data
            constraints.append(Constraint(name, residual, sampler, order, text))
        return tuple(constraints)

    def describe(self, problem: "Problem") -> list[str]:
        kind = f", {self.outputs} channels" if self.outputs > 1 else ""
        parts = self._parts(problem.domain.dimension)
        symbols = ", ".join(_symbol(residual, problem.domain) for _, _, residual in parts)
        return [
            f"{symbols} = data,  u real{kind}",
            *(f"{name}: {_described(data)}" for name, data, _ in parts),
        ]


def _targets(samples: Samples, like: torch.Tensor) -> torch.Tensor:
    return samples.measured.reshape(like.shape)


def _count(data: Data) -> int:
    return data.samples().count if isinstance(data, Raster) else len(data.points)


def _spanning(data: Data, domain: Domain) -> np.ndarray:
    """Points (n, d) that lie in a domain if all samples do: of a raster in a box, its corners."""
    if isinstance(data, AtPoints):
        return data.points.numpy()
    if isinstance(domain, Box):
        return np.array(list(itertools.product(*zip(data.lower, data.upper, strict=True))))
    return data.points


def _dimension(data: Data) -> int:
    return data.dimension if isinstance(data, Raster) else data.points.shape[1]


def _channels(data: Data) -> int:
    if isinstance(data, Raster):
        return data.channels
    return data.measured[0].numel()


def _symbol(residual: Any, domain: Domain) -> str:
    match residual:
        case Value():
            return "u"
        case Slope(axis):
            return f"∂u/∂{domain.axes[axis]}"
        case Gradient():
            return "∇u"
    return "Δu"


def _described(data: Data) -> str:
    if isinstance(data, Raster):
        return f"{data.describe()}, from {data.values.min():.4g} to {data.values.max():.4g}, mean {data.values.mean():.6g}"
    return f"{len(data.points)} scattered samples, mean {float(data.measured.mean()):.6g}"
