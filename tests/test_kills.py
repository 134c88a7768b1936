"""A training that is killed at any time loses no checkpoint, and ends bitwise as if it had not been.

NEURAPDE_KILLS says how many kills there are; 200 take some minutes. One process starts all runs as copies of itself, so that
a start takes a moment.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = int(os.environ.get("NEURAPDE_KILLS", "30"))

BATTERY = '''
import json, os, random, signal, sys, time
from pathlib import Path
import h5py, numpy as np, torch
import neurapde as npde

torch.set_num_threads(1)
torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # which imports much, once for all copies
count, steps, root, draw = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), random.Random(88007)
SQUARE = npde.Box((0, 1), (0, 1))
SOURCE = npde.GaussianSource((0.4, 0.6), 0.02)
PROBLEM = npde.Problem("p", SQUARE, npde.Poisson(), SOURCE, npde.Dirichlet(0.0))

def train(out, seed):
    method = npde.Adam(steps=steps, points=64, checkpoint_seconds=0.01)
    settings = dict(seed=seed, device="cpu", progress=False, resume=True)
    solution = npde.solve(PROBLEM, npde.MLP(width=12, depth=2), method, out=out, **settings)
    if solution.status is npde.Status.STEP_LIMIT:
        solution.save(out / "solution.h5")

def start(out, seed):
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            train(out, seed)
            code = 0
        except KeyboardInterrupt:
            code = 130
        finally:
            os._exit(code)
    return pid

def step(out):
    """Of the checkpoint, which must be whole; -1 before the first."""
    if not (out / "checkpoint.h5").exists():
        return -1
    npde.load(out / "checkpoint.h5")
    with h5py.File(out / "checkpoint.h5") as file:
        return json.loads(file["run"].asstr()[()])["step"]

def parts(out):
    solution = npde.load(out / "solution.h5")
    return [*solution.trial.state_dict().values(), torch.from_numpy(solution.history.loss)]

kills, runs, ends = 0, 0, {}
while kills < count:
    seed, runs = 10007 + 2 * runs, runs + 1
    whole, out = root / f"whole{runs}", root / f"killed{runs}"
    began = time.monotonic()
    os.waitpid(start(whole, seed), 0)
    seconds = time.monotonic() - began
    done = -1
    while not (out / "solution.h5").exists():
        pid = start(out, seed)
        time.sleep(draw.uniform(0, 0.4 * seconds))
        number = draw.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        os.kill(pid, number)
        _, status = os.waitpid(pid, 0)
        ended = f"signal {status & 127}" if status & 127 else f"status {status >> 8}"
        assert ended in ("signal 9", "signal 15", "signal 2", "status 0", "status 130"), ended
        ends[ended] = ends.get(ended, 0) + 1
        if not (out / "solution.h5").exists():
            kills += 1
            now = step(out)
            assert now >= done, f"lost steps {now} to {done}"
            done = now
    for one, other in zip(parts(whole), parts(out), strict=True):
        assert torch.equal(one, other), f"run {runs} differs"
    start_over = start(out, seed)  # which removes what the killed ones left
    os.waitpid(start_over, 0)
    print(kills, "kills in", runs, "runs,", ends, flush=True)
    assert not list(out.glob("*.part")) and not list(out.glob(".*.part")), list(out.iterdir())'''


def run(kills: int, steps: int, folder: Path) -> str:
    given = [sys.executable, "-W", "ignore", "-c", BATTERY, str(kills), str(steps), str(folder)]
    made = subprocess.run(given, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


def test_a_training_killed_a_few_times_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    assert "kills" in run(2, 60, tmp_path)


@pytest.mark.slow
def test_no_kill_loses_a_checkpoint_or_changes_a_bit(tmp_path: Path) -> None:
    print(run(COUNT, 300, tmp_path))
