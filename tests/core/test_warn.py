"""Warnings point at the line of the user that led to them, whatever lies between."""

import warnings
from collections.abc import Callable

import pytest

import neurapde as npde


def thin_layer() -> object:
    return npde.Problem(
        "thin",
        npde.Box((-1, 1), (-1, 1)),
        npde.Helmholtz(wavenumber=10.0),
        npde.GaussianSource(at=(0, 0), variance=1e-2),
        npde.PML(width=0.2, strength=5.0),
    )


def too_few_features() -> object:
    problem = npde.Problem(
        "coarse",
        npde.Interval(0, 1),
        npde.Poisson(lambda x: 2 + npde.sin(40 * x[:, 0])),
        1.0,
        npde.Dirichlet(0.0),
    )
    return npde.solve(problem, method=npde.LeastSquares(largest=30), progress=False)


@pytest.mark.parametrize("act", [thin_layer, too_few_features])
def test_a_warning_names_the_file_of_the_caller(act: Callable[[], object]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        act()
    assert {warning.filename for warning in caught} == {__file__}
