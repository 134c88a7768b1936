"""The reference of Helmholtz' equation in space, against what solve finds by other means."""

import numpy as np
import pytest

import neurapde as npde
from support import relative

CUBE = npde.Box((-1, 1), (-1, 1), (-1, 1))
K = 6.0


def lens(x: np.ndarray) -> np.ndarray:
    return 1 - 0.3 * npde.exp(-((x[:, 0] - 0.1) ** 2 + x[:, 1] ** 2 + x[:, 2] ** 2) / 0.05)


def away(source: tuple[float, ...]) -> np.ndarray:
    x = np.random.default_rng(51713).uniform(-0.45, 0.45, (500, 3))
    return x[np.linalg.norm(x - source, axis=1) > 0.2]


CASES = {
    "lens": npde.Problem(
        "lens",
        CUBE,
        npde.Helmholtz(K, speed=lens),
        [npde.PointSource((-0.3, 0.1, 0.0))],
        npde.PML(0.5, reflection=1e-6),
    ),
    "ball": npde.Problem(
        "ball",
        CUBE,
        npde.Helmholtz(K, speed=npde.Piecewise(1.0, (npde.Ball((0.1, 0, 0), 0.2), 1.5))),
        [npde.GaussianSource((-0.3, 0.1, 0.0), 1e-3)],
        npde.PML(0.5, reflection=1e-6),
    ),
    "open": npde.Problem(
        "open",
        CUBE,
        npde.Helmholtz(4.0, speed=lambda x: 1 + 0.2 * npde.sin(2 * x[:, 1])),
        lambda x: npde.exp(-20 * (x**2).sum(1)),
        [
            npde.Absorbing(("left", "right", "front", "back")),
            npde.Dirichlet(0.0, on="bottom"),
            npde.Neumann(on="top"),
        ],
    ),
}


@pytest.mark.parametrize(
    "name", [*list(CASES)[:1], *(pytest.param(name, marks=pytest.mark.slow) for name in list(CASES)[1:])]
)
def test_it_agrees_with_the_default_within_both_estimates(name: str) -> None:
    problem = CASES[name]
    reference = npde.reference(problem, shape=49)
    solution = npde.solve(problem, method=npde.Galerkin(tolerance=2e-3, seconds=900), progress=False)
    x = away((-0.3, 0.1, 0.0)) if name != "open" else away((2.0, 0.0, 0.0))
    apart = relative(reference(x), solution(x))
    estimates = reference.error_estimate + float(solution.stages[-1].extras["error_estimate"])
    assert apart < 3 * estimates
    assert apart < 1e-2


def test_a_grid_that_does_not_fit_is_refused_before_it_is_made() -> None:
    with pytest.raises(npde.DeclarationError, match="needs too much memory"):
        npde.reference(CASES["lens"], shape=2001)
