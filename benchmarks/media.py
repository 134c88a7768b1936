"""A picture, a sound and a film by the trial functions that the SIREN paper compares, with equal steps and tuning.

    python benchmarks/run.py media        # minutes on one thread; --small: seconds, to see that it runs

All networks have 1 + 3 layers of one width; the SIREN's ω₀ is what a fit of the samples takes by itself. Each is trained by
the same steps of Adam on as many points, at two rates, of which the better one counts. One seed. The figure is drawn in
runs/media.
"""

import time
import warnings
from dataclasses import asdict, dataclass, replace
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
from neurapde.trials.base import Trial
from neurapde.validation.metrics import psnr

OUT = Path(__file__).resolve().parent.parent / "runs" / "media"
SEED = 50413
RATES = (1e-3, 5e-3)
ACTIVATIONS = {
    "tanh": "tanh",
    "ReLU": "relu",
    "sigmoid": "sigmoid",
    "SELU": "selu",
    "ELU": "elu",
    "softplus": "softplus",
}


@dataclass(frozen=True)
class Size:
    """pixels: of the picture's side. seconds: of the sound, at 8000 samples a second. side, frames: of the film."""

    pixels: int
    seconds: float
    side: int
    frames: int
    width: int
    steps: int
    points: int
    gaussians: int


FULL = Size(64, 0.5, 32, 16, 64, 150, 1024, 256)
SMALL = Size(16, 0.01, 8, 4, 8, 2, 64, 16)


def media(size: Size) -> dict[str, npde.data.Raster]:
    """What is fitted."""
    return {
        "picture": npde.data.read_image("camera", size=size.pixels, gray=True),
        "sound": prelude(size.seconds, 8000),
        "film": juggler(size.frames, size.side),
    }


def trials(problem: npde.Problem, raster: npde.data.Raster, size: Size) -> dict[str, Trial]:
    """The trial functions, of one width and depth; P.E. ends at half of what the samples hold, as in the paper's code."""
    siren = problem.equation.trial(problem)
    assert isinstance(siren, npde.Siren)
    octaves = max(int(np.log2(max(raster.shape) / 4)), 1)
    trials: dict[str, Trial] = {"SIREN": replace(siren, width=size.width)}
    trials |= {name: npde.MLP(size.width, 3, activation) for name, activation in ACTIVATIONS.items()}
    trials["ReLU P.E."] = npde.ReluPE(size.width, 3, octaves=octaves)
    sharpness = max(raster.shape) / 6
    trials["RBF-ReLU"] = npde.RBF(size.gaussians, sharpness, size.width, layers=4)
    return trials


def measure(small: bool) -> Measured:
    """Fit everything by everything; the decibels as a table, its first row the header."""
    size = SMALL if small else FULL
    rows: list[dict[str, Any]] = []
    fitted: dict[str, dict[str, NDArray]] = {}
    for medium, raster in media(size).items():
        problem = npde.Problem(medium, raster.domain, npde.Fit(values=raster))
        fitted[medium] = {"samples": raster.values}
        for name, trial in trials(problem, raster, size).items():
            tried = [fit(problem, raster, trial, rate, size) for rate in RATES]
            best = max(tried, key=lambda fit_and_values: fit_and_values[0]["psnr"])
            fitted[medium][name] = best[1]
            rows += [{"medium": medium, "trial": name, **row} for row, _ in tried]
    OUT.mkdir(parents=True, exist_ok=True)
    draw(OUT / "media.png", fitted)
    settings = {"sizes": asdict(size), "seed": SEED, "rates": RATES}
    return Measured(settings, rows, table(rows), [f"Figure: {OUT / 'media.png'}"])


def fit(
    problem: npde.Problem, raster: npde.data.Raster, trial: Trial, rate: float, size: Size
) -> tuple[dict[str, Any], NDArray]:
    """What one training came to, and the field."""
    method = npde.Adam(
        size.steps,
        rate,
        min(size.points, raster.targets.size),
        npde.training.MeanSquare(),
        schedule=npde.training.Cosine(),
    )
    begin, wall = time.process_time(), time.perf_counter()
    with warnings.catch_warnings():  # of trial functions that stay next to zero: that is what is shown
        warnings.simplefilter("ignore", DeclarationWarning)
        solution = npde.solve(problem, trial, method, seed=SEED, progress=False)
    seconds = {"computed": time.process_time() - begin, "wall": time.perf_counter() - wall}
    values = raster.sampled(solution).values
    mse = float(np.mean((values - raster.values) ** 2))
    scores = {"rate": rate, "psnr": psnr(values, raster.values, peak=2), "mse": mse}
    return scores | {"parameters": solution.trial.parameter_count, **seconds}, values


def table(rows: list[dict[str, Any]]) -> list[list[str]]:
    """A row for each trial function: for each medium the better of its two rates, with the rate."""
    kinds = list(dict.fromkeys(row["medium"] for row in rows))
    lines = [["trial", *(f"{kind}, dB (rate)" for kind in kinds)]]
    for name in dict.fromkeys(row["trial"] for row in rows):
        cells = []
        for kind in kinds:
            same = [row for row in rows if (row["medium"], row["trial"]) == (kind, name)]
            best = max(same, key=lambda row: row["psnr"])
            cells.append(f"{best['psnr']:.1f} ({best['rate']:g})")
        lines.append([name, *cells])
    return lines


def draw(path: Path, fitted: dict[str, dict[str, NDArray]]) -> None:
    """A column for each trial function; the picture, the first part of the sound, and the middle frame of the film."""
    columns = list(fitted["picture"])
    figure, axes = plt.subplots(3, len(columns), figsize=(1.6 * len(columns), 5), layout="constrained")
    for column, name in enumerate(columns):
        sound, film = fitted["sound"], fitted["film"][name]
        few = min(400, len(sound[name]))
        for row, shown in ((0, fitted["picture"][name]), (2, film[:, :, film.shape[2] // 2])):
            axes[row, column].imshow(shown.T, origin="lower", cmap="gray", vmin=-1, vmax=1)
        axes[1, column].plot(sound["samples"][:few], color="0.75", linewidth=1)
        axes[1, column].plot(sound[name][:few], color="tab:blue", linewidth=0.7)
        axes[1, column].set_ylim(-1, 1)
        axes[0, column].set_title(name, fontsize=9)
        for row in range(3):
            axes[row, column].set(xticks=[], yticks=[])
    for row, name in enumerate(fitted):
        axes[row, 0].set_ylabel(name)
    figure.savefig(path, dpi=100)
    plt.close(figure)
