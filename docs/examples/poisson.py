"""Tutorial: Poisson's equation on an L with a conducting inclusion and on a DeepXDE user's own equation.

`python docs/examples/poisson.py` draws docs/images/poisson.png, in about a minute on two cores.
"""

from pathlib import Path

import matplotlib.pyplot as plt

# isort: split
# [declare]
import numpy as np

import neurapde as npde


def inclusion(contrast: float = 100.0) -> npde.Problem:
    """A disk that conducts `contrast` times as well as the L around it; heat is made everywhere, the sides are cold."""
    corners = [(-1, -1), (0, -1), (0, 0), (1, 0), (1, 1), (-1, 1)]
    disk = npde.Disk(center=(-0.45, 0.45), radius=0.25)
    return npde.Problem(
        name="poisson-inclusion-in-l",
        domain=npde.Polygon(corners),
        equation=npde.Poisson(coefficient=npde.Piecewise(1.0, (disk, contrast))),
        sources=[1.0],
        boundary=npde.Dirichlet(0.0),
    )


# [own]
def heat() -> npde.Problem:
    """The heat equation u_t = u_xx/10 as a residual of one's own, with time as the second axis."""
    return npde.Problem(
        name="heat",
        domain=npde.Box((0, 1), (0, 2)),
        equation=npde.Equation(lambda x, u: u.d(1) - 0.1 * u.d2(0)),
        boundary=[
            npde.Dirichlet(lambda x: npde.sin(np.pi * x[:, 0]), on="bottom"),
            npde.Dirichlet(0.0, on=("left", "right")),
        ],
        exact=lambda x: npde.sin(np.pi * x[:, 0]) * npde.exp(-0.1 * np.pi**2 * x[:, 1]),
    )


# [run]
def run(small: bool = False) -> tuple[npde.Solution, npde.Solution, npde.validation.Report]:
    """Solve both, and check the second exactly; `small` asks for fewer digits."""
    method = npde.LeastSquares(tolerance=1e-2 if small else 1e-3)
    problem = inclusion(contrast=10.0 if small else 100.0)
    print(problem)
    solution = npde.solve(problem, method=method)
    for note in solution.notes:
        print(note)

    heated = npde.solve(heat())
    report = npde.validate(heated)
    print(report)
    return solution, heated, report


# [draw]
IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(small: bool = False, folder: Path = IMAGES) -> npde.validation.Report:
    """Run and draw."""
    solution, heated, report = run(small)
    draw(solution, heated, folder / "poisson.png")
    return report


def draw(solution: npde.Solution, heated: npde.Solution, path: Path) -> None:
    """The temperature in the L, its gradient, and the heat equation in space and time."""
    axis = np.linspace(-1, 1, 241)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    slope = np.linalg.norm(solution.gradient(points), axis=1)
    unit = (points + 1) / 2 * (1, 2)
    square, strip = (-1, 1, -1, 1), (0, 1, 0, 2)
    panels = [
        ("u on the L", solution(points), square, {}),
        ("|∇u|", slope, square, {"vmax": float(np.nanquantile(slope, 0.99))}),
        ("heat equation", heated(unit), strip, {"aspect": "auto"}),
    ]
    figure, axes = plt.subplots(1, 3, figsize=(10, 2.9), layout="constrained")
    for panel, (title, values, extent, style) in zip(axes, panels, strict=True):
        image = panel.imshow(
            values.reshape(241, 241).T, origin="lower", extent=extent, cmap="viridis", **style
        )
        panel.set_title(title)
        figure.colorbar(image, ax=panel, shrink=0.85)
    axes[2].set(xlabel="x", ylabel="t")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
