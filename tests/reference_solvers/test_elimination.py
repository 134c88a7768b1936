"""Nested dissection and the factors that stand on it."""

import numpy as np
import pytest
from scipy import sparse

from neurapde.reference_solvers.operators.elimination import Factors, nested_dissection


@pytest.mark.parametrize("shape", [(1,), (17,), (5, 5), (3, 40), (16, 23), (4, 5, 6)])
def test_every_node_is_eliminated_once(shape: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(np.sort(nested_dissection(shape)), np.arange(np.prod(shape)))


def test_the_last_line_separates_the_halves() -> None:
    order = nested_dissection((9, 5))
    np.testing.assert_array_equal(order[-5:], 4 * 5 + np.arange(5))
    assert set(order[:20] // 5) == {0, 1, 2, 3}


def nine_point_matrix(n: int) -> sparse.csr_array:
    line = sparse.diags_array([np.ones(n - 1), np.ones(n), np.ones(n - 1)], offsets=[-1, 0, 1])
    pattern = sparse.csr_array(sparse.kron(line, line))
    real, imaginary = np.random.default_rng(30911).normal(size=(2, pattern.nnz))
    return sparse.csr_array((real + 1j * imaginary, pattern.indices, pattern.indptr)) + 9 * sparse.eye_array(
        n * n
    )


def test_the_factors_solve_the_system_and_its_transpose() -> None:
    matrix = nine_point_matrix(12)
    factors = Factors(matrix, nested_dissection((12, 12)))
    right = np.random.default_rng(40237).normal(size=(144, 3))
    np.testing.assert_allclose(matrix @ factors.solve(right), right, atol=1e-12)
    np.testing.assert_allclose(matrix.T @ factors.solve(right, transposed=True), right, atol=1e-12)
    np.testing.assert_allclose(matrix @ factors.solve(right[:, 0]), right[:, 0], atol=1e-12)
