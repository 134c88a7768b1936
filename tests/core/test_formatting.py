"""Numbers with their errors, as people read them."""

import math

import pytest

from neurapde.core.formatting import with_error


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (2.02842, 0.0123, "2.028 ± 0.012"),
        (2.0, 0.0123, "2.000 ± 0.012"),
        (0.5, 0.0996, "0.50 ± 0.10"),
        (2.0, 5.0, "2.0 ± 5.0"),
        (-1234.6, 67.3, "−1235 ± 67"),
        (1.5e7, 2.34e5, "1.500e+07 ± 2.3e+05"),
        (1e-9, 3.04e-11, "1.000e-09 ± 3.0e-11"),
        (2.0000000001, 9.99e-11, "2.00000000010 ± 1.0e-10"),
        (0.0, 0.1, "0.00 ± 0.10"),
        (3.0, 0.0, "3 ± 0"),
        (3.0, math.nan, "3 ± nan"),
    ],
)
def test_a_value_ends_with_the_second_digit_of_its_error(value: float, error: float, text: str) -> None:
    assert with_error(value, error) == text
