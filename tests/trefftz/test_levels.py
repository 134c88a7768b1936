"""Levels of features that solve Helmholtz' equation, against the Bessel-Hankel series of a penetrable disk."""

import numpy as np
import pytest

from neurapde.problems import helmholtz_disk
from neurapde.trefftz.helmholtz import HelmholtzFamily
from neurapde.trefftz.levels import Levels
from neurapde.validation.exact import exact_solution


@pytest.mark.parametrize("wavenumber", [20.0, 160.0])
def test_a_disk_has_the_field_of_its_series_and_a_level_more_is_nearer(wavenumber: float) -> None:
    problem = helmholtz_disk(wavenumber=wavenumber)
    levels = Levels(HelmholtzFamily(problem))
    exact = exact_solution(problem)
    assert exact is not None
    known = exact(levels.probes)
    kept = np.isfinite(known)

    errors = []
    for digits in (4.0, 10.0):
        found = levels.field(levels.solve(levels.plan(digits)))[:, 0]
        errors.append(np.linalg.norm((found - known)[kept]) / np.linalg.norm(known[kept]))

    assert errors[0] < 1e-4
    assert errors[1] < min(1e-6, errors[0] / 10)
