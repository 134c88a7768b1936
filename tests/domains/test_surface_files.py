"""Clouds from files, places on cells, and the nearest cell of a mesh."""

from pathlib import Path

import meshio
import numpy as np
import pytest

import neurapde as npde
from neurapde.domains.closest import Closest, along_curve

TETRAHEDRON = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=float)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])


def sphere(count: int) -> np.ndarray:
    points = np.random.default_rng(10499).normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1)[:, None]


def test_points_with_normals_are_read_from_xyz_ply_and_obj(tmp_path: Path) -> None:
    points = sphere(200)
    normals = 2 * points
    np.savetxt(tmp_path / "scan.xyz", np.concatenate([points, normals], axis=1))
    data = dict(zip(("nx", "ny", "nz"), normals.T, strict=True))
    meshio.write(tmp_path / "scan.ply", meshio.Mesh(points, [], point_data=data))
    lines = [f"{word} {x} {y} {z}" for word, rows in (("v", points), ("vn", normals)) for x, y, z in rows]
    (tmp_path / "scan.obj").write_text("mtllib wood.mtl\n" + "\n".join(lines), encoding="utf-8")
    for ending in ("xyz", "ply", "obj"):
        cloud = npde.PointCloud.read(tmp_path / f"scan.{ending}", name="scan")
        np.testing.assert_allclose(cloud.points, points, atol=1e-12)
        np.testing.assert_allclose(cloud.normals, points, atol=1e-12)


def test_points_alone_have_their_normals_estimated(tmp_path: Path) -> None:
    points = sphere(500)
    np.savetxt(tmp_path / "scan.xyz", points)
    cloud = npde.PointCloud.read(tmp_path / "scan.xyz")
    assert np.sum(cloud.normals * points, axis=1).min() > 0.9


def test_an_open_textured_mesh_becomes_a_cloud_on_its_triangles(tmp_path: Path) -> None:
    rows = ["mtllib wood.mtl", *(f"v {x} {y} {z}" for x, y, z in TETRAHEDRON), "vt 0 0", "vn 0 0 1"]
    rows += [f"f {a + 1}/1/1 {b + 1}/1/1 {c - 4}/-1/-1" for a, b, c in FACES[:3]]
    (tmp_path / "corner.obj").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(npde.DeclarationError, match="not closed"):
        npde.Mesh(tmp_path / "corner.obj")
    cloud = npde.PointCloud.read(tmp_path / "corner.obj", count=600)
    assert len(cloud.points) == 600
    assert np.abs(cloud.points.min(axis=1)).max() < 1e-12  # each lies in one of the planes
    on_floor = cloud.points[:, 2] == 0
    assert on_floor.mean() == pytest.approx(1 / 3, abs=0.06)
    np.testing.assert_allclose(cloud.normals[on_floor], [[0, 0, -1]] * on_floor.sum())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("two.xyz", "1 2\n3 4\n", "its rows have 2 numbers"),
        ("words.xyz", "a b c\n", "cannot be read as points"),
    ],
)
def test_a_file_without_points_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(npde.StorageError, match=message):
        npde.PointCloud.read(tmp_path / name)


def test_a_missing_cloud_and_a_wrong_count_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file"):
        npde.PointCloud.read(tmp_path / "none.xyz")
    with pytest.raises(npde.DeclarationError, match="count"):
        npde.PointCloud.read(tmp_path / "none.xyz", count=3)


def test_the_nearest_cell_and_its_distance_are_those_of_all_cells_tried() -> None:
    mesh = Closest(TETRAHEDRON, FACES)
    points = np.random.default_rng(20507).uniform(-1, 2, (200, 3))
    distance, cell = mesh.nearest(points)
    single = [np.abs(Closest(TETRAHEDRON, FACES[[i]]).nearest(points)[0]) for i in range(4)]
    np.testing.assert_allclose(np.abs(distance), np.min(single, axis=0), atol=1e-12)
    rows = np.arange(200)
    np.testing.assert_allclose(np.array(single)[cell, rows], np.min(single, axis=0), atol=1e-12)


@pytest.mark.parametrize("d", [2, 3])
def test_the_order_along_a_curve_holds_every_point_and_keeps_neighbours_near(d: int) -> None:
    points = np.random.default_rng(30509).random((4000, d))
    order = along_curve(points)
    assert sorted(order) == list(range(4000))
    steps = np.linalg.norm(np.diff(points[order], axis=0), axis=1).mean()
    assert steps < 0.3 * np.linalg.norm(np.diff(points, axis=0), axis=1).mean()


def test_merged_vertices_close_a_mesh_whatever_their_order() -> None:
    shuffled = np.random.default_rng(40519).permutation(12)
    repeated = TETRAHEDRON[FACES].reshape(12, 3)[shuffled]
    cells = np.argsort(shuffled).reshape(4, 3)
    mesh = npde.Mesh(repeated, cells)
    assert len(mesh.points) == 4
    assert mesh.measure == pytest.approx(1 / 6)
