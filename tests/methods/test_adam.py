"""Adam: the training of the SIREN paper, its determinism, its ends, and its checkpoints."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.solution.solution import Solution
from neurapde.storage import hdf5
from neurapde.training.run.history import History
from neurapde.training.run.method import Status
from support import absorbed_waves

TINY = npde.Siren(width=8, depth=1, omega_0=5.0)


def poisson(scale: float = 1.0) -> npde.Problem:
    """u'' = −scale π² sin πx on (0, 1), zero at the ends."""

    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return u.laplacian + scale * np.pi**2 * npde.sin(np.pi * x[:, 0])

    return npde.Problem(
        name="line",
        domain=npde.Interval(0.0, 1.0),
        equation=npde.Equation(residual),
        boundary=npde.Dirichlet(0.0),
    )


def method(steps: int, **changes: object) -> npde.Adam:
    return dataclasses.replace(npde.Adam(steps=steps, lr=1e-3, points=32, record_every=1), **changes)


def train(steps: int, problem: npde.Problem | None = None, **options: object) -> Solution:
    return npde.solve(
        problem or absorbed_waves(), TINY, method(steps), device="cpu", progress=False, **options
    )


def parameters(solution: Solution) -> list[torch.Tensor]:
    return [p.detach().clone() for p in solution.trial.parameters()]


def identical(solution: Solution, other: Solution) -> bool:
    pairs = zip(parameters(solution), parameters(other), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.slow
def test_training_approaches_the_exact_solution() -> None:
    adam = npde.Adam(
        steps=400, lr=3e-3, points={"equation": 64, "dirichlet": 2}, loss=npde.training.MeanSquare()
    )
    adam = dataclasses.replace(adam, weights={"dirichlet": 100.0}, schedule=npde.training.Cosine(final=0.01))
    solution = npde.solve(
        poisson(), npde.Siren(width=16, depth=1, omega_0=4.0), adam, seed=58321, device="cpu"
    )
    x = np.linspace(0, 1, 101)[:, None]
    error = np.linalg.norm(solution(x) - np.sin(np.pi * x[:, 0])) / np.linalg.norm(np.sin(np.pi * x[:, 0]))
    assert solution.history.loss[-1] < 1e-2 * solution.history.loss[0]
    assert error < 0.05
    assert solution.status is Status.STEP_LIMIT


def test_the_same_seed_gives_the_same_parameters_bitwise_and_another_seed_others() -> None:
    first, repeated, other = train(3, seed=41077), train(3, seed=41077), train(3, seed=41079)
    assert identical(first, repeated)
    assert not identical(first, other)


def test_points_are_drawn_anew_in_every_step() -> None:
    frozen = method(4, lr=1e-30)
    losses = npde.solve(absorbed_waves(), TINY, frozen, device="cpu").history.loss
    assert len(np.unique(losses)) == 4


def test_n_steps_resumed_for_n_more_are_2n_steps_bitwise(tmp_path: Path) -> None:
    straight = train(6, seed=30211)
    train(3, seed=30211, out=tmp_path)
    resumed = train(6, seed=30211, out=tmp_path, resume=True)
    assert identical(straight, resumed)
    np.testing.assert_array_equal(straight.history.loss, resumed.history.loss)
    np.testing.assert_array_equal(resumed.history.step, np.arange(6))
    assert np.all(np.diff(resumed.history.seconds) > 0)
    assert any("Resumed after step 3" in note for note in resumed.notes)


def test_a_resumed_run_that_was_complete_takes_no_step(tmp_path: Path) -> None:
    done = train(3, out=tmp_path)
    resumed = train(3, out=tmp_path, resume=True)
    assert identical(done, resumed)
    assert resumed.status is Status.STEP_LIMIT


def test_resuming_where_there_is_no_checkpoint_starts(tmp_path: Path) -> None:
    assert identical(train(2, out=tmp_path / "new", resume=True), train(2))


def test_a_fresh_solve_keeps_the_checkpoint_it_finds(tmp_path: Path) -> None:
    first = train(2, out=tmp_path)
    train(1, out=tmp_path)
    assert identical(npde.load(tmp_path / "checkpoint.1.h5"), first)


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"method": method(6, lr=2e-3)}, r"method\[0\]\.lr is 0\.001 in the file and 0\.002 now"),
        (
            {"method": method(6, loss=npde.training.MeanSquare())},
            r"loss is MeanAbsolute\(\) in the file and MeanSquare\(\) now",
        ),
        ({"trial": npde.Siren(width=9, depth=1)}, r"trial\.width is 8 in the file and 9 now"),
        ({"dtype": torch.float64}, r"dtype is 'float32' in the file and 'float64' now"),
        ({"problem": poisson()}, r"problem\.name is 'wave' in the file and 'line' now"),
    ],
)
def test_resuming_something_else_names_the_difference(
    tmp_path: Path, changed: dict[str, object], difference: str
) -> None:
    train(3, out=tmp_path)
    given = {"problem": absorbed_waves(), "trial": TINY, "method": method(6), **changed}
    with pytest.raises(npde.DeclarationError, match=difference):
        npde.solve(**given, device="cpu", out=tmp_path, resume=True)


def test_a_schedule_over_all_steps_cannot_be_lengthened(tmp_path: Path) -> None:
    npde.solve(absorbed_waves(), TINY, method(3, schedule=npde.training.Cosine()), device="cpu", out=tmp_path)
    with pytest.raises(npde.DeclarationError, match=r"method\[0\]\.steps is 3 in the file and 6 now"):
        npde.solve(
            absorbed_waves(),
            TINY,
            method(6, schedule=npde.training.Cosine()),
            device="cpu",
            out=tmp_path,
            resume=True,
        )


def test_stages_follow_each_other_and_resume_in_the_second(tmp_path: Path) -> None:
    stages = [method(2), method(4, lr=1e-4)]
    straight = npde.solve(absorbed_waves(), TINY, stages, device="cpu", seed=71993)
    npde.solve(
        absorbed_waves(), TINY, [method(2), method(1, lr=1e-4)], device="cpu", seed=71993, out=tmp_path
    )
    resumed = npde.solve(absorbed_waves(), TINY, stages, device="cpu", seed=71993, out=tmp_path, resume=True)
    assert identical(straight, resumed)
    assert len(resumed.stages) == 2
    np.testing.assert_array_equal(straight.history.loss, resumed.history.loss)
    assert np.all(np.diff(straight.history.seconds) > 0)


class Bad(torch.nn.Module):
    """u = a x with the one parameter a = 1."""

    def __init__(self) -> None:
        super().__init__()
        self.a = torch.nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a * x


def diverging(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
    """√(u' − 0.985): falls with a = u' until a < 0.985, where it is NaN."""
    return torch.sqrt(u.d(0) - 0.985)


def test_a_loss_that_becomes_nan_stops_with_the_last_finite_parameters(tmp_path: Path) -> None:
    problem = npde.Problem("bad", npde.Interval(0.0, 1.0), npde.Equation(diverging, order=1))
    adam = npde.Adam(steps=50, lr=0.01, points=8, record_every=1)
    solution = npde.solve(problem, npde.TorchModule(Bad()), adam, device="cpu", out=tmp_path)
    (a,) = parameters(solution)
    assert solution.status is Status.DIVERGED
    assert float(a) >= 0.985
    assert float(a) < 1.0
    assert np.isfinite(solution.history.loss[:-1]).all()
    assert not np.isfinite(solution.history.loss[-1])
    assert not (tmp_path / "checkpoint.h5").exists()
    assert "the parameters of step " in solution.notes[-1]


def test_clipping_scales_the_gradient_to_the_norm_asked_for_and_spares_a_shorter_one(tmp_path: Path) -> None:
    npde.solve(absorbed_waves(), TINY, method(1, clip=0.25), device="cpu", out=tmp_path)
    with hdf5.reading(tmp_path / "checkpoint.h5") as file:
        state = hdf5.get_tensors(file, "state")
    moments = [tensor.flatten() for name, tensor in state.items() if name.endswith("exp_avg")]
    gradient = torch.cat(moments) / 0.1  # the first moment after one step is (1 − β₁) times the gradient
    assert float(gradient.norm()) == pytest.approx(0.25, rel=1e-4)
    assert identical(train(2), npde.solve(absorbed_waves(), TINY, method(2, clip=1e9), device="cpu"))


def test_weights_scale_the_loss_by_name_and_not_the_recorded_parts() -> None:
    weighted = method(1, weights={"dirichlet": 3.0}, points=16)
    history = npde.solve(poisson(), TINY, weighted, device="cpu").history
    expected = history["equation"] + 3.0 * history["dirichlet"]
    np.testing.assert_allclose(history.loss, expected, rtol=1e-6)


@pytest.mark.parametrize("field", ["weights", "points"])
def test_an_unknown_constraint_name_is_refused_before_work(field: str) -> None:
    value = {"equation": 4, "dirichlet": 4, "lid": 4}
    with pytest.raises(
        npde.DeclarationError, match="'lid', but the constraints of this problem are equation, dir"
    ):
        npde.solve(poisson(), TINY, method(1, **{field: value}), device="cpu")


def test_points_by_name_must_name_every_constraint() -> None:
    with pytest.raises(npde.DeclarationError, match="points has no number for dirichlet"):
        npde.solve(poisson(), TINY, method(1, points={"equation": 4}), device="cpu")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps=0: give a whole number"),
        ({"lr": 0.0}, r"lr=0\.0: give a positive"),
        ({"lr": float("nan")}, "lr=nan: give a positive"),
        ({"points": 2.5}, r"points=2\.5: give a whole number"),
        ({"clip": -1.0}, r"clip=-1\.0: give a positive"),
        ({"source_points": -1}, "source_points=-1"),
        ({"weights": {"a": float("inf")}}, r"weights\['a'\]=inf"),
        ({"loss": "huber"}, r"loss='huber' is not a loss; use npde.training.MeanSquare\(\) or"),
        ({"schedule": "cosine"}, "schedule='cosine': use ConstantRate"),
    ],
)
def test_a_setting_without_meaning_is_refused_when_it_is_made(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        npde.Adam(**{"steps": 5, **arguments})


def test_a_point_source_is_refused_with_a_way_out() -> None:
    source = npde.PointSource(at=(0.0, 0.0))
    box = npde.Box((-1, 1), (-1, 1))
    wave = npde.Problem("wave", box, npde.Helmholtz(5.0), source, npde.PML(width=0.7))
    with pytest.raises(
        npde.DeclarationError, match=r"Adam cannot train .* has no density at points; use Galerkin"
    ):
        npde.solve(wave, TINY, method(1), device="cpu")


SCRIPT = """
import sys
from pathlib import Path
sys.path[:0] = {folders!r}
import neurapde as npde
from support import absorbed_waves
from test_adam import TINY, method
solution = npde.solve(absorbed_waves(), TINY, method(10**6), device="cpu", seed=86131, out={out!r})
print(solution.status.name, int(solution.stages[0].extras["steps"]), flush=True)
"""


@pytest.mark.slow
def test_ctrl_c_finishes_the_step_and_leaves_a_checkpoint_that_loads_and_resumes(tmp_path: Path) -> None:
    script = SCRIPT.format(folders=[str(folder) for folder in Path(__file__).parents[:2]], out=str(tmp_path))
    adam = "checkpoint_seconds=0.05"
    script = script.replace("method(10**6)", f"method(10**6, {adam})")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "checkpoint.h5").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    status, steps = output.split()
    assert status == "INTERRUPTED"
    loaded = npde.load(tmp_path / "checkpoint.h5")
    assert loaded.status is Status.INTERRUPTED
    assert len(loaded.history) == int(steps)
    resumed = train(int(steps) + 2, seed=86131, out=tmp_path, resume=True)
    assert identical(resumed, train(int(steps) + 2, seed=86131))


def test_history_is_recorded_at_the_interval_asked_for_and_at_the_last_step() -> None:
    history: History = npde.solve(absorbed_waves(), TINY, method(8, record_every=3), device="cpu").history
    np.testing.assert_array_equal(history.step, [0, 3, 6, 7])
    np.testing.assert_array_equal(history.learning_rate, np.full(4, 1e-3))
    assert history.names == ("helmholtz",)
