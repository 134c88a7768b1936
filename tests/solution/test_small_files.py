"""Solutions saved in fewer bytes: parameters rounded, the problem left out."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from support import assert_same_field


@pytest.fixture(scope="module")
def solution() -> npde.Solution:
    points = np.random.default_rng(10529).random((1500, 2))
    cloud = np.concatenate([0.5 * points / np.linalg.norm(points, axis=1)[:, None] * s for s in (1, -1)])
    problem = npde.Problem(
        "cloud", npde.Box((-1, 1), (-1, 1)), npde.Eikonal(surface=npde.PointCloud(cloud, cloud))
    )
    method = npde.Adam(steps=1, points=8)
    return npde.solve(problem, npde.Siren(40, 1), method, seed=20533, progress=False)


def test_half_precision_rounds_the_field_and_halves_the_bytes(
    solution: npde.Solution, tmp_path: Path
) -> None:
    files = {
        dtype: solution.save(tmp_path / "u.h5", dtype=dtype, problem=False).stat().st_size
        for dtype in (None, torch.float32, torch.float16)
    }
    numbers = solution.trial.parameter_count
    assert files[None] == files[torch.float32]
    assert files[None] - files[torch.float16] == pytest.approx(2 * numbers, rel=0.02)
    loaded = npde.load(tmp_path / "u.h5")
    points = np.random.default_rng(30539).uniform(-1, 1, (500, 2))
    assert next(loaded.trial.parameters()).dtype == torch.float32
    error = np.abs(loaded(points) - solution(points))
    assert 0 < error.max() < 0.02 * np.abs(solution(points)).max()


def test_without_the_problem_a_file_holds_the_field_and_its_domain(
    solution: npde.Solution, tmp_path: Path
) -> None:
    whole = solution.save(tmp_path / "whole.h5")
    alone = solution.save(tmp_path / "alone.h5", problem=False)
    assert alone.stat().st_size < whole.stat().st_size - 40_000
    loaded = npde.load(alone)
    assert loaded.problem is None
    assert loaded.domain == solution.domain
    points = np.array([[0.1, 0.2], [3.0, 0.0]])
    assert_same_field(loaded(points), solution(points))
    with pytest.raises(npde.DeclarationError, match="saved without its problem"):
        _ = loaded.required_problem
    assert npde.load(alone, problem=solution.problem).problem == solution.problem


def test_parameters_too_large_for_a_half_and_other_dtypes_are_refused(
    solution: npde.Solution, tmp_path: Path
) -> None:
    with pytest.raises(npde.DeclarationError, match="dtype"):
        solution.save(tmp_path / "u.h5", dtype=torch.int8)
    bias = solution.trial.head.bias
    with torch.no_grad():
        before = bias.clone()
        bias += 1e6
        with pytest.raises(npde.DeclarationError, match=r"more than float16 holds"):
            solution.save(tmp_path / "u.h5", dtype=torch.float16)
        bias.copy_(before)
    assert not (tmp_path / "u.h5").exists()
