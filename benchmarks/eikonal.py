"""Travel times beside scikit-fmm: factored sweeping, second-order fast marching and the network, against the exact time.

scikit-fmm is installed from its package into an environment of its own (`NEURAPDE_SKFMM`, or build/skfmm), made when
missing; where that cannot be made, and at the small size, its rows are left out. Fast marching starts from the exact
times on a small circle round the source, which favours it: from the source itself it is of first order.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from harness import ROOT, Measured
from numpy.typing import NDArray

import neurapde as npde
from neurapde.problems import travel_time_gradient
from neurapde.validation.metrics import relative_l2

ENVIRONMENT = Path(os.environ.get("NEURAPDE_SKFMM", ROOT / "build" / "skfmm"))
PACKAGE = "scikit-fmm==2025.6.23"
START = 0.1
"""Radius of the circle that fast marching starts from."""
WORKER = """
import sys, time
import numpy as np, skfmm
data = np.load(sys.argv[1])
begin = time.perf_counter()
times = skfmm.travel_time(data["level"], data["speed"], dx=data["spacing"].tolist(), order=2)
np.savez(sys.argv[2], times=np.asarray(times), seconds=time.perf_counter() - begin)
"""


def measure(small: bool) -> Measured:
    """Errors and seconds of the three ways on grids of growing size."""
    problem = travel_time_gradient()
    rows, notes = [], [f"Fast marching starts on a circle of radius {START:g}, and counts outside it."]
    python: Path | None = None
    try:
        python = None if small else make_environment()
    except (OSError, subprocess.CalledProcessError) as error:
        notes.append(f"scikit-fmm is left out: its environment {ENVIRONMENT} cannot be made ({error}).")
    for nodes in (51, 101) if small else (101, 201, 401):
        grid = npde.reference(problem, shape=nodes, error=False)
        rows.append(row("sweeping", nodes, error_of(problem, grid.grid.points, grid.values), grid.seconds))
        if python is not None:
            times, seconds = marched(python, problem, grid)
            rows.append(row("scikit-fmm", nodes, error_of(problem, grid.grid.points, times), seconds))
    begin = time.perf_counter()
    method = npde.NaturalGradient(steps=8, points=400) if small else None
    solution = npde.solve(problem, method=method, progress=False)
    seconds = time.perf_counter() - begin
    points = npde.reference(problem, shape=101, error=False).grid.points
    rows.append(row("network", None, error_of(problem, points, solution(points)), seconds))
    table = [["way", "nodes an axis", "relative L2", "seconds"]]
    for result in rows:
        nodes_text = "none" if result["nodes"] is None else str(result["nodes"])
        table.append([str(result["way"]), nodes_text, f"{result['error']:.1e}", f"{result['wall']:.2f}"])
    return Measured({"problem": str(problem), "package": PACKAGE}, rows, table, notes)


def row(way: str, nodes: int | None, error: float, seconds: float) -> dict[str, Any]:
    """One measurement."""
    return {"way": way, "nodes": nodes, "error": error, "wall": seconds}


def error_of(problem: npde.Problem, points: NDArray, times: NDArray) -> float:
    """Relative L2 error outside the starting circle."""
    assert problem.exact is not None
    (source,) = problem.sources
    outside = np.linalg.norm(points - np.asarray(source.center), axis=1) > 1.5 * START
    return relative_l2(times.ravel()[outside], problem.exact(points)[outside])


def marched(python: Path, problem: npde.Problem, grid: npde.validation.GridSolution) -> tuple[NDArray, float]:
    """Times by scikit-fmm in its own process, and the seconds of the call alone."""
    assert problem.exact is not None
    points, shape = grid.grid.points, grid.values.shape
    (source,) = problem.sources
    reached = float(problem.exact(np.asarray([source.center]) + np.array([[0.0, -START]]))[0])
    speed = problem.equation.speed(points).reshape(shape)
    level = (problem.exact(points).reshape(shape) - reached) * speed
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder) / "given.npz", Path(folder) / "answer.npz"
        np.savez(given, level=level, speed=speed, spacing=grid.grid.spacing)
        subprocess.run([str(python), "-c", WORKER, str(given), str(answer)], check=True)
        with np.load(answer) as archive:
            return archive["times"] + reached, float(archive["seconds"])


def make_environment() -> Path:
    """The interpreter of scikit-fmm's environment, which is made when it is missing or half made."""
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    if subprocess.run([str(python), "-c", "import numpy, skfmm"], capture_output=True).returncode:
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "numpy", PACKAGE], check=True)
    return python
