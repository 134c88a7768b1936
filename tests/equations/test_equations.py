import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurapde.conditions import PML, Dirichlet
from neurapde.conditions.constraints import Samples
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.domains import Box, Disk
from neurapde.equations import Equation, Helmholtz
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Piecewise
from neurapde.fields.sources import GaussianSource, Shots
from neurapde.problem.problem import Problem
from neurapde.trials.networks.siren import Siren

SOURCE = GaussianSource((0.0, 0.0), 1e-3, 2 - 1j)


class Differentiated:
    """Stands in for a jet: a complex field's derivatives by torch's own differentiation."""

    def __init__(self, field, points: torch.Tensor) -> None:
        self.points = points.clone().requires_grad_()
        self.value = field(self.points)
        self.gradient = self._slopes(self.value)

    def _slopes(self, values: torch.Tensor) -> torch.Tensor:
        parts = [
            torch.autograd.grad(component.sum(), self.points, create_graph=True)[0]
            for component in (values.real, values.imag)
        ]
        return torch.complex(*parts)

    def d(self, i: int) -> torch.Tensor:
        return self.gradient[:, i]

    def d2(self, i: int) -> torch.Tensor:
        return self._slopes(self.gradient[:, i])[:, i]


@given(st.integers(1, 3), st.floats(5, 30), st.floats(0.5, 2), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_stretched_plane_waves_leave_no_residual(dimension: int, k: float, speed: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    domain = Box(*[(-1.0, 1.0)] * dimension)
    problem = Problem(
        "plane wave", domain, Helmholtz(k, speed), boundary=PML(0.45, reflection=rng.uniform(0.01, 0.5))
    )
    direction = rng.normal(size=dimension)
    direction = torch.tensor(direction / np.linalg.norm(direction), dtype=torch.complex128)
    stretch = problem.equation.stretch(problem)
    points = domain.sample(40, generator=torch.Generator().manual_seed(seed))
    jet = Differentiated(lambda x: torch.exp(-1j * k / speed * (stretch.coordinates(x) @ direction)), points)
    (constraint,) = problem.constraints
    left = constraint.residual(Samples(points), jet)
    scale = problem.equation.strong(problem).zeroth(points) * jet.value
    assert (left / scale).abs().max() < 1e-10


def test_outside_the_layers_it_is_the_plain_equation() -> None:
    speed = Piecewise(1.0, (Disk((0, 0), 0.2), 2.0))
    problem = Problem("disk", Box((-1, 1), (-1, 1)), Helmholtz(20.0, speed), SOURCE, PML(0.5))
    points = Box((-0.5, 0.5), (-0.5, 0.5)).sample(200, generator=torch.Generator().manual_seed(24494))
    jet = Differentiated(lambda x: torch.exp(1j * x[:, 0] * x[:, 1]), points)
    expected = jet.d2(0) + jet.d2(1) + 400 / speed(points) ** 2 * jet.value - SOURCE(points)
    assert torch.allclose(problem.constraints[0].residual(Samples(points), jet), expected)


def test_the_residual_of_a_network_by_jets_is_that_by_torch() -> None:
    problem = Problem("disk", Box((-1, 1), (0, 1)), Helmholtz(20.0, 1.5), boundary=PML(0.4))
    random = torch.Generator().manual_seed(24494)
    trial = Siren(width=12, depth=2).build(
        problem.domain.bounds, 1, True, generator=random, dtype=torch.float64, device="cpu"
    )
    samples = problem.constraints[0].sample(30, how="sobol", generator=random)
    by_jets = problem.constraints[0].residual(samples, trial.jet(samples.points, 2))
    by_torch = problem.constraints[0].residual(samples, Differentiated(trial, samples.points))
    assert torch.allclose(by_jets, by_torch, rtol=1e-9)


def test_shots_have_a_column_each() -> None:
    problem = Problem(
        "two", Box((-1, 1), (-1, 1)), Helmholtz(20.0), Shots(SOURCE, [SOURCE, SOURCE]), PML(0.5)
    )
    points = problem.domain.sample(50, generator=torch.Generator().manual_seed(24494))

    class Zero:
        value = torch.zeros(50, 2, dtype=torch.complex128)

        def d(self, i: int) -> torch.Tensor:
            return self.value

        d2 = d

    residuals = problem.constraints[0].residual(Samples(points), Zero())
    scale = problem.equation.strong(problem).scale(points)
    assert torch.allclose(residuals[:, 0], -scale * SOURCE(points))
    assert torch.allclose(residuals[:, 1], 2 * residuals[:, 0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_coefficients_agree_on_numpy_and_torch_in_value_and_precision(dtype) -> None:
    problem = Problem("disk", Box((-1, 1), (-1, 1)), Helmholtz(20.0, 1.5), SOURCE, PML(0.4))
    strong = problem.equation.strong(problem)
    points = problem.domain.sample(100, generator=torch.Generator().manual_seed(26457)).numpy().astype(dtype)
    tensor = torch.tensor(points)
    pairs = [
        *zip(strong.second(points), strong.second(tensor), strict=True),
        *zip(strong.first(points), strong.first(tensor), strict=True),
        (strong.zeroth(points), strong.zeroth(tensor)),
        (strong.scale(points), strong.scale(tensor)),
    ]
    for a, b in pairs:
        assert a.dtype == (np.complex64 if dtype == np.float32 else np.complex128)
        assert b.numpy().dtype == a.dtype
        np.testing.assert_allclose(b.numpy(), a, rtol=1e-4 if dtype == np.float32 else 1e-12, atol=1e-12)
    slowness = problem.equation.slowness_squared(tensor)
    assert slowness.numpy().dtype == dtype
    assert torch.allclose(slowness, torch.full_like(slowness, 1 / 2.25))


def test_a_user_equation_is_its_residual() -> None:
    def residual(x, u):
        return u.value - x[:, 0]

    problem = Problem("fit", Disk((0, 0), 1), Equation(residual, order=0))
    points = problem.domain.sample(10, generator=torch.Generator().manual_seed(26457))
    jet = Differentiated(lambda x: x[:, 0] + 0j * x[:, 0], points)
    (constraint,) = problem.constraints
    assert (constraint.name, constraint.order) == ("equation", 0)
    assert constraint.residual(Samples(points), jet).abs().max() == 0
    with pytest.raises(
        DeclarationError, match=r"returned the shape \(\) for 17 points; return \(n,\) or \(n, c\)"
    ):
        Problem("fit", Disk((0, 0), 1), Equation(lambda x, u: u.value.mean(), order=0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Helmholtz(0), "wavenumber is 0, but must be positive"),
        (lambda: Helmholtz(-20.0), "wavenumber is -20, but must be positive"),
        (lambda: Helmholtz(np.nan), "wavenumber is nan; give a finite number"),
        (lambda: Helmholtz(20j), "wavenumber is 20j, which is complex; give a real number"),
        (lambda: Helmholtz("k"), "wavenumber is 'k', a str; give a number"),
        (lambda: Helmholtz(20, 0), "speed is 0, but must be positive"),
        (lambda: Helmholtz(20, -1.5), "speed is −1.5, but must be positive"),
        (lambda: Helmholtz(20, np.inf), "speed is inf; give a finite number"),
        (lambda: Helmholtz(20, "fast"), "speed is 'fast'; give a number, a function"),
        (
            lambda: Helmholtz(20, Piecewise(1, (Disk((0, 0), 1), -2))),
            "speed in disk is −2, but must be positive",
        ),
        (lambda: Helmholtz(20, GridField(np.zeros((2, 2)))), "speed is 0, but must be positive"),
        (lambda: Equation("Δu"), r"residual of the Equation is 'Δu'; give a function residual\(x, u\)"),
        (lambda: Equation(print, order=5), "the Equation has order 5; give 0 to 4"),
        (lambda: Equation(print, outputs=0), "outputs=0 of the Equation: give a whole number"),
        (lambda: Equation(print, complex=1), "complex=1: give True or False"),
        (lambda: Equation(print, mixed=[(0, 0)]), "give pairs of two different axes"),
        (lambda: Equation(print, order=1, mixed=[(0, 1)]), "has order 1; give order=2"),
        (lambda: Equation(print, name=""), "name of the Equation is ''; give a name"),
    ],
)
def test_what_is_no_equation_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_the_weak_form_is_refused_off_a_box() -> None:
    problem = Problem("disk", Disk((0, 0), 1), Helmholtz(20.0))
    with pytest.raises(
        DeclarationError, match=r"the weak form is taken on a Box, but the domain is .*; use Adam"
    ):
        problem.equation.weak(problem)


@pytest.mark.parametrize("speed", [1 - 0.02j, Piecewise(1.0, (Disk((0.1, 0.2), 0.2), 2 - 0.5j))], ids=str)
def test_waves_that_grow_on_their_way_out_are_warned_of(speed) -> None:
    square = Box((-1, 1), (-1, 1))
    with pytest.warns(DeclarationWarning, match=r"negative imaginary part waves grow.*absorbs"):
        Problem("gain", square, Helmholtz(20.0, speed), SOURCE, PML(0.4, 5.0))
    Problem("laser", square, Helmholtz(20.0, speed), SOURCE, Dirichlet(0.0))
