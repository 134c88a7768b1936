"""Tutorial: a SEG-Y file, from its traces to a velocity.

`python docs/examples/segy.py` draws the pictures of docs/segy.md, in a minute or two on two cores. It needs segyio,
`pip install 'neurapde[seismic]'`.
"""

import tempfile

from neurapde.core.pictures.style import png
from neurapde.validation.inversions.survey_figures import figure

# isort: split
# [write]
from pathlib import Path

import numpy as np

import neurapde as npde

LENS = npde.Disk(center=(210.0, 160.0), radius=45.0)
TRUE = npde.Piecewise(2000.0, (LENS, 2400.0))


def problem(speed: float | npde.Piecewise) -> npde.Problem:
    """Waves between two wells below a free surface, metres and seconds, depth positive downwards."""
    return npde.Problem(
        name="two wells",
        domain=npde.Box((0, 400), (0, 300)).over(npde.Time(0, 0.65)),
        equation=npde.Wave(speed=speed),
        sources=[npde.RickerSource(at=(30.0, 150.0), peak_frequency=15.0)],
        boundary=[  # the lower y is the surface, where y is a depth
            npde.Dirichlet(0.0, on="bottom"),
            npde.Absorbing(on=("left", "right", "top")),
        ],
    )


def write(path: Path, shots: int, receivers: int) -> None:
    """What is recorded of the true speed, as a SEG-Y file."""
    left = np.column_stack([np.full(shots, 30.0), np.linspace(20.0, 280.0, shots)])
    right = np.column_stack([np.full(receivers, 370.0), np.linspace(12.0, 288.0, receivers)])
    survey = npde.Survey.simulate(problem(TRUE), right, sources=left, dt=0.002, noise=0.05, seed=48271)
    survey.write(path, ibm=True)


# [read]
def read(path: Path) -> npde.Survey:
    """The survey in a file, and what is to be checked of it."""
    survey = npde.Survey.read(path, noise=0.05)
    print(survey)
    print(survey.quality())
    return survey


# [invert]
def invert(survey: npde.Survey, steps: int) -> npde.seismic.Inversion:
    """From 8 Hz upwards; the wavelet, which the file does not hold, is estimated on the way."""
    return npde.invert(
        problem(speed=2000.0),
        survey,
        unknown=npde.Velocity(
            bounds=(1600.0, 2800.0),
            trial=npde.Siren(width=64, depth=2, omega_0=20.0, omega_hidden=5.0),
            prior=npde.seismic.TotalVariation(1e-3),
            window=npde.Box((60, 340), (0, 300)),
        ),
        method=npde.seismic.Reduced(
            per_wavelength=8.0, descent=npde.seismic.GaussNewtonDescent(steps=steps, inner=30)
        ),
        frequencies=npde.seismic.Continuation([8.0], [12.0], [16.0]),
    )


# [run]
def run(
    path: Path, small: bool = False
) -> tuple[npde.Survey, npde.seismic.Inversion, npde.validation.InversionReport]:
    """Write, read, invert and report; `small` takes fewer shots and steps."""
    write(path, *((4, 12) if small else (12, 47)))
    survey = read(path)
    inversion = invert(survey, 5 if small else 8)
    print(inversion)
    report = npde.validation.inversion_report(inversion, true=TRUE)
    print(report)
    return survey, inversion, report


# [draw]
IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(small: bool = False, folder: Path = IMAGES) -> npde.validation.InversionReport:
    """Run and draw."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        survey, _, report = run(Path(place) / "wells.sgy", small)
    (folder / "segy-survey.png").write_bytes(png(figure(survey, npde.Box((0, 400), (0, 300)))))
    for name in ("models", "data"):
        (folder / f"segy-{name}.png").write_bytes(report.pictures()[f"{name}.png"][1])
    return report


if __name__ == "__main__":
    main()
