"""A user's own equation αΔu + γu + g = 0, α and γ constant, recognised as Poisson's or Helmholtz' by tests on jets."""

import warnings
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurapde.conditions.residuals import as_rows
from neurapde.core.arrays import to_numpy
from neurapde.core.errors import DeclarationError
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.fields.hidden import hidden_places
from neurapde.fields.sources import FunctionSource
from neurapde.jets.jet import Jet
from neurapde.jets.layout import Layout
from neurapde.problem.equation import AbstractEquation, Equation
from neurapde.problem.problem import Problem

POINTS, SEED = 256, 71933
"""Points at which an equation is tried, and of the jets."""
SIZES = (1e-3, 1.0, 1e3)
"""Of the jets on which it is tried."""
ROUNDING = 1e-10
"""Of the terms of an equation: what is no term of it."""


class _Answers:
    """The residual at points for jets `(channels, n)`."""

    def __init__(self, problem: Problem) -> None:
        assert isinstance(problem.equation, Equation)
        self.equation = problem.equation
        self.layout = Layout(problem.domain.dimension, 2, self.equation.mixed)
        self.dtype = torch.complex128 if self.equation.complex else torch.float64

    def __call__(self, points: Any, jets: Tensor) -> Tensor:
        """At points (n, d), NumPy or torch: (n,)."""
        points = torch.as_tensor(np.asarray(points) if isinstance(points, np.ndarray) else points)
        residual = self.equation.residual(points, Jet(jets.to(self.dtype), self.layout))
        rows = as_rows(residual, len(points), "residual(x, u)", self.equation.complex)
        if rows.shape != (len(points),):
            raise DeclarationError("it is more than one equation")
        return rows

    def unit(self, channel: int | None, count: int) -> Tensor:
        """Jets in which one channel is 1, or none."""
        jets = torch.zeros(self.layout.count, count, dtype=self.dtype)
        if channel is not None:
            jets[channel] = 1.0
        return jets

    def parts(self, points: Any) -> tuple[Tensor, Tensor]:
        """What is left without a field, (n,), and what each channel adds at size 1, (channels, n)."""
        rest = self(points, self.unit(None, len(points)))
        return rest, torch.stack(
            [self(points, self.unit(i, len(points))) - rest for i in range(self.layout.count)]
        )


@lru_cache(maxsize=4)
def as_known(problem: Problem) -> Problem | None:
    """The same problem with Poisson's or Helmholtz' equation, in two or three axes, or None."""
    equation = problem.equation
    if (
        not isinstance(equation, Equation)
        or (equation.outputs, equation.order) != (1, 2)
        or problem.domain.dimension not in (2, 3)
        or isinstance(problem.domain, SpaceTime)
        or problem.unknowns
        or problem.extra
        or any(len(parts) != 1 for parts in problem.sides.by_face.values())
    ):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _recognised(problem, _Answers(problem))
    except Exception:  # of the user's function, or of a declaration that the other equation refuses
        return None


def _recognised(problem: Problem, answers: _Answers) -> Problem | None:
    points = problem.domain.sample(POINTS, how="grid", dtype=torch.float64)
    rest, terms = answers.parts(points)
    if not _is_linear(answers, points, terms, rest):
        return None
    means, size = terms.mean(dim=1), terms.abs().max()
    of = dict(zip(answers.layout.derivatives, means.tolist(), strict=True))
    bend, value = of[(0, 0)], of.pop(())
    bends = [of.pop((axis, axis)) for axis in range(problem.domain.dimension)]
    constant = bool((terms - means[:, None]).abs().max() <= ROUNDING * size)
    departures = [*(other - bend for other in bends), *of.values()]
    alike = max(map(abs, departures)) <= ROUNDING * abs(bend)
    if not constant or not alike or bend == 0 or _hides(problem, answers):
        return None
    known = _equation(value / bend, answers.equation.complex)
    if known is None or (answers.equation.complex and bool(rest.any())):
        return None
    load = FunctionSource(_Load(answers, bend))
    sources = [load] if bool(rest.any()) else []
    named = Problem(problem.name, problem.domain, known, sources, problem.boundary)
    return None if known.leaves_constant(named) else named


def _is_linear(answers: _Answers, points: Tensor, terms: Tensor, rest: Tensor) -> bool:
    """Whether the residual of random jets of several sizes is that of the terms."""
    generator = torch.Generator().manual_seed(SEED)
    for size in SIZES:
        jets = size * torch.randn(terms.shape, generator=generator, dtype=torch.float64).to(terms.dtype)
        parts = terms * jets
        off = (answers(points, jets) - rest - parts.sum(dim=0)).abs()
        if bool((off > ROUNDING * (parts.abs().sum(dim=0) + rest.abs())).any()):
            return False
    return True


def _hides(problem: Problem, answers: _Answers) -> bool:
    """Whether a coefficient has parts that lie between all points."""
    lower, upper = problem.domain.bounds

    def every(points: NDArray[np.float64]) -> NDArray[Any]:
        _, terms = answers.parts(points)
        return np.asarray(sum(term.abs() * (i + 1) for i, term in enumerate(terms)))

    return len(hidden_places(every, lower, upper, problem.domain.contains)) > 0


def _equation(ratio: complex, is_complex: bool) -> AbstractEquation | None:
    """Δu + ratio u = 0 by name; k/c = √ratio, of positive real part."""
    if not is_complex:
        return Poisson(reaction=0.0 - complex(ratio).real)
    root = complex(np.sqrt(complex(ratio)))
    if root.real <= ROUNDING * abs(root):
        return None
    speed = abs(root) / root
    return Helmholtz(abs(root), speed if abs(speed.imag) > ROUNDING else 1.0)


class _Load:
    """g/α at points, NumPy or torch."""

    def __init__(self, answers: _Answers, bend: complex) -> None:
        self.answers, self.bend = answers, complex(bend).real

    def __call__(self, points: Any) -> Any:
        values = self.answers(points, self.answers.unit(None, len(points))) / self.bend
        return to_numpy(values) if isinstance(points, np.ndarray) else values
