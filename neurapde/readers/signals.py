"""Sounds and the frames of films. Run alone by `child`: it imports nothing of this package."""

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.io import wavfile


def read_frames(path: str) -> dict[str, NDArray]:
    """`frames` of a .npy file, whose size must be what its header says."""
    return {"frames": np.array(np.load(path, mmap_mode="r", allow_pickle=False))}


def read_wav(path: str) -> dict[str, NDArray]:
    """`samples` `(n[, channels])` and their `rate` a second."""
    warnings.simplefilter("ignore")
    rate, samples = wavfile.read(path)
    return {"rate": np.array(rate), "samples": samples}
