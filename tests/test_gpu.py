"""On a CUDA device: the numbers of the CPU. `python -m pytest -m gpu` where there is one."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.problems import helmholtz_disk
from neurapde.trials.networks.layered import compiled

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


def channels_and_gradient(device: str, compiling: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """A SIREN's jet at fixed points, and the gradient of its square, on the CPU again."""
    generator = torch.Generator().manual_seed(52183)
    spec = npde.Siren(width=16, depth=2)
    trial = spec.build(([-1, -1], [1, 1]), 1, True, generator=generator, dtype=torch.float64, device=device)
    points = torch.rand(700, 2, generator=generator, dtype=torch.float64).to(device)
    if compiling:
        with compiled(trial) as reason:
            assert reason is None
            channels = trial.jet(points).channels
            channels.abs().square().sum().backward()
    else:
        channels = trial.jet(points).channels
        channels.abs().square().sum().backward()
    gradient = torch.cat([parameter.grad.flatten() for parameter in trial.parameters()])
    return channels.detach().cpu(), gradient.cpu()


@pytest.mark.parametrize("compiling", [False, True])
def test_jets_and_gradients_on_a_gpu_are_those_of_the_cpu(compiling: bool) -> None:
    expected = channels_and_gradient("cpu", False)
    tensors = channels_and_gradient("cuda", compiling)
    for ours, theirs in zip(tensors, expected, strict=True):
        assert (ours - theirs).abs().max() < 1e-10 * theirs.abs().max()


def test_training_on_a_gpu_lowers_the_loss_and_keeps_everything_there() -> None:
    solution = npde.solve(
        helmholtz_disk(),
        npde.Siren(width=32, depth=1),
        npde.Adam(steps=40, lr=1e-3, points=512),
        device="cuda",
        progress=False,
        seed=90173,
    )
    assert solution.history.loss[-1] < solution.history.loss[0]
    assert all(parameter.device.type == "cuda" for parameter in solution.trial.parameters())


def test_galerkin_on_a_gpu_gives_the_field_of_the_cpu() -> None:
    points = np.random.default_rng(33091).uniform(-0.4, 0.4, (50, 2))
    fields = [
        npde.solve(helmholtz_disk(), method=npde.Galerkin(), device=device, progress=False)(points)
        for device in ("cpu", "cuda")
    ]
    np.testing.assert_allclose(fields[1], fields[0], atol=1e-10)
