"""Fields as VTU and XDMF files."""

from pathlib import Path

import meshio
import numpy as np
import pytest

import neurapde as npde
from neurapde.storage.export import grid_cells, write_mesh


def volume(points: np.ndarray, cells: np.ndarray) -> float:
    """Total measure of axis-parallel cells, from two opposite corners of each."""
    opposite = {2: 1, 4: 2, 8: 6}[cells.shape[1]]
    return float(np.prod(points[cells[:, opposite]] - points[cells[:, 0]], axis=1).sum())


@pytest.mark.parametrize(
    ("domain", "shape", "nodes", "cells"),
    [
        (npde.Interval(1.0, 3.0), 5, 5, 4),
        (npde.Box((0, 1), (0, 3)), (3, 4), 12, 6),
        (npde.Box((0, 1), (0, 2), (0, 3)), (2, 3, 4), 24, 6),
    ],
)
def test_the_cells_of_a_box_fill_it(domain: npde.Domain, shape: object, nodes: int, cells: int) -> None:
    points, corners = grid_cells(domain, shape)
    assert (len(points), len(corners)) == (nodes, cells)
    assert volume(points, corners) == pytest.approx(domain.measure)


def test_corners_follow_each_other_round_a_cell_as_vtk_wants() -> None:
    points, corners = grid_cells(npde.Box((0, 1), (0, 1), (0, 1)), 2)
    expected = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]
    np.testing.assert_array_equal(points[corners[0]], expected)


def test_only_cells_inside_the_domain_are_written_and_only_their_nodes() -> None:
    ring = npde.Disk((0, 0), 1.0) - npde.Disk((0, 0), 0.5)
    points, corners = grid_cells(ring, 129)
    assert volume(points, corners) == pytest.approx(ring.measure, rel=0.05)
    assert volume(points, corners) < ring.measure
    assert (ring.signed_distance(points) <= 1e-9).all()
    np.testing.assert_array_equal(np.unique(corners), np.arange(len(points)))


@pytest.mark.parametrize("name", ["u.vtu", "u.xdmf"])
def test_a_complex_field_is_read_back_in_parts(tmp_path: Path, name: str) -> None:
    box = npde.Box((0, 1), (0, 2))
    write_mesh(tmp_path / name, box, lambda x: x[:, 0] + 1j * x[:, 1] ** 2, shape=(4, 5))
    mesh = meshio.read(tmp_path / name)
    x, y, z = mesh.points.T
    np.testing.assert_allclose(mesh.point_data["u_re"], x, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(mesh.point_data["u_im"], y**2, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(mesh.point_data["u_abs"], np.hypot(x, y**2), rtol=1e-7, atol=1e-12)
    assert not z.any()
    assert mesh.cells_dict["quad"].shape == (12, 4)


def test_a_real_field_keeps_its_name_and_components_are_numbered(tmp_path: Path) -> None:
    line = npde.Interval(0.0, 1.0)
    mesh = meshio.read(write_mesh(tmp_path / "one.vtu", line, lambda x: x[:, 0], shape=3))
    two = meshio.read(write_mesh(tmp_path / "two.vtu", line, lambda x: np.hstack([x, 2j * x]), shape=3))
    assert list(mesh.point_data) == ["u"]
    assert list(two.point_data) == [f"u_{c}_{component}" for c in (0, 1) for component in ("re", "im", "abs")]


def test_an_xdmf_file_leaves_a_solution_of_the_same_stem_alone(tmp_path: Path) -> None:
    saved = tmp_path / "u.h5"
    saved.write_bytes(b"a solution")
    write_mesh(tmp_path / "u.xdmf", npde.Interval(0.0, 1.0), lambda x: x[:, 0], shape=3)
    assert saved.read_bytes() == b"a solution"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["u.data.h5", "u.h5", "u.xdmf"]


def test_a_vtu_file_is_binary(tmp_path: Path) -> None:
    path = write_mesh(tmp_path / "u.vtu", npde.Box((0, 1), (0, 1)), lambda x: x[:, 0])
    assert b'format="binary"' in path.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["u.vtu"]


@pytest.mark.parametrize(
    ("domain", "name", "shape", "message"),
    [
        (npde.Interval(0, 1), "u.vtu", (3, 3), "give 1 numbers of nodes"),
        (npde.Box((0, 1), (0, 1)), "u.vtu", 1, r"at least 2 each, such as \(257, 257\)"),
        (npde.Box(*[(0, 1)] * 4), "u.vtu", 3, "only fields with 1, 2 or 3"),
        (npde.Disk((0, 0), 1), "u.vtu", 2, "use a finer shape"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, domain: npde.Domain, name: str, shape: object, message: str
) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        write_mesh(tmp_path / name, domain, lambda x: x[:, 0], shape)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        write_mesh(tmp_path / "nowhere" / "u.vtu", npde.Interval(0, 1), lambda x: x[:, 0])
