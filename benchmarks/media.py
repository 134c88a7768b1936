"""A picture, a sound, a film, a shape and a wave by the trial functions of the SIREN paper, tuned with equal effort.

    python benchmarks/run.py media        # a quarter of an hour on one thread; --small: seconds, to see that it runs

All networks have 1 + 3 layers of one width. What sets the frequencies of a network follows from the samples by one rule
for all media, for the shape and the wave it is stated in `CASES`. Each is trained by the same steps of Adam on as many
points at each rate of `RATES`, from each seed of `SEEDS`; the better rate in the mean of the seeds counts. The figure,
its fields from the first seed, is drawn in runs/media.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from harness import Measured
from numpy.typing import NDArray

import neurapde as npde
from neurapde.core.errors import DeclarationWarning
from neurapde.data.audio import prelude
from neurapde.data.video import juggler
from neurapde.problems import helmholtz_uniform, sdf_torus
from neurapde.trials.base import Trial
from neurapde.validation.metrics import psnr, relative_l2

OUT = Path(__file__).resolve().parent.parent / "runs" / "media"
SEEDS = (50413,)
RATES = (1e-3, 5e-3)
ACTIVATIONS = {
    "tanh": "tanh",
    "ReLU": "relu",
    "sigmoid": "sigmoid",
    "SELU": "selu",
    "ELU": "elu",
    "softplus": "softplus",
}
WAVENUMBER, VARIANCE = 8.0, 4e-3


@dataclass(frozen=True)
class Size:
    """pixels: of the picture's side. seconds: of the sound, at 8000 samples a second. side, frames: of the film.

    points, steps: of a training, of media. few, wave_steps: points of the shape and the wave, and steps of the wave.
    nodes: at which the shape and the wave are compared, along each axis.
    """

    pixels: int
    seconds: float
    side: int
    frames: int
    width: int
    steps: int
    wave_steps: int
    points: int
    few: int
    gaussians: int
    nodes: int


FULL = Size(64, 0.5, 32, 16, 64, 150, 250, 1024, 512, 256, 32)
SMALL = Size(16, 0.01, 8, 4, 8, 2, 2, 64, 64, 16, 8)


@dataclass(frozen=True)
class Case:
    """What a field is trained for, and what it is compared with.

    omega: of the SIREN's first layer and the others. octaves, sharpness: of the encoding and of the Gaussians.
    points, truth: (n, d) and (n,). shape: what the truth is drawn as. decibels: how errors are told, else relative L2.
    """

    problem: npde.Problem
    omega: tuple[float, float]
    octaves: int
    sharpness: float
    steps: int
    points: NDArray
    truth: NDArray
    shape: tuple[int, ...]
    decibels: bool = True
    weights: Mapping[str, float] = field(default_factory=dict)

    def score(self, values: NDArray) -> float:
        """Decibels, the more the better, or the relative error."""
        return psnr(values, self.truth, peak=2) if self.decibels else relative_l2(values, self.truth)


def cases(size: Size) -> dict[str, Case]:
    """What is trained for."""
    media = {
        "picture": npde.data.read_image("camera", size=size.pixels, gray=True),
        "sound": prelude(size.seconds, 8000),
        "film": juggler(size.frames, size.side),
    }
    found = {name: of_samples(name, raster, size.steps) for name, raster in media.items()}
    return found | {"shape": shape(size), "wave": wave(size)}


def of_samples(name: str, raster: npde.data.Raster, steps: int) -> Case:
    """A fit; P.E. ends at half of what the samples hold, as in the paper's code."""
    problem = npde.Problem(name, raster.domain, npde.Fit(values=raster))
    siren = problem.equation.trial(problem)
    assert isinstance(siren, npde.Siren)
    octaves, sharpness = max(int(np.log2(max(raster.shape) / 4)), 1), max(raster.shape) / 6
    frequencies = (siren.omega_0, siren.omega_hidden)
    return Case(problem, frequencies, octaves, sharpness, steps, raster.points, raster.targets, raster.shape)


def shape(size: Size) -> Case:
    """The signed distance of a torus, from the equation's terms at the weights that Adam has for it."""
    problem = sdf_torus()
    points = problem.domain.sample(size.nodes**3, how="grid").numpy()
    truth = np.asarray(problem.equation.surface.signed_distance(points))
    weights = problem.equation.advice(problem, True).weights
    nodes = (size.nodes,) * 3
    return Case(problem, (30.0, 30.0), 3, 3.0, size.steps, points, truth, nodes, False, weights)


def wave(size: Size) -> Case:
    """The field of a source in a uniform plane, with its layers, from the residual alone."""
    problem = helmholtz_uniform(wavenumber=WAVENUMBER, variance=VARIANCE)
    exact = npde.trials.OutgoingWave(npde.GaussianSource((0.0, 0.0), VARIANCE, 1 + 1j), WAVENUMBER)
    axis = np.linspace(-0.5, 0.5, size.nodes)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    truth = np.asarray(exact.values(points))
    nodes = (size.nodes,) * 2
    return Case(problem, (10.0, 10.0), 3, 10.0, size.wave_steps, points, truth, nodes, False)


def trials(case: Case, size: Size) -> dict[str, Trial]:
    """The trial functions, of one width and depth."""
    width = size.width
    found: dict[str, Trial] = {"SIREN": npde.Siren(width, 3, *case.omega)}
    found |= {name: npde.MLP(width, 3, activation) for name, activation in ACTIVATIONS.items()}
    found["ReLU P.E."] = npde.ReluPE(width, 3, octaves=case.octaves)
    rbf = npde.RBF(size.gaussians, case.sharpness, width, layers=4)
    return found | {"RBF-ReLU": rbf, "RBF-tanh": replace(rbf, activation="tanh")}


def measure(small: bool) -> Measured:
    """Everything by everything; the scores as a table, its first row the header."""
    size, seeds = (SMALL, SEEDS[:1]) if small else (FULL, SEEDS)
    rows: list[dict[str, Any]] = []
    found = cases(size)
    fields: dict[str, dict[str, NDArray]] = {name: {"truth": case.truth} for name, case in found.items()}
    for kind, case in found.items():
        for name, trial in trials(case, size).items():
            tried = [
                trained(
                    case, trial, rate, seed, min(size.points if case.decibels else size.few, len(case.points))
                )
                for rate in RATES
                for seed in seeds
            ]
            best = (max if case.decibels else min)(
                tried, key=lambda row_and_values: row_and_values[0]["score"]
            )
            fields[kind][name] = best[1]
            rows += [{"medium": kind, "trial": name, **row} for row, _ in tried]
            print(rows[-1], file=sys.stderr, flush=True)
    OUT.mkdir(parents=True, exist_ok=True)
    draw(OUT / "media.png", found, fields)
    settings = {
        "sizes": asdict(size),
        "seeds": seeds,
        "rates": RATES,
        "frequencies of the SIREN, octaves, sharpness": {
            kind: (case.omega, case.octaves, case.sharpness) for kind, case in found.items()
        },
    }
    return Measured(settings, rows, table(rows, found), [f"Figure: {OUT / 'media.png'}"])


def trained(case: Case, trial: Trial, rate: float, seed: int, points: int) -> tuple[dict[str, Any], NDArray]:
    """What one training came to, and the field."""
    loss, schedule = npde.training.MeanSquare(), npde.training.Cosine()
    method = npde.Adam(case.steps, rate, points, loss, weights=case.weights, schedule=schedule)
    begin, wall = time.process_time(), time.perf_counter()
    with warnings.catch_warnings():  # of trial functions that stay next to zero: that is what is shown
        warnings.simplefilter("ignore", DeclarationWarning)
        warnings.simplefilter("ignore", npde.ResolutionWarning)
        solution = npde.solve(case.problem, trial, method, seed=seed, progress=False)
    seconds = {"computed": time.process_time() - begin, "wall": time.perf_counter() - wall}
    values = np.asarray(solution(case.points))
    row = {"rate": rate, "seed": seed, "score": case.score(values)}
    return row | {"parameters": solution.trial.parameter_count, **seconds}, values


def table(rows: list[dict[str, Any]], found: Mapping[str, Case]) -> list[list[str]]:
    """A row for each trial function: the mean of the seeds at its better rate, with the rate."""
    units = {kind: "dB" if case.decibels else "error" for kind, case in found.items()}
    lines = [["trial", *(f"{kind}, {unit} (rate)" for kind, unit in units.items())]]
    for name in dict.fromkeys(row["trial"] for row in rows):
        cells = []
        for kind, case in found.items():
            means = {
                rate: statistics.mean(
                    row["score"]
                    for row in rows
                    if (row["medium"], row["trial"], row["rate"]) == (kind, name, rate)
                )
                for rate in RATES
            }
            rate = (max if case.decibels else min)(means, key=lambda rate: means[rate])
            cells.append(f"{means[rate]:{'.1f' if case.decibels else '.2g'}} ({rate:g})")
        lines.append([name, *cells])
    return lines


def draw(path: Path, found: Mapping[str, Case], fields: Mapping[str, Mapping[str, NDArray]]) -> None:
    """A column for each trial function; of sounds the first part, of what has three axes the middle of the last."""
    columns = list(next(iter(fields.values())))
    figure, axes = plt.subplots(
        len(found), len(columns), figsize=(1.5 * len(columns), 1.6 * len(found)), layout="constrained"
    )
    for row, (kind, case) in enumerate(found.items()):
        top = np.quantile(np.abs(np.real(case.truth)), 0.98)
        for column, name in enumerate(columns):
            axis, values = axes[row, column], np.real(fields[kind][name]).reshape(case.shape)
            axis.set(xticks=[], yticks=[])
            if values.ndim == 1:
                few = min(400, len(values))
                axis.plot(case.truth[:few], color="0.75", linewidth=1)
                axis.plot(values[:few], color="tab:blue", linewidth=0.7)
                axis.set_ylim(-1, 1)
            else:
                flat = values if values.ndim == 2 else values[:, :, values.shape[2] // 2]
                low, high, colours = (-1, 1, "gray") if case.decibels else (-top, top, "RdBu_r")
                axis.imshow(flat.T, origin="lower", cmap=colours, vmin=low, vmax=high)
                if kind == "shape":
                    axis.contour(flat.T, [0.0], colors="black", linewidths=0.7)
            if row == 0:
                axis.set_title(name, fontsize=9)
        axes[row, 0].set_ylabel(kind)
    figure.savefig(path, dpi=100)
    plt.close(figure)
