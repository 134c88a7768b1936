"""A family of waves: the scattered fields of random disks and lenses, found at once from the medium, or from receivers.

    python benchmarks/run.py wave_family     # minutes on one thread, draws docs/images/wave-family.png; --small: seconds

The wavefields are solved for one by one, by `Galerkin(1e-3)`; `npde.learn` sees them as it sees any data set. Beside the
family stand the mean of the data set, a ridge regression on the same data, whose weight is the best of five on the unseen
fields themselves, and a direct solve, `Galerkin(1e-2)`. Errors are relative to the scattered field in the physical region.
A member is then the start of a training on the residual, against a start that is drawn.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from harness import ROOT, Measured
from numpy.typing import NDArray

import neurapde as npde
from neurapde.learning import (
    Family,
    GridEncoder,
    MiniBatchAdam,
    SampledFields,
    Samples,
    SensorEncoder,
    SetEncoder,
)

WAVENUMBER = 12.0
BOX = npde.Box((-0.8, 0.8), (-0.8, 0.8))
WINDOW = npde.Box((-0.3, 0.3), (-0.3, 0.3))
SOURCE = npde.GaussianSource(at=(0.0, -0.36), variance=1e-3)
LAYER = npde.PML(width=0.3, strength=5.0)
PIXELS, TOLERANCE = 33, 1e-3
TRAINING_SEED, UNSEEN_SEED, SEED = 31013, 77101, 60913
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
TRIAL = npde.HyperSiren(width=32, depth=2, omega_0=12.0, omega_hidden=10.0, latent=32, hidden=64)
PICTURE = ROOT / "docs" / "images" / "wave-family.png"

Row = dict[str, Any]
Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Size:
    """fields, unseen: to learn from, and to find. steps: of the training. descents: steps of
    each training on the residual."""

    fields: int
    unseen: int
    steps: int
    descents: tuple[int, ...]


FULL, SMALL = Size(200, 20, 700, (1, 3, 10)), Size(4, 2, 2, (1,))


def measure(small: bool) -> Measured:
    """The fields, the families, and what a member is worth as a start."""
    size = SMALL if small else FULL
    wall, computed = time.perf_counter(), time.process_time()
    train, unseen = waves(size.fields, TRAINING_SEED), waves(size.unseen, UNSEEN_SEED)
    rows: list[Row] = [{"way": "making the fields", **since(wall, computed)}]
    for seen, encoders in {
        "medium": {"grid": GridEncoder((16, 16), (16, 32), 128)},
        "receivers": {"sensor": SensorEncoder(receivers()), "set": SetEncoder(128, 1, 24)},
    }.items():
        known, new = seen_as(seen, train), seen_as(seen, unseen)
        rows += baselines(seen, known, new)
        for name, encoder in encoders.items():
            family, clock = learned(known, encoder, size.steps)
            way = f"from the {seen}: family, {name} encoder"
            rows.append({"way": way, "training": clock["computed"], **found(family, new), **clock})
            if seen == "medium":
                rows.append(
                    {"way": "the member of the first medium", "errors": rows[-1]["errors"][:1], **clock}
                )
                rows += [row for steps in size.descents for row in starts(family, unseen, steps)]
                if not small:
                    draw(family, unseen, PICTURE)
    rows.append(direct(unseen))
    settings = {"wavenumber": WAVENUMBER, "fields": size.fields, "unseen": size.unseen, "steps": size.steps}
    return Measured(
        settings, rows, table(rows), ["Errors are relative to the scattered field, outside the layers."]
    )


@dataclass(frozen=True)
class Wave:
    """A medium, its pixels, and its whole field."""

    speed: Any
    pixels: Samples
    solution: npde.Solution

    def scattered(self, points: NDArray) -> Complex:
        """What the medium adds to the wave of the source alone."""
        field: Complex = self.solution(points) - alone(self.solution.required_problem).values(points)
        return field


def alone(problem: npde.Problem) -> npde.trials.OutgoingWave:
    """The wave of the source where no medium is."""
    return npde.trials.OutgoingWave(SOURCE, WAVENUMBER, problem.equation.stretch(problem))


def problem(speed: Any) -> npde.Problem:
    """Waves of the source in a medium, with layers around."""
    return npde.Problem("medium", BOX, npde.Helmholtz(WAVENUMBER, speed), SOURCE, LAYER)


def waves(count: int, seed: int) -> list[Wave]:
    """Scattered fields of one or two disks or lenses each."""
    media = npde.seismic.RandomVelocities(
        WINDOW,
        inclusions=(1, 2),
        radius=(0.06, 0.14),
        speed=(1.3, 2.0),
        smooth=0.0,
        shape=(16, 16),
        count=count,
        seed=seed,
    )
    members = []
    for k in range(count):
        solution = npde.solve(problem(media.model(k)), method=npde.Galerkin(TOLERANCE), progress=False)
        members.append(Wave(media.model(k), media[k], solution))
    return members


def raster() -> npde.data.Raster:
    """The pixels at which fields are learned."""
    return npde.data.Raster(np.zeros((PIXELS, PIXELS)), *BOX.bounds)


def receivers() -> NDArray:
    """Thirty places, above, to the right and to the left."""
    line, end = np.linspace(-0.45, 0.35, 10), np.full(10, 0.45)
    return np.concatenate([np.stack(pair, axis=1) for pair in ((line, end), (end, line), (-end, line))])


def seen_as(what: str, waves: list[Wave]) -> SampledFields:
    """Fields with what is seen of them: the speed at the pixels of the medium, or the field at the receivers."""
    places, points = receivers(), raster().points
    items = []
    for wave in waves:
        seen = (
            (wave.pixels.points, wave.pixels.values) if what == "medium" else (places, wave.scattered(places))
        )
        items.append(Samples(points, wave.scattered(points), seen))
    return SampledFields(BOX, items)


def learned(data: SampledFields, encoder: Any, steps: int) -> tuple[Family, Row]:
    """The family, and what it cost."""
    wall, computed = time.perf_counter(), time.process_time()
    method = MiniBatchAdam(steps, lr=3e-3, fields=16, points=256, context=(1000, None))
    family = npde.learn(data, TRIAL, encoder=encoder, method=method, seed=SEED, progress=False)
    return family, since(wall, computed)


def found(family: Family, new: SampledFields) -> Row:
    """Errors on new fields, and the shortest time that one takes."""
    laps, fields = [], []
    for item in new.items:
        begin = time.process_time()
        fields.append(family.condition(*item.seen)(item.points))
        laps.append(time.process_time() - begin)
    return {"errors": errors(fields, new), "milliseconds": 1e3 * min(laps)}


def errors(fields: list[Complex], new: SampledFields) -> list[float]:
    """Relative L2 outside the layers."""
    inside = problem(1.0).physical(raster().points)
    pairs = zip(fields, new.items, strict=True)
    return [
        float(np.linalg.norm((u - v.values)[inside]) / np.linalg.norm(v.values[inside])) for u, v in pairs
    ]


def baselines(seen: str, known: SampledFields, new: SampledFields) -> list[Row]:
    """The mean, and the best of five ridge regressions of the field on what is seen."""
    X, Y = (
        np.stack([np.ravel(take(item)) for item in known.items])
        for take in (lambda s: s.seen[1], lambda s: s.values)
    )
    wall, computed = time.perf_counter(), time.process_time()
    rows = [{"way": f"from the {seen}: mean of the data set", "errors": errors([Y.mean(0)] * len(new), new)}]
    rows[0] |= since(wall, computed)
    shift, gram = X.mean(0), (X - X.mean(0)) @ (X - X.mean(0)).conj().T
    tried = []
    for ridge in RIDGES:
        spread = np.linalg.solve(gram + ridge * np.trace(gram).real / len(X) * np.eye(len(X)), Y - Y.mean(0))
        fields = [
            Y.mean(0) + (np.ravel(item.seen[1]) - shift) @ (X - shift).conj().T @ spread for item in new.items
        ]
        tried.append(errors(fields, new))
    best = min(tried, key=np.mean)
    return [*rows, {"way": f"from the {seen}: ridge regression", "errors": best, **since(wall, computed)}]


def starts(family: Family, unseen: list[Wave], steps: int) -> list[Row]:
    """Natural gradients on the residual of the first new medium, from the member and from weights that are drawn."""
    wave = unseen[0]
    item = seen_as("medium", [wave]).items[0]
    task = wave.solution.required_problem
    background = alone(task)
    member = family.condition(*item.seen).trial
    form = npde.Ansatz(background, member.spec)
    method = npde.NaturalGradient(steps, points=2000)
    points = raster().points
    rows = []
    for way, trial in (("the member", form.around(member)), ("weights drawn", form)):
        wall, computed = time.perf_counter(), time.process_time()
        solution = npde.solve(task, trial, method, seed=SEED, progress=False)
        error = errors([solution(points) - background.values(points)], SampledFields(BOX, [item]))
        rows.append(
            {
                "way": f"{steps} natural gradients from {way}, first medium",
                "errors": error,
                **since(wall, computed),
            }
        )
    return rows


def direct(unseen: list[Wave]) -> Row:
    """A solve of the same media to one in a hundred, and what it is off by the solve to one in a thousand."""
    laps, fields, points = [], [], raster().points
    wall, computed = time.perf_counter(), time.process_time()
    for wave in unseen:
        begin = time.process_time()
        solution = npde.solve(problem(wave.speed), method=npde.Galerkin(1e-2), progress=False)
        laps.append(time.process_time() - begin)
        fields.append(solution(points) - alone(problem(1.0)).values(points))
    known = seen_as("medium", unseen)
    row = {"way": "Galerkin(1e-2)", "errors": errors(fields, known), "milliseconds": 1e3 * min(laps)}
    return {**row, **since(wall, computed)}


def since(wall: float, computed: float) -> Row:
    """Seconds since then."""
    return {"wall": time.perf_counter() - wall, "computed": time.process_time() - computed}


def table(rows: list[Row]) -> list[list[str]]:
    """A line for each way."""
    lines = [["way", "error, mean", "worst", "learning, CPU s", "a new field, CPU ms"]]
    for row in rows:
        if "errors" not in row:
            continue
        training = f"{row['training']:.0f}" if "training" in row else ""
        ready = f"{row['milliseconds']:.1f}" if "milliseconds" in row else ""
        lines.append(
            [row["way"], f"{np.mean(row['errors']):.1%}", f"{max(row['errors']):.1%}", training, ready]
        )
    return lines


def draw(family: Family, unseen: list[Wave], path: Path) -> None:
    """Media, scattered fields, and what the family takes them for."""
    like, shown = raster(), unseen[:5]
    figure, axes = plt.subplots(3, len(shown), figsize=(1.7 * len(shown), 5.2), layout="constrained")
    extent = np.ravel(list(zip(*BOX.bounds, strict=True)))
    for column, (wave, item) in enumerate(zip(axes.T, seen_as("medium", shown).items, strict=True)):
        member = family.condition(*item.seen)(like.points)
        limit = np.abs(item.values).max()
        speed = np.asarray(unseen[column].speed(like.points))
        for axis, values, style in (
            (wave[0], speed, {"cmap": "viridis", "vmin": 1, "vmax": 2}),
            (wave[1], item.values.real, {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}),
            (wave[2], member.real, {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}),
        ):
            axis.imshow(values.reshape(like.shape).T, origin="lower", extent=extent, **style)
            axis.set(xticks=[], yticks=[])
        wave[2].set_title(f"{errors([member], SampledFields(BOX, [item]))[0]:.0%}", fontsize=9)
    for axis, name in zip(axes[:, 0], ("speed", "scattered field", "found at once"), strict=True):
        axis.set_ylabel(name, fontsize=9)
    figure.savefig(path, dpi=110)
    plt.close(figure)
