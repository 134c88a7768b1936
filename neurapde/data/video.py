"""Films as rasters over x, y and time: read from files and folders, written, and one that is made here."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError
from neurapde.core.memory import check_fits
from neurapde.core.readers.isolated import isolated
from neurapde.data.images import image, pixels, prepared, wanted
from neurapde.data.plugins import ffmpeg
from neurapde.data.raster import Raster
from neurapde.late import Late

iio = Late("imageio.v3")
read_frames = Late("neurapde.core.readers.signals", "read_frames")

WITHOUT_PLUGIN = (".gif", ".npy", ".tif", ".tiff")
"""Endings of films that are read without imageio's plugin."""
WAY = "take fewer frames, or make them smaller"


def video(frames: Any, *, name: str = "film") -> Raster:
    """Frames (frames, rows, columns[, channels]) as a raster over (x, y, t) with values in [−1, 1].

    frames: as the pixels of `image`, which says the coordinates in the plane; the first frame is at t = −1, the
        last at t = 1. The values are in single precision.
    """
    checks.text(name, "name of the video")
    array = checks.array(frames, name, "buif")
    if array.ndim not in (3, 4) or len(array) < 2:
        raise DeclarationError(
            f"{name} has the shape {array.shape}; give (frames, rows, columns), and one more axis for channels"
        )
    frame = image(array[0], name=name)
    scale = 2.0 / np.iinfo(array.dtype).max if array.dtype.kind == "u" else 2.0
    lowest, highest = array.min(), array.max()
    if not (lowest >= 0 and highest * scale <= 2):
        raise DeclarationError(
            f"{name} has values from {lowest:g} to {highest:g}; give unsigned integers, or numbers in [0, 1]"
        )
    check_fits(4 * array.size, f"the video {name} has the shape {array.shape}", WAY)
    values = np.multiply(array, scale, dtype=np.float32)
    values -= 1
    upright = np.moveaxis(values[:, ::-1], (0, 1, 2), (2, 1, 0))
    return Raster(upright, (*frame.lower, -1.0), (*frame.upper, 1.0), name=name)


def read_video(
    path: str | PathLike[str],
    *,
    frames: int | None = None,
    size: int | tuple[int, int] | None = None,
    gray: bool = False,
) -> Raster:
    """A film as a raster over (x, y, t); see `video`.

    path: a film that imageio reads, .gif by itself and .mp4, .avi and the like with its plugin; a folder of pictures of
        one size, in the order of their names; or a .npy file.
    frames: how many, from the first one on; None for all.
    size, gray: of each frame, as in `read_image`.

    Raises: FileNotFoundError; DeclarationError where the plugin is missing; StorageError for a file that cannot be read, or
    holds Python objects.
    """
    file, counts = checks.path(path), wanted(size, gray)
    most = "" if frames is None else str(checks.whole(frames, "frames", 2, " of frames, 2 or more"))
    if file.is_file() and file.suffix.lower() not in WITHOUT_PLUGIN:
        ffmpeg(f"to read {file.name}")
    film = isolated(read_frames, file, "a film", most, or_folder=True)["frames"]
    if counts is not None or gray or film.shape[3:] in ((1,), (2,), (4,)):
        changed = (prepared(frame, counts, gray) for frame in film)
        film = np.stack([frame if frame.dtype.kind == "u" else frame.astype(np.float32) for frame in changed])
    return video(film, name=file.name)


def frames(raster: Raster) -> NDArray[np.uint8]:
    """The frames (frames, rows, columns[, channels]) of a raster over (x, y, t)."""
    if not isinstance(raster, Raster):
        raise DeclarationError(
            f"raster={checks.shown(raster)}: give a Raster, such as npde.data.video(frames)"
        )
    if raster.dimension != 3:
        raise DeclarationError(
            f"{raster.describe()} is not a video: it has {raster.dimension} axes; give a Raster with 3"
        )
    frames = []
    for k in range(raster.shape[2]):
        frames.append(pixels(Raster(raster.values[:, :, k], raster.lower[:2], raster.upper[:2])))
    return np.stack(frames)


def write_video(path: str | PathLike[str], raster: Raster) -> Path:
    """Write the frames of a raster over (x, y, t), in 8 bits: a .npy file, a .gif or, with the plugin of imageio, a .mp4."""
    target, written = checks.path(path), frames(raster)
    if target.suffix.lower() == ".mp4":
        ffmpeg(f"to write {target.name}")
    elif target.suffix.lower() not in WITHOUT_PLUGIN:
        raise DeclarationError(
            f"{target.name!r} does not end in a video format; end the name in .gif, .mp4 or .npy"
        )
    with atomic.replacing(target) as (temporary,):
        if target.suffix.lower() == ".npy":
            np.save(temporary, written, allow_pickle=False)
        else:
            iio.imwrite(temporary, written)
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
