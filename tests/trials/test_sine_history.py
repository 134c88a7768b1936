"""Sums of sines whose coefficients move in time."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.trials.sine_history import HistoryFunction, SineHistory
from support import some_slow

STANDING = {
    1: (np.array([0.0, 0.5]), np.array([2.0, 1.5])),
    2: (np.array([0.0, -1.0, 0.5]), np.array([2.0, 0.5, 1.5])),
}


def filled(dimension: int, outputs: int = 1, **fields: object) -> HistoryFunction:
    """Random coefficients."""
    spec = SineHistory(modes=(5, 4)[:dimension], moments=6, **fields)  # type: ignore[arg-type]
    trial = spec.build(STANDING[dimension], outputs, generator=torch.Generator())
    generator = torch.Generator().manual_seed(52301)
    with torch.no_grad():
        trial.amplitudes.copy_(torch.randn(trial.amplitudes.shape, generator=generator, dtype=torch.float64))
    return trial


def some_points(dimension: int, times: int) -> torch.Tensor:
    """Points at so many different times."""
    lower, upper = (torch.as_tensor(corner) for corner in STANDING[dimension])
    points = lower + (upper - lower) * torch.rand(
        40, dimension + 1, generator=torch.Generator().manual_seed(18311), dtype=torch.float64
    )
    points[:, -1] = points[:times, -1].repeat(40)[:40]
    return points


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("times", [1, 5, 40])
@pytest.mark.parametrize("dimension", [1, 2])
def test_its_jet_is_that_of_torch(dimension: int, times: int, outputs: int) -> None:
    trial, points = filled(dimension, outputs), some_points(dimension, times).requires_grad_()
    pair = (0, dimension)
    jet = trial.jet(points, mixed=[pair])
    values = jet.value.reshape(len(points), -1)
    for column in range(outputs):
        (gradient,) = torch.autograd.grad(values[:, column].sum(), points, create_graph=True)
        assert torch.allclose(
            jet.gradient.reshape(len(points), -1, dimension + 1)[:, column], gradient, atol=1e-9
        )
        for axis in range(dimension + 1):
            (second,) = torch.autograd.grad(gradient[:, axis].sum(), points, retain_graph=True)
            derivative = jet.d2(axis).reshape(len(points), -1)[:, column]
            assert torch.allclose(derivative, second[:, axis], rtol=1e-9, atol=1e-7)
            if axis == dimension:
                mixed = jet.d2(*pair).reshape(len(points), -1)[:, column]
                assert torch.allclose(mixed, second[:, 0], rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("dimension", [1, 2])
def test_points_are_answered_in_their_order_however_many_times_they_have(dimension: int) -> None:
    trial, points = filled(dimension), some_points(dimension, 40)
    together = trial(points)
    alone = torch.cat([trial(point[None]) for point in points])
    followed = trial(points.clone().requires_grad_())
    assert torch.allclose(together, alone, atol=1e-12)
    assert torch.allclose(together, followed, atol=1e-12)


def test_a_standing_wave_is_followed_to_sixth_order_in_the_time_between_moments() -> None:
    errors = []
    for moments in (9, 17):
        spec = SineHistory(modes=(1,), moments=moments)
        trial = spec.build((np.array([0.0, 0.0]), np.array([1.0, 2.0])), generator=torch.Generator())
        t, omega = torch.linspace(0, 2, moments, dtype=torch.float64), np.pi
        states = [torch.cos(omega * t), -omega * torch.sin(omega * t), -(omega**2) * torch.cos(omega * t)]
        with torch.no_grad():
            trial.amplitudes.copy_(torch.stack(states, dim=1)[..., None, None])
        points = torch.rand(
            500, 2, generator=torch.Generator().manual_seed(33391), dtype=torch.float64
        ) * torch.tensor([1.0, 2.0])
        exact = torch.sin(np.pi * points[:, 0]) * torch.cos(omega * points[:, 1])
        errors.append((trial(points) - exact).abs().max().item())
    assert np.log2(errors[0] / errors[1]) == pytest.approx(6.0, abs=0.3)
    assert errors[1] < 1e-5


def test_the_ends_of_its_time_are_inside() -> None:
    trial = filled(1)
    for t, knot in ((0.5, 0), (1.5, -1)):
        x = torch.linspace(0, 2, 7, dtype=torch.float64)
        field = trial(torch.stack([x, torch.full_like(x, t)], dim=1))
        modes = torch.as_tensor(trial.axes[0].values(x.numpy()))
        assert torch.allclose(field, modes.T @ trial.amplitudes[knot, 0, :, 0], atol=1e-12)


@pytest.mark.parametrize("dimension", some_slow([1, 2], 2))
def test_points_of_a_grid_are_answered_as_scattered_ones(dimension: int) -> None:
    trial = filled(dimension)
    lower, upper = STANDING[dimension]
    axes = [
        torch.linspace(a, b, 4 + 40 * (i == dimension))
        for i, (a, b) in enumerate(zip(lower, upper, strict=True))
    ]
    points = torch.cartesian_prod(*(axis.double() for axis in axes))
    together, alone = trial.jet(points), [trial.jet(point[None]) for point in points]
    assert torch.allclose(together.channels, torch.cat([jet.channels for jet in alone], dim=1), atol=1e-9)


def test_no_points_give_no_values() -> None:
    assert filled(2)(torch.zeros(0, 3, dtype=torch.float64)).shape == (0,)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: SineHistory((0,), 5), "at least 1 mode"),
        (lambda: SineHistory((4,), 5).axes((np.zeros(3), np.ones(3))), "1 axes in space"),
        (
            lambda: SineHistory((4,), 5).build(
                (np.zeros(2), np.ones(2)), 1, True, generator=torch.Generator()
            ),
            "real",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make: object, match: str) -> None:
    with pytest.raises(npde.DeclarationError, match=match):
        make()  # type: ignore[operator]
