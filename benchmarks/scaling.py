"""Cost against the size of a problem: a training step by points, width, depth and dimension; solves by wavenumber and shots.

One number varies in every sweep, the others stay at `BASE`. The step is `Adam`'s on a Poisson equation in d axes, whose
jets hold 1 + 2d channels. `Galerkin` and the grid solver are at their own defaults, on the disk of `helmholtz-disk`, with
their sources on a circle. `python benchmarks/scaling.py FILE.json` draws docs/images/scaling.png.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from harness import ROOT, Lap, Measured, cost, in_turns, summary, timed

import neurapde as npde
from neurapde.jets.compiled import best_kernels
from neurapde.jets.kernels import Kernels
from neurapde.problems import helmholtz_disk
from neurapde.training.descent import Descent

BASE = {"points": 4096, "width": 128, "depth": 3, "dimension": 2}
STEPS = {
    "points": (1024, 4096, 16384, 65536),
    "width": (32, 64, 128, 256, 512),
    "depth": (1, 2, 4, 8),
    "dimension": (1, 2, 3, 5, 8),
}
SOLVES = {"wavenumber": (10.0, 20.0, 40.0, 80.0), "shots": (1, 4, 16, 64)}
SMALL_STEPS = {"points": (32, 64), "width": (4, 8), "depth": (1, 2), "dimension": (1, 2)}
SMALL_SOLVES = {"wavenumber": (8.0, 10.0), "shots": (1, 2)}
WAVENUMBER, RADIUS = 20.0, 0.35


def step(size: Mapping[str, int], kernels: Kernels | None = None) -> Callable[[], Lap]:
    """What `Adam` does in a step on Δu = 1 in a cube."""
    problem = npde.Problem(
        name="cube",
        domain=npde.Interval(-1.0, 1.0)
        if size["dimension"] == 1
        else npde.Box(*[(-1.0, 1.0)] * size["dimension"]),
        equation=npde.Equation(lambda x, u: u.laplacian - 1.0),
    )
    trial = npde.Siren(size["width"], size["depth"]).build(
        problem.domain.bounds, generator=torch.Generator().manual_seed(12007)
    )
    if kernels is not None:
        trial.kernels = kernels
    objective = npde.Adam(1, points=size["points"], loss=npde.training.MeanSquare()).objective(problem)
    optimizer = torch.optim.Adam(trial.parameters(), lr=2e-5)
    descent = Descent(
        objective, npde.training.Fresh(), None, None, trial, torch.Generator().manual_seed(31013)
    )

    def take() -> None:
        descent.gradient(0)
        optimizer.step()

    return timed(take)


def circle(shots: int, wavenumber: float) -> npde.Problem:
    """`helmholtz-disk` with this many shots on a circle round the disk."""
    angles = np.pi + 2 * np.pi * np.arange(shots) / shots
    places = [(float(RADIUS * np.cos(a)), float(RADIUS * np.sin(a))) for a in angles]
    sources = npde.Shots(*[npde.GaussianSource(at=at, variance=1e-4, amplitude=1 + 1j) for at in places])
    disk = helmholtz_disk(wavenumber=wavenumber)
    return npde.Problem(
        name="shots", domain=disk.domain, equation=disk.equation, sources=sources, boundary=disk.boundary
    )


def solves(shots: int, wavenumber: float) -> dict[str, Callable[[], Lap]]:
    """Both ways to solve for all shots."""
    problem = circle(shots, wavenumber)
    return {
        "galerkin": timed(lambda: npde.solve(problem, method=npde.Galerkin(), progress=False)),
        "grid": timed(lambda: npde.reference(problem)),
    }


def measure(small: bool) -> Measured:
    """Time every sweep, the ways in turns."""
    repeats = 1 if small else 3
    kernels, reason = best_kernels(torch.device("cpu"))
    rows: list[dict[str, Any]] = []
    base = {"points": 32, "width": 4, "depth": 1, "dimension": 2} if small else BASE
    for sweep, values in (SMALL_STEPS if small else STEPS).items():
        for value in values:
            ways = {"step": step({**base, sweep: value})}
            if reason is None and not small:
                ways["compiled step"] = step({**base, sweep: value}, kernels)
            rows += [
                {"sweep": sweep, "value": value, "way": way, **summary(laps)}
                for way, laps in in_turns(ways, repeats).items()
            ]
    for sweep, values in (SMALL_SOLVES if small else SOLVES).items():
        for value in values:
            size = {"shots": 1, "wavenumber": 8.0 if small else WAVENUMBER, sweep: value}
            laps = in_turns(solves(int(size["shots"]), size["wavenumber"]), 1)
            rows += [
                {"sweep": sweep, "value": value, "way": way, **summary(lap)} for way, lap in laps.items()
            ]
    settings = {"base": base, "wavenumber": WAVENUMBER, "shots on a circle of radius": RADIUS}
    powers = {f"{sweep}, {way}": _power(picked) for (sweep, way), picked in _series(rows).items()}
    notes = ["Cost ~ size to the power: " + "; ".join(f"{name} {p:.2f}" for name, p in powers.items()) + "."]
    return Measured({**settings, "powers": powers}, rows, _table(rows), notes)


def _series(rows: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    series: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        series.setdefault((row["sweep"], row["way"]), []).append(row)
    return series


def _power(rows: list[dict[str, Any]]) -> float:
    """Between the two largest sizes."""
    (x, y), (x2, y2) = ((row["value"], cost(row)) for row in rows[-2:])
    return float(np.log(y2 / y) / np.log(x2 / x))


def _table(rows: list[dict[str, Any]]) -> list[list[str]]:
    table = [["varied", "value", "way", "wall", "computed"]]
    for row in rows:
        times = [f"{row['wall']:.3g} s", f"{row['computed']:.3g} s"]
        table.append([row["sweep"], f"{row['value']:g}", row["way"], *times])
    return table


def draw(raw: Mapping[str, Any], path: Path) -> None:
    """One log–log panel for every sweep."""
    series = _series(raw["rows"])
    sweeps = list(dict.fromkeys(sweep for sweep, _ in series))
    figure, axes = plt.subplots(2, 3, figsize=(9.6, 5.6), layout="constrained")
    for axis, name in zip(axes.flat, sweeps, strict=True):
        for (sweep, way), rows in series.items():
            if sweep == name:
                axis.loglog([row["value"] for row in rows], [cost(row) for row in rows], "o-", label=way)
        values = [row["value"] for row in series[name, next(way for sweep, way in series if sweep == name)]]
        axis.set_xticks(values, [f"{value:g}" for value in values])
        axis.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
        axis.set(xlabel=name, ylabel="seconds")
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), ROOT / "docs" / "images" / "scaling.png")
