"""Tutorial: waves in space and time, by sines that move, checked by leapfrog.

`python docs/examples/wave.py` draws the pictures of docs/wave.md, in about a minute on two cores.
"""

from pathlib import Path

import matplotlib.pyplot as plt

# isort: split
# [declare]
import numpy as np

import neurapde as npde


def declare(variance: float = 5e-4, stop: float = 0.5) -> npde.Problem:
    """A Gaussian let go beside a disk in which waves travel twice as fast; the sides let them out."""
    disk = npde.Disk(center=(0, 0), radius=0.1)

    def start(x: np.ndarray) -> np.ndarray:
        return npde.exp(-((x[:, 0] + 0.25) ** 2 + x[:, 1] ** 2) / (2 * variance))

    return npde.Problem(
        name="wave-disk",
        domain=npde.Box((-1, 1), (-1, 1)).over(npde.Time(0, stop)),
        equation=npde.Wave(speed=npde.Piecewise(1.0, (disk, 2.0))),
        boundary=[npde.InitialCondition(start, velocity=0.0), npde.Absorbing()],
    )


# [run]
def run(
    small: bool = False,
) -> tuple[npde.Solution, npde.validation.GridSolution, npde.validation.Report]:
    """Solve and check; `small` takes a wider Gaussian."""
    problem = declare(variance=1e-2 if small else 5e-4)
    print(problem)

    solution = npde.solve(problem)
    for note in solution.notes:
        print(note)

    reference = npde.reference(problem)
    report = npde.validate(solution, reference)
    print(report)
    return solution, reference, report


# [draw]
IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(small: bool = False, folder: Path = IMAGES) -> npde.validation.Report:
    """Run and draw."""
    solution, reference, report = run(small)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wave-snapshots.png").write_bytes(report.pictures()["fields.png"][1])
    traces(solution, reference, folder / "wave-traces.png")
    return report


def traces(solution: npde.Solution, reference: npde.validation.GridSolution, path: Path) -> None:
    """What four receivers in a row behind the disk record, from the sines and from the grid."""
    receivers = np.array([[0.0, 0.0], [0.1, 0.0], [0.15, 0.1], [0.2, 0.0]])
    times = np.linspace(0, 0.5, 401)
    figure, panel = plt.subplots(figsize=(7, 3), layout="constrained")
    ours, grid = (npde.seismic.seismogram(field, receivers, times) for field in (solution, reference))
    for i, (x, y) in enumerate(receivers):
        shift = 2.2 * i * np.abs(grid).max()
        panel.plot(times, grid[:, i] + shift, color="0.75", linewidth=4, label="grid" if i == 0 else None)
        panel.plot(
            times, ours[:, i] + shift, color="#0b559f", linewidth=1.2, label="sines" if i == 0 else None
        )
        panel.text(0.002, shift + 0.15 * np.abs(grid).max(), f"({x:g}, {y:g})", fontsize=9)
    panel.set_xlabel("t")
    panel.set_yticks([])
    figure.legend(frameon=False, loc="outside upper right", ncols=2)
    panel.spines[["top", "right", "left"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
