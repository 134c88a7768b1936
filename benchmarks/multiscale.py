"""What `invert` finds unless it is told how, of a lens in a ring of shots and of a layered, faulted line from its surface.

Beside it are values on the grid without a prior, the classical way. Both have the same data, made on another grid, with an
unknown wavelet, and the same start. Nothing looks at the truth before the table. The line is of our own making, in the
manner of Marmousi: thin bent layers that grow faster with depth, three faults, a fast wedge, from a smooth start.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from harness import Measured
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity

import neurapde as npde

STEP = 12.5
"""Between nodes of the models, m."""
WAYS: Mapping[str, dict[str, Any]] = {
    "default": {},
    "adjoint, no prior": {"method": "adjoint", "unknown": npde.Velocity(prior=())},
}
SMOOTHED = 116.0
"""Width of the Gaussian that makes the line's start model, m: its RMS error is 279 m/s on nodes of 10 m."""


@dataclass(frozen=True)
class Case:
    """A true and a start model on nodes `(nx, ny)`, m/s, and where shots and receivers are."""

    true: NDArray
    start: NDArray
    sources: NDArray
    receivers: NDArray
    frequencies: tuple[float, ...]

    def problem(self, speed: NDArray) -> npde.Problem:
        ends = [(n - 1) * STEP for n in speed.shape]
        return npde.Problem(
            "line",
            npde.Box(*((0.0, end) for end in ends)),
            npde.Helmholtz(2 * np.pi * self.frequencies[0], npde.GridField(speed, ((0.0, 0.0), tuple(ends)))),
            npde.PointSource(self.sources[0].tolist()),
            npde.Absorbing(),
        )

    def record(self) -> npde.Survey:
        """Data with layers far outside, on a grid of their own, without the wavelet."""
        width = round(float(self.start.max()) / self.frequencies[0] / STEP)
        ends = [(n - 1 + width) * STEP for n in self.true.shape]
        speed = npde.GridField(np.pad(self.true, width, mode="edge"), ((-width * STEP,) * 2, tuple(ends)))
        around = npde.Problem(
            "line",
            npde.Box(*((-width * STEP, end) for end in ends)),
            npde.Helmholtz(2 * np.pi * self.frequencies[0], speed),
            npde.PointSource(self.sources[0].tolist()),
            npde.PML(width * STEP, reflection=1e-4),
        )
        slowest = float(self.true.min())
        step = slowest / self.frequencies[-1] / 13
        shape = [2 * int(np.ceil((end + width * STEP) / step / 2)) + 1 for end in ends]
        made = npde.Survey.simulate(
            around, self.receivers, sources=self.sources, frequencies=self.frequencies, shape=shape
        )
        return made.replace(wavelet=None)

    def points(self) -> NDArray:
        axes = [np.arange(n) * STEP for n in self.true.shape]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


def lens(shots: int) -> Case:
    """500 m/s over 2000 m/s, 250 m wide, amid 2 km."""
    axis = np.arange(161) * STEP
    x, y = np.meshgrid(axis, axis, indexing="ij")
    true = 2000 + 500 * np.exp(-((x - 1000) ** 2 + (y - 1000) ** 2) / (2 * 250**2))
    first, second = (2 * np.pi * (np.arange(n) + 0.3) / n for n in (shots, 6 * shots))
    sources, receivers = (
        1000 + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        for radius, angle in ((800, first), (850, second))
    )
    return Case(true, np.full_like(true, 2000.0), sources, receivers, (3.0, 6.0))


def line(shots: int) -> Case:
    """3 km by 2 km below 40 m of water."""
    rng = np.random.default_rng(50021)
    x, z = np.meshgrid(np.arange(241) * STEP, np.arange(161) * STEP, indexing="ij")
    level = z - 0.18 * (x - 1500) * (1 - 0.35 * z / 2000) + 90 * np.sin(2 * np.pi * x / 2600 + 0.5)
    level = level + 170 * (x > 1150 + 0.45 * z) - 130 * (x > 2250 - 0.35 * z) + 90 * (x > 500 + 0.5 * z)
    tops = -600 + np.cumsum(rng.uniform(45, 150, 60))
    speeds = np.clip(1650 + 0.85 * tops + 330 * rng.standard_normal(60), 1500, 4300)
    rock = speeds[np.clip(np.searchsorted(tops, level) - 1, 0, 59)]
    wedge = (z > 1500 + 0.15 * (x - 900)) & (z < 1800 + 0.05 * x) & (x > 700) & (x < 2300)
    true = np.where(z < 40, 1500.0, np.where(wedge, 4100.0, rock))
    smooth = 1 / gaussian_filter(1 / true, SMOOTHED / STEP, mode="nearest")
    places = [
        np.column_stack([np.linspace(a, 3000 - a, n), np.full(n, 20.0)])
        for a, n in ((100, shots), (50, 6 * shots))
    ]
    return Case(true, np.where(z < 40, 1500.0, smooth), *places, (3.0, 5.0, 7.0))


def measure(small: bool) -> Measured:
    """Errors of both ways in both cases."""
    cases: dict[str, Callable[[int], Case]] = {"lens": lens, "line": line}
    if small:
        cases = {"lens": lens}
    rows = []
    for name, make in cases.items():
        case = make(4 if small else 8 if name == "lens" else 16)
        survey = case.record()
        for way, given in WAYS.items():
            began, started = time.perf_counter(), time.process_time()
            inversion = npde.invert(case.problem(case.start), survey, progress=False, **given)
            clock = {"computed": time.process_time() - started, "wall": time.perf_counter() - began}
            speed = np.asarray(inversion(case.points())).reshape(case.true.shape)
            prior_notes = [note for note in inversion.notes if note.startswith("Prior")]
            rows.append(
                {
                    "case": name,
                    "way": way,
                    **errors(case, speed),
                    "residual": inversion.residual,
                    **clock,
                    "start": errors(case, case.start),
                    "notes": prior_notes,
                }
            )
    return Measured({"cases": list(cases), "ways": list(WAYS)}, rows, table(rows), notes(rows))


def errors(case: Case, speed: NDArray) -> dict[str, float]:
    """RMS error, m/s, and structural similarity."""
    span = float(np.ptp(case.true))
    similarity = structural_similarity(case.true, speed, data_range=span)  # type: ignore[no-untyped-call]
    return {"rms": float(np.sqrt(np.mean((speed - case.true) ** 2))), "similarity": float(similarity)}


def table(rows: list[dict[str, Any]]) -> list[list[str]]:
    """A line for each case and way."""
    head = [
        "case",
        "way",
        "RMS, m/s",
        "of the start",
        "similarity",
        "of the start",
        "data residual",
        "computed, s",
    ]
    return [head] + [
        [
            row["case"],
            row["way"],
            f"{row['rms']:.1f}",
            f"{row['start']['rms']:.1f}",
            f"{row['similarity']:.3f}",
            f"{row['start']['similarity']:.3f}",
            f"{row['residual']:.2%}",
            f"{row['computed']:.0f}",
        ]
        for row in rows
    ]


def notes(rows: list[dict[str, Any]]) -> list[str]:
    """What belongs under the table."""
    return [f"{row['case']}: {text}" for row in rows for text in row["notes"]]
