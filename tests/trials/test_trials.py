import copy
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from neurapde.backgrounds.waves import Background, OutgoingWave
from neurapde.core.errors import DeclarationError
from neurapde.fields.sources import GaussianSource
from neurapde.jets.activations import Sine
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.ansatz import Ansatz
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.networks.layered import LayeredTrial
from neurapde.trials.networks.mlp import MLP
from neurapde.trials.networks.siren import Siren
from neurapde.trials.networks.torch_module import TorchModule
from support import jet_of_constant, random_points, seeded

SQUARE = ([-1.0, -1.0], [1.0, 1.0])
WAVE = OutgoingWave(GaussianSource(at=(-0.35, 0.0), variance=1e-4), 20.0)
TRIALS = [Siren(12, 2), MLP(12, 2), MLP(12, 2, "softplus"), MLP(12, 2, "relu"), Ansatz(WAVE, Siren(12, 1))]


def build(trial: Trial, outputs: int = 1, complex: bool = True, seed: int = 10007) -> TrialFunction:
    return trial.build(SQUARE, outputs, complex, generator=seeded(seed), dtype=torch.float64)


def preactivations(network: LayeredTrial, points: Tensor) -> list[Tensor]:
    a, layers = points, []
    for layer, activation in zip(network.layers, network.activations, strict=True):
        z = layer(a) * activation.omega
        layers.append(z)
        a = activation(z)
    return layers


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("omega", [5.0, 30.0, 90.0])
def test_siren_preactivations_start_standard_normal_at_any_depth(dimension: int, omega: float) -> None:
    points = random_points(200, dimension)
    pooled: list[list[Tensor]] = [[] for _ in range(8)]
    for seed in (30011, 40009, 50021, 60029, 70001):
        network = Siren(256, 8, omega).build(
            ([-1] * dimension, [1] * dimension), generator=seeded(seed), dtype=torch.float64
        )
        for level, z in enumerate(preactivations(network, points)[1:]):
            pooled[level].append(z.detach().flatten())
    for level, parts in enumerate(pooled):
        z = torch.cat(parts)
        assert float(z.std()) == pytest.approx(1.0, abs=0.05), level
        assert float(z.mean()) == pytest.approx(0.0, abs=0.05), level
        assert float((z**4).mean() / (z**2).mean() ** 2) == pytest.approx(3.0, abs=0.25), level


def test_siren_weights_are_drawn_from_the_paper_s_intervals() -> None:
    network = Siren(200, 3, 30.0, 15.0).build(([0] * 4, [1] * 4), 2, True, generator=seeded(80077))
    assert isinstance(network, LayeredTrial)
    first, *rest = (layer.weight.detach() for layer in network.layers)
    assert network.activations == (Sine(30.0), Sine(15.0), Sine(15.0), Sine(15.0))
    limit = math.sqrt(6 / 200) / 15
    for weight, bound in [
        (first, 1 / 4),
        *((weight, limit) for weight in (*rest, network.head.weight.detach())),
    ]:
        assert 0.95 * bound < float(weight.abs().max()) <= bound
        assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)
    assert network.head.weight.shape == (4, 200)
    assert network.parameter_count == 200 * 5 + 3 * 200 * 201 + 4 * 201


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.describe())
def test_the_given_generator_is_the_only_randomness(trial: Trial) -> None:
    state = torch.get_rng_state()
    first, repeated, other = build(trial), build(trial), build(trial, seed=10009)
    assert torch.equal(torch.get_rng_state(), state)
    points = random_points(6)
    assert torch.equal(first(points), repeated(points))
    assert not torch.equal(first(points), other(points))
    single = trial.build(SQUARE, 1, True, generator=seeded(10007), dtype=torch.float32)
    for a, b in zip(first.parameters(), single.parameters(), strict=True):
        assert b.dtype == torch.float32
        assert torch.equal(a.float(), b)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.describe())
def test_value_jet_and_features_agree(trial: Trial) -> None:
    points = random_points(9)
    network = build(trial)
    jet = network.jet(points)
    torch.testing.assert_close(network(points), jet.value, rtol=1e-13, atol=1e-13)
    assert network(points).shape == (9,)
    assert network(points).is_complex()
    assert network.features(points).shape == (9, 12)
    features = network.feature_jet(points)
    torch.testing.assert_close(network.features(points), features.value, rtol=1e-13, atol=1e-13)
    rows = network.head.weight
    combined = torch.complex(features.hessian_diagonal.mT @ rows[0], features.hessian_diagonal.mT @ rows[1])
    if isinstance(trial, Ansatz):
        combined = combined + WAVE.jet(points).hessian_diagonal
    torch.testing.assert_close(combined, jet.hessian_diagonal, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("trial", TRIALS[:4], ids=lambda trial: trial.describe())
def test_even_outputs_are_real_parts_and_odd_ones_imaginary(trial: Trial) -> None:
    points = random_points(5)
    pairs, flat = build(trial, 3, True), build(trial, 6, False)
    values, numbers = pairs(points), flat(points)
    assert values.shape == (5, 3)
    assert torch.equal(values, torch.complex(numbers[:, 0::2].contiguous(), numbers[:, 1::2].contiguous()))
    assert not build(trial, 1, False)(points).is_complex()


@pytest.mark.parametrize("trial", TRIALS[:4], ids=lambda trial: trial.describe())
def test_a_moved_and_scaled_domain_moves_and_scales_the_field(trial: Trial) -> None:
    unit = build(trial)
    center, half = torch.tensor([2.0, -7.0], dtype=torch.float64), 3.0
    bounds = ([-1.0, -8.0], [5.0, -6.0])
    moved = trial.build(bounds, 1, True, generator=seeded(10007), dtype=torch.float64)
    points = random_points(8)
    there, here = moved.jet(center + half * points), unit.jet(points)
    torch.testing.assert_close(there.value, here.value, rtol=1e-11, atol=1e-12)
    torch.testing.assert_close(there.gradient, here.gradient / half, rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(there.hessian_diagonal, here.hessian_diagonal / half**2, rtol=1e-11, atol=1e-9)


def test_a_module_of_torch_gives_the_same_jet_as_our_own_network() -> None:
    network = build(Siren(8, 2, 6.0, 2.0), 2, True)
    points = random_points(7)
    wrapped = build(TorchModule(Flat(network)), 2, True)
    ours, theirs = network.jet(points, 2, [(0, 1)]), wrapped.jet(points, 2, [(0, 1)])
    torch.testing.assert_close(theirs.channels, ours.channels, rtol=1e-10, atol=1e-10)
    losses = [(jet.laplacian.abs() ** 2).sum() for jet in (ours, theirs)]
    gradients = [
        torch.autograd.grad(losses[0], list(network.parameters())),
        torch.autograd.grad(losses[1], list(wrapped.parameters())),
    ]
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-9, atol=1e-9)
    with torch.no_grad():
        still = wrapped.jet(points)
    assert not still.channels.requires_grad
    assert torch.equal(still.channels, theirs.restricted(Layout(2, 2)).channels.detach())


class Flat(torch.nn.Module):
    """The outputs of a complex network as real columns, as a user's module gives them."""

    def __init__(self, network: TrialFunction) -> None:
        super().__init__()
        self.network = network

    def forward(self, points: Tensor) -> Tensor:
        return torch.view_as_real(self.network(points)).flatten(1)


def test_a_linear_module_has_zero_second_derivatives() -> None:
    module = torch.nn.Linear(2, 1, dtype=torch.float64)
    network = build(TorchModule(module), 1, False)
    jet = network.jet(random_points(4), 2, [(0, 1)])
    assert torch.count_nonzero(jet.channels[3:]) == 0
    torch.testing.assert_close(jet.gradient, module.weight.expand(4, 2))
    network.module.weight.data.zero_()
    assert torch.count_nonzero(module.weight) == 2


def test_ansatz_adds_the_background_with_its_derivatives() -> None:
    network, alone = build(TRIALS[4]), build(Siren(12, 1))
    points = random_points(6)
    sum_of_jets = WAVE.jet(points, 2, [(0, 1)]) + alone.jet(points, 2, [(0, 1)])
    torch.testing.assert_close(
        network.jet(points, 2, [(0, 1)]).channels, sum_of_jets.channels, rtol=1e-12, atol=1e-9
    )
    assert list(network.state_dict()) == [f"network.{name}" for name in alone.state_dict()]
    assert "Siren" in network.spec.describe()
    assert "outgoing wave" in network.spec.describe()


class Pair(Background):
    def jet(self, points: Tensor, order: int = 2, mixed: object = ()) -> Jet:
        return jet_of_constant(torch.ones(len(points), 2, dtype=points.dtype), Layout(points.shape[1], order))

    def describe(self) -> str:
        return "one and one"


def test_ansatz_refuses_a_background_that_is_not_the_field_s() -> None:
    with pytest.raises(DeclarationError, match=r"is complex, but the field is real"):
        build(TRIALS[4], complex=False)
    with pytest.raises(DeclarationError, match=r"has 2 component\(s\), but the field has 1"):
        build(Ansatz(Pair(), Siren(4, 0)))
    with pytest.raises(DeclarationError, match=r"got Siren and OutgoingWave"):
        Ansatz(Siren(), WAVE)  # type: ignore[arg-type]
    value = build(Ansatz(Pair(), Siren(4, 0)), 2, False)(random_points(3))
    assert value.shape == (3, 2)


def test_trained_networks_copy_and_restore_exactly() -> None:
    network = build(Siren(8, 1))
    points = random_points(4)
    restored = build(Siren(8, 1), seed=90001)
    restored.load_state_dict(network.state_dict())
    assert torch.equal(restored(points), network(points))
    assert torch.equal(copy.deepcopy(network)(points), network(points))
    network.head.weight.data.zero_()
    assert torch.count_nonzero(network(points)) == 0


def test_points_come_in_the_network_s_precision() -> None:
    network = Siren(8, 1).build(SQUARE, generator=seeded(10039))
    assert network(random_points(3)).dtype == torch.float32
    assert network.jet(random_points(3)).channels.dtype == torch.float32


def test_a_wrong_declaration_names_its_rule() -> None:
    with pytest.raises(DeclarationError, match=r"width=0 .* at least 1"):
        Siren(width=0)
    with pytest.raises(DeclarationError, match=r"depth=-1 .* at least 0"):
        MLP(8, -1)
    with pytest.raises(DeclarationError, match=r"width=2.5"):
        Siren(width=2.5)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match=r"sine layer is 0.0.*positive"):
        Siren(omega_0=0.0)
    with pytest.raises(DeclarationError, match=r"sine layer is nan"):
        Siren(omega_hidden=float("nan"))
    with pytest.raises(DeclarationError, match=r"activation='gelu'.*'tanh', 'relu', 'softplus'"):
        MLP(activation="gelu")
    with pytest.raises(DeclarationError, match=r"module=<function .*: give a torch.nn.Module"):
        TorchModule(random_points)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match=r"\(1, 3\), but the field needs \(1, 2\)"):
        build(TorchModule(torch.nn.Linear(2, 3)))
    with pytest.raises(DeclarationError, match=r"are not a box"):
        Siren(4, 0).build(([1.0], [-1.0]), generator=seeded(10061))


def test_misshapen_points_are_refused() -> None:
    network = build(Siren(4, 0))
    for points in (torch.zeros(4), torch.zeros(4, 3), np.zeros((4, 2))):
        with pytest.raises(DeclarationError, match=r"tensor of points \(n, 2\)"):
            network(points)


def test_only_networks_with_a_linear_head_have_features() -> None:
    wrapped = build(TorchModule(torch.nn.Linear(2, 2)))
    with pytest.raises(DeclarationError, match="no linear head"):
        wrapped.features(random_points(2))
    with pytest.raises(DeclarationError, match="no linear head"):
        _ = wrapped.head
