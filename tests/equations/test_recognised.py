"""A user's own equation is Poisson's or Helmholtz' where it is so for every field, and only there."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import h1vp, hankel1, k0

import neurapde as npde
from neurapde.equations.recognised import as_known

RING = npde.Disk((0, 0), 1, name="rim") - npde.Disk((0, 0), 0.3, name="hole")
POINTS = RING.sample(500, how="grid").numpy()


def outside(x: np.ndarray) -> np.ndarray:
    return np.asarray(k0(8 * np.hypot(*np.asarray(x).T)))


def test_a_screened_potential_round_a_hole_is_found_by_its_own_functions() -> None:
    equation = npde.Equation(lambda x, u: 128 * u.value - 2 * u.laplacian)
    solution = npde.solve(npde.Problem("screened", RING, equation, boundary=npde.Dirichlet(outside)))
    assert solution.method.startswith("Trefftz")
    np.testing.assert_allclose(solution(POINTS), outside(POINTS), atol=1e-6)


def test_scattering_by_a_sound_hard_hole_is_found_by_its_own_waves() -> None:
    k, rim, hole = 6.0, "rim boundary", "hole boundary"

    def wave(x: np.ndarray) -> np.ndarray:
        r, turn = np.hypot(*np.asarray(x).T), np.arctan2(*np.asarray(x).T[::-1])
        return np.asarray(hankel1(2, k * r) * np.cos(2 * turn))

    def slope(x: np.ndarray, sign: float) -> np.ndarray:
        r, turn = np.hypot(*np.asarray(x).T), np.arctan2(*np.asarray(x).T[::-1])
        return np.asarray(sign * k * h1vp(2, k * r) * np.cos(2 * turn))

    rim, hole = sorted(RING.faces, key=lambda face: "hole" in face)
    sides = [
        npde.Neumann(lambda x: slope(x, -1.0), on=hole),
        npde.Robin(-1j * k, 1.0, lambda x: slope(x, 1.0) - 1j * k * wave(x), on=rim),
    ]
    equation = npde.Equation(lambda x, u: u.laplacian + k**2 * u.value, complex=True)
    solution = npde.solve(npde.Problem("hard", RING, equation, boundary=sides))
    assert solution.method.startswith("Trefftz")
    values, exact = np.asarray(solution(POINTS)), wave(POINTS)
    assert np.linalg.norm(values - exact) < 1e-5 * np.linalg.norm(exact)


def test_a_narrow_source_on_a_box_is_followed_by_polynomials() -> None:
    """A Gaussian of variance 5e-4, which sines at points leave unresolved."""

    def bump(x: Any) -> Any:
        return npde.exp(-(((x[:, :2] - 0.3) ** 2).sum(1)) / 1e-3)

    def residual(x: Any, u: npde.Jet) -> Any:
        square = ((x[:, :2] - 0.3) ** 2).sum(1)
        return 3 * u.laplacian - 3 * bump(x) * (4 * square / 1e-6 - 4 / 1e-3)

    box = npde.Box((0, 1), (0, 1))
    problem = npde.Problem("bump", box, npde.Equation(residual), boundary=npde.Dirichlet(bump))
    solution = npde.solve(problem, progress=False)
    assert solution.method.startswith("separation")
    points = box.sample(900, how="grid").numpy()
    np.testing.assert_allclose(solution(points), bump(points), atol=1e-8)


def test_an_impedance_on_a_box_is_met_by_waves() -> None:
    """Sides of a square let a plane wave in and out."""
    k, turn = 20.0, np.array([np.cos(0.7), np.sin(0.7)])

    def wave(x: Any) -> Any:
        return np.exp(-1j * k * (np.asarray(x) @ turn))

    box = npde.Box((0, 1), (0, 1))
    outward = {"left": (-1, 0), "right": (1, 0), "bottom": (0, -1), "top": (0, 1)}
    sides = [
        npde.Robin(1j * k, 1.0, lambda x, n=n: 1j * k * (1 - turn @ n) * wave(x), on=face)
        for face, n in outward.items()
    ]
    equation = npde.Equation(lambda x, u: u.laplacian + k**2 * u.value, complex=True)
    solution = npde.solve(npde.Problem("wave", box, equation, boundary=sides), progress=False)
    assert solution.method.startswith("Trefftz")
    points = box.sample(900, how="grid").numpy()
    np.testing.assert_allclose(solution(points), wave(points), atol=1e-4)


@pytest.mark.parametrize(
    ("domain", "method"),
    [(npde.Box((0, 1), (0, 1), (0, 2)), "separation"), (npde.Ball((0, 0, 0), 1.0), "Trefftz")],
)
def test_an_equation_in_space_is_recognised_too(domain: npde.Domain, method: str) -> None:
    def field(x: Any) -> Any:
        return x[:, 0] * x[:, 1] + x[:, 2]

    equation = npde.Equation(lambda x, u: 7 * u.laplacian)
    problem = npde.Problem("in-space", domain, equation, boundary=npde.Dirichlet(field))
    solution = npde.solve(problem, progress=False)
    assert solution.method.startswith(method)
    points = domain.sample(500).numpy()
    np.testing.assert_allclose(solution(points), field(points), atol=1e-8)


def test_what_is_left_without_a_field_is_the_load() -> None:
    known = as_known(_problem(lambda x, u: u.d2(0) + u.d2(1) + npde.sin(x[:, 0])))
    assert known is not None
    assert known.equation == npde.Poisson()
    np.testing.assert_allclose(known.right_hand_sides[0][0](POINTS), np.sin(POINTS[:, 0]))


def _bead(x: torch.Tensor) -> torch.Tensor:
    return torch.where((x[:, 0] - 0.51234) ** 2 + (x[:, 1] - 0.6) ** 2 < 1e-6, 1e3, 1.0)


@pytest.mark.parametrize(
    "residual",
    [
        lambda x, u: u.laplacian + u.d(0),
        lambda x, u: u.laplacian + u.value**2,
        lambda x, u: u.laplacian + npde.sin(u.value),
        lambda x, u: u.laplacian + x[:, 0] * u.value,
        lambda x, u: u.d2(0) + 2 * u.d2(1),
        lambda x, u: u.laplacian - _bead(x) * u.value,
        lambda x, u: [u.laplacian, u.d(0)],
    ],
    ids=["advection", "square", "sine", "varying", "anisotropic", "bead", "two"],
)
def test_other_equations_are_not_taken_for_these(residual: object) -> None:
    assert as_known(_problem(residual)) is None


def _problem(residual: object) -> npde.Problem:
    return npde.Problem("own", RING, npde.Equation(residual), boundary=npde.Dirichlet(1.0))  # type: ignore[arg-type]
