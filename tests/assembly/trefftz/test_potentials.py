"""Trefftz for Poisson's equation, plain and screened, against closed forms and fields with singularities just outside."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

import neurapde as npde
from neurapde.domains.edges import Arc
from neurapde.methods.choice import choose_method
from neurapde.problems import poisson_inclusion
from support import some_slow

L_SHAPE = npde.Polygon([(-1, -1), (0, -1), (0, 0), (1, 0), (1, 1), (-1, 1)])


def relative_error(solution: npde.Solution, exact: Any, count: int = 3000) -> float:
    """L2, of points of the domain."""
    points = solution.problem.domain.sample(
        count, how="sobol", generator=torch.Generator().manual_seed(61717)
    )
    truth = exact(points.numpy())
    return float(np.linalg.norm(solution(points).numpy() - truth) / np.linalg.norm(truth))


def test_a_disk_in_a_square_has_the_field_of_its_closed_form() -> None:
    problem = poisson_inclusion()

    solution = npde.solve(problem)

    assert "Trefftz" in solution.notes[0]
    assert problem.exact is not None
    assert relative_error(solution, problem.exact) < 1e-12
    points = problem.domain.sample(200, how="grid")
    assert float(solution.laplacian(points).abs().max()) < 1e-9


def test_at_a_corner_the_error_falls_as_digits_are_asked_for() -> None:
    def exact(x: np.ndarray) -> np.ndarray:
        angle = np.arctan2(x[:, 1], x[:, 0])
        angle = np.where(angle < -1e-9, angle + 2 * np.pi, angle)
        return np.hypot(*x.T) ** (2 / 3) * np.sin(2 * angle / 3) + x[:, 0]

    problem = npde.Problem("corner", L_SHAPE, npde.Poisson(), boundary=npde.Dirichlet(exact))

    errors = []
    for tolerance in (1e-4, 1e-8):
        solution = npde.solve(problem, method=npde.Trefftz(tolerance))
        errors.append(relative_error(solution, exact))
        assert errors[-1] < min(tolerance, 3 * float(solution.stages[-1].extras["error_estimate"]))

    assert errors[1] < errors[0] / 100


def log_field(at: np.ndarray) -> Any:
    """A field that is harmonic away from a place."""
    return lambda x: np.log(np.hypot(*(x - at).T)) + x[:, 0] * x[:, 1]


SHAPES = {
    "channel": npde.Box((0, 3), (0, 0.3)),
    "union": npde.Disk((0, 0), 0.8) | npde.Box((0, 1.5), (-0.3, 0.2)),
    "holes": npde.Box((0, 1), (0, 1))
    - npde.Disk((0.3, 0.32), 0.2)
    - npde.Polygon([(0.6, 0.6), (0.9, 0.7), (0.7, 0.9)]),
    "star": npde.Polygon(
        [(0, 0), (0.4, 0.25), (1, 0.1), (0.65, 0.5), (0.9, 1), (0.45, 0.7), (0.1, 0.9), (0.3, 0.5)]
    ),
    "lens": npde.Disk((0, 0), 0.5) & npde.Disk((0.5, 0.1), 0.6),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("slopes", some_slow([False, True], False))
def test_a_harmonic_field_with_a_singularity_beside_the_domain_is_found_and_its_error_stated(
    shape: str, slopes: bool
) -> None:
    domain = SHAPES[shape]
    at = np.array([domain.bounds[0][0] - 0.15, 0.4])
    exact = log_field(at)
    conditions: Any = npde.Dirichlet(exact)
    if slopes:  # u + ∂u/∂n on the first face
        sample = domain.sample_boundary(20000, on=domain.faces[0], how="grid")
        places, normals = sample.points.numpy(), sample.normals.numpy()

        def mixed(x: np.ndarray) -> np.ndarray:
            away = x - at
            gradient = away / (away**2).sum(axis=1, keepdims=True) + x[:, ::-1]
            outward = normals[cKDTree(places).query(x)[1]]
            if isinstance(edge, Arc):
                outward = (x - edge.center) / edge.radius
            return np.asarray(exact(x) + (gradient * outward).sum(axis=1))

        edge = domain.edges[0]
        conditions = [
            npde.Dirichlet(exact, on=domain.faces[1:]),
            npde.Robin(1.0, 1.0, mixed, on=domain.faces[0]),
        ]
    problem = npde.Problem(shape, domain, npde.Poisson(), boundary=conditions)

    solution = npde.solve(problem, method=npde.Trefftz(1e-6))

    assert relative_error(solution, exact) < min(
        1e-6, 3 * float(solution.stages[-1].extras["error_estimate"])
    )


def test_a_screened_field_round_four_holes_meets_its_values() -> None:
    kappa = 6.0
    domain = (
        npde.Box((-1, 1), (-1, 1))
        - npde.Disk((0.5, 0.5), 0.2)
        - npde.Disk((0.4, -0.4), 0.4)
        - npde.Disk((-0.2, -0.7), 0.1)
        - npde.Disk((-0.6, 0.5), 0.3)
    )

    def exact(x: np.ndarray) -> np.ndarray:
        return np.exp(kappa * (0.6 * x[:, 0] + 0.8 * x[:, 1] - 1)) + np.exp(-kappa * (x[:, 0] + 1))

    problem = npde.Problem(
        "screened", domain, npde.Poisson(2.0, 2 * kappa**2), boundary=npde.Dirichlet(exact)
    )

    solution = npde.solve(problem)

    assert relative_error(solution, exact) < min(
        1e-6, 3 * float(solution.stages[-1].extras["error_estimate"])
    )


def test_loads_add_up_and_a_solution_is_stored(tmp_path: Any) -> None:
    box = npde.Box((0, 1), (0, 1))
    medium = npde.Piecewise(1.0, (npde.Disk((0.5, 0.45), 0.2), 4.0))
    source = npde.GaussianSource((0.3, 0.7), 4e-3)

    def solved(*sources: Any) -> npde.Solution:
        return npde.solve(
            npde.Problem("loads", box, npde.Poisson(medium), list(sources), npde.Dirichlet(0.0))
        )

    both, first, other = solved(source, lambda x: 1 + x[:, 0]), solved(source), solved(lambda x: 1 + x[:, 0])
    points = box.sample(500, how="grid")

    torch.testing.assert_close(both(points), first(points) + other(points), rtol=0, atol=1e-6)
    both.save(tmp_path / "u.h5")
    loaded = npde.load(tmp_path / "u.h5")
    torch.testing.assert_close(loaded(points), both(points), rtol=0, atol=0)


def lid(x: np.ndarray) -> np.ndarray:
    """1 on the top of the unit square and 0 on its other sides: Fourier's series."""
    n = np.arange(1, 4000, 2)
    grown = (
        np.exp(n * np.pi * (x[:, 1:] - 1)) * np.expm1(-2 * n * np.pi * x[:, 1:]) / np.expm1(-2 * n * np.pi)
    )
    return np.asarray((4 / np.pi * np.sin(n * np.pi * x[:, :1]) / n * grown).sum(axis=1))


def test_values_that_jump_at_a_corner_are_met_up_to_it() -> None:
    box = npde.Box((0, 1), (0, 1))
    sides = [npde.Dirichlet(1.0, on="top"), npde.Dirichlet(0.0, on=("left", "right", "bottom"))]

    solution = npde.solve(npde.Problem("lid", box, npde.Poisson(), boundary=sides))

    points = np.random.default_rng(61723).uniform(0.05, 0.95, (300, 2))
    assert np.abs(solution(torch.as_tensor(points)).numpy() - lid(points)).max() < 1e-6


DATA = {
    "a jump": lambda x: np.arctan2(x[:, 1], x[:, 0] - 0.3137),
    "a spike": lambda x: np.real(1e-3 / (x[:, 0] - 0.3137 + 1j * (x[:, 1] + 1e-3))),
    "waves": lambda x: np.exp(-40 * x[:, 1]) * np.cos(40 * x[:, 0]),
}


@pytest.mark.parametrize("method", [npde.Trefftz(), None], ids=["Trefftz", "default"])
@pytest.mark.parametrize("data", DATA)
def test_data_that_change_within_a_side_are_followed(data: str, method: npde.Trefftz | None) -> None:
    exact = DATA[data]
    problem = npde.Problem("narrow", npde.Box((0, 1), (0, 1)), npde.Poisson(), boundary=npde.Dirichlet(exact))

    solution = npde.solve(problem, method=method)

    error = relative_error(solution, exact)
    assert error < min(1e-5, 3 * float(solution.stages[-1].extras["error_estimate"]))


@pytest.mark.parametrize(
    ("sources", "boundary", "reason"),
    [
        ([lambda x: abs(x[:, 0] - 0.3)], npde.Dirichlet(0.0), "smooth neither"),
        ([], npde.Dirichlet(lambda x: npde.where(npde.sin(70 * x[:, 0]) > 0, 1.0, 0.0)), "jumps or bends"),
    ],
)
def test_what_it_cannot_take_is_named(sources: Any, boundary: Any, reason: str) -> None:
    problem = npde.Problem("declined", npde.Box((0, 1), (0, 1)), npde.Poisson(), sources, boundary)

    with pytest.raises(npde.DeclarationError, match=reason):
        npde.solve(problem, method=npde.Trefftz())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        method, _ = choose_method(problem, None)
    assert not isinstance(method, npde.Trefftz)


TRIANGLE = npde.Polygon([(0, 0), (1, 0), (0.3, 0.8)])


@pytest.mark.parametrize(
    "problem",
    [
        npde.problems.poisson_l_shape(),
        npde.Problem("screened", TRIANGLE, npde.Poisson(reaction=4.0), 1.0, npde.Dirichlet(0.0)),
        npde.Problem("room", TRIANGLE, npde.Helmholtz(8.0), boundary=npde.Dirichlet(1.0)),
    ],
    ids=lambda problem: problem.name,
)
def test_a_point_outside_of_the_region_may_be_a_pole(problem: npde.Problem) -> None:
    solution = npde.solve(problem, method=npde.Trefftz(), progress=False)
    axis = np.linspace(-1, 1, 65)  # a lattice about the corner of the L, on whose bisector poles are
    lattice = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    features = [functions for trial in solution.trial.trials for functions in trial.parts]
    poles = [np.asarray(functions.at) for functions in features if hasattr(functions, "at")]
    places = [np.stack([at.real, at.imag], axis=1) if np.iscomplexobj(at) else at for at in poles]
    assert sum(map(len, places)) > 5
    points = np.concatenate([lattice, *places])
    for values in (solution(points), solution.gradient(points), solution.laplacian(points)):
        assert np.isfinite(values[problem.domain.contains(points)]).all()
