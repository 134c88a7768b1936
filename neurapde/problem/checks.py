"""What a problem checks of itself when it is made: its functions and residuals are tried at a few points."""

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurapde.conditions import Boundary
from neurapde.conditions.constraints import Constraint, with_further
from neurapde.core import checks
from neurapde.core.arrays import Array, to_numpy
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.core.formatting import number, point
from neurapde.core.warn import warn
from neurapde.domains.base import Domain
from neurapde.fields.medium import Field
from neurapde.fields.pulses import Pulse
from neurapde.fields.sources import PointSource, Source
from neurapde.fields.unknown import NamedTwiceError, Unknown, reading
from neurapde.jets.jet import Jet
from neurapde.jets.tracing import derivatives_read
from neurapde.problem.equation import AbstractEquation, Equation

if TYPE_CHECKING:
    from neurapde.problem.problem import Problem

PROBES, SEED = 17, 48271
EDGE = 1e-9
"""Sources this far outside, in units of the domain's largest extent, are on its boundary: rounding."""


def check_values(problem: "Problem") -> None:
    """Refuse values, coefficients and sources that are complex where the field is real, whose imaginary part would be lost.

    What is given as a function is tried at a few points.
    """
    for what, function, points in _given(problem):
        values = _tried(what, function, points)
        if not np.isfinite(values).all():
            i = int(np.flatnonzero(~np.isfinite(values))[0])
            raise DeclarationError(
                f"{what} is {values[i]} at {point(points[i].tolist())}; give a finite value everywhere"
            )
        if np.iscomplexobj(values) and not problem.equation.complex:
            i = int(np.argmax(np.abs(values.imag)))
            raise DeclarationError(
                f"{what} is complex, {number(complex(values[i]))} at {point(points[i].tolist())}, but u is real; give "
                "real values, or declare the field complex: Equation(…, complex=True), as Helmholtz is by itself"
            )


def check_sources(problem: "Problem") -> None:
    """Refuse a source of which nothing reaches the domain; warn of one whose centre is outside."""
    domain = problem.domain
    for source in (source for side in problem.right_hand_sides for source in side):
        if source.center is None or len(source.center) != domain.dimension:
            continue
        away = float(domain.signed_distance(np.array([source.center]))[0])
        if away <= EDGE * max(domain.extents):
            continue
        fault = f"the source at {point(source.center)} lies {number(away)} outside {domain}"
        if away > source.reach:
            raise DeclarationError(
                f"{fault}, too far to have an effect; move the source inside, or leave it out"
            )
        warn(
            f"{fault}, and only its tail lies inside; move it inside if that was meant",
            DeclarationWarning,
        )


def check_residuals(problem: "Problem") -> None:
    """Try the residuals that a user wrote, on a field of random values.

    Raises: DeclarationError for what they return, or the error that they end in.
    """
    implied = problem.equation.constraints(problem) if isinstance(problem.equation, Equation) else ()
    names = {constraint.name for constraint in (*implied, *problem.extra)}
    for constraint in problem.constraints:
        if constraint.name in names:
            _try_residual(constraint, problem)


def with_derivatives(constraint: Constraint, domain: Domain, equation: AbstractEquation) -> Constraint:
    """A constraint with the mixed, third and fourth derivatives that it reads where it is tried."""
    if constraint.order < 2:
        return constraint
    samples = constraint.sample(PROBES, generator=_generator())
    read = derivatives_read(
        partial(constraint.residual, samples),
        domain.dimension,
        len(samples.points),
        equation.outputs,
        equation.complex,
    )
    mixed = with_further(constraint.mixed, read)
    return dataclasses.replace(constraint, mixed=mixed, order=max([constraint.order, *map(len, mixed)]))


def read_unknowns(problem: "Problem") -> tuple[Unknown, ...]:
    """The unknowns that the constraints of a problem ask for where they are tried, by their names."""
    with reading() as unknowns, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy's functions for tensors
        for constraint in problem.constraints:
            samples = constraint.sample(PROBES, generator=_generator())
            layout = problem.layout(constraint)
            size = layout.shape(len(samples.points), problem.outputs)
            kind = torch.complex128 if problem.equation.complex else torch.float64
            try:
                constraint.residual(samples, Jet(torch.full(size, 0.5, dtype=kind), layout))
            except NamedTwiceError:
                raise
            except (
                DeclarationError
            ):  # a point source has no values, and a function may take NumPy's points alone
                continue
    return tuple(unknowns[name] for name in sorted(unknowns))


def check_exact(problem: "Problem") -> None:
    """Refuse an exact solution that is no field of the problem: of another shape, complex, or not finite."""
    if problem.exact is None:
        return
    points = problem.domain.sample(PROBES, generator=_generator()).numpy()
    points = points[to_numpy(problem.physical(points))]
    if not len(points):
        return
    values = checks.answer(problem.exact, points, "exact(x)")
    n, outputs = len(points), problem.outputs
    if values.shape not in ((n,), (n, outputs)) or (outputs > 1 and values.ndim == 1):
        wanted = "(n,)" if outputs == 1 else f"(n, {outputs})"
        raise DeclarationError(
            f"exact(x) returned the shape {values.shape} for points {points.shape}; return {wanted}"
        )
    if np.iscomplexobj(values) and not problem.equation.complex:
        raise DeclarationError(
            f"exact(x) returned values of type {values.dtype}, but u is real; return real numbers"
        )
    if not np.isfinite(values).all():
        i = int(np.flatnonzero(~np.isfinite(values).reshape(n, -1).all(axis=1))[0])
        raise DeclarationError(
            f"exact(x) is {values[i]} at {point(points[i].tolist())}; give finite values in the domain, or leave it out"
        )


def _given(problem: "Problem") -> Iterator[tuple[str, Callable[[Array], Array], np.ndarray]]:
    """Every value that the declaration gives, with its name and points that suit it."""
    inside = problem.domain.sample(PROBES, generator=_generator()).numpy()
    place = problem.equation.medium_points(inside)
    for name, value in _fields(problem.equation):
        yield f"{name} of the {type(problem.equation).__name__}", value, place
    for condition in problem.boundary:
        for name, value in _fields(condition):
            yield (
                f"{name} of the condition {condition.describe(problem.domain)}",
                value,
                _points_of(condition, problem),
            )
    for i, side in enumerate(problem.right_hand_sides):
        shot = f" of shot {i + 1}" if len(problem.right_hand_sides) > 1 else ""
        for source in side:
            yield from _of_source(source, f"the source, {source.describe()},{shot}", inside)


def _of_source(
    source: Source, what: str, points: np.ndarray
) -> Iterator[tuple[str, Callable[[Array], Array], np.ndarray]]:
    if isinstance(source, PointSource):
        yield what, lambda x: np.full(len(x), source.amplitude), points
    elif isinstance(source, Pulse):
        yield from _of_source(source.shape, what, points[:, :-1])
        yield what, lambda x: source.signal(x[:, -1]), points
    else:
        yield what, source, points


def _fields(condition: Any) -> list[tuple[str, Field]]:
    every = ((entry.name, getattr(condition, entry.name)) for entry in dataclasses.fields(condition))
    return [(name, value) for name, value in every if isinstance(value, Field)]


def _points_of(condition: Boundary, problem: "Problem") -> np.ndarray:
    """Points where a condition holds, as its functions take them."""
    constraint = condition.constraints(problem.domain)[0]
    points = constraint.sample(PROBES, generator=_generator()).points.numpy()
    return condition.places(points)


def _tried(what: str, function: Callable[[Array], Array], points: np.ndarray) -> np.ndarray:
    """A function's values `(n,)` at NumPy points, or at torch's where it knows these alone."""
    try:
        values = to_numpy(function(points))
    except Exception as error:
        try:
            values = to_numpy(function(torch.from_numpy(points)))
        except Exception:
            if isinstance(error, DeclarationError):
                raise error from error.__cause__
            raise DeclarationError(
                f"{what} failed at {len(points)} points: {type(error).__name__}: {error}; write it with npde.sin, "
                "npde.exp and similar functions, as a function that gives one number for each point"
            ) from error
    if values.shape != (len(points),) or values.dtype.kind not in "iufc":
        raise DeclarationError(
            f"{what} gives values of the shape {values.shape} and type {values.dtype} at {len(points)} points; give one "
            "number for each"
        )
    return values


def _try_residual(constraint: Constraint, problem: "Problem") -> None:
    generator = _generator()
    samples = constraint.sample(PROBES, generator=generator)
    layout = problem.layout(constraint)
    size = layout.shape(len(samples.points), problem.outputs)
    channels = 0.5 + torch.rand(size, generator=generator, dtype=torch.float64)
    channels = channels.to(torch.complex128 if problem.equation.complex else torch.float64)
    try:
        values = constraint.residual(samples, Jet(channels.requires_grad_(), layout))
    except DeclarationError:
        raise
    except Exception as error:
        way = (
            "NumPy's functions cannot be differentiated by the network: use npde.sin, npde.exp, … or torch's"
            if "numpy()" in str(error)
            else "correct the residual: u.value is (n,), or (n, c) for several components, and x is (n, d)"
        )
        raise DeclarationError(
            f"the residual of {constraint.name!r} failed at {len(samples.points)} points: "
            f"{type(error).__name__}: {error}; {way}"
        ) from error
    if others := [leaf for leaf in _leaves(values) if leaf is not channels]:
        raise DeclarationError(
            f"the residual of {constraint.name!r} uses a torch tensor of shape {tuple(others[0].shape)} that requires "
            "grad, but no method would train it; declare it as npde.Parameter(name, start=…), or give tensor.detach()"
        )
    if not values.requires_grad:
        raise DeclarationError(
            f"the residual of {constraint.name!r} does not depend on u, or lost the dependence through .detach(), NumPy "
            "or a comparison; write it with u.value, u.gradient, u.laplacian or other derivatives"
        )


def _leaves(values: torch.Tensor) -> list[torch.Tensor]:
    """The tensors that values are made of and that require grad."""
    seen, variables = set(), []
    waiting: list[Any] = [values.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            variables.append(node.variable)
        waiting.extend(following for following, _ in node.next_functions)
    return variables


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)
