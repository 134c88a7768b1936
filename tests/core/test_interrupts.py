"""Ctrl-C ends every direct method, reference and inversion soon, with what it has, or with KeyboardInterrupt and no more.

One process starts all runs as copies of itself. The moments are seconds that a run has computed, which other programs on the
machine do not change; run this file, with PYTHONPATH=tests, to see how long each takes to end.
"""

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import neurapde as npde
from neurapde.core.memory import STATM
from neurapde.seismic.inversion.invert import METHODS
from neurapde.training.run.method import Method, Status
from support import noisy_survey, waves

MOMENTS = (0.3, 3.0)
SOON = 30.0
"""Seconds of a core after which a run that has not ended is said not to end: some ten times what the slowest takes."""
KEPT, NOTHING, ENDED, FAILED = 10, 11, 12, 13
QUICK = "invert, multiscale"
"""This run may end before it is interrupted."""
SINE = npde.FunctionSource(lambda x: npde.sin(3 * x[:, 0]) * npde.cos(2 * x[:, 1]))


def solve(problem: npde.Problem, method: Method) -> Any:
    return npde.solve(problem, method=method, device="cpu", progress=False)


def curved() -> npde.Problem:
    """An equation that is not linear, with a corner that keeps it from ending."""
    equation = npde.Equation(lambda x, u: u.d2(0) + u.d2(1) - u.value**3 + 1.0)
    corner = npde.Polygon([(0, 0), (1, 0), (1, 1), (-1, 1), (-1, -1), (0, -1)])
    return npde.Problem("curved", corner, equation, boundary=npde.Dirichlet(0.0))


def cube() -> npde.Problem:
    box = npde.Box((0, 1), (0, 1), (0, 1))
    return npde.Problem("cube", box, npde.Poisson(), SINE, npde.Dirichlet(0.0))


def plane(dimension: int) -> npde.Problem:
    box = npde.Box(*[(-1, 1)] * dimension)
    return npde.Problem("times", box, npde.Eikonal(), [npde.PointSource((0.1,) * dimension)])


def invert(name: str) -> npde.seismic.Inversion:
    made = noisy_survey() if name == "time" else noisy_survey().at([3.0, 4.0])
    velocity = npde.Velocity(2000.0, bounds=(1600.0, 2600.0))
    problem = waves(npde.Box((0, 1000), (0, 1000)))
    return npde.invert(problem, made, unknown=velocity, method=METHODS[name](), progress=False)


ALWAYS: dict[str, Any] = {"tolerance": 1e-15, "seconds": 1e4}
RUNS: dict[str, Callable[[], Any]] = {
    "LeastSquares": lambda: solve(npde.problems.poisson_disk(), npde.LeastSquares(largest=9000, **ALWAYS)),
    "Newton": lambda: solve(curved(), npde.Newton(largest=9000, **ALWAYS)),
    "Separable": lambda: solve(cube(), npde.Separable(largest=256, **ALWAYS)),
    "Galerkin, waves": lambda: solve(
        npde.problems.helmholtz_disk(wavenumber=60.0), npde.Galerkin(largest=2000, **ALWAYS)
    ),
    "Galerkin, diffusion": lambda: solve(
        npde.problems.poisson_darcy(), npde.Galerkin(largest=2000, **ALWAYS)
    ),
    "MethodOfLines": lambda: solve(
        npde.problems.wave_ricker(), npde.MethodOfLines(tolerance=1e-7, largest=1000, seconds=1e4)
    ),
    "reference, Helmholtz": lambda: npde.reference(npde.problems.helmholtz_disk(wavenumber=60.0), 1201),
    "reference, Poisson": lambda: npde.reference(npde.problems.poisson_darcy(), 1201),
    "reference, eikonal": lambda: npde.reference(plane(3), 301),
    "reference, waves": lambda: npde.reference(npde.problems.wave_ricker(), (1601, 1601, 41)),
    **{f"invert, {name}": (lambda name=name: invert(name)) for name in METHODS},
}


def copy(run: Callable[[], Any]) -> int:
    """A copy of this process that does a run, and says by its status how that ended."""
    pid = os.fork()
    if pid:
        return pid
    code = FAILED
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the worker of several processes ignores
    try:
        warnings.simplefilter("ignore")
        code = KEPT if run().status is Status.INTERRUPTED else ENDED
    except AttributeError:  # a reference has no status
        code = ENDED
    except KeyboardInterrupt:
        code = NOTHING
    finally:
        os._exit(code)


def computed(pid: int) -> float:
    """Seconds of a core that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ended(pid: int, most: float) -> int | None:
    """The status of a process, once it ends; None where it has first computed so much."""
    while computed(pid) < most:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    return None


def interrupted(run: Callable[[], Any], moment: float) -> tuple[int | None, float]:
    """How a run ends that is interrupted at a moment, and how many seconds of a core after that; None if it does not."""
    pid = copy(run)
    code = ended(pid, moment)
    if code is not None:
        return code, 0.0
    os.kill(pid, signal.SIGINT)
    before = sum(os.times()[2:4])
    code = ended(pid, moment + SOON)
    if code is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return code, sum(os.times()[2:4]) - before - moment


@pytest.mark.slow
@pytest.mark.skipif(
    not STATM.exists() or not hasattr(os, "fork"), reason="no processes to copy and to watch here"
)
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning"
)  # of copies of processes with threads, which rest here
@pytest.mark.parametrize("name", RUNS)
def test_an_interrupted_run_ends_soon_and_cleanly(name: str) -> None:
    early, late = (interrupted(RUNS[name], moment)[0] for moment in MOMENTS)
    assert early in (KEPT, NOTHING, ENDED if name == QUICK else KEPT)
    assert late in (KEPT, NOTHING, ENDED)  # a fast processor has come to the end


if __name__ == "__main__":
    words = {
        KEPT: "kept",
        NOTHING: "KeyboardInterrupt",
        ENDED: "ended before",
        FAILED: "failed",
        None: "did not end",
    }
    for name in sys.argv[1:] or RUNS:
        for moment in MOMENTS:
            code, seconds = interrupted(RUNS[name], moment)
            print(
                f"{name:24s} at {moment:4.1f} s: {words.get(code, str(code)):18s} after {seconds:5.2f} s",
                flush=True,
            )
