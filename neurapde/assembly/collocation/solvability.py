"""Whether the constraints of a linear problem have one solution: tested on a few features, before any growth.

There are two failures. Fields in the null space are undetermined, and the sources for them must balance, or there is
no solution. And no field meets more conditions than the equation takes, unless the conditions agree.
"""

import itertools
import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from neurapde.assembly.collocation.conditions_count import Crowded, crowded
from neurapde.assembly.collocation.head import least_squares
from neurapde.assembly.collocation.null_space import FREE, NOTICED, Unnoticed, left_open, unnoticed
from neurapde.assembly.collocation.samples import drawn
from neurapde.assembly.collocation.system import OVERSAMPLING, Assembly, NotAffineError
from neurapde.assembly.collocation.weighing import System, joined
from neurapde.conditions.constraints import Constraint
from neurapde.core.formatting import number
from neurapde.problem.problem import Problem

STEADY = 2.0
"""Smallest growth of an undetermined field from level to level, and decrease of the residual of rows that can be met."""
ROUNDING, NONE = 1e-12, 3e-12
"""Pull, and what is made of a field, below which there is rounding alone."""
MET, MISSED = 1e-3, 1e-2
"""Part of the right-hand side that a few features may leave of constraints that a field meets, and that one makes which it
does not meet."""
BEYOND = 10.0
"""Ratio of a constraint's residual to that of the others, if it contradicts them."""
MORE = 2
"""Numbers of features that are tried for the first of these beyond those that show that nothing is left open."""
MENDED = 0.1
"""Of what is left, to which it falls where its cause is taken away."""
ASKED, SEED = 300, 40853
"""Points at which it is asked by how much a constraint is missed."""


def unsolvable(problem: Problem, assemblies: Iterator[Assembly]) -> str | None:
    """Why a problem has no unique solution, as "many solutions: …" or "no solution: …", or None.

    assemblies: its rows on more and more features, within the budget.
    """
    before = 0.0
    for assembly in assemblies:
        try:
            null_space = unnoticed(assembly)
        except NotAffineError:  # to be decided at the size of the answer
            return None
        size = float(null_space.sizes[0])
        if size < NOTICED or size < STEADY * before:
            surplus = crowded(problem)
            following = itertools.chain((assembly,), itertools.islice(assemblies, MORE))
            return None if surplus is None else _contradiction(problem, following, surplus)
        if size > FREE:
            if not _is_open(itertools.chain((assembly,), assemblies)):
                return None
            return (
                _unbalanced(problem, assembly, null_space)
                or f"many solutions: {left_open(problem, null_space)}"
            )
        before = size
    return None


def _is_open(assemblies: Iterable[Assembly]) -> bool:
    """Whether a field with a small residual is in the null space; near a resonance it is not, and there is one
    solution.

    The residual of a null-space field falls as the features grow in number.
    """
    before = math.inf
    for assembly in assemblies:
        felt = unnoticed(assembly, ROUNDING).felt
        if felt < NONE:
            return True
        if felt > before / STEADY:
            return False
        before = felt
    return True


def _relative_residual(parts: Iterable[System]) -> tuple[float, Tensor]:
    """The relative residual of the best amplitudes, and these amplitudes."""
    system = joined(list(parts))
    amplitudes = least_squares(system.matrix, system.loads)
    size = float(torch.linalg.vector_norm(system.loads))
    residual = float(torch.linalg.vector_norm(system.loads - system.matrix @ amplitudes))
    return (residual / size if size else 0.0), amplitudes


def _unbalanced(problem: Problem, assembly: Assembly, unnoticed: Unnoticed) -> str | None:
    """A message that the sources of an undetermined field do not balance, with the amount that is missing."""
    equation = problem.constraints[0]
    if unnoticed.free != 1 or problem.outputs != 1 or len(assembly.frames) != 1:
        return None
    samples = drawn(
        equation.sample, int(OVERSAMPLING * assembly.columns), assembly.generator, assembly.device
    )
    parts = Assembly(problem, assembly.trial, assembly.generator, placed={equation.name: samples}).parts()
    rows = parts[equation.name]
    if rows.equations != 1 or rows.weights is None:
        return None
    residual = _relative_residual(parts.values())[0]
    if residual < MET:
        return None
    assembly.set_amplitudes(unnoticed.amplitudes)
    with torch.no_grad():
        field = assembly.trial(samples.points)
    field = torch.ones_like(field) if unnoticed.constant else field / field[field.abs().argmax()]
    slack = {
        name: System(
            torch.cat(
                [
                    system.matrix,
                    (rows.weights * field if name == equation.name else 0 * system.loads)[:, None],
                ],
                dim=1,
            ),
            system.loads,
        )
        for name, system in parts.items()
    }
    mended, amplitudes = _relative_residual(slack.values())
    if mended > MENDED * residual:
        return None
    given = complex(amplitudes[-1].item())
    amount = complex(*(float(f"{component:.4g}") for component in (given.real, given.imag)))
    shape, added, in_all = "field", f"{number(amount)} times that field, of size 1,", ""
    if unnoticed.constant:
        shape, added = "constant", number(amount)
        in_all = f", {number(float(f'{abs(amount) * problem.domain.measure:.4g}'))} in all"
    return (
        f"no solution: its constraints do not change when a {shape} is added to u, so its sources and conditions must "
        f"balance, but they do not; they would if {added} were added to {equation.name!r} everywhere{in_all}. Change "
        f"the right-hand side or the conditions, or give a condition that fixes the {shape}"
    )


def _contradiction(problem: Problem, assemblies: Iterable[Assembly], surplus: Crowded) -> str | None:
    """The constraints that contradict each other, and the residual of one of them for the field that meets the others.

    Small residuals in all constraints at once show nothing: near a face a field may bend between the points.
    """
    for assembly in assemblies:
        parts = assembly.parts()
        whole = float(torch.linalg.vector_norm(joined(list(parts.values())).loads))
        missed = []
        for constraint in surplus.constraints:
            rest = [system for name, system in parts.items() if name != constraint.name]
            residual, amplitudes = _relative_residual(rest)
            if residual > MENDED or float(unnoticed(assembly, rows=joined(rest).matrix).sizes[0]) > FREE:
                continue
            system = parts[constraint.name]
            off = float(torch.linalg.vector_norm(system.matrix @ amplitudes - system.loads))
            if off > max(MISSED, BEYOND * residual) * whole:
                missed.append((off, constraint, amplitudes))
            elif residual < MET:
                return None
        if missed:
            _, worst, amplitudes = min(missed, key=lambda excess: excess[0])
            return _contradicting(problem, assembly, surplus, worst, amplitudes)
    return None


def _contradicting(
    problem: Problem, assembly: Assembly, surplus: Crowded, worst: Constraint, amplitudes: Tensor
) -> str:
    assembly.set_amplitudes(amplitudes)
    samples = worst.sample(ASKED, how="sobol", generator=torch.Generator().manual_seed(SEED))
    layout = problem.layout(worst)
    with torch.no_grad():
        jet = assembly.trial.jet(samples.points, layout.order, layout.mixed)
        off = float(worst.residual(samples, jet).abs().max())
    return (
        f"no solution: {surplus}, and they contradict each other: if the others hold, {worst.name!r} is violated by "
        f"{number(float(f'{off:.2g}'))}. Leave one out, or change its value"
    )
