"""The Poisson solver on boxes: orders on smooth fields, jumps, every kind of side, and what it refuses."""

import numpy as np
import pytest
from numpy.typing import NDArray

from neurapde.reference_solvers.convergence import observed_orders
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.poisson import (
    ORDER,
    Dirichlet,
    Neumann,
    Periodic,
    Robin,
    Sides,
    half_points,
    solve_poisson,
)

Array = NDArray[np.float64]


def smooth_error(nodes: int, dimension: int) -> float:
    """u = prod sin(k_i x_i + 0.4), a = 1 + prod cos(x_i) / 2, c = 2, each kind of side on one of the axes."""
    grid = Grid((0,) * dimension, (1, 1.2, 0.9)[:dimension], (nodes,) * dimension)
    X = np.meshgrid(*grid.axes, indexing="ij")
    k = (1.3, 0.7, 0.9)[:dimension]
    u = np.prod([np.sin(a * x + 0.4) for a, x in zip(k, X, strict=True)], axis=0)
    bump = 0.5 * np.prod([np.cos(x) for x in X], axis=0)
    flux = [(1 + bump) * a * u / np.tan(a * x + 0.4) for a, x in zip(k, X, strict=True)]
    slopes = zip(k, X, strict=True)
    transport = sum(-bump * np.tan(x) * a * u / np.tan(a * x + 0.4) for a, x in slopes)
    source = (1 + bump) * sum(a**2 for a in k) * u - transport + 2 * u
    first, last = ([(slice(None),) * axis + (end,) for axis in range(3)] for end in (0, -1))
    sides: list[tuple[Dirichlet | Neumann | Robin | Periodic, Dirichlet | Neumann | Robin | Periodic]] = [
        (Neumann(-flux[0][first[0]]), Robin(2.0, (flux[0] + 2 * u)[last[0]]))
    ]
    if dimension > 1:
        sides.append((Dirichlet(u[first[1]]), Neumann(flux[1][last[1]])))
    if dimension > 2:
        sides.append((Robin(1.0, (u - flux[2])[first[2]]), Dirichlet(u[last[2]])))
    solution = solve_poisson(grid, source, coefficient=1 + bump, reaction=2.0, sides=sides)
    return float(abs(solution - u).max())


@pytest.mark.parametrize(("dimension", "counts", "bound"), [
    (1, (17, 33, 65, 129), 2e-5), (2, (17, 33, 65, 129), 1e-5), (3, (9, 17, 33), 1e-4)
])  # fmt: skip
def test_smooth_fields_are_second_order_under_every_kind_of_side(
    dimension: int, counts: tuple[int, ...], bound: float
) -> None:
    errors = [smooth_error(n, dimension) for n in counts]
    assert observed_orders(errors)[-1] == pytest.approx(ORDER, abs=0.05)
    assert errors[-1] < bound


@pytest.mark.parametrize("nodes", [(9, 12), (7, 8, 6)])
@pytest.mark.parametrize("others", ["periodic", "fixed"])
def test_constant_coefficients_solve_as_nearly_constant_ones_do(nodes: tuple[int, ...], others: str) -> None:
    """Axis by axis where they are constant, by factors where they are not."""
    grid = Grid((0,) * len(nodes), (1, 1.2, 0.9)[: len(nodes)], nodes)
    draw = np.random.default_rng(40961)
    source, face = draw.standard_normal(nodes), draw.standard_normal(nodes[1:])
    pair = (Periodic(), Periodic()) if others == "periodic" else (Dirichlet(1.0), Neumann(0.5))
    sides: Sides = [(Robin(2.0, face), Dirichlet(face))] + [pair] * (len(nodes) - 1)
    wobble = 1 + 1e-12 * draw.uniform(size=nodes)
    constant, nearly = (
        solve_poisson(grid, source, coefficient=coefficient, reaction=3.0, sides=sides)
        for coefficient in (2.0, 2.0 * wobble)
    )
    assert abs(constant - nearly).max() < 1e-8 * abs(nearly).max()


def test_conjugate_gradients_agree_with_the_factorisation_at_a_jump_of_100(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid = Grid((0, 0, 0), (1, 1, 1), (17, 17, 17))
    cells = np.ones((16, 16, 16))
    cells[4:8, 4:8, 4:8] = 100.0
    every: list[Sides] = [Dirichlet(0.3), Neumann(0.0), Periodic(), [(Robin(2.0), Neumann(1.0))] * 3]
    source = np.cos(2 * np.pi * np.meshgrid(*grid.axes, indexing="ij")[0])
    for sides in every:
        solutions = []
        for limit in (0, 10**9):
            monkeypatch.setattr("neurapde.reference_solvers.poisson.DIRECT_LIMIT", (limit,) * 3)
            solutions.append(solve_poisson(grid, source, coefficient=cells, sides=sides, imbalance=0.1))
        iterated, direct = solutions
        assert 0 < abs(iterated - direct).max() < 1e-8 * abs(direct).max()


def jump_error(nodes: int, *, contrast: float = 100.0) -> float:
    """a = 1 left of x = 1/2 and `contrast` right of it: a du/dx and u run on, u = sin(pi x) sin(pi
    y)-like."""
    grid = Grid((0, 0), (1, 1), (nodes, nodes))
    x, y = np.meshgrid(*grid.axes, indexing="ij")
    left = x <= 0.5
    u = np.where(left, x, 0.5 + (x - 0.5) / contrast) * (1 + (x - 0.5) ** 2) * np.sin(y + 0.2)
    # v = p(x) q(x): on each side p linear with slope 1/a, q = 1 + (x - 1/2)^2, so -(a u_x)_x = -(4 (x - 1/2) + 2 a p)
    a = np.where(left, 1.0, contrast)
    p = np.where(left, x, 0.5 + (x - 0.5) / contrast)
    q = 1 + (x - 0.5) ** 2
    balance = -(4 * (x - 0.5) + 2 * a * p) + a * p * q
    middle = nodes // 2  # the node on the jump owns half a cell on either side
    flux, other = (-(2 * b * 0.5) + b * 0.5 for b in (1.0, contrast))
    balance[middle] = (flux + other) / 2
    centres = (grid.axes[0][1:] + grid.axes[0][:-1]) / 2
    cells = np.where(centres < 0.5, 1.0, contrast)[:, None] * np.ones(nodes - 1)
    values = [(Dirichlet(u[0]), Dirichlet(u[-1])), (Dirichlet(u[:, 0]), Dirichlet(u[:, -1]))]
    solution = solve_poisson(grid, balance * np.sin(y + 0.2), coefficient=cells, sides=values)
    return float(abs(solution - u).max())


def test_a_jump_of_100_on_a_grid_line_keeps_second_order() -> None:
    errors = [jump_error(n) for n in (17, 33, 65, 129)]
    assert observed_orders(errors)[-1] == pytest.approx(ORDER, abs=0.05)
    assert errors[-1] < 1e-4


def test_harmonic_half_points_are_second_order_wherever_the_jump_is_in_one_dimension() -> None:
    jump, contrast, errors = 0.3711, 50.0, []
    counts = (17, 33, 65, 129, 257)
    for n in counts:
        grid = Grid((0,), (1,), (n,))
        x = grid.axes[0]
        resistance = np.where(x < jump, x, jump + (x - jump) / contrast)  # integral of 1/a
        a = np.diff(x) / np.diff(resistance)
        exact = resistance / resistance[-1]
        solution = solve_poisson(grid, 0.0, coefficient=[a], sides=[(Dirichlet(0.0), Dirichlet(1.0))])
        errors.append(float(abs(solution - exact).max()))
    assert max(errors) < 1e-12


def test_node_values_are_exact_when_the_jump_lies_halfway_between_nodes() -> None:
    grid = Grid((0,), (1,), (12,))
    x, jump = grid.axes[0], 0.5
    a = np.where(x < jump, 1.0, 20.0)
    resistance = np.where(x < jump, x, jump + (x - jump) / 20)
    solution = solve_poisson(grid, 0.0, coefficient=a, sides=[(Dirichlet(0.0), Dirichlet(1.0))])
    np.testing.assert_allclose(solution, resistance / resistance[-1], atol=1e-13)


def test_cells_and_nodes_of_a_constant_give_its_half_points() -> None:
    grid = Grid((0, 0), (1, 2), (5, 7))
    for values in (3.0, np.full((5, 7), 3.0), np.full((4, 6), 3.0)):
        halves = half_points(values, grid)
        assert [each.shape for each in halves] == [(4, 7), (5, 6)]
        assert all((each == 3.0).all() for each in halves)


def test_periodic_sides_join_and_fix_the_mean() -> None:
    errors = []
    for n in (17, 33, 65):
        grid = Grid((0, 0), (1, 2), (n, n))
        x, y = np.meshgrid(*grid.axes, indexing="ij")
        u = np.sin(2 * np.pi * x + 0.3) * np.cos(np.pi * y + 0.7)
        solution = solve_poisson(grid, 5 * np.pi**2 * u, sides=Periodic())
        np.testing.assert_array_equal(solution[0], solution[-1])
        np.testing.assert_array_equal(solution[:, 0], solution[:, -1])
        errors.append(float(abs(solution - u).max()))
    assert observed_orders(errors)[-1] == pytest.approx(ORDER, abs=0.05)
    assert errors[-1] < 2e-3


def test_pure_neumann_has_mean_zero_and_second_order() -> None:
    errors = []
    for n in (17, 33, 65):
        grid = Grid((0, 0), (1, 1), (n, n))
        x, y = np.meshgrid(*grid.axes, indexing="ij")
        u = np.exp(x) * np.sin(y)  # harmonic
        sides = [
            (Neumann(-u[0]), Neumann(u[-1])),
            (Neumann(-(np.exp(x) * np.cos(y))[:, 0]), Neumann((np.exp(x) * np.cos(y))[:, -1])),
        ]
        solution = solve_poisson(grid, 0.0, sides=sides)
        mean = (np.e - 1) * (1 - np.cos(1))
        errors.append(float(abs(solution - u + mean).max()))
    assert observed_orders(errors)[-1] == pytest.approx(ORDER, abs=0.05)
    assert errors[-1] < 1e-4


def test_sources_that_do_not_cancel_are_refused_without_a_fixed_side() -> None:
    grid = Grid((0, 0), (1, 1), (9, 9))
    with pytest.raises(ValueError, match=r"add up to 1, 100.0% of their size.*must cancel"):
        solve_poisson(grid, 1.0, sides=Neumann())


@pytest.mark.parametrize(("change", "message"), [
    ({"source": np.ones((3, 9))}, r"source has shape \(3, 9\); give a number or \(9, 9\)"),
    ({"source": np.full((9, 9), np.nan)}, "source has values that are not finite"),
    ({"coefficient": np.ones((4, 9))}, r"coefficient has shape \(4, 9\); give a number, cells \(8, 8\)"),
    ({"coefficient": -1.0}, "finite and positive"),
    ({"coefficient": np.zeros((9, 9))}, "finite and positive"),
    ({"sides": [(Dirichlet(), Periodic()), (Dirichlet(), Dirichlet())]}, "periodic on only one side"),
    ({"sides": [(Dirichlet(), Dirichlet())]}, "sides must be 2 pairs"),
    ({"sides": Dirichlet(np.ones(4))}, r"a side of axis 0 has \(9,\) nodes"),
    ({"sides": Neumann(np.full(9, np.inf))}, "data of a side of axis 0 have values that are not finite"),
    ({"sides": Robin(-1.0)}, "Robin coefficient on axis 0 is negative"),
])  # fmt: skip
def test_wrong_data_is_refused_with_its_shape_and_the_way_out(
    change: dict[str, object], message: str
) -> None:
    arguments: dict[str, object] = {"source": 1.0, **change}
    with pytest.raises(ValueError, match=message):
        solve_poisson(Grid((0, 0), (1, 1), (9, 9)), **arguments)  # type: ignore[arg-type]
