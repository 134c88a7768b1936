"""The lattice's operator against the matrix of its weak form by brute quadrature, and its inverse."""

import numpy as np
import pytest

from neurapde.conditions import PML, Dirichlet, Neumann
from neurapde.domains import Box, Disk
from neurapde.equations.helmholtz import Helmholtz
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Piecewise
from neurapde.problem.problem import Problem
from neurapde.spectral.modes import AxisModes
from neurapde.spectral.operator import LatticeOperator
from neurapde.spectral.quadrature import interval_rule

BOX = Box((-1, 1), (-0.8, 1))
LAYERS = [PML({"left": 0.4, "right": 0.4, "bottom": 0.3}, reflection=1e-3), Neumann(0.0, on="top")]


def problem(speed, boundary=LAYERS) -> Problem:
    return Problem("case", BOX, Helmholtz(9.0, speed), boundary=boundary)


def operator(case: Problem, counts=(7, 6)) -> LatticeOperator:
    form = case.equation.weak(case)
    lower, upper = case.domain.bounds
    modes = tuple(AxisModes(lower[i], upper[i], counts[i], form.free[i]) for i in range(2))
    background = form.constant(form.pieces[-1])
    return LatticeOperator(form, modes, 70.0 if background is None else background)


def brute_matrix(case: Problem, op: LatticeOperator, pieces) -> np.ndarray:
    """∫ −Σ (E/e_i²) ∂_i φ ∂_i ψ + E c φ ψ, from fine tensor rules broken at the given coordinates."""
    rules = [interval_rule(sorted({*op.form.breaks(i), *pieces[i]}), 120.0) for i in range(2)]
    (x, wx), (y, wy) = rules
    points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    weights = np.outer(wx, wy).ravel() * op.form.scale(points)
    e = op.form.stretch.factors(points)
    first, second = op.modes
    tables = {
        (a, b): np.einsum(
            "iq,jq->ijq",
            (first.slopes if a else first.values)(points[:, 0]),
            (second.slopes if b else second.values)(points[:, 1]),
        ).reshape(-1, len(points))
        for a, b in [(0, 0), (1, 0), (0, 1)]
    }
    c = (case.equation.wavenumber / case.equation.speed(points)) ** 2
    total = (tables[0, 0] * (weights * c)) @ tables[0, 0].T
    for axis, key in enumerate([(1, 0), (0, 1)]):
        total = total - (tables[key] * (weights / e[axis] ** 2)) @ tables[key].T
    return total


@pytest.mark.parametrize(
    ("speed", "breaks"),
    [
        (1.0, ((), ())),
        (Piecewise(1.0, (Box((-0.5, 0.15), (-0.3, 0.9)), 1.7)), ((-0.5, 0.15), (-0.3, 0.9))),
        (lambda x: 1.2 + 0.3 * x[:, 0] * x[:, 1], ((), ())),
        (
            Piecewise(lambda x: 1.2 + 0.3 * x[:, 0], (Box((0.1, 0.5), (0.0, 0.4)), 2.0)),
            ((0.1, 0.5), (0.0, 0.4)),
        ),
        (
            Piecewise(1.0, (Box((-0.5, 0.5), (-0.2, 0.6)), 2.0), (Box((0.0, 0.7), (0.0, 0.4)), 0.6)),
            ((-0.5, 0.0, 0.5, 0.7), (-0.2, 0.0, 0.4, 0.6)),
        ),
    ],
    ids=["uniform", "block", "smooth", "block-in-smooth", "overlapping-blocks"],
)
def test_operator_equals_the_weak_form_by_brute_quadrature(speed, breaks):
    case = problem(speed)
    op = operator(case)
    matrix = brute_matrix(case, op, breaks)
    rng = np.random.default_rng(31957)
    x = rng.normal(size=(7, 6)) + 1j * rng.normal(size=(7, 6))
    np.testing.assert_allclose(op.apply(x).ravel(), matrix @ x.ravel(), atol=1e-9 * np.abs(matrix).max())


def test_operator_is_complex_symmetric():
    op = operator(problem(Piecewise(1.0, (Disk((0.1, 0.2), 0.3), 2.0))))
    rng = np.random.default_rng(40129)
    x, y = (rng.normal(size=(7, 6)) + 1j * rng.normal(size=(7, 6)) for _ in range(2))
    assert np.sum(y * op.apply(x)) == pytest.approx(np.sum(x * op.apply(y)), rel=1e-12)


@pytest.mark.parametrize(
    "speed", [1.0, Piecewise(1.0, (Disk((0.1, 0.2), 0.3), 2.0))], ids=["uniform", "disk"]
)
@pytest.mark.parametrize("boundary", [LAYERS, Dirichlet(0.0)], ids=["layers", "closed"])
def test_solve_inverts_apply(speed, boundary):
    op = operator(problem(speed, boundary), counts=(25, 22))
    rng = np.random.default_rng(77849)
    load = rng.normal(size=(25, 22)) + 1j * rng.normal(size=(25, 22))
    solution = op.solve(load, 1e-11)
    assert solution.residual < 1e-7
    np.testing.assert_allclose(op.apply(solution.coefficients), load, atol=1e-6)


def test_strong_layer_does_not_spoil_the_separable_inverse():
    case = Problem("deep", Box((-1, 1), (-1, 1)), Helmholtz(40.0), boundary=PML(0.5, 20.0))
    op = operator(case, counts=(160, 160))
    load = np.zeros((160, 160), dtype=complex)
    load[:40, :40] = np.random.default_rng(90121).normal(size=(40, 40))
    assert op.solve(load, 1e-10).residual < 1e-6


def test_a_grid_of_values_is_integrated_at_the_scale_of_its_cells():
    values = np.ones((81, 81))
    values[40, 40] = 0.5
    op = operator(problem(GridField(values)), counts=(7, 6))
    x = np.zeros((7, 6), dtype=complex)
    x[2, 2] = 1.0
    plain = operator(problem(1.0)).apply(x)
    # One node's hat function: ∫ (1/c² − 1) over its four cells, times k² and the mode squared at the node.
    cell = (2 / 80) * (1.8 / 80)
    t, w = interval_rule([0.0, 1.0], 1.0)
    hat = np.outer(t, t)
    mass = 4 * np.sum(np.outer(w, w) * (1 / (1 - 0.5 * hat) ** 2 - 1)) * cell
    node = np.array([0.0]), np.array([-0.8 + 1.8 / 2])
    mode = op.modes[0].values(node[0])[2, 0] * op.modes[1].values(node[1])[2, 0]
    assert (op.apply(x) - plain)[2, 2] == pytest.approx(81.0 * mass * mode**2, rel=2e-2)
