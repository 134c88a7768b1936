"""A user's own equation is Poisson's or Helmholtz' where it is so for every field, and only there."""

import numpy as np
import pytest
import torch
from scipy.special import h1vp, hankel1, k0

import neurapde as npde
from neurapde.assembly.trefftz.own import as_known

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
