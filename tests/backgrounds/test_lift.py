"""Lifts: fields with given values on faces of a box, agreeing at the corners or not."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from neurapde.backgrounds.lift import Lift
from neurapde.core.arrays import exp, sin
from neurapde.core.errors import DeclarationError
from neurapde.domains import Box, Interval
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import as_field
from neurapde.fields.spline import CubicField
from support import some_slow

LINE, PLANE, SPACE = Interval(0.5, 2), Box((-1, 2), (0, 1)), Box((-1, 2), (0, 1), (2, 4))


def lift(box: Box, values: dict[str, object], outputs: int = 1) -> Lift:
    return Lift(box, tuple((face, as_field(value, "value")) for face, value in values.items()), outputs)


def smooth(x: Tensor) -> Tensor:
    return sin(2 * x[:, 0]) + exp(x[:, -1] - 1) * (x[:, 0] - 0.3 * x[:, -1] ** 2)


def everywhere(box: Box, value: object) -> dict[str, object]:
    return dict.fromkeys(box.faces, value)


def inside(box: Box, n: int, seed: int = 40031) -> Tensor:
    return box.sample(n, generator=torch.Generator().manual_seed(seed))


CASES = {
    "line": (LINE, {"left": 2 - 1j, "right": smooth}),
    "one end": (LINE, {"right": 3.0}),
    "plane": (PLANE, everywhere(PLANE, smooth)),
    "two sides": (PLANE, {"left": smooth, "top": smooth}),
    "opposite sides": (PLANE, {"top": smooth, "bottom": 1j}),
    "lid": (PLANE, {"top": 1.0, "left": 0.0, "right": 0.0, "bottom": 0.0}),
    "four values": (PLANE, {"left": 1.0, "right": smooth, "bottom": 3j, "top": 4.0}),
    "space": (SPACE, everywhere(SPACE, smooth)),
    "three faces": (SPACE, {"left": smooth, "top": smooth, "back": smooth}),
    "hot lid": (SPACE, {**everywhere(SPACE, 0.0), "top": 1.0}),
    "six values": (
        SPACE,
        {"left": smooth, "right": 0.0, "top": 1j, "bottom": smooth, "front": 3.0, "back": smooth},
    ),
}
JUMPS = {"lid": 2, "four values": 4, "hot lid": 4, "six values": 9}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("outputs", some_slow([1, 3], 1))
def test_a_lift_has_the_given_values_on_every_face(name: str, outputs: int) -> None:
    box, values = CASES[name]
    field = lift(box, values, outputs)
    assert len(field.jumps) == JUMPS.get(name, 0)
    assert field.complex == any(isinstance(value, complex) for value in values.values())
    for dtype, tolerance in ((torch.float64, 1e-13), (torch.float32, 3e-6)):
        for face, value in field.values:
            generator = torch.Generator().manual_seed(40039)
            points = box.sample_boundary(300, on=face, generator=generator, dtype=dtype).points
            actual, wanted = field.jet(points, 0).value, value(points)
            assert actual.shape == ((300,) if outputs == 1 else (300, outputs))
            assert actual.dtype == (dtype.to_complex() if field.complex else dtype)
            actual = actual.reshape(300, outputs)
            assert (actual - wanted[:, None]).abs().max() < tolerance * (1 + wanted.abs().max()), face


@pytest.mark.parametrize("name", some_slow(CASES, "six values"))
def test_derivatives_are_those_of_the_values(name: str) -> None:
    field = lift(*CASES[name])
    box, d, h = field.domain, field.domain.dimension, 1e-3
    lower, upper = (torch.as_tensor(corner) for corner in box.bounds)
    points = lower + (upper - lower) * (0.1 + 0.8 * (inside(box, 40) - lower) / (upper - lower))
    mixed = [(0, d - 1)] if d > 1 else []
    jet = field.jet(points, 2, mixed)
    weights = [1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280]
    size = jet.channels.abs().max()
    for i in range(d):
        step = h * torch.eye(d, dtype=points.dtype)[i]
        moved = [field.jet(points + n * step, 1).channels for n in range(-4, 5)]
        slope = sum(weight / h * rows for weight, rows in zip(weights, moved, strict=True))
        for values, expected in ((jet.d(i), slope[0]), (jet.d2(i), slope[1 + i])):
            assert (values - expected).abs().max() < 1e-8 * size
        if mixed and i == 0:
            assert (jet.d2(0, d - 1) - slope[d]).abs().max() < 1e-8 * size


@pytest.mark.parametrize("box", [LINE, PLANE, SPACE])
def test_the_blend_keeps_a_multilinear_field(box: Box) -> None:
    def known(x: Tensor) -> Tensor:
        return (1 + x[:, 0]) * (2 - x[:, -1]) if box.dimension > 1 else 1 - 3 * x[:, 0]

    points = inside(box, 50)
    jet = lift(box, everywhere(box, known)).jet(points)
    torch.testing.assert_close(jet.value, known(points), rtol=1e-13, atol=1e-13)
    assert jet.laplacian.abs().max() < 1e-12


def test_the_value_of_one_face_goes_on_straight() -> None:
    points = inside(PLANE, 20)
    jet = lift(PLANE, {"top": smooth}).jet(points)
    assert not jet.d(1).any()
    torch.testing.assert_close(jet.value, smooth(torch.stack([points[:, 0], torch.ones(20).double()], dim=1)))


def test_a_jump_at_a_corner_of_the_plane_is_harmonic_and_turns_with_the_angle() -> None:
    values = {"left": 1.0, "bottom": 3.0}
    angle = torch.linspace(0.01, math.pi / 2 - 0.01, 40, dtype=torch.float64)
    for r in (1e-1, 1e-3, 1e-6):
        points = torch.tensor([-1.0, 0.0]) + r * torch.stack([angle.cos(), angle.sin()], dim=1)
        jet = lift(PLANE, values).jet(points)
        torch.testing.assert_close(jet.value, 3 - angle * 4 / math.pi, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(jet.gradient.norm(dim=1), torch.full_like(angle, 4 / math.pi / r))
        assert jet.laplacian.abs().max() < 1e-12 / r**2


def test_beside_a_lid_no_second_derivative_of_the_lift_is_left_in_the_laplacian() -> None:
    field = lift(*CASES["lid"])
    corner = torch.tensor([2.0, 1.0], dtype=torch.float64)
    for r in (1e-2, 1e-4):
        points = corner - r * torch.tensor([[1.0, 1.0], [0.3, 1.0], [1.0, 0.3]], dtype=torch.float64)
        jet = field.jet(points)
        assert jet.laplacian.abs().max() < 1
        assert jet.d2(0).abs().min() > 0.02 / r**2


@pytest.mark.parametrize("name", some_slow(["lid", "four values", "hot lid", "six values"], "six values"))
def test_everything_is_finite_at_corners_and_the_earlier_axis_counts_there(name: str) -> None:
    box, values = CASES[name]
    field = lift(box, values)
    corners = torch.cartesian_prod(*(torch.tensor(side, dtype=torch.float64) for side in box.sides))
    middles = (corners[:, None] + corners[None]).reshape(-1, box.dimension) / 2
    assert torch.isfinite(field.jet(middles).channels).all()
    at = torch.tensor([[box.sides[0][0], *(side[1] for side in box.sides[1:])]], dtype=torch.float64)
    assert field.jet(at, 0).value.item() == pytest.approx(as_field(values["left"], "value")(at).item())


def test_a_gridded_value_keeps_its_curvature() -> None:
    x = np.linspace(-1, 2, 41)
    top = CubicField(GridField(np.stack([np.sin(2 * x)] * 2, axis=1))).on(PLANE)
    points = inside(PLANE, 100)
    laplacian = Lift(PLANE, (("top", top),)).jet(points).laplacian
    torch.testing.assert_close(laplacian, -4 * torch.sin(2 * points[:, 0]), rtol=0, atol=0.1)


def test_gradients_flow_to_points_only_where_they_are_asked_for() -> None:
    field, points = lift(*CASES["plane"]), inside(PLANE, 5)
    assert not field.jet(points).channels.requires_grad
    asked = points.clone().requires_grad_()
    jet = field.jet(asked)
    (bend,) = torch.autograd.grad(jet.d(0).sum(), asked)
    torch.testing.assert_close(bend[:, 0], field.jet(points).d2(0))
    with torch.no_grad():
        assert not field.jet(asked).channels.requires_grad


def test_on_a_line_any_function_will_do() -> None:
    field = lift(LINE, {"left": lambda x: np.cos(x[:, 0].numpy()), "right": 0.0})
    slope = field.jet(torch.tensor([[1.0]])).d(0)
    assert slope.item() == pytest.approx(-math.cos(0.5) / 1.5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lift(PLANE, {"lid": 0.0}), "the lift is on face 'lid', but .* has the faces"),
        (
            lambda: lift(PLANE, {"top": lambda x: 1 / (x[:, 1] - 1)}),
            r"value on top, f\(x\), is not finite at \(.*, 1\); give finite values",
        ),
        (
            lambda: lift(PLANE, {"top": lambda x: np.cos(np.asarray(x[:, 0]))}),
            r"values on top, f\(x\), cannot be differentiated by torch: .*npde\.sin.*GridField, or leave out",
        ),
        (
            lambda: lift(PLANE, {"top": lambda x: np.cos(x[:, 0].detach().numpy())}),
            r"returns a NumPy array for torch points, so it cannot be differentiated; write it with npde\.sin",
        ),
        (
            lambda: lift(PLANE, {"top": lambda x: (x[:, 0] * 0) ** 0.5}),
            "the second derivatives of the values on top, .*, are not finite; give smooth values",
        ),
    ],
)
def test_what_cannot_be_lifted_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_the_description_names_faces_and_values() -> None:
    text = lift(PLANE, {"top": smooth, "left": 1 + 2j}).describe()
    assert text == "values given on top (smooth(x)) and left (1 + 2i)"
