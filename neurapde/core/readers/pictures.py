"""Pixels of a picture's file. Run alone by `child`: it imports nothing of this package."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from skimage import io


def read_pixels(path: str, most: str) -> dict[str, NDArray]:
    """`pixels` `(rows, columns[, channels])` of a picture of at most so many pixels."""
    warnings.simplefilter("ignore")
    try:
        with Image.open(path) as picture:
            width, height = picture.size
    except UnidentifiedImageError:  # Some TIFF files are read by another library alone.
        if Path(path).suffix.lower() not in (".tif", ".tiff"):
            raise ValueError("it is of no known format") from None
        width, height = 0, 0
    if width * height > int(most):
        raise ValueError(f"it has {width} x {height} pixels, and at most {int(most)} can be read")
    pixels = np.asarray(io.imread(path))
    return {"pixels": pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels}  # a .gif of one picture
