"""A family of solutions of an equation: waves of sources that are nowhere told, found at once from a few receivers."""

import numpy as np
import pytest
import torch

import neurapde as npde
from support import relative

L = npde.learning
WINDOW = npde.Box((-0.4, 0.4), (-0.4, 0.4))
PIXELS = npde.data.Raster(np.zeros((12, 12)), (-0.4, -0.4), (0.4, 0.4)).points
RECEIVERS = np.stack([np.linspace(-0.4, 0.4, 6), np.full(6, 0.4)], axis=1)


def waves(count: int) -> list[L.Samples]:
    """Fields of sources in a strip below a disk, with what six receivers above it see; one direct solve for all of them."""
    places = np.random.default_rng(31013).uniform((-0.3, -0.3), (0.3, -0.1), (count, 2))
    shots = npde.Shots(*[npde.GaussianSource(at=tuple(place), variance=1e-3) for place in places])
    medium = npde.Piecewise(1.0, (npde.Disk((0.1, 0.2), 0.25), 1.6))
    layer = npde.PML(width=0.55, strength=5.0)
    problem = npde.Problem("shots", npde.Box((-1, 1), (-1, 1)), npde.Helmholtz(6.0, medium), shots, layer)
    reference = npde.reference(problem, shape=(33, 33), error=False)
    pairs = zip(reference(PIXELS).T, reference(RECEIVERS).T, strict=True)
    return [L.Samples(PIXELS, values, (RECEIVERS, data)) for values, data in pairs]


def learned(known: list[L.Samples], encoder: L.SetEncoder | L.SensorEncoder, steps: int) -> L.Family:
    method = L.MiniBatchAdam(steps, lr=1e-2, fields=16, context=(6, None), average=0.9)
    trial = npde.HyperSiren(16, 1, 5.0, 5.0, latent=8, hidden=16)
    data = L.SampledFields(WINDOW, known)
    return npde.learn(data, trial, encoder=encoder, method=method, seed=60913, progress=False)


@pytest.fixture(scope="module")
def items() -> list[L.Samples]:
    return waves(40)


@pytest.mark.parametrize(
    "encoder", [L.SetEncoder(32, 0, 12, 3.0), L.SensorEncoder(RECEIVERS, 32)], ids=("set", "sensors")
)
def test_a_wave_is_found_at_once_from_six_receivers(items, encoder) -> None:
    known, new = items[:32], items[32:]
    family = learned(known, encoder, 80)
    truth = np.stack([item.values for item in new])
    mean = np.mean([item.values for item in known], axis=0)
    assert relative(np.stack([mean] * len(new)), truth) > 0.5
    assert relative(np.stack([family.condition(*item.seen)(PIXELS) for item in new]), truth) < 0.25


def test_sensors_are_known_by_their_places_not_by_their_order(items) -> None:
    family = learned(items[:4], L.SensorEncoder(RECEIVERS, 8), 2)
    places, data = items[5].seen
    order = [3, 0, 5, 1, 4, 2]
    np.testing.assert_allclose(
        family.encode(places[order], data[order]), family.encode(places, data), rtol=1e-5
    )
    fewer = family.encode(places[1:], data[1:])
    assert np.abs(fewer - family.encode(places, data)).max() > 1e-3
    with pytest.raises(npde.DeclarationError, match=r"places have 1 coordinates, but .* points have 2"):
        learned(items[:4], L.SensorEncoder([[0.0], [1.0]]), 2)


def test_a_background_is_put_around_the_network_of_a_field(items) -> None:
    family = learned(items[:4], L.SensorEncoder(RECEIVERS, 8), 2)
    member = family.condition(*items[0].seen)
    wave = npde.trials.OutgoingWave(npde.GaussianSource((0.0, -0.2), 1e-3), 6.0)
    whole = npde.Ansatz(wave, npde.Siren()).around(member.trial)
    assert whole.spec.network == member.trial.spec
    with torch.no_grad():
        values = whole(torch.from_numpy(PIXELS)).numpy()
    np.testing.assert_allclose(values, wave.values(PIXELS) + member(PIXELS), atol=1e-6)
    with pytest.raises(npde.DeclarationError, match="give the trial of a solution"):
        npde.Ansatz(wave, npde.Siren()).around(member)
