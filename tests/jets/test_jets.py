import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neurapde.core.errors import DeclarationError
from neurapde.jets.activations import ELU, SELU, Activation, ReLU, Sigmoid, Sine, Softplus, Tanh
from neurapde.jets.jet import Jet, Layout
from neurapde.jets.reverse import ReverseSteps
from neurapde.jets.sweep import sweep
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.networks.mlp import MLP
from neurapde.trials.networks.siren import Siren
from support import jet_of_constant, jet_of_coordinates, random_points, seeded

ACTIVATIONS = [Sine(3.0), Tanh(), Softplus(), ReLU(), Sigmoid(), ELU(), SELU]


def nested(field: Tensor, x: Tensor, layout: Layout) -> Tensor:
    """The channels of a field (n,) or (n, c) by torch's nested differentiation with respect to x."""
    columns = []
    for column in field.reshape(len(field), -1).unbind(1):
        parts = [column.real, column.imag] if column.is_complex() else [column]
        rows = [nested_real(component, x, layout) for component in parts]
        columns.append(torch.complex(*rows) if column.is_complex() else rows[0])
    return torch.stack(columns, dim=-1).reshape(layout.count, *field.shape)


def nested_real(component: Tensor, x: Tensor, layout: Layout) -> Tensor:
    def slope(of: Tensor) -> Tensor:
        if not of.requires_grad:
            return torch.zeros_like(x)
        (result,) = torch.autograd.grad(of.sum(), x, create_graph=True, allow_unused=True)
        return torch.zeros_like(x) if result is None else result

    rows = [component]
    if layout.order:
        first = slope(component)
        rows.extend(first.unbind(1))
        rows.extend(slope(first[:, i])[:, j] for i, j in layout.pairs)
    return torch.stack(rows)


@st.composite
def networks(draw: st.DrawFn) -> tuple[TrialFunction, Layout, Tensor]:
    width, depth = draw(st.integers(1, 12)), draw(st.integers(0, 3))
    dimension, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    trials: list[Trial] = [Siren(width, depth, 6.0, 2.0)]
    trials += [MLP(width, depth, name) for name in ("tanh", "softplus", "relu", "sigmoid", "elu", "selu")]
    trial = draw(st.sampled_from(trials))
    order = draw(st.integers(0, 2))
    pairs = list(itertools.combinations(range(dimension), 2)) if order == 2 else []
    mixed = tuple(draw(st.lists(st.sampled_from(pairs), unique=True))) if pairs else ()
    seed = draw(st.integers(10_001, 99_999))
    bounds = ([-1.5] * dimension, [0.5 + i for i in range(dimension)])
    network = trial.build(bounds, outputs, draw(st.booleans()), generator=seeded(seed), dtype=torch.float64)
    return network, Layout(dimension, order, mixed), random_points(7, dimension, seed)


def assert_close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    assert actual.shape == expected.shape
    scale = max(1.0, float(expected.detach().abs().max())) if expected.numel() else 1.0
    assert float((actual - expected).detach().abs().max()) <= tolerance * scale


@settings(max_examples=60, deadline=None)
@given(networks())
def test_jet_equals_nested_differentiation(case: tuple[TrialFunction, Layout, Tensor]) -> None:
    network, layout, points = case
    x = points.clone().requires_grad_()
    jet = network.jet(points, layout.order, layout.mixed)
    assert jet.layout == layout
    assert_close(jet.channels, nested(network(x), x, layout))


@settings(max_examples=40, deadline=None)
@given(networks())
def test_parameter_gradients_equal_nested_differentiation(case: tuple[TrialFunction, Layout, Tensor]) -> None:
    network, layout, points = case
    x = points.clone().requires_grad_()
    parameters = list(network.parameters())
    channels = network.jet(points, layout.order, layout.mixed).channels
    weights = torch.randn(channels.shape, dtype=channels.dtype, generator=seeded(70207))
    losses = [(weights * rows).abs().square().sum() for rows in (channels, nested(network(x), x, layout))]
    pairs = [
        torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True) for loss in losses
    ]
    for actual, expected in zip(*pairs, strict=True):
        assert_close(actual, expected)


@pytest.mark.parametrize("activation", ACTIVATIONS[:3], ids=repr)
@pytest.mark.parametrize(
    "layout",
    [Layout(1, 0), Layout(2, 1), Layout(3, 1), Layout(3, 2), Layout(3, 2, ((0, 2), (1, 2)))],
    ids=repr,
)
def test_layers_pass_gradcheck(activation: Activation, layout: Layout) -> None:
    draw = seeded(31147)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=draw).requires_grad_()

    d = layout.dimension
    layers = numbers(3, d), numbers(3), numbers(2, 3), numbers(2)
    head = numbers(2, 2), numbers(2)
    chosen = (activation, activation)

    def headed(x: Tensor, w0: Tensor, b0: Tensor, w1: Tensor, b1: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return sweep(x, [(w0, b0), (w1, b1)], (w, b), chosen, layout, 0.7)

    def bare(x: Tensor, w0: Tensor, b0: Tensor) -> Tensor:
        return sweep(x, [(w0, b0)], None, chosen[:1], layout, 0.7)

    assert torch.autograd.gradcheck(headed, (numbers(4, d), *layers, *head))
    assert torch.autograd.gradcheck(bare, (numbers(4, d), *layers[:2]))


@pytest.mark.parametrize("size", [1, 37, 128])
def test_points_in_blocks_give_the_channels_and_gradients_of_the_whole(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    network = Siren(width=8, depth=2).build(
        ([-1, -1], [1, 1]), 2, generator=seeded(81401), dtype=torch.float64
    )
    points = torch.rand(size, 2, dtype=torch.float64, generator=seeded(20849))
    runs = []
    for limit in (10**9, 5 * 8 * 8 * 17):
        monkeypatch.setattr("neurapde.jets.sweep.BLOCK_BYTES", limit)
        channels = network.jet(points).channels
        gradient = torch.autograd.grad(channels.square().sum(), list(network.parameters()))
        runs.append([channels, *gradient])
    for whole, blocks in zip(*runs, strict=True):
        assert_close(blocks, whole)


def test_frozen_layers_get_no_gradient_and_the_others_the_same() -> None:
    network = Siren(width=8, depth=2).build(
        ([-1, -1], [1, 1]), 1, generator=seeded(66103), dtype=torch.float64
    )
    points = torch.rand(9, 2, dtype=torch.float64, generator=seeded(15307))
    network.jet(points).channels.square().sum().backward()
    expected = network.head.weight.grad
    network.zero_grad(set_to_none=True)
    network.layers.requires_grad_(False)
    network.jet(points).channels.square().sum().backward()
    assert all(parameter.grad is None for parameter in network.layers.parameters())
    assert_close(network.head.weight.grad, expected)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=repr)
def test_activation_derivatives_are_derivatives(activation: Activation) -> None:
    z = torch.linspace(-3, 3, 40, dtype=torch.float64).requires_grad_()
    expected = [activation(z)]
    for _ in range(3):
        previous = expected[-1]
        slope = torch.zeros_like(z)
        if previous.requires_grad:
            (slope,) = torch.autograd.grad(previous.sum(), z, create_graph=True, materialize_grads=True)
        expected.append(slope)
    value, slope = activation.value_and_slope(z)
    derivatives = [value, slope, activation.second(value, slope), activation.third(value, slope)]
    for mine, torchs in zip(derivatives, expected, strict=True):
        assert_close(mine, torchs, 1e-13)


def test_relu_networks_have_no_curvature() -> None:
    network = MLP(16, 2, "relu").build(([-1, -1], [1, 1]), generator=seeded(40039), dtype=torch.float64)
    jet = network.jet(random_points(50, 2, 50053))
    assert torch.count_nonzero(jet.hessian_diagonal) == 0
    assert torch.count_nonzero(jet.gradient) > 0


def test_jets_can_be_differentiated_by_the_points() -> None:
    network = Siren(8, 2, 4.0, 2.0).build(([-1, -1], [1, 1]), generator=seeded(20011), dtype=torch.float64)
    x = random_points(6, 2, 60013).requires_grad_()
    (gradient,) = torch.autograd.grad(network.jet(x).laplacian.sum(), x)
    channels = nested(network(x), x, Layout(2, 2))
    (expected,) = torch.autograd.grad(channels[3:5].sum(), x)
    assert_close(gradient, expected)


def test_single_precision_agrees_with_double_to_its_rounding() -> None:
    bounds = ([-1, -1], [1, 1])
    points = random_points(50, 2, 10037)
    double = Siren(64, 3).build(bounds, complex=True, generator=seeded(30047), dtype=torch.float64)
    single = Siren(64, 3).build(bounds, complex=True, generator=seeded(30047), dtype=torch.float32)
    jet = single.jet(points.float())
    assert jet.channels.dtype == torch.complex64
    assert_close(jet.channels.to(torch.complex128), double.jet(points).channels, 2e-4)


@pytest.mark.parametrize("seed", [10103, 20201])
def test_jet_arithmetic_is_calculus(seed: int) -> None:
    layout = Layout(3, 2, ((0, 1), (1, 2)))
    points = random_points(9, 3, seed)
    x = points.clone().requires_grad_()
    a, b, c = jet_of_coordinates(points, layout)
    polynomial = 2.0 * a * a * b - b * c + 3.0 - (1.5 * c) / 2.0 + np.float64(2.0) * a
    y = 2 * x[:, 0] ** 2 * x[:, 1] - x[:, 1] * x[:, 2] + 3 - 0.75 * x[:, 2] + 2 * x[:, 0]
    assert_close(polynomial.channels, nested(y, x, layout), 1e-13)
    turned = (polynomial * (1 + 2j) + (-polynomial)) * 1j
    assert_close(turned.channels, nested(y * (2j * 1j), x, layout), 1e-13)
    assert_close((1.0 - polynomial).channels, nested(1 - y, x, layout), 1e-13)
    assert_close(turned.real.channels, turned.channels.real, 0.0)
    assert_close(turned.imag.channels, turned.channels.imag, 0.0)
    assert torch.count_nonzero(polynomial.imag.channels) == 0


def test_plain_tensors_are_constants_of_space() -> None:
    points = random_points(5, 2, 70003)
    network = Siren(6, 1).build(([-1, -1], [1, 1]), 2, generator=seeded(80021), dtype=torch.float64)
    jet, factors = network.jet(points), random_points(5, 1, 90001)[:, 0]
    assert_close((jet * factors).gradient, jet.gradient * factors[:, None, None], 0.0)
    assert_close((factors * jet).value, jet.value * factors[:, None], 0.0)
    shifted = jet + factors
    assert_close(shifted.value, jet.value + factors[:, None], 0.0)
    assert_close(shifted.hessian_diagonal, jet.hessian_diagonal, 0.0)
    assert_close((jet - factors).value, jet.value - factors[:, None], 0.0)


def test_arrays_that_are_no_constants_are_refused() -> None:
    points = random_points(4, 2, 18013)
    jet = jet_of_coordinates(points, Layout(2, 2))[0]
    with pytest.raises(DeclarationError, match=r"values \(4,\) cannot be combined with a tensor \(4, 2\)"):
        jet + points
    with pytest.raises(DeclarationError, match=r"combined with a ndarray"):
        jet * points.numpy()
    with pytest.raises(DeclarationError, match=r"combined with a ndarray"):
        points.numpy() * jet
    with pytest.raises(TypeError, match="unsupported operand"):
        jet / jet


def test_scalar_jets_scale_every_component() -> None:
    points = random_points(5, 2, 70009)
    network = Siren(6, 1, 3.0, 3.0).build(([-1, -1], [1, 1]), 2, generator=seeded(80039), dtype=torch.float64)
    x = points.clone().requires_grad_()
    layout = Layout(2, 2)
    bump = jet_of_coordinates(points, layout)[0]
    jet = network.jet(points)
    assert_close((bump * jet).channels, nested(network(x) * x[:, :1], x, layout))
    assert_close((jet + bump).channels, nested(network(x) + x[:, :1], x, layout))


def test_shapes_and_names_of_the_parts_agree() -> None:
    network = Siren(6, 1).build(([-1] * 3, [1] * 3), 2, True, generator=seeded(11003), dtype=torch.float64)
    jet = network.jet(random_points(5, 3, 12007), 2, [(2, 0)])
    assert jet.value.shape == jet.laplacian.shape == (5, 2)
    assert jet.gradient.shape == jet.hessian_diagonal.shape == (5, 2, 3)
    assert jet.layout.mixed == ((0, 2),)
    assert_close(jet.laplacian, jet.hessian_diagonal.sum(-1), 1e-12)
    for i in range(3):
        assert_close(jet.d(i), jet.gradient[..., i], 0.0)
        assert_close(jet.d2(i), jet.hessian_diagonal[..., i], 0.0)
    assert_close(jet.d2(0, 2), jet.d2(2, 0), 0.0)
    component = jet[1]
    assert component.gradient.shape == (5, 3)
    assert_close(component.gradient, jet.gradient[:, 1], 0.0)
    remade = Jet.of(jet.value, jet.gradient, jet.hessian_diagonal, {(0, 2): jet.d2(0, 2)})
    assert remade.layout == jet.layout
    assert_close(remade.channels, jet.channels, 0.0)


def test_combined_jets_carry_what_both_carry() -> None:
    points = random_points(4, 2, 13001)
    full = jet_of_coordinates(points, Layout(2, 2, ((0, 1),)))[0]
    first = jet_of_coordinates(points, Layout(2, 1))[1]
    assert (full + first).layout == Layout(2, 1)
    assert (full * first).order == 1
    assert (full * jet_of_coordinates(points, Layout(2, 2))[1]).layout == Layout(2, 2)


def test_jets_of_no_points_are_empty() -> None:
    network = Siren(6, 1).build(([-1, -1], [1, 1]), complex=True, generator=seeded(14009))
    assert network.jet(torch.empty(0, 2)).gradient.shape == (0, 2)


def test_asking_for_what_a_jet_lacks_names_the_way_out() -> None:
    points = random_points(4, 2, 15013)
    value = jet_of_constant(points[:, 0], Layout(2, 0))
    plain = jet_of_coordinates(points, Layout(2, 2))[0]
    with pytest.raises(DeclarationError, match=r"order 0.*order=1"):
        _ = value.gradient
    with pytest.raises(DeclarationError, match=r"order 0.*order=2"):
        _ = value.laplacian
    with pytest.raises(DeclarationError, match=r"d2\(0, 1\).*mixed=\(\(0, 1\),\)"):
        plain.d2(0, 1)
    with pytest.raises(DeclarationError, match=r"axis 2 does not exist in 2 dimensions"):
        plain.d(2)
    with pytest.raises(DeclarationError, match=r"axes \(0, 3\) do not exist"):
        plain.d2(0, 3)
    with pytest.raises(DeclarationError, match="scalar field"):
        plain[0]
    with pytest.raises(DeclarationError, match=r"component 2 of a field with 2"):
        jet_of_constant(points, Layout(2, 1))[2]
    with pytest.raises(DeclarationError, match=r"2 and 3 dimensions"):
        plain + jet_of_constant(points[:, 0], Layout(3, 2))
    with pytest.raises(DeclarationError, match=r"order 5 was asked for"):
        Layout(2, 5)
    with pytest.raises(DeclarationError, match=r"two different axes from 0 to 1"):
        Layout(2, 2, ((1, 1),))
    with pytest.raises(DeclarationError, match=r"need order=2"):
        Layout(2, 1, ((0, 1),))
    with pytest.raises(DeclarationError, match=r"gradient \(n, d\), or dimension"):
        Jet.of(points[:, 0])


@pytest.mark.slow
@pytest.mark.filterwarnings(
    "ignore:.*should not be instantiated:DeprecationWarning"
)  # torch's own tracing does it
def test_compiled_jets_agree_with_eager_ones() -> None:
    network = Siren(32, 2).build(([-1, -1], [1, 1]), 2, generator=seeded(16001), dtype=torch.float64)
    points = random_points(64, 2, 17011)

    def loss(x: Tensor) -> Tensor:
        jet = network.jet(x)
        return (jet.laplacian + 400 * jet.value).abs().mean()

    parameters = list(network.parameters())
    eager = loss(points)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")(points)
    assert_close(compiled, eager, 1e-12)
    gradients = [torch.autograd.grad(value, parameters) for value in (eager, compiled)]
    for a, b in zip(*gradients, strict=True):
        assert_close(b, a, 1e-10)


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("trial", [Siren(9, 2, 6.0, 3.0), MLP(9, 2), MLP(9, 0, "softplus")], ids=repr)
def test_the_reverse_sweep_gives_the_forward_one_s_channels_and_gradients(trial: Trial, outputs: int) -> None:
    network = trial.build(([-1, -2, 0], [1, 1, 2]), outputs, generator=seeded(41233), dtype=torch.float64)
    numbers = [*network.parameters(), random_points(23, 3, 51307).requires_grad_()]
    weights = torch.randn(4, 23, outputs, dtype=torch.float64, generator=seeded(61331))
    runs = []
    for order in (1, 2):  # only gradients alone are swept in reverse
        jet = network.jet(numbers[-1], order).restricted(Layout(3, 1))
        loss = (weights.reshape(jet.channels.shape) * jet.channels.square()).sum()
        runs.append([jet.channels, *torch.autograd.grad(loss, numbers)])
    for reverse, forward in zip(*runs, strict=True):
        assert_close(reverse, forward)


def test_gradients_of_few_outputs_are_swept_in_reverse(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []
    forward = ReverseSteps.forward
    monkeypatch.setattr(
        ReverseSteps, "forward", lambda self, *numbers: called.append(self) or forward(self, *numbers)
    )
    for outputs, order, reverse in ((1, 1, True), (2, 1, True), (3, 1, False), (1, 2, False), (1, 0, False)):
        network = Siren(4, 1).build(
            ([-1] * 3, [1] * 3), outputs, generator=seeded(71347), dtype=torch.float64
        )
        network.jet(random_points(2, 3, 81353), order)
        assert bool(called) is reverse
        called.clear()
