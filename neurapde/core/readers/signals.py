"""Sounds and the frames of films. Run alone by `child`: it imports nothing of this package."""

import io
import subprocess
import warnings
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile


def read_frames(path: str, most: str) -> dict[str, NDArray]:
    """`frames` `(n, rows, columns[, channels])`, the first `most` of them ("" for all).

    path: a .npy file, whose size must be what its header says; a folder of pictures, in the order of their names; or a film.
    """
    warnings.simplefilter("ignore")
    count = int(most) if most else None
    if path.endswith(".npy"):
        return {"frames": np.array(np.load(path, mmap_mode="r", allow_pickle=False)[:count])}
    pictures: Iterable[NDArray] = iio.imiter(path) if Path(path).is_file() else map(iio.imread, _within(path))
    first, held = None, bytearray()
    for frame in islice(pictures, count):
        first = frame if first is None else first
        if (frame.shape, frame.dtype) != (first.shape, first.dtype):
            raise ValueError(f"its frames differ: {first.shape} {first.dtype}, {frame.shape} {frame.dtype}")
        held += frame.tobytes()
    if first is None:
        raise ValueError("it has no frames")
    return {"frames": np.frombuffer(held, first.dtype).reshape(-1, *first.shape)}


def _within(folder: str) -> list[Path]:
    return sorted(path for path in Path(folder).iterdir() if path.is_file() and path.name[0] != ".")


def read_wav(path: str) -> dict[str, NDArray]:
    """`samples` `(n[, channels])` and their `rate` a second."""
    return _sound(path)


def read_soundtrack(path: str, program: str) -> dict[str, NDArray]:
    """The same of any file that ffmpeg, the program, finds a sound in."""
    command = [program, "-v", "error", "-threads", "1", "-i", path, "-vn", "-f", "wav", "-"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise ValueError(done.stderr.decode(errors="replace"))
    return _sound(io.BytesIO(done.stdout))


def _sound(file: str | io.BytesIO) -> dict[str, NDArray]:
    warnings.simplefilter("ignore")
    rate, samples = wavfile.read(file)
    return {"rate": np.array(rate), "samples": samples}
