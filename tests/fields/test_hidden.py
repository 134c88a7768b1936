"""Places where a function is something else, though no point looked at lies there: its operations lead to them."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.fields.hidden import hidden_places
from neurapde.fields.jumps import narrow_features

AT = np.array([0.6371, 0.3113])
LOWER, UPPER = np.zeros(2), np.ones(2)


def square(x):
    return (x[:, 0] - AT[0]) ** 2 + (x[:, 1] - AT[1]) ** 2


BEADS = {
    "disk": lambda w: lambda x: npde.where(square(x) < w**2, 2.0, 1.0),
    "disk by its distance": lambda w: lambda x: npde.where(npde.sqrt(square(x)) < w, 2.0, 1.0),
    "box": lambda w: (
        lambda x: npde.where(
            (x[:, 0] > AT[0]) & (x[:, 0] < AT[0] + w) & (x[:, 1] > AT[1]) & (x[:, 1] < AT[1] + w), 2.0, 1.0
        )
    ),
    "box by distances": lambda w: (
        lambda x: npde.where(npde.maximum(npde.abs(x[:, 0] - AT[0]), npde.abs(x[:, 1] - AT[1])) < w, 2.0, 1.0)
    ),
    "Gaussian": lambda w: lambda x: 1 + npde.exp(-square(x) / (2 * w**2)),
    "Lorentzian": lambda w: lambda x: 1 + 1 / (1 + square(x) / w**2),
}
LAYERS = {
    "strip": lambda w: lambda x: npde.where((x[:, 0] > AT[0]) & (x[:, 0] < AT[0] + w), 2.0, 1.0),
    "strip askew": lambda w: lambda x: npde.where(npde.abs(x[:, 0] + 0.7 * x[:, 1] - AT[0]) < w, 2.0, 1.0),
    "ring": lambda w: lambda x: npde.where(npde.abs(npde.sqrt(square(x)) - 0.2) < w, 2.0, 1.0),
    "steep strip": lambda w: (
        lambda x: npde.tanh((x[:, 0] - AT[0]) / w) - npde.tanh((x[:, 0] - AT[0]) / w - 1)
    ),
}
PLAIN = {
    "smooth": lambda x: npde.exp(-50 * square(x)) + npde.sin(20 * x[:, 0]) / (1 + x[:, 1] ** 2),
    "large disk": lambda x: npde.where(square(x) < 0.04, 2.0, 1.0),
    "corner": lambda x: npde.where((x[:, 0] > 0.3) & (x[:, 1] > 0.4), 2.0, 1.0),
    "step": lambda x: npde.tanh((x[:, 0] - 0.3) / 1e-6),
    "number": lambda x: 3.0 + 0 * x[:, 0],
}


def on_tensors(function):
    return lambda x: function(torch.as_tensor(np.asarray(x))).numpy()


@pytest.mark.parametrize("kind", [lambda function: function, on_tensors], ids=["NumPy", "torch"])
@pytest.mark.parametrize("width", [1e-4, 1e-7])
@pytest.mark.parametrize("name", BEADS)
def test_a_bead_of_any_width_is_found(name, width, kind):
    places = hidden_places(kind(BEADS[name](width)), LOWER, UPPER)
    assert len(places)
    assert np.abs(places - AT).max() < 10 * width


@pytest.mark.parametrize("width", [1e-5, 1e-7])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_any_thickness_is_found(name, width):
    function = LAYERS[name](width)
    places = hidden_places(function, LOWER, UPPER)
    assert len(places) > 10
    aside = np.array([[0.01, 0.013]])
    assert np.all(np.abs(function(places) - function(places + aside)) > 0.1)


@pytest.mark.parametrize("name", PLAIN)
def test_what_points_see_is_not_hidden(name):
    assert len(hidden_places(PLAIN[name], LOWER, UPPER)) == 0


def test_functions_that_cannot_be_followed_hide_nothing():
    def by_lists(x):
        return np.array([1.0 if a > 0.5 else 2.0 for a, _ in x.tolist()])

    assert len(hidden_places(by_lists, LOWER, UPPER)) == 0


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e5])
def test_places_do_not_depend_on_units(unit):
    places = hidden_places(lambda x: BEADS["disk"](1e-5)(x / unit), LOWER, unit * UPPER)
    assert len(places)
    assert np.abs(places / unit - AT).max() < 1e-4


def test_a_function_is_not_asked_where_it_may_not_be():
    disk = npde.Disk((0.5, 0.5), 0.4)

    def function(x):
        assert disk.contains(np.asarray(x)).all()
        return BEADS["disk"](1e-5)(x)

    places = hidden_places(function, *disk.bounds, disk.contains)
    assert np.abs(places - AT).max() < 1e-4


def test_lines_through_hidden_places_tell_how_thin_it_is_there():
    features = narrow_features(BEADS["disk"](1e-5), npde.Box((0, 1), (0, 1)))
    assert features.hidden.all()
    assert 2e-6 < features.narrowest < 3e-5
    assert len(features.in_view) == 0


def test_the_planes_of_a_hidden_layer_are_in_view():
    features = narrow_features(LAYERS["strip"](1e-6), npde.Box((0, 1), (0, 1))).in_view
    np.testing.assert_allclose(features.planes(0), [AT[0], AT[0] + 1e-6], rtol=0, atol=1e-9)


@pytest.mark.parametrize("width", [1e-2, 1e-5])
def test_a_small_box_in_space_is_found_wherever_it_is(width):
    for at in np.random.default_rng(50427).uniform(0.1, 0.9, (4, 3)):

        def box(x, at=at):
            return npde.where((npde.abs(x - at) < width).all(axis=1), 2.0 + 0 * x[:, 0], 1.0 + 0 * x[:, 0])

        assert (box(hidden_places(box, np.zeros(3), np.ones(3))) == 2.0).any()
