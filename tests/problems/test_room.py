"""The room: its points lie on what a scanner sees, and their normals point into the air."""

import numpy as np

from neurapde.problems import sdf_room
from neurapde.problems._room import BALLS, BOXES, ROOM, air_points, room_distance, room_points


def test_points_of_the_room_lie_on_its_surfaces_and_look_into_the_air() -> None:
    points, normals = room_points(3000)
    assert points.shape == normals.shape == (3000, 3)
    air = points + 1e-5 * normals
    assert (air > 0).all()
    assert (air < ROOM).all()
    for lower, upper in BOXES:
        assert not ((air > lower) & (air < upper)).all(axis=1).any()
    for center, radius in BALLS:
        assert np.linalg.norm(air - center, axis=1).min() > radius
    solid = points - 1e-5 * normals
    beyond = (solid < 0).any(axis=1) | (solid > ROOM).any(axis=1)
    for lower, upper in BOXES:
        beyond |= ((solid > lower) & (solid < upper)).all(axis=1)
    for center, radius in BALLS:
        beyond |= np.linalg.norm(solid - center, axis=1) < radius
    assert beyond.all()


def test_the_room_is_open_and_positive_in_its_air() -> None:
    problem = sdf_room(count=5000)
    cloud = problem.equation.surface
    assert not (cloud.normals[:, 1] < -0.99).all()
    assert (cloud.points[:, 2] > 2.59).mean() < 0.01  # no ceiling
    inside = cloud.signed_distance(np.array([[2.3, 2.5, 1.5], [0.25, 3.4, 1.0], [4.2, 0.8, 0.25]]))
    assert np.sign(inside).tolist() == [1, -1, -1]


def test_the_distance_of_the_cloud_is_that_of_the_solids_to_its_spacing() -> None:
    air = air_points(2000, 61553)
    truth = room_distance(air)
    for count in (10_000, 40_000):
        cloud = sdf_room(count=count).equation.surface
        error = np.abs(cloud.signed_distance(air) - truth)
        assert error.mean() < 0.4 * cloud.spacing
    assert error.max() < 5 * cloud.spacing  # beside edges too, so that the sign is right there


def test_a_point_beyond_an_edge_is_outside_though_the_nearest_sample_is_seen_from_behind() -> None:
    problem = sdf_room()
    above = np.array([[3.616, 1.201, 1.63], [3.807, 1.229, 1.346], [1.781, 1.319, 0.269]])  # round the table
    assert (problem.equation.surface.signed_distance(above) > 0).all()
