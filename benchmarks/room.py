"""The signed distance of an open scene of room size, whose true distance in the air is known in closed form.

    python benchmarks/run.py room        # minutes on one thread, draws docs/images/room.png; --small: seconds

The scene is `sdf-room`: points with normals on what a scanner sees of floor, walls and furniture, lengths in metres. The
network sees these points alone; errors are those against the solids themselves, at places in the air drawn anew.
"""

import sys
import time
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from harness import ROOT, Measured

import neurapde as npde
from neurapde.domains.closest import Closest
from neurapde.problems._room import ROOM, air_points, room_distance

SEED, DRAWN = 20359, 61553
PLACES = 20_000
FULL, SMALL = (256, 600, 512), (8, 2, 64)
"""Width of 1 + 3 hidden layers, steps, and points on the surface and off it in each step."""


def measure(small: bool) -> Measured:
    """What the default finds, and a larger network trained by Adam."""
    problem = npde.problems.sdf_room(count=3000) if small else npde.problems.sdf_room()
    cloud = problem.equation.surface
    rows = [row("the cloud's own distance", problem, lambda: cloud.signed_distance)[0]]
    if not small:
        rows.append(row("default", problem, lambda: npde.solve(problem, seed=SEED, progress=False))[0])
    width, steps, points = SMALL if small else FULL
    way = f"Siren({width}, 3), {steps} steps"
    last, field = row(way, problem, lambda: trained(problem, width, steps, points))
    if not small:
        draw(field, ROOT / "docs" / "images" / "room.png")
    settings = {"points": len(cloud.points), "places": PLACES, "room": ROOM}
    rows.append(last)
    return Measured(settings, rows, table(rows), ["Lengths in metres; the room is 5 m × 4 m × 2.6 m."])


def trained(problem: npde.Problem, width: int, steps: int, points: int) -> npde.Solution:
    """A network trained on the distance, its slope and the surface."""
    weights = problem.equation.advice(problem, True).weights
    method = npde.Adam(steps, 3e-4, points, weights=weights, schedule=npde.training.Cosine())
    return npde.solve(problem, npde.Siren(width, 3), method, seed=SEED, dtype=torch.float32, progress=False)


def row(way: str, problem: npde.Problem, work: Any) -> tuple[dict[str, Any], Any]:
    """What one field is worth, and the field."""
    wall, computed = time.perf_counter(), time.process_time()
    field = work()
    clock = {"computed": time.process_time() - computed, "wall": time.perf_counter() - wall}
    air = air_points(PLACES, DRAWN)
    truth = room_distance(air)
    values = np.asarray(field(air))
    errors = {
        "relative": float(np.linalg.norm(values - truth) / np.linalg.norm(truth)),
        "mean": float(np.abs(values - truth).mean()),
        "wrong_sign": float((values <= 0).mean()),
    }
    if isinstance(field, npde.Solution):
        errors |= on_the_surface(problem, field)
    found_row = {"way": way, **errors, **clock}
    print(found_row, file=sys.stderr, flush=True)
    return found_row, field


def on_the_surface(problem: npde.Problem, field: npde.Solution) -> dict[str, float]:
    """|Φ| and the normals at the scene's points, and how far its zero set is from these, to and fro, inside of the room."""
    cloud = problem.equation.surface
    slope = field.gradient(cloud.points)
    zero = npde.validation.zero_set(field, nodes=129)
    near = ((zero.points > -0.05) & (zero.points < np.array(ROOM) + 0.05)).all(axis=1)
    there = np.abs(cloud.signed_distance(zero.points[near]))
    back = np.abs(Closest(zero.points, zero.cells).nearest(cloud.points)[0])
    cosine = np.sum(slope * cloud.normals, axis=1) / np.linalg.norm(slope, axis=1)
    return {
        "on_surface": float(np.abs(field(cloud.points)).mean()),
        "normals": float(cosine.mean()),
        "chamfer": float(there.mean() + back.mean()) / 2,
    }


def table(rows: list[dict[str, Any]]) -> list[list[str]]:
    """A line for each way."""
    lines = [["way", "in the air: relative", "mean, m", "wrong sign", "Chamfer, m", "normals", "CPU s"]]
    for row in rows:
        surface = (f"{row['chamfer']:.1e}", f"{row['normals']:.3f}") if "chamfer" in row else ("", "")
        air = (f"{row['relative']:.1%}", f"{row['mean']:.1e}", f"{row['wrong_sign']:.2%}")
        lines.append([row["way"], *air, *surface, f"{row['computed']:.0f}"])
    return lines


def draw(field: npde.Solution, path: Path) -> None:
    """The zero set of the network from above, and the distance at the height of the table, beside the true one."""
    zero = npde.validation.zero_set(field, nodes=97)
    corners = zero.points[zero.cells]
    shown = (corners.mean(axis=1) < np.array([ROOM[0] + 0.1, ROOM[1] + 0.05, ROOM[2]])).all(axis=1)
    figure = plt.figure(figsize=(12, 3.8), layout="constrained")
    panel = figure.add_subplot(1, 3, 1, projection="3d", title="zero set of the network")
    panel.plot_trisurf(
        *zero.points.T, triangles=zero.cells[shown], color="0.85", linewidth=0, antialiased=False
    )
    panel.set(box_aspect=ROOM, xlim=(0, ROOM[0]), ylim=(0, ROOM[1]), zlim=(0, ROOM[2]))
    panel.view_init(elev=38, azim=62)
    panel.set_axis_off()
    x, y = np.meshgrid(np.linspace(0, ROOM[0], 201), np.linspace(0, ROOM[1], 161), indexing="ij")
    points = np.stack([x, y, np.full_like(x, 0.4)], axis=-1).reshape(-1, 3)
    truth = room_distance(points).reshape(x.shape)
    for place, (title, values) in enumerate(
        {
            "Φ 0.4 m above the floor": np.asarray(field(points)).reshape(x.shape),
            "true distance": truth,
        }.items()
    ):
        panel = figure.add_subplot(1, 3, 2 + place, title=title, aspect="equal", xlabel="x, m", ylabel="y, m")
        image = panel.pcolormesh(x, y, values, cmap="RdBu_r", vmin=-0.8, vmax=0.8)
        panel.contour(x, y, values, levels=[0], colors="black", linewidths=1.5)
        figure.colorbar(image, ax=panel, shrink=0.8, label="m")
    figure.savefig(path, dpi=110, bbox_inches="tight")
