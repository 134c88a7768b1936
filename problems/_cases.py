"""The declared problems in one list: names, what they are, how long they take and how wrong they may be.

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
    ("helmholtz-uniform", "a point-like source in a uniform medium; exact solution known", 0.005, 1),
    ("helmholtz-disk", "a source beside a disk of twice the speed; exact series known", 0.003, 1),
    ("helmholtz-square", "a source beside a square of twice the speed; compared with a fine grid", 0.005, 6),
)
POISSON_CASES = _cases(
    "poisson",
    ("poisson-rod", "varying conductivity on an interval, value left and slope right", 1e-06, 1),
    ("poisson-square", "a manufactured solution on a square", 1e-06, 4),
    ("poisson-disk", "varying conductivity on a disk", 1e-06, 1),
    ("poisson-l-shape", "the singular corner of an L", 1e-06, 0.1),
    ("poisson-inclusion", "a disk 100 times as conductive as the square around it", 0.001, 30),
    ("poisson-darcy", "flow through a random medium of two phases, given on a grid", 0.002, 3),
)
FIT_CASES = _cases(
    "fits",
    ("image-fit", "a picture of 256² pixels; compared with its pixels", 0.05, 75.0),
    ("audio-fit", "7 s of music at 44.1 kHz; compared with the samples", 0.05, 400.0),
    ("video-fit", "a film of 60 frames of 96² pixels; compared with its pixels", 0.08, 400.0),
    ("poisson-gradients", "a picture from its gradients, up to a constant", 0.05, 65.0),
    (
        "poisson-laplacian",
        "a picture from its Laplacian, which leaves a harmonic part open: only the rest is right",
        0.75,
        5.0,
    ),
    (
        "inpainting",
        "a picture from a tenth of its pixels and its total variation; compared with all of them",
        0.3,
        40.0,
    ),
    ("poisson-editing", "two pictures made one by their gradients; compared with a sparse solve", 0.1, 45.0),
)
EIKONAL_CASES = _cases(
    "eikonal",
    ("sdf-sphere", "signed distance of a sphere, exact distance known", 0.02, 20),
    ("sdf-torus", "signed distance of a torus, exact distance known", 0.02, 20),
    ("sdf-mesh", "signed distance of a point cloud from a mesh file of a bumpy ball", 0.03, 25),
    (
        "sdf-room",
        "signed distance of an open scene of the size of a room, from points with normals",
        0.15,
        40,
    ),
    ("travel-time-gradient", "first arrivals where the speed grows linearly; exact times known", 0.001, 15),
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
        "a narrow Gaussian let go in a uniform plane (the SIREN paper's); exact solution known",
        0.003,
        2,
    ),
    (
        "wave-disk",
        "a narrow Gaussian let go beside a disk of twice the speed; compared with leapfrog",
        0.01,
        7,
    ),
    (
        "wave-ricker",
        "a Ricker wavelet past a disk and out through absorbing layers; compared with leapfrog",
        0.02,
        20,
    ),
    ("wave-string", "a string between fixed ends, in one dimension; exact solution known", 0.0005, 1),
)
CLASSIC_CASES = _cases(
    "classics",
    ("heat", "A rod that cools, exact.", 1e-05, 1),
    ("boundary-layer", "What is carried along piles up in a layer of width 0.01, exact.", 1e-05, 1),
    ("bratu", "A reaction near the fold of its branches, λ = 3, exact.", 1e-06, 1),
    ("kovasznay", "A steady flow behind a grid, velocities and pressure, exact.", 1e-05, 26),
)
EVOLUTION_CASES = _cases(
    "evolutions",
    ("burgers", "A front that steepens, viscosity 0.01/π, by Cole's and Hopf's integrals.", 1e-06, 3),
    ("allen-cahn", "Phases that part on a circle, against Fourier's method.", 1e-05, 6),
    ("kdv", "A soliton overtakes another; a third derivative.", 1e-06, 6),
    ("schrodinger", "Two solitons that beat, a complex field.", 1e-06, 6),
    ("kuramoto-sivashinsky", "Wrinkling flames to t = 20, against Fourier's method.", 1e-05, 4),
    ("gray-scott", "A spot that spreads in its food to t = 200, against Fourier's method.", 1e-05, 6),
)
SYSTEM_CASES = _cases(
    "systems",
    ("lotka-volterra", "Predators and prey over two generations, against SciPy.", 1e-08, 1),
    ("lorenz", "Chaotic convection in three numbers to t = 3, against SciPy.", 1e-08, 1),
    ("van-der-pol", "A stiff oscillator that creeps and jumps, against SciPy.", 1e-06, 3),
)
_FWI: tuple[Row, ...] = (
    ("fwi-disk", "the SIREN paper's inversion: a disk among 30 receivers at one frequency", 0.3, 12),
    ("fwi-two-disks", "two disks in a ring of receivers, three frequencies", 0.3, 12),
    ("fwi-overthrust", "a slice of the Overthrust model from its surface, 3 to 12 Hz", 1.0, 120),
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
