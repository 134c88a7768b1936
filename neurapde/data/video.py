"""Films as rasters over x, y and time: NumPy files read and written, and one that is made here."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError
from neurapde.data.images import image, pixels
from neurapde.data.raster import Raster
from neurapde.readers.isolated import isolated
from neurapde.readers.signals import read_frames


def video(frames: Any, *, name: str = "film") -> Raster:
    """Frames (frames, rows, columns[, channels]) as a raster over (x, y, t) with values in [−1, 1].

    frames: as the pixels of `image`, which says the coordinates in the plane; the first frame is at t = −1, the
    last at t = 1.
    """
    checks.text(name, "name of the film")
    array = checks.array(frames, name, "buif")
    if array.ndim not in (3, 4) or len(array) < 2:
        raise DeclarationError(
            f"{name} has the shape {array.shape}; give (frames, rows, columns), and one more axis for channels"
        )
    pictures = [image(frame, name=name) for frame in array]
    values = np.stack([picture.values for picture in pictures], axis=2)
    return Raster(values, (*pictures[0].lower, -1.0), (*pictures[0].upper, 1.0), name=name)


def read_video(path: str | PathLike[str]) -> Raster:
    """A .npy file of frames; see `film`.

    Raises: FileNotFoundError; StorageError for a file that cannot be read, or holds Python objects.
    """
    return video(isolated(read_frames, checks.path(path), "a .npy file")["frames"], name=Path(path).name)


def frames(raster: Raster) -> NDArray[np.uint8]:
    """The frames (frames, rows, columns[, channels]) of a raster over (x, y, t)."""
    if not isinstance(raster, Raster):
        raise DeclarationError(
            f"raster={checks.shown(raster)}: give a Raster, such as npde.data.video(frames)"
        )
    if raster.dimension != 3:
        raise DeclarationError(f"{raster.describe()} is no film: it has {raster.dimension} axes, not 3")
    found = []
    for k in range(raster.shape[2]):
        found.append(pixels(Raster(raster.values[:, :, k], raster.lower[:2], raster.upper[:2])))
    return np.stack(found)


def write_video(path: str | PathLike[str], raster: Raster) -> Path:
    """Write the frames of a raster over (x, y, t) as a .npy file of 8 bits."""
    target, written = checks.path(path), frames(raster)
    with atomic.replacing(target) as (part,), part.open("wb") as file:
        np.save(file, written, allow_pickle=False)
    return target


def juggler(count: int = 24, size: int = 48) -> Raster:
    """Three soft balls thrown round a figure of eight before a striped wall: `count` frames of `size`² pixels."""
    y, x = np.meshgrid(np.linspace(1, -1, size), np.linspace(-1, 1, size), indexing="ij")
    shown = []
    for phase in np.arange(count) / count:
        picture = 0.3 + 0.1 * np.sin(8 * np.pi * (x + 0.3 * y))
        for ball in range(3):
            angle = 2 * np.pi * (phase / 2 + ball / 3)
            away = np.hypot(x - 0.6 * np.sin(angle), y - 0.5 * np.sin(2 * angle))
            cover = 1 / (1 + np.exp((away - 0.22) / 0.02))
            picture = picture * (1 - cover) + cover * (0.55 + 0.2 * ball)
        shown.append(picture)
    return video(np.array(shown), name="juggler")
