"""A solution as a function of space."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.solution.solution import Solution
from neurapde.training.run.history import History
from neurapde.training.run.method import Status
from neurapde.training.run.stage import Stage
from support import assert_same_field

X = np.random.default_rng(20983).uniform(-0.6, 0.6, (9, 2))


def solution(
    domain: npde.Domain | None = None,
    outputs: int = 1,
    is_complex: bool = False,
    dtype: torch.dtype = torch.float64,
) -> Solution:
    """A solution that nothing had to solve: a trial function as drawn."""
    where = npde.Box((-1, 1), (-1, 1)) if domain is None else domain
    equation = npde.Equation(lambda x, u: u.laplacian, outputs=outputs, complex=is_complex)
    problem = npde.Problem("drawn", where, equation)
    generator = torch.Generator().manual_seed(60919)
    function = npde.MLP(width=8, depth=1).build(
        where.bounds, outputs, is_complex, generator=generator, dtype=dtype
    )
    stage = Stage("Drawn", Status.CONVERGED, 0.25, History())
    return Solution(problem, where, function, (stage,), ("a note",), str(problem))


def test_numpy_gives_numpy_and_torch_gives_torch_of_the_same_values() -> None:
    u = solution()
    values, tensor = u(X), u(torch.tensor(X))
    assert isinstance(values, np.ndarray)
    assert isinstance(tensor, torch.Tensor)
    assert not tensor.requires_grad
    np.testing.assert_array_equal(values, tensor.numpy())
    np.testing.assert_array_equal(values, u(X.tolist()))


@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
def test_shapes_and_derivatives_agree_with_central_differences(outputs: int, is_complex: bool) -> None:
    u, h = solution(outputs=outputs, is_complex=is_complex), 1e-4
    tail = () if outputs == 1 else (3,)
    assert u(X).shape == (9, *tail)
    assert u.gradient(X).shape == (9, *tail, 2)
    assert u.laplacian(X).shape == (9, *tail)
    assert np.iscomplexobj(u(X)) == is_complex
    ahead, behind = zip(*((u(X + h * e), u(X - h * e)) for e in np.eye(2)), strict=True)
    slopes = np.stack([(a - b) / (2 * h) for a, b in zip(ahead, behind, strict=True)], axis=-1)
    curvature = sum((a - 2 * u(X) + b) / h**2 for a, b in zip(ahead, behind, strict=True))
    np.testing.assert_allclose(u.gradient(X), slopes, atol=1e-7)
    np.testing.assert_allclose(u.laplacian(X), curvature, atol=1e-6)


def test_derivatives_in_space_time_tell_space_from_time() -> None:
    u, h = solution(npde.Interval(-1, 1).over(npde.Time(-1, 1))), 1e-4
    x, t = np.eye(2)
    np.testing.assert_allclose(u.laplacian(X), (u(X + h * x) - 2 * u(X) + u(X - h * x)) / h**2, atol=1e-6)
    np.testing.assert_allclose(u.dtt(X), (u(X + h * t) - 2 * u(X) + u(X - h * t)) / h**2, atol=1e-6)
    np.testing.assert_allclose(u.dt(X), u.gradient(X)[:, 1], rtol=1e-12, atol=1e-12)
    with pytest.raises(npde.DeclarationError, match="does not depend on time"):
        solution().dt(X)


def test_many_points_are_evaluated_in_chunks_of_the_same_values(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = solution().laplacian(X)
    monkeypatch.setattr("neurapde.solution.solution.CHUNK_BYTES", 2 * 5 * 512 * 8)
    sizes: list[int] = []
    u = solution()
    jet = type(u.trial).jet
    monkeypatch.setattr(
        type(u.trial), "jet", lambda self, x, order: sizes.append(len(x)) or jet(self, x, order)
    )
    np.testing.assert_allclose(u.laplacian(X), whole, rtol=1e-10, atol=1e-10)
    assert sizes == [2, 2, 2, 2, 1]


def test_no_points_give_no_values() -> None:
    assert solution().gradient(np.zeros((0, 2))).shape == (0, 2)


def test_a_tensor_that_requires_grad_can_be_differentiated_through() -> None:
    u, x = solution(), torch.tensor(X, requires_grad=True)
    (slope,) = torch.autograd.grad(u(x).sum(), x)
    np.testing.assert_allclose(slope.numpy(), u.gradient(X), rtol=1e-10)


def test_outside_the_domain_everything_is_nan_and_on_its_edge_nothing_is() -> None:
    u = solution(npde.Disk((0, 0), 1.0), is_complex=True)
    angles = np.linspace(0, 2 * math.pi, 50)
    edge = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    outside = 1.01 * edge
    for field in (u, u.gradient, u.laplacian):
        assert np.isfinite(field(edge)).all()
        assert np.isnan(field(outside)).all()
        assert np.isnan(field(outside).imag).all()


def test_single_precision_points_on_the_edge_are_inside() -> None:
    u = solution(npde.Disk((0.1, 0), 0.3), dtype=torch.float32)
    angles = np.linspace(0, 2 * math.pi, 500)
    edge = np.stack([0.1 + 0.3 * np.cos(angles), 0.3 * np.sin(angles)], axis=1).astype(np.float32)
    assert np.isfinite(u(edge)).all()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros(2), r"for one point use points\[None\]"),
        (np.zeros((2, 5)), r"use points\.T"),
        (np.zeros((4, 3)), r"must be \(n, 2\)"),
        (np.array([[0.0, 0.0], [np.nan, 0.0]]), r"points\[1\] is \[nan, 0\.0\]; give finite"),
        (np.zeros((4, 2), dtype=complex), "give real coordinates"),
    ],
)
def test_points_that_are_none_are_refused_with_a_way_out(points: np.ndarray, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        solution()(points)


def test_precision_is_the_trial_functions() -> None:
    assert solution(dtype=torch.float32)(X).dtype == np.float32
    assert solution(dtype=torch.float32, is_complex=True)(X).dtype == np.complex64


def test_it_reads_as_text_with_its_status_and_notes() -> None:
    text = str(solution())
    assert "Solved by Drawn in 0.2 s. Converged" in text
    assert text.endswith("a note")


def test_a_lost_problem_says_how_to_supply_it() -> None:
    lost = dataclasses.replace(solution(), problem=None, missing="its speed is a function")
    with pytest.raises(
        npde.DeclarationError, match=r"its speed is a function.*npde\.load\(path, problem=problem\)"
    ):
        _ = lost.required_problem


def test_a_solution_saves_and_loads_with_all_it_says(tmp_path: Path) -> None:
    u = solution()
    loaded = npde.load(u.save(tmp_path / "u.h5"), problem=u.problem)
    assert_same_field(loaded(X), u(X))
    assert str(loaded) == str(u)


@pytest.mark.parametrize(
    "domain",
    [
        npde.Box((0, 1), (0, 1)),
        npde.Disk((0.0, 0.0), 1.0),
        npde.Polygon([(0, 0), (1, 0), (0, 1)]),
        npde.Box((0, 1), (0, 1)) - npde.Disk((0.5, 0.5), 0.2),
        npde.Interval(0, 1).over(npde.Time(0, 1)),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_complex", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
def test_no_points_have_no_values(domain: npde.Domain, outputs: int, is_complex: bool) -> None:
    u = solution(domain, outputs, is_complex)
    tail = () if outputs == 1 else (3,)
    for nothing in (np.empty((0, 2)), torch.empty(0, 2), [], np.empty(0), np.empty((0, 2), dtype=int)):
        assert u(nothing).shape == (0, *tail)
        assert u.gradient(nothing).shape == (0, *tail, 2)
        assert u.laplacian(nothing).shape == (0, *tail)
        assert isinstance(u(nothing), torch.Tensor) == isinstance(nothing, torch.Tensor)
    with pytest.raises(npde.DeclarationError, match=r"must be \(n, 2\)"):
        u(np.empty((0, 3)))


def test_the_grid_has_no_values_at_no_points() -> None:
    problem = npde.Problem("square", npde.Box((0, 1), (0, 1)), npde.Poisson(), [1.0], npde.Dirichlet(0.0))
    grid = npde.reference(problem, 17)
    assert grid(np.empty((0, 2))).shape == grid([]).shape == (0,)
