"""Statistics of layers: what the theorem on SIREN's initialisation says, and derivatives against another way."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.validation import activation_statistics


def test_pre_activations_of_a_siren_are_standard_normal_at_every_depth() -> None:
    statistics = activation_statistics(npde.Siren(width=512, depth=6), points=256)
    assert len(statistics.layers) == 7
    assert statistics.layers[0].activations.std() == pytest.approx(math.sqrt(0.5), abs=0.02)
    for layer in statistics.layers[1:]:
        assert layer.deviation == pytest.approx(1.0, abs=0.06)
        assert layer.activations.std() == pytest.approx(math.sqrt((1 - math.exp(-2)) / 2), abs=0.02)


def test_gradients_grow_by_the_factor_of_the_theory_from_layer_to_layer() -> None:
    layers = activation_statistics(npde.Siren(width=512, depth=8), points=256).layers[1:]
    growth = (layers[0].gradient / layers[-1].gradient) ** (1 / (len(layers) - 1))
    assert growth == pytest.approx(math.sqrt(1 + math.exp(-2)), abs=0.03)


def test_gradients_are_those_of_the_output() -> None:
    generator = torch.Generator().manual_seed(40829)
    trial = npde.MLP(width=5, depth=1).build(([0.0], [3.0]), generator=generator, dtype=torch.float64)
    statistics = activation_statistics(trial, points=17)
    step = 1e-5
    layer = next(iter(trial.children()))[1]  # the second: its bias moves z itself
    with torch.no_grad():
        points = torch.linspace(0, 3, 17, dtype=torch.float64)[:, None]
        layer.bias[2] += step
        above = trial(points)
        layer.bias[2] -= 2 * step
        below = trial(points)
        layer.bias[2] += step
    assert np.abs((above - below).numpy() / (2 * step) - statistics.layers[1].gradients[:, 2]).max() < 1e-9


def test_the_spectrum_tells_the_frequency_of_a_wave() -> None:
    generator = torch.Generator().manual_seed(40829)
    trial = npde.Siren(width=4, depth=1, omega_hidden=1.0).build(
        ([-1.0], [1.0]), generator=generator, dtype=torch.float64
    )
    first = next(iter(trial.children()))[0]
    with torch.no_grad():
        first.weight[:] = 2 * math.pi * 12 / 2 / 30  # sin(2π·12·x/2): 12 periods on [−1, 1]
    layer = activation_statistics(trial, points=512).layers[1]
    assert int(layer.spectrum.argmax()) == 12
    assert layer.bandwidth == pytest.approx(12, abs=0.5)


def test_a_solution_has_a_table_and_a_figure(tmp_path: Path) -> None:
    problem = npde.Problem(
        "line", npde.Interval(0, 1), npde.Fit(values=npde.at_points([[0.2], [0.7]], targets=[1.0, 2.0]))
    )
    solution = npde.solve(problem, npde.Siren(width=8, depth=1), npde.Adam(steps=2), device="cpu")
    statistics = activation_statistics(solution)
    assert len(str(statistics).splitlines()) == 3
    path = statistics.save(tmp_path / "layers.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(npde.DeclarationError, match=r"ends in \.png"):
        statistics.save(tmp_path / "layers.jpg")


def test_what_is_no_network_of_layers_is_refused() -> None:
    with pytest.raises(npde.DeclarationError, match="one network of layers"):
        activation_statistics(npde.RBF(8))
    with pytest.raises(npde.DeclarationError, match="points"):
        activation_statistics(npde.Siren(8), points=2)
