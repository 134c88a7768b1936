"""Quadrature over planar regions, against areas, moments and oscillating integrals in closed form."""

import numpy as np
import pytest
from scipy.special import jv

from neurapde.domains import Box, Disk, Polygon
from neurapde.spectral.region_quadrature import Rectangle, region_rule

SQUARE: Rectangle = ((-1.0, 1.0), (-1.0, 1.0))


def rule(region, bandwidth=100.0, rectangle=SQUARE, breaks=((), ())):
    return region_rule(region.contains, region.edges, rectangle, breaks, bandwidth)


@pytest.mark.parametrize("bandwidth", [5.0, 60.0, 300.0])
def test_plane_wave_over_a_disk_is_its_bessel_function(bandwidth):
    center, radius = np.array([0.13, -0.21]), 0.37
    wave = bandwidth * np.array([np.cos(0.7), np.sin(0.7)])
    points, weights = rule(Disk(tuple(center), radius), 1.5 * bandwidth)
    exact = 2 * np.pi * radius / bandwidth * jv(1, bandwidth * radius) * np.exp(1j * wave @ center)
    assert weights @ np.exp(1j * points @ wave) == pytest.approx(exact, abs=1e-12)


def test_lens_and_moon_of_two_disks_have_their_areas():
    disk, other = Disk((-0.1, 0.05), 0.3), Disk((0.15, -0.1), 0.2)
    distance = np.hypot(0.25, 0.15)
    a = np.arccos((distance**2 + 0.3**2 - 0.2**2) / (2 * distance * 0.3))
    b = np.arccos((distance**2 + 0.2**2 - 0.3**2) / (2 * distance * 0.2))
    lens = 0.3**2 * (a - np.sin(2 * a) / 2) + 0.2**2 * (b - np.sin(2 * b) / 2)
    assert rule(disk & other)[1].sum() == pytest.approx(lens, rel=2e-11)
    assert rule(disk - other)[1].sum() == pytest.approx(np.pi * 0.09 - lens, rel=2e-11)
    assert rule(disk | other)[1].sum() == pytest.approx(np.pi * 0.13 - lens, rel=2e-11)


def test_rotated_triangle_less_a_disk_has_its_area_and_centroid():
    corners = np.array([(-0.6, -0.5), (0.7, -0.2), (0.1, 0.8)])
    area = 0.5 * abs(np.linalg.det(corners[1:] - corners[0]))
    hole = Disk((0.05, 0.0), 0.15)
    points, weights = rule(Polygon(corners) - hole)
    assert weights.sum() == pytest.approx(area - np.pi * 0.0225, rel=2e-11)
    first = area * corners.mean(axis=0) - np.pi * 0.0225 * np.array([0.05, 0.0])
    np.testing.assert_allclose(weights @ points, first, atol=1e-11)


def test_region_beyond_the_rectangle_is_cut_at_its_sides():
    points, weights = rule(Disk((1.0, 1.0), 0.5))
    assert weights.sum() == pytest.approx(np.pi / 16, rel=2e-11)
    assert points.max() <= 1.0


def test_region_outside_the_rectangle_has_no_points():
    assert len(rule(Disk((3.0, 0.0), 0.5))[1]) == 0


def test_kinks_on_the_given_lines_cost_no_accuracy():
    points, weights = rule(Disk((0.0, 0.0), 0.5), breaks=((0.2,), (-0.1,)))
    kinked = np.maximum(points[:, 0] - 0.2, 0) * np.maximum(points[:, 1] + 0.1, 0)
    fine_points, fine_weights = rule(Disk((0.0, 0.0), 0.5) & Box((0.2, 1), (-0.1, 1)), 40.0)
    exact = fine_weights @ ((fine_points[:, 0] - 0.2) * (fine_points[:, 1] + 0.1))
    assert weights @ kinked == pytest.approx(exact, rel=2e-11)


@pytest.mark.slow
def test_polygon_with_many_corners_approaches_its_disk():
    angles = 2 * np.pi * np.arange(400) / 400
    polygon = Polygon(0.4 * np.stack((np.cos(angles), np.sin(angles)), axis=1))
    exact = 0.5 * 400 * 0.16 * np.sin(2 * np.pi / 400)
    assert rule(polygon)[1].sum() == pytest.approx(exact, rel=1e-11)
