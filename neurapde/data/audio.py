"""Sounds as rasters over time in seconds: files read and written, and two that are made here."""

from math import ceil, sqrt
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import scipy

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.readers.isolated import isolated
from neurapde.data.plugins import ffmpeg
from neurapde.data.raster import Raster
from neurapde.late import Late

read_soundtrack = Late("neurapde.core.readers.signals", "read_soundtrack")
read_wav = Late("neurapde.core.readers.signals", "read_wav")

NOTE, RINGING = 0.21875, 1.2
"""Seconds from one note of the prelude to the next, and those that each is heard."""
PRELUDE = 2 * (43, 50, 59, 57, 59, 50, 59, 50) + 2 * (43, 52, 60, 59, 60, 52, 60, 52)
"""Its notes, by their numbers in MIDI: 69 is the a of 440 Hz, and 12 an octave."""


def audio(samples: Any, rate: float, *, mono: bool = False, name: str = "sound") -> Raster:
    """Samples as a raster over time in seconds, from 0 on, scaled so that the loudest is ±1.

    samples: (n,) or (n, channels), of any scale; unsigned integers are silent in the middle of their range, as in wav files.
    rate: samples a second.
    mono: the mean of the channels.

    Raises: DeclarationError for samples of another shape, fewer than two of them, or silence.
    """
    checks.text(name, "name of the sound")
    checks.flag(mono, "mono"), checks.amount(rate, "rate")
    array = checks.array(samples, name, "uif")
    if array.ndim not in (1, 2) or len(array) < 2 or not array.size:
        raise DeclarationError(
            f"{name} has the shape {array.shape}; give two samples or more, (n,) or (n, channels)"
        )
    middle = (np.iinfo(array.dtype).max + 1) / 2 if array.dtype.kind == "u" else 0.0
    values = array.astype(float) - middle
    if mono and values.ndim == 2:
        values = values.mean(axis=1)
    loudest = np.abs(values).max()
    if loudest == 0:
        raise DeclarationError(f"all samples of {name} are 0, so there is nothing to fit; give another sound")
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return Raster(values / loudest, (0.0,), ((len(values) - 1) / rate,), name=name)


def read_audio(
    path: str | PathLike[str], *, start: float = 0.0, seconds: float | None = None, mono: bool = False
) -> Raster:
    """A sound as a raster over time in seconds, from 0 on, scaled so that the loudest sample is ±1.

    path: a wav file; with imageio's plugin for ffmpeg also an mp3, a film, and the like.
    start, seconds: the part of it that is taken; None for all the rest.
    mono: the mean of the channels.

    Raises: FileNotFoundError; DeclarationError where the plugin is missing, or nothing is there to fit; StorageError
    for a file that cannot be read.
    """
    file = checks.path(path)
    checks.flag(mono, "mono")
    checks.number(start, "start", lambda x: x >= 0, "give seconds, 0 for the start")
    if seconds is not None:
        checks.amount(seconds, "seconds")
    if not file.is_file() or file.suffix.lower() in (".wav", ".wave"):
        sound = isolated(read_wav, file, "a wav file")
    else:
        sound = isolated(read_soundtrack, file, "a sound", ffmpeg(f"to read {file.name}"))
    rate, samples = float(sound["rate"]), sound["samples"]
    if rate <= 0 or len(samples) < 2 or not np.isfinite(samples).all():
        raise StorageError(
            f"{path} has {len(samples)} samples, {rate:g} a second; give two or more finite samples, and a rate above 0"
        )
    first = round(start * rate)
    excerpt = samples[first : None if seconds is None else first + round(seconds * rate)]
    if len(excerpt) < 2:
        raise DeclarationError(
            f"start={start:g} is at or near the end of {path}, which has {len(samples) / rate:g} s; start earlier"
        )
    return audio(excerpt, rate, mono=mono, name=Path(path).stem)


def write_audio(path: str | PathLike[str], raster: Raster) -> Path:
    """Write a raster with values in [−1, 1] over time in seconds as a wav file of 16 bits."""
    if not isinstance(raster, Raster):
        raise DeclarationError(f"raster={checks.shown(raster)}: give a Raster of samples in time")
    if raster.dimension != 1:
        raise DeclarationError(
            f"{raster.describe()} is not a sound: it has {raster.dimension} axes; give a Raster with 1"
        )
    samples = np.round(np.clip(raster.values, -1, 1) * 32767).astype(np.int16)
    target = checks.path(path)
    with atomic.replacing(target) as (temporary,):
        scipy.io.wavfile.write(temporary, round(1 / raster.spacing[0]), samples)
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


def prelude(seconds: float = 7.0, rate: int = 44_100) -> Raster:
    """The first two bars of Bach's first suite for the cello (BWV 1007), over and over, on strings that are made here.

    A note every 0.21875 s, so that two bars take 7 s, every eighth one louder; each rings on under the next ones, in 24
    partials.
    """
    time = np.arange(round(seconds * rate)) / rate
    total = np.zeros_like(time)
    for number in range(ceil(seconds / NOTE)):
        since = time[round(number * NOTE * rate) :][: round(RINGING * rate)]
        since = since - since[:1]
        pitch = 440 * 2 ** ((PRELUDE[number % len(PRELUDE)] - 69) / 12)
        loudness = 1.0 if number % 8 == 0 else 0.6
        rise = (1 - np.exp(-since / 0.008)) * (1 - since / RINGING) ** 2
        for partial in range(1, 25):
            frequency = pitch * partial * sqrt(1 + 4e-5 * partial**2)
            body = 1 / (1 + (frequency / 2500) ** 2) / partial
            tone = body * np.exp(-since * (1 + 0.4 * partial)) * np.sin(2 * np.pi * frequency * since)
            total[round(number * NOTE * rate) :][: len(since)] += loudness * rise * tone
    name = f"prelude, {rate} samples a second"
    return Raster(total / np.abs(total).max(), (0.0,), (float(time[-1]),), name=name)
