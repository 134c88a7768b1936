"""What other trial functions make of the paper's first and fifth figure, with equal budgets for all.

    python benchmarks/run.py baselines        # some five minutes on two cores; --small: seconds, to see that it runs

fits a picture, and trains a wave, by a SIREN, perceptrons (tanh, ReLU, softplus), a ReLU network on positional
encoding and Gaussians: the same steps, points and form of schedule, one seed. The wave
also meets the classical physics-informed network, 8 × 20 tanh with L-BFGS. It prints a table and draws both figures,
in runs/baselines.
"""

import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from harness import Measured
from numpy.typing import NDArray

import neurapde as npde
from neurapde.problems import helmholtz_uniform
from neurapde.training.run.method import Method
from neurapde.trials.base import Trial
from neurapde.validation.metrics import psnr, relative_l2

OUT = Path(__file__).resolve().parent.parent / "runs" / "baselines"
SEED = 50413
WAVENUMBER, VARIANCE = 8.0, 4e-3


@dataclass(frozen=True)
class Size:
    """pixels: of the picture's side. width: of the layers. fit_steps, wave_steps: of Adam. gaussians: of the RBF."""

    pixels: int
    width: int
    fit_steps: int
    wave_steps: int
    gaussians: int


FULL = Size(48, 64, 400, 800, 1024)
SMALL = Size(16, 16, 5, 3, 32)


def fit_entries(size: Size) -> dict[str, tuple[Trial, float]]:
    """The competitors for the picture, of one width and depth, each with its learning rate.

    Each has the best of the two to six settings tried for it (docs/fits.md lists them all); steps and points are equal.
    """
    layers: dict[str, Any] = {"width": size.width, "depth": 3}
    return {
        "SIREN": (npde.Siren(**layers, omega_0=10.0, omega_hidden=10.0), 1e-3),
        "MLP tanh": (npde.MLP(**layers), 5e-3),
        "MLP ReLU": (npde.MLP(**layers, activation="relu"), 5e-3),
        "MLP softplus": (npde.MLP(**layers, activation="softplus"), 5e-3),
        "ReLU P.E.": (npde.ReluPE(**layers, octaves=4), 5e-3),
        "RBF": (npde.RBF(size.gaussians, sharpness=20.0), 5e-3),
    }


def wave_entries(size: Size) -> dict[str, Trial]:
    """The competitors for the wave, at one untuned setting each."""
    layers: dict[str, Any] = {"width": size.width, "depth": 3}
    return {
        "SIREN": npde.Siren(**layers, omega_0=10.0, omega_hidden=10.0),
        "MLP tanh": npde.MLP(**layers),
        "MLP ReLU": npde.MLP(**layers, activation="relu"),
        "MLP softplus": npde.MLP(**layers, activation="softplus"),
        "ReLU P.E.": npde.ReluPE(**layers, octaves=6),
        "RBF": npde.RBF(size.gaussians),
    }


def measure(small: bool) -> Measured:
    """Fit the picture, train the wave, draw both; the errors as a table, its first row the header."""
    size = SMALL if small else FULL
    OUT.mkdir(parents=True, exist_ok=True)
    fits = fit_picture(size, OUT / "baselines-image.png")
    waves = train_wave(size, OUT / "baselines-helmholtz.png")
    rows_by_name = {
        name: {**fits.get(name, {}), **waves.get(name, {})} for name in dict.fromkeys([*fits, *waves])
    }
    columns = {
        "parameters": "parameters",
        "fit, dB": "psnr",
        "gradient error": "gradient",
        "Laplacian error": "laplacian",
        "fit, s": "seconds",
        "wave error": "wave",
        "wave, s": "wave_seconds",
    }
    table = [["trial", *columns]]
    table += [
        [name, *(_cell(row.get(key)) for key in columns.values())] for name, row in rows_by_name.items()
    ]
    rows = [
        {"trial": name, **row, "wall": row.get("seconds", 0.0) + row.get("wave_seconds", 0.0)}
        for name, row in rows_by_name.items()
    ]
    settings = {"sizes": asdict(size), "seed": SEED, "wavenumber": WAVENUMBER, "variance": VARIANCE}
    return Measured(settings, rows, table, [f"Figures: {OUT}"])


def fit_picture(size: Size, path: Path) -> dict[str, dict[str, float]]:
    """Values, gradients and Laplacians of the fits, in numbers and pictures."""
    picture = npde.data.read_image("camera", size=size.pixels, gray=True)
    problem = npde.Problem("baselines", picture.domain, npde.Fit(values=picture))
    slopes, bend = picture.differences(), picture.laplacian()
    inner = npde.data.Raster(
        bend.values[1:-1, 1:-1],
        tuple(axis[1] for axis in picture.axes),
        tuple(axis[-2] for axis in picture.axes),
    )
    across, up = (slope.values for slope in slopes)
    panels = {"truth": [picture.values, np.hypot(across[:, 1:], up[1:]), inner.values]}
    rows: dict[str, dict[str, float]] = {}
    for name, (trial, rate) in fit_entries(size).items():
        method = npde.Adam(
            size.fit_steps,
            lr=rate,
            points=size.pixels**2,
            loss=npde.training.MeanSquare(),
            schedule=npde.training.Cosine(),
            record_every=50,
        )
        solution = npde.solve(problem, trial, method, seed=SEED)
        fitted = picture.sampled(solution).values
        gradient = [solution.gradient(slope.points)[:, i] for i, slope in enumerate(slopes)]
        laplacian = solution.laplacian(inner.points)
        rows[name] = {
            "parameters": solution.trial.parameter_count,
            "psnr": psnr(fitted, picture.values, peak=2),
            "gradient": relative_l2(np.concatenate(gradient), np.concatenate([s.targets for s in slopes])),
            "laplacian": relative_l2(laplacian, inner.targets),
            "seconds": solution.seconds,
        }
        length = np.linalg.norm(solution.gradient(picture.points), axis=1)
        panels[name] = [fitted, length.reshape(picture.shape), laplacian.reshape(inner.shape)]
    _draw(path, panels, ["values", "length of the gradient", "Laplacian"], ["gray", "magma", "RdBu_r"])
    return rows


def train_wave(size: Size, path: Path) -> dict[str, dict[str, float]]:
    """Wavefields by training, in numbers and pictures."""
    problem = helmholtz_uniform(wavenumber=WAVENUMBER, variance=VARIANCE)
    exact = npde.trials.OutgoingWave(npde.GaussianSource((0.0, 0.0), VARIANCE, 1 + 1j), WAVENUMBER)
    axis = np.linspace(-0.5, 0.5, 81)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    truth = np.asarray(exact.values(points))
    adam = npde.Adam(
        size.wave_steps,
        lr=1e-3,
        points=1024,
        loss=npde.training.MeanSquare(),
        schedule=npde.training.Cosine(),
        record_every=50,
    )
    entries: list[tuple[str, Trial, Method]] = [
        (name, trial, adam) for name, trial in wave_entries(size).items()
    ]
    entries += [
        ("8 × 20 tanh, L-BFGS", npde.MLP(20, 7), npde.LBFGS(max(size.wave_steps // 3, 1), points=1024))
    ]
    panels = {"truth": [truth.real.reshape(81, 81)]}
    rows: dict[str, dict[str, float]] = {}
    for name, trial, method in entries:
        with (
            warnings.catch_warnings()
        ):  # of trial functions that are too slow for the wave: that is what is shown
            warnings.simplefilter("ignore", npde.ResolutionWarning)
            solution = npde.solve(problem, trial, method, seed=SEED)
        values = solution(points)
        panels[name] = [values.real.reshape(81, 81)]
        rows[name] = {
            "parameters": solution.trial.parameter_count,
            "wave": relative_l2(values, truth),
            "wave_seconds": solution.seconds,
        }
    _draw(path, panels, ["real part"], ["RdBu_r"])
    return rows


def _draw(path: Path, panels: Mapping[str, list[NDArray]], labels: list[str], maps: list[str]) -> None:
    """A column for each entry, a row for each quantity; every row on the scale of the truth."""
    count = len(labels)
    figure, axes = plt.subplots(
        count,
        len(panels),
        figsize=(1.9 * len(panels), 2.0 * count + 0.3),
        layout="constrained",
        squeeze=False,
    )
    for row, (label, cmap) in enumerate(zip(labels, maps, strict=True)):
        top = float(np.quantile(np.abs(panels["truth"][row]), 0.98))
        low = 0.0 if cmap == "magma" else -top
        for column, (name, values) in enumerate(panels.items()):
            axes[row, column].imshow(values[row].T, origin="lower", cmap=cmap, vmin=low, vmax=top)
            axes[row, column].set(xticks=[], yticks=[])
            if row == 0:
                axes[row, column].set_title(name, fontsize=9)
        axes[row, 0].set_ylabel(label)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:d}" if isinstance(value, int) else f"{value:.3g}"
