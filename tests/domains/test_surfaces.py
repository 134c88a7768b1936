"""Domains known by their surface: torus, mesh and point cloud; and the zero set of a solution."""

from pathlib import Path

import meshio
import numpy as np
import pytest
import torch
from skimage.measure import marching_cubes

import neurapde as npde
from neurapde.core.errors import DeclarationError
from neurapde.domains.closest import Closest
from neurapde.domains.cloud import estimate_normals
from neurapde.problems.eikonal import write_bumpy_ball
from neurapde.solution.files import BASES
from neurapde.storage.encoding import decode, encode
from support import seeded

BALL = npde.Ball((0.1, -0.2, 0.05), 0.5)
TORUS = npde.Torus((0.1, 0.0, -0.1), 0.5, 0.2)
CUBE_VERTICES = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
CUBE_QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
CUBE_TRIANGLES = np.array([t for a, b, c, d in CUBE_QUADS for t in ((a, b, c), (a, c, d))])
CUBE = npde.Box((0, 1), (0, 1), (0, 1))


def in_box(count: int, seed: int, reach: float = 1.0, d: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-reach, reach, (count, d))


def mesh_of(shape: npde.Domain, nodes: int = 49) -> npde.Mesh:
    axis = np.linspace(-1, 1, nodes)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    values = shape.signed_distance(points).reshape(nodes, nodes, nodes)
    vertices, triangles, _, _ = marching_cubes(values, 0.0)
    return npde.Mesh(-1 + 2 * vertices / (nodes - 1), triangles)


def circle(count: int, radius: float = 0.6) -> np.ndarray:
    angle = 2 * np.pi * np.arange(count) / count
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_the_torus_is_the_distance_to_its_circle_less_the_tube() -> None:
    points = in_box(500, 30713)
    angle = np.linspace(0, 2 * np.pi, 4001)
    ring = np.array(TORUS.center) + 0.5 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    nearest = np.linalg.norm(points[:, None] - ring, axis=2).min(axis=1)
    np.testing.assert_allclose(TORUS.signed_distance(points), nearest - 0.2, atol=1e-6)
    np.testing.assert_array_equal(TORUS.contains(points), TORUS.signed_distance(points) <= 0)


def test_points_of_the_torus_lie_on_it_by_area() -> None:
    points, normals = TORUS.sample_boundary(40_000, generator=seeded(41077))
    assert TORUS.signed_distance(points).abs().max() < 1e-12
    ahead = TORUS.signed_distance(points + 0.01 * normals)
    np.testing.assert_allclose(ahead, 0.01, atol=1e-12)
    outer = (torch.linalg.vector_norm(points[:, :2] - torch.tensor([0.1, 0.0]), dim=1) > 0.5).double().mean()
    assert abs(float(outer) - (0.5 + 0.2 / (np.pi * 0.5))) < 0.01


def test_the_volume_inside_a_torus_is_what_its_samples_fill() -> None:
    inside = TORUS.contains(in_box(200_000, 51061)).mean() * 8
    assert TORUS.measure == pytest.approx(inside, rel=0.02)


def test_a_torus_without_a_hole_is_refused() -> None:
    with pytest.raises(DeclarationError, match="has no hole"):
        npde.Torus((0, 0, 0), 0.2, 0.3)


def test_a_cube_of_triangles_has_the_distance_of_the_box() -> None:
    mesh = npde.Mesh(CUBE_VERTICES, CUBE_TRIANGLES)
    points = 0.5 + in_box(4000, 60257, reach=1.5)
    np.testing.assert_allclose(mesh.signed_distance(points), CUBE.signed_distance(points), atol=1e-9)
    assert mesh.measure == pytest.approx(1.0)
    assert mesh.boundary_size(mesh.faces) == pytest.approx(6.0)


def test_the_distance_to_a_mesh_is_that_of_brute_force() -> None:
    mesh = mesh_of(TORUS, 25)
    points = in_box(30, 71081)
    every = Closest(mesh.points, mesh.cells)
    corners = mesh.points[mesh.cells]
    best = np.full(len(points), np.inf)
    weights = np.random.default_rng(20369).dirichlet(np.ones(3), 200)
    for weight in weights:
        spots = np.einsum("c,mcx->mx", weight, corners)
        best = np.minimum(best, np.linalg.norm(points[:, None] - spots, axis=2).min(axis=1))
    distances = np.abs(every.signed_distance(points))
    assert (distances <= best + 1e-12).all()
    assert np.abs(distances - best).max() < 4e-3


def test_a_fine_mesh_of_a_torus_has_its_distance() -> None:
    points = in_box(3000, 80687)
    error = np.abs(mesh_of(TORUS).signed_distance(points) - TORUS.signed_distance(points))
    assert error.max() < 4e-3
    assert error.mean() < 8e-4


def test_points_drawn_from_a_mesh_lie_on_it_with_its_normals() -> None:
    mesh = mesh_of(BALL)
    points, normals = mesh.sample_boundary(2000, how="sobol", generator=seeded(90821))
    assert np.abs(mesh.signed_distance(points.numpy())).max() < 1e-12
    outward = points - torch.tensor([0.1, -0.2, 0.05])
    assert torch.nn.functional.cosine_similarity(outward, normals).mean() > 0.998


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".stl", ".vtk"])
def test_a_mesh_file_comes_back(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"cube{suffix}"
    meshio.write(path, meshio.Mesh(CUBE_VERTICES, [("triangle", CUBE_TRIANGLES)]))
    mesh = npde.Mesh(path)
    assert (len(mesh.points), len(mesh.cells)) == (8, 12)
    assert mesh.measure == pytest.approx(1.0)


def test_a_mesh_turned_inside_out_is_turned_back() -> None:
    inward = npde.Mesh(CUBE_VERTICES, CUBE_TRIANGLES[:, ::-1])
    assert inward.signed_distance(np.array([[0.5, 0.5, 0.4]]))[0] == pytest.approx(-0.4)


def test_a_mesh_with_a_hole_is_refused() -> None:
    with pytest.raises(DeclarationError, match="not closed: 3 edges belong to only one cell"):
        npde.Mesh(CUBE_VERTICES, CUBE_TRIANGLES[1:])


def test_a_mesh_with_one_triangle_turned_is_refused() -> None:
    cells = CUBE_TRIANGLES.copy()
    cells[3] = cells[3, ::-1]
    with pytest.raises(DeclarationError, match="have opposite orientations at 3 edges"):
        npde.Mesh(CUBE_VERTICES, cells)


def test_a_file_without_a_surface_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "points.vtk"
    meshio.write(path, meshio.Mesh(CUBE_VERTICES, [("vertex", np.arange(8)[:, None])]))
    with pytest.raises(DeclarationError, match="has vertex, but no triangles"):
        npde.Mesh(path)
    with pytest.raises(FileNotFoundError, match="there is no mesh file"):
        npde.Mesh(tmp_path / "none.ply")


def test_a_polygon_of_segments_has_the_distance_of_the_polygon() -> None:
    vertices = np.array([[0.0, 0.0], [1.0, 0.0], [0.3, 0.3], [0.0, 1.0]])
    mesh = npde.Mesh(vertices, np.array([[0, 1], [1, 2], [2, 3], [3, 0]]))
    points = in_box(2000, 20717, reach=1.5, d=2)
    np.testing.assert_allclose(
        mesh.signed_distance(points), npde.Polygon(vertices).signed_distance(points), atol=1e-9
    )
    assert mesh.measure == pytest.approx(npde.Polygon(vertices).measure)


def test_the_distance_to_a_cloud_is_of_second_order_in_its_spacing() -> None:
    points = in_box(2000, 30941, d=2)
    exact = npde.Disk((0, 0), 0.6).signed_distance(points)
    errors = []
    for count in (50, 100, 200, 400):
        cloud = npde.PointCloud(circle(count), circle(count))
        errors.append(np.abs(cloud.signed_distance(points) - exact).mean())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert orders == pytest.approx(2.0, abs=0.2)
    assert errors[-1] < 2e-5


@pytest.mark.parametrize("shape", [BALL, TORUS], ids=lambda shape: shape.name)
def test_estimated_normals_are_the_surface_s_own(shape: npde.Domain) -> None:
    points, normals = (a.numpy() for a in shape.sample_boundary(3000, how="sobol", generator=seeded(40993)))
    agreement = np.sum(estimate_normals(points) * normals, axis=1)
    assert agreement.min() > 0.9
    assert agreement.mean() > 0.995


def test_two_clouds_in_one_are_both_turned_outward() -> None:
    points = np.concatenate([circle(60, 0.2) - np.array([0.5, 0]), circle(80, 0.3) + np.array([0.5, 0])])
    cloud = npde.PointCloud(points)
    assert cloud.contains(np.array([[-0.5, 0.0], [0.5, 0.1]])).all()
    assert not cloud.contains(np.array([[0.0, 0.0], [0.5, 0.5]])).any()


def test_the_sizes_of_a_cloud_are_those_of_its_surface() -> None:
    sample = TORUS.sample_boundary(8000, how="sobol", generator=seeded(51239))
    cloud = npde.PointCloud(sample.points, sample.normals)
    assert cloud.measure == pytest.approx(TORUS.measure, rel=0.02)
    assert cloud.boundary_size(cloud.faces) == pytest.approx(TORUS.boundary_size(()), rel=0.1)


@pytest.mark.parametrize(
    "domain", [npde.PointCloud(circle(40)), npde.Mesh(CUBE_VERTICES, CUBE_TRIANGLES), TORUS]
)
def test_a_tensor_gets_the_distance_an_array_gets(domain: npde.Domain) -> None:
    points = in_box(50, 60913, d=domain.dimension)
    distances = domain.signed_distance(torch.tensor(points, dtype=torch.float32))
    assert distances.dtype is torch.float32
    np.testing.assert_allclose(distances, domain.signed_distance(points), atol=1e-6)


@pytest.mark.parametrize(
    ("points", "normals", "message"),
    [
        (np.zeros((4, 3)), None, "at least 10 points"),
        (np.zeros((20, 4)), None, "the shape"),
        (circle(20), np.zeros((20, 2)), "the normal of point 0 is zero"),
        (circle(20), circle(19), "19 normals for 20 points"),
    ],
)
def test_a_cloud_that_is_none_is_refused(
    points: np.ndarray, normals: np.ndarray | None, message: str
) -> None:
    with pytest.raises(DeclarationError, match=message):
        npde.PointCloud(points, normals)


def test_the_bumpy_ball_is_a_closed_mesh_of_its_volume(tmp_path: Path) -> None:
    write_bumpy_ball(tmp_path / "ball.ply", bumps=0.0)
    assert npde.Mesh(tmp_path / "ball.ply").measure == pytest.approx(4 / 3 * np.pi * 0.6**3, rel=3e-3)


@pytest.mark.parametrize(
    "domain",
    [TORUS, npde.PointCloud(circle(30)), npde.Mesh(CUBE_VERTICES, CUBE_TRIANGLES)],
    ids=lambda d: d.name,
)
def test_a_stored_surface_comes_back_equal(domain: npde.Domain) -> None:
    made = decode(encode(npde.Eikonal(surface=domain)), BASES).surface
    assert made == domain
    points = in_box(20, 71011, d=domain.dimension)
    np.testing.assert_array_equal(made.signed_distance(points), domain.signed_distance(points))
