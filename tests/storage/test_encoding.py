"""Declarations as plain data and back."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.core.declaration import Declaration
from neurapde.solution.files import BASES
from neurapde.storage.encoding import Encoded, NotStored, decode, difference, encode
from support import assert_same_field

HOLE = npde.Box((0, 4), (0, 3)) - npde.Disk((1, 1), 0.5) | npde.Polygon([(0, 0), (1, 0), (0, 1)])
MEDIUM = npde.Piecewise(
    npde.GridField(np.linspace(1, 2, 12).reshape(3, 4)), (npde.Disk((0, 0), 0.1, name="lens"), 2.0)
)
DECLARATIONS = [
    HOLE,
    npde.Interval(0.0, 1.0, name="rod"),
    npde.Ball((0, 0, 0), 2.0),
    npde.GaussianSource(at=(0.1, 0.2), variance=1e-4, amplitude=1 + 2j),
    npde.Shots(npde.PointSource((0, 0)), [npde.PointSource((0, 1)), npde.PointSource((1, 1))]),
    npde.PML(width={"left": 0.2, "right": 0.3}, reflection=1e-6),
    npde.Siren(width=7),
    npde.HyperSiren(width=7, codes=2),
    npde.MLP(width=7, depth=2, activation="softplus"),
    npde.Ansatz(npde.trials.OutgoingWave(npde.GaussianSource((0, 0), 1e-4), 20.0), npde.Siren()),
    npde.Adam(steps=3, points={"helmholtz": 5}, weights={"helmholtz": 2.0}, schedule=npde.training.Cosine()),
    npde.Ansatz(npde.trials.NearSource(npde.GaussianSource((0, 0), 1e-4), 20.0, 0.1), npde.Siren()),
    npde.Galerkin(),
    npde.Distillation(teacher=npde.Galerkin(1e-3), steps=7),
]


def through_json(declaration: object) -> Encoded:
    encoded = encode(declaration)
    return Encoded(json.loads(json.dumps(encoded.tree, allow_nan=False)), encoded.arrays)


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda d: type(d).__name__)
def test_a_declaration_comes_back_equal(declaration: object) -> None:
    assert decode(through_json(declaration), BASES) == declaration


def test_a_medium_with_a_grid_comes_back_with_the_same_values() -> None:
    points = np.random.default_rng(52051).uniform(-1, 1, (50, 2))
    made = MEDIUM.on(npde.Box((-1, 1), (-1, 1)))
    assert_same_field(decode(through_json(made), BASES)(points), made(points))


def test_numbers_that_json_lacks_come_back() -> None:
    @dataclass(frozen=True)
    class Numbers(Declaration):
        values: tuple[object, ...]

    values = (
        float("inf"),
        -float("inf"),
        1e-300,
        1 - 2j,
        complex(float("inf"), 0),
        None,
        True,
        "text",
        10**20,
    )
    assert decode(through_json(Numbers(values)), BASES) == Numbers(values)
    (nan,) = decode(through_json(Numbers((float("nan"),))), BASES).values
    assert np.isnan(nan)
    assert decode(through_json(Numbers((np.float64(0.1), np.int64(3)))), BASES).values == (0.1, 3)


def test_equal_arrays_are_stored_once_and_others_apart() -> None:
    array, other = np.arange(3.0), np.arange(3)
    encoded = encode((array, array.copy(), torch.arange(3, dtype=torch.float64), other))
    assert len(encoded.arrays) == 2
    assert encoded.tree[0] == encoded.tree[1] == encoded.tree[2] != encoded.tree[3]


def test_a_function_is_named_and_not_stored() -> None:
    problem = npde.Problem("mine", npde.Interval(0, 1), npde.Equation(lambda x, u: u.value, order=0))
    encoded = through_json(problem)
    assert "lambda" in json.dumps(encoded.tree)
    with pytest.raises(NotStored, match=r"equation\.residual is .*<lambda>, a Python object that is not"):
        decode(encoded, BASES)


def test_a_class_outside_the_vocabulary_is_not_made() -> None:
    tree = {"class": "pathlib:Path", "fields": {}}
    with pytest.raises(NotStored, match="a class that has not been imported"):
        decode(Encoded(tree, {}), BASES)


def test_a_users_own_declaration_comes_back_once_its_class_is_in_memory() -> None:
    @dataclass(frozen=True)
    class Mine(npde.Domain.__mro__[1]):
        size: float

    assert decode(through_json(Mine(2.0)), BASES) == Mine(2.0)


@pytest.mark.parametrize(
    ("stored", "given", "expected"),
    [
        (npde.Siren(width=8), npde.Siren(width=9), "trial.width is 8 in the file and 9 now"),
        (npde.Siren(), npde.MLP(), "trial is Siren(width=256"),
        (npde.Disk((0, 0), 1), npde.Disk((0, 0.5), 1), "trial.center[1] is 0.0 in the file and 0.5 now"),
        (npde.PML(0.1), npde.PML({"left": 0.1}), "trial.width is "),
        (npde.GaussianSource((0,), 1, 1j), npde.GaussianSource((0,), 1, 2j), "is 1j in the file and 2j now"),
        (np.zeros(3), np.ones(3), "trial is an array (sha256"),
    ],
)
def test_a_difference_names_its_place_and_both_values(stored: object, given: object, expected: str) -> None:
    text = difference(encode(stored).tree, encode(given).tree, "trial")
    assert text is not None
    assert expected in text


def test_equal_declarations_do_not_differ() -> None:
    assert difference(encode(npde.Box((0, 1))).tree, encode(npde.Box((0.0, 1.0))).tree, "box") is None
