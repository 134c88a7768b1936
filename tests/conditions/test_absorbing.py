import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from neurapde.conditions import PML
from neurapde.conditions.stretch import Stretch
from neurapde.core.errors import DeclarationError
from neurapde.domains import Box, Disk, Interval

BOX = Box((-1, 1), (0, 3))
STRETCHES = [
    Stretch(BOX, PML(0.5), 20.0),
    Stretch(BOX, PML({"left": 0.4, "top": 0.7}, strength=3.0), 20.0),
    Stretch(BOX, PML(0.3, reflection=1e-6, on="bottom"), 12.0),
    Stretch(Interval(0, 2), PML(0.25), 9.0),
    Stretch(Box((0, 1), (0, 1), (0, 1)), PML(0.2, on=("front", "right")), 30.0),
    Stretch(BOX, None, 20.0),
]


def interior(stretch: Stretch, count: int = 300) -> torch.Tensor:
    return stretch.domain.sample(count, generator=torch.Generator().manual_seed(22360))


@pytest.mark.parametrize("stretch", STRETCHES)
def test_stretched_coordinate_has_the_factor_as_derivative_and_it_the_next(stretch: Stretch) -> None:
    points = interior(stretch)
    for i, axis in enumerate(stretch.axes):
        x = points[:, i].clone().requires_grad_()
        for function, derivative in ((axis.integral, axis.factor), (axis.factor, axis.derivative)):
            values = function(x)
            expected = derivative(x).detach()
            parts = [
                torch.autograd.grad((component + 0 * x).sum(), x, retain_graph=True)[0]
                for component in (values.real, values.imag)
            ]
            assert (torch.complex(*parts) - expected).abs().max() < 1e-10


@pytest.mark.parametrize("stretch", STRETCHES)
def test_stretched_coordinate_is_the_integral_of_the_factor(stretch: Stretch) -> None:
    axis = stretch.axis(0)
    middle = 0.5 * (axis.lower + axis.upper)
    for x in np.linspace(axis.lower, axis.upper, 7):
        for component in ("real", "imag"):
            integrand = lambda t: float(getattr(axis.factor(np.array([t]))[0], component))  # noqa: B023, E731
            value, _ = quad(integrand, middle, x, points=axis.breaks or None, epsabs=1e-12)
            length = getattr(
                axis.integral(np.array([x]))[0] - axis.integral(np.array([middle]))[0], component
            )
            assert length == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_and_torch_agree_in_value_and_precision(stretch: Stretch, dtype) -> None:
    points = interior(stretch).numpy().astype(dtype)
    expected = np.complex64 if dtype == np.float32 else np.complex128
    tensor = torch.tensor(points)
    assert stretch.coordinates(points).shape == points.shape
    for a, b in [
        *zip(stretch.factors(points), stretch.factors(tensor), strict=True),
        (stretch.coordinates(points), stretch.coordinates(tensor)),
        (stretch.axis(0).derivative(points[:, 0]), stretch.axis(0).derivative(tensor[:, 0])),
    ]:
        assert a.dtype == expected
        assert b.numpy().dtype == expected
        np.testing.assert_allclose(b.numpy(), a, rtol=1e-4 if dtype == np.float32 else 1e-11)
    assert np.array_equal(stretch.physical(tensor).numpy(), stretch.physical(points))


@pytest.mark.parametrize("stretch", STRETCHES)
def test_outside_the_layers_nothing_is_stretched(stretch: Stretch) -> None:
    points = interior(stretch)
    inside = stretch.physical(points)
    torch.testing.assert_close(
        stretch.coordinates(points)[inside], points[inside].to(torch.complex128), rtol=1e-13, atol=1e-13
    )
    stretched = torch.stack([(factor != 1) for factor in stretch.factors(points)]).any(dim=0)
    assert torch.equal(stretched, ~inside)


def test_layers_begin_and_end_where_they_were_declared() -> None:
    paper, sided = STRETCHES[0], STRETCHES[1]
    assert paper.axis(0).breaks == (-0.5, 0.5)
    assert paper.axis(1).breaks == (0.5, 2.5)
    assert sided.axis(0).breaks == (-0.6,)
    assert sided.axis(1).breaks == pytest.approx((2.3,))
    assert STRETCHES[5].axis(0).breaks == ()
    edges = np.array([-1.0, -0.75, 0.0, 0.75, 1.0])
    assert paper.axis(0).factor(edges).tolist() == [1 - 5j, 1 - 1.25j, 1, 1 - 1.25j, 1 - 5j]


def test_strength_from_reflection_damps_a_normal_wave_there_and_back_to_it() -> None:
    for stretch in (STRETCHES[2], STRETCHES[0]):
        axis, k, pml = stretch.axis(1), stretch.wavenumber, stretch.pml
        assert pml is not None
        width = pml.width_at("bottom")
        depth = axis.integral(np.array([0.0]))[0] - axis.integral(np.array([width]))[0]
        reflected = abs(np.exp(-2j * k * -depth))
        assert reflected == pytest.approx(pml.reflection_for(k, "bottom"), rel=1e-9)
        assert -2 * k * pml.strength_for(k, "bottom") * width / 3 == pytest.approx(math.log(reflected))
    assert STRETCHES[2].pml.reflection_for(12.0, "bottom") == pytest.approx(1e-6)  # type: ignore[union-attr]


def test_a_layer_needs_the_flat_sides_of_a_box() -> None:
    with pytest.raises(
        DeclarationError, match=r"PML needs the flat sides of a Box, but the domain is .*; use a Box"
    ):
        Stretch(Disk((0, 0), 1), PML(0.2), 20.0)
    with pytest.raises(DeclarationError, match=r"shape \(300, 2\), but must be \(n, 1\)"):
        STRETCHES[3].factors(interior(STRETCHES[0]))
