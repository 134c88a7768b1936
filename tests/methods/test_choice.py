"""What `solve` chooses: a table, problem by problem, with a network to train and without."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.methods import choice
from neurapde.methods.choice import choose_method
from neurapde.problems import CASES
from neurapde.training.run.method import DirectMethod, Method, Outcome, Task
from neurapde.trials.base import Trial
from support import some_slow

LINE, SQUARE, DISK = npde.Interval(0, 1), npde.Box((0, 1), (0, 1)), npde.Disk((0, 0), 1)
BRICK, TESSERACT = npde.Box((0, 1), (0, 1), (0, 2)), npde.Box(*[(0, 1)] * 4)
TIME = npde.Time(0, 1)
ZERO, ONE = npde.Dirichlet(0.0), npde.Dirichlet(1.0)
HELMHOLTZ, WAVE = npde.Helmholtz(5.0), npde.Wave()
BENT = npde.Equation(lambda x, u: u.laplacian + u.value**2)
TWO = npde.Shots(npde.GaussianSource((0.3, 0.2), 1e-3), npde.GaussianSource((0.2, 0.3), 1e-3))
LIKE_NUMPY = npde.FunctionSource(lambda x: np.sin(np.asarray(x)[:, 0]))
SINES = [npde.Dirichlet(0.0), npde.InitialCondition(lambda x: npde.sin(np.pi * x[:, 0]))]
WAVING = npde.InitialCondition(lambda x: npde.sin(2 * np.pi * x[:, 0]))

CHOSEN = {
    "helmholtz-uniform": "Trefftz",
    "helmholtz-disk": "Trefftz",
    "helmholtz-square": "Trefftz",
    "poisson-rod": "Separable",
    "poisson-square": "Separable",
    "poisson-disk": "LeastSquares",
    "poisson-l-shape": "Trefftz",
    "poisson-inclusion": "Trefftz",
    "poisson-darcy": "Galerkin",
    "image-fit": "Adam",
    "audio-fit": "Adam",
    "video-fit": "Adam",
    "poisson-gradients": "Adam",
    "poisson-laplacian": "Adam",
    "inpainting": "Adam",
    "poisson-editing": "Adam",
    "sdf-sphere": "NaturalGradient",
    "sdf-torus": "NaturalGradient",
    "sdf-mesh": "NaturalGradient",
    "sdf-room": "NaturalGradient",
    "travel-time-gradient": "NaturalGradient",
    "travel-time-layers": "NaturalGradient",
    "wave-uniform": "MethodOfLines",
    "wave-disk": "MethodOfLines",
    "wave-ricker": "MethodOfLines",
    "wave-string": "MethodOfLines",
    "heat": "LeastSquares",
    "boundary-layer": "SpectralElements",
    "bratu": "SpectralElements",
    "kovasznay": "Newton",
    "burgers": "TimeMarching",
    "allen-cahn": "TimeMarching",
    "kdv": "TimeMarching",
    "schrodinger": "TimeMarching",
    "kuramoto-sivashinsky": "TimeMarching",
    "gray-scott": "TimeMarching",
    "lotka-volterra": "TimeMarching",
    "lorenz": "TimeMarching",
    "van-der-pol": "TimeMarching",
}


AROUND = npde.Box((-1, 1), (-1, 1))


def data(domain: npde.Domain, power: int = 1) -> npde.Constraint:
    return npde.Constraint("data", lambda s, u: u.value**power - 1, npde.interior(domain))


def jumping(x: Any) -> Any:
    return npde.where(x[:, 0] + x[:, 1] < 0.8, 1.0 + 0 * x[:, 0], 5.0)


def bulging(x: Any) -> Any:
    return 1 + 0.1 * x[:, 0] ** 2


def phases(space: npde.Domain = AROUND) -> npde.Problem:
    turning = npde.Equation(lambda x, u: u.dt - u.laplacian / 100 - 5 * (u.value - u.value**3))
    start = npde.InitialCondition(lambda x: x[:, 0] ** 2 * npde.cos(np.pi * x[:, 0]))
    return _problem(space.over(TIME), turning, boundary=[npde.Dirichlet(-1.0), start])


def growth() -> npde.Problem:
    logistic = npde.Equation(lambda x, u: u.dt - u.value + u.value**2, order=1)
    return _problem(npde.Interval(0, 1), logistic, npde.InitialCondition(0.1))


def _problem(domain: npde.Domain, equation: Any, boundary: Any = ZERO, **options: Any) -> npde.Problem:
    return npde.Problem("own", domain, equation, boundary=boundary, **options)


def _complex(x: torch.Tensor, u: npde.Jet) -> torch.Tensor:
    return u.laplacian + u.value * u.value.abs()


OWN: dict[str, tuple[str, Callable[[], npde.Problem]]] = {
    "linear": ("SpectralElements", lambda: _problem(LINE, npde.Equation(lambda x, u: u.laplacian))),
    "linear, four axes": (
        "NaturalGradient",
        lambda: _problem(TESSERACT, npde.Equation(lambda x, u: u.laplacian)),
    ),
    "linear, complex": (
        "LeastSquares",
        lambda: _problem(SQUARE, npde.Equation(lambda x, u: u.laplacian + u.d(0), complex=True), ONE),
    ),
    "Helmholtz' equation, complex": (
        "Separable",
        lambda: _problem(SQUARE, npde.Equation(lambda x, u: u.laplacian + u.value, complex=True), ONE),
    ),
    "settles": ("Newton", lambda: _problem(SQUARE, BENT, ONE)),
    "settles, four axes": ("NaturalGradient", lambda: _problem(TESSERACT, BENT, ONE)),
    "does not converge": ("NaturalGradient", phases),
    "evolves from an initial condition": ("TimeMarching", growth),
    "goes on from its start, one axis of space": (
        "TimeMarching",
        lambda: phases(npde.Interval(-1, 1)),
    ),
    "bent, complex": (
        "NaturalGradient",
        lambda: _problem(SQUARE, npde.Equation(_complex, complex=True), ONE),
    ),
    "waves, disk": ("Trefftz", lambda: _problem(DISK, HELMHOLTZ, ONE)),
    "waves, not zero at the sides": ("Separable", lambda: _problem(SQUARE, HELMHOLTZ, ONE)),
    "waves, one axis": ("Separable", lambda: _problem(LINE, HELMHOLTZ)),
    "waves, absorbed": ("Trefftz", lambda: _problem(SQUARE, HELMHOLTZ, npde.Absorbing())),
    "waves, four axes": ("Adam", lambda: _problem(TESSERACT, HELMHOLTZ)),
    "waves, point source in a disk": (
        "Trefftz",
        lambda: _problem(DISK, HELMHOLTZ, sources=npde.PointSource((0.5, 0.5))),
    ),
    "waves, shots": ("Separable", lambda: _problem(SQUARE, HELMHOLTZ, sources=TWO)),
    "waves, shots in a disk": ("Trefftz", lambda: _problem(DISK, HELMHOLTZ, sources=TWO)),
    "waves, shots in a lens": ("Adam", lambda: _problem(DISK, npde.Helmholtz(5.0, bulging), sources=TWO)),
    "waves, linear data": ("LeastSquares", lambda: _problem(SQUARE, HELMHOLTZ, constraints=data(SQUARE))),
    "waves, bent data": ("Adam", lambda: _problem(SQUARE, HELMHOLTZ, ONE, constraints=data(SQUARE, 2))),
    "bent data": ("Newton", lambda: _problem(SQUARE, npde.Poisson(), ONE, constraints=data(SQUARE, 2))),
    "brick": ("Separable", lambda: _problem(BRICK, npde.Poisson(1.3, 0.4))),
    "brick, NumPy's source": ("Separable", lambda: _problem(BRICK, npde.Poisson(), sources=LIKE_NUMPY)),
    "brick, varying": ("Separable", lambda: _problem(BRICK, npde.Poisson(lambda x: 1 + x[:, 0]))),
    "brick, with a ball": (
        "Trefftz",
        lambda: _problem(BRICK, npde.Poisson(npde.Piecewise(1.0, (npde.Ball((0.5, 0.5, 1.0), 0.2), 3.0)))),
    ),
    "Neumann": ("Separable", lambda: _problem(SQUARE, npde.Poisson(), npde.Neumann(0.0))),
    "jump": ("Galerkin", lambda: _problem(SQUARE, npde.Poisson(jumping))),
    "jump, Robin": ("Adam", lambda: _problem(SQUARE, npde.Poisson(jumping), npde.Robin(1.0, 1.0, 0.0))),
    "NumPy's coefficient": (
        "Separable",
        lambda: _problem(SQUARE, npde.Poisson(lambda x: 1 + np.asarray(x)[:, 0])),
    ),
    "Poisson, four axes": ("NaturalGradient", lambda: _problem(TESSERACT, npde.Poisson())),
    "Poisson, shots": ("Trefftz", lambda: _problem(DISK, npde.Poisson(), sources=TWO)),
    "in time, not zero at the sides": ("LeastSquares", lambda: _problem(LINE.over(TIME), WAVE, ONE)),
    "five axes": ("NaturalGradient", lambda: _problem(npde.Box(*[(0, 1)] * 5), npde.Poisson())),
    "five axes, in time": (
        "NaturalGradient",
        lambda: _problem(
            npde.Box(*[(0, 1)] * 5).over(TIME), npde.Equation(lambda x, u: u.dt - u.laplacian), ONE
        ),
    ),
    "in time, long": (
        "TimeMarching",
        lambda: _problem(LINE.over(npde.Time(0, 9)), npde.Equation(lambda x, u: u.dt - u.d2(0)), SINES),
    ),
    "in time, short": (
        "LeastSquares",
        lambda: _problem(LINE.over(npde.Time(0, 2)), npde.Equation(lambda x, u: u.dt - u.d2(0)), SINES),
    ),
    "in time, disk": ("LeastSquares", lambda: _problem(DISK.over(TIME), WAVE)),
    "in time, three axes": ("MethodOfLines", lambda: _problem(BRICK.over(TIME), WAVE)),
    "in time, periodic": (
        "LeastSquares",
        lambda: _problem(LINE.over(TIME), WAVE, [npde.Periodic("x"), WAVING]),
    ),
}


@cache
def chosen_for(name: str) -> tuple[Method, str]:
    """The choice for a problem of `OWN`, made once: that Newton's iteration does not settle is found by trying."""
    return choose_method(OWN[name][1](), None)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[pytest.mark.slow] * (case.name in ("kovasznay", "sdf-room", "allen-cahn")))
        for case in CASES
    ],
    ids=lambda case: case.name,
)
def test_every_named_problem_is_solved_by_the_method_of_the_table(case: Any) -> None:
    method, why = choose_method(case.factory(), None)
    assert type(method).__name__ == CHOSEN[case.name]
    assert why.startswith(f"Method: {method.describe()}")


@pytest.mark.parametrize("name", some_slow(OWN, "does not converge"))
def test_own_problems_are_solved_by_the_method_of_the_table(name: str) -> None:
    expected, make = OWN[name]
    method, why = chosen_for(name)
    assert type(method).__name__ == expected
    assert why.startswith("Method: ")
    if expected != "Adam":
        method.check(make())


@pytest.mark.parametrize("name", OWN)
def test_a_given_network_is_trained(name: str) -> None:
    method, why = choose_method(OWN[name][1](), npde.Siren())
    assert method == npde.Adam(steps=10_000)
    assert "a trial function was given to be trained" in why


@pytest.mark.slow
def test_equations_advise_how_their_fields_are_trained() -> None:
    factories = {case.name: case.factory for case in CASES}

    def chosen(name: str, trial: Trial | None = None) -> Method:
        return choose_method(factories[name](), trial)[0]

    weights = {"surface": 10.0, "normals": 0.1, "off-surface": 0.0, "eikonal": 0.1, "distance": 10.0}
    points = {"surface": 1500, "normals": 750, "off-surface": 750, "eikonal": 1500, "distance": 3000}
    assert chosen("sdf-sphere") == npde.NaturalGradient(40, points, weights)
    assert chosen("travel-time-gradient") == npde.NaturalGradient(40, 2000)
    weights |= {"normals": 1.0, "eikonal": 1.0}
    trained = npde.Adam(2000, lr=3e-4, weights=weights, schedule=npde.training.Cosine())
    assert chosen("sdf-sphere", npde.Siren()) == trained
    assert chosen("travel-time-gradient", npde.Siren()) == npde.Adam(10_000)
    for trial in (None, npde.Siren()):
        fit = npde.Adam(
            500,
            lr=1e-3,
            points={"values": 8192},
            loss=npde.training.MeanSquare(),
            schedule=npde.training.Cosine(),
        )
        assert chosen("image-fit", trial) == fit
    follows = npde.training.ResidualAdaptive(every=10)
    points = {"equation": 2000, "dirichlet": 200, "initial-value": 200}
    weights = {"dirichlet": 10.0, "initial-value": 10.0}
    method = chosen_for("does not converge")[0]
    assert method == npde.NaturalGradient(120, points, weights, sampling=follows)
    assert isinstance(method.default_trial(phases()), npde.MLP)


def test_the_weights_of_a_distance_are_the_same_at_every_scale() -> None:
    for size in (1.0, 1000.0):
        disk, square = npde.Disk((0, 0), 0.5 * size), npde.Box((-size, size), (-size, size))
        method, _ = choose_method(npde.Problem("disk", square, npde.Eikonal(surface=disk)), None)
        assert isinstance(method, npde.NaturalGradient)
        assert method.weights["surface"] == method.weights["distance"] == 10
        assert method.weights["eikonal"] == 0.1


@dataclass(frozen=True)
class Toy(DirectMethod):
    """Solves what is called after it."""

    def obstacle(self, problem: npde.Problem) -> str | None:
        return None if problem.name == "toy" else "it is no toy"

    def why(self, problem: npde.Problem) -> str:
        return "it is a toy"

    def describe(self) -> str:
        return "toy"

    def run(self, task: Task) -> Outcome:
        raise NotImplementedError


def test_a_method_in_the_list_is_found_where_it_can_solve(monkeypatch: pytest.MonkeyPatch) -> None:
    toy, other = (npde.Problem(name, DISK, HELMHOLTZ, boundary=ZERO) for name in ("toy", "other"))
    assert choose_method(toy, None)[0] == npde.Trefftz()
    with monkeypatch.context() as changed:
        changed.setattr(choice, "PREFERRED", (Toy(), *choice.PREFERRED))
        assert choose_method(toy, None) == (Toy(), "Method: toy, since it is a toy.")
        assert choose_method(other, None)[0] == npde.Trefftz()
        assert isinstance(choose_method(toy, npde.Siren())[0], npde.Adam)
    with pytest.raises(npde.DeclarationError, match="Toy cannot take other: it is no toy"):
        npde.solve(other, method=Toy())
    assert Toy().default_dtype is torch.float64
    assert Toy().default_trial(toy) is None


def test_the_most_general_method_says_why_a_network_is_trained() -> None:
    for name, reason in {
        "waves, shots in a lens": "since it has several shots; declare a problem for each",
        "settles, four axes": "since its domain has 4 axes",
        "does not converge": "since the equation is nonlinear and Newton's iteration does not converge",
    }.items():
        assert reason in chosen_for(name)[1]
