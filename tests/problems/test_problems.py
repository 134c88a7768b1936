"""The declared problems: every parameter is open and acts; the default method meets the tolerance."""

import inspect

import numpy as np
import pytest

import neurapde as npde
from neurapde.cli.problems import grid_solution
from neurapde.problems import CASES, Case, helmholtz_disk, helmholtz_square, helmholtz_uniform
from neurapde.problems._cases import HELMHOLTZ_CASES

EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
EVERY_WAVE = pytest.mark.parametrize("case", HELMHOLTZ_CASES, ids=lambda case: case.name)
PATIENCE = 15  # seconds that a case may take here; `neurapde validate` runs them all
OTHER = {
    "wavenumber": 25.0,
    "background": 1.1,
    "source_at": (0.2, 0.42),
    "variance": 2e-4,
    "amplitude": 2.0,
    "half_width": 1.2,
    "pml_width": 0.4,
    "strength": 4.0,
    "reflection": 1e-6,
    "speed": 1.5,
    "center": (0.05, -0.02),
    "radius": 0.12,
    "side": 0.5,
}


def slowness_squared(problem: npde.Problem, *points: tuple[float, float]) -> np.ndarray:
    assert isinstance(problem.equation, npde.Helmholtz)
    return problem.equation.slowness_squared(np.array(points))


@EVERY_CASE
def test_a_case_builds_the_problem_of_its_name(case: Case) -> None:
    assert case.factory().name == case.name


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@EVERY_CASE
def test_every_parameter_is_a_keyword_with_a_default(case: Case) -> None:
    for parameter in inspect.signature(case.factory).parameters.values():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert parameter.default is not inspect.Parameter.empty


@EVERY_WAVE
def test_every_parameter_changes_the_problem(case: Case) -> None:
    default = case.factory()
    for name in inspect.signature(case.factory).parameters:
        assert str(case.factory(**{name: OTHER[name]})) != str(default), name


@EVERY_WAVE
def test_the_domain_and_layers_are_the_papers(case: Case) -> None:
    problem = case.factory()
    assert isinstance(problem.domain, npde.Box)
    assert isinstance(problem.equation, npde.Helmholtz)
    stretch = problem.equation.stretch(problem)
    edge = np.array([[0.5, 0.0], [1.0, 0.0], [0.0, -0.75]])
    e_x, e_y = stretch.factors(edge)
    np.testing.assert_allclose(e_x, [1, 1 - 5j, 1], atol=1e-12)
    np.testing.assert_allclose(e_y, [1, 1, 1 - 1.25j], atol=1e-12)


def test_the_uniform_medium_is_uniform() -> None:
    np.testing.assert_allclose(slowness_squared(helmholtz_uniform(), (0, 0), (0.9, -0.9)), 1.0)


def test_the_disk_is_twice_as_fast() -> None:
    np.testing.assert_allclose(
        slowness_squared(helmholtz_disk(), (0, 0), (0.099, 0), (0.08, 0.08)), [0.25, 0.25, 1]
    )


def test_the_square_is_twice_as_fast() -> None:
    values = slowness_squared(helmholtz_square(), (0, 0), (0.29, -0.29), (0.31, 0))
    np.testing.assert_allclose(values, [0.25, 0.25, 1], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.seconds <= PATIENCE], ids=lambda case: case.name
)
def test_the_default_method_meets_the_tolerance(case: Case) -> None:
    problem = case.factory()
    report = npde.validate(npde.solve(problem, seed=73091, progress=False), grid_solution(problem))
    assert report.relative_l2 < case.tolerance
