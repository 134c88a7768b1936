"""Tutorial: a mesh file as the zero set of a small network, and travel times through a medium of varying speed.

`python docs/examples/eikonal.py` draws docs/images/eikonal.png, in some two minutes on two cores.
"""

import matplotlib.pyplot as plt
import numpy as np

# isort: split
# [distance]
import tempfile
from pathlib import Path

import neurapde as npde
from neurapde.problems.eikonal import GradientSpeed, GradientTime, write_bumpy_ball


def distance(file: Path, count: int = 20_000) -> npde.Problem:
    """The signed distance of a cloud of points drawn from a mesh file, in the cube [−1, 1]³."""
    cloud = npde.Mesh(file).cloud(count)
    return npde.Problem(
        name="distance",
        domain=npde.Box((-1, 1), (-1, 1), (-1, 1)),
        equation=npde.Eikonal(surface=cloud),
    )


# [times]
def times() -> npde.Problem:
    """First arrivals from a point, in a square where the speed grows with depth and a little to the right."""
    speed, at = GradientSpeed(1.0, (0.5, -1.5)), (0.3, -0.2)
    return npde.Problem(
        name="times",
        domain=npde.Box((0, 1), (-1, 0)),
        equation=npde.Eikonal(speed=speed),
        sources=npde.PointSource(at),
        exact=GradientTime(speed, at),
    )


# [run]
def fitted(problem: npde.Problem, small: bool) -> npde.Solution:
    """The distance, by default settings or by a small network and few steps."""
    if not small:
        return npde.solve(problem)
    method = npde.NaturalGradient(
        steps=16,
        points={"surface": 200, "normals": 100, "off-surface": 1, "eikonal": 200, "distance": 500},
        weights={"surface": 10.0, "normals": 0.1, "off-surface": 0.0, "eikonal": 0.1, "distance": 10.0},
    )
    return npde.solve(problem, npde.Siren(width=12, depth=1, omega_0=4, omega_hidden=4), method)


def run(small: bool = False) -> tuple[npde.Solution, npde.Mesh, npde.Solution, npde.validation.Report]:
    """Solve both and measure; `small` takes a small network and few steps."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "bumpy-ball.ply"
        write_bumpy_ball(path, nodes=33 if small else 65)
        problem, mesh = distance(path, count=2000 if small else 20_000), npde.Mesh(path)
    shape = fitted(problem, small)
    nodes = 33 if small else 97
    print(
        problem, *shape.notes, npde.validation.surface_errors(shape, mesh, nodes=nodes), sep="\n", end="\n\n"
    )

    problem = times()
    arrivals = npde.solve(problem, method=npde.NaturalGradient(steps=12, points=600) if small else None)
    reference = npde.reference(problem, shape=51 if small else 301)
    report = npde.validate(arrivals, reference)
    print(problem, report, sep="\n")
    return shape, mesh, arrivals, report


# [draw]
IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(small: bool = False, folder: Path = IMAGES) -> npde.validation.Report:
    """Run and draw."""
    shape, mesh, arrivals, report = run(small)
    draw(shape, mesh, arrivals, folder / "eikonal.png", nodes=33 if small else 97)
    return report


def draw(shape: npde.Solution, mesh: npde.Mesh, arrivals: npde.Solution, path: Path, nodes: int) -> None:
    """The zero set, a slice of the distance and its error; the wavefronts over the speed, and their error."""
    figure = plt.figure(figsize=(11, 6.6), layout="constrained")
    surface = npde.validation.zero_set(shape, nodes)
    panel = figure.add_subplot(2, 3, 1, projection="3d")
    panel.plot_trisurf(*surface.points.T, triangles=surface.cells, color="0.8", linewidth=0)
    panel.set(
        title="zero set", box_aspect=(1, 1, 1), xticks=(-0.5, 0.5), yticks=(-0.5, 0.5), zticks=(-0.5, 0.5)
    )

    axis = np.linspace(-1, 1, 121)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    points = np.stack([x, y, 0.25 + 0 * x], axis=-1).reshape(-1, 3)
    values, exact = (field(points).reshape(x.shape) for field in (shape, mesh.signed_distance))
    panel = figure.add_subplot(2, 3, 2, title="distance Φ at z = 0.25", aspect="equal")
    image = panel.pcolormesh(x, y, values, cmap="RdBu_r", vmin=-1, vmax=1)
    panel.contour(x, y, values, levels=np.arange(-0.4, 1, 0.1), colors="0.4", linewidths=0.5)
    panel.contour(x, y, values, levels=[0], colors="black", linewidths=1.8)
    panel.contour(x, y, exact, levels=[0], colors="gold", linewidths=1.2, linestyles="dashed")
    figure.colorbar(image, ax=panel, shrink=0.85)
    panel = figure.add_subplot(2, 3, 3, title="|Φ − distance to the mesh|", aspect="equal")
    image = panel.pcolormesh(x, y, np.abs(values - exact), cmap="magma", vmin=0, vmax=0.03)
    figure.colorbar(image, ax=panel, shrink=0.85)

    x, y = np.meshgrid(np.linspace(0, 1, 121), np.linspace(-1, 0, 121), indexing="ij")
    points = np.stack([x, y], axis=-1).reshape(-1, 2)
    problem = arrivals.required_problem
    values, exact = (field(points).reshape(x.shape) for field in (arrivals, problem.exact))
    speed = problem.equation.speed(points).reshape(x.shape)
    panels = [figure.add_subplot(2, 3, k, aspect="equal") for k in (4, 5, 6)]
    images = [
        panels[0].pcolormesh(x, y, speed, cmap="viridis"),
        panels[1].pcolormesh(x, y, values, cmap="Greys", vmin=0),
        panels[2].pcolormesh(x, y, np.abs(values - exact), cmap="magma", vmin=0),
    ]
    panels[0].set_title("speed c")
    panels[1].set_title("travel time T, exact dashed")
    panels[1].contour(x, y, values, levels=np.arange(0.05, 1, 0.05), colors="#0b559f", linewidths=1.6)
    panels[1].contour(
        x, y, exact, levels=np.arange(0.05, 1, 0.05), colors="gold", linewidths=0.8, linestyles="dashed"
    )
    panels[2].set_title("|T − exact|")
    for panel, image in zip(panels, images, strict=True):
        panel.plot(0.3, -0.2, "*", color="#c4410c", markersize=9)
        figure.colorbar(image, ax=panel, shrink=0.85)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)


if __name__ == "__main__":
    main()
