"""A slice of the SEG/EAGE Overthrust model if its file is available, else our own layered and faulted model.

Kilometres and seconds; y is the depth. 500 m of water cover the model, all sources and receivers are in it.
"""

import os
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from neurapde.conditions import PML
from neurapde.domains.box import Box
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.grid_field import GridField
from neurapde.fields.sources import PointSource
from neurapde.problem.problem import Problem
from neurapde.problems.inversions._inversion import InversionProblem
from neurapde.seismic.inversion.methods.bounded_lbfgs import BoundedLBFGS
from neurapde.seismic.inversion.methods.continuation import Continuation
from neurapde.seismic.inversion.methods.descents import AdamDescent
from neurapde.seismic.inversion.methods.reduced import Adjoint, Reduced
from neurapde.seismic.inversion.regularisation import TotalVariation
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.survey.survey import Survey
from neurapde.trials.networks.siren import Siren

FILE = "overthrust_slice.h5"
WIDTH, DEPTH, STEP = 10.0, 3.0, 0.025
SEA = 0.475
"""km; the model's first node below the water is at 0.5 km."""
LAYER = 0.6
"""km of absorbing layers on all sides."""
BOX = Box((-LAYER, WIDTH + LAYER), (-LAYER, DEPTH + LAYER))
WATER = 1.5
"""km/s."""
DEPTH_OF_GEOMETRY = 0.05
FINER = 9.0
"""Nodes in a wavelength in water, of the grid that the data are made on, where 25 m would be fewer."""


def fwi_overthrust(
    *,
    shots: int = 16,
    receivers: int = 66,
    stages: tuple[tuple[float, ...], ...] = ((3.0,), (4.0,), (5.0, 6.0), (7.5, 9.0), (10.5, 12.0)),
    noise: float = 0.02,
    mute: float = 0.3,
    per_wavelength: float = 6.0,
    weight: float = 3e-4,
    steps: int = 20,
    seed: int = 50413,
) -> InversionProblem:
    """The Overthrust slice from a smooth start model, low frequencies first.

    shots, receivers: numbers, evenly spread 50 m below the surface. stages: frequencies, Hz. noise: its relative level.
    mute: km; nearer receivers record mostly the direct wave, and are left out. per_wavelength: nodes of the grid.
    weight: of total variation. steps: of each stage. seed: of the noise.

    The network is smooth: with ω = 5 in its second layer a step of Adam changes it evenly. With 30, the paper's value
    for pictures, it oscillates between the nodes of the grid, which the waves do not resolve.
    """
    true, start = models()
    truth, smooth = (_continued(speed) for speed in (true, start))
    band = Continuation(*stages)
    every = sorted({frequency for group in band.groups for frequency in group})
    sources, spread = (_line(0.2, shots), _line(0.1, receivers))

    def record() -> Survey:
        return _recorded(truth, sources, spread, every, mute).with_noise(noise, seed)

    return InversionProblem(
        name="fwi-overthrust",
        record=record,
        truth=truth,
        problem=_problem(smooth, every[-1]),
        unknown=Velocity(
            bounds=(1.4, 6.0),
            trial=Siren(width=128, depth=1, omega_0=120.0, omega_hidden=5.0),
            prior=TotalVariation(weight),
            fixed=Box((0, WIDTH), (0, SEA), name="water"),
        ),
        method=Reduced(per_wavelength=per_wavelength, descent=AdamDescent(steps=steps, lr=4e-3)),
        classical=Adjoint(per_wavelength=per_wavelength, descent=BoundedLBFGS(steps)),
        frequencies=band,
    )


def models() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True and start speed, km/s, on nodes `(401, 121)` every 25 m: from the file, or invented."""
    path = found_slice()
    if path is None:
        return made_up()
    with h5py.File(path) as file:
        true, start = (np.asarray(file[name][()], dtype=float).T ** -0.5 for name in ("m", "m0"))
    return true, start


def made_up() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bent layers, faster with depth, cut by two faults; and the same without its detail, for a start."""
    x, y = np.meshgrid(
        np.arange(0, WIDTH + STEP / 2, STEP), np.arange(0, DEPTH + STEP / 2, STEP), indexing="ij"
    )
    throw = 0.25 * (x > 3.2 + 0.5 * y) - 0.18 * (x > 6.6 - 0.4 * y)
    level = y - 0.5 + throw + 0.12 * np.sin(2 * np.pi * x / 5.5) + 0.08 * np.cos(2 * np.pi * x / 2.3 + 1.0)
    tops = np.array([-np.inf, 0.25, 0.5, 0.8, 1.0, 1.35, 1.6, 2.0, 2.3])
    speeds = np.array([2.4, 2.8, 2.6, 3.4, 3.1, 4.0, 3.8, 4.8, 5.4])
    rock = speeds[np.searchsorted(tops, level, side="right") - 1]
    sea = y <= SEA
    smooth = gaussian_filter(np.where(sea, 2.4, rock), 0.3 / STEP, mode="nearest")
    return np.where(sea, WATER, rock), np.where(sea, WATER, smooth)


def _problem(speed: GridField, frequency: float) -> Problem:
    """Waves at one frequency, Hz, from the middle of the line."""
    return Problem(
        name="fwi-overthrust",
        domain=BOX,
        equation=Helmholtz(wavenumber=2 * np.pi * frequency, speed=speed),
        sources=[PointSource(at=(WIDTH / 2, DEPTH_OF_GEOMETRY))],
        boundary=PML(width=LAYER, reflection=1e-4),
    )


def _continued(speed: NDArray[np.float64]) -> GridField:
    """Speeds of the model as those of the whole box: the outermost values continue through the layers."""
    lower, upper = (corner.tolist() for corner in BOX.bounds)
    return GridField(np.pad(speed, round(LAYER / STEP), mode="edge"), (lower, upper))


def found_slice() -> Path | None:
    """The file of the slice, if available."""
    return next((folder / FILE for folder in _folders() if (folder / FILE).is_file()), None)


def _folders() -> tuple[Path, ...]:
    """Folders for data: NEURAPDE_DATA, or shared/data beside the checkout."""
    folder = os.environ.get("NEURAPDE_DATA")
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    return (Path(folder), beside) if folder else (beside,)


def _line(margin: float, count: int) -> NDArray[np.float64]:
    return np.stack([np.linspace(margin, WIDTH - margin, count), np.full(count, DEPTH_OF_GEOMETRY)], axis=1)


def _recorded(
    truth: GridField,
    sources: NDArray,
    receivers: NDArray,
    frequencies: list[float],
    mute: float,
) -> Survey:
    """Data of the true model on a grid with FINER nodes per wavelength, without noise; near receivers left out."""
    parts = []
    for frequency in frequencies:
        step = min(WATER / frequency / FINER, STEP)
        shape = [2 * int(np.ceil(extent / step / 2)) + 1 for extent in BOX.extents]
        problem = _problem(truth, frequency)
        parts.append(Survey.simulate(problem, receivers, sources=sources, shape=shape))
    whole = parts[-1].replace(
        data=np.concatenate([record.data for record in parts]),
        frequencies=frequencies,
        wavelet=np.concatenate([record.wavelet for record in parts]),
    )
    return whole.replace(weights=(whole.offsets >= mute).astype(float))
