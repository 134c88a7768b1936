"""Fields as tables of other packages: coordinates and values agree with the field itself."""

import numpy as np
import pytest

import neurapde as npde
from neurapde.storage.sampled import sampled

BOX = npde.Box((0, 1), (0, 2))


def solution(**changes: object) -> npde.Solution:
    return npde.solve(npde.Problem("plate", BOX, npde.Poisson(), 1.0, npde.Dirichlet(0.0)))


def test_a_sample_knows_its_axes_and_where_the_domain_ends() -> None:
    disk = npde.Disk((0, 0), 1.0)
    samples = sampled(lambda x: x[:, 0] + 2j * x[:, 1], disk, 5)
    assert list(samples.axes) == ["x", "y"]
    assert np.isnan(samples.values[0, 0])
    assert samples.values[4, 2] == pytest.approx(1.0)
    assert set(samples.table) == {"x", "y", "u_re", "u_im", "u_abs"}
    assert len(samples.table["x"]) == 13


def test_an_array_of_xarray_has_the_coordinates_of_the_grid() -> None:
    pytest.importorskip("xarray")
    u = solution()
    array = u.to_xarray(shape=(5, 7), at=None)
    assert array.dims == ("x", "y")
    value = float(array.sel(x=0.5, y=1.0))
    assert value == pytest.approx(u(np.array([[0.5, 1.0]]))[0])
    line = u.to_xarray(shape=9, at={"y": 0.5})
    assert line.dims == ("x",)
    assert float(line.coords["y"]) == 0.5


def test_a_table_of_pandas_has_a_row_for_each_node_inside() -> None:
    pytest.importorskip("pandas")
    u = solution()
    frame = u.to_dataframe(shape=4)
    assert list(frame.columns) == ["x", "y", "u"]
    np.testing.assert_allclose(frame["u"], u(frame[["x", "y"]].to_numpy()), atol=1e-12)
