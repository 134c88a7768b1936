"""Makes the files of this folder by the release that was to be read ever after.

Run once (`python made_by.py`), before the classes of the package moved; later releases must read what it left.
"""

from pathlib import Path

import numpy as np

import neurapde as npde

HERE = Path(__file__).parent
SQUARE = npde.Box((0, 1), (0, 1))
DISK = npde.Disk((0.5, 0.5), 0.2)
X = np.array([[0.3, 0.4], [0.62, 0.55]])
SPACE_TIME = np.array([[0.3, 0.2], [0.62, 0.45]])


def poisson() -> npde.Problem:
    """A medium in pieces, conditions of three kinds and a cut-out domain."""
    return npde.Problem(
        "pieces",
        npde.domains.Difference(SQUARE, npde.Disk((0.8, 0.8), 0.1)),
        npde.Poisson(npde.Piecewise(1.0, (DISK, 2.0))),
        npde.GaussianSource((0.4, 0.6), 0.02),
        [
            npde.Dirichlet(0.0, ["left", "top", "disk"]),
            npde.Neumann(1.0, "right"),
            npde.Robin(1.0, 0.5, 1.0, "bottom"),
        ],
    )


def helmholtz() -> npde.Problem:
    """An open square with a layer and a lens."""
    speed = npde.GridField(1 + 0.1 * np.outer(np.hanning(9), np.hanning(9)), ((0, 0), (1, 1)))
    source = npde.GaussianSource((0.5, 0.4), 1e-3)
    return npde.Problem("lens", SQUARE, npde.Helmholtz(15.0, speed), source, npde.PML(width=0.25))


def wave() -> npde.Problem:
    """A string that is plucked."""
    domain = npde.Interval(0, 1).over(npde.Time(0, 0.5))
    pluck = npde.GridField(np.hanning(17), ((0,), (1,)))
    return npde.Problem(
        "string", domain, npde.Wave(1.0), (), [npde.Dirichlet(0.0), npde.InitialCondition(pluck)]
    )


def train(**settings: object) -> npde.Solution:
    """A checkpoint of two stages, of a network with Fourier features and a condition that is built in."""
    declared = npde.Problem(
        "hard", SQUARE, npde.Poisson(), npde.GaussianSource((0.4, 0.6), 0.02), npde.Dirichlet(0.0, hard=True)
    )
    steps = [npde.Adam(steps=2, points=16, schedule=npde.training.Cosine()), npde.LBFGS(steps=2, points=16)]
    trial = npde.FourierFeatures(width=4, depth=1, features=3)
    return npde.solve(declared, trial, steps, seed=51907, device="cpu", progress=False, **settings)


def survey() -> npde.Survey:
    """Four receivers, two shots, two frequencies."""
    at = np.linspace(0.3, 0.7, 4)
    data = np.exp(1j * np.arange(16)).reshape(2, 2, 4)
    return npde.Survey(
        [[0.4, 0.35], [0.6, 0.35]],
        np.stack([at, at * 0 + 0.65], axis=1),
        data=data,
        frequencies=[2.0, 3.0],
        name="four",
    )


def invert(**settings: object) -> npde.seismic.Inversion:
    """One step a frequency, of values on a grid with two priors."""
    unknown = npde.Velocity(
        1.0,
        (0.7, 1.5),
        npde.seismic.Gridded((7, 7)),
        [npde.seismic.TotalVariation(1e-3), npde.seismic.Tikhonov(1e-3)],
        None,
        DISK,
    )
    method = npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(2), spacing=0.05)
    return npde.invert(
        survey(),
        velocity=unknown,
        domain=SQUARE,
        boundary=npde.PML(width=0.15),
        method=method,
        progress=False,
        **settings,
    )


def main() -> None:
    """Make every file, and print what the first release found in it."""
    made = {
        "pieces.h5": npde.solve(poisson(), progress=False),
        "lens.h5": npde.solve(helmholtz(), progress=False),
        "string.h5": npde.solve(wave(), progress=False),
        "trained.h5": train(out=HERE),
    }
    for name, solution in made.items():
        solution.save(HERE / name)
        print(name, solution(SPACE_TIME if name == "string.h5" else X))
    survey().save(HERE / "survey.h5")
    inversion = invert(out=HERE)
    inversion.save(HERE / "inversion.h5")
    print("inversion.h5", inversion(X))


if __name__ == "__main__":
    main()
