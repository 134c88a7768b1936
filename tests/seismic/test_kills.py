"""A training or an inversion that is killed at any time loses no checkpoint, and ends bitwise as if it had not been.

NEURAPDE_KILLS says how many kills of each there are; 200 take some minutes. One process, this file run alone, starts all
runs as copies of itself, so that a start takes a moment.
"""

import importlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.seismic.inversion.invert import METHODS
from neurapde.seismic.inversion.methods.method import InversionMethod
from neurapde.storage import hdf5
from neurapde.training.run import journal
from neurapde.training.run.method import Method, Status
from support import noisy_survey, some_slow, waves

COUNT = int(os.environ.get("NEURAPDE_KILLS", "40"))
SQUARE = npde.Box((0, 1), (0, 1))
OFTEN = 0.01
"""Seconds between two checkpoints."""
FAILED = 9
"""How a process ends that was not interrupted but raised an error."""
Run = Callable[[Path, int], object]
"""Works in a folder with a seed, goes on from the checkpoint there, and saves what it found there once it is at its end."""


def trainings(long: bool) -> dict[str, list[Method]]:
    """One of each kind that keeps a checkpoint, to a step limit and to its end, and one after the other."""
    steps = (300, 60, 30) if long else (60, 12, 6)
    adam = npde.Adam(steps=steps[0], points=64, checkpoint_seconds=OFTEN)
    lbfgs = npde.LBFGS(steps=steps[1], points=64, checkpoint_seconds=OFTEN)
    natural = npde.NaturalGradient(steps=steps[2], points=64, checkpoint_seconds=OFTEN)
    return {
        "Adam": [adam],
        "L-BFGS": [lbfgs],
        "L-BFGS at its end": [replace(lbfgs, tolerance=1e3)],
        "natural gradient": [natural],
        "natural gradient at its end": [replace(natural, tolerance=0.9)],
        "all three": [lbfgs, natural, adam],
    }


def train(stages: list[Method], out: Path, seed: int) -> npde.Solution:
    source = npde.GaussianSource((0.4, 0.6), 0.02)
    problem = npde.Problem("p", SQUARE, npde.Poisson(), source, npde.Dirichlet(0.0))
    solution = npde.solve(
        problem, npde.MLP(12, 2), stages, out=out, seed=seed, device="cpu", progress=False, resume=True
    )
    if solution.status is not Status.INTERRUPTED:
        solution.save(out / "found.h5")
    return solution


def inversions(long: bool) -> dict[str, InversionMethod]:
    """Every method with a descent of every kind, of so many steps."""
    steps = 12 if long else 3
    adam, few = npde.seismic.AdamDescent(steps), {"per_wavelength": 5.2}
    waves = npde.Siren(16, 1, 6.0)
    made: dict[str, InversionMethod] = {
        "joint": npde.seismic.Joint(descent=adam),
        "reduced": npde.seismic.Reduced(descent=adam, **few),
        "reduced, Gauss–Newton": npde.seismic.Reduced(descent=npde.seismic.GaussNewtonDescent(steps), **few),
        "multiscale": npde.seismic.Multiscale(descent=npde.seismic.BoundedLBFGS(steps), **few),
        "adjoint": npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(steps), **few),
        "reduced, Gauss–Newton at its end": npde.seismic.Reduced(
            descent=npde.seismic.GaussNewtonDescent(steps, tolerance=0.9), **few
        ),
        "irwri": npde.seismic.WavefieldReconstruction(steps=steps, **few),
        "penalty": npde.seismic.Penalty(descent=adam, waves=waves, points=256, pretraining=3),
        "time": npde.seismic.TimeDomain(descent=adam),
    }
    assert {name.partition(",")[0] for name in made} == set(METHODS)
    return made


def invert(
    method: InversionMethod, out: Path, seed: int, noise: float | None = None
) -> npde.seismic.Inversion:
    """In two stages where there are frequencies; down to the noise, if it is given, and with a prior otherwise."""
    in_time = isinstance(method, npde.seismic.TimeDomain)
    prior = npde.seismic.TotalVariation(1e-3) if noise is None else ()
    inversion = npde.invert(
        waves(npde.Box((0, 1000), (0, 1000)), speed=2000.0),
        noisy_survey() if in_time else noisy_survey().at([3.0, 4.0]).replace(noise=noise),
        unknown=npde.Velocity(bounds=(1600.0, 2600.0), prior=prior),
        method=method,
        frequencies=None if in_time else npde.seismic.Continuation([3.0], [3.0, 4.0]),
        out=out,
        seed=seed,
        resume=True,
        progress=False,
    )
    if inversion.status is not Status.INTERRUPTED:
        inversion.save(out / "found.h5")
    return inversion


def runs(kind: str, long: bool) -> list[tuple[str, Run]]:
    """What is killed, by name."""
    if kind == "trainings":
        made = trainings(long).items()
        return [(name, lambda out, seed, it=it: train(it, out, seed)) for name, it in made]
    methods = inversions(long).items()
    return [(name, lambda out, seed, it=it: invert(it, out, seed)) for name, it in methods]


def start(run: Run, out: Path, seed: int) -> int:
    """The process that does it."""
    pid = os.fork()
    if pid:
        return pid
    code = FAILED
    try:
        run(out, seed)
        code = 0
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def to_its_end(run: Run, out: Path, seed: int) -> None:
    """Start a run again, from where it came to."""
    assert os.waitpid(start(run, out, seed), 0)[1] == 0


def equal(folder: Path, other: Path) -> bool:
    """Whether the same was found, bit for bit."""
    pairs = list(zip(numbers(folder), numbers(other), strict=True))
    assert len(pairs) > 3
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") for a, b in pairs)


def reached(out: Path) -> tuple[int, int]:
    """The stage and the step of the checkpoint, which must be whole; -1 before the first."""
    paths = [out / "checkpoint.h5", out / "inversion.checkpoint.h5"]
    for path in (path for path in paths if path.exists()):
        with hdf5.reading(path) as file:
            run = json.loads(file["run"].asstr()[()])
            stages = len(json.loads(file["stages"].asstr()[()])) if "stages" in file else run["stage"]
            return stages, run["step"]
    return -1, -1


def numbers(out: Path) -> Iterator[np.ndarray]:
    """All that was found, but for the seconds."""

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fciu" and not name.endswith("seconds"):
            held.append(item[()])

    held: list[np.ndarray] = []
    with h5py.File(out / "found.h5") as file:
        file.visititems(look)
    yield from held


def kill_until_done(
    run: Run, out: Path, seed: int, longest: float, draw: random.Random
) -> tuple[int, int, int]:
    """Start a run and kill it until it gets to its end: how often, how often within its work, and how often that raised.

    A library that is interrupted while it is imported, or in a call of the system, may raise an error of its own. That is
    rare, and loses nothing either.
    """
    kills, after_first, errors, before = 0, 0, 0, (-1, -1)
    while not (out / "found.h5").exists():
        pid = start(run, out, seed)
        time.sleep(draw.uniform(0, longest))
        os.kill(pid, draw.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        _, status = os.waitpid(pid, 0)
        ended = -(status & 127) or status >> 8
        assert ended in (-9, -15, -2, 0, 130, FAILED), f"ended with {ended}"
        errors += ended == FAILED
        if not (out / "found.h5").exists():
            now = reached(out)
            assert now >= before, f"lost steps {now} to {before}"
            kills, after_first, before = kills + 1, after_first + (now > (-1, -1)), now
    return kills, after_first, errors


def battery(kind: str, count: int, long: bool, root: Path) -> None:
    """So many kills in all, kind after kind."""
    torch.set_num_threads(1)
    draw, kills, after_first, errors, number = random.Random(88007), 0, 0, 0, 0
    known = runs(kind, long)
    while kills < count or (long and number < len(known)):
        name, run = known[number % len(known)]
        whole, out, seed = root / f"whole{number}", root / f"killed{number}", 10007 + 2 * number
        began = time.monotonic()
        to_its_end(run, whole, seed)
        counts = kill_until_done(run, out, seed, 0.6 * (time.monotonic() - began), draw)
        kills, after_first, number = kills + counts[0], after_first + counts[1], number + 1
        errors += counts[2]
        assert errors <= 1 + kills // 20, f"{errors} errors after {kills} kills; their tracebacks stand above"
        assert equal(whole, out), f"{name} differs"
        to_its_end(run, out, seed)  # which removes what the killed ones left, and stays where it was
        assert equal(whole, out), f"{name} goes on from its end"
        assert not list(out.glob(".*.part")), list(out.iterdir())
        print(f"{name}: {counts[0]} kills, {counts[1]} after the first checkpoint", flush=True)
    print(f"{kills} kills of {number} {kind}, {after_first} after the first checkpoint")


def killed(kind: str, count: int, how: str, folder: Path) -> str:
    given = [sys.executable, "-W", "ignore", __file__, kind, str(count), how, str(folder)]
    places = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    made = subprocess.run(given, capture_output=True, text=True, check=False, env=places)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


@pytest.mark.slow
def test_a_training_killed_a_few_times_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    assert "kills" in killed("trainings", 2, "short", tmp_path)


def stays(run: Callable[[], npde.Solution | npde.seismic.Inversion], out: Path) -> None:
    first, before = run().status, [*numbers(out)]
    assert run().status is first
    for array, other in zip(before, numbers(out), strict=True):
        assert np.array_equal(array, other, equal_nan=array.dtype.kind in "fc")


QUIET = pytest.mark.filterwarnings(
    "ignore::neurapde.DeclarationWarning", "ignore::neurapde.ResolutionWarning"
)


@QUIET
@pytest.mark.parametrize("name", some_slow(trainings(False), "all three", "L-BFGS", "Adam"))
def test_a_training_at_its_end_stays_there(name: str, tmp_path: Path) -> None:
    stays(lambda: train(trainings(False)[name], tmp_path, 10099), tmp_path)


@QUIET
@pytest.mark.parametrize("name", some_slow(inversions(False), "joint", "penalty"))
def test_an_inversion_at_its_end_stays_there(name: str, tmp_path: Path) -> None:
    noise = None if name.endswith("its end") else 5.0  # which ends the others before their first step
    stays(lambda: invert(inversions(False)[name], tmp_path, 10103, noise), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["trainings", "inversions"])
def test_no_kill_loses_a_checkpoint_or_changes_a_bit(tmp_path: Path, kind: str) -> None:
    print(killed(kind, COUNT, "long", tmp_path))


if __name__ == "__main__":
    importlib.import_module("torch._dynamo")  # which the copies share, and which takes longer than their work
    with mock.patch.object(journal, "SAVED_EVERY", OFTEN):
        battery(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "long", Path(sys.argv[4]))
