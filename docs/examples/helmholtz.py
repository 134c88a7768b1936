"""Tutorial: a wave that meets a disk, solved, checked on a grid and by an exact series.

`python docs/examples/helmholtz.py` draws docs/images/helmholtz-disk.png, in some ten seconds on two cores.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

# isort: split
# [declare]
import neurapde as npde


def declare(wavenumber: float = 20.0) -> npde.Problem:
    """A source beside a disk in which waves travel twice as fast, in a square that absorbs at its sides."""
    disk = npde.Disk(center=(0, 0), radius=0.1)
    return npde.Problem(
        name="helmholtz-disk",
        domain=npde.Box((-1, 1), (-1, 1)),
        equation=npde.Helmholtz(wavenumber=wavenumber, speed=npde.Piecewise(1.0, (disk, 2.0))),
        sources=[npde.GaussianSource(at=(-0.35, 0.0), variance=1e-4, amplitude=1 + 1j)],
        boundary=npde.PML(width=0.5, strength=5.0),
    )


# [run]
def run(
    small: bool = False,
) -> tuple[npde.Solution, npde.validation.GridSolution, npde.validation.Report]:
    """Solve and check; `small` takes a longer wave and a coarser grid."""
    problem = declare(wavenumber=8.0 if small else 20.0)
    print(problem)

    solution = npde.solve(problem, seed=50413)
    for note in solution.notes:
        print(note)

    reference = npde.reference(problem, shape=(101, 101) if small else (257, 257))
    report = npde.validate(solution, reference)
    print(report)
    return solution, reference, report


# [draw]
IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(small: bool = False, folder: Path = IMAGES) -> npde.validation.Report:
    """Run and draw."""
    solution, reference, report = run(small)
    draw(solution, reference, folder / "helmholtz-disk.png")
    return report


def draw(solution: npde.Solution, reference: npde.validation.GridSolution, path: Path) -> None:
    """Both wavefields and the size of their difference, on the region that does not absorb."""
    axis = np.linspace(-0.5, 0.5, 151)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    solved, grid = (field(points).reshape(151, 151) for field in (solution, reference))
    scale = float(np.quantile(np.abs(grid), 0.99))
    panels = [
        ("solution", solved.real, {"cmap": "RdBu_r", "vmin": -scale, "vmax": scale}),
        ("grid", grid.real, {"cmap": "RdBu_r", "vmin": -scale, "vmax": scale}),
        ("|difference|", np.abs(solved - grid), {"cmap": "magma", "vmin": 0.0}),
    ]
    figure, axes = plt.subplots(1, 3, figsize=(10, 2.9), layout="constrained")
    for panel, (title, values, style) in zip(axes, panels, strict=True):
        image = panel.imshow(values.T, origin="lower", extent=(-0.5, 0.5, -0.5, 0.5), **style)
        panel.add_patch(plt.Circle((0, 0), 0.1, fill=False, color="0.5", linewidth=0.8))
        panel.set_title(title)
        figure.colorbar(image, ax=panel, shrink=0.85)
    figure.suptitle(f"{solution.required_problem.name}: real part of the wavefield")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
