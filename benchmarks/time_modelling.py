"""Traces and their gradient in time beside deepwave: error against the exact arrivals, agreement, and cost.

deepwave is installed from its package into an environment of its own (`NEURAPDE_DEEPWAVE` names its interpreter's
folder, or build/deepwave), made when missing; where that cannot be made, and at the small size, its rows are left out.
Both run all shots at once, on the same nodes and on one thread, at the longest steps that are stable, here with
leapfrog's dispersion undone by filters, there without, as by default, and with deepwave's own filters of that kind.
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
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.time_modelling import TimeModelling
from neurapde.seismic.survey.survey import Survey
from neurapde.validation.metrics import relative_l2

ENVIRONMENT = Path(os.environ.get("NEURAPDE_DEEPWAVE", ROOT / "build" / "deepwave"))
PACKAGE = "deepwave==0.1.0"
SPEED, LENGTH, PEAK, DELAY, DURATION = 2000.0, 1000.0, 5.0, 0.3, 1.2
SHOTS, RECEIVERS, INTERVAL = 8, 32, 0.008
LAYER = 20
"""Nodes of the absorbing layer on each side."""
REPEATS = 3
WORKER = """
import sys, time
import numpy as np, torch, deepwave
from deepwave.time_dispersion import correct_receivers, correct_source
torch.set_num_threads(1)
given = np.load(sys.argv[1])
spacing, layer, fastest, peak = (float(given[k]) for k in ("spacing", "layer", "fastest", "peak"))
kind = {"float32": torch.float32, "float64": torch.float64}[sys.argv[3]]
corrected = sys.argv[4] == "corrected"
dt = float(given["step" if corrected else "interval"])
wavelet = torch.from_numpy(given["wavelet_at_steps" if corrected else "wavelet"])
count = len(wavelet)
if corrected:
    wavelet = correct_source(wavelet[None, None], dt)[0, 0]
places = torch.from_numpy(given["sources"])[:, None]
spread = torch.from_numpy(given["receivers"])[None].repeat(len(places), 1, 1)
force = -wavelet[None, None].repeat(len(places), 1, 1).to(kind) / spacing**2
def traces(v):
    found = deepwave.scalar(v, spacing, dt, source_amplitudes=force, source_locations=places.to(kind),
        receiver_locations=spread.to(kind), accuracy=4, pml_width=int(layer), pml_freq=peak, max_vel=fastest)[-1]
    return correct_receivers(found, dt) if corrected else found
def timed(work):
    seconds = []
    for _ in range(int(given["repeats"])):
        begin = time.process_time(); found = work(); seconds.append(time.process_time() - begin)
    return found, min(seconds)
uniform = traces(torch.from_numpy(given["uniform"]).to(kind)).numpy()
v = torch.from_numpy(given["varied"]).to(kind)
varied, forward = timed(lambda: traces(v))
v.requires_grad_()
weights = torch.from_numpy(given["cotangent_at_steps" if corrected else "cotangent"]).to(kind)[..., :count]
gradient, both = timed(lambda: torch.autograd.grad((traces(v) * weights).sum(), v)[0])
np.savez(sys.argv[2], uniform=uniform, varied=varied.numpy(), gradient=gradient.numpy(), forward=forward, both=both)
"""


def wavelet(times: NDArray) -> NDArray:
    """What every shot sends out."""
    return npde.Ricker(PEAK, DELAY)(times)


def exact(times: NDArray, offsets: NDArray) -> NDArray:
    """1/(2π) ∫ w(t − (r/c) cosh s) ds `(shots, receivers, times)`: the uniform plane."""
    s = np.linspace(0, 4, 4001)
    traces = [
        np.trapezoid(wavelet(times[:, None] - r / SPEED * np.cosh(s)), s, axis=1) for r in offsets.ravel()
    ]
    return np.array(traces).reshape(*offsets.shape, -1) / (2 * np.pi)


def measure(small: bool) -> Measured:
    """Errors, agreement and seconds on grids of growing size."""
    sources = np.column_stack([np.full(SHOTS, 133.0), np.linspace(131, 871, SHOTS)])
    receivers = np.column_stack([np.full(RECEIVERS, 867.0), np.linspace(127, 873, RECEIVERS)])
    times = np.arange(round(DURATION / INTERVAL) + 1) * INTERVAL
    offsets = np.linalg.norm(sources[:, None] - receivers, axis=2)
    survey = Survey(sources, receivers, traces=exact(times, offsets), dt=INTERVAL, wavelet=wavelet(times))
    notes, python = [], None
    try:
        python = None if small else make_environment()
    except (OSError, subprocess.CalledProcessError) as error:
        notes.append(f"deepwave is left out: its environment {ENVIRONMENT} cannot be made ({error}).")
    rows: list[dict[str, Any]] = []
    for nodes in (33,) if small else (41, 61, 81):
        rows += compared(survey, offsets, nodes, python)
    table = [
        ["way", "nodes an axis", "error", "traces apart", "gradients apart", "traces s", "with gradient s"]
    ]
    for row in rows:
        apart = ["" if row[k] is None else f"{row[k]:.1e}" for k in ("traces apart", "gradients apart")]
        seconds = [f"{row[k]:.2f}" for k in ("traces computed", "gradient computed")]
        table.append([row["way"], str(row["nodes"]), f"{row['error']:.1e}", *apart, *seconds])
    notes += [
        "error: relative L2 of all traces in the uniform plane against the exact ones. apart: from ours on the same nodes, "
        "in a medium that varies by 10 %; gradients by the speed of one weighted sum of the traces, at nodes three or more "
        "away from shots, receivers and sides.",
        "Seconds that one thread computed, the least of three.",
    ]
    settings = {
        "shots": SHOTS,
        "receivers": RECEIVERS,
        "samples": len(times),
        "peak": PEAK,
        "package": PACKAGE,
    }
    return Measured(settings, rows, table, notes)


def compared(survey: Survey, offsets: NDArray, nodes: int, python: Path | None) -> list[dict[str, Any]]:
    """One row for each way on a region of nodes²."""
    spacing = LENGTH / (nodes - 1)
    edge = LAYER * spacing
    box = npde.Box((-edge, LENGTH + edge), (-edge, LENGTH + edge))
    waves = npde.Problem(
        "layers",
        box.over(npde.Time(0, 1)),
        npde.Wave(SPEED),
        boundary=npde.PML(width=LAYER * spacing, reflection=1e-4),
    )
    domain = ComputationalDomain.of(waves, 1.0)
    engine = TimeModelling(survey, domain, (SPEED, SPEED), 1.1 * SPEED, spacing=spacing)
    inside = (slice(LAYER, -LAYER),) * 2
    points = np.clip(engine.grid.points, 0, LENGTH)
    speed = SPEED * (1 + 0.1 * np.sin(points[:, 0] / 150) * np.cos(points[:, 1] / 120))
    cotangent = survey.traces
    assert cotangent is not None
    begin = time.perf_counter()
    ours = engine.forward(speed**-2.0)
    wall = time.perf_counter() - begin
    traces_seconds = least(lambda: engine.forward(speed**-2.0))
    both_seconds = least(lambda: engine.backward(engine.forward(speed**-2.0), cotangent))
    gradient = (-2 * speed**-3.0 * engine.backward(ours, cotangent)).reshape(engine.grid.shape)[inside]
    uniform = engine.forward(np.full(engine.grid.size, SPEED**-2.0)).data
    rows = [
        row(
            "neurapde", nodes, relative_l2(uniform, cotangent), None, None, traces_seconds, both_seconds, wall
        )
    ]
    if python is None:
        return rows
    far = away_from(survey, nodes, spacing)
    steps = np.arange(engine.filters.steps + 1) * engine.filters.dt
    given = {
        "spacing": spacing, "layer": LAYER, "fastest": 1.1 * SPEED, "peak": PEAK, "repeats": REPEATS,
        "interval": survey.dt, "step": engine.filters.dt, "wavelet": survey.wavelet, "wavelet_at_steps": wavelet(steps),
        "sources": survey.sources / spacing, "receivers": survey.receivers / spacing,
        "uniform": np.full((nodes, nodes), SPEED), "varied": speed.reshape(engine.grid.shape)[inside],
        "cotangent": cotangent, "cotangent_at_steps": cotangent @ engine.filters.traces,
    }  # fmt: skip
    for precision, way in (("float64", "plain"), ("float32", "plain"), ("float64", "corrected")):
        begin = time.perf_counter()
        answer = by_deepwave(python, given, precision, way)
        wall = time.perf_counter() - begin
        at = steps if way == "corrected" else survey.times
        counted = at <= survey.times[-1]
        truth, here = exact(at[counted], offsets), answer["uniform"][..., counted]
        apart = relative_l2(answer["varied"], ours.data) if way == "plain" else None
        aside = relative_l2(answer["gradient"][far], gradient[far]) if way == "plain" else None
        name = f"deepwave, {precision}" + (", corrected" if way == "corrected" else "")
        error = relative_l2(here, truth)
        rows.append(
            row(name, nodes, error, apart, aside, float(answer["forward"]), float(answer["both"]), wall)
        )
    return rows


def row(
    way: str,
    nodes: int,
    error: float,
    traces: float | None,
    gradients: float | None,
    forward: float,
    both: float,
    wall: float,
) -> dict[str, Any]:
    """One measurement; wall: of one prediction, of deepwave of its whole process."""
    return {
        "way": way,
        "nodes": nodes,
        "error": error,
        "traces apart": traces,
        "gradients apart": gradients,
        "traces computed": forward,
        "gradient computed": both,
        "wall": wall,
    }


def least(work: Any) -> float:
    """Seconds computed, the least of three."""
    seconds = []
    for _ in range(REPEATS):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def away_from(survey: Survey, nodes: int, spacing: float) -> NDArray[np.bool_]:
    """Nodes three spacings and more from shots, receivers and the sides of the region."""
    axis = np.arange(nodes) * spacing
    x, y = np.meshgrid(axis, axis, indexing="ij")
    far = np.minimum(np.minimum(x, LENGTH - x), np.minimum(y, LENGTH - y)) > 2.5 * spacing
    for place in np.vstack([survey.sources, survey.receivers]):
        far &= np.hypot(x - place[0], y - place[1]) > 3 * spacing
    return far


def by_deepwave(python: Path, given: dict[str, Any], precision: str, way: str) -> dict[str, NDArray]:
    """What deepwave finds, in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder) / "given.npz", Path(folder) / "answer.npz"
        np.savez(asked, **given)
        command = [str(python), "-c", WORKER, str(asked), str(answer), precision, way]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        with np.load(answer) as archive:
            return dict(archive)


def make_environment() -> Path:
    """The interpreter of deepwave's environment, which is made when it is missing or half made."""
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    if subprocess.run([str(python), "-c", "import numpy, deepwave"], capture_output=True).returncode:
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "numpy", PACKAGE], check=True)
    return python
