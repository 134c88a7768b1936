"""Sounds as rasters over time in seconds: wav files read and written, and one that is made here."""

from os import PathLike
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.data.raster import Raster
from neurapde.readers.isolated import isolated
from neurapde.readers.signals import read_wav


def read_audio(path: str | PathLike[str]) -> Raster:
    """A wav file as a raster over time in seconds, scaled so that the loudest sample is ±1.

    Raises: FileNotFoundError; StorageError for a file that cannot be read.
    """
    found = isolated(read_wav, checks.path(path), "a wav file")
    rate, samples = float(found["rate"]), found["samples"]
    if rate <= 0 or len(samples) < 2 or not np.isfinite(samples).all():
        raise StorageError(
            f"{path} has {len(samples)} samples, {rate:g} a second; give two or more finite samples, and a rate above 0"
        )
    middle = 128.0 if samples.dtype == np.uint8 else 0.0
    values = samples.astype(float) - middle
    loudest = np.abs(values).max()
    if loudest == 0:
        raise DeclarationError(f"{path} is silent; there is nothing to fit")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return Raster(values / loudest, (0.0,), ((len(values) - 1) / rate,), name=Path(path).stem)


def write_audio(path: str | PathLike[str], raster: Raster) -> Path:
    """Write a raster with values in [−1, 1] over time in seconds as a wav file of 16 bits."""
    if not isinstance(raster, Raster):
        raise DeclarationError(f"raster={checks.shown(raster)}: give a Raster of samples in time")
    if raster.dimension != 1:
        raise DeclarationError(f"{raster.describe()} is no sound: it has {raster.dimension} axes, not 1")
    samples = np.round(np.clip(raster.values, -1, 1) * 32767).astype(np.int16)
    target = checks.path(path)
    with atomic.replacing(target) as (part,):
        wavfile.write(part, round(1 / raster.spacing[0]), samples)
    return target


def bells(seconds: float = 1.0, rate: int = 8000) -> Raster:
    """Three struck bells a fourth apart, each a few inharmonic partials that ring out: a sound to try fits on."""
    time = np.arange(round(seconds * rate)) / rate
    total = np.zeros_like(time)
    for start, pitch in ((0.0, 330.0), (0.3, 440.0), (0.6, 587.0)):
        since = np.maximum(time - start * seconds, 0.0)
        for ratio, loudness, ringing in ((1.0, 1.0, 0.4), (2.76, 0.5, 0.2), (5.4, 0.25, 0.1)):
            fade = np.exp(-since / (ringing * seconds)) * (1 - np.exp(-since / 0.004))
            total += loudness * fade * np.sin(2 * np.pi * pitch * ratio * since)
    return Raster(
        total / np.abs(total).max(), (0.0,), (float(time[-1]),), name=f"bells, {rate} samples a second"
    )
