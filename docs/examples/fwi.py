"""Tutorial: the SIREN paper's inversion. What lies between 5 sources and 30 receivers, at one frequency?

`python docs/examples/fwi.py` draws docs/images/fwi-disk.png, in a minute and a half on one core.
"""

from pathlib import Path

import matplotlib.pyplot as plt

# isort: split
# [record]
import numpy as np

import neurapde as npde

TRUTH = npde.Piecewise(1.0, (npde.Disk(center=(0, 0), radius=0.1), 2.0))


def problem(speed: float | npde.Piecewise, wavenumber: float = 20.0) -> npde.Problem:
    """Waves in the plane, whose outer half lets them out."""
    return npde.Problem(
        name="disk",
        domain=npde.Box((-1, 1), (-1, 1)),
        equation=npde.Helmholtz(wavenumber=wavenumber, speed=speed),
        sources=[npde.GaussianSource(at=(0, -0.347), variance=1e-4, amplitude=1 + 1j)],
        boundary=npde.PML(width=0.5, strength=5.0),
    )


def record(wavenumber: float = 20.0) -> npde.Survey:
    """Five shots below and thirty receivers around, with 2 % of noise, by the reference solver on a grid of its own."""
    sources = np.stack([np.linspace(-0.347, 0.347, 5), np.full(5, -0.347)], axis=1)
    top = np.stack([np.linspace(-0.347, 0.347, 10), np.full(10, 0.402)], axis=1)
    height = np.linspace(-0.253, 0.402, 10)
    sides = [np.stack([np.full(10, x), height], axis=1) for x in (-0.402, 0.402)]
    receivers = np.concatenate([top, *sides])
    waves = problem(TRUTH, wavenumber)
    return npde.Survey.simulate(waves, receivers, sources=sources, noise=0.02, seed=61843)


# [believe]
def velocity(prior: npde.seismic.TotalVariation | None = None) -> npde.Velocity:
    """Unknown in a window between sources and receivers; m = 1/c² is between 0.15 and 1.2."""
    return npde.Velocity(
        bounds=(1.2**-0.5, 0.15**-0.5),
        window=npde.Box((-0.36, 0.36), (-0.36, 0.36)),
        prior=prior or (),
    )


# [run]
def run(
    small: bool = False,
) -> tuple[npde.Survey, dict[str, npde.seismic.Inversion], npde.validation.InversionReport]:
    """Invert with a prior and without, by a network and by values on a grid; `small` takes a longer wave and fewer steps."""
    survey = record(wavenumber=10.0 if small else 20.0)
    print(survey)
    steps = 40 if small else 200
    neural = npde.seismic.Joint(descent=npde.seismic.AdamDescent(steps))
    classical = npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(steps))
    edges = npde.seismic.TotalVariation(weight=3e-3)

    inversions = {
        f"{name}, {'total variation' if prior else 'no prior'}": npde.invert(
            problem(speed=1.0), survey, unknown=velocity(prior), method=method, progress=False
        )
        for prior in (edges, None)
        for name, method in (("network", neural), ("grid", classical))
    }
    for name, inversion in inversions.items():
        print(f"{name}: data to {inversion.residual:.1%}, model error {inversion.model_error(TRUTH):.2f}")

    network, grid, *_ = inversions.values()
    report = npde.validation.inversion_report(network, true=TRUTH, classical=grid, progress=False)
    print(report)
    return survey, inversions, report


# [trust]
def trust(survey: npde.Survey) -> None:
    """Is the gradient the derivative, the adjoint the adjoint, and do waves run back as they came?"""
    for test in (npde.validation.taylor_test, npde.validation.dot_test, npde.validation.reciprocity):
        check = test(problem(speed=1.0), survey, unknown=velocity(), method="joint")
        print(check)
        assert check.passed


# [draw]
IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(small: bool = False, folder: Path = IMAGES) -> npde.validation.InversionReport:
    """Run, test and draw."""
    survey, inversions, report = run(small)
    draw(inversions, folder / "fwi-disk.png")
    trust(survey)
    return report


def draw(inversions: dict[str, npde.seismic.Inversion], path: Path) -> None:
    """The truth, and the models that explain its data equally well."""
    axis = np.linspace(-0.4, 0.4, 161)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    speeds = {"truth": TRUTH(points), **{name: inversion(points) for name, inversion in inversions.items()}}
    figure, axes = plt.subplots(2, 3, figsize=(9, 6.2), layout="constrained")
    order = [axes[0, 0], axes[0, 1], axes[0, 2], axes[1, 1], axes[1, 2]]
    styles = ["-", "-", "--", "-", "--"]
    colors = ["0.75", "C0", "C0", "C1", "C1"]
    for panel, color, style, (name, speed) in zip(order, colors, styles, speeds.items(), strict=True):
        values = speed.reshape(161, 161)
        image = panel.imshow(
            values.T, origin="lower", extent=(-0.4, 0.4, -0.4, 0.4), vmin=0.9, vmax=2.5, cmap="viridis"
        )
        panel.set_title(
            name if name == "truth" else f"{name}\nmodel error {inversions[name].model_error(TRUTH):.2f}"
        )
        width = 6 if name == "truth" else 1.5
        axes[1, 0].plot(axis, values[:, 80], style, color=color, linewidth=width, label=name)
    figure.colorbar(image, ax=order, label="speed", shrink=0.8)
    axes[1, 0].set(xlabel="x", ylabel="speed at y = 0", ylim=(0.8, 4.2), box_aspect=1)
    axes[1, 0].legend(fontsize=7, frameon=False, loc="upper center")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
