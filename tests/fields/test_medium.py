import pickle
from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurapde.core.arrays import sin
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.domains import Ball, Box, Disk
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Constant, Field, FunctionField, Piecewise, as_field, check_positive

BOX = Box((-1, 1), (-1, 1))
POINTS = np.random.default_rng(27182).uniform(-1, 1, (300, 2))
SQUARE = Box((0.2, 0.6), (0.2, 0.6), name="square")
NODES = np.add.outer(np.linspace(-1, 1, 5), 2 * np.linspace(-1, 1, 9))


def wavy(x):
    return 2.0 + sin(3 * x[:, 0])


FIELDS = {
    "constant": Constant(1.5),
    "complex": Constant(1.5 + 0.25j),
    "function": FunctionField(wavy),
    "grid": GridField(NODES, ((-1, -1), (1, 1))),
    "complex grid": GridField(NODES + 1j, ((-1, -1), (1, 1))),
    "pieces": Piecewise(1.0, (Disk((0, 0), 0.5), wavy), (SQUARE, 3.0)),
    "complex piece": Piecewise(1.0, (Disk((0, 0), 0.5), 2 - 0.5j)),
}


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_and_torch_agree_in_value_and_precision(field: Field, dtype) -> None:
    points = POINTS.astype(dtype)
    values, tensor = field(points), field(torch.tensor(points))
    assert values.shape == (len(points),)
    assert values.real.dtype == dtype
    assert tensor.numpy().dtype == values.dtype
    np.testing.assert_allclose(tensor.numpy(), values, rtol=1e-5 if dtype == np.float32 else 1e-11)


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_a_copy_by_pickle_or_by_fields_is_equal(field: Field) -> None:
    copied = pickle.loads(pickle.dumps(field))
    assert copied == field
    assert hash(copied) == hash(field)
    assert type(field).rebuild({item.name: getattr(field, item.name) for item in fields(field)}) == field


def test_later_regions_win() -> None:
    field = Piecewise(1.0, (Disk((0, 0), 0.5), 2.0), (SQUARE, 3.0))
    at = np.array([[-0.9, 0.0], [0.0, 0.0], [0.25, 0.25], [0.55, 0.55]])
    assert field(at).tolist() == [1.0, 2.0, 3.0, 3.0]
    assert list(field.regions) == ["disk", "square"]
    assert list(Piecewise(1.0, (Disk((0, 0), 0.5), 2.0), (Disk((0, 0), 0.2), 3.0)).regions) == [
        "disk",
        "disk-2",
    ]


@given(st.lists(st.floats(-2, 2), min_size=4, max_size=4), st.integers(2, 6), st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_grid_field_reproduces_bilinear_functions(coefficients: list[float], nx: int, ny: int) -> None:
    a, b, c, d = coefficients
    x, y = np.meshgrid(np.linspace(-1, 1, nx), np.linspace(-1, 1, ny), indexing="ij")
    field = GridField(a + b * x + c * y + d * x * y, ((-1, -1), (1, 1)))
    expected = a + b * POINTS[:, 0] + c * POINTS[:, 1] + d * POINTS[:, 0] * POINTS[:, 1]
    np.testing.assert_allclose(field(POINTS), expected, atol=1e-12)


def test_grid_field_is_second_order_and_exact_at_nodes_in_one_and_three_axes() -> None:
    rng = np.random.default_rng(14142)
    for d in (1, 3):
        points, errors = rng.uniform(0, 1, (500, d)), []
        for n in (9, 17, 33):
            axes = [np.linspace(0, 1, n)] * d
            mesh = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
            field = GridField(np.sin(mesh.sum(-1)), ((0,) * d, (1,) * d))
            np.testing.assert_allclose(field(mesh.reshape(-1, d)), np.sin(mesh.sum(-1)).ravel(), atol=1e-12)
            errors.append(np.max(np.abs(field(points) - np.sin(points.sum(1)))))
        assert np.log2(np.array(errors[:-1]) / errors[1:]) == pytest.approx(2.0, abs=0.2)
        assert errors[-1] < 1e-3


def test_grid_field_is_constant_beyond_its_nodes() -> None:
    field = GridField(NODES, ((-1, -1), (1, 1)))
    assert field(np.array([[3.0, 7.0], [-9.0, 0.0], [0.0, -5.0]])).tolist() == pytest.approx(
        [3.0, -1.0, -2.0]
    )


def test_grid_field_is_differentiable_in_torch() -> None:
    points = torch.tensor(POINTS, requires_grad=True)
    (gradient,) = torch.autograd.grad(GridField(NODES, ((-1, -1), (1, 1)))(points).sum(), points)
    assert torch.allclose(gradient, torch.tensor([1.0, 2.0], dtype=torch.float64).expand_as(gradient))


def test_grid_field_takes_its_bounds_from_the_domain_and_warns_where_it_is_too_small() -> None:
    assert GridField(NODES).on(BOX) == GridField(NODES, ((-1, -1), (1, 1)))
    small = GridField(NODES, ((-0.5, -0.5), (0.5, 0.5)))
    with pytest.warns(DeclarationWarning, match="its outermost values continue there: give larger bounds"):
        small.on(BOX)
    assert Piecewise(1.0, (Disk((0, 0), 0.4), small)).on(BOX).pieces[0][1] == small
    with pytest.raises(
        DeclarationError, match=r"has no bounds yet; give bounds=.lower, upper., or use it in a"
    ):
        GridField(NODES)(POINTS)


def test_numbers_functions_and_fields_become_fields() -> None:
    assert as_field(2, "speed") == Constant(2.0)
    assert as_field(np.float32(2), "speed") == Constant(2.0)
    assert as_field(torch.tensor(2.0), "speed") == Constant(2.0)
    assert as_field(wavy, "speed") == FunctionField(wavy)
    assert as_field(FIELDS["grid"], "speed") is FIELDS["grid"]
    constant = FunctionField(lambda x: 3.0)
    assert constant(POINTS).tolist() == [3.0] * len(POINTS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: as_field("fast", "speed"), "speed is 'fast'; give a number, a function of points"),
        (lambda: as_field(None, "speed"), "speed is None; give a number"),
        (lambda: as_field(True, "speed"), "speed is True; give a number"),
        (lambda: as_field(Constant, "speed"), "speed is <class .*; give a number"),
        (
            lambda: as_field(NODES, "speed"),
            r"speed is an array of shape \(5, 9\); wrap it: GridField\(values\)",
        ),
        (lambda: Constant(np.nan), "the constant is nan; give a finite number"),
        (lambda: GridField(np.ones(1)), "give numbers on at least 2 nodes along each axis"),
        (lambda: GridField(np.array(["a", "b"])), "give numbers on at least 2 nodes along each axis"),
        (
            lambda: GridField(np.array([1.0, np.nan])),
            r"values\[1\] of the GridField is nan; give finite values",
        ),
        (lambda: GridField(NODES, ((0, 0), (0, 1))), "must increase on every axis"),
        (lambda: GridField(NODES, ((0,), (1,))), "with 1 coordinates; give 2"),
        (lambda: GridField(np.ones(4)).on(BOX), "have 1 axes, but .* has 2"),
        (
            lambda: Piecewise(1.0, Disk((0, 0), 1)),
            r"piece 1 of Piecewise is <Disk.*; give a pair \(region, value\)",
        ),
        (lambda: Piecewise(1.0, (Disk((0, 0), 1), "x")), "value of Piecewise in disk is 'x'; give a number"),
        (lambda: Piecewise(1, (Disk((0, 0), 1), 2), (Ball((0,), 1), 2)), "regions of Piecewise have"),
        (
            lambda: Piecewise(1, (Disk((9, 0), 1), 2)).on(BOX),
            "region disk, .*, lies outside .*; move it inside",
        ),
        (lambda: Piecewise(1, (Ball((0,), 1), 2)).on(BOX), "region ball has 1 axes, but .* has 2"),
        (lambda: FunctionField(lambda x: x)(POINTS), r"returns the shape \(300, 2\) .* must return \(300,\)"),
        (lambda: FunctionField(lambda x: x[:, :1])(POINTS), r"drop the last axis: f\(x\)\[:, 0\]"),
        (lambda: FunctionField(lambda x: None)(POINTS), r"returns None for points"),
        (lambda: FIELDS["grid"](POINTS[:, :1]), r"shape \(300, 1\), but must be \(n, 2\)"),
    ],
)
def test_what_is_no_medium_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (Constant(0.0), "speed is 0, but must be positive; give values above 0"),
        (Constant(-1 + 2j), "speed is −1 \\+ 2i, but must be positive"),
        (Piecewise(1.0, (Disk((0, 0), 0.01), -2.0)), "speed in disk is −2, but must be positive"),
        (GridField(np.array([[1.0, 2.0], [0.0, 1.0]])), "speed is 0, but must be positive"),
        (
            FunctionField(lambda x: x[:, 0]),
            r"speed is −0\.\d+ at \(−0\.\d+, −0\.\d+\), but must be finite and",
        ),
        (FunctionField(lambda x: np.sqrt(x[:, 0] + 0j).real / 0 + np.nan), "speed is nan at"),
        (
            Piecewise(1.0, (Disk((0, 0), 0.01), lambda x: x[:, 0])),
            r"speed is −0\.00\d* at \(−0\.00\d*, .*\), but must be",
        ),
    ],
)
def test_what_is_not_positive_is_refused_where_it_is_found(field: Field, message: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(DeclarationError, match=message):
        check_positive(field, BOX, "speed")


def test_positive_media_pass() -> None:
    for field in FIELDS.values():
        if field not in (FIELDS["grid"], FIELDS["complex grid"]):
            check_positive(field, BOX, "speed")


def test_media_read_as_mathematics() -> None:
    assert FIELDS["pieces"].describe() == (
        "1; wavy(x) in disk = {|(x, y) − (0, 0)| ≤ 0.5}; 3 in square = [0.2, 0.6] × [0.2, 0.6]"
    )
    assert FunctionField(lambda x: x[:, 0]).describe() == "f(x)"
    assert GridField(NODES, ((-1, -1), (1, 1))).describe() == (
        "values on 5×9 nodes from (−1, −1) to (1, 1), linear between, constant beyond, −3 to 3"
    )
