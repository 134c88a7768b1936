"""A training step beside those of DeepXDE and PINA: same network, same number of points, each in its own process.

The peers are installed from their packages into an environment of their own (`NEURAPDE_PEERS`, or
build/peers), made when missing. Each process takes a step when it has its turn. What is timed favours the
peers: their points stay where they are and only their step is timed, while neurapde's includes the drawing
of new points.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from harness import ROOT, Lap, Measured, cost, in_turns, summary
from training_step import products

ENVIRONMENT = Path(os.environ.get("NEURAPDE_PEERS", ROOT / "build" / "peers"))
WORKERS = Path(__file__).resolve().parent / "workers"
PACKAGES = {"deepxde": "deepxde==1.15.0", "pina": "pina-mathlab==0.3.2.post2610"}
MARK = "@turn"
COMPILED = "neurapde, compiled"
PROBLEMS = {
    "poisson": "Poisson, 1 output",
    "helmholtz": "Helmholtz with PML, 2 outputs",
    "inversion": "five shots and the medium, 11 outputs",
}
# PINA takes more than 19 GB of 4096 points at 11 outputs.
POINTS = {"poisson": 8192, "helmholtz": 8192, "inversion": 1024}


@dataclass
class Worker:
    """A process that takes a training step on demand; a context manager, which ends it."""

    package: str
    python: Path
    arguments: tuple[str, ...]
    version: str = field(default="", init=False)

    def __enter__(self) -> Self:
        script = WORKERS / f"step_of_{self.package.partition(',')[0]}.py"
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [str(self.python), str(script), *self.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=dict(os.environ, CUDA_VISIBLE_DEVICES=""),
        )
        _, self.version = self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()

    def step(self) -> Lap:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        wall, computed = self._answer()
        return Lap(float(wall), float(computed))

    def _answer(self) -> tuple[str, str]:
        """The two words of the next line that is an answer; packages print other lines too."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(MARK):
                first, second = line.split()[1:]
                return first, second
        self.errors.seek(0)
        raise RuntimeError(f"the worker of {self.package} ended:\n{self.errors.read()[-2000:]}")


def make_environment() -> Path:
    """The interpreter of the peers' environment, which is made when it is missing.

    The same torch as here is installed first, so that the peers' own requirement brings no other.
    """
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    stamp = ENVIRONMENT / "peers.installed"
    wanted = " ".join(PACKAGES.values())
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    for packages in ([f"torch=={torch.__version__}"], list(PACKAGES.values())):
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def measure(small: bool) -> Measured:
    """Time the packages in turns, problem by problem; small: neurapde's own worker alone, on one problem."""
    python = {} if small else dict.fromkeys(PACKAGES, make_environment())
    python["neurapde"] = Path(sys.executable)
    if not small:
        python[COMPILED] = Path(sys.executable)
    width, depth, repeats = (16, 1, 1) if small else (256, 3, 7)
    rows = []
    for problem in ("poisson",) if small else PROBLEMS:
        points = 64 if small else POINTS[problem]
        arguments = (problem, str(points), str(width), str(depth))
        with ExitStack() as stack:
            workers = {
                package: stack.enter_context(
                    Worker(package, path, (*arguments, "compile") if package == COMPILED else arguments)
                )
                for package, path in python.items()
            }
            steps: dict[str, Callable[[], Lap]] = {name: worker.step for name, worker in workers.items()}
            if not small:
                steps["products"] = products(points, width, depth, torch.device("cpu"))
            laps = in_turns(steps, repeats)
            rows += [
                {
                    "problem": problem,
                    "package": name,
                    "version": workers[name].version if name in workers else torch.__version__,
                    **summary(laps[name]),
                }
                for name in steps
            ]
    settings = {
        "network": f"{width} × (1 + {depth})",
        "points": POINTS,
        "boundary_points": {"poisson": 400, "helmholtz": 0, "inversion": 0},
        "dtype": "float32",
        "device": "cpu",
        "loss": "mean square",
        "optimizer": "Adam",
    }
    return Measured(settings, rows, _table(rows))


def _table(rows: list[dict]) -> list[list[str]]:
    table = [["problem", "package", "wall", "median", "computed", "this / neurapde", "products / this"]]
    for row in rows:
        same = {other["package"]: cost(other) for other in rows if other["problem"] == row["problem"]}
        table.append(
            [
                PROBLEMS[row["problem"]],
                f"{row['package']} {row['version']}",
                f"{row['wall']:.3g} s",
                f"{row['median']:.3g} s",
                f"{row['computed']:.3g} s",
                f"{cost(row) / same['neurapde']:.2f}",
                f"{same['products'] / cost(row):.0%}" if "products" in same else "",
            ]
        )
    return table
