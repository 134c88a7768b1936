"""Tutorial: a picture from its pixels, from its gradients and from its Laplacian, by a sinusoidal network.

`python docs/examples/fits.py` draws docs/images/fits.png, in some five minutes on two cores.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from neurapde.validation.metrics import psnr, without_constant, without_harmonic

# isort: split
# [declare]
import dataclasses

import neurapde as npde


def declare(picture: npde.data.Raster) -> dict[str, npde.Problem]:
    """The picture three times: supervised by its values, by its gradients, by its Laplacian."""
    data = {
        "values": npde.Fit(values=picture),
        "gradient": npde.Fit(gradient=picture.differences()),
        "laplacian": npde.Fit(laplacian=picture.laplacian()),
    }
    return {name: npde.Problem(f"camera-{name}", picture.domain, fit) for name, fit in data.items()}


# [run]
NETWORKS = {
    "values": (npde.Siren(width=128, omega_0=10.0), 1e-3),
    "gradient": (npde.Siren(width=128, omega_0=10.0, omega_hidden=10.0), 1e-3),
    "laplacian": (npde.Siren(width=64, omega_0=5.0, omega_hidden=5.0), 1e-3),
}
"""Network and rate of each: ripples between the pixels fit derivatives at samples too, so start low, and small."""


def run(
    small: bool = False,
) -> tuple[npde.data.Raster, dict[str, npde.Solution], dict[str, npde.validation.Report]]:
    """Fit and compare; `small` takes 24² pixels, narrow networks and few steps."""
    size, steps = (24, 300) if small else (64, 500)
    picture = npde.data.read_image("camera", size=size, gray=True)
    solutions, reports = {}, {}
    for name, problem in declare(picture).items():
        trial, rate = NETWORKS[name]
        trial = dataclasses.replace(trial, width=64) if small else trial
        method = npde.Adam(
            steps,
            lr=rate,
            points=size**2,
            loss=npde.training.MeanSquare(),
            schedule=npde.training.Cosine(),
            record_every=25,
        )
        solutions[name] = npde.solve(problem, trial, method, seed=50413)
        reports[name] = npde.validate(solutions[name], npde.reference(problem))
        print(problem, reports[name], sep="\n", end="\n\n", flush=True)
    return picture, solutions, reports


# [draw]
IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(small: bool = False, folder: Path = IMAGES) -> npde.validation.Report:
    """Run, score and draw."""
    picture, solutions, reports = run(small)
    score(picture, solutions)
    draw(picture, solutions, folder / "fits.png")
    return reports["values"]


def score(picture: npde.data.Raster, solutions: dict[str, npde.Solution]) -> None:
    """Decibels after taking away what the data leave free: a constant, or a harmonic function."""
    for name, solution in solutions.items():
        error = picture.sampled(solution).values - picture.values
        for what, left in (
            ("as it is", error),
            ("without its mean", without_constant(error)),
            ("without its harmonic part", without_harmonic(error)),
        ):
            print(f"{name}, error {what}: {psnr(left + picture.values, picture.values, peak=2):.1f} dB")


def draw(picture: npde.data.Raster, solutions: dict[str, npde.Solution], path: Path) -> None:
    """Values, length of the gradient and Laplacian (columns) of the picture and of each solution (rows)."""
    nodes = picture.shape
    across, up = (slope.values for slope in picture.differences())
    rows = {
        "picture": (
            picture.values - picture.values.mean(),
            np.hypot(across[:, 1:], up[1:, :]),
            picture.laplacian().values,
        )
    }
    for name, solution in solutions.items():
        values = solution(picture.points).reshape(nodes)
        length = np.linalg.norm(solution.gradient(picture.points), axis=1).reshape(nodes)
        rows[f"from its {name}"] = (
            values - values.mean(),
            length,
            solution.laplacian(picture.points).reshape(nodes),
        )
    limits = [float(np.quantile(np.abs(panel), 0.98)) for panel in rows["picture"]]
    styles = [("gray", -limits[0], limits[0]), ("magma", 0.0, limits[1]), ("RdBu_r", -limits[2], limits[2])]
    figure, axes = plt.subplots(3, len(rows), figsize=(2.5 * len(rows), 7.2), layout="constrained")
    for column, (title, panels) in enumerate(rows.items()):
        axes[0, column].set_title(title)
        for row, (values, (cmap, low, high)) in enumerate(zip(panels, styles, strict=True)):
            axes[row, column].imshow(values.T, origin="lower", cmap=cmap, vmin=low, vmax=high)
            axes[row, column].set(xticks=[], yticks=[])
    for panel, label in zip(axes[:, 0], ("values", "length of the gradient", "Laplacian"), strict=True):
        panel.set_ylabel(label)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    plt.close(figure)


if __name__ == "__main__":
    main()
