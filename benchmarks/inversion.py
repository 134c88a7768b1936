"""Full-waveform inversion of the paper's receiver data: neural methods beside classical ones, on one footing.

Data: `data_cylinder_5.mat` (5 shots, 30 receivers, one frequency), found by NEURAPDE_DATA or in ../shared/data; where it
is missing, the same survey made by our own solver on a finer grid, with 1.7 % of noise. All methods have the same window,
bounds, start model and prior. Nothing looks at the truth. Data count as explained at a residual of `LEVEL`, of which 1.7 %
is what the paper's solver and ours differ by, plus the noise that was added. Without a prior a run ends there: stopping is
what regularises. With total variation a run goes to its end, and each method keeps the largest weight tried with which the
data are explained (the discrepancy principle): half decades from 1e-2 up or down, then the middle of the last two;
wavefield reconstruction, which explains them with any weight if it goes on, ends there with a prior too.

The paper's own form, waves and medium trained together with a penalty for the wave equation, is given `PENALTY` steps on a
small network, about a minute: six times what the other neural methods take, and a hundredth of what the paper gave it.
"""

import math
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from harness import ROOT, Measured
from scipy.io import loadmat

import neurapde as npde
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.invert import invert
from neurapde.seismic.inversion.methods.bounded_lbfgs import BoundedLBFGS
from neurapde.seismic.inversion.methods.descents import AdamDescent
from neurapde.seismic.inversion.methods.joint import Joint
from neurapde.seismic.inversion.methods.method import InversionMethod
from neurapde.seismic.inversion.methods.penalty import Penalty
from neurapde.seismic.inversion.methods.reduced import Adjoint, Reduced
from neurapde.seismic.inversion.methods.wavefield_reconstruction import WavefieldReconstruction
from neurapde.seismic.inversion.regularisation import TotalVariation
from neurapde.seismic.inversion.result import Inversion
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.seismic.survey.survey import Survey

WAVES = npde.Problem(
    "disk", npde.Box((-1, 1), (-1, 1)), npde.Helmholtz(20.0), boundary=npde.PML(width=0.5, strength=5.0)
)
WINDOW = npde.Box((-0.36, 0.36), (-0.36, 0.36))
BOUNDS = (1.2**-0.5, 0.15**-0.5)
DISK = npde.Disk((0.0, 0.0), 0.1)
LEVEL, DIFFERENCE = 0.025, 0.017
FIRST_WEIGHT, FACTOR, WEIGHTS = 1e-2, math.sqrt(10), 5
PENALTY = 750
NOISES = {"none added": 0.0, "20 dB": 0.1, "10 dB": 10**-0.5}
SEEDS = (0, 1, 2, 3, 4)
NOISE_SEED, FINE = 70313, 2 / 160
NEURAL = ("joint", "reduced")

Row = dict[str, Any]


def measure(small: bool) -> Measured:
    """All methods with and without a prior, five seeds of the neural ones, and added noise."""
    survey, origin = recorded()
    ways = methods(3 if small else 200)
    rows: list[Row] = []
    noises = {"none added": 0.0} if small else NOISES
    judge = Judge(survey)
    for noise, level in noises.items():
        noisy = with_noise(survey, level)
        for name, method in ways.items():
            for row in both_priors(name, method, noisy, judge, 2 if small else WEIGHTS):
                rows.append({"noise": noise, "seed": 0, **row})
                print(rows[-1], file=sys.stderr, flush=True)
    steps = 2 if small else PENALTY
    paper = Penalty(npde.Siren(64, 2, 20.0), steps, AdamDescent(steps, 1e-3), points=1024)
    for weight in (0.0, next(row["weight"] for row in rows if row["weight"])):
        row = run("penalty", paper, survey, judge, weight, 0)
        rows.append({"noise": "none added", "seed": 0, **row, "search": row["computed"]})
        print(rows[-1], file=sys.stderr, flush=True)
    rows += [] if small else seeds(survey, judge, ways, rows)
    settings = {
        "data": origin,
        "level": LEVEL,
        "m": [0.15, 1.2],
        "window": 0.36,
        "methods": {k: str(v) for k, v in {**ways, "penalty": paper}.items()},
    }
    return Measured(settings, rows, table(rows), notes(origin))


def methods(steps: int) -> dict[str, InversionMethod]:
    """Neural ones by Adam, the classical adjoint by L-BFGS-B, wavefield reconstruction by its own alternation."""
    return {
        "joint": Joint(descent=AdamDescent(steps)),
        "reduced": Reduced(descent=AdamDescent(steps)),
        "adjoint": Adjoint(descent=BoundedLBFGS(steps)),
        "irwri": WavefieldReconstruction(steps=steps),
    }


def recorded() -> tuple[Survey, str]:
    """The paper's data, or data like them."""
    folder = Path(os.environ.get("NEURAPDE_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "data_cylinder_5.mat"
    known: Row = {"frequencies": [20 / (2 * math.pi)], "wavelet": 1 + 1j, "source_variance": 1e-4}
    if path.is_file():
        variables = loadmat(path)
        survey = Survey(
            variables["source"], variables["receivers"], data=variables["rec_val"].T[None], **known
        )
        return survey.replace(noise=LEVEL), path.name
    sources = np.stack([np.linspace(-0.347, 0.347, 5), np.full(5, -0.347)], axis=1)
    top = np.stack([np.linspace(-0.347, 0.347, 10), np.full(10, 0.402)], axis=1)
    sides = [np.stack([np.full(10, x), np.linspace(-0.253, 0.402, 10)], axis=1) for x in (-0.402, 0.402)]
    receivers = np.concatenate([top, *sides])
    empty = Survey(sources, receivers, data=np.ones((1, 5, 30), complex), **known)
    judge = Judge(empty)
    data = judge.engine.forward(judge.truth).data
    return with_noise(empty.replace(data=data, noise=0.0), DIFFERENCE).replace(
        noise=LEVEL
    ), "made by our solver"


def with_noise(survey: Survey, level: float) -> Survey:
    """Complex Gaussian noise of a relative L2 level added, and stated."""
    generator = np.random.default_rng(NOISE_SEED)
    noise = generator.standard_normal((2, *survey.data.shape))
    complex_noise = noise[0] + 1j * noise[1]
    scale = level * np.linalg.norm(survey.data) / np.linalg.norm(complex_noise)
    return survey.replace(
        data=survey.data + scale * complex_noise, noise=math.hypot(survey.noise or 0.0, level)
    )


class Judge:
    """What a result is worth, by the truth that no method saw: errors of the model and of the waves in it."""

    def __init__(self, survey: Survey) -> None:
        domain = ComputationalDomain.of(WAVES, 0.3)
        self.engine = GridModelling(survey, domain, (1.0, 1.0), spacing=FINE)
        self.truth = averaged(self.engine.grid)
        self.waves = self.engine.forward(self.truth).fields
        self.grid = Grid((-0.5, -0.5), (0.5, 0.5), (201, 201))
        self.model = averaged(self.grid)

    def errors(self, inversion: Inversion) -> Row:
        """‖m − m*‖/‖m* − 1‖ on 201² nodes, and ‖u − u*‖/‖u*‖ of all shots outside the layers."""
        m = inversion.slowness_squared(self.grid.points)
        fields = self.engine.forward(inversion.slowness_squared(self.engine.grid.points)).fields
        assert fields is not None
        assert self.waves is not None
        inner = np.all(np.abs(self.engine.grid.points) <= 0.5, axis=1).reshape(self.engine.grid.shape)
        apart = np.linalg.norm((fields - self.waves)[..., inner]) / np.linalg.norm(self.waves[..., inner])
        return {
            "model_error": float(np.linalg.norm(m - self.model) / np.linalg.norm(self.model - 1)),
            "wavefield_error": float(apart),
        }


def averaged(grid: Grid, parts: int = 5) -> np.ndarray:
    """m of the disk of speed 2, averaged over the cells of a grid."""
    shifts = [(np.arange(parts) + 0.5) / parts - 0.5] * 2
    places = np.stack(np.meshgrid(*shifts), axis=-1).reshape(-1, 2) * np.array(grid.spacing)
    return 1 - 0.75 * np.mean([DISK.contains(grid.points + shift) for shift in places], axis=0)


def run(name: str, method: InversionMethod, survey: Survey, judge: Judge, weight: float, seed: int) -> Row:
    """One inversion and what it is worth."""
    level = survey.noise
    assert level is not None
    velocity = Velocity(bounds=BOUNDS, prior=TotalVariation(weight) if weight else (), window=WINDOW)
    wall, computed = time.perf_counter(), time.process_time()
    inversion = invert(
        WAVES,
        survey,
        unknown=velocity,
        method=method,
        seed=seed,
        progress=False,
    )
    wall, computed = time.perf_counter() - wall, time.process_time() - computed
    return {
        "method": name,
        "weight": weight,
        "residual": inversion.residual,
        "explained": inversion.residual <= level,
        **judge.errors(inversion),
        "steps": int(inversion.history.step[-1]),
        "computed": computed,
        "wall": wall,
    }


def both_priors(name: str, method: InversionMethod, survey: Survey, judge: Judge, most: int) -> Iterator[Row]:
    """Without a prior, then with the largest weight that still explains the data; `search` is the time of all runs."""
    alone = run(name, method, survey, judge, 0.0, 0)
    yield {**alone, "search": alone["computed"]}
    tried = [run(name, method, survey, judge, FIRST_WEIGHT, 0)]
    upward = tried[0]["explained"]
    while len(tried) < most and tried[-1]["explained"] == upward:
        power = len(tried) if upward else -len(tried)
        tried.append(run(name, method, survey, judge, float(f"{FIRST_WEIGHT * FACTOR**power:.1g}"), 0))
        print(tried[-1], file=sys.stderr, flush=True)
    if tried[-1]["explained"] != upward:
        middle = math.sqrt(tried[-1]["weight"] * tried[-2]["weight"])
        tried.append(run(name, method, survey, judge, float(f"{middle:.2g}"), 0))
        print(tried[-1], file=sys.stderr, flush=True)
    good = [row for row in tried if row["explained"]] or tried[-1:]
    chosen = max(good, key=lambda row: row["weight"])
    yield {**chosen, "search": sum(row["computed"] for row in tried)}


def seeds(
    survey: Survey, judge: Judge, ways: Mapping[str, InversionMethod], rows: Sequence[Row]
) -> list[Row]:
    """The neural methods from other seeds, at the weights that the first one chose."""
    results = []
    chosen = {(r["method"], bool(r["weight"])): r["weight"] for r in rows if r["noise"] == "none added"}
    for name in NEURAL:
        for prior in (False, True):
            for seed in SEEDS[1:]:
                row = run(name, ways[name], survey, judge, chosen[name, prior], seed)
                results.append({"noise": "none added", "seed": seed, **row, "search": row["computed"]})
                print(results[-1], file=sys.stderr, flush=True)
    return results


def table(rows: Sequence[Row]) -> list[list[str]]:
    """A line for each method, prior and noise: medians over seeds, and the spread of the model error."""
    lines = [
        [
            "noise",
            "method",
            "TV weight",
            "data residual",
            "model error",
            "wavefield error",
            "CPU s",
            "with search",
        ]
    ]
    for first in [row for row in rows if row["seed"] == 0]:
        same = [row for row in rows if all(row[key] == first[key] for key in ("noise", "method", "weight"))]
        errors = [row["model_error"] for row in same]
        spread = f" ({min(errors):.3f}–{max(errors):.3f}, {len(same)} seeds)" if len(same) > 1 else ""
        middle = {
            key: statistics.median(row[key] for row in same)
            for key in ("residual", "wavefield_error", "computed")
        }
        missed = "" if first["explained"] else " (not explained)"
        lines.append(
            [
                first["noise"],
                first["method"],
                f"{first['weight']:g}" if first["weight"] else "none",
                f"{middle['residual']:.2%}{missed}",
                f"{statistics.median(errors):.3f}{spread}",
                f"{middle['wavefield_error']:.1%}",
                f"{middle['computed']:.1f}",
                f"{first['search']:.1f}",
            ]
        )
    return lines


def notes(origin: str) -> list[str]:
    """What belongs under the table."""
    return [
        f"Data: {origin}. One frequency; 0.15 ≤ m ≤ 1.2 within |x| ≤ 0.36, m = 1 outside and at the start.",
        f"Data are explained at a residual of {LEVEL:.1%} (and the noise added): there runs without a prior end, and the",
        "weight of a prior is the largest that gets there.",
        "Model error: ‖m − m*‖/‖m* − 1‖ on 201² nodes, cells averaged. One frequency does not determine the model: what",
        "is believed of it does, by a prior or by a network that can only be smooth.",
        f"penalty: the paper's own form on a 64 × (1 + 2) SIREN, {PENALTY} steps for the waves alone and {PENALTY} for all;",
        "its residual is that of the model found, by the grid solver. It is far from converged, and says nothing of what",
        "the paper's form reaches on a GPU.",
    ]
