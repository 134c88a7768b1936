"""A real field takes real values alone: an imaginary part is refused by name, wherever it stands, and never dropped."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde import DeclarationError

SQUARE = npde.Box((0, 1), (0, 1))
MOVING = npde.Interval(0, 1).over(npde.Time(0, 1))


def growing(x: Any) -> Any:
    return 1j * x[:, 0]


def now_and_then(x: Any) -> Any:
    return np.emath.sqrt(np.asarray(x)[:, 0] - 0.5)


def laplace(x: Any, u: npde.Jet) -> Any:
    return u.laplacian


def poisson(**changes: Any) -> npde.Problem:
    return npde.Problem(**{"domain": SQUARE, "equation": npde.Poisson(), **changes})


def heat(start: Any, velocity: Any = None) -> npde.Problem:
    begins = npde.InitialCondition(start, velocity)
    return npde.Problem("heat", MOVING, npde.Equation(lambda x, u: u.dt - u.laplacian), boundary=begins)


def wave(*, source: Any = (), start: Any = 0.0, velocity: Any = 0.0) -> npde.Problem:
    return npde.Problem(
        "wave", MOVING, npde.Wave(), source, [npde.InitialCondition(start, velocity), npde.Dirichlet(0.0)]
    )


CASES: dict[str, tuple[Callable[[], npde.Problem], str]] = {
    "dirichlet": (lambda: poisson(boundary=npde.Dirichlet(1j)), "value of the condition u = 1i"),
    "dirichlet function": (lambda: poisson(boundary=npde.Dirichlet(growing, on="right")), "growing"),
    "neumann": (
        lambda: poisson(boundary=npde.Neumann(2 + 1j, on="left")),
        "∂u/∂n = 2 . 1i on left is complex",
    ),
    "robin value": (lambda: poisson(boundary=npde.Robin(1, 1, 1j)), "value of the condition"),
    "robin a": (lambda: poisson(boundary=npde.Robin(1j, 1)), "a of the condition"),
    "robin b": (lambda: poisson(boundary=npde.Robin(1, growing)), "b of the condition"),
    "reaction": (lambda: poisson(equation=npde.Poisson(reaction=10j)), "reaction of the Poisson"),
    "coefficient": (lambda: poisson(equation=npde.Poisson(1 + 1j)), "coefficient of the Poisson"),
    "coefficient piece": (
        lambda: poisson(equation=npde.Poisson(npde.Piecewise(1, (npde.Disk((0.5, 0.5), 0.1), 2 + 1j)))),
        "coefficient of the Poisson",
    ),
    "grid field": (
        lambda: poisson(equation=npde.Poisson(reaction=npde.GridField(np.full((3, 3), 1j)))),
        "reaction of the Poisson",
    ),
    "amplitude": (
        lambda: poisson(sources=npde.GaussianSource((0.5, 0.5), 0.05, 1j)),
        "the source, 1i · Gaussian",
    ),
    "shots": (
        lambda: poisson(sources=npde.Shots(1.0, npde.GaussianSource((0.5, 0.5), 0.05, 1j))),
        "of shot 2 is complex",
    ),
    "source function": (lambda: poisson(sources=growing), r"growing\(x\), is complex"),
    "source that turns complex": (lambda: poisson(sources=now_and_then), r"now_and_then\(x\), is complex"),
    "source number": (lambda: poisson(sources=2j), "the source, 2i, is complex"),
    "initial value": (lambda: heat(1j), "value of the condition u = 1i at t = 0"),
    "initial function": (lambda: heat(growing), "value of the condition"),
    "initial velocity": (lambda: wave(velocity=1j), "velocity of the condition"),
    "wave speed": (
        lambda: npde.Problem("wave", MOVING, npde.Wave(1 + 1j)),
        "speed of the Wave",
    ),
    "pulse": (
        lambda: wave(source=npde.PulsedSource(npde.PointSource(0.5, 1j), npde.Ricker(3.0))),
        "is complex",
    ),
    "waveform": (
        lambda: wave(source=npde.PulsedSource(1.0, lambda t: npde.exp(1j * t))),
        "is complex",
    ),
    "eikonal speed": (
        lambda: npde.Problem("rays", SQUARE, npde.Eikonal(1 + 1j), npde.PointSource((0.5, 0.5))),
        "speed of the Eikonal",
    ),
    "residual": (
        lambda: poisson(equation=npde.Equation(lambda x, u: u.laplacian - 1j * u.value)),
        "returned complex values, but u is real",
    ),
    "constraint": (
        lambda: poisson(
            equation=npde.Equation(laplace),
            constraints=npde.Constraint("datum", lambda s, u: u.value - 1j, npde.interior(SQUARE)),
        ),
        "constraint 'datum' returned complex values",
    ),
    "exact": (lambda: poisson(exact=growing), r"exact\(x\) returned values of type complex128"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_imaginary_part_in_a_real_problem_is_refused_with_the_way_out(case: str) -> None:
    make, named = CASES[case]
    with pytest.raises(DeclarationError, match=named) as refusal:
        make()
    assert "complex=True" in str(refusal.value) or case == "exact"


def test_a_complex_problem_takes_them_all() -> None:
    npde.Problem(
        "damped",
        SQUARE,
        npde.Helmholtz(5.0, 1 + 0.1j),
        npde.GaussianSource((0.5, 0.5), 1e-4, 1j),
        [
            npde.Robin(1j, growing, 2j, on="left"),
            npde.Dirichlet(growing, on="right"),
            npde.Neumann(1j, on="top"),
        ],
        exact=growing,
    )
    npde.Problem(
        "own",
        SQUARE,
        npde.Equation(lambda x, u: u.laplacian - 1j * u.value, complex=True),
        boundary=npde.Dirichlet(1j),
    )


def test_a_complex_number_without_an_imaginary_part_is_the_real_one() -> None:
    problem = poisson(equation=npde.Poisson(1 + 0j), boundary=npde.Dirichlet(2 + 0j))
    assert str(problem) == str(poisson(equation=npde.Poisson(1.0), boundary=npde.Dirichlet(2.0)))


def test_a_residual_that_turns_complex_later_is_refused_when_it_does() -> None:
    def residual(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
        return u.value + (1j if len(x) > 100 else 0.0)

    problem = poisson(equation=npde.Equation(residual, order=0))
    with pytest.raises(DeclarationError, match="returned complex values, but u is real"):
        npde.solve(problem, npde.MLP(4, 1), npde.Adam(steps=1, points=101), progress=False)
