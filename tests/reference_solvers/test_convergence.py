"""Orders and error estimates from sequences of grids."""

import numpy as np
import pytest

from neurapde.core.convergence import estimate_error
from neurapde.reference_solvers.convergence import observed_orders, richardson


@pytest.mark.parametrize("order", [1.0, 2.0, 3.5])
def test_the_order_of_a_power_of_the_spacing_is_its_exponent(order: float) -> None:
    steps = np.array([0.3, 0.2, 0.05])
    np.testing.assert_allclose(observed_orders(7 * steps**order, steps), order, rtol=1e-11)
    np.testing.assert_allclose(observed_orders(0.5 ** (order * np.arange(4))), order, rtol=1e-11)


def test_an_error_that_stalls_has_order_zero() -> None:
    np.testing.assert_allclose(observed_orders([1e-3, 1e-3]), 0, atol=1e-12)


@pytest.mark.parametrize("order", [1.0, 2.0, 4.0])
def test_richardson_finds_the_error_of_the_finer_value(order: float) -> None:
    def value(step: float) -> complex:
        return (1 + 2j) + (0.3 - 0.1j) * step**order

    error = richardson(value(0.2), value(0.1), order)
    np.testing.assert_allclose(value(0.1) + error, 1 + 2j, rtol=1e-12)


def test_richardson_overestimates_where_the_order_is_higher() -> None:
    error = richardson(0.2**4, 0.1**4, 2)
    assert abs(error) > 0.1**4


@pytest.mark.parametrize(
    ("errors", "steps", "message"),
    [
        ([1.0], None, "two or more"),
        ([1.0, 0.5], [0.1], "the same number of steps"),
        ([1.0, 0.0], None, "positive"),
        ([1.0, np.nan], None, "positive"),
    ],
)
def test_what_has_no_order_is_refused(errors: list, steps: list | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        observed_orders(errors, steps)


def test_richardson_refuses_fields_of_different_shapes() -> None:
    with pytest.raises(ValueError, match=r"fine\[::2, ::2\]"):
        richardson(np.zeros((3, 3)), np.zeros((5, 5)), 2)
    with pytest.raises(ValueError, match="positive"):
        richardson(0.0, 1.0, 0)


@pytest.mark.parametrize("ratio", [0.3, 0.6, 0.85])
def test_what_is_to_come_of_a_geometric_sequence_is_its_rest(ratio: float) -> None:
    changes = [ratio**i for i in range(5)]
    np.testing.assert_allclose(estimate_error(changes, 0.2), ratio**5 / (1 - ratio), rtol=1e-12)


def test_a_change_that_is_small_by_chance_is_not_believed() -> None:
    assert estimate_error([4e-3, 9e-4, 7e-3, 7e-3, 3e-4], 0.2) >= 7e-3
    assert estimate_error([2e-3, 3e-4, 3e-4, 3e-2, 2e-3], 0.2) >= 3e-2


def test_levels_that_add_nothing_to_an_even_field_do_not_hold_up_the_estimate() -> None:
    changes = [1e-1, 1e-3, 1e-2, 1e-4, 1e-3, 1e-5]
    assert estimate_error(changes, 0.2) < 1e-5


def test_without_a_change_nothing_is_known() -> None:
    assert estimate_error([], 0.2) == np.inf
