"""Error against time: neurapde's methods beside DeepXDE and PINA, each with its own settings, for the same time.

Problems: Helmholtz at k = 20 with absorbing layers, uniform and with a disk of twice the speed; the manufactured one of
Wang, Teng, Perdikaris (2021) at k = 1; Burgers' equation at ν = 0.01/π. The clock stands still while an error is taken.
On one thread the time is that which the process computed, and otherwise that on the wall. The peers run in an environment
of their own (see `peers.py`) with the networks, points and rates of DeepXDE's demonstrations; DeepXDE takes Adam for half
the time, then L-BFGS; PINA its default, Adam. `python benchmarks/accuracy.py FILE.json` draws docs/images/accuracy.png.
"""

import dataclasses
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cases
import matplotlib.pyplot as plt
import numpy as np
import torch
from harness import ROOT, Measured
from matplotlib.ticker import NullFormatter
from peers import MARK, PACKAGES, WORKERS, make_environment

import neurapde as npde
from neurapde.problems import helmholtz_disk, helmholtz_uniform
from neurapde.trials.base import Trial
from neurapde.validation.exact import exact_solution

SECONDS = {
    "helmholtz-uniform": 60.0,
    "helmholtz-disk": 60.0,
    "helmholtz-manufactured": 120.0,
    "burgers": 60.0,
}
LOOKS = 12
PAPER = "Adam, the SIREN paper's"
SIREN = npde.Siren(256, 3)
SLOW = npde.Siren(30, 3, 4.0, 4.0)


@dataclass(frozen=True)
class Way:
    """One of neurapde's: a trial function and a method; None for its own choice, which ends when it ends."""

    name: str
    trial: Trial | None = None
    method: npde.Adam | npde.NaturalGradient | None = None


def ways(name: str) -> list[Way]:
    """What is tried on a problem."""
    if name.startswith("helmholtz-") and name != "helmholtz-manufactured":
        waves = npde.Siren(32, 2, 20.0, 4.0)
        return [
            Way("default"),
            Way("NaturalGradient", waves, npde.NaturalGradient(10**5, points=3000, tolerance=1e-9)),
            Way(PAPER, SIREN, npde.Adam(10**7, lr=2e-5, points=52_900)),
            Way("Adam, 2048 points", SIREN, npde.Adam(10**7, lr=1e-4, points=2048)),
        ]
    counts = {"equation": 1500, "dirichlet": 300}
    if name == "helmholtz-manufactured":
        newton = npde.NaturalGradient(10**5, counts, {"dirichlet": 100.0}, tolerance=1e-9)
        adam = npde.Adam(10**7, 1e-3, counts, npde.training.MeanSquare(), weights={"dirichlet": 100.0})
        return [Way("default"), Way("NaturalGradient", SLOW, newton), Way("Adam", SLOW, adam)]
    counts = {"equation": 2000, "dirichlet": 100, "initial-value": 200}
    weights = {"dirichlet": 10.0, "initial-value": 10.0}
    follow = npde.training.ResidualAdaptive(every=10)
    newton = npde.NaturalGradient(10**5, counts, weights, sampling=follow, tolerance=1e-9)
    adam = npde.Adam(
        10**7, 1e-3, counts, npde.training.MeanSquare(), npde.training.ResidualAdaptive(), weights
    )
    small = npde.MLP(20, 3)
    return [Way("default"), Way("NaturalGradient", small, newton), Way("Adam", small, adam)]


def case_of(name: str) -> cases.Case:
    """The problem, and where its exact values are."""
    if name == "burgers":
        return cases.burgers()
    if name == "helmholtz-manufactured":
        return cases.manufactured_helmholtz()
    problem = helmholtz_uniform() if name == "helmholtz-uniform" else helmholtz_disk()
    exact = exact_solution(problem)
    assert exact is not None
    points = problem.domain.sample(200**2, how="grid").numpy()
    points = points[problem.physical(points)]
    truth = exact(points)
    known = np.isfinite(truth)
    return cases.Case(problem, points[known], truth[known])


def train(case: cases.Case, way: Way, seconds: float) -> list[list[float]]:
    """Rows of seconds on the wall, seconds computed and error; a method that trains goes on from its checkpoint."""
    if way.method is None:
        wall, computed = time.perf_counter(), time.process_time()
        solution = npde.solve(case.problem, way.trial, progress=False, seed=12007)
        return [[time.perf_counter() - wall, time.process_time() - computed, case.error(solution)]]
    rows, spent, steps, batch = [], [0.0, 0.0], 0, 2
    with tempfile.TemporaryDirectory() as folder:
        while (used := spent[alone()]) < seconds:
            steps += batch
            method = dataclasses.replace(way.method, steps=steps)
            wall, computed = time.perf_counter(), time.process_time()
            solution = npde.solve(
                case.problem, way.trial, method, progress=False, seed=12007, out=folder, resume=True
            )
            lap = [time.perf_counter() - wall, time.process_time() - computed]
            spent = [a + b for a, b in zip(spent, lap, strict=True)]
            rows.append([*spent, case.error(solution)])
            if solution.status in (npde.Status.CONVERGED, npde.Status.DIVERGED):
                break
            pace = (spent[alone()] - used) / batch
            batch = max(1, round(min(seconds / LOOKS, seconds - spent[alone()]) / pace))
    return rows


def alone() -> bool:
    """Whether the time that a process computed is what counts: on one thread, on a CPU."""
    return torch.get_num_threads() == 1 and not torch.cuda.is_available()


def race(package: str, python: Path, case: cases.Case, seconds: float) -> tuple[str, list[list[float]]]:
    """A peer's version, and its rows."""
    clock = "computed" if alone() else "wall"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "truth.npz"
        np.savez(path, points=case.points, truth=case.truth)
        script = WORKERS / f"race_of_{package}.py"
        command = [str(python), str(script), case.problem.name, str(path), str(seconds), clock]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise RuntimeError(f"the worker of {package} ended:\n{done.stderr[-2000:]}")
    answers = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith(MARK)]
    return answers[0][1], [[float(word) for word in words] for words in answers[1:]]


def measure(small: bool) -> Measured:
    """Every way on every problem, one after the other; small: neurapde's own on two of them, for a moment."""
    rows = []
    peers = {} if small else dict.fromkeys(PACKAGES, make_environment())
    for name in ("helmholtz-disk", "burgers") if small else SECONDS:
        case = case_of(name)
        seconds = 1.0 if small else SECONDS[name]
        tried = [way for way in ways(name) if not small or way.name in ("default", "NaturalGradient")]
        if small:
            tried = [way for way in tried if (way.method is None) == (name == "helmholtz-disk")]
        for way in tried:
            rows.append(_row(name, f"neurapde, {way.name}", npde.__version__, train(case, way, seconds)))
        for package, python in peers.items():
            version, curve = race(package, python, case, seconds)
            rows.append(_row(name, package, version, curve))
    table = [["problem", "way", "wall", "computed", "error"]]
    table += [
        [
            row["problem"],
            row["way"],
            f"{row['wall']:.3g} s",
            f"{row['computed']:.3g} s",
            f"{row['error']:.1e}",
        ]
        for row in rows
    ]
    settings = {"seconds": SECONDS, "clock": "computed" if alone() else "wall"}
    return Measured(settings, rows, table)


def _row(problem: str, way: str, version: str, curve: Sequence[Sequence[float]]) -> dict:
    wall, computed, error = curve[-1]
    row = {"problem": problem, "way": way, "version": version}
    return row | {"wall": wall, "computed": computed, "error": error, "curve": [list(row) for row in curve]}


COLORS = {
    "neurapde, default": "#0b559f",
    "neurapde, NaturalGradient": "#c4410c",
    "neurapde, Adam": "#2a8c4a",
    "neurapde, Adam, 2048 points": "#2a8c4a",
    f"neurapde, {PAPER}": "#8a8a1f",
    "deepxde": "#7d3c98",
    "pina": "0.45",
}


def draw(record: dict, path: Path) -> None:
    """The error of every way over time, a panel for each problem."""
    names = list(dict.fromkeys(row["problem"] for row in record["rows"]))
    figure, axes = plt.subplots(1, len(names), figsize=(3.4 * len(names), 3.6), layout="constrained")
    column = 1 if record["settings"]["clock"] == "computed" else 0
    for panel, name in zip(np.atleast_1d(axes), names, strict=True):
        for row in record["rows"]:
            if row["problem"] == name:
                curve, color = np.array(row["curve"]), COLORS[row["way"]]
                style = "o" if len(curve) == 1 else "-"
                panel.loglog(curve[:, column], curve[:, 2], style, color=color, label=row["way"], lw=1.6)
        panel.set(title=name, xlabel=f"seconds {'computed' if column else 'on the wall'}")
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.grid(alpha=0.25)
    np.atleast_1d(axes)[0].set_ylabel("relative L2 error")
    handles = {
        label: handle
        for panel in np.atleast_1d(axes)
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=len(names), frameon=False
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), ROOT / "docs" / "images" / "accuracy.png")
