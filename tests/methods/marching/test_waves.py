"""Fields of waves in windows of time: their values are what they were made of, and their jets are their derivatives."""

import numpy as np
import pytest
import torch

from neurapde.methods.marching.fourier import FourierGrid
from neurapde.methods.marching.waves import WaveWindows, WaveWindowsFunction
from neurapde.trials.base import Setting
from support import assert_same_field


def drawn(waves: tuple[tuple[int, ...], ...], outputs: int = 1, complex: bool = False) -> WaveWindowsFunction:
    """Random amplitudes in windows from 0 to 2, of a box [−1, 1]^d."""
    axes = len(waves[0])
    bounds = (np.array([-1.0] * axes + [0.0]), np.array([1.0] * axes + [2.0]))
    trial = WaveWindows(waves, 3).draw(
        Setting(bounds, outputs, complex, torch.Generator(), torch.float64, "cpu")
    )
    generator = torch.Generator().manual_seed(51307)
    with torch.no_grad():
        trial.times.copy_(torch.linspace(0, 2, len(waves) + 1))
        trial.amplitudes.copy_(torch.randn(trial.amplitudes.shape, generator=generator, dtype=torch.float64))
    return trial


def points_in(axes: int, count: int = 60) -> torch.Tensor:
    drawn = (
        torch.rand((count, axes + 1), generator=torch.Generator().manual_seed(40219), dtype=torch.float64) * 2
    )
    return drawn - torch.tensor([1.0] * axes + [0.0])


@pytest.mark.parametrize(("outputs", "complex"), [(1, False), (3, False), (2, True)])
@pytest.mark.parametrize("waves", [((3,), (5,)), ((2, 3), (1, 2)), ((1, 2, 1),)])
def test_jets_are_derivatives(waves, outputs, complex):
    trial = drawn(waves, outputs, complex)
    axes = len(waves[0])
    points = points_in(axes)
    jet = trial.jet(points, 2, tuple((0, i) for i in range(1, axes + 1)))
    step = 1e-4
    for i in range(axes + 1):
        shift = torch.zeros(axes + 1)
        shift[i] = step
        with torch.no_grad():
            ahead, behind = (trial.jet(points + sign * shift, 1) for sign in (1, -1))
        slope = (ahead.value - behind.value) / (2 * step)
        inside = (points[:, -1] - 1).abs() > 2 * step
        second = (ahead.d(0) - behind.d(0)) / (2 * step)
        scale = float(jet.d2(0).detach().abs().max())
        torch.testing.assert_close(jet.d(i)[inside].detach(), slope[inside], rtol=0, atol=1e-6 * scale)
        torch.testing.assert_close(jet.d2(0, i)[inside].detach(), second[inside], rtol=0, atol=1e-5 * scale)


def test_many_points_at_a_moment_have_the_values_that_each_has_alone():
    trial = drawn(((2, 3), (1, 2)), outputs=2)
    points = points_in(2, 40)
    points[:30, -1] = 0.7
    with torch.no_grad():
        assert_same_field(trial(points), torch.cat([trial(point[None]) for point in points]))


def test_after_the_last_window_there_is_no_field():
    trial = drawn(((2,),))
    assert trial(torch.tensor([[0.1, 2.5]], dtype=torch.float64)).isnan().all()


def test_a_grid_differentiates_and_carries_waves_exactly():
    coarse, fine = (
        FourierGrid(counts, np.array([1.0, 0.0]), np.array([2.0, 3.0])) for counts in ((8, 9), (12, 16))
    )

    def field(x):
        return np.sin(2 * np.pi * x[:, :1]) * np.cos(4 * np.pi * x[:, 1:] / 3) + 0.5

    values = field(coarse.positions)
    np.testing.assert_allclose(coarse.carried(values, fine), field(fine.positions), atol=1e-13)
    np.testing.assert_allclose(fine.carried(field(fine.positions), coarse), values, atol=1e-13)
    waves = coarse.waves(values) * coarse.multiplier((1, 2))[..., None]
    x = coarse.positions
    expected = (
        -((4 * np.pi / 3) ** 2) * 2 * np.pi * np.cos(2 * np.pi * x[:, :1]) * np.cos(4 * np.pi * x[:, 1:] / 3)
    )
    np.testing.assert_allclose(coarse.values(waves), expected, atol=1e-11)


def test_the_tail_of_a_field_is_what_its_shortest_waves_come_to():
    grid = FourierGrid((32,), np.zeros(1), np.ones(1))
    x = grid.positions
    values = np.cos(2 * np.pi * x) + 1e-3 * np.cos(2 * np.pi * 14 * x)
    assert grid.tails(values, np.ones(1))[0] == pytest.approx(1e-3 / np.sqrt(2))
    assert grid.tails(np.cos(2 * np.pi * x), np.ones(1))[0] < 1e-14
