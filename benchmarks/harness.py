"""What every benchmark shares: the clock, the machine it ran on, the raw record, and the table.

Machines are shared and their clocks wander, so ways that are compared take turns within one run, the shortest
of several times stands for each, and the load averages of the machine are kept beside the times. Beside the
clock on the wall there is the time that the process computed: on one thread (`OMP_NUM_THREADS=1`) it leaves out
the waiting for a core, and is what ratios are taken of.
"""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import scipy
import torch
from numpy.typing import NDArray

import neurapde as npde
from neurapde.validation.exact import exact_solution
from neurapde.validation.metrics import relative_l2

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Measured:
    """What a benchmark found.

    settings: what it ran. rows: one mapping of raw numbers per measurement. table: the same as text, the first
    row being the header. notes: sentences that belong under the table.
    """

    settings: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    table: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


class Benchmark(Protocol):
    """A module with this function; `small` asks for the same work at a size that takes seconds."""

    def measure(self, small: bool) -> Measured: ...


@dataclass(frozen=True)
class Lap:
    """One turn: seconds on the wall, and seconds that the process computed, over all its threads."""

    wall: float
    computed: float


def in_turns(steps: Mapping[str, Callable[[], Lap]], repeats: int) -> dict[str, list[Lap]]:
    """The laps of `repeats` rounds in which every step has its turn, after one round to warm up."""
    laps: dict[str, list[Lap]] = {name: [] for name in steps}
    for turn in range(repeats + 1):
        for name, step in steps.items():
            lap = step()
            if turn:
                laps[name].append(lap)
    return laps


def timed(step: Callable[[], object]) -> Callable[[], Lap]:
    """`step`, telling the lap it took, the GPU's work included where there is one."""

    def lap() -> Lap:
        _wait()
        wall, computed = time.perf_counter(), time.process_time()
        step()
        _wait()
        return Lap(time.perf_counter() - wall, time.process_time() - computed)

    return lap


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def summary(laps: Sequence[Lap]) -> dict[str, Any]:
    """The shortest and the median on the wall, the shortest computed, and all laps."""
    return {
        "wall": min(lap.wall for lap in laps),
        "median": statistics.median(lap.wall for lap in laps),
        "computed": min(lap.computed for lap in laps),
        "laps": [[lap.wall, lap.computed] for lap in laps],
    }


def cost(row: Mapping[str, Any]) -> float:
    """What ratios are taken of: the shortest time computed if that was on one CPU thread, else on the wall."""
    alone = torch.get_num_threads() == 1 and not torch.cuda.is_available()
    return row["computed"] if alone else row["wall"]


def error_against_exact(problem: npde.Problem, field: Callable[[NDArray], NDArray]) -> float:
    """Relative L2 error of a field at 150² points of the physical region, where the exact solution is known.

    Raises ValueError for a problem that has no exact solution.
    """
    exact = exact_solution(problem)
    if exact is None:
        raise ValueError(f"{problem.name} has no exact solution; take helmholtz_uniform or helmholtz_disk")
    points = problem.domain.sample(300**2, how="grid").numpy()
    points = points[problem.physical(points)]
    truth = exact(points)
    known = np.isfinite(truth)
    return relative_l2(field(points[known]), truth[known])


def machine() -> dict[str, Any]:
    """The hardware, as far as the system tells."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "cpu": _cpu(),
        "logical_cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": gpu,
        "system": platform.platform(),
    }


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Of Python and of the packages that do the work."""
    return {
        "python": platform.python_version(),
        "neurapde": npde.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }


def commit() -> str | None:
    """Hash of the checkout that is measured, with `+` if the code differs from it; None outside a checkout."""
    code = ["--", "neurapde", "problems", "reference_solvers", "validation", "benchmarks/*.py"]
    commands = [["git", "rev-parse", "HEAD"], ["git", "status", "--porcelain", "-uno", *code]]
    answers = [subprocess.run(command, cwd=ROOT, capture_output=True, text=True) for command in commands]
    if any(answer.returncode for answer in answers):
        return None
    return answers[0].stdout.strip() + ("+" if answers[1].stdout.strip() else "")


def record(name: str, small: bool, benchmark: Benchmark) -> tuple[Measured, dict[str, Any]]:
    """Run a benchmark: what it found, and the raw record of it for a file."""
    started, before, clock = datetime.now(UTC), os.getloadavg(), time.perf_counter()
    measured = benchmark.measure(small)
    raw = {
        "benchmark": name,
        "commit": commit(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": time.perf_counter() - clock,
        "load_average_before": before,
        "load_average_after": os.getloadavg(),
        "machine": machine(),
        "versions": versions(),
        "small": small,
        "settings": dict(measured.settings),
        "rows": [dict(row) for row in measured.rows],
        "notes": list(measured.notes),
    }
    return measured, raw


def save(raw: Mapping[str, Any], folder: Path) -> Path:
    """Write a raw record to `folder`/NAME.json and return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{raw['benchmark']}.json"
    path.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def text(measured: Measured, raw: Mapping[str, Any]) -> str:
    """The table in Markdown, under it the machine, its load and the notes."""
    machine = raw["machine"]
    load = ", ".join(f"{raw[key][0]:.1f}" for key in ("load_average_before", "load_average_after"))
    device = machine["gpu"] or f"{machine['cpu']}, {machine['threads']} of {machine['logical_cores']} cores"
    place = f"{device}, torch {raw['versions']['torch']}, commit {str(raw['commit'])[:8]}"
    facts = f"{place}; load average of the last minute before and after: {load}."
    return "\n".join([f"### {raw['benchmark']}", "", *_aligned(measured.table), "", facts, *measured.notes])


def _aligned(table: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(3, *(len(row[i]) for row in table)) for i in range(len(table[0]))]
    for index, row in enumerate(table):
        cells = (
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "| " + " | ".join(cells) + " |"
        if index == 0:
            marks = ("-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths))
            yield "| " + " | ".join(marks) + " |"
