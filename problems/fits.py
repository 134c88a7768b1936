"""Fits of pictures, sounds and films, and pictures from their derivatives: the SIREN paper's first figures.

Pictures are read from a file, or by name from those of scikit-image: camera, astronaut, coffee, moon, ….
Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), Implicit Neural Representations with Periodic Activation
Functions, NeurIPS 33, figures 1 to 3 and section 4.1.

The keywords that the factories share:
  image        a file, or the name of a picture of scikit-image
  size         pixels of each side, to which the picture is resampled
  gray         one channel instead of the picture's own
"""

from neurapde.data.audio import bells, read_audio
from neurapde.data.blending import blended_differences
from neurapde.data.images import read_image
from neurapde.data.video import juggler, read_video
from neurapde.domains.disk import Disk
from neurapde.equations.fit import Fit
from neurapde.problem.problem import Problem
from neurapde.problems._case import Case


def image_fit(*, image: str = "camera", size: int = 256, gray: bool = True) -> Problem:
    """A picture from its pixels."""
    picture = read_image(image, size=size, gray=gray)
    return Problem("image-fit", picture.domain, Fit(values=picture))


def audio_fit(*, sound: str = "bells", seconds: float = 1.0, rate: int = 8000) -> Problem:
    """A sound from its samples: a wav file, or "bells", made here with this length and rate."""
    samples = bells(seconds, rate) if sound == "bells" else read_audio(sound)
    return Problem("audio-fit", samples.domain, Fit(values=samples))


def video_fit(*, film: str = "juggler", frames: int = 24, size: int = 48) -> Problem:
    """A film from its pixels: a .npy file (frames, rows, columns[, channels]), or "juggler", made here."""
    samples = juggler(frames, size) if film == "juggler" else read_video(film)
    return Problem("video-fit", samples.domain, Fit(values=samples))


def poisson_gradients(*, image: str = "camera", size: int = 64, gray: bool = True) -> Problem:
    """A picture from the differences of neighbouring pixels, up to a constant."""
    picture = read_image(image, size=size, gray=gray)
    return Problem("poisson-gradients", picture.domain, Fit(gradient=picture.differences()))


def poisson_laplacian(*, image: str = "camera", size: int = 32, gray: bool = True) -> Problem:
    """A picture from its five-point Laplacian, up to what that leaves free."""
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
    """Two pictures made one by their gradients, α of the first and 1 − α of the second.

    center, radius: of the disk in which the second is mixed in; radius=None mixes it in everywhere.
    """
    one, other = (read_image(name, size=size, gray=gray) for name in (first, second))
    mask = None if radius is None else Disk(center, radius).contains
    differences = blended_differences(one, other, alpha=alpha, mask=mask)
    return Problem("poisson-editing", one.domain, Fit(gradient=differences))


FIT_CASES = (
    Case("image-fit", image_fit, "a picture of 256² pixels; compared with its pixels", 0.05, 75.0),
    Case("audio-fit", audio_fit, "a second of bells, 8000 samples; compared with the samples", 0.05, 25.0),
    Case("video-fit", video_fit, "a film of 24 frames of 48² pixels; compared with its pixels", 0.08, 45.0),
    Case(
        "poisson-gradients", poisson_gradients, "a picture from its gradients, up to a constant", 0.05, 65.0
    ),
    Case(
        "poisson-laplacian",
        poisson_laplacian,
        "a picture from its Laplacian, which leaves a harmonic part open: only the rest is right",
        0.75,
        5.0,
    ),
    Case(
        "poisson-editing",
        poisson_editing,
        "two pictures made one by their gradients; compared with a sparse solve",
        0.1,
        45.0,
    ),
)
