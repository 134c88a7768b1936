"""Families of fields: every encoder finds members that it has not seen, and what is learned is kept."""

from pathlib import Path

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.jets.autograd import jet_by_autograd
from neurapde.learning.codes import whitened
from neurapde.trials.networks.batched import batched_jet, batched_values
from support import assert_same_field, relative, seeded

L = npde.learning
AXIS = np.linspace(-1, 1, 9)
GRID = npde.data.Raster(np.zeros((9, 9)), (-1.0, -1.0), (1.0, 1.0))
SMALL = npde.HyperSiren(12, 1, 3.0, 3.0, latent=6, hidden=16)


def waves(count: int, seed: int) -> np.ndarray:
    """Fields a·sin(2x) + b·cos(2y) + c·xy (count, 9, 9), with a, b, c standard normal: a family of three dimensions."""
    a, b, c = np.random.default_rng(seed).standard_normal((3, count, 1, 1))
    x, y = AXIS[:, None], AXIS[None, :]
    return 0.3 + a * np.sin(2 * x) + b * np.cos(2 * y) + c * x * y


def quick(steps: int, **settings) -> L.MiniBatchAdam:
    return L.MiniBatchAdam(
        steps, **{"lr": 1e-2, "fields": 16, "context": (10, 40), "average": 0.9} | settings
    )


def error_on_new(family: L.Family, points: int = 40) -> float:
    """The relative error of fields that are not in the data set, of which so many points are seen."""
    truth = waves(8, 77101).reshape(8, -1)
    rng = np.random.default_rng(50417)
    seen = [rng.permutation(81)[:points] for _ in truth]
    codes = family.encode_all([(GRID.points[i], v[i]) for i, v in zip(seen, truth, strict=True)])
    return relative(family.fields(codes, GRID.points), truth)


SIREN = npde.Siren(12, 1, 3.0, 3.0)
WAYS = {
    "set": (SMALL, L.SetEncoder(32, 0, 16, 2.0)),
    "regression": (SMALL, L.RegressionEncoder(12, 3.0, 32)),
    "grid": (SMALL, L.GridEncoder((9, 9), (8, 8), 32)),
    "sensors": (SMALL, L.SensorEncoder(GRID.points, 32)),
    "auto-decoder": (SMALL, L.AutoDecoder()),
    "meta on codes": (SMALL, L.MetaSGD(2, 0.5)),
    "meta on weights": (SIREN, L.MetaSGD(2, 1e-2)),
    "neural process": (L.ConditionedMLP(32, 1, 16), L.SetEncoder(32, 0, 0)),
}


def learned(way: str, steps: int) -> L.Family:
    trial, encoder = WAYS[way]
    data = L.Rasters(waves(64, 31013), GRID)
    return npde.learn(data, trial, encoder=encoder, method=quick(steps), seed=60913, progress=False)


@pytest.mark.parametrize(("way", "bound"), [("set", 0.7), ("regression", 0.5), ("meta on weights", 0.5)])
def test_new_fields_are_found_from_some_of_their_points(way, bound):
    assert error_on_new(learned(way, 60)) < bound


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_every_encoder_finds_new_fields(way):
    """A mean over points, and sensors of which half are silent, take more steps than these; the mean field is at 1."""
    slow = ("set", "neural process", "sensors")
    assert error_on_new(learned(way, 300)) < (0.65 if way in slow else 0.35)


def test_the_mean_field_is_the_mean():
    values = waves(64, 31013)
    family = npde.learn(
        L.Rasters(values, GRID), SMALL, encoder=L.MeanField(), method=quick(60), seed=60913, progress=False
    )
    mean = family.condition(GRID.points[:3], np.zeros(3))(GRID.points)
    assert np.abs(mean - values.mean(0).ravel()).max() < 0.15 * values.std()


def test_whitened_codes_have_covariance_one_in_the_directions_in_which_they_vary():
    codes = np.random.default_rng(51437).standard_normal((20, 3)) @ np.array(
        [[1.0, 2, 0, 1], [0, 1e-3, 1, 0], [1, 2, 0, 1]]
    )
    mean, root = (array.numpy() for array in whitened(torch.from_numpy(codes)))
    assert root.shape == (4, 2)
    y = (codes - mean) @ np.linalg.pinv(root).T
    np.testing.assert_allclose(mean + y @ root.T, codes, atol=1e-12)
    np.testing.assert_allclose(np.cov(y.T), np.eye(2), atol=1e-12)


def test_an_auto_decoder_of_one_field_finds_that_field():
    values = waves(1, 31013)
    family = npde.learn(
        L.Rasters(values, GRID), SMALL, encoder=L.AutoDecoder(), method=quick(2, fields=1), progress=False
    )
    np.testing.assert_array_equal(
        family.condition(GRID.points, -values.ravel())(GRID.points),
        family.field(family.codes[0])(GRID.points),
    )


@pytest.fixture(scope="module")
def family() -> L.Family:
    data = L.Rasters(waves(32, 31013), GRID)
    return npde.learn(
        data, SMALL, encoder=L.SetEncoder(16, 0, 8, 2.0), method=quick(20), seed=60913, progress=False
    )


def test_a_member_is_a_solution_like_any_other(family, tmp_path: Path):
    truth = waves(1, 77101).ravel()
    member = family.condition(GRID.points[::3], truth[::3])
    x = np.array([[0.1, 0.2], [2.0, 0.0]])
    assert np.isnan(member(x)[1])
    step = np.array([1e-3, 0.0])
    slope = (member(x[:1] + step) - member(x[:1] - step)) / 2e-3
    assert member.gradient(x[:1])[0, 0] == pytest.approx(slope[0], rel=1e-2, abs=1e-3)
    loaded = npde.load(member.save(tmp_path / "member.h5"))
    assert_same_field(loaded(GRID.points), member(GRID.points))
    code = family.encode(GRID.points[::3], truth[::3])
    np.testing.assert_allclose(family.fields(code[None], GRID.points)[0], member(GRID.points), atol=1e-5)


def test_a_family_comes_back_from_its_file(family, tmp_path: Path):
    loaded = npde.load(family.save(tmp_path / "family.h5"))
    truth = waves(1, 77101).ravel()
    for field, other in (
        (family.condition(GRID.points, truth), loaded.condition(GRID.points, truth)),
        (family.sample(seed=11287), loaded.sample(seed=11287)),
    ):
        np.testing.assert_array_equal(field(GRID.points), other(GRID.points))
    assert loaded.made == family.made
    assert loaded.history.names == ("values", "latent", "weights")
    assert len(loaded.history) == len(family.history)


def test_interpolation_runs_from_one_field_to_the_other(family):
    a, b = (family.condition(GRID.points, waves(1, seed).ravel()) for seed in (77101, 77137))
    for at, end in ((0.0, a), (1.0, b)):
        np.testing.assert_allclose(family.interpolate(a, b, at)(GRID.points), end(GRID.points), atol=1e-5)
    assert np.abs(family.interpolate(a, b)(GRID.points) - a(GRID.points)).max() > 1e-3


def test_samples_have_the_mean_and_spread_of_the_codes(family):
    codes = np.stack([family.sample(seed).code for seed in range(80)])
    spread = family.codes.std(0, ddof=1)
    assert np.abs(codes.mean(0) - family.codes.mean(0)).max() < 0.5 * spread.max()
    np.testing.assert_allclose(codes.std(0), spread, rtol=0.4, atol=1e-3)


def test_resumed_training_is_that_without_a_break(tmp_path: Path):
    data = L.Rasters(waves(16, 31013), GRID)

    def run(steps: int, folder: str, resume: bool = False) -> L.Family:
        method = quick(steps, schedule=npde.training.ConstantRate())
        encoder = L.SetEncoder(8, 0, 4)
        out = tmp_path / folder
        return npde.learn(
            data, SMALL, encoder=encoder, method=method, seed=40427, progress=False, out=out, resume=resume
        )

    whole = run(12, "whole")
    run(5, "parts")
    parts = run(12, "parts", resume=True)
    for parameter, other in zip(
        whole.model.state_dict().values(), parts.model.state_dict().values(), strict=True
    ):
        assert torch.equal(parameter, other)
    assert set(whole.history.step) <= set(parts.history.step)
    method = quick(5, schedule=npde.training.ConstantRate(), clip=None)
    with pytest.raises(npde.DeclarationError, match=r"cannot resume from .*learning.method"):
        npde.learn(
            data, SMALL, encoder=L.SetEncoder(8, 0, 4), method=method, out=tmp_path / "parts", resume=True
        )


def test_a_field_is_found_from_what_else_is_seen_of_it():
    """Of fields a·sin(2x) only numbers proportional to a are seen, at places of another dimension."""
    a = np.random.default_rng(90121).standard_normal(48)
    wave, places = np.sin(2 * GRID.points[:, 0]), np.array([[0.5], [1.5]])
    items = [L.Samples(GRID.points, s * wave, (places, np.array([s, -s]))) for s in a]
    data = L.SampledFields(GRID.domain, items)
    encoder = L.SetEncoder(16, 0, 4)
    family = npde.learn(data, SMALL, encoder=encoder, method=quick(100), seed=60913, progress=False)
    member = family.condition(np.array([[0.5], [1.5]]), np.array([0.7, -0.7]))
    assert relative(member(GRID.points), 0.7 * wave) < 0.25
    with pytest.raises(npde.DeclarationError, match="AutoDecoder finds codes from values of the field"):
        npde.learn(data, SMALL, encoder=L.AutoDecoder())


@pytest.mark.parametrize(("outputs", "complex"), [(1, False), (2, False), (2, True)])
def test_fields_and_jets_of_many_networks_are_those_of_each(outputs, complex):
    spec = npde.Siren(7, 2, 4.0, 3.0)
    bounds = ([-1.0, -2.0], [1.0, 3.0])
    each = [
        spec.build(bounds, outputs, complex, generator=seeded(s), dtype=torch.float64)
        for s in (11003, 11027, 11047)
    ]
    weights = {
        name: torch.stack([dict(network.named_parameters())[name] for network in each])
        for name, _ in each[0].named_parameters()
    }
    x = torch.rand(5, 2, dtype=torch.float64, generator=seeded(20021))
    values = batched_values(each[0], weights, x)
    jet = batched_jet(each[0], weights, x, 2, [(0, 1)])
    for k, network in enumerate(each):
        expected = jet_by_autograd(network, x, jet.layout, keep_graph=False).channels
        torch.testing.assert_close(
            values[k].squeeze(-1) if outputs == 1 else values[k], network(x), rtol=1e-12, atol=1e-12
        )
        torch.testing.assert_close(jet.channels[:, 5 * k : 5 * k + 5], expected, rtol=1e-9, atol=1e-9)


def test_a_regression_does_not_depend_on_the_order_of_points():
    data = L.Rasters(waves(8, 31013), GRID)
    encoder = L.RegressionEncoder(12, 3.0, 32)
    family = npde.learn(data, SMALL, encoder=encoder, method=quick(2), seed=60913, progress=False)
    order = np.random.default_rng(50417).permutation(81)
    once = family.encode(GRID.points, waves(1, 77101).ravel())
    turned = family.encode(GRID.points[order], waves(1, 77101).ravel()[order])
    np.testing.assert_allclose(turned, once, rtol=1e-3, atol=1e-4 * np.abs(once).max())


def test_fields_are_read_from_files_that_are_mapped_and_cannot_be_written_to(tmp_path, warned_always):
    np.save(tmp_path / "waves.npy", waves(12, 31013))
    mapped = np.load(tmp_path / "waves.npy", mmap_mode="r")
    found = []
    for values in (mapped, np.array(mapped)):
        encoder = L.SetEncoder(8, 0, 4)
        family = npde.learn(L.Rasters(values, GRID), SMALL, encoder=encoder, method=quick(2), progress=False)
        codes = family.encode_all([(GRID.points, values[0].ravel())])
        found.append(family.fields(codes, GRID.points))
    np.testing.assert_array_equal(*found)


@pytest.fixture
def warned_always():
    """torch warns of an array that cannot be written to once in a process unless told."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(before)


def test_errors_fall_as_more_is_seen_and_are_those_of_the_fields(family):
    unseen = L.Rasters(waves(5, 77101), GRID)
    few, every = family.mean_square_errors(unseen, (1, None))
    fields = [
        family.condition(field.points, field.values)(GRID.points) for field in (unseen[k] for k in range(5))
    ]
    assert every == pytest.approx(np.mean((np.array(fields) - waves(5, 77101).reshape(5, -1)) ** 2), rel=1e-4)
    assert few > every


def test_complex_fields_are_learned():
    values = waves(32, 31013) + 1j * waves(32, 31019)
    family = npde.learn(
        L.Rasters(values, GRID), SMALL, encoder=L.SetEncoder(16, 0, 8), method=quick(5), progress=False
    )
    member = family.condition(GRID.points, values[0].ravel())
    assert member(GRID.points).dtype.kind == "c"
    codes = family.encode_all([(GRID.points, values[0].ravel())])
    np.testing.assert_allclose(family.fields(codes, GRID.points)[0], member(GRID.points), atol=1e-5)


def test_wrong_calls_name_their_rule(family):
    data = L.Rasters(waves(4, 31013), GRID)
    for call, text in (
        (lambda: npde.learn([1, 2]), "is not a data set of fields"),
        (lambda: npde.learn(data, npde.RBF()), "does not define a space of functions"),
        (lambda: npde.learn(data, npde.HyperSiren(codes=2)), "codes=2: codes come from the encoder"),
        (lambda: npde.learn(data, encoder=npde.Siren()), "encoder=Siren"),
        (lambda: npde.learn(data, encoder=L.GridEncoder((4,))), "points have 2 coordinates"),
        (lambda: npde.learn(data, resume=True), "give out="),
        (lambda: L.MiniBatchAdam(context=(0, 3)), "at least 1"),
        (lambda: L.MiniBatchAdam(average=1.0), "must lie in 0"),
        (lambda: L.Rasters(np.zeros((3, 4, 4)), GRID), "are not fields on a grid"),
        (lambda: family.condition(np.zeros((3, 3)), np.zeros(3)), r"give \(n, 2\)"),
        (lambda: family.condition(GRID.points, np.zeros((81, 2))), "1 real component"),
        (lambda: family.field([1.0]), "give 6 numbers"),
        (lambda: family.interpolate([1.0] * 6, npde.load), "b is"),
    ):
        with pytest.raises(npde.DeclarationError, match=text):
            call()
