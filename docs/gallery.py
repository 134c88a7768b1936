"""The gallery: a picture of each named problem, as its default method solves it, and the page that shows them.

`python docs/gallery.py` solves what has no picture yet and draws it into docs/images/gallery. All of them
take an hour of a core.
`python docs/gallery.py NAME …` draws these anew. The docs build makes the page.
"""

import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import neurapde as npde
from neurapde.problems import CASES, INVERSIONS, Case, InversionCase

DOCS = Path(__file__).resolve().parent
PICTURES = DOCS / "images" / "gallery"
PAGE = DOCS / "api" / "gallery.md"
SIZE, DOTS = (4.0, 3.0), 110
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Waves at one frequency": ("helmholtz-*",),
    "Potentials and flow": (
        "poisson-rod", "poisson-square", "poisson-disk", "poisson-l-shape", "poisson-inclusion", "poisson-darcy",
    ),
    "Waves in time": ("wave-*",),
    "Equations by their own residual": (
        "heat", "boundary-layer", "bratu", "kovasznay", "burgers", "allen-cahn", "kdv", "schrodinger",
        "kuramoto-sivashinsky", "gray-scott",
    ),
    "Ordinary differential equations": ("lotka-volterra", "lorenz", "van-der-pol"),
    "Distances and travel times": ("sdf-*", "travel-time-*"),
    "Pictures, sound and films": (
        "image-fit", "audio-fit", "video-fit", "poisson-gradients", "poisson-laplacian", "poisson-editing", "inpainting",
    ),
    "Inversion": ("fwi-*",),
}  # fmt: skip
"""Headings, and the names below them."""
VIEWS: Mapping[str, Mapping[str, Any]] = {
    "wave-uniform": {"at": 0.35},
    "wave-disk": {"at": 0.35},
    "wave-ricker": {"at": 0.8},
    "schrodinger": {"part": "abs"},
    "sdf-room": {"at": 0.5},
}
"""What `solution.plot` is told; nothing for most."""


def named(patterns: tuple[str, ...]) -> list[Case | InversionCase]:
    """The problems below a heading, in the order of `neurapde list`."""
    return [
        case for case in (*CASES, *INVERSIONS) if any(fnmatchcase(case.name, pattern) for pattern in patterns)
    ]


def draw(case: Case | InversionCase, panel: Axes) -> None:
    """What the default method finds."""
    if isinstance(case, InversionCase):
        case.factory().invert().plot(panel)
        return
    problem = case.factory()
    solution = npde.solve(problem)
    if isinstance(problem.equation, npde.Fit):
        sampled(solution, panel)
    elif problem.domain.dimension == 1 and problem.equation.outputs > 1:
        components(solution, panel)
    else:
        solution.plot(panel, **VIEWS.get(case.name, {}))


def sampled(solution: npde.Solution, panel: Axes) -> None:
    """A picture, the middle of a film, or the first 20 ms of a sound."""
    lower, upper = solution.problem.domain.bounds
    if len(lower) == 1:
        times = np.linspace(lower[0], lower[0] + 0.02, 600)
        panel.plot(1000 * (times - lower[0]), solution(times[:, None]), linewidth=1)
        panel.set(xlabel="time (ms)", ylabel="pressure")
        return
    x, y = np.linspace(lower[0], upper[0], 256), np.linspace(upper[1], lower[1], 256)
    middle = [np.full((256, 256), 0.5 * (low + high)) for low, high in zip(lower[2:], upper[2:], strict=True)]
    points = np.stack([*np.meshgrid(x, y), *middle], axis=-1).reshape(256 * 256, -1)
    values = solution(points).reshape(256, 256, -1)
    panel.imshow(np.clip(values, 0, 1).squeeze(), cmap="gray", vmin=0, vmax=1)
    panel.set_axis_off()


def components(solution: npde.Solution, panel: Axes) -> None:
    """All components over time."""
    (low,), (high,) = solution.problem.domain.bounds
    axis = np.linspace(low, high, 1001)
    for index, values in enumerate(solution(axis[:, None]).T):
        panel.plot(axis, values, linewidth=1.2, label=f"u[{index}]")
    panel.legend(frameon=False)
    panel.set_xlabel("t")


def picture(case: Case | InversionCase) -> Path:
    """Solve a problem, draw it and keep the picture."""
    figure = Figure(figsize=SIZE, dpi=DOTS, facecolor="white", layout="constrained")
    panel = figure.subplots()
    draw(case, panel)
    panel.set_title("")
    path = PICTURES / f"{case.name}.webp"
    path.parent.mkdir(parents=True, exist_ok=True)
    drawn = path.with_suffix(".png")
    figure.savefig(drawn)
    with Image.open(drawn) as image:
        image.convert("RGB").save(path, quality=80, method=6)
    drawn.unlink()
    return path


def page() -> str:
    """The headings, pictures and lines of the page."""
    return "\n".join(
        "\n".join([f"## {heading}\n", *map(shown, named(patterns))]) for heading, patterns in GROUPS.items()
    )


def shown(case: Case | InversionCase) -> str:
    """A picture and its line, which leads to how the problem is declared."""
    declared = f"neurapde.problems.{case.name.replace('-', '_')}"
    return f"""```{{figure}} /images/gallery/{case.name}.webp
:figclass: gallery
:alt: The solution of {case.name}
{{py:obj}}`{case.name} <{declared}>`: {case.summary}
```
"""


def write() -> None:
    """The page for the docs build."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


def main(names: list[str]) -> None:
    """Draw the problems of these names, or those without a picture."""
    every = {case.name: case for case in (*CASES, *INVERSIONS)}
    if unknown := [name for name in names if name not in every]:
        sys.exit(f"there is no problem {unknown[0]!r}; `neurapde list` shows them")
    for name, case in every.items():
        if name in names or (not names and not (PICTURES / f"{name}.webp").exists()):
            print(picture(case), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
