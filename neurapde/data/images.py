"""Pictures as rasters: read from files or from those that scikit-image brings along, and written again."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError
from neurapde.core.memory import check_fits
from neurapde.core.readers.isolated import isolated
from neurapde.data.raster import Raster
from neurapde.late import Late

Image, skimage = Late("PIL.Image"), Late("skimage")
read_pixels = Late("neurapde.core.readers.pictures", "read_pixels")

BUNDLED = (
    "astronaut",
    "brick",
    "camera",
    "chelsea",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "moon",
    "page",
    "text",
)
"""Pictures that come with scikit-image."""
MOST_PIXELS = 90_000_000
"""Of a file: a small one that claims more is taken for damaged, as pillow takes it."""
COPIES = 4
"""Arrays of floating numbers as large as the picture that are made on the way to a raster."""


def image(pixels: Any, *, name: str = "image") -> Raster:
    """An array of pixels (rows, columns) or (rows, columns, channels) as a raster with values in [−1, 1].

    pixels: unsigned integers are scaled from their range, booleans from {0, 1}, floating numbers from [0, 1].

    The centres of the first and last pixel of the longer side lie at ±1, those of the shorter side as far apart as
    square pixels need; x runs with the columns, y upwards.
    """
    checks.text(name, "name of the image")
    array = checks.array(pixels, name, "buif")
    if array.ndim not in (2, 3) or min(array.shape[:2]) < 2:
        raise DeclarationError(
            f"{name} has the shape {array.shape}; give pixels (rows, columns), or (rows, columns, channels)"
        )
    if array.dtype.kind not in "buif" or array.size == 0:
        raise DeclarationError(f"{name} has {array.size} pixels of type {array.dtype}; give numbers")
    if array.dtype.kind == "u":
        array = array / np.iinfo(array.dtype).max
    array = array.astype(float)
    if not (array.min() >= 0 and array.max() <= 1):
        raise DeclarationError(
            f"{name} has values from {array.min():g} to {array.max():g}; give unsigned integers, or numbers in [0, 1]"
        )
    values = np.swapaxes(2 * array - 1, 0, 1)[:, ::-1]
    sides = np.array(values.shape[:2]) - 1
    corner = tuple((sides / sides.max()).tolist())
    return Raster(values, tuple(-x for x in corner), corner, name=name)


def read_image(
    source: str | PathLike[str], *, size: int | tuple[int, int] | None = None, gray: bool = False
) -> Raster:
    """A picture as a raster with values in [−1, 1]; see `image` for its coordinates.

    source: a file, or the name of a picture of scikit-image: "camera", "astronaut", "coffee", ….
    size: (rows, columns) to resample to, smoothed before; a number for both. None keeps the pixels.
    gray: make one channel of several. A channel of opacity is dropped.

    Raises: DeclarationError for one that is not there; StorageError for a file that cannot be read.
    """
    counts = wanted(size, gray)
    pixels, name = _read(source)
    check_fits(
        COPIES * 8 * pixels.size,
        f"the image {name} has the shape {pixels.shape}",
        "make it smaller, or crop it",
    )
    return image(prepared(pixels, counts, gray), name=name)


def _read(source: str | PathLike[str]) -> tuple[NDArray, str]:
    """The pixels of a bundled picture or of a file, and its name."""
    if str(source) in BUNDLED:
        return skimage.io.imread(next(Path(skimage.data.data_dir).glob(f"{source}.*"))), str(source)
    path = checks.path(source, "source")
    if not path.is_file():
        raise DeclarationError(
            f"there is no image {str(source)!r}; give a file, or one of {', '.join(BUNDLED)}"
        )
    return isolated(read_pixels, path, "a picture", str(MOST_PIXELS))["pixels"], path.name


def wanted(size: int | tuple[int, int] | None, gray: bool) -> tuple[int, ...] | None:
    """The rows and columns to resample to; refuses what is neither, and a `gray` that is no flag."""
    checks.flag(gray, "gray")
    counts = None if size is None else checks.node_counts(size, 2, 2)
    if size is not None and counts is None:
        raise DeclarationError(
            f"size={checks.shown(size)}: give pixels as one number, or (rows, columns), at least 2"
        )
    return counts


def prepared(pixels: NDArray, counts: tuple[int, ...] | None, gray: bool) -> NDArray:
    """Pixels without opacity, in one channel if wanted so, and resampled to `counts` (rows, columns)."""
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels = pixels[..., :-1]
    if pixels.ndim == 3 and (pixels.shape[2] == 1 or (gray and pixels.shape[2] == 3)):
        weights = [1.0] if pixels.shape[2] == 1 else [0.2126, 0.7152, 0.0722]
        pixels, top = np.clip(pixels @ np.array(weights) / top, 0, 1), 1.0
    return pixels if counts is None else np.clip(_resized(pixels / top, (counts[0], counts[1])), 0, 1)


def _resized(pixels: NDArray, shape: tuple[int, int]) -> NDArray:
    return skimage.transform.resize(pixels, shape, anti_aliasing=True)


def pixels(raster: Raster) -> NDArray[np.uint8]:
    """The pixels (rows, columns[, channels]) of a raster with values in [−1, 1], those beyond clipped."""
    if not isinstance(raster, Raster):
        raise DeclarationError(
            f"raster={checks.shown(raster)}: give a Raster, such as npde.data.image(pixels)"
        )
    if raster.dimension != 2:
        raise DeclarationError(
            f"{raster.describe()} is not an image: it has {raster.dimension} axes; give a Raster with 2"
        )
    upright = np.swapaxes(raster.values[:, ::-1], 0, 1)
    return np.round(np.clip((upright + 1) / 2, 0, 1) * 255).astype(np.uint8)


def write_image(path: str | PathLike[str], raster: Raster) -> Path:
    """Write a raster with values in [−1, 1] as a picture of 8 bits; the ending says the format, say .png."""
    target, shown = checks.path(path), pixels(raster)
    if target.suffix.lower() not in Image.registered_extensions():
        raise DeclarationError(
            f"{target.name!r} does not end in an image format; end the name in .png, for example"
        )
    with atomic.replacing(target) as (temporary,):
        Image.fromarray(shown.squeeze(axis=2) if shown.shape[2:] == (1,) else shown).save(temporary)
    return target
