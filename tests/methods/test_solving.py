"""`solve`: what it refuses before any work, what it chooses, and how stages follow each other."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.methods.choice import choose_method
from neurapde.training.run.history import History
from neurapde.training.run.method import Method, Outcome, Status, Task
from neurapde.trials.base import Trial

LINE = npde.Problem("line", npde.Interval(0.0, 1.0), npde.Equation(lambda x, u: u.laplacian))
TINY = npde.MLP(width=4, depth=1)


@dataclass(frozen=True)
class Note(Method):
    """A method that only writes down what it is given."""

    status: Status = Status.CONVERGED
    precision: torch.dtype = torch.float32
    seen: list[Task] = field(default_factory=list)

    @property
    def default_dtype(self) -> torch.dtype:
        return self.precision

    def default_trial(self, problem: npde.Problem) -> Trial | None:
        return TINY

    def check(self, problem: npde.Problem) -> None:
        if problem.name == "refused":
            raise npde.DeclarationError("refused by the method")

    def describe(self) -> str:
        return "Note"

    def run(self, task: Task) -> Outcome:
        self.seen.append(task)
        assert task.trial is not None
        with torch.no_grad():
            task.trial.head.bias += 1.0
        history = History(
            step=np.arange(2.0), seconds=np.arange(2.0), loss=np.ones(2), learning_rate=np.ones(2)
        )
        return Outcome(task.trial, self.status, history, (f"note {len(self.seen)}",))


def test_each_stage_starts_from_the_trial_that_the_one_before_left() -> None:
    first, second = Note(), Note()
    u = npde.solve(LINE, method=[first, second], device="cpu")
    assert second.seen[0].trial is first.seen[0].trial is u.trial
    assert [stage.method for stage in u.stages] == ["Note", "Note"]
    assert u.method == "Note, then Note"
    assert u.notes[-2:] == ("note 1", "note 1")
    np.testing.assert_array_equal(u.history.step, [0, 1, 1, 2])


@pytest.mark.parametrize("status", [Status.INTERRUPTED, Status.DIVERGED])
def test_a_stage_that_was_cut_short_is_the_last(status: Status) -> None:
    later = Note()
    u = npde.solve(LINE, method=[Note(status), later], device="cpu")
    assert u.status is status
    assert not later.seen


def test_the_precision_is_the_finest_that_a_stage_is_meant_for_unless_one_is_given() -> None:
    stages = [Note(), Note(precision=torch.float64)]
    u = npde.solve(LINE, method=stages, device="cpu")
    assert u.trial.head.weight.dtype == stages[0].seen[0].dtype == torch.float64
    assert (
        npde.solve(LINE, method=stages, device="cpu", dtype=torch.float32).trial.head.weight.dtype
        == torch.float32
    )


def test_what_is_chosen_is_noted_with_its_reason() -> None:
    notes = npde.solve(LINE, method=Note()).notes
    assert any(note.startswith("Device: ") for note in notes)
    assert "Precision: float32, which suits Note." in notes
    assert any(
        note.startswith("Trial function: MLP") and note.endswith("the default of Note.") for note in notes
    )
    chosen = npde.solve(LINE, TINY, Note(), device="cpu", dtype=torch.float64).notes
    assert chosen == ("note 1",)


def test_the_trial_of_an_earlier_solution_is_copied_and_gone_on_from() -> None:
    before = npde.solve(LINE, method=Note(), device="cpu", seed=65129)
    bias = before.trial.head.bias.detach().clone()
    after = npde.solve(LINE, before.trial, Note(), device="cpu", dtype=torch.float64)
    assert torch.equal(before.trial.head.bias, bias)
    torch.testing.assert_close(after.trial.head.bias, bias.double() + 1.0)
    assert after.trial.spec == TINY


def test_parameters_are_the_same_in_every_precision_and_follow_the_seed() -> None:
    weights = [
        npde.solve(LINE, method=Note(), device="cpu", seed=seed, dtype=dtype).trial.head.weight.double()
        for seed, dtype in ((65129, torch.float32), (65129, torch.float64), (65131, torch.float64))
    ]
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-6, atol=0)
    assert not torch.allclose(weights[1], weights[2])


def test_global_state_is_left_as_it_was() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    npde.solve(LINE, TINY, npde.Adam(steps=2, points=8), device="cpu", dtype=torch.float64)
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_default_dtype() is torch.float32


def test_the_default_method_is_the_one_that_the_equation_allows() -> None:
    wave = npde.Problem("wave", npde.Box((-2, 2), (-2, 2)), npde.Helmholtz(5.0), boundary=npde.PML(0.7))
    disk = npde.Problem("disk", npde.Disk((0, 0), 1), npde.Helmholtz(5.0), boundary=npde.Dirichlet(1.0))
    bent = npde.Equation(lambda x, u: u.laplacian + u.value**2)
    nonlinear = npde.Problem("bent", npde.Box((0, 1), (0, 1)), bent, boundary=npde.Dirichlet(1.0))
    assert choose_method(wave, None)[0] == npde.Galerkin()
    assert choose_method(disk, None)[0] == npde.Trefftz()
    assert choose_method(LINE, None)[0] == npde.LeastSquares()
    assert isinstance(choose_method(wave, npde.Siren())[0], npde.Adam)
    method, why = choose_method(nonlinear, None)
    assert isinstance(method, npde.Newton)
    assert "the equation is nonlinear" in why
    turning = npde.Equation(lambda x, u: u.dt - u.laplacian / 100 - 5 * (u.value - u.value**3))
    start = [npde.Dirichlet(-1.0), npde.InitialCondition(lambda x: x[:, 0] ** 2 * npde.cos(np.pi * x[:, 0]))]
    line = npde.Interval(-1, 1).over(npde.Time(0, 1))
    method, why = choose_method(npde.Problem("line", line, turning, boundary=start), None)
    assert method == npde.TimeMarching()
    assert "evolves from an initial condition" in why
    sides = [(0, 1)] * 4
    many = npde.Problem("many", npde.Box(*sides), bent, boundary=npde.Dirichlet(1.0))
    method, why = choose_method(many, None)
    assert isinstance(method, npde.NaturalGradient)
    assert "since its domain has 4 axes" in why


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"problem": "helmholtz-disk"}, "problem='helmholtz-disk': give a Problem as the first argument"),
        ({"trial": torch.nn.Linear(1, 1)}, r"trial is a Linear.*wrap it: trial=npde\.TorchModule"),
        ({"trial": "siren"}, "trial='siren': use npde.Siren"),
        ({"method": "adam"}, "method='adam': use npde.Galerkin"),
        ({"method": npde.Adam}, r"method=<class .*: use npde.Galerkin"),
        ({"method": []}, "has no stage"),
        ({"device": "mps"}, "device='mps' is not supported"),
        ({"device": "tpu"}, "device='tpu' is not known; use 'auto', 'cpu' or 'cuda'"),
        ({"dtype": torch.float16}, r"dtype=torch\.float16: use torch\.float32 or torch\.float64"),
        ({"seed": -1}, "seed=-1"),
        ({"resume": True}, "resume=True needs the folder of the checkpoint"),
        ({"problem": npde.Problem("refused", LINE.domain, LINE.equation)}, "refused by the method"),
        ({"method": npde.Galerkin(), "trial": TINY}, "Galerkin cannot take line"),
    ],
)
def test_what_does_not_fit_is_refused_before_work(arguments: dict[str, object], message: str) -> None:
    note = Note()
    given = {"problem": LINE, "trial": TINY, "method": note, "device": "cpu", **arguments}
    with pytest.raises(npde.DeclarationError, match=message):
        npde.solve(**given)
    assert not note.seen


def test_a_trial_function_of_another_field_is_refused() -> None:
    other = npde.solve(LINE, method=Note(), device="cpu").trial
    square = npde.Problem("square", npde.Box((0, 1), (0, 1)), npde.Equation(lambda x, u: u.laplacian))
    with pytest.raises(npde.DeclarationError, match=r"= \(1, 1, False\), but square needs \(2, 1, False\)"):
        npde.solve(square, other, Note(), device="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_cuda_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(
        npde.DeclarationError, match=r"device='cuda' is not available: .* finds 0 CUDA devices"
    ):
        npde.solve(LINE, TINY, Note(), device="cuda")


def test_the_folder_for_checkpoints_is_made(tmp_path: Path) -> None:
    npde.solve(LINE, TINY, npde.Adam(steps=1, points=4), device="cpu", out=tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "checkpoint.h5").exists()
