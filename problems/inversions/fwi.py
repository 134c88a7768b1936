"""Full-waveform inversions: the disk of the SIREN paper, two disks at several frequencies, and a file of traces.

The reference solvers make the data on other grids, and noise is added, so that an inversion does not get its own waves
as data. Lengths and speeds of the disks are those of the paper, without units: c = 1 around them.
"""

import math
import tempfile
from pathlib import Path

import numpy as np

from neurapde.conditions import PML, Absorbing
from neurapde.domains.box import Box
from neurapde.domains.disk import Disk
from neurapde.domains.spacetime import Time
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.wave import Wave
from neurapde.fields.medium import Constant, Field, Piecewise
from neurapde.fields.pulses import RickerSource
from neurapde.fields.sources import GaussianSource
from neurapde.problem.problem import Problem
from neurapde.problems.inversions._inversion import InversionProblem
from neurapde.problems.inversions.overthrust import fwi_overthrust as fwi_overthrust
from neurapde.seismic.inversion.methods.bounded_lbfgs import BoundedLBFGS
from neurapde.seismic.inversion.methods.continuation import Continuation
from neurapde.seismic.inversion.methods.descents import AdamDescent
from neurapde.seismic.inversion.methods.gauss_newton import GaussNewtonDescent
from neurapde.seismic.inversion.methods.joint import Joint
from neurapde.seismic.inversion.methods.reduced import Adjoint, Reduced
from neurapde.seismic.inversion.regularisation import TotalVariation
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.survey.survey import Survey
from neurapde.trials.networks.siren import Siren

Position = tuple[float, float]

BOUNDS = (1.2**-0.5, 0.15**-0.5)
"""Speeds between which m = 1/c² is 1.2 and 0.15."""


def fwi_disk(
    *,
    wavenumber: float = 20.0,
    speed: float = 2.0,
    center: Position = (0.0, 0.0),
    radius: float = 0.1,
    variance: float = 1e-4,
    amplitude: complex = 1 + 1j,
    noise: float = 0.01,
    weight: float = 3e-3,
    steps: int = 200,
    seed: int = 61843,
) -> InversionProblem:
    """A disk among 5 sources and 30 receivers, the set-up of the SIREN paper, at one frequency.

    wavenumber: k where c = 1. variance, amplitude: of the sources. noise: its relative level. weight: of total variation.
    steps: of the default method, and of the classical one for comparison. seed: of the noise.
    """
    truth = Piecewise(1.0, (Disk(center=center, radius=radius), speed))
    places = [(x, -0.347) for x in np.linspace(-0.347, 0.347, 5)]
    top = [(x, 0.402) for x in np.linspace(-0.347, 0.347, 10)]
    sides = [(x, y) for x in (-0.402, 0.402) for y in np.linspace(-0.253, 0.402, 10)]
    band = Continuation([wavenumber / (2 * math.pi)])
    return _plane(
        "fwi-disk", truth, places, [*top, *sides], band, variance, amplitude, noise, weight, steps, seed
    )


def fwi_two_disks(
    *,
    wavenumbers: tuple[float, ...] = (8.0, 14.0, 20.0),
    speeds: tuple[float, float] = (2.0, 1.4),
    centers: tuple[Position, Position] = ((-0.14, 0.08), (0.13, -0.1)),
    radii: tuple[float, float] = (0.1, 0.12),
    variance: float = 1e-4,
    amplitude: complex = 1 + 1j,
    noise: float = 0.02,
    weight: float = 3e-3,
    steps: int = 100,
    seed: int = 24691,
) -> InversionProblem:
    """Two disks in a ring of 8 sources and 40 receivers, from low to high frequency; otherwise as `fwi_disk`.

    steps: of each frequency.
    """
    disks = [
        Disk(center=at, radius=r, name=f"disk {i + 1}")
        for i, (at, r) in enumerate(zip(centers, radii, strict=True))
    ]
    truth = Piecewise(1.0, *zip(disks, speeds, strict=True))
    band = Continuation(*([k / (2 * math.pi)] for k in wavenumbers))
    sources, receivers = _ring(8, 0.42), _ring(40, 0.44)
    return _plane(
        "fwi-two-disks", truth, sources, receivers, band, variance, amplitude, noise, weight, steps, seed
    )


def _ring(count: int, radius: float) -> list[Position]:
    angles = 2 * math.pi * (np.arange(count) + 0.25) / count
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


def _plane(
    name: str,
    truth: Field,
    places: list[Position],
    receivers: list[Position],
    band: Continuation,
    variance: float,
    amplitude: complex,
    noise: float,
    weight: float,
    steps: int,
    seed: int,
) -> InversionProblem:
    """Waves in [−1, 1]², the outer half of which absorbs; the model is free where |x| and |y| are below 0.36."""
    every = sorted({frequency for group in band.groups for frequency in group})

    def problem(speed: Field) -> Problem:
        return Problem(
            name=name,
            domain=Box((-1, 1), (-1, 1)),
            equation=Helmholtz(wavenumber=2 * math.pi * every[-1], speed=speed),
            sources=[GaussianSource(at=places[0], variance=variance, amplitude=amplitude)],
            boundary=PML(width=0.5, strength=5.0),
        )

    def record() -> Survey:
        shots = np.array(places)
        return Survey.simulate(
            problem(truth), np.array(receivers), sources=shots, frequencies=every, noise=noise, seed=seed
        )

    window = Box((-0.36, 0.36), (-0.36, 0.36))
    return InversionProblem(
        name=name,
        record=record,
        truth=truth,
        problem=problem(Constant(1.0)),
        unknown=Velocity(bounds=BOUNDS, prior=TotalVariation(weight), window=window),
        method=Joint(descent=AdamDescent(steps=steps)),
        classical=Adjoint(descent=BoundedLBFGS(steps)),
        frequencies=band,
    )


def fwi_segy(
    *,
    speed: float = 2000.0,
    lens: float = 2400.0,
    center: Position = (210.0, 150.0),
    radius: float = 45.0,
    peak_frequency: float = 15.0,
    frequencies: tuple[float, ...] = (8.0, 12.0, 16.0),
    shots: int = 9,
    receivers: int = 25,
    noise: float = 0.02,
    steps: int = 8,
    seed: int = 48271,
) -> InversionProblem:
    """Traces between two wells, 300 m deep and 340 m apart, written as SEG-Y and read again; metres and seconds.

    speed, lens, center, radius: the rock, and the lens in it. peak_frequency: Hz, of the wavelet, which is not in the
    file and is estimated. frequencies: Hz, one stage each. noise, seed: of the traces.
    """
    truth = Piecewise(speed, (Disk(center=center, radius=radius, name="lens"), lens))
    depths = np.linspace(20, 280, shots)

    def problem(medium: Field) -> Problem:
        return Problem(
            name="fwi-segy",
            domain=Box((0, 400), (0, 300)).over(Time(0, 0.4)),
            equation=Wave(speed=medium),
            sources=[RickerSource(at=(30.0, 150.0), peak_frequency=peak_frequency)],
            boundary=Absorbing(),
        )

    def record() -> Survey:
        sources = np.stack([np.full(shots, 30.0), depths], axis=1)
        spread = np.stack([np.full(receivers, 370.0), np.linspace(12, 288, receivers)], axis=1)
        made = Survey.simulate(problem(truth), spread, sources=sources, dt=2e-3, noise=noise, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            return Survey.read(made.write(Path(folder) / "fwi-segy.sgy"), noise=noise)

    return InversionProblem(
        name="fwi-segy",
        record=record,
        truth=truth,
        problem=problem(Constant(speed)),
        unknown=Velocity(
            bounds=(0.8 * speed, 1.4 * speed),
            trial=Siren(width=64, depth=2, omega_0=20.0, omega_hidden=5.0),
            prior=TotalVariation(1e-3),
            window=Box((60, 340), (0, 300)),
        ),
        method=Reduced(per_wavelength=8.0, descent=GaussNewtonDescent(steps=steps, inner=30)),
        classical=Adjoint(per_wavelength=8.0, descent=BoundedLBFGS(40)),
        frequencies=Continuation(*([frequency] for frequency in frequencies)),
    )
