"""Peak memory: of a training step beside the peers', and of `Galerkin` and the grid solver, each in a process of its own.

It is the largest resident set of the process, as Linux keeps it (VmHWM), less that of the same process with a tiny problem,
which stands for Python and the packages.
"""

import multiprocessing
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Measured
from peers import COMPILED, PACKAGES, POINTS, PROBLEMS, Worker, make_environment

import neurapde as npde
from neurapde.problems import helmholtz_disk

WAVENUMBERS = (20.0, 40.0, 80.0)
TINY = ("16", "8", "1")


def galerkin(wavenumber: float) -> None:
    """Solve `helmholtz-disk` on the lattice."""
    npde.solve(helmholtz_disk(wavenumber=wavenumber), method=npde.Galerkin(), progress=False)


def grid(wavenumber: float) -> None:
    """Solve `helmholtz-disk` on the grid that is chosen by itself."""
    npde.reference(helmholtz_disk(wavenumber=wavenumber))


def peak(process: int | str = "self") -> float:
    """The largest resident set of a process so far, MiB. Raises OSError where there is no /proc."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    [size] = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(size) / 1024


def of_solve(solver: Callable[[float], None], wavenumber: float) -> tuple[float, float]:
    """The peak after a tiny solve, and after the one asked for."""
    solver(7.0)
    before = peak()
    solver(wavenumber)
    return before, peak()


def of_step(package: str, python: Path, problem: str, size: tuple[str, ...]) -> tuple[float, float]:
    """The peaks of two processes that take a few steps, a tiny one and the one asked for."""
    option = ("compile",) if package == COMPILED else ()
    peaks = []
    for numbers in (TINY, size):
        with Worker(package, python, (problem, *numbers, *option)) as worker:
            for _ in range(3):
                worker.step()
            peaks.append(peak(worker.process.pid))
    return peaks[0], peaks[1]


def measure(small: bool) -> Measured:
    """One process after the other."""
    python = {} if small else dict.fromkeys(PACKAGES, make_environment())
    python["neurapde"] = Path(sys.executable)
    if not small:
        python[COMPILED] = Path(sys.executable)
    rows: list[dict[str, Any]] = []
    for problem in ("poisson",) if small else PROBLEMS:
        size = ("64", "16", "1") if small else (str(POINTS[problem]), "256", "3")
        for package, path in python.items():
            rows.append(_row(PROBLEMS[problem], package, *_timed(of_step, package, path, problem, size)))
    context = multiprocessing.get_context("spawn")
    for wavenumber in (8.0,) if small else WAVENUMBERS:
        for solver in (galerkin, grid):
            with context.Pool(1) as pool:
                measured = _timed(pool.apply, of_solve, (solver, wavenumber))
            rows.append(_row(f"helmholtz-disk, k = {wavenumber:g}", solver.__name__, *measured))
    table = [["what", "way", "packages", "peak", "for it"]]
    for row in rows:
        numbers = (row["before"], row["peak"], row["peak"] - row["before"])
        table.append([row["what"], row["way"], *(f"{number:.0f} MiB" for number in numbers)])
    settings = {"points": POINTS, "network": "256 × (1 + 3)", "measure": "VmHWM"}
    return Measured(settings, rows, table)


def _timed(
    function: Callable[..., tuple[float, float]], *arguments: Any
) -> tuple[float, tuple[float, float]]:
    started = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - started, result


def _row(what: str, way: str, wall: float, peaks: tuple[float, float]) -> dict[str, Any]:
    return {"what": what, "way": way, "wall": wall, "before": peaks[0], "peak": peaks[1]}
