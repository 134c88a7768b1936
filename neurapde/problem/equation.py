"""What an equation is, and the equation a user gives as a residual.

An equation knows which derivatives it reads, which constraints it implies and how it is written. It sees the
problem it stands in (domain, sources, boundary) when it is checked and asked for constraints.
"""

import inspect
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch

from neurapde.conditions.constraints import (
    Constraint,
    Interior,
    InTime,
    Samples,
    check_axes,
    check_order,
    checked_pairs,
    interior,
    with_further,
)
from neurapde.conditions.residuals import CheckedResidual, as_rows
from neurapde.core import checks
from neurapde.core.arrays import Array
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.jets.jet import Jet, Layout
from neurapde.jets.tracing import derivatives_read
from neurapde.operators.base import AroundPoints, AtNodes, Operator, reading_operators
from neurapde.problem.advice import Advice
from neurapde.problem.obstacle import PROBES as BOUND_PROBES
from neurapde.problem.obstacle import Obstacle
from neurapde.spectral.weak import Piece

if TYPE_CHECKING:
    from neurapde.problem.problem import Problem
    from neurapde.trials.base import Trial


MOST_OUTPUTS = 10_000
SMALL = 3
"""Axes, time included, up to which some thousand points and parameters do for a nonlinear equation."""
SHARPENED = 4.0
"""Square of the frequency, over the weight, by which a bound counts as much as the equation on the shortest waves."""
MOST_LINES = 20
"""Of a function's source that are printed."""
PROBES, PROBE_SEED = 16, 71993


@dataclass(frozen=True)
class Transmission:
    """Where a coefficient jumps, the field and its flux go on: [u] = 0 and [a ∂u/∂n] = 0.

    pieces: the parts of the domain on each of which the coefficients are smooth. flux: points (n, d) to a (n,).
    """

    pieces: tuple[Piece, ...]
    flux: Callable[[Any], Any]

    @property
    def regions(self) -> tuple[Domain, ...]:
        """The regions whose edges bound the pieces, each once."""
        every = [region for piece in self.pieces for region in (*piece.within, *piece.outside)]
        return tuple(dict.fromkeys(every))


class AbstractEquation(Declaration, ABC):
    """A partial differential equation; subclasses are frozen dataclasses, one file each."""

    order: int = 2
    """Highest derivative it reads."""
    outputs: int = 1
    """Components of one field."""
    complex: bool = False
    """Whether the field is complex."""
    mixed: tuple[tuple[int, ...], ...] = ()
    """Axes of the mixed second, the third and the fourth derivatives that it reads."""
    one_condition_a_face: ClassVar[bool] = False
    """Whether one condition on each face in space is what determines its field: no less, and no more."""

    fronts: ClassVar[bool] = False
    """Whether its field may have fronts, which slow sines follow badly."""

    @property
    def obstacle(self) -> Obstacle | None:
        """The bounds that hold its field; None without any."""
        return None

    def on(self, domain: Domain) -> Self:
        """The same equation with everything it takes from the domain filled in."""
        return self

    def second_in_time(self, domain: Domain) -> bool:
        """Whether it reads ∂²u/∂t² on a domain of space over time."""
        return False

    def medium_points(self, points: Array) -> Array:
        """The places `(n, …)` at which its coefficients are asked for points `(n, d)` of the domain."""
        return points

    @property
    def under_topography(self) -> bool:
        """Whether its problems may have a Topography."""
        return False

    @abstractmethod
    def check(self, problem: "Problem") -> None:
        """Refuse a problem that this equation cannot stand in."""

    @abstractmethod
    def constraints(self, problem: "Problem") -> tuple[Constraint, ...]:
        """The named constraints that it implies."""

    @abstractmethod
    def describe(self, problem: "Problem") -> list[str]:
        """The equation as mathematics: its formula first, then its coefficients, a line each."""

    @property
    def regions(self) -> Mapping[str, Domain]:
        """Named regions of its coefficients."""
        return {}

    def around(self, network: "Trial", problem: "Problem") -> "Trial":
        """The trial function that a network makes with what this equation knows of its solution: the network alone."""
        return network

    def untrainable(self, problem: "Problem") -> str | None:
        """Why no trial function can be trained on its residuals at points, or None where one can."""
        return None

    def transmission(self, problem: "Problem") -> Transmission | None:
        """How parts of the domain are joined where coefficients jump; None where nothing jumps."""
        return None

    def trial(self, problem: "Problem") -> "Trial | None":
        """The trial function that suits its data best; None where the method's own default will do."""
        return None

    def weak_first(self, problem: "Problem") -> str | None:
        """Why its weak form is to be tried before its residuals at points; None where these tell as much."""
        return None

    def advice(self, problem: "Problem", given: bool) -> Advice:
        """How a network is trained for it, its own one or one that is given.

        On many axes few steps of second order reach what thousands of Adam's do not.
        """
        if given or self.complex or problem.domain.dimension <= SMALL:
            return Advice()
        return Advice(curved=True, steps=60, points=1000)

    def bounds(self, problem: "Problem", points: Array) -> tuple[Array, Array] | None:
        """Least and largest values `(n, fields)` that its solution may have at NumPy points `(n, d)`; None where unknown.

        Asked where residuals alone leave more than one field.
        """
        return None

    def leaves_constant(self, problem: "Problem") -> bool:
        """Whether its solutions are found up to a constant only, which comparisons then leave out."""
        return False


@dataclass(frozen=True)
class Equation(AbstractEquation):
    """`residual(x, u) = 0` inside the domain, for a user's function of points `(n, d)` and the Jet u there.

        def residual(x, u):
            return u.laplacian + npde.sin(np.pi * x[:, 0])

    In space over time, `domain.over(Time(0, 1))`, the last column of x is t, `u.laplacian` is that of space alone, and
    the jet has `u.dt` and `u.dtt`: heat conduction is `u.dt - u.laplacian`. Whether an InitialCondition says a velocity
    too follows from whether the residual reads `u.dtt`.

    Args:
        residual: (points, Jet) -> `(n,)` or `(n, c)`, or a list of such, one for each of several equations; its
            right-hand side is part of it.
        order: highest derivative it reads, 0 to 4; that it reads third and fourth ones is found by itself.
        outputs: components of the field.
        complex: whether the field is complex.
        mixed: axes of further derivatives that it reads, (0, 1) for u.d2(0, 1) and (0, 0, 1) for u.d3(0, 0, 1); those that
            it reads when it is tried are added.
        name: of its constraint.
        operators: integrals and fractional derivatives that it applies to u, such as `Volterra`; found by themselves.
    """

    residual: Callable[..., Any]
    order: int = 2
    outputs: int = 1
    complex: bool = False
    mixed: tuple[tuple[int, ...], ...] = ()
    name: str = "equation"
    operators: tuple[Operator, ...] = ()

    fronts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not callable(self.residual) or isinstance(self.residual, type):
            raise DeclarationError(
                f"residual of the Equation is {checks.shown(self.residual)}; give a function residual(x, u)"
            )
        check_order(self.order, "the Equation")
        checks.whole(self.outputs, "outputs", of="the Equation")
        if self.outputs > MOST_OUTPUTS:
            raise DeclarationError(
                f"outputs of the Equation is {self.outputs}; give at most {MOST_OUTPUTS} components"
            )
        checks.flag(self.complex, "complex")
        checks.name(self.name, "name of the Equation")
        pairs = checked_pairs(self.mixed, self.order, "Equation")
        object.__setattr__(self, "mixed", pairs)
        operators = tuple(self.operators) if isinstance(self.operators, list | tuple) else (self.operators,)
        for operator in operators:
            checks.kind(operator, "an entry of operators", Operator, "leave operators out: they are found")
        object.__setattr__(self, "operators", operators)

    def on(self, domain: Domain) -> "Equation":
        """The same with the mixed, third and fourth derivatives, and the operators, that it reads."""
        points = domain.sample(PROBES, how="grid", dtype=torch.float64)
        with reading_operators() as found:
            read = derivatives_read(
                partial(self.free, points), domain.dimension, len(points), self.outputs, self.complex
            )
        mixed = with_further(self.mixed, read) if self.order > 1 else self.mixed
        operators = tuple(dict.fromkeys((*self.operators, *found)))
        order = max([self.order, *map(len, mixed), *(operator.order for operator in operators)])
        equation = replace(self, mixed=mixed, order=order, operators=operators)
        if self.obstacle is None:
            return equation if mixed or operators else self
        return replace(equation, residual=self.obstacle.on(domain, equation.jets_on(domain)))

    @property
    def obstacle(self) -> Obstacle | None:
        return self.residual if isinstance(self.residual, Obstacle) else None

    @property
    def free(self) -> Callable[..., Any]:
        """Its residual where no bound is touched."""
        return self.residual if self.obstacle is None else self.obstacle.residual

    @property
    def unbound(self) -> "Equation":
        """The same without bounds."""
        return self if self.obstacle is None else replace(self, residual=self.free)

    def sharpened(self, by: float) -> "Equation":
        """The same with bounds that weigh more."""
        return self if self.obstacle is None else replace(self, residual=self.obstacle.sharpened(by))

    def jets_on(self, domain: Domain) -> Iterator[Jet]:
        """Jets of chance numbers at points of a domain, as they are where its last axis is time and where it is not."""
        generator = torch.Generator().manual_seed(PROBE_SEED)
        count = len(domain.sample(BOUND_PROBES, how="grid"))
        for in_time in (domain.spatial is not domain, True):
            layout = Layout(domain.dimension, self.order, self.mixed, in_time=in_time)
            size = layout.shape(count, self.outputs)
            yield Jet(0.5 + torch.rand(size, generator=generator, dtype=torch.float64), layout)

    def locally(self, points: Array, u: Jet) -> Any:
        """Its residual at points without bounds, and without what its operators read elsewhere."""
        with reading_operators():
            return self.free(points, u)

    def second_in_time(self, domain: Domain) -> bool:
        """Found by trying whether that channel of a jet moves the residual."""
        return self.order > 1 and self._reads(domain, lambda jets: jets.second(jets.time, jets.time))

    def reads_time_derivative(self, domain: Domain) -> bool:
        """Whether ∂u/∂t or ∂²u/∂t² moves the residual."""
        first = self.order > 0 and self._reads(domain, lambda jets: jets.first(jets.time))
        return first or self.second_in_time(domain)

    def _reads(self, domain: Domain, channel: Callable[[Layout], int]) -> bool:
        """Whether that channel of a jet moves the residual. False if it cannot be tried outside a solve."""
        generator = torch.Generator().manual_seed(PROBE_SEED)
        points = domain.sample(PROBES, how="grid", dtype=torch.float64)
        layout = Layout(domain.dimension, self.order, self.mixed, in_time=True)
        size = layout.shape(len(points), self.outputs)
        dtype = torch.complex128 if self.complex else torch.float64
        plain = (0.5 + torch.rand(size, generator=generator, dtype=torch.float64)).to(dtype)
        moved = plain.clone()
        moved[channel(layout)] += 1.0
        try:
            before, after = (
                as_rows(self.locally(points, Jet(channels, layout)), len(points), self._formula, self.complex)
                for channels in (plain, moved)
            )
            return bool((before != after).any())
        except Exception:  # the user's own function: what is wrong with it is said when it is solved
            return False

    def check(self, problem: "Problem") -> None:
        if problem.right_hand_sides != ((),):
            raise DeclarationError(
                f"residual(x, u) of the Equation includes the right-hand side, but sources={problem.sources!r}; "
                "subtract them in residual"
            )
        if name := problem.sides.absorbing:
            raise DeclarationError(
                f"{name} needs the speed of Helmholtz or Wave; write the stretch into residual(x, u), add ∂u/∂t + c "
                "∂u/∂n = 0 as an npde.Constraint on the faces, or use Dirichlet, Neumann, Robin or Periodic"
            )
        check_axes(self.mixed, problem.domain.dimension, "Equation")
        for operator in self.operators:
            operator.check(problem.domain)
        if self.obstacle is not None and (self.outputs > 1 or self.complex):
            raise DeclarationError(
                "an Obstacle holds a real field with one component; leave out outputs=… and complex=True"
            )

    def constraints(self, problem: "Problem") -> tuple[Constraint, ...]:
        text = f"{self._formula} = 0 in the {problem.domain.name}"
        residual = CheckedResidual(InsideResidual(self.residual), self._formula, self.complex)
        if self.operators:
            around = AroundPoints(problem.domain, self.operators)
            return (Constraint(self.name, AtNodes(residual, self.operators), around, self.order, text),)
        return (Constraint(self.name, residual, interior(problem.domain), self.order, text),)

    def advice(self, problem: "Problem", given: bool) -> Advice:
        """Points that follow the residual; conditions count more, as they decide which of many solutions it is."""
        if given or problem.domain.dimension > SMALL or self.order > 2:
            return super().advice(problem, given)
        inside = {constraint.name: isinstance(constraint.sample, Interior) for constraint in problem.trained}
        points = {name: 2000 if is_inside else 200 for name, is_inside in inside.items()}
        weights = {name: 10.0 for name, is_inside in inside.items() if not is_inside}
        return Advice(curved=True, steps=120, points=points, weights=weights, follows=True)

    def describe(self, problem: "Problem") -> list[str]:
        kind = "complex" if self.complex else "real"
        size = f", {self.outputs} components" if self.outputs > 1 else ""
        formula = f"{self._formula} = 0,  u {kind}{size},  derivatives up to order {self.order}"
        return [formula, *source_of(self.free), *(operator.describe() for operator in self.operators)]

    @property
    def _formula(self) -> str:
        if self.obstacle is not None:
            return self.obstacle.describe()
        name = getattr(self.residual, "__name__", type(self.residual).__name__)
        return f"{'residual' if name == '<lambda>' else name}(x, u)"


def free_of(problem: "Problem", constraint: Constraint) -> Constraint:
    """The constraint of a problem's equation as it is where no bound is touched."""
    equation = problem.equation
    if not isinstance(equation, Equation) or equation.obstacle is None:
        return constraint
    return _constraint_of(equation.unbound, problem)


def sharpened(problem: "Problem", constraint: Constraint, frequency: float) -> Constraint:
    """The constraint of a problem's equation with bounds that weigh as it does on waves of so many radians a domain."""
    equation = problem.equation
    if not isinstance(equation, Equation) or equation.obstacle is None:
        return constraint
    return _constraint_of(equation.sharpened(frequency**2 / SHARPENED), problem)


def _constraint_of(equation: Equation, problem: "Problem") -> Constraint:
    (constraint,) = equation.constraints(problem)
    residual = InTime(constraint.residual) if problem.in_time else constraint.residual
    return replace(constraint, residual=residual)


def source_of(function: Callable[..., Any]) -> list[str]:
    """The lines in which a function is written, up to `MOST_LINES`; none where they are not known."""
    try:
        lines = textwrap.dedent(inspect.getsource(inspect.unwrap(function))).rstrip().splitlines()
    except (OSError, TypeError):
        return []
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "…"]


@dataclass(frozen=True)
class InsideResidual:
    """A user's residual(x, u) as a constraint's residual(samples, u)."""

    residual: Callable[..., Any]

    def __call__(self, samples: Samples, u: Jet) -> Any:
        return self.residual(samples.points, u)
