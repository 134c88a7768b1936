"""Third and fourth derivatives: in closed form as by nested differentiation, by the product rule, and found when read."""

import pytest
import torch

import neurapde as npde
from neurapde.jets.autograd import jet_by_autograd
from neurapde.jets.jet import Jet, Layout
from neurapde.methods.marching.patches import chebyshev
from neurapde.trials.base import Setting
from neurapde.trials.fourier_extension import FourierExtension, Multipoles

LAYOUT = Layout(2, 4, ((0, 1), (0, 0, 0), (1, 0, 0), (0, 0, 0, 0), (0, 1, 0, 1)))
SQUARE = npde.Box((0, 1), (0, 1))


def points(count: int) -> torch.Tensor:
    return torch.rand((count, 2), generator=torch.Generator().manual_seed(60101), dtype=torch.float64)


def test_features_have_the_derivatives_that_nested_differentiation_gives():
    spec = FourierExtension((3, 2), extra=(Multipoles((-0.5, 0.2), 0.4, 1),))
    setting = Setting(SQUARE.bounds, 1, False, torch.Generator(), torch.float64, "cpu")
    trial = spec.draw(setting)
    x = points(4)
    features = trial.feature_jet(x, LAYOUT.order, LAYOUT.mixed)
    truth = jet_by_autograd(trial.features, x, LAYOUT, keep_graph=False)
    torch.testing.assert_close(features.channels, truth.channels, rtol=1e-9, atol=1e-8)


def test_a_network_has_its_higher_derivatives_too():
    network = npde.MLP(8, 2, activation="tanh").build(
        SQUARE.bounds, generator=torch.Generator().manual_seed(60103), dtype=torch.float64
    )
    x = points(5)
    truth = torch.func.vmap(torch.func.jacfwd(torch.func.hessian(lambda p: network(p[None])[0])))(x)
    jet = network.jet(x, 3, ((0, 0, 1),))
    torch.testing.assert_close(jet.d3(0, 1, 0), truth[:, 0, 1, 0])


def test_chebyshev_polynomials_have_four_derivatives():
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)
    fourth = chebyshev(x, torch.full_like(x, 3.0), 6, 4)[4]
    torch.testing.assert_close(fourth[:, 6], 81 * (32 * 360 * x**2 - 48 * 24))  # T₆ = 32x⁶ − 48x⁴ + 18x² − 1


def test_the_product_rule_holds_for_every_derivative():
    x = points(6)
    first = jet_by_autograd(lambda p: torch.sin(p[:, 0]) * torch.exp(p[:, 1]), x, FULL, keep_graph=False)
    second = jet_by_autograd(lambda p: p[:, 0] ** 3 * p[:, 1] ** 2, x, FULL, keep_graph=False)
    product = jet_by_autograd(
        lambda p: torch.sin(p[:, 0]) * torch.exp(p[:, 1]) * p[:, 0] ** 3 * p[:, 1] ** 2,
        x,
        FULL,
        keep_graph=False,
    )
    torch.testing.assert_close((first * second).channels, product.channels)


FULL = Layout(2, 4, ((0, 1), (0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1), (0, 0, 1, 1)))


def test_a_product_carries_only_what_its_factors_do():
    """∂₀₀₀₀ of a product needs ∂₀₀₀, which these do not carry."""
    layout = Layout(1, 4, ((0, 0, 0, 0),))
    jet = Jet(torch.ones(layout.shape(3, 1), dtype=torch.float64), layout)
    assert (jet * jet).layout.mixed == ()
    with pytest.raises(npde.DeclarationError, match=r"along the axes \(0, 0, 0, 0\)"):
        (jet * jet).d4(0)


def test_what_a_residual_reads_is_found():
    line = npde.Interval(0, 1)
    moment = npde.Constraint("shear", lambda s, u: u.d3(0), npde.face(line, "right"), order=2)
    beam = npde.Problem("beam", line, npde.Equation(lambda x, u: u.d4(0) + 1), constraints=moment)
    assert (beam.equation.order, beam.equation.mixed) == (4, ((0, 0, 0, 0),))
    assert beam.extra[0].order == 3
    plate = npde.Problem("plate", SQUARE, npde.Equation(lambda x, u: u.bilaplacian + u.d2(0, 1)))
    assert set(plate.mixed) == {(0, 1), (0, 0, 0, 0), (0, 0, 1, 1), (1, 1, 1, 1)}
