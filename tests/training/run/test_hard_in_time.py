"""Hard conditions in space and time, at the start and by component: met by any parameters, and trained around."""

import numpy as np
import pytest
import torch
from torch import Tensor

import neurapde as npde
from neurapde.jets.autograd import jet_by_autograd
from neurapde.training.run.hard import meets_hard_conditions, with_hard_conditions
from neurapde.trials.base import TrialFunction
from support import assert_same_field, relative

TINY = npde.Siren(width=6, depth=1, omega_0=4.0)
LINE = npde.Interval(-1, 2).over(npde.Time(0.5, 2))
PLANE = npde.Box((-1, 2), (0, 1)).over(npde.Time(0, 3))


def heat(x: Tensor, u: npde.Jet) -> Tensor:
    return u.dt - u.laplacian


def wave(x: Tensor, u: npde.Jet) -> Tensor:
    return u.dtt - u.laplacian


def pair(x: Tensor, u: npde.Jet) -> list[Tensor]:
    return [u[0].dtt - u[0].laplacian, u[1].dtt - u[1].laplacian]


def field(x: Tensor) -> Tensor:
    return npde.sin(2 * x[:, 0]) * npde.exp(-x[:, -1]) + x[:, -1] ** 2


def at_start(time: float):
    return lambda x: npde.sin(2 * x[:, 0]) * np.exp(-time) + time**2


def rate_at_start(time: float):
    return lambda x: -npde.sin(2 * x[:, 0]) * np.exp(-time) + 2 * time


def hard_start(value: object, velocity: object = None, component: int | None = None) -> npde.InitialCondition:
    return npde.InitialCondition(value, velocity, component, hard=True)


def hard(value: object, on: object = None, component: int | None = None) -> npde.Dirichlet:
    return npde.Dirichlet(value, on, hard=True, component=component)


def declared(domain: npde.Domain, residual, *boundary, **equation: object) -> npde.Problem:
    return npde.Problem("held", domain, npde.Equation(residual, **equation), boundary=boundary)


NODES = npde.GridField(np.random.default_rng(60209).normal(size=(6, 5)))
PROBLEMS = {
    "start": declared(LINE, heat, hard_start(at_start(0.5)), npde.Dirichlet(field)),
    "zero start": declared(LINE, heat, hard_start(0.0), npde.Dirichlet(0.0)),
    "start and velocity": declared(LINE, wave, hard_start(at_start(0.5), rate_at_start(0.5)), npde.Dirichlet(field)),
    "at rest": declared(LINE, wave, hard_start(at_start(0.5)), npde.Dirichlet(field)),
    "all": declared(LINE, heat, hard_start(at_start(0.5)), hard(field)),
    "all of second order": declared(LINE, wave, hard_start(at_start(0.5), rate_at_start(0.5)), hard(field)),
    "sides": declared(PLANE, heat, npde.InitialCondition(at_start(0.0)), hard(field)),
    "plane": declared(PLANE, wave, hard_start(at_start(0.0), rate_at_start(0.0)), hard(field)),
    "grid": declared(PLANE, heat, hard_start(NODES), npde.Neumann(0.0)),
    "jump": declared(LINE, heat, hard_start(1.0), hard(0.0)),
    "disk": declared(npde.Disk((0, 0), 1).over(npde.Time(0, 1)), heat, hard_start(at_start(0.0)), npde.Dirichlet(field)),
    "number": declared(npde.Time(0, 2), lambda t, u: u.dtt + u.value, hard_start(1.0, 2.0)),
    "numbers": declared(
        npde.Time(0, 2), lambda t, u: [u[0].dt - u[1].value, u[1].dt + u[0].value],
        hard_start(1.0, component=0), hard_start(-2.0, component=1), outputs=2,
    ),
    "components": declared(
        LINE, pair, hard_start(at_start(0.5), rate_at_start(0.5), component=0), hard_start(0.0, 3.0, component=1),
        hard(field, component=0), npde.Dirichlet(0.0, component=1), outputs=2,
    ),
    "one component": declared(
        npde.Box((0, 1), (0, 1)), lambda x, u: [u[0].laplacian, u[1].laplacian],
        hard(field, component=1), npde.Dirichlet(0.0, component=0), outputs=2,
    ),
    "all and one": declared(
        npde.Box((0, 1), (0, 1)), lambda x, u: [u[0].laplacian, u[1].laplacian],
        hard(0.0, "left"), hard(2.0, "right", component=0), npde.Dirichlet(1.0, "right", component=1), outputs=2,
    ),
}  # fmt: skip


def built(problem: npde.Problem, dtype: torch.dtype = torch.float64) -> TrialFunction:
    outputs, complex_field = problem.outputs, problem.equation.complex
    generator = torch.Generator().manual_seed(60077)
    trial = TINY.build(problem.domain.bounds, outputs, complex_field, generator=generator, dtype=dtype)
    return with_hard_conditions(problem, trial)[0]


@pytest.mark.parametrize("name", PROBLEMS)
def test_hard_conditions_in_time_hold_whatever_the_parameters(name: str) -> None:
    problem = PROBLEMS[name]
    names = [
        constraint.name for condition in problem.hard for constraint in condition.constraints(problem.domain)
    ]
    assert names
    assert not set(names) & {constraint.name for constraint in problem.trained}
    assert len(problem.trained) == len(problem.constraints) - len(names)
    for dtype, tolerance in ((torch.float64, 1e-11), (torch.float32, 2e-4)):
        trial = built(problem, dtype)
        with torch.no_grad():
            for parameter in trial.parameters():
                parameter.normal_(generator=torch.Generator().manual_seed(60091))
        for constraint in problem.constraints:
            if constraint.name in names:
                samples = constraint.sample(200, generator=torch.Generator().manual_seed(60083), dtype=dtype)
                left = constraint.residual(samples, trial.jet(samples.points, constraint.order))
                assert left.abs().max() < tolerance, constraint.name
    assert meets_hard_conditions(problem, trial)


@pytest.mark.parametrize("name", PROBLEMS)
def test_jets_of_trials_held_in_time_are_those_of_nested_differentiation(name: str) -> None:
    trial, problem = built(PROBLEMS[name]), PROBLEMS[name]
    d = problem.domain.dimension
    points = problem.domain.sample(20, generator=torch.Generator().manual_seed(60101))
    jet = trial.jet(points, 2, [(0, d - 1)] if d > 1 else [])
    expected = jet_by_autograd(lambda x: trial(x), points, jet.layout, keep_graph=False)
    torch.testing.assert_close(jet.channels.detach(), expected.channels, rtol=1e-10, atol=1e-9)


def test_a_network_without_the_conditions_is_told_from_one_with_them() -> None:
    for name in ("start", "start and velocity", "components"):
        problem = PROBLEMS[name]
        free = TINY.build(problem.domain.bounds, problem.outputs, False, generator=torch.Generator())
        assert not meets_hard_conditions(problem, free)


def test_a_conserved_start_leaves_the_rest_to_the_network() -> None:
    """At twice the distance from the start the network's part of a second-order trial is four times as large."""
    trial = built(PROBLEMS["number"])
    with torch.no_grad():
        for parameter in trial.parameters():
            parameter.zero_()
        trial.head.bias.fill_(1.0)
        times = torch.tensor([[0.5], [1.0]])
        beyond = trial(times) - 1 - 2 * times[:, 0]
    assert float(beyond[1] / beyond[0]) == pytest.approx(4.0)


def cooling(is_hard: bool) -> npde.Problem:
    def exact(x):
        return npde.sin(np.pi * x[:, 0]) * npde.exp(-(np.pi**2) * 0.2 * x[:, 1])

    return npde.Problem(
        "cooling",
        npde.Interval(0, 1).over(npde.Time(0, 1)),
        npde.Equation(lambda x, u: u.dt - 0.2 * u.d2(0)),
        boundary=[
            npde.Dirichlet(0.0, hard=is_hard),
            npde.InitialCondition(lambda x: npde.sin(np.pi * x[:, 0]), hard=is_hard),
        ],
        exact=exact,
    )


@pytest.mark.slow
def test_training_within_the_conditions_comes_nearer_than_training_them() -> None:
    network = npde.MLP(width=16, depth=1, activation="tanh")
    method = npde.NaturalGradient(steps=25, points=300)
    errors = []
    for is_hard in (False, True):
        problem = cooling(is_hard)
        solution = npde.solve(problem, network, method, device="cpu", seed=60107)
        x = problem.domain.sample(2000, how="grid").numpy()
        errors.append(relative(solution(x), problem.exact(x)))
    assert errors[1] < errors[0]
    assert errors[1] < 1e-4
    assert solution.history.names == ("equation",)
    edges = np.array([[0.0, 0.3], [1.0, 0.8], [0.4, 0.0]])
    np.testing.assert_allclose(solution(edges), [0.0, 0.0, np.sin(0.4 * np.pi)], atol=1e-12)


def test_a_direct_method_takes_hard_conditions_in_time_like_soft_ones() -> None:
    method = npde.LeastSquares(1e-3)
    soft, held = (
        npde.solve(cooling(is_hard), method=method, device="cpu", seed=60209) for is_hard in (False, True)
    )
    x = cooling(True).domain.sample(100, how="grid").numpy()
    np.testing.assert_allclose(soft(x), held(x), atol=1e-10)
    assert "Satisfied as accurately as the equation" in held.notes[-1]


@pytest.mark.parametrize("name", ["zero start", "grid", "numbers", "all and one"])
def test_saved_solutions_keep_conditions_held_in_time(name: str, tmp_path) -> None:
    method = npde.Adam(steps=1, points=8)
    u = npde.solve(PROBLEMS[name], TINY, method, device="cpu", dtype=torch.float64)
    path = u.save(tmp_path / "u.h5")
    points = u.domain.sample(20, generator=torch.Generator().manual_seed(60149)).numpy()
    loaded = npde.load(path, problem=PROBLEMS[name])
    assert_same_field(loaded(points), u(points))
    assert loaded.trial.spec == u.trial.spec


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: declared(LINE, wave, hard_start(0.0, 1.0), hard(0.0)),
            r"the hard initial velocity and the rate of change of the hard value on left differ by 1 at \(−1, 0.5\)",
        ),
        (
            lambda: declared(LINE, wave, hard_start(1.0, 0.0), hard(0.0)),
            "differ where these meet, so that ∂u/∂t has no value there; make them agree, or leave out hard=True",
        ),
        (
            lambda: declared(LINE, heat, hard_start(npde.Piecewise(0.0, (npde.Interval(0, 1), 1.0)))),
            "the InitialCondition is hard, but its value is piecewise",
        ),
        (
            lambda: declared(
                npde.Disk((0, 0), 1).over(npde.Time(0, 1)), heat, hard(0.0), npde.InitialCondition(0.0)
            ),
            "is hard, which needs the flat faces of a Box, but the domain is .*; leave out hard=True",
        ),
        (
            lambda: declared(npde.Time(0, 1), lambda t, u: u.dt, hard_start(1j)),
            "a hard condition is complex",
        ),
        (
            lambda: npde.Adam(steps=1, weights={"initial-value": 2.0}).check(PROBLEMS["start"]),
            "weights names 'initial-value', a hard condition: it is built into the trial",
        ),
    ],
)
def test_what_cannot_be_held_in_time_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        make()


def test_a_transform_of_ones_own_holds_a_condition_by_its_form() -> None:
    """u = sin πx + t x (1 − x) · network, as DeepXDE's output transform for the cooling rod."""
    problem = cooling(True)
    held = npde.Ansatz(
        lambda x: npde.sin(np.pi * x[:, 0]),
        TINY,
        factor=lambda x: x[:, 1] * x[:, 0] * (1 - x[:, 0]),
    )
    method = npde.Adam(steps=2, points=16)
    solution = npde.solve(problem, held, method, device="cpu", dtype=torch.float64)
    assert solution.trial.spec == held
    assert any("satisfies it by construction" in note for note in solution.notes)
    x = problem.domain.sample(20, generator=torch.Generator().manual_seed(60149))
    jet = solution.trial.jet(x, 2)
    expected = jet_by_autograd(lambda y: solution.trial(y), x, jet.layout, keep_graph=False)
    torch.testing.assert_close(jet.channels.detach(), expected.channels, rtol=1e-10, atol=1e-9)
    with pytest.raises(
        npde.DeclarationError, match=r"of the Ansatz returned Tensor \(20, 2, 1\) for 20 torch points"
    ):
        npde.Ansatz(lambda x: x[:, :, None], TINY).background.jet(x)
    with pytest.raises(npde.DeclarationError, match="give one number for each point, real if the field is"):
        npde.Ansatz(lambda x: x[:, 0], TINY, factor=lambda x: x).build(
            problem.domain.bounds, generator=torch.Generator()
        )


def test_a_hard_start_is_printed_as_such() -> None:
    assert "u = 0 at t = 0.5, built into the trial function" in str(PROBLEMS["zero start"])
