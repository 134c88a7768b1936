"""Declared problems that are not linear: the field that they are held against meets equation and conditions."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.problems._cases import CLASSIC_CASES, EVOLUTION_CASES, SYSTEM_CASES


@pytest.mark.parametrize(
    "case",
    [problem for problem in (*EVOLUTION_CASES, *SYSTEM_CASES) if problem.name != "van-der-pol"],
    ids=lambda case: case.name,
)
def test_a_field_begins_as_its_problem_says(case):
    problem = case.factory()
    lower, upper = problem.domain.bounds
    points = np.linspace(lower, upper, 41)[1:-1]
    points[:, -1] = lower[-1]
    values = np.asarray(problem.exact(points)).reshape(len(points), -1)
    for condition in problem.boundary:
        if isinstance(condition, npde.InitialCondition):
            value = (
                condition.value(torch.from_numpy(points[:, :-1]))
                if callable(condition.value)
                else condition.value
            )
            np.testing.assert_allclose(
                values[:, condition.component or 0],
                np.broadcast_to(np.asarray(value), len(points)),
                atol=1e-5,
            )


@pytest.mark.parametrize("name", ["kdv", "schrodinger", "burgers"])
def test_a_field_in_closed_form_meets_its_equation(name):
    """By central differences of fourth order, of all that the equation reads."""
    problem = {case.name: case.factory for case in EVOLUTION_CASES}[name]()
    points = np.array([[0.31, 0.2], [-0.47, 0.35], [0.72, 0.5], [-0.05, 0.1]])
    step = 2e-3
    shifts, weights = np.arange(-2, 3), np.array([[1, -8, 0, 8, -1], [-1, 16, -30, 16, -1]]) / 12
    channels = [problem.exact(points)]
    for order in (1, 2):
        for axis in range(2):
            unit = step * np.eye(2)[axis]
            every = np.stack([problem.exact(points + shift * unit) for shift in shifts])
            channels.append(np.tensordot(weights[order - 1], every, axes=1) / step**order)
    constraint = next(constraint for constraint in problem.constraints if constraint.name == "equation")
    jet = npde.Jet(torch.from_numpy(np.stack(channels)), problem.layout(constraint))
    residual = constraint.residual(npde.Samples(torch.from_numpy(points)), jet)
    parts = residual if isinstance(residual, list | tuple) else [residual]
    assert max(float(residual.abs().max()) for residual in parts) < 1e-4


def test_bratus_problem_has_no_solution_beyond_its_fold():
    with pytest.raises(npde.DeclarationError, match=r"strength=3.6 of bratu: give λ between 0 and 3.51"):
        npde.problems.bratu(strength=3.6)


def test_names_of_classics_are_those_of_their_problems():
    assert all(case.factory().name == case.name for case in CLASSIC_CASES)
