"""Conditions built into the trial function: met by any parameters, not trained, stored, resumed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import neurapde as npde
from neurapde.backgrounds.lift import Lift
from neurapde.jets.autograd import jet_by_autograd
from neurapde.training.objective import Objective
from neurapde.training.run.hard import meets_hard_conditions, with_hard_conditions
from neurapde.trials.ansatz import Ansatz, AnsatzTrial, DistanceFactor, FactoredAnsatz
from neurapde.trials.base import TrialFunction, copied
from support import assert_same_field

LINE, PLANE, SPACE = npde.Interval(-1, 1), npde.Box((-1, 2), (0, 1)), npde.Box((-1, 2), (0, 1), (2, 4))
TINY = npde.Siren(width=6, depth=1, omega_0=4.0)
EVERY_SIDE = ((True, True), (True, True))


def hump(x: Tensor) -> Tensor:
    return npde.sin(3 * x[:, 0]) + x[:, -1]


def laplace(x: Tensor, u: npde.Jet) -> Tensor:
    return u.laplacian


def declared(domain: npde.Domain, *boundary: npde.Dirichlet, **equation: object) -> npde.Problem:
    return npde.Problem("hard", domain, npde.Equation(laplace, **equation), boundary=boundary)


def hard(value: object, on: str | tuple[str, ...] | None = None) -> npde.Dirichlet:
    return npde.Dirichlet(value, on, hard=True)


def built(
    problem: npde.Problem, network: npde.Siren = TINY, dtype: torch.dtype = torch.float64
) -> TrialFunction:
    trial = network.build(
        problem.domain.bounds,
        problem.outputs,
        problem.equation.complex,
        generator=torch.Generator().manual_seed(60077),
        dtype=dtype,
    )
    return with_hard_conditions(problem, trial)[0]


def residual(problem: npde.Problem, trial: TrialFunction, name: str) -> Tensor:
    """The largest residual of a named constraint."""
    (constraint,) = (c for c in problem.constraints if c.name == name)
    anchor = next(trial.parameters())
    samples = constraint.sample(200, generator=torch.Generator().manual_seed(60083), dtype=anchor.dtype)
    return constraint.residual(samples, trial.jet(samples.points, constraint.order)).abs().max().detach()


PROBLEMS = {
    "line": declared(LINE, hard(2.0, "left"), hard(-1.0, "right")),
    "one end": declared(LINE, hard(2.0, "right")),
    "zero": declared(PLANE, hard(0.0)),
    "zero on two sides": declared(PLANE, hard(0.0, ("left", "top"))),
    "smooth": declared(PLANE, hard(hump)),
    "grid": declared(PLANE, hard(npde.GridField(np.random.default_rng(60089).normal(size=(5, 4))))),
    "lid": declared(PLANE, hard(0.0, ("left", "right", "bottom")), hard(1.0, "top")),
    "complex": declared(PLANE, hard(1 - 2j, "left"), hard(hump, "top"), complex=True),
    "components": declared(PLANE, hard(hump), outputs=3),
    "space": declared(SPACE, hard(hump, ("left", "front")), hard(0.0, "bottom"), complex=True, outputs=2),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_hard_conditions_hold_whatever_the_parameters_and_are_not_trained(name: str) -> None:
    problem = PROBLEMS[name]
    names = [condition.constraint_name() for condition in problem.hard]
    assert [c.name for c in problem.constraints] == ["equation", *names]
    assert [c.name for c in problem.trained] == ["equation"]
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-4)):
        trial = built(problem, dtype=dtype)
        with torch.no_grad():
            for parameter in trial.parameters():
                parameter.normal_(generator=torch.Generator().manual_seed(60091))
        assert max(residual(problem, trial, condition) for condition in names) < tolerance
    assert meets_hard_conditions(problem, trial)
    free = TINY.build(
        problem.domain.bounds, problem.outputs, problem.equation.complex, generator=torch.Generator()
    )
    assert not meets_hard_conditions(problem, free)


@pytest.mark.parametrize("name", PROBLEMS)
def test_jets_of_hard_trials_are_those_of_nested_differentiation(name: str) -> None:
    problem = PROBLEMS[name]
    trial, d = built(problem), problem.domain.dimension
    mixed = [(0, d - 1)] if d > 1 else []
    points = problem.domain.sample(20, generator=torch.Generator().manual_seed(60101))
    jet = trial.jet(points, 2, mixed)
    expected = jet_by_autograd(lambda x: trial(x), points, jet.layout, keep_graph=False)
    torch.testing.assert_close(jet.channels.detach(), expected.channels, rtol=1e-10, atol=1e-9)
    features = trial.feature_jet(points)
    torch.testing.assert_close(trial.features(points), features.value)
    assert features.value.shape == (20, 6)


@pytest.mark.parametrize("at_ends", [(True, True), (True, False), (False, True), (False, False)])
def test_a_distance_factor_is_zero_on_its_sides_only_and_of_size_one_within(
    at_ends: tuple[bool, bool],
) -> None:
    def one(dimension: int) -> npde.TorchModule:
        module = torch.nn.Linear(dimension, 1)
        torch.nn.init.zeros_(module.weight), torch.nn.init.ones_(module.bias)
        return npde.TorchModule(module)

    trial = DistanceFactor(one(2), (at_ends, (False, False))).build(PLANE.bounds, generator=torch.Generator())
    ends = trial(torch.tensor([[-1.0, 0.3], [2.0, 0.3]]))
    assert (ends == 0).tolist() == list(at_ends)
    points = PLANE.sample(500, generator=torch.Generator().manual_seed(60103))
    assert float(trial(points).detach().max()) == pytest.approx(1.0, abs=0.02)
    with pytest.raises(
        npde.DeclarationError, match="sides names 1 axes, but the domain has 2; give a pair each"
    ):
        DistanceFactor(one(2), (at_ends,)).build(PLANE.bounds, generator=torch.Generator())


@pytest.mark.slow
def test_training_keeps_the_conditions_and_finds_the_field_between_them() -> None:
    def bent(x: Tensor, u: npde.Jet) -> Tensor:
        return u.laplacian + 4 * npde.sin(2 * x[:, 0])

    ends = [hard(float(np.sin(2 * x) + x), face) for x, face in ((-1, "left"), (1, "right"))]
    problem = npde.Problem("bent", LINE, npde.Equation(bent), boundary=ends)
    network = npde.Siren(width=16, depth=1, omega_0=3.0, omega_hidden=3.0)
    method = npde.Adam(
        steps=400, lr=5e-3, points=64, schedule=npde.training.Cosine(0.01), loss=npde.training.MeanSquare()
    )
    u = npde.solve(problem, network, method, device="cpu", dtype=torch.float64, seed=60107)
    x = np.linspace(-1, 1, 201)[:, None]
    error = u(x) - np.sin(2 * x[:, 0]) - x[:, 0]
    assert np.abs(error).max() < 1e-3
    assert np.abs(error[[0, -1]]).max() < 1e-12
    assert u.history.names == ("equation",)
    built = "Built into the trial function, and not trained: u = −1.9093 on left; u = 1.9093 on right."
    assert built in u.notes


def test_several_right_hand_sides_share_a_hard_condition() -> None:
    shots = npde.Shots(*(npde.GaussianSource((x, 0.5), 0.01) for x in (-0.3, 1.0)))
    boundary = [hard(1 + 1j, "left"), npde.Neumann(0.0, on=("right", "bottom", "top"))]
    problem = npde.Problem("shots", PLANE, npde.Helmholtz(3.0), shots, boundary=boundary)
    method = npde.Adam(steps=2, points=16)
    u = npde.solve(problem, TINY, method, device="cpu", dtype=torch.float64)
    np.testing.assert_allclose(u(np.array([[-1.0, 0.2], [-1.0, 0.9]])), np.full((2, 2), 1 + 1j), rtol=1e-12)


def test_a_trial_function_that_is_given_is_made_to_meet_the_conditions() -> None:
    lid, zero, smooth = PROBLEMS["lid"], PROBLEMS["zero"], PROBLEMS["smooth"]
    plain = TINY.build(PLANE.bounds, generator=torch.Generator().manual_seed(60127), dtype=torch.float64)
    wrapped, notes = with_hard_conditions(lid, plain)
    assert notes == (
        "Built into the trial function, and not trained: u = 0 on left, right and bottom; u = 1 on top.",
    )
    assert wrapped.spec == Ansatz(lid.lift, DistanceFactor(TINY, EVERY_SIDE))
    assert wrapped.network.network is plain
    result, notes = with_hard_conditions(lid, wrapped)
    assert result is wrapped
    assert "since the given trial function satisfies it by construction" in notes[0]
    other, _ = with_hard_conditions(smooth, wrapped)
    assert other.spec == Ansatz(smooth.lift, DistanceFactor(TINY, EVERY_SIDE))
    assert other.network.network is plain
    bare, _ = with_hard_conditions(zero, wrapped)
    assert isinstance(bare, AnsatzTrial)
    assert bare.network is plain
    assert with_hard_conditions(declared(PLANE), plain) == (plain, ())


def test_solving_goes_on_from_a_softly_trained_network_with_its_parameters() -> None:
    soft = npde.solve(
        declared(PLANE, npde.Dirichlet(0.0)),
        TINY,
        npde.Adam(steps=2, points=8),
        device="cpu",
        dtype=torch.float64,
    )
    after = npde.solve(PROBLEMS["lid"], soft.trial, npde.Adam(steps=1, points=8, lr=1e-30), device="cpu")
    for a, b in zip(soft.trial.parameters(), after.trial.parameters(), strict=True):
        torch.testing.assert_close(b, a.float())


class Own(torch.nn.Module):
    """A user's network that is zero on the whole boundary of PLANE by its own form."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, points: Tensor) -> Tensor:
        x, y = points[:, :1], points[:, 1:]
        return torch.sin(self.layer(points)) * (x + 1) * (2 - x) * y * (1 - y)


def test_a_network_with_the_conditions_in_its_own_form_is_taken_as_it_is() -> None:
    module = npde.TorchModule(Own())
    u = npde.solve(PROBLEMS["zero"], module, npde.Adam(steps=1, points=8), device="cpu")
    assert u.trial.spec is module
    assert any("satisfies it by construction: u = 0 on the boundary." in note for note in u.notes)
    lifted = npde.solve(PROBLEMS["lid"], module, npde.Adam(steps=1, points=8), device="cpu")
    assert lifted.trial.spec == Ansatz(PROBLEMS["lid"].lift, DistanceFactor(module, EVERY_SIDE))


def test_resumed_training_is_bitwise_that_without_a_pause(tmp_path: Path) -> None:
    problem = declared(PLANE, hard(hump, ("left", "top")), npde.Neumann(0.0, "right"))

    def solve(steps: int, folder: str, resume: bool = False) -> npde.Solution:
        method = npde.Adam(steps=steps, points=32, lr=1e-3)
        out = tmp_path / folder
        return npde.solve(
            problem, TINY, method, device="cpu", dtype=torch.float64, seed=60133, out=out, resume=resume
        )

    straight = solve(12, "straight")
    solve(6, "paused")
    resumed = solve(12, "paused", resume=True)
    for a, b in zip(straight.trial.parameters(), resumed.trial.parameters(), strict=True):
        assert torch.equal(a, b)
    points = PLANE.sample(30, generator=torch.Generator().manual_seed(60139)).numpy()
    assert_same_field(straight(points), resumed(points))
    assert straight.history.names == ("equation", "neumann-right")


def solved(problem: npde.Problem, trial: object = TINY) -> npde.Solution:
    return npde.solve(problem, trial, npde.Adam(steps=1, points=8), device="cpu", dtype=torch.float64)


@pytest.mark.parametrize("name", PROBLEMS)
def test_saved_solutions_keep_their_hard_conditions(name: str, tmp_path: Path) -> None:
    u = solved(PROBLEMS[name])
    path = u.save(tmp_path / "u.h5")
    points = u.domain.sample(20, generator=torch.Generator().manual_seed(60149)).numpy()
    if name in ("smooth", "complex", "components", "space"):
        with pytest.raises(
            npde.DeclarationError, match=r"hump, a Python object .* npde.load\(path, problem=…\)"
        ):
            npde.load(path)
    else:
        assert_same_field(npde.load(path)(points), u(points))
    loaded = npde.load(path, problem=PROBLEMS[name])
    assert_same_field(loaded(points), u(points))
    assert loaded.trial.spec == u.trial.spec


def test_a_module_of_torch_is_loaded_by_what_was_given_to_solve(tmp_path: Path) -> None:
    module = npde.TorchModule(torch.nn.Linear(2, 1))
    points = np.array([[0.3, 0.4]])
    for name in ("lid", "smooth"):
        u = solved(PROBLEMS[name], module)
        path = u.save(tmp_path / "u.h5")
        assert_same_field(npde.load(path, trial=module, problem=PROBLEMS[name])(points), u(points))
        with pytest.raises(npde.DeclarationError, match=r"npde.load\(path, trial=…\)"):
            npde.load(path, problem=PROBLEMS[name])
        with pytest.raises(npde.DeclarationError, match="is of another trial function"):
            npde.load(path, trial=TINY, problem=PROBLEMS[name])


def test_galerkin_takes_a_hard_zero_like_a_soft_one_and_meets_it() -> None:
    bump = npde.Piecewise(1.0, (npde.Disk((0.1, -0.4), 0.2), 1.5))

    def wave(is_hard: bool) -> npde.Problem:
        return npde.Problem(
            "closed",
            npde.Box((-1, 1), (-1, 1)),
            npde.Helmholtz(6.0, bump),
            npde.GaussianSource((0.0, 0.2), 2e-3),
            [npde.PML(0.6, on=("left", "right")), npde.Dirichlet(0.0, ("bottom", "top"), hard=is_hard)],
        )

    method = npde.Galerkin(0.3, 25.0)
    a, b = (npde.solve(wave(is_hard), method=method, device="cpu", seed=60161) for is_hard in (False, True))
    points = np.random.default_rng(60167).uniform(-1, 1, (50, 2))
    np.testing.assert_array_equal(a(points), b(points))
    assert residual(wave(True), b.trial, "dirichlet-bottom-top") < 1e-12 * np.abs(b(points)).max()
    network = npde.Siren(width=40, depth=0, omega_0=10)
    with pytest.warns(npde.ResolutionWarning, match="features"):
        c = npde.solve(wave(True), network, npde.Galerkin(), device="cpu", seed=60169)
    edge = PLANE_EDGE.copy()
    assert np.abs(c(edge)).max() < 1e-12 * np.abs(c(points)).max()
    further = with_hard_conditions(wave(True), copied(c.trial, torch.float64, torch.device("cpu")))[0]
    assert type(further) is type(c.trial)


def test_a_method_with_a_trial_function_of_its_own_says_that_it_meets_conditions_by_its_solution() -> None:
    def known(x: Tensor) -> Tensor:
        return npde.sin(x[:, 0]) * npde.exp(x[:, 1])

    u = npde.solve(declared(npde.Box((0, 1), (0, 1)), hard(known)), device="cpu", seed=60209)
    assert u.notes[-1] == (
        "Satisfied as accurately as the equation, not by construction of the trial function: u = known(x) on the "
        "boundary."
    )
    assert residual(u.problem, u.trial, "dirichlet") < 1e-3


PLANE_EDGE = np.array([[-1.0, 0.3], [1.0, -0.2], [0.4, -1.0], [0.1, 1.0]])


def test_a_hard_condition_is_printed_as_such() -> None:
    lines = str(PROBLEMS["lid"]).splitlines()
    assert "  boundary    u = 0 on left, right and bottom, built into the trial function" in lines
    assert "              dirichlet-top: u = 1 on top, built into the trial function" in lines


WAVE = npde.trials.OutgoingWave(npde.GaussianSource((0.0, 0.5), 0.01), 5.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: declared(PLANE, hard(0.0), hard(1.0, "top")),
            "two hard conditions are on top, but a field has only one value there; give each face one",
        ),
        (
            lambda: declared(PLANE, hard(1j, "top")),
            r"a hard condition is complex, values given on top \(1i\), but the field is real; give real values, or",
        ),
        (
            lambda: declared(npde.Disk((0, 0), 1), hard(0.0)),
            "'dirichlet' is hard, which needs the flat faces of a Box, .*; leave out hard=True",
        ),
        (
            lambda: declared(PLANE, hard(lambda x: np.asarray(x[:, 0]), "top")),
            "cannot be differentiated by torch",
        ),
        (
            lambda: npde.Adam(steps=1, weights={"dirichlet": 2.0}).check(PROBLEMS["zero"]),
            "weights names 'dirichlet', a hard condition: it is built into the trial .* Leave it out",
        ),
        (
            lambda: Objective(
                PROBLEMS["zero"], {"equation": 4, "dirichlet": 4}, npde.training.MeanAbsolute(), {}, 0, None
            ),
            "points names 'dirichlet', a hard condition",
        ),
        (
            lambda: solved(declared(PLANE, hard(0.0, "top"), complex=True), npde.Ansatz(WAVE, TINY)),
            "does not satisfy by construction: u = 0 on top. Give the network alone, without its background, or leave "
            "out",
        ),
        (
            lambda: solved(declared(PLANE, hard(0.0, "top"), complex=True), FactoredAnsatz(WAVE, TINY)),
            "does not satisfy by construction: u = 0 on top. Give the network alone",
        ),
    ],
)
def test_what_cannot_be_built_in_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        make()


def test_the_lift_is_there_only_for_values_other_than_zero() -> None:
    assert PROBLEMS["zero"].lift is None
    assert declared(PLANE, npde.Dirichlet(1.0)).lift is None
    assert isinstance(PROBLEMS["lid"].lift, Lift)
