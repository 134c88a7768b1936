"""Waves in media that vary, by the default, by NGSolve and on the nine-point grid: seconds of each at equal error.

Every way is run at several finenesses, once to warm up and then in turns. Between two of them its seconds go as a power of
its error, which gives those that each takes for an error of the default. The truth is finite elements of order 6 on squares
that end at the nodes of the media, with the layer written into the form: not the mesh, nor the layer, of NGSolve's own way
here, and no code of the other two.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import elements_of_ngsolve as ngs
import numpy as np
from harness import Measured, in_turns, summary, timed
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import neurapde as npde

Values = NDArray[Any]
AT, VARIANCE, CELLS = (-0.35, 0.0), 4e-4, 64
SEED, WAVENUMBERS = 70451, (20.0, 40.0)
TOLERANCES, ORDERS, NODES = (5e-3, 5e-4), (6, 8), (8, 12, 20)
"""Of the default, which takes the second by itself; of the elements; and of the grid in the shortest wavelength."""


@dataclass(frozen=True)
class Medium:
    """Speeds `(65, 65)` on the nodes of the square [−1, 1]², multilinear between them."""

    name: str
    speeds: Values

    def problem(self, k: float) -> npde.Problem:
        source = npde.GaussianSource(AT, VARIANCE, 1 + 1j)
        square, layer = npde.Box((-1, 1), (-1, 1)), npde.PML(0.5)
        return npde.Problem(self.name, square, npde.Helmholtz(k, npde.GridField(self.speeds)), source, layer)


def media() -> list[Medium]:
    """A lens, layers with a fault, and a random medium, all 1 where the layers of absorption begin."""
    x, y = np.meshgrid(*[np.linspace(-1, 1, CELLS + 1)] * 2, indexing="ij")
    lens = -0.3 * np.exp(-((x - 0.1) ** 2 + y**2) / 0.015)
    depth = y + 0.15 * x + np.where(x > 0.1 + 0.2 * y, 0.12, 0.0)
    layers = 0.25 * np.sign(np.sin(22 * depth)) + 0.15 * np.sin(5 * depth)
    noise = gaussian_filter(np.random.default_rng(SEED).standard_normal(x.shape), 2.0)
    random = 0.2 * noise / np.abs(noise).max()
    inside = np.clip((0.46 - np.maximum(abs(x), abs(y))) / 0.1, 0, 1)
    parts = {"smooth lens": lens, "faulted layers": layers, "random": random}
    return [Medium(name, 1 + inside * part) for name, part in parts.items()]


def measure(small: bool) -> Measured:
    """All media at all wavenumbers by all ways."""
    rows: list[dict[str, Any]] = []
    for medium in media()[: 1 if small else None]:
        for k in (10.0,) if small else WAVENUMBERS:
            rows += _race(medium, k, small)
    settings = {"tolerances": TOLERANCES, "orders": ORDERS, "nodes": NODES, "seed": SEED, "cells": CELLS}
    return Measured(settings, rows, _table(rows))


def _race(medium: Medium, k: float, small: bool) -> list[dict[str, Any]]:
    problem, made = medium.problem(k), {}
    steps: dict[tuple[str, str], Callable[[], Callable[[Values], Values]]] = {}
    for tolerance in TOLERANCES[: 1 if small else None]:
        steps["neurapde", f"{tolerance:g}"] = lambda t=tolerance: npde.solve(
            problem, method=npde.Galerkin(tolerance=t), progress=False
        )
    for order in ORDERS[: 1 if small else None]:
        for finer in (1.0, 2.0, 4.0)[: 1 if small else None]:
            steps["ngsolve", f"order {order}, {finer:g} a wavelength"] = lambda order=order, finer=finer: (
                ngs.waves(order, k, AT, VARIANCE, medium=medium.speeds, finer=finer)
            )
    for nodes in NODES[: 1 if small else None]:
        count = 2 * int(np.ceil(nodes * k / (2 * np.pi * medium.speeds.min()))) + 1
        steps["grid", f"{nodes} nodes"] = lambda count=count: npde.reference(
            problem, shape=count, error=False, progress=False
        )

    def kept(name: tuple[str, str]) -> Callable[[], None]:
        def step() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made[name] = steps[name]()

        return step

    laps = in_turns({str(name): timed(kept(name)) for name in steps}, 1)
    points = problem.domain.sample(2500, how="grid").numpy()
    points = points[np.asarray(problem.physical(points))]
    points = points[np.linalg.norm(points - np.asarray(AT), axis=1) > 8 * VARIANCE**0.5]
    truth = ngs.on_squares(2 if small else 6, k, AT, VARIANCE, medium.speeds)(points)
    rows = []
    for name in steps:
        error = float(np.linalg.norm(np.asarray(made[name](points)) - truth) / np.linalg.norm(truth))
        estimate = made[name].stages[-1].extras.get("error_estimate") if name[0] == "neurapde" else None
        row = {"medium": medium.name, "k": k, "way": name[0], "fineness": name[1], "error": error}
        rows.append({**row, "estimate": estimate, **summary(laps[str(name)])})
    return rows


def seconds_at(rows: Sequence[dict[str, Any]], error: float) -> float:
    """The least seconds of one way's rows for an error, between two of them as a power of it; infinite below all."""
    best = min((row["computed"] for row in rows if row["error"] <= error), default=np.inf)
    for worse in rows:
        for better in rows:
            if worse["error"] > error > better["error"]:
                part = np.log(worse["error"] / error) / np.log(worse["error"] / better["error"])
                best = min(best, worse["computed"] ** (1 - part) * better["computed"] ** part)
    return float(best)


def _table(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    header = ["medium", "k", "error", "stated", "neurapde", "ngsolve, same error", "grid, same error"]
    table = [[*header, "ours over the best"]]
    for row in rows:
        if row["way"] == "neurapde":
            same = [other for other in rows if (other["medium"], other["k"]) == (row["medium"], row["k"])]
            others = [
                seconds_at([other for other in same if other["way"] == way], row["error"])
                for way in ("ngsolve", "grid")
            ]
            stated = "" if row["estimate"] is None else f"{row['estimate']:.1e}"
            cells = [f"{s:.2f} s" if np.isfinite(s) else "not reached" for s in (row["computed"], *others)]
            ratio = row["computed"] / min(others)
            first = [row["medium"], f"{row['k']:g}", f"{row['error']:.1e}", stated]
            table.append([*first, *cells, f"{ratio:.2f}" if ratio else "alone"])
    return table
