import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurapde.core.errors import DeclarationError
from neurapde.domains import Box
from neurapde.fields.grid_field import GridField
from neurapde.fields.sources import FunctionSource, GaussianSource, PointSource, Shots, as_sources, total

POINTS = np.random.default_rng(17320).uniform(-0.1, 0.1, (200, 2))
GAUSSIAN = GaussianSource((0.01, -0.02), variance=1e-3, amplitude=1 + 1j)


@given(st.integers(1, 3), st.floats(1e-4, 1.0), st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_gaussian_has_the_mass_of_its_amplitude(
    dimension: int, variance: float, re: float, im: float
) -> None:
    source = GaussianSource((0.3,) * dimension, variance, complex(re, im))
    axis = np.linspace(-8, 8, 61) * np.sqrt(variance) + 0.3
    mesh = np.stack(np.meshgrid(*[axis] * dimension, indexing="ij"), axis=-1).reshape(-1, dimension)
    assert source(mesh).sum() * (axis[1] - axis[0]) ** dimension == pytest.approx(complex(re, im), abs=1e-12)


def test_gaussian_has_its_variance() -> None:
    axis = np.linspace(-0.4, 0.4, 401)
    mesh = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    density = GaussianSource((0, 0), 2e-3)(mesh)
    assert (density * mesh[:, 0] ** 2).sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(2e-3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "source", [GAUSSIAN, GaussianSource((0, 0), 1e-2), FunctionSource(lambda x: x[:, 0]), FunctionSource(2.0)]
)
def test_numpy_and_torch_agree_in_value_and_precision(source, dtype) -> None:
    points = POINTS.astype(dtype)
    values, tensor = source(points), source(torch.tensor(points))
    assert values.shape == (200,)
    assert values.real.dtype == dtype
    assert tensor.numpy().dtype == values.dtype
    np.testing.assert_allclose(tensor.numpy(), values, rtol=1e-4 if dtype == np.float32 else 1e-10)


def test_sources_of_a_list_radiate_together_and_shots_apart() -> None:
    pair = as_sources([GAUSSIAN, lambda x: x[:, 0]], "sources")
    np.testing.assert_allclose(total(pair, POINTS), GAUSSIAN(POINTS) + POINTS[:, 0], rtol=1e-9, atol=1e-12)
    assert np.all(total((), POINTS) == 0)
    shots = Shots(GAUSSIAN, [GAUSSIAN, PointSource((0, 0))])
    assert [len(entry) for entry in shots.entries] == [1, 2]
    assert len(shots) == 2
    assert pickle.loads(pickle.dumps(shots)) == shots
    assert hash(shots) == hash(Shots.rebuild({"entries": shots.entries}))


def test_gridded_source_takes_its_bounds_from_the_domain() -> None:
    source = FunctionSource(GridField(np.ones((3, 3)))).on(Box((0, 2), (0, 2)))
    assert source.f.bounds == ((0.0, 0.0), (2.0, 2.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianSource((0, 0), 0), "variance of the GaussianSource is 0, but must be positive"),
        (
            lambda: GaussianSource((0, 0), -1e-4),
            "variance of the GaussianSource is -0.0001, but must be positive",
        ),
        (
            lambda: GaussianSource((0, np.nan), 1),
            r"at of the GaussianSource\[1\] is nan; give a finite number",
        ),
        (lambda: GaussianSource((0, 0), 1, np.inf), "amplitude of the GaussianSource is inf; give a finite"),
        (
            lambda: GaussianSource((0, 0), 1, "loud"),
            "amplitude of the GaussianSource is 'loud', a str; give a",
        ),
        (
            lambda: GaussianSource("middle", 1),
            "at of the GaussianSource is 'middle'; give one number for each",
        ),
        (lambda: PointSource(()), "give one number for each axis"),
        (lambda: PointSource((0, 0))(POINTS), r"has no values at points; use a method that integrates it"),
        (lambda: GAUSSIAN(POINTS[:, :1]), r"shape \(200, 1\), but must be \(n, 2\)"),
        (
            lambda: GAUSSIAN.on(Box((0, 1))),
            "has 2 coordinates, but .* has 1 axes; give one coordinate for each",
        ),
        (lambda: Shots(), r"Shots\(\) is empty; give at least one source"),
        (lambda: Shots([]), "shot 1 has no source; give at least one"),
        (lambda: Shots(Shots(GAUSSIAN)), "contains Shots in a list; give Shots without a list"),
        (lambda: as_sources([GAUSSIAN, "loud"], "sources"), r"sources\[1\] is 'loud'; give a GaussianSource"),
        (lambda: as_sources(None, "sources"), "sources is None; give a GaussianSource"),
    ],
)
def test_what_is_no_source_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_sources_read_as_mathematics() -> None:
    assert GAUSSIAN.describe() == "(1 + 1i) · Gaussian of unit mass at (0.01, −0.02), variance 0.001"
    assert GaussianSource(0.5, 1e-5).describe() == "Gaussian of unit mass at 0.5, variance 1e-5"
    assert PointSource((0, 0), -2j).describe() == "−2i · δ at (0, 0)"
