"""What a learned prior wins in full-waveform inversion at one frequency: models of a class, unseen, against total variation.

    python benchmarks/learned_prior.py     # draws docs/images/learned-prior.png from benchmarks/results/learned_prior.json

The class: a disk or a lens in a background that varies by 3 % (`RandomVelocities`). A family is learned of some of its
models (`npde.learn`, a grid encoder, no waves at all) and kept in `FOLDER` for another run; what its nearest members leave
of `LEFT` models is added as `COMPONENTS` principal components. Inverted are others, from the paper's five sources below and
thirty receivers around, at its wavenumber of 20, with 2 % of noise, by the same method, `Reduced` with Gauss–Newton steps.
The learned prior starts from those `TOPS` of `LIBRARY` models of the class whose data, computed once for all models, are
nearest, and keeps what ends with the lowest objective: no look at the truth. Total variation is run with each of `WEIGHTS`
and is given the best **by the truth**. Data are made on a grid that no inversion uses.
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

WAVENUMBER, NOISE = 20.0, 0.02
WINDOW = npde.Box((-0.36, 0.36), (-0.36, 0.36))
BOUNDS = (0.8, 2.5)
WEIGHTS = (1e-3, 3e-3)
LIBRARY, TOPS, PIXELS = 1000, 2, 36
METHOD = npde.seismic.Reduced(per_wavelength=12.0)
LEARNED, STEPS, SHAPE, UNSEEN = 11_000, 4000, (32, 32), 5
LEFT, COMPONENTS = 2000, 64
TRAINING_SEED, UNSEEN_SEED, NOISE_SEED = 31013, 77101, 61843
FOLDER = ROOT / "runs" / "learned_prior"
TRIAL = npde.HyperSiren(width=48, depth=2, omega_0=10.0, omega_hidden=10.0, latent=32, hidden=256)

Row = dict[str, Any]


def measure(small: bool) -> Measured:
    """Total variation and the learned prior on the same data, and on those of fewer sources."""
    family = learned(2, 32) if small else kept()
    rows: list[Row] = [{"way": "learning the family", "wall": family.seconds, "fields": family.made.fields}]
    models = velocities(1 if small else UNSEEN, UNSEEN_SEED)
    wavenumber, steps = (8.0, 2) if small else (WAVENUMBER, 15)
    truths = [models.model(k) for k in range(len(models))]
    records = [record(true, NOISE_SEED + 2 * k, wavenumber) for k, true in enumerate(truths)]
    prior = Prior(family, records[0], *((8, 8, 2) if small else (LIBRARY, LEFT, COMPONENTS)))
    rows.append({"way": "data of the library", **prior.clock, "models": len(prior.data)})
    for k, (true, data) in enumerate(zip(truths, records, strict=True)):
        results = [nearest(family, models[k])]
        for step in (1, 3, 5):
            fewer = data.select(shots=slice(0, None, step))
            named = "" if step == 1 else f", {fewer.shots} source{'s' * (fewer.shots > 1)}"
            if step < 5:
                results.append(edges(f"total variation{named}", fewer, true, steps))
            results.append(believed(f"learned prior{named}", fewer, prior, step, true, steps))
        results[-1]["truth"] = np.round(np.asarray(true(places())), 2).tolist()
        rows += [{"model": k, **row} for row in results]
    settings = {
        "wavenumber": wavenumber,
        "noise": NOISE,
        "bounds": BOUNDS,
        "weights of total variation": WEIGHTS,
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
        learned(STEPS, LEARNED).save(path)
    family: npde.learning.Family = npde.load(path)
    return family


def learned(steps: int, count: int) -> npde.learning.Family:
    """The family of the first models of the class."""
    method = npde.learning.MiniBatchAdam(steps, lr=3e-3, fields=32, points=256, context=(1024, None))
    encoder = npde.learning.GridEncoder((32, 32), (8, 16, 32), 256)
    return npde.learn(rasters(0, count), TRIAL, encoder=encoder, method=method, seed=60913, progress=False)


def rasters(first: int, count: int) -> npde.learning.Rasters:
    """Models of the class from number `first` on, read once."""
    models = velocities(first + count, TRAINING_SEED)
    values = np.stack([models[first + k].values.reshape(SHAPE) for k in range(count)])
    return npde.learning.Rasters(values, models.raster())


class Prior:
    """A family with components of what it leaves, and a library: codes of models of the class with their data.

    like: a survey of the data. models, left: how many there are in the library, and to learn the components of.
    """

    def __init__(
        self, family: npde.learning.Family, like: npde.Survey, models: int, left: int, components: int
    ) -> None:
        began, started = time.perf_counter(), time.process_time()
        self.family = family
        rest = rasters(family.made.fields, left)
        weight = NOISE**2 / (2 * like.record.values.size)
        self.latent = npde.seismic.Latent.of(family, weight=weight, models=rest, components=components)
        library = rasters(0, models)
        self.codes = np.asarray(family.encode_all([(member.points, member.values) for member in library]))
        waves = problem(1.0, 2 * np.pi * like.band[0])
        unknown = npde.Velocity(bounds=BOUNDS, window=WINDOW)
        setting = settle(waves, like, (like,), unknown, npde.seismic.L2())
        engine = METHOD.modelling(setting)
        inside = setting.domain.inward(engine.grid.points)
        free, data = setting.velocity.free(inside), []
        for values in library.values:
            m = np.ones(len(inside))
            m[free] = npde.GridField(values, WINDOW.bounds)(inside[free]) ** -2.0
            data.append(engine.forward(m).data)
        self.data = np.stack(data)
        self.clock = {"computed": time.process_time() - started, "wall": time.perf_counter() - began}

    def starts(self, data: npde.Survey, step: int) -> list[npde.seismic.Latent]:
        """The prior from the models whose data are nearest; of every step-th shot."""
        apart = np.abs(self.data[:, :, ::step] - data.record.values) ** 2
        near = np.argsort(apart.reshape(len(apart), -1).sum(1))[:TOPS]
        weight = NOISE**2 / (2 * data.record.values.size)
        none = np.zeros(len(self.latent.components))
        return [
            replace(self.latent, start=np.concatenate([self._place(self.codes[k]), none]), weight=weight)
            for k in near
        ]

    def _place(self, code: np.ndarray) -> np.ndarray:
        coordinates: np.ndarray = np.linalg.lstsq(self.latent.spread, code - self.latent.mean, rcond=None)[0]
        return coordinates


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


def edges(way: str, data: npde.Survey, true: Any, steps: int) -> Row:
    """What is believed without a family, few edges: the best of some weights, by the truth."""
    rows = []
    for weight in WEIGHTS:
        unknown = npde.Velocity(bounds=BOUNDS, window=WINDOW, prior=npde.seismic.TotalVariation(weight))
        rows.append({**run(way, data, unknown, true, steps), "weight": weight})
    return min(rows, key=lambda row: float(row["model_error"]))


def run(way: str, data: npde.Survey, unknown: npde.Velocity, true: Any, steps: int) -> Row:
    """One inversion and what it is worth."""
    method = replace(METHOD, descent=npde.seismic.GaussNewtonDescent(steps))
    wavenumber = 2 * np.pi * data.band[0]
    wall, computed = time.perf_counter(), time.process_time()
    inversion = npde.invert(
        problem(1.0, wavenumber), data, unknown=unknown, method=method, seed=20983, progress=False
    )
    row = {
        "way": way,
        "objective": float(inversion.history.loss[-1]),
        "residual": inversion.residual,
        "model_error": inversion.model_error(true),
        "steps": int(inversion.history.step[-1]),
        "speed": np.round(np.asarray(inversion(places())), 2).tolist(),
        "computed": time.process_time() - computed,
        "wall": time.perf_counter() - wall,
    }
    shown = {key: value for key, value in row.items() if key != "speed"}
    print(shown, file=sys.stderr, flush=True)
    return row


def believed(way: str, data: npde.Survey, prior: Prior, step: int, true: Any, steps: int) -> Row:
    """The learned prior: of its starts what ends with the lowest objective; its time is that of all."""
    rows = []
    for latent in prior.starts(data, step):
        unknown = npde.Velocity(bounds=BOUNDS, window=WINDOW, trial=latent)
        rows.append(run(way, data, unknown, true, steps))
    best = min(rows, key=lambda row: float(row["objective"]))
    return {**best, **{clock: sum(row[clock] for row in rows) for clock in ("computed", "wall")}}


def nearest(family: npde.learning.Family, true: npde.learning.Samples) -> Row:
    """The member that the family takes for a model that is seen as a whole."""
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
        f"Total variation: for each model the best by the truth of the weights {', '.join(f'{w:g}' for w in WEIGHTS)}, "
        f"CPU time of that one. Learned prior: CPU time is that of {TOPS} starts.",
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
