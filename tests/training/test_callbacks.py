"""What is called while a method runs, and any optimiser of torch in Adam's place."""

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.training import Patience, TargetLoss, TimeLimit, TrainingState

X = np.linspace(0.1, 0.9, 7)[:, None]


def hill() -> npde.Problem:
    return npde.Problem(
        "hill",
        npde.Interval(0, 1),
        npde.Poisson(),
        sources=[lambda x: npde.sin(np.pi * x[:, 0])],
        boundary=npde.Dirichlet(0.0),
    )


def trained(*methods: npde.Adam, **given: Any) -> npde.Solution:
    trial = npde.MLP(width=8, depth=2)
    return npde.solve(hill(), trial, list(methods), seed=40127, progress=False, **given)


def adam(steps: int = 6, **given: Any) -> npde.Adam:
    return npde.Adam(steps, lr=1e-2, points=16, record_every=1, **given)


@pytest.mark.filterwarnings("ignore::neurapde.ResolutionWarning")
def test_a_callback_sees_every_row_and_the_field_as_it_stands() -> None:
    seen: list[TrainingState] = []
    fields = []

    def watch(state: TrainingState) -> None:
        assert state.solution is not None
        seen.append(state)
        fields.append(state.solution(X))

    solution = trained(adam(), callbacks=watch)
    np.testing.assert_array_equal([state.step for state in seen], solution.history.step)
    np.testing.assert_array_equal([state.loss for state in seen], solution.history.loss)
    assert set(seen[0].losses) == set(solution.history.names)
    assert not np.allclose(fields[0], fields[-1])


@pytest.mark.filterwarnings("ignore::neurapde.ResolutionWarning")
@pytest.mark.parametrize(
    "rule", [lambda state: state.step == 2, TimeLimit(1e-9), TargetLoss(1e9), Patience(2, 0.99)]
)
def test_a_rule_ends_its_training_and_the_next_stage_begins(rule: Any) -> None:
    solution = trained(adam(), adam(), callbacks=[rule])
    assert [stage.status for stage in solution.stages] == [npde.Status.STOPPED] * 2
    assert all(len(stage.history) <= 3 for stage in solution.stages)


def test_a_loss_that_is_not_there_is_no_target() -> None:
    with pytest.raises(npde.DeclarationError, match="there are losses for poisson"):
        trained(adam(), callbacks=TargetLoss(1.0, "heat"))


@pytest.mark.filterwarnings("ignore::neurapde.ResolutionWarning")
def test_adam_of_torch_takes_the_steps_of_ours() -> None:
    ours, of_torch = trained(adam()), trained(adam(optimizer=torch.optim.Adam))
    np.testing.assert_allclose(ours(X), of_torch(X), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::neurapde.ResolutionWarning")
@pytest.mark.parametrize(
    "optimizer", [None, torch.optim.RAdam, functools.partial(torch.optim.SGD, lr=1.0, momentum=0.9)]
)
def test_any_optimiser_goes_on_from_its_checkpoint(optimizer: Any, tmp_path: Path) -> None:
    whole = trained(adam(6, optimizer=optimizer))
    trained(adam(3, optimizer=optimizer), out=tmp_path)
    resumed = trained(adam(6, optimizer=optimizer), out=tmp_path, resume=True)
    np.testing.assert_allclose(resumed(X), whole(X), rtol=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (torch.optim.LBFGS, "method=npde.LBFGS"),
        ("adamw", "give a class"),
        (lambda groups: None, "must make a torch"),
    ],
)
def test_what_makes_no_optimiser_is_refused(optimizer: Any, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        trained(adam(optimizer=optimizer))


@pytest.mark.parametrize("callbacks", [3, [print, "stop"], TargetLoss])
def test_what_cannot_be_called_is_no_callback(callbacks: Any) -> None:
    with pytest.raises(npde.DeclarationError, match="give functions of a state"):
        trained(adam(), callbacks=callbacks)


def test_a_residual_is_what_is_left_of_the_equation() -> None:
    solution = npde.solve(hill(), progress=False)
    left = -solution.laplacian(X) - np.sin(np.pi * X[:, 0])
    np.testing.assert_allclose(solution.residual(X), left, atol=1e-10)
    np.testing.assert_allclose(solution.residual(X, "poisson"), left, atol=1e-10)
    with pytest.raises(npde.DeclarationError, match="hill has poisson"):
        solution.residual(X, "heat")


def test_tensorboard_is_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="an extra")
    write = npde.training.TensorBoard(tmp_path)
    write(TrainingState(1, 2, 0.1, 0.5, {"poisson": 0.5}, 1e-3))
    assert list(tmp_path.glob("events.*"))


@pytest.mark.slow
def test_a_plain_adam_imports_no_compiler() -> None:
    code = (
        "import sys, warnings, neurapde as npde\n"
        "warnings.simplefilter('ignore')\n"
        "problem = npde.Problem('p', npde.Interval(0, 1), npde.Poisson(), sources=[1.0], boundary=npde.Dirichlet(0.0))\n"
        "npde.solve(problem, npde.MLP(width=4, depth=2), npde.Adam(2, points=8), progress=False)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
