"""Learned priors: a model of the family is found by its code, with the right gradient, and kept; random velocities."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.core.errors import DeclarationWarning
from neurapde.core.interrupts import Interrupts
from neurapde.training.run.method import Status
from support import assert_same_field, relative

S = npde.seismic
WINDOW = npde.Box((-0.5, 0.5), (-0.5, 0.5))
WAVES = npde.Problem("waves", npde.Box((-1, 1), (-1, 1)), npde.Helmholtz(4.0), boundary=npde.Absorbing())
SOURCES = np.array([[-0.7, -0.8], [0.1, -0.8], [0.7, -0.8]])
RECEIVERS = np.stack([np.linspace(-0.8, 0.8, 9), np.full(9, 0.8)], axis=1)
REDUCED = S.Reduced(per_wavelength=6.0, descent=S.GaussNewtonDescent(steps=20, accuracy=1e-6, tolerance=1e-9))
AXIS = np.linspace(-0.5, 0.5, 9)
POINTS = np.stack(np.meshgrid(AXIS, AXIS, indexing="ij"), axis=-1).reshape(-1, 2)


def family_of(values: np.ndarray) -> npde.learning.Family:
    """Hardly trained: what the members are does not matter, but that they differ, by the map from codes to weights."""
    data = npde.learning.SampledFields(WINDOW, [(POINTS, field) for field in values])
    method = npde.learning.MiniBatchAdam(1, fields=4, context=(1, 1))
    trial = npde.HyperSiren(8, 1, 2.0, 2.0, latent=3, hidden=8)
    encoder = npde.learning.AutoDecoder()
    learned = npde.learn(data, trial, encoder=encoder, method=method, seed=60913, progress=False)
    with torch.no_grad():
        learned.model.space.hypernetwork.spread.normal_(
            std=4.0, generator=torch.Generator().manual_seed(31013)
        )
    return learned


@pytest.fixture(scope="module")
def family() -> npde.learning.Family:
    """Speeds of 1.1, some 0.1 more or less, in a window of a plane of speed 1."""
    return family_of(1.1 + 0.1 * np.random.default_rng(31013).standard_normal((16, 81)))


def velocity(latent: S.Latent, **options) -> npde.Velocity:
    return npde.Velocity(bounds=(0.7, 2.5), window=WINDOW, trial=latent, **options)


@pytest.fixture(scope="module")
def member(family) -> npde.Solution:
    return family.field(family.codes[3])


def inverted(survey: npde.Survey, unknown: npde.Velocity, method=REDUCED, **options) -> S.Inversion:
    return npde.invert(WAVES, survey, unknown=unknown, method=method, progress=False, **options)


@pytest.fixture(scope="module")
def survey(family, member) -> npde.Survey:
    """The data of a member, by the method's own waves: what is left of an inversion is its own."""
    said = {"frequencies": [4 / (2 * np.pi)], "wavelet": 1.0, "source_variance": 1e-3}
    empty = npde.Survey(SOURCES, RECEIVERS, data=np.ones((1, 3, 9), complex), **said)
    still = replace(REDUCED, descent=S.AdamDescent(1, lr=1e-12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeclarationWarning)  # data of ones are told from those of the start
        there = inverted(empty, velocity(S.Latent.of(family, start=member)), still)
    return empty.replace(data=there.predicted)


def test_a_model_of_the_family_is_found(family, member, survey):
    inversion = inverted(survey, velocity(S.Latent.of(family, weight=0.0)))
    assert relative(inversion(POINTS), member(POINTS)) < 2e-3
    assert np.abs(inversion(POINTS) - family.field(family.codes.mean(0))(POINTS)).max() > 0.05


@pytest.mark.parametrize("weight", [0.0, 1e-2])
def test_the_gradient_by_the_code_is_the_derivative(family, survey, weight):
    latent = S.Latent.of(family, start=family.codes[5], weight=weight)
    tested = npde.validation.taylor_test(WAVES, survey, unknown=velocity(latent), method=REDUCED)
    assert tested.passed, tested


def test_a_heavy_weight_holds_the_mean_code(family, survey):
    latent = S.Latent.of(family, start=family.codes[5], weight=1e4)
    inversion = inverted(survey, velocity(latent))
    assert inversion.history.names[1] == "code"
    assert len(inversion.history) <= 8  # its curvature is part of the Hessian: one step gets there
    np.testing.assert_allclose(inversion(POINTS), family.field(family.codes.mean(0))(POINTS), rtol=1e-3)


def test_the_start_is_the_member_given(family, member):
    latent = S.Latent.of(family, start=member)
    speeds = latent.speeds().at(POINTS)(torch.from_numpy(latent.start))
    np.testing.assert_allclose(speeds.numpy(), member(POINTS), atol=1e-5)


@pytest.fixture(scope="module")
def models(family) -> npde.learning.Rasters:
    """Members of the family, and what it cannot say: a share of one wave across the window."""
    wave = np.cos(7.0 * POINTS[:, 0] + 2.0)
    share = 0.05 * np.random.default_rng(52711).standard_normal((6, 1))
    values = family.fields(family.codes[:6], POINTS) + share * wave
    return npde.learning.Rasters(values.reshape(-1, 9, 9), npde.data.Raster(np.zeros((9, 9)), *WINDOW.bounds))


def test_members_and_components_make_up_the_models_with_shares_of_deviation_one(family, models):
    latent = S.Latent.of(family, models=models, components=6)
    assert latent.components.shape == (6, 9, 9)
    decoder = latent.speeds().at(POINTS)
    shares = []
    for code, model in zip(
        family.encode_all([(POINTS, samples.values) for samples in models]), models, strict=True
    ):
        y = np.linalg.lstsq(latent.spread, code.numpy() - latent.mean, rcond=None)[0]
        residual = model.values - decoder(torch.from_numpy(np.concatenate([y, np.zeros(6)]))).numpy()
        coefficients = np.linalg.lstsq(latent.components.reshape(6, -1).T, residual, rcond=None)[0]
        whole = decoder(torch.from_numpy(np.concatenate([y, coefficients])))
        np.testing.assert_allclose(whole.numpy(), model.values, atol=1e-5)
        shares.append(coefficients)
    first = np.square(shares).mean(0)[:2]  # the last are of the size of rounding
    np.testing.assert_allclose(first, 1.0, rtol=1e-3)


@pytest.mark.slow
def test_a_model_outside_of_the_family_is_found_by_components(family, survey, models):
    latent = S.Latent.of(family, start=family.codes[3], models=models, components=2, weight=0.0)
    known = latent.spread.shape[1]
    true = np.concatenate([latent.start[:known], [1.5, -0.5]])
    still = replace(REDUCED, descent=S.AdamDescent(1, lr=1e-12))
    there = inverted(survey, velocity(replace(latent, start=true)), still)
    inversion = inverted(survey.replace(data=there.predicted), velocity(latent))
    assert relative(inversion(POINTS), there(POINTS)) < 2e-3
    assert relative(inverted(survey, velocity(latent))(POINTS), there(POINTS)) > 1e-2
    assert "2 components of its residual" in inversion.notes[0]


def test_speeds_stay_within_their_bounds(family, survey):
    mean = family.field(family.codes.mean(0))(POINTS)
    middle, room = float(np.median(mean)), 0.2 * float(np.ptp(mean))
    low, high = middle - room, middle + room
    latent = S.Latent.of(family, weight=1e4)
    unknown = npde.Velocity(middle, bounds=(low, high), window=WINDOW, trial=latent)
    speeds = inverted(survey, unknown, replace(REDUCED, descent=S.GaussNewtonDescent(steps=1)))(POINTS)
    assert low <= speeds.min() < low + 0.05 * room
    assert high - 0.05 * room < speeds.max() <= high


def test_it_is_saved_with_its_family_and_goes_on_after_a_stop(family, survey, tmp_path, monkeypatch):
    method = replace(REDUCED, descent=S.AdamDescent(4, lr=0.1))
    unknown = velocity(S.Latent.of(family))
    whole = inverted(survey, unknown, method)
    looks = iter(range(100))
    with monkeypatch.context() as patch:
        asked = property(lambda self: next(looks) == 2, lambda self, value: None)
        patch.setattr(Interrupts, "asked", asked, raising=False)
        stopped = inverted(survey, unknown, method, out=tmp_path)
    assert stopped.status is Status.INTERRUPTED
    rest = inverted(survey, unknown, method, out=tmp_path, resume=True)
    assert_same_field(rest(POINTS), whole(POINTS))
    rest.save(tmp_path / "found.h5")
    assert_same_field(S.Inversion.load(tmp_path / "found.h5")(POINTS), whole(POINTS))
    other = velocity(S.Latent.of(family, weight=1.0))
    with pytest.raises(npde.DeclarationError, match=r"cannot resume from .*weight"):
        inverted(survey, other, method, out=tmp_path, resume=True)


def test_what_is_no_family_of_velocities_is_refused(family, survey):
    with pytest.raises(npde.DeclarationError, match=r"family=3: give what npde\.learn made"):
        S.Latent.of(3)
    with pytest.raises(npde.DeclarationError, match="one real number at each point of a plane"):
        S.Latent.of(family_of(np.ones((4, 81, 2)) * np.arange(4)[:, None, None]))
    with pytest.raises(npde.DeclarationError, match="start has the shape"):
        S.Latent.of(family, start=[1.0])
    scattered = npde.learning.SampledFields(WINDOW, [(POINTS[::-1], np.ones(81))])
    with pytest.raises(
        npde.DeclarationError, match=r"model 0 of models is not on a grid from \[-0\.5, -0\.5\]"
    ):
        S.Latent.of(family, models=scattered)
    with pytest.raises(npde.DeclarationError, match="components=0"):
        S.Latent.of(family, models=scattered, components=0)
    with pytest.raises(npde.DeclarationError, match="free outside the box"):
        inverted(survey, npde.Velocity(bounds=(0.7, 2.5), trial=S.Latent.of(family)))
    for method, text in (("penalty", "Penalty trains a network"), ("irwri", "inverts for values on a grid")):
        with pytest.raises(npde.DeclarationError, match=text):
            inverted(survey, velocity(S.Latent.of(family)), method)


def test_random_velocities_have_the_parts_that_were_asked_for():
    models = S.RandomVelocities(
        WINDOW, 2.0, (2, 2), (0.1, 0.2), (3.0, 4.0), smooth=0.02, shape=(17, 17), count=5, seed=52711
    )
    lens = 0
    for k in range(len(models)):
        model = models.model(k)
        for region, value in model.pieces:
            low, high = region.bounds
            assert np.all(low >= -0.5 - 1e-9)
            assert np.all(high <= 0.5 + 1e-9)
            assert 0.1 <= (high - low).max() / 2 <= 0.2 + 1e-9 or not isinstance(region, npde.Disk)
            assert 3.0 <= value.value <= 4.0
            lens += not isinstance(region, npde.Disk)
        border = np.array([[0.5, 0.1], [-0.5, 0.0], [0.7, 0.7]])
        np.testing.assert_allclose(model.background(border), 2.0)
        np.testing.assert_allclose(model.background(torch.from_numpy(POINTS)), model.background(POINTS))
        assert 1e-3 < np.std(model.background(POINTS)) < 0.2
    assert 0 < lens < 10


def test_random_velocities_are_read_as_means_over_cells():
    models = S.RandomVelocities(WINDOW, shape=(9, 9), count=3, seed=52711)
    read = models[1]
    np.testing.assert_array_equal(read.values, models[1].values)
    fine = np.random.default_rng(40427).uniform(-0.5, 0.5, (4000, 2)) / 8
    for point, value in zip(read.points, read.values, strict=True):
        if np.abs(point).max() < 0.5:
            mean = models.model(1)(point + fine).mean()
            assert value == pytest.approx(mean, abs=0.04)
    with pytest.raises(IndexError, match="there are 3 models"):
        models[3]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("window", npde.Interval(0, 1), "give a box of two axes"),
        ("inclusions", (3, 1), r"inclusions\[1\]=1"),
        ("radius", (0.1, 0.6), "below 0.5, half the window"),
        ("speed", (2.0, 1.0), "the smaller value first"),
        ("smooth", 0.5, "a fraction below 0.25"),
    ],
)
def test_a_class_that_cannot_be_is_refused(name, value, text):
    with pytest.raises(npde.DeclarationError, match=text):
        S.RandomVelocities(**{"window": WINDOW, name: value})
