import math
import pickle
from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurapde.core.errors import DeclarationError
from neurapde.domains import Ball, Box, Disk, Domain, Interval, Polygon
from neurapde.domains.edges import Arc, Segment
from support import seeded

BOX = Box((-1.0, 1.0), (0.0, 3.0))
DISK = Disk((0.2, 0.1), 0.7)
ELL = Polygon([(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
CLOCKWISE = Polygon(ELL.vertices[::-1], name="clockwise")
TRIANGLE = Polygon([(-0.5, -1.0), (1.5, 0.25), (0.1, 2.0)])
EXACT = [Interval(-0.5, 2.0), BOX, Box((0, 1), (0, 2), (-1, 1)), DISK, Ball((0, 0, 0.5), 0.8), ELL, CLOCKWISE]
EXACT += [TRIANGLE, Ball((0.1,), 0.3), Ball((0,) * 5, 1.1), Box((0, 1), (0, 2), (-1, 1), (0, 0.5))]
COMBINED = [
    BOX - DISK,
    BOX | DISK,
    BOX & DISK,
    (ELL - DISK) | Disk((3, 3), 0.5, name="island"),
    Box((0, 1), (0, 1), (0, 1)) - Ball((0, 0, 0), 0.8),
    BOX - (DISK & TRIANGLE),
]
ALL = EXACT + COMBINED


def around(domain: Domain, count: int, seed: int = 16180) -> np.ndarray:
    """Points of a box half as large again as the domain's."""
    lower, upper = domain.bounds
    margin = 0.25 * (upper - lower)
    return np.random.default_rng(seed).uniform(lower - margin, upper + margin, (count, domain.dimension))


@pytest.mark.parametrize("domain", ALL, ids=str)
def test_measure_is_the_share_of_its_bounding_box(domain: Domain) -> None:
    lower, upper = domain.bounds
    points = np.random.default_rng(31415).uniform(lower, upper, (100_000, domain.dimension))
    share = domain.contains(points).mean()
    deviation = math.sqrt(share * (1 - share) / len(points))
    assert domain.measure == pytest.approx(share * np.prod(upper - lower), rel=(4 * deviation + 1e-9) / share)


def test_measures_of_combinations_match_their_formulas() -> None:
    hole = Disk((0, 1.5), 0.5)
    assert (BOX - hole).measure == pytest.approx(6 - math.pi / 4, rel=2e-4)
    lens = 2 * math.acos(0.5) - math.sin(2 * math.acos(0.5))
    assert (Disk((0, 0), 1) & Disk((1, 0), 1)).measure == pytest.approx(lens, rel=5e-4)


@pytest.mark.parametrize("domain", [d for d in ALL if d.dimension <= 2], ids=str)
def test_distance_is_that_to_the_nearest_boundary_point(domain: Domain) -> None:
    cloud = domain.sample_boundary(20_000, how="grid").points.numpy()
    points = around(domain, 300)
    brute = np.min(np.linalg.norm(points[:, None] - cloud[None], axis=2), axis=1)
    distance = domain.signed_distance(points)
    assert np.array_equal(distance <= 0, domain.contains(points))
    if domain in EXACT:
        np.testing.assert_allclose(np.abs(distance), brute, atol=2e-4)
    else:
        assert np.all(np.abs(distance) < brute + 2e-4)


@pytest.mark.parametrize("domain", ALL, ids=str)
@pytest.mark.parametrize("how", ["uniform", "sobol", "grid"])
def test_samples_lie_where_they_belong(domain: Domain, how) -> None:
    inside = domain.sample(500, how=how, generator=seeded(27183))
    assert inside.shape[1] == domain.dimension
    assert len(inside) == 500 if how != "grid" else 0 < len(inside) <= 500
    assert domain.contains(inside).all()
    points, normals = domain.sample_boundary(500, how=how, generator=seeded(27183))
    assert len(points) == 500 if how != "grid" else 0 < len(points) <= 500
    assert domain.signed_distance(points).abs().max() < 1e-6
    assert torch.allclose(normals.norm(dim=1), torch.ones(len(points), dtype=torch.float64))


@pytest.mark.parametrize("domain", ALL, ids=str)
def test_normals_are_the_gradient_of_the_distance(domain: Domain) -> None:
    points, normals = domain.sample_boundary(400, generator=seeded(27183))
    outside = (points + 1e-4 * normals).requires_grad_()
    distance = domain.signed_distance(outside)
    (gradient,) = torch.autograd.grad(distance.sum(), outside)
    near_corner = (gradient - normals).norm(dim=1) > 1e-6
    assert near_corner.double().mean() < 0.02
    assert (distance[~near_corner] > 0).all()


@pytest.mark.parametrize("how", ["uniform", "sobol"])
@pytest.mark.parametrize("domain", [*EXACT, BOX - DISK, BOX | DISK], ids=str)
def test_interior_samples_are_uniform_by_measure(domain: Domain, how) -> None:
    count = 20_000
    points = domain.sample(count, how=how, generator=seeded(57721)).numpy()
    lower, upper = domain.bounds
    reference = np.random.default_rng(86753).uniform(lower, upper, (200_000, domain.dimension))
    reference = reference[domain.contains(reference)]
    for axis in range(domain.dimension):
        for share in (0.25, 0.5, 0.75):
            cut = lower[axis] + share * (upper - lower)[axis]
            assert (points[:, axis] < cut).mean() == pytest.approx(
                (reference[:, axis] < cut).mean(), abs=0.025
            )


def test_boundary_samples_are_uniform_by_arc_length() -> None:
    points, _ = BOX.sample_boundary(40_000, how="sobol", generator=seeded(27183))
    assert (points[:, 0] == -1).double().mean().item() == pytest.approx(3 / 10, abs=2e-3)
    assert (points[:, 1] == 3).double().mean().item() == pytest.approx(2 / 10, abs=2e-3)
    hole = Disk((0, 1.5), 0.5)
    points, _ = (BOX - hole).sample_boundary(40_000, how="sobol", generator=seeded(27183))
    share = hole.signed_distance(points).abs().lt(1e-9).double().mean().item()
    assert share == pytest.approx(math.pi / (math.pi + 10), abs=2e-3)
    points, _ = Ball((0, 0, 0), 1).sample_boundary(40_000, how="sobol", generator=seeded(27183))
    assert (points[:, 2] > 0.5).double().mean().item() == pytest.approx(0.25, abs=5e-3)  # Archimedes
    points, _ = ELL.sample_boundary(40_000, on="edge-1", how="sobol", generator=seeded(27183))
    assert points[:, 0].mean().item() == pytest.approx(1.0, abs=2e-3)
    assert points[:, 1].abs().max() == 0


def test_normals_of_a_hole_point_into_it() -> None:
    room = BOX - Disk((0, 1.5), 0.5, name="hole")
    points, normals = room.sample_boundary(1000, on="hole", generator=seeded(27183))
    toward = torch.tensor([0.0, 1.5]) - points
    assert torch.allclose((normals * toward).sum(1), torch.full((1000,), 0.5, dtype=torch.float64))


def test_common_boundary_counts_once_and_inner_boundary_not_at_all() -> None:
    left, right = Box((0, 1), (0, 1)), Box((1, 2), (0, 1))
    points, _ = (left | right).sample_boundary(30_000, how="sobol", generator=seeded(27183))
    assert not ((points[:, 0] - 1).abs() < 1e-9).logical_and((points[:, 1] * (1 - points[:, 1])) > 1e-6).any()
    same = left | Box((0, 1), (0, 0.5))
    points, _ = same.sample_boundary(30_000, how="sobol", generator=seeded(27183))
    assert (points[:, 1] == 0).double().mean().item() == pytest.approx(0.25, abs=4e-3)
    quarter = left - Box((0, 0.5), (0, 0.5))
    points, _ = quarter.sample_boundary(30_000, how="sobol", generator=seeded(27183))
    assert (points[:, 1] == 0).double().mean().item() == pytest.approx(0.5 / 4, abs=4e-3)
    assert not ((points < 0.5 - 1e-9).all(dim=1)).any()


def test_faces_of_a_combination_keep_their_names_and_are_numbered_where_they_clash() -> None:
    hole = Disk((0, 1.5), 0.2, name="hole")
    assert (BOX - hole).faces == ("left", "right", "bottom", "top", "hole")
    assert ((BOX - hole) - Disk((0, 0.5), 0.2, name="hole")).faces[-2:] == ("hole", "hole-2")
    pair = Box((0, 1), (0, 1)) - Box((0.4, 0.6), (0.4, 0.6))
    points, normals = pair.sample_boundary(50, on="left-2", generator=seeded(27183))
    assert torch.all(points[:, 0] == 0.4)
    assert torch.all(normals == torch.tensor([1.0, 0.0]))


def test_round_faces_have_the_names_of_their_shapes() -> None:
    outer, inner = Disk((0, 0), 1.0), Disk((0, 0), 0.5)
    assert (outer - inner).faces == ("disk", "disk-2")
    named = Disk((0, 0), 1.0, name="outer") - Disk((0, 0), 0.5, name="hole")
    assert named.faces == ("outer", "hole")
    assert Ball((0, 0, 0), 1.0).faces == ("ball",)
    assert Polygon([(0, 0), (1, 0), (0, 1)], name="plate").faces == ("edge-1", "edge-2", "edge-3")


@pytest.mark.parametrize("domain", ALL, ids=str)
def test_numpy_and_torch_agree_and_keep_dtype(domain: Domain) -> None:
    for dtype in (np.float32, np.float64):
        points = around(domain, 200).astype(dtype)
        distance = domain.signed_distance(points)
        tensor = domain.signed_distance(torch.tensor(points))
        assert distance.dtype == dtype
        assert tensor.numpy().dtype == dtype
        np.testing.assert_allclose(tensor.numpy(), distance, atol=1e-5 if dtype == np.float32 else 1e-13)
        assert np.array_equal(domain.contains(torch.tensor(points)).numpy(), domain.contains(points))


@pytest.mark.parametrize("domain", [BOX, DISK, ELL, BOX - DISK], ids=str)
def test_sampling_repeats_with_its_generator_and_leaves_the_global_one_alone(domain: Domain) -> None:
    state = torch.get_rng_state()
    for how in ("uniform", "sobol"):
        first = domain.sample(50, how=how, generator=seeded(27183), dtype=torch.float32)
        assert first.dtype == torch.float32
        assert torch.equal(first, domain.sample(50, how=how, generator=seeded(27183), dtype=torch.float32))
        assert not torch.equal(
            first, domain.sample(50, how=how, generator=seeded(99991), dtype=torch.float32)
        )
        assert not torch.equal(domain.sample(50, how=how), domain.sample(50, how=how))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("domain", ALL, ids=str)
def test_a_copy_by_pickle_or_by_fields_is_equal(domain: Domain) -> None:
    copied = pickle.loads(pickle.dumps(domain))
    assert copied == domain
    assert hash(copied) == hash(domain)
    assert type(domain).rebuild({item.name: getattr(domain, item.name) for item in fields(domain)}) == domain


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_box_sign_says_inside_in_any_dimension(sides: list[tuple[float, float]], seed: int) -> None:
    box = Box(*((a, a + length) for a, length in sides))
    points = around(box, 50, seed)
    lower, upper = box.bounds
    inside = np.all((points >= lower) & (points <= upper), axis=1)
    assert np.array_equal(box.contains(points), inside)
    distance = box.signed_distance(points)
    assert np.array_equal(distance <= 1e-12, inside | (np.abs(distance) <= 1e-12))
    clipped = np.linalg.norm(points - np.clip(points, lower, upper), axis=1)
    np.testing.assert_allclose(np.maximum(distance, 0), clipped, atol=1e-12)
    assert box.measure == pytest.approx(math.prod(upper - lower))
    assert len(box.faces) == 2 * box.dimension
    assert len(set(box.faces)) == len(box.faces)


@given(st.integers(3, 12), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_star_polygons_of_either_orientation_are_the_same_set(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * (np.arange(count) + rng.uniform(0.1, 0.9, count)) / count
    path = rng.uniform(0.5, 1.0, count)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    star, other = Polygon(path.tolist()), Polygon(path[::-1].tolist())
    points = around(star, 100, seed)
    np.testing.assert_allclose(star.signed_distance(points), other.signed_distance(points), atol=1e-12)
    assert star.measure == pytest.approx(other.measure)
    rim = [polygon.sample_boundary(60, how="grid") for polygon in (star, other)]
    for sample, polygon in zip(rim, (star, other), strict=True):
        assert polygon.contains(sample.points - 1e-6 * sample.normals).double().mean() > 0.9
        assert not polygon.contains(sample.points + 1e-6 * sample.normals).any()


def test_edges_run_round_with_the_shape_on_the_left() -> None:
    assert BOX.edges[0] == Segment((-1.0, 0.0), (1.0, 0.0))
    assert DISK.edges == (Arc((0.2, 0.1), 0.7, 0.0, 2 * math.pi),)
    assert (BOX - DISK).edges == BOX.edges + DISK.edges
    for shape in (BOX, ELL, CLOCKWISE):
        for edge in shape.edges:
            assert isinstance(edge, Segment)
            (x0, y0), (x1, y1) = edge.start, edge.end
            left = np.array([[(x0 + x1) / 2 - 1e-3 * (y1 - y0), (y0 + y1) / 2 + 1e-3 * (x1 - x0)]])
            assert shape.contains(left).all()
        assert sum(edge.length for edge in shape.edges) == pytest.approx(shape.boundary_size(shape.faces))
    assert DISK.edges[0].length == pytest.approx(2 * math.pi * 0.7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Box(), r"no sides; give one interval for each axis"),
        (lambda: Box((1, -1), (0, 1)), r"side x of the box is \(1, -1\), but must increase; give \(-1, 1\)"),
        (
            lambda: Box((0, 1), (2, 2)),
            r"side y of the box is \(2, 2\), but must increase; give it a positive",
        ),
        (lambda: Box((0, math.nan)), r"side x of the box\[1\] is nan; give a finite"),
        (lambda: Box((0, 1, 2)), r"with 3 coordinates; give 2"),
        (lambda: Box(1, 2), r"with 1 coordinates; give 2"),
        (lambda: Interval(1, 0), r"must increase; give \(0, 1\)"),
        (lambda: Disk((0, 0), 0), r"radius of the disk is 0, but must be positive"),
        (lambda: Disk((0, 0), -1.5), r"radius of the disk is -1\.5, but must be positive"),
        (lambda: Disk((0, 0), math.inf), r"radius of the disk is inf; give a finite"),
        (lambda: Disk((0, 0, 0), 1), r"a disk lies in the plane; give two coordinates, or use Ball"),
        (lambda: Disk("origin", 1), r"center of the disk is 'origin'; give one number for each axis"),
        (lambda: Disk((0, 0), "1"), r"radius of the disk is '1', a str; give a number"),
        (lambda: Disk((0, 0), 1, name=" "), r"name of the Disk is ' '; give a name"),
        (lambda: Polygon([(0, 0), (1, 0)]), r"has 2 different vertices; give at least 3"),
        (lambda: Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), r"edges 1 and 3 of the polygon meet; order the"),
        (lambda: Polygon([(0, 0), (1, 0), (2, 0)]), r"of the polygon meet"),
        (lambda: Polygon([(0, 0), (1, 0), (1, 0), (0, 1)]), r"vertex 2 of the polygon is repeated"),
        (
            lambda: Polygon([(0, 0), (1, 0), (1, 1, 1)]),
            r"vertex 3 of the polygon .* with 3 coordinates; give 2",
        ),
        (lambda: BOX - Ball((0, 0, 0), 1), r"has 2 axes and .* has 3; combine shapes of one dimension"),
        (lambda: BOX & Disk((9, 9), 1), r"do not overlap, so their intersection is empty"),
        (lambda: BOX - "disk", r"'disk' is not a shape; combine Box"),
        (
            lambda: (DISK - BOX.__class__((-1, 1), (-1, 1))).measure,
            r"is empty: none of .* points tried in its bounding box",
        ),
        (lambda: Box((0, 1)).edges, r"only plane shapes have edges"),
        (lambda: BOX.sample(0), r"0 points were asked for; give a whole number"),
        (
            lambda: BOX.sample(10, how="latin"),
            r"how='latin' is not a way of sampling; use 'uniform', 'sobol', 'grid'",
        ),
        (
            lambda: BOX.sample_boundary(9, on="lid"),
            r"face 'lid', but .* has the faces left, right, bottom, top; use",
        ),
        (lambda: BOX.sample_boundary(9, on=("top", "top")), r"name each face once"),
        (lambda: BOX.contains(np.zeros((3, 3))), r"shape \(3, 3\), but must be \(n, 2\)"),
        (lambda: BOX.contains([[0, 0]]), r"points are a list; give a NumPy array or a torch tensor"),
    ],
)
def test_what_is_no_domain_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_domains_read_as_sets() -> None:
    assert str(BOX - DISK) == "([−1, 1] × [0, 3] ∖ {|(x, y) − (0.2, 0.1)| ≤ 0.7})"
    assert str(Interval(0, 1) | Ball((2.0,), 0.5)) == "([0, 1] ∪ {|x − 2| ≤ 0.5})"
    assert str(TRIANGLE) == "polygon (−0.5, −1) (1.5, 0.25) (0.1, 2)"
    assert Box((0, 1), (0, 1), (0, 1), (0, 1)).axes == ("x", "y", "z", "x4")
    assert (Disk((0, 0), 1).name, Disk((0, 0), 1, name="hole").name) == ("disk", "hole")


@pytest.mark.slow
@pytest.mark.parametrize("how", ["grid", "uniform", "sobol"])
def test_a_face_that_another_shape_covers_wholly_is_said_to_be_empty(how: str) -> None:
    covered = Box((0, 1), (0, 1)) - Box((-0.5, 0.5), (-0.5, 1.5))
    with pytest.raises(DeclarationError, match=r"left of .* is empty"):
        covered.sample_boundary(50, on="left", how=how)
