"""The declared problems in one list: names, summaries, times and tolerances.

Their modules are imported when a problem is made: `neurapde list` needs none of them.
"""

from neurapde.late import Late
from neurapde.problems._case import Case, InversionCase

Row = tuple[str, str, float, float]


def _made_by(module: str, name: str) -> Late:
    """The function of a file that declares the problem: it has the problem's name, with underscores."""
    return Late(f"neurapde.problems.{module}", name.replace("-", "_"))


def _cases(module: str, *rows: Row) -> tuple[Case, ...]:
    """Name, summary, tolerance and seconds of each case of a file."""
    return tuple(
        Case(name, _made_by(module, name), text, tolerance, seconds)
        for name, text, tolerance, seconds in rows
    )


HELMHOLTZ_CASES = _cases(
    "helmholtz",
    ("helmholtz-uniform", "a narrow source in a uniform medium; compared with the exact solution", 0.005, 1),
    ("helmholtz-disk", "a source beside a disk of twice the speed; compared with the exact series", 0.003, 1),
    ("helmholtz-square", "a source beside a square of twice the speed; compared with a fine grid", 0.005, 6),
)
POISSON_CASES = _cases(
    "poisson",
    ("poisson-rod", "varying conductivity on an interval; compared with the exact solution", 1e-06, 1),
    ("poisson-square", "a smooth field on a square; compared with the exact solution", 1e-06, 4),
    ("poisson-disk", "varying conductivity on a disk; compared with the exact solution", 1e-06, 1),
    (
        "poisson-l-shape",
        "a singular field at the corner of an L; compared with the exact solution",
        1e-06,
        0.1,
    ),
    (
        "poisson-inclusion",
        "a disk 100 times as conductive as its square; compared with the exact solution",
        0.001,
        30,
    ),
    ("poisson-darcy", "flow through a random medium of two phases; compared with finite volumes", 0.002, 3),
)
FIT_CASES = _cases(
    "fits",
    ("image-fit", "an image of 256² pixels; compared with its pixels", 0.05, 75.0),
    ("audio-fit", "music of 7 s at 44.1 kHz; compared with its samples", 0.05, 400.0),
    ("video-fit", "a video of 60 frames of 96² pixels; compared with its pixels", 0.08, 400.0),
    (
        "poisson-gradients",
        "an image from its gradients, up to a constant; compared with its pixels",
        0.05,
        65.0,
    ),
    (
        "poisson-laplacian",
        "an image from its Laplacian, up to a harmonic function; compared with its pixels",
        0.75,
        5.0,
    ),
    (
        "inpainting",
        "an image from a tenth of its pixels, with total variation; compared with all pixels",
        0.3,
        40.0,
    ),
    ("poisson-editing", "two images blended by their gradients; compared with a sparse solve", 0.1, 45.0),
)
EIKONAL_CASES = _cases(
    "eikonal",
    ("sdf-sphere", "signed distance of a sphere; compared with the exact distance", 0.02, 20),
    ("sdf-torus", "signed distance of a torus; compared with the exact distance", 0.02, 20),
    (
        "sdf-mesh",
        "signed distance of a bumpy ball, from a point cloud; compared with the distance to the points",
        0.03,
        25,
    ),
    (
        "sdf-room",
        "signed distance of a room, from points with normals; compared with the distance to the points",
        0.15,
        40,
    ),
    (
        "travel-time-gradient",
        "first arrivals where the speed grows linearly; compared with exact times",
        0.001,
        15,
    ),
    (
        "travel-time-layers",
        "first arrivals through layers that are faster below; compared with fast sweeping",
        0.005,
        15,
    ),
)
WAVE_CASES = _cases(
    "wave",
    (
        "wave-uniform",
        "a narrow Gaussian spreads in a uniform plane (SIREN paper); compared with the exact solution",
        0.003,
        2,
    ),
    (
        "wave-disk",
        "a narrow Gaussian spreads beside a disk of twice the speed; compared with leapfrog",
        0.01,
        7,
    ),
    (
        "wave-ricker",
        "a Ricker wavelet passes a disk and leaves through absorbing layers; compared with leapfrog",
        0.02,
        20,
    ),
    ("wave-string", "a string between fixed ends; compared with the exact solution", 0.0005, 1),
)
CLASSIC_CASES = _cases(
    "classics",
    ("heat", "a rod that cools; compared with the exact solution", 1e-05, 1),
    (
        "boundary-layer",
        "advection and diffusion with a layer of width 0.01; compared with the exact solution",
        1e-05,
        1,
    ),
    ("bratu", "a reaction near the fold of its solutions, λ = 3; compared with the exact solution", 1e-06, 1),
    (
        "kovasznay",
        "a steady flow behind a grid: velocities and pressure; compared with the exact solution",
        1e-05,
        26,
    ),
)
EVOLUTION_CASES = _cases(
    "evolutions",
    ("burgers", "a front that steepens, viscosity 0.01/π; compared with the Cole–Hopf integrals", 1e-06, 3),
    ("allen-cahn", "two phases that separate on a circle; compared with a Fourier method", 1e-05, 6),
    ("kdv", "a soliton overtakes another; compared with the exact solution", 1e-06, 6),
    ("schrodinger", "two solitons that beat, a complex field; compared with the exact solution", 1e-06, 6),
    ("kuramoto-sivashinsky", "wrinkling flames to t = 20; compared with a Fourier method", 1e-05, 4),
    ("gray-scott", "a chemical spot that spreads, to t = 200; compared with a Fourier method", 1e-05, 6),
)
SYSTEM_CASES = _cases(
    "systems",
    ("lotka-volterra", "predators and prey; compared with SciPy", 1e-08, 1),
    ("lorenz", "chaotic convection in three variables to t = 3; compared with SciPy", 1e-08, 1),
    ("van-der-pol", "a stiff oscillator with slow and fast phases; compared with SciPy", 1e-06, 3),
)
_FWI: tuple[Row, ...] = (
    ("fwi-disk", "the SIREN paper's inversion: a disk among 30 receivers, one frequency", 0.3, 12),
    ("fwi-two-disks", "two disks in a ring of receivers, three frequencies", 0.3, 12),
    ("fwi-overthrust", "a slice of the Overthrust model, recorded at its surface, 3 to 12 Hz", 1.0, 120),
    ("fwi-segy", "traces between two wells, through a SEG-Y file, wavelet unknown", 0.6, 30),
)
FWI_CASES = tuple(
    InversionCase(name, _made_by("inversions.fwi", name), text, tolerance, seconds)
    for name, text, tolerance, seconds in _FWI
)

CASES: tuple[Case, ...] = (
    *HELMHOLTZ_CASES,
    *POISSON_CASES,
    *FIT_CASES,
    *EIKONAL_CASES,
    *WAVE_CASES,
    *CLASSIC_CASES,
    *EVOLUTION_CASES,
    *SYSTEM_CASES,
)
INVERSIONS: tuple[InversionCase, ...] = FWI_CASES
