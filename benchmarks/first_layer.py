"""Is the ω₀ that a fit of samples takes by itself right? Sounds and a film in no default, fitted with it and round it.

    python benchmarks/run.py first_layer        # a minute or two on one thread; --small: seconds

Everything is made here: an inharmonic bell, vowels by a glottal pulse through formants, a chirp, noise in two bands, chords,
and a film of a texture that drifts. Each is fitted by the SIREN that the fit chooses, narrower, with its own ω₀ and with
parts and multiples of it, by the same steps of Adam, to every second sample in time; the others lie between. One seed. The
higher ω₀, the sooner samples are matched, and the less is said between them: a rule is right where it is near the best
there.
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from harness import Measured
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

import neurapde as npde
from neurapde.validation.metrics import psnr

SEED, DRAWN = 50417, 61519
FACTORS = (0.5, 1.0, 2.0)
"""Of the fit's own ω₀."""


@dataclass(frozen=True)
class Size:
    """rate: samples a second. seconds: of each sound. side, frames: of the film. Every second sample is fitted."""

    rate: int
    seconds: float
    side: int
    frames: int
    width: int
    steps: int
    points: int


FULL = Size(16_000, 0.5, 32, 31, 64, 150, 1024)
SMALL = Size(8000, 0.02, 8, 4, 8, 2, 64)


def measure(small: bool) -> Measured:
    """Fit every clip with every ω₀."""
    size = SMALL if small else FULL
    rows = [fit(name, raster, factor, size) for name, raster in clips(size).items() for factor in FACTORS]
    settings = {"size": vars(size), "factors": FACTORS, "seed": SEED}
    return Measured(settings, rows, table(rows))


def clips(size: Size) -> dict[str, npde.data.Raster]:
    """What is fitted."""
    time = np.arange(round(size.seconds * size.rate)) / size.rate
    sounds = {
        "bell": bell(time),
        "vowels": vowels(time, size.rate),
        "chirp": np.sin(2 * np.pi * (100 * time + 1400 * time**2 / (2 * size.seconds))),
        "low noise": noise(len(time), (60, 400), size.rate),
        "high noise": noise(len(time), (1500, 2500), size.rate),
        "chords": chords(time),
    }
    videos = {
        name: npde.data.Raster(values / np.abs(values).max(), (0.0,), (float(time[-1]),), name=name)
        for name, values in sounds.items()
    }
    return videos | {"drifting texture": npde.data.video(texture(size.frames, size.side))}


def bell(time: NDArray) -> NDArray:
    """Struck twice: partials in the ratios of a church bell, each dying at its own rate."""
    ratios = np.array([0.5, 1.0, 1.183, 1.506, 2.0, 2.514, 2.662, 3.011, 4.166])
    total = np.zeros_like(time)
    for start in (0.0, time[-1] * 0.45):
        since = np.maximum(time - start, 0)
        for number, ratio in enumerate(ratios):
            total += (
                (since > 0)
                * np.exp(-since * (2 + 3 * ratio))
                * np.sin(2 * np.pi * 523 * ratio * since)
                / (1 + number)
            )
    return total


def vowels(time: NDArray, rate: int) -> NDArray:
    """A falling voice from 180 to 110 Hz that says a, then i: pulses through three resonances each."""
    pitch = np.linspace(180, 110, len(time))
    phase = np.cumsum(pitch) / rate
    pulses = np.diff(np.floor(phase), prepend=0.0)
    parts = []
    for formants in ((730, 1090, 2440), (270, 2290, 3010)):
        voice = pulses
        for formant in formants:
            pole = np.exp((-np.pi * 90 + 2j * np.pi * formant) / rate)
            voice = lfilter([1.0], np.poly([pole, pole.conjugate()]).real, voice)
        parts.append(voice / voice.std())
    blend = 1 / (1 + np.exp(-(time - time[-1] / 2) / 0.02))
    return parts[0] * (1 - blend) + parts[1] * blend


def noise(count: int, band: tuple[float, float], rate: int) -> NDArray:
    """White noise through a band pass of order 4."""
    white = np.random.default_rng(DRAWN).standard_normal(count)
    return np.asarray(sosfilt(butter(4, band, "bandpass", fs=rate, output="sos"), white))


def chords(time: NDArray) -> NDArray:
    """C, F, G and C in four voices of six partials each, plucked."""
    total = np.zeros_like(time)
    length = time[-1] / 4
    for number, notes in enumerate(((48, 55, 64, 72), (41, 57, 60, 69), (43, 55, 62, 71), (48, 55, 64, 76))):
        since = time - number * length
        sounding = (
            (since >= 0) * np.exp(-np.maximum(since, 0) * 6) * (1 - np.exp(-np.maximum(since, 0) / 0.004))
        )
        for note in notes:
            pitch = 440 * 2 ** ((note - 69) / 12)
            total += sounding * sum(np.sin(2 * np.pi * pitch * p * since) / p**1.5 for p in range(1, 7))
    return total


def texture(count: int, side: int) -> NDArray:
    """Frames (count, side, side) of band-limited noise that drifts across the picture, values from 0 to 1."""
    generator = np.random.default_rng(DRAWN)
    y, x = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side), indexing="ij")
    angles, sizes = generator.uniform(0, 2 * np.pi, 40), generator.uniform(4, 16, 40)
    phases, heights = generator.uniform(0, 2 * np.pi, 40), generator.standard_normal(40)
    frames = []
    for moment in np.linspace(0, 1, count):
        waves = [
            a * np.cos(k * (np.cos(t) * (x - 0.5 * moment) + np.sin(t) * (y - 0.2 * moment)) + p)
            for a, k, t, p in zip(heights, sizes, angles, phases, strict=True)
        ]
        frames.append(np.sum(waves, axis=0))
    shown = np.array(frames)
    return (shown - shown.min()) / np.ptp(shown)


def fit(name: str, raster: npde.data.Raster, factor: float, size: Size) -> dict[str, Any]:
    """One training with a part or a multiple of the ω₀ of the fit's own."""
    seen = npde.data.Raster(raster.values[..., ::2], raster.lower, last_but(raster))
    problem = npde.Problem(name.replace(" ", "-"), seen.domain, npde.Fit(values=seen))
    siren = problem.equation.trial(problem)
    assert isinstance(siren, npde.Siren)
    trial = replace(siren, width=size.width, omega_0=siren.omega_0 * factor)
    method = npde.Adam(
        size.steps,
        1e-3,
        min(size.points, seen.targets.size),
        npde.training.MeanSquare(),
        schedule=npde.training.Cosine(),
    )
    begin, wall = time.process_time(), time.perf_counter()
    solution = npde.solve(problem, trial, method, seed=SEED, progress=False)
    seconds = {"computed": time.process_time() - begin, "wall": time.perf_counter() - wall}
    values = np.asarray(solution(raster.points)).reshape(raster.values.shape)
    scores = {
        where: psnr(values[..., places], raster.values[..., places], peak=2)
        for where, places in (("at", slice(None, None, 2)), ("between", slice(1, -1, 2)))
    }
    return {"clip": name, "factor": factor, "omega_0": trial.omega_0, **scores, **seconds}


def last_but(raster: npde.data.Raster) -> tuple[float, ...]:
    """The upper corner of every second sample in time."""
    *others, last = raster.upper
    return (*others, last - (raster.values.shape[-1] - 1) % 2 * raster.spacing[-1])


def table(rows: list[dict[str, Any]]) -> list[list[str]]:
    """A row for each clip: its ω₀, and decibels at the samples fitted and between them, with each factor."""
    factors = list(dict.fromkeys(row["factor"] for row in rows))
    lines = [["clip", "its ω₀", *(f"{factor:g} ω₀" for factor in factors)]]
    for name in dict.fromkeys(row["clip"] for row in rows):
        same = {row["factor"]: row for row in rows if row["clip"] == name}
        cells = [f"{same[factor]['at']:.1f} / {same[factor]['between']:.1f}" for factor in factors]
        lines.append([name, f"{same[1.0]['omega_0']:.0f}", *cells])
    return lines
