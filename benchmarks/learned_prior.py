"""What a learned prior wins in full-waveform inversion at one frequency: models of a class, unseen, against total variation.

    python benchmarks/learned_prior.py     # draws docs/images/learned-prior.png from benchmarks/results/learned_prior.json

The class: a disk or a lens in a background that varies by 3 % (`RandomVelocities`). A family is learned of some of its
models (`npde.learn`, a grid encoder, no waves at all) and kept in `FOLDER` for another run. Inverted are others, from five
sources below and thirty receivers around, as in the paper but at a wavenumber of 12 where it has 20, with 2 % of noise, by
the same method, `Reduced` with Gauss–Newton steps. Total variation has the weight with which the data of the first model
are explained about to their noise. The learned prior starts from that of `STARTS` models of the data set which explains
the data best, which is no look at the truth. Data are made on a grid that no inversion uses.
"""

import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from harness import ROOT, Measured

import neurapde as npde
from neurapde.seismic.inversion.invert import settle
from neurapde.seismic.inversion.parametrisation import LatentParametrisation

WAVENUMBER, NOISE = 12.0, 0.02
WINDOW = npde.Box((-0.36, 0.36), (-0.36, 0.36))
BOUNDS = (0.8, 2.5)
WEIGHT = 3e-3
STARTS, PIXELS = 100, 36
METHOD = npde.seismic.Reduced(per_wavelength=12.0)
LEARNED, SHAPE, UNSEEN = 1500, (32, 32), 5
TRAINING_SEED, UNSEEN_SEED, NOISE_SEED = 31013, 77101, 61843
FOLDER = ROOT / "runs" / "learned_prior"
TRIAL = npde.HyperSiren(width=32, depth=2, omega_0=10.0, omega_hidden=10.0, latent=16, hidden=64)

Row = dict[str, Any]


def measure(small: bool) -> Measured:
    """Total variation and the learned prior on the same data, and the learned prior on those of fewer sources."""
    family = learned(2, 32) if small else kept()
    rows: list[Row] = [{"way": "learning the family", "wall": family.seconds, "fields": family.made.fields}]
    models = velocities(1 if small else UNSEEN, UNSEEN_SEED)
    steps = 2 if small else 15
    for k in range(len(models)):
        true = models.model(k)
        data = record(true, NOISE_SEED + 2 * k, 8.0 if small else WAVENUMBER)
        half = data.select(shots=slice(0, None, 2 if small else 3))
        for row in (
            nearest(family, models[k]),
            run("total variation", data, edges(WEIGHT), true, steps),
            believed("learned prior", data, family, true, steps),
            believed(f"learned prior, {half.shots} sources", half, family, true, steps),
        ):
            rows.append({"model": k, **row})
        truth = np.round(np.asarray(true(places())), 2).tolist()
        rows[-1]["truth"] = truth
    settings = {
        "wavenumber": WAVENUMBER,
        "noise": NOISE,
        "bounds": BOUNDS,
        "weight of total variation": WEIGHT,
        "family": str(family),
        "training": str(family.method),
        "class": str(velocities(1, TRAINING_SEED)),
    }
    return Measured(settings, rows, table(rows), notes())


def velocities(count: int, seed: int) -> npde.seismic.RandomVelocities:
    """Models of the class."""
    return npde.seismic.RandomVelocities(
        WINDOW, inclusions=(1, 1), radius=(0.07, 0.14), speed=(1.3, 2.0), shape=SHAPE, count=count, seed=seed
    )


def kept() -> npde.learning.Family:
    """The family, learned unless an earlier run has."""
    path = FOLDER / "family.h5"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        learned(2500, LEARNED).save(path)
    found: npde.learning.Family = npde.load(path)
    return found


def learned(steps: int, count: int) -> npde.learning.Family:
    """The family of some models of the class."""
    models = velocities(count, TRAINING_SEED)
    values = np.stack([models[k].values.reshape(SHAPE) for k in range(count)])
    method = npde.learning.MiniBatchAdam(steps, lr=3e-3, fields=32, points=256, context=(1024, None))
    data = npde.learning.Rasters(values, models.raster())
    encoder = npde.learning.GridEncoder((16, 16), (16, 32), 128)
    return npde.learn(data, TRIAL, encoder=encoder, method=method, seed=60913, progress=False)


def problem(speed: Any, wavenumber: float) -> npde.Problem:
    """Waves in the plane, whose outer half lets them out."""
    source = npde.GaussianSource(at=(0, -0.347), variance=1e-4, amplitude=1 + 1j)
    box, layer = npde.Box((-1, 1), (-1, 1)), npde.PML(width=0.5, strength=5.0)
    return npde.Problem("model", box, npde.Helmholtz(wavenumber, speed), [source], layer)


def record(speed: Any, seed: int, wavenumber: float) -> npde.Survey:
    """The paper's sources and receivers around a model."""
    sources = np.stack([np.linspace(-0.347, 0.347, 5), np.full(5, -0.42)], axis=1)
    top = np.stack([np.linspace(-0.347, 0.347, 10), np.full(10, 0.402)], axis=1)
    sides = [np.stack([np.full(10, x), np.linspace(-0.253, 0.402, 10)], axis=1) for x in (-0.402, 0.402)]
    receivers = np.concatenate([top, *sides])
    return npde.Survey.simulate(
        problem(speed, wavenumber), receivers, sources=sources, shape=161, noise=NOISE, seed=seed
    )


def places() -> np.ndarray:
    """Where models are kept to be drawn."""
    axis = np.linspace(-0.355, 0.355, PIXELS)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


def edges(weight: float) -> npde.Velocity:
    """What is believed without a family: few edges."""
    return npde.Velocity(bounds=BOUNDS, window=WINDOW, prior=npde.seismic.TotalVariation(weight))


def run(way: str, data: npde.Survey, unknown: npde.Velocity, true: Any, steps: int) -> Row:
    """One inversion and what it is worth."""
    method = replace(METHOD, descent=npde.seismic.GaussNewtonDescent(steps))
    wavenumber = 2 * np.pi * data.band[0]
    wall, computed = time.perf_counter(), time.process_time()
    found = npde.invert(
        problem(1.0, wavenumber), data, unknown=unknown, method=method, seed=20983, progress=False
    )
    row = {
        "way": way,
        "residual": found.residual,
        "model_error": found.model_error(true),
        "steps": int(found.history.step[-1]),
        "speed": np.round(np.asarray(found(places())), 2).tolist(),
        "computed": time.process_time() - computed,
        "wall": time.perf_counter() - wall,
    }
    shown = {key: value for key, value in row.items() if key != "speed"}
    print(shown, file=sys.stderr, flush=True)
    return row


def believed(way: str, data: npde.Survey, family: npde.learning.Family, true: Any, steps: int) -> Row:
    """The learned prior, from the member that explains the data best; its time is that of the search as well."""
    wall, computed = time.perf_counter(), time.process_time()
    start = likeliest(data, family)
    latent = npde.seismic.Latent.of(family, start=start)
    row = run(way, data, npde.Velocity(bounds=BOUNDS, window=WINDOW, trial=latent), true, steps)
    return {**row, "computed": time.process_time() - computed, "wall": time.perf_counter() - wall}


def likeliest(data: npde.Survey, family: npde.learning.Family) -> np.ndarray:
    """The code, of the first of the data set, whose model explains the data best."""
    waves = problem(1.0, 2 * np.pi * data.band[0])
    found = []
    for code in family.codes[:STARTS]:
        latent = npde.seismic.Latent.of(family, start=code)
        unknown = npde.Velocity(bounds=BOUNDS, window=WINDOW, trial=latent)
        setting = settle(waves, data, (data,), unknown, npde.seismic.L2())
        if not found:
            engine = METHOD.modelling(setting)
        model = LatentParametrisation(setting.velocity, setting.domain, latent).at(engine.grid.points)
        found.append(np.linalg.norm(engine.forward(model).data - data.record.values))
    best: np.ndarray = family.codes[int(np.argmin(found))]
    return best


def nearest(family: npde.learning.Family, true: npde.learning.Samples) -> Row:
    """The member that the family takes for a model that is seen as a whole: what no inversion in it can pass by much."""
    wall, computed = time.perf_counter(), time.process_time()
    member = family.condition(true.points, true.values)
    m, truth = (np.asarray(speed) ** -2.0 for speed in (member(true.points), true.values))
    error = float(np.linalg.norm(m - truth) / np.linalg.norm(truth - 1))
    clock = {"computed": time.process_time() - computed, "wall": time.perf_counter() - wall}
    seen = {"speed": np.round(np.asarray(member(places())), 2).tolist(), "model_error": error}
    return {"way": "nearest member of the family", **seen, **clock}


def table(rows: Sequence[Row]) -> list[list[str]]:
    """A line for each way: means over the models, and every model's error."""
    lines = [["way", "model error, mean", "of each model", "data residual", "CPU s a model"]]
    ways = list(dict.fromkeys(row["way"] for row in rows if "model" in row))
    for way in ways:
        same = [row for row in rows if row["way"] == way]
        residuals = [row["residual"] for row in same if "residual" in row]
        errors = [row["model_error"] for row in same]
        lines.append(
            [
                way,
                f"{statistics.mean(errors):.3f}",
                ", ".join(f"{error:.2f}" for error in errors),
                f"{statistics.mean(residuals):.1%}" if residuals else "",
                f"{statistics.mean(row['computed'] for row in same):.1f}",
            ]
        )
    return lines


def notes() -> list[str]:
    """What belongs under the table."""
    return [
        "Model error: ‖m − m*‖/‖m* − 1‖, m = 1/c², cells averaged. Nearest member: seen as a whole, without waves.",
        f"Total variation: weight {WEIGHT:g}. Learned prior: CPU time is that of looking for a start, too.",
    ]


def draw(record: dict[str, Any], path: Path) -> None:
    """The models and what was found of each, a column for each model."""
    rows = [row for row in record["rows"] if "model" in row]
    ways = list(dict.fromkeys(row["way"] for row in rows))
    count = 1 + max(row["model"] for row in rows)
    figure, axes = plt.subplots(
        1 + len(ways), count, figsize=(1.5 * count, 1.6 * (1 + len(ways))), layout="constrained"
    )
    image = None
    for row in rows:
        level, column = 1 + ways.index(row["way"]), row["model"]
        panels = [(level, row["speed"], f"{row['model_error']:.2f}")]
        panels += [(0, row["truth"], "")] if "truth" in row else []
        for line, speed, title in panels:
            values = np.reshape(speed, (PIXELS, PIXELS))
            image = axes[line, column].imshow(values.T, origin="lower", vmin=0.9, vmax=2.0)
            axes[line, column].set_title(title, fontsize=8)
            axes[line, column].set(xticks=[], yticks=[])
    for line, name in enumerate(
        ["truth", *(way.replace(", ", ",\n").replace(" of ", "\nof ") for way in ways)]
    ):
        axes[line, 0].set_ylabel(name, fontsize=8)
    figure.colorbar(image, ax=axes, label="speed", shrink=0.4)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    kept_record = ROOT / "benchmarks" / "results" / "learned_prior.json"
    draw(json.loads(kept_record.read_text(encoding="utf-8")), ROOT / "docs" / "images" / "learned-prior.png")
