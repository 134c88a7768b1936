"""The SIREN paper's own trainings, as far as they get: error against seconds computed, from checkpoints that go on.

Networks, losses, weights and rates are the paper's; points a step are fewer (512 for Helmholtz), and `STEPS` stand for its
50 000 to 100 000, a quarter to half an hour of a core each. Each training goes on for `SECONDS` computed from
where its checkpoint in `runs/paper_trainings` stands (a folder taken away begins anew), so that to run

    nice -n 15 env OMP_NUM_THREADS=1 python benchmarks/run.py paper_trainings --out benchmarks/results

once more goes on where the last run ended. The trainings take turns, and one that is killed keeps all looks so far.
`python benchmarks/paper_trainings.py FILE.json` draws docs/images/paper_trainings.png.

helmholtz: k = 20, uniform; error of the field outside source and layers, against the exact one.
helmholtz-disk, scattered: a disk of twice the speed, the network having only what it scatters; against the series.
wave: `wave-uniform`, time opening over three quarters of the steps; error in all of the time, against the exact wave.
sdf: a torus by the paper's four terms; error of the signed distance in all of the box, and beside it what the terms ask for:
the deviation within 0.05 of the surface, and the part of the box with a wrong sign.
penalty FWI: the paper's receiver data; ‖m − m*‖/‖m* − 1‖ of the medium, whose start has 1.
Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, sections 4.2 and 4.3, supplement, authors' code.
"""

import json
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import inversion
import matplotlib.pyplot as plt
import numpy as np
import wave_training
from harness import ROOT, Measured, error_against_exact

import neurapde as npde
from neurapde.problems import helmholtz_disk, helmholtz_uniform, wave_uniform
from neurapde.seismic.inversion.methods.descents import AdamDescent
from neurapde.seismic.inversion.methods.penalty import Penalty
from neurapde.validation.metrics import relative_l2

SEED = 50413
STEPS, SECONDS, TURN = 10_000, 1800.0, 120.0
"""Steps of each training in all; seconds computed of one run, and of the turn after which its error is taken."""
NEAR = 0.05
"""Distance from the torus, of radii 0.5 and 0.2, within which its own surface is judged."""
QUARTER = 0.25
"""Points of the wave beside those of `wave_training`."""
Row = dict[str, Any]
Errors = Mapping[str, float]


@dataclass(frozen=True)
class Training:
    """go: trains on from the checkpoint in a folder until it is interrupted; gives the steps done and the errors."""

    name: str
    settings: str
    go: Callable[[Path], tuple[int, Errors]]


def trainings(small: bool) -> list[Training]:
    """The paper's, or at a size that takes seconds."""
    steps, width, points = (2, 8, 64) if small else (STEPS, 256, 512)
    adam = npde.Adam(steps, 2e-5, points)
    siren = npde.Siren(width, 3)
    plain, disk = helmholtz_uniform(), helmholtz_disk()
    scattered = npde.Ansatz(npde.trials.OutgoingWave(disk.right_hand_sides[0][0], 20.0), siren)
    torus = signed_distance()
    shape = npde.Adam(
        steps,
        1e-4,
        1400,
        weights={"surface": 3000.0, "normals": 100.0, "off-surface": 100.0, "eikonal": 50.0},
    )
    return [
        solved("helmholtz", plain, siren, adam, lambda u: {"error": error_against_exact(plain, u)}),
        solved(
            "helmholtz-disk, scattered",
            disk,
            scattered,
            adam,
            lambda u: {"error": error_against_exact(disk, u)},
        ),
        wave(steps, npde.Siren(2 * width, 3)),
        solved("sdf", torus, siren, shape, lambda u: distance_error(torus, u)),
        penalty(steps, siren, points),
    ]


def solved(
    name: str,
    problem: npde.Problem,
    trial: Any,
    method: npde.Adam,
    errors: Callable[[Any], Errors],
) -> Training:
    """A training by `solve`."""

    def go(folder: Path) -> tuple[int, Errors]:
        solution = npde.solve(problem, trial, method, out=folder, resume=True, progress=False, seed=SEED)
        return int(solution.stages[-1].extras["steps"]), errors(solution)

    return Training(name, f"{trial.describe()}; {method.describe()}", go)


def wave(steps: int, trial: npde.Siren) -> Training:
    """As `wave_training` has it."""
    problem = wave_uniform(variance=wave_training.VARIANCE)
    against = wave_training.judge(problem)
    method = wave_training.paper(steps, npde.training.Curriculum(max(1, 3 * steps // 4)), 2e-5, QUARTER)
    return solved("wave", wave_training.with_pulse(problem), trial, method, against.errors)


def signed_distance() -> npde.Problem:
    """A torus by the four terms alone, without its known distance."""
    torus = npde.Torus((0.0, 0.0, 0.0), 0.5, 0.2)
    return npde.Problem("sdf-torus", npde.Box(*[(-1, 1)] * 3), npde.Eikonal(surface=torus, distance=False))


def distance_error(problem: npde.Problem, field: Any) -> Errors:
    """Relative L2 error of a signed distance in the box; its deviation near the surface; the part with a wrong sign."""
    points = problem.domain.sample(2**15, how="sobol").numpy()
    exact = np.ravel(problem.equation.surface.signed_distance(points))
    found = np.ravel(field(points))
    near = np.abs(exact) < NEAR
    return {
        "error": relative_l2(found, exact),
        "near the surface": float(np.sqrt(np.mean((found - exact)[near] ** 2))),
        "wrong sign": float(np.mean(np.sign(found) != np.sign(exact))),
    }


def penalty(steps: int, waves: npde.Siren, points: int) -> Training:
    """Waves of five shots and the medium by two networks, a quarter of the steps for the waves alone."""
    survey, _ = inversion.recorded()
    judge = inversion.Judge(survey)
    method = Penalty(waves, max(1, steps // 4), AdamDescent(max(1, 3 * steps // 4), 1e-4), points=points)
    unknown = npde.Velocity(bounds=inversion.BOUNDS, window=inversion.WINDOW)

    def go(folder: Path) -> tuple[int, Errors]:
        fitted = npde.invert(
            inversion.WAVES,
            survey,
            unknown=unknown,
            method=method,
            out=folder,
            resume=True,
            progress=False,
            seed=SEED,
        )
        errors = judge.errors(fitted)
        extras = {"residual": fitted.residual, "wavefield": errors["wavefield_error"]}
        return int(fitted.stages[-1].history.step[-1]), {"error": errors["model_error"], **extras}

    return Training("penalty FWI", method.describe(), go)


@contextmanager
def interrupted(seconds: float) -> Iterator[None]:
    """Within, Ctrl-C comes after so many seconds computed: a training keeps what it has, and ends."""
    before = signal.signal(signal.SIGPROF, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def turn(training: Training, folder: Path, seconds: float) -> Row:
    """One turn, and its row: added to those in the folder, whose last has the time before it."""
    log = folder / "rows.json"
    rows = json.loads(log.read_text(encoding="utf-8")) if log.is_file() else []
    spent = rows[-1] if rows else {"wall": 0.0, "computed": 0.0}
    wall, computed = time.perf_counter(), time.process_time()
    with interrupted(seconds), warnings.catch_warnings():
        warnings.simplefilter("ignore", npde.DeclarationWarning)  # of weights, which are the paper's
        warnings.simplefilter("ignore", npde.ResolutionWarning)  # of trainings that have not got there
        steps, errors = training.go(folder)
    row = {
        "training": training.name,
        "steps": steps,
        "wall": spent["wall"] + time.perf_counter() - wall,
        "computed": spent["computed"] + time.process_time() - computed,
        **errors,
    }
    folder.mkdir(parents=True, exist_ok=True)
    log.write_text(json.dumps([*rows, row], indent=1) + "\n", encoding="utf-8")
    return row


def measure(small: bool) -> Measured:
    """Every training in turn, until each has had its seconds or all its steps."""
    if small:
        with tempfile.TemporaryDirectory() as folder:
            return measured(trainings(True), Path(folder), 1, 2)
    return measured(trainings(False), ROOT / "runs" / "paper_trainings", round(SECONDS / TURN), STEPS)


def measured(ways: list[Training], root: Path, turns: int, steps: int) -> Measured:
    """What the folders hold after so many turns."""
    for _ in range(turns):
        for training in ways:
            if done(root, training) < steps:
                print(turn(training, root / training.name, TURN), file=sys.stderr, flush=True)
    rows = [row for training in ways for row in logged(root, training)]
    table = [["training", "steps", "computed", "error"]]
    for training in ways:
        for row in halvings(logged(root, training)):
            table.append(
                [row["training"], str(row["steps"]), f"{row['computed']:.0f} s", f"{row['error']:.3g}"]
            )
    settings = {"planned steps": steps, **{training.name: training.settings for training in ways}}
    return Measured(settings, rows, table, ["What `error` is of each is said in `paper_trainings.py`."])


def logged(root: Path, training: Training) -> list[Row]:
    """The rows of a training so far."""
    log = root / training.name / "rows.json"
    return json.loads(log.read_text(encoding="utf-8")) if log.is_file() else []


def done(root: Path, training: Training) -> int:
    """Its steps so far."""
    rows = logged(root, training)
    return rows[-1]["steps"] if rows else 0


def halvings(rows: list[Row]) -> list[Row]:
    """The first row, those after twice the time of the one before, and the last."""
    halved: list[Row] = []
    for row in rows:
        if not halved or row["computed"] >= 1.9 * halved[-1]["computed"] or row is rows[-1]:
            halved.append(row)
    return halved


def draw(record: Mapping[str, Any], path: Path) -> None:
    """The error of every training over the seconds computed."""
    figure, axis = plt.subplots(figsize=(7, 4), layout="constrained")
    for name in dict.fromkeys(row["training"] for row in record["rows"]):
        rows = [row for row in record["rows"] if row["training"] == name]
        axis.loglog([r["computed"] for r in rows], [r["error"] for r in rows], ".-", lw=1.4, label=name)
    axis.axhline(1.0, color="0.6", lw=0.8, ls="--")
    axis.set(xlabel="seconds computed on one thread", ylabel="relative error (1: that of zero)")
    axis.grid(alpha=0.25)
    axis.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    draw(
        json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")),
        ROOT / "docs" / "images" / "paper_trainings.png",
    )
