"""Which condition holds on which face: what solvers ask of the sides instead of the types of conditions."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import neurapde as npde
from neurapde.conditions import Boundary, Sides, Treated
from neurapde.conditions.base import ONE, Mixed
from neurapde.conditions.faces import FaceCondition
from neurapde.domains.base import Domain
from neurapde.fields.medium import Constant

BOX = npde.Box((0, 1), (0, 2))
IN_TIME = BOX.over(npde.Time(0, 1))
KNOWN = Treated(
    "the solver", (npde.PML, npde.Dirichlet, npde.Neumann), zero=(npde.Neumann,), way="use another"
)


def sides(*conditions: Boundary, domain: Domain = BOX) -> Sides:
    return Sides(domain, tuple(condition.on_domain(domain) for condition in conditions))


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        (
            [npde.Dirichlet(lambda x: x[:, 0], on=["left", "top"]), npde.PML(0.2, on=["right", "bottom"])],
            None,
        ),
        ([npde.Neumann(0.0)], None),
        (
            [npde.Dirichlet(1.0, on="left")],
            "has no condition on right, bottom and top; give PML, Dirichlet or Neumann",
        ),
        (
            [npde.Neumann(1.0)],
            "the solver takes Neumann only with the value 0, but ∂u/∂n = 1 on the boundary is not zero; use another",
        ),
        (
            [npde.Robin(2.0, 1.0)],
            "the solver does not support the condition 2 · u + ∂u/∂n = 0 on the boundary; use another",
        ),
        (
            [npde.Dirichlet(0.0, on=["bottom", "top"]), npde.Periodic("x")],
            "the solver does not support the condition u periodic in x",
        ),
    ],
)
def test_a_solver_is_told_the_first_side_that_it_cannot_take(
    conditions: list[Boundary], reason: str | None
) -> None:
    obstacle = sides(*conditions).missing(KNOWN)
    assert obstacle == reason if reason is None else reason in str(obstacle)


def test_a_condition_at_the_end_of_time_is_no_side() -> None:
    """A solver of what begins knows no condition at the end, whatever its kind: it is not passed over."""
    begun = [npde.InitialCondition(1.0), npde.Dirichlet(0.0)]
    assert sides(*begun, domain=IN_TIME).missing(KNOWN) is None
    ends = sides(*begun, npde.Dirichlet(0.0, on="final"), domain=IN_TIME)
    assert ends.missing(KNOWN) == "the solver does not support the condition u = 0 on final; use another"


def test_the_sides_of_each_axis_are_known() -> None:
    conditions = sides(
        npde.Neumann(0.0, on="left"),
        npde.Dirichlet(1.0, on="right"),
        npde.PML({"bottom": 0.25}),
        npde.Absorbing(on="top"),
    )
    assert conditions.natural == ((True, False), (False, False))
    assert conditions.fixed == ("right",)
    assert conditions.open == {"bottom": 0.25, "top": 0.0}
    assert conditions.silent == []
    assert conditions.layer is not None
    assert not conditions.leave_constant


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([npde.Neumann(1.0)], True),
        ([npde.Neumann(1.0, on=["bottom", "top"]), npde.Periodic("x")], True),
        ([npde.Robin(0.0, 2.0, 1.0)], True),
        ([npde.Neumann(1.0, on=["left", "right", "top"]), npde.Robin(1.0, 1.0, on="bottom")], False),
        ([npde.Neumann(1.0, on=["left", "right", "top"]), npde.Dirichlet(on="bottom")], False),
    ],
)
def test_a_constant_is_left_open_where_nothing_reads_u_itself(
    conditions: list[Boundary], expected: bool
) -> None:
    assert sides(*conditions).leave_constant is expected
    problem = npde.Problem("p", BOX, npde.Poisson(), boundary=conditions)
    assert problem.equation.leaves_constant(problem) is expected


def test_where_nothing_is_said_a_field_begins_at_rest_and_zero() -> None:
    problem = npde.Problem("p", IN_TIME, npde.Wave(), boundary=npde.Dirichlet(0.0))
    assert problem.sides.start == npde.InitialCondition(0.0, 0.0)
    given = replace(npde.InitialCondition(2.0), velocity=1.0)
    assert npde.Problem("p", IN_TIME, npde.Wave(), boundary=given).sides.start == given


@dataclass(frozen=True)
class Leaky(FaceCondition):
    """u + ∂u/∂n / 2 = value, a condition of somebody's own."""

    value: object = 0.0
    on: object = None
    name: str = ""
    component: int | None = None

    _kind = "leaky"

    @property
    def mixed(self) -> Mixed:
        return Mixed(ONE, Constant(0.5), self.value)


def test_a_condition_of_ones_own_is_one_class() -> None:
    line = npde.Interval(0, 1)
    problem = npde.Problem("leaky", line, npde.Poisson(), lambda x: 1 + 0 * x[:, 0], Leaky())
    assert problem.sides.silent == []
    with pytest.raises(npde.DeclarationError, match=r"does not support the condition u \+ 0.5 · ∂u/∂n = 0"):
        npde.solve(problem, method=npde.Galerkin())
    solution = npde.solve(problem, method=npde.LeastSquares(), progress=False)
    x = line.sample(50, how="grid").numpy()
    assert np.asarray(solution(x)) == pytest.approx((x - x**2).ravel() / 2 + 0.25, abs=1e-5)


def test_no_solver_asks_a_condition_for_its_type() -> None:
    """Else a new condition is more than one class: each place that asks would have to learn of it."""
    kinds = "Dirichlet|Neumann|Robin|Periodic|PML|Absorbing|InitialCondition|FaceCondition"
    asking = re.compile(rf"isinstance\([^()]*\b({kinds})\b|case ({kinds})\(")
    root = Path(npde.__file__).parent
    faults = [
        f"{path.relative_to(root)}: {match.group()}"
        for folder in (root, root.parent / "problems", root.parent / "validation")
        for path in folder.rglob("*.py")
        if path.parent.name != "conditions"
        for match in asking.finditer(path.read_text(encoding="utf-8"))
    ]
    assert faults == []
