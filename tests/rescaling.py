"""The same problem in other units: lengths, times and fields times a factor each, coefficients transformed accordingly."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import neurapde as npde
from neurapde.domains.base import Domain
from neurapde.domains.combine import Difference, Intersection, Union
from neurapde.medium import Constant, Field
from neurapde.sources import FunctionSource


@dataclass(frozen=True)
class Units:
    """Factors from the old numbers to the new ones: of lengths, times and fields."""

    length: float = 1.0
    time: float = 1.0
    size: float = 1.0

    def old(self, points: Any, dimension: int) -> Any:
        """Points `(n, d)`, or `(n, d + 1)` with t, in the old units."""
        scale = np.array([self.length] * dimension + [self.time] * (points.shape[1] - dimension))
        return points / (scale if isinstance(points, np.ndarray) else points.new_tensor(scale))

    def new(self, points: np.ndarray, dimension: int) -> np.ndarray:
        """The reverse of `old`."""
        return points * np.array([self.length] * dimension + [self.time] * (points.shape[1] - dimension))


def rescaled(problem: npde.Problem, units: Units) -> npde.Problem:
    """A named problem of Poisson's, Helmholtz's or the wave equation in other units, its exact solution left out."""
    d = problem.domain.spatial.dimension
    power = {npde.Poisson: (-2, 0), npde.Helmholtz: (-2, 0), npde.Wave: (0, -2)}[type(problem.equation)]
    density = units.size * units.length ** power[0] * units.time ** power[1]
    return npde.Problem(
        problem.name,
        _domain(problem.domain, units),
        _equation(problem.equation, units, d),
        [_source(source, units, d, density) for source in problem.sources],
        [_condition(part, units, d) for part in problem.boundary],
    )


def _domain(domain: Domain, units: Units) -> Any:
    if isinstance(domain, npde.SpaceTime):
        time = npde.Time(domain.time.start * units.time, domain.time.stop * units.time)
        return replace(domain, space=_domain(domain.space, units), time=time)
    factor = units.length
    if isinstance(domain, npde.Box):
        return npde.Box(*[(a * factor, b * factor) for a, b in domain.sides], name=domain.name)
    if isinstance(domain, npde.Ball):
        center = [c * factor for c in domain.center]
        return replace(domain, center=center, radius=domain.radius * factor)
    if isinstance(domain, npde.Polygon):
        return replace(domain, vertices=[(x * factor, y * factor) for x, y in domain.vertices])
    assert isinstance(domain, Union | Intersection | Difference)
    return replace(domain, first=_domain(domain.first, units), second=_domain(domain.second, units))


def _field(field: Field, units: Units, dimension: int, factor: float) -> Any:
    if isinstance(field, Constant):
        return field.value * factor
    if isinstance(field, npde.GridField):
        assert field.bounds is not None
        lower, upper = (np.multiply(bound, units.length).tolist() for bound in field.bounds)
        return npde.GridField(field.values * factor, (lower, upper))
    if isinstance(field, npde.Piecewise):
        pieces = [
            (_domain(region, units), _field(value, units, dimension, factor))
            for region, value in field.pieces
        ]
        return npde.Piecewise(_field(field.background, units, dimension, factor), *pieces)
    return lambda x: factor * field(units.old(x, dimension))


def _equation(equation: Any, units: Units, dimension: int) -> Any:
    if isinstance(equation, npde.Poisson):
        reaction = _field(equation.reaction, units, dimension, units.length**-2)
        return npde.Poisson(_field(equation.coefficient, units, dimension, 1.0), reaction)
    if isinstance(equation, npde.Helmholtz):
        return npde.Helmholtz(
            equation.wavenumber / units.length, _field(equation.speed, units, dimension, 1.0)
        )
    return npde.Wave(_field(equation.speed, units, dimension, units.length / units.time))


def _source(source: Any, units: Units, dimension: int, density: float) -> Any:
    if isinstance(source, FunctionSource):
        return _field(source.f, units, dimension, density)
    place = {
        "at": [c * units.length for c in source.at],
        "variance": source.variance * units.length**2,
        "amplitude": source.amplitude * density * units.length**dimension,
    }
    if isinstance(source, npde.RickerSource):
        place |= {"peak_frequency": source.peak_frequency / units.time, "delay": source.delay * units.time}
    return replace(source, **place)


def _condition(condition: Any, units: Units, dimension: int) -> Any:
    if isinstance(condition, npde.PML):
        return replace(condition, width=condition.width * units.length)
    if isinstance(condition, npde.InitialCondition):
        value = _field(condition.value, units, dimension, units.size)
        velocity = _field(condition.velocity, units, dimension, units.size / units.time)
        return replace(condition, value=value, velocity=velocity)
    if isinstance(condition, npde.Dirichlet):
        return replace(condition, value=_field(condition.value, units, dimension, units.size))
    if isinstance(condition, npde.Neumann):
        return replace(condition, value=_field(condition.value, units, dimension, units.size / units.length))
    assert isinstance(condition, npde.Absorbing)
    return condition
