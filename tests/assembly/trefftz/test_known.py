"""What is known of a region: the sum of the fields of its sources, each by itself."""

import numpy as np

import neurapde as npde
from neurapde.assembly.trefftz.known import Known
from neurapde.backgrounds.waves import OutgoingWave
from neurapde.conditions.stretch import Stretch
from neurapde.jets.layout import Layout

K = 17.0
ALL = Layout(2, 2, ((0, 1),))
STRETCH = Stretch(npde.Box((-1, 1), (-1, 1)), npde.PML(0.5), K)


def test_waves_of_many_sources_are_those_of_each_in_the_sources_and_in_the_layer() -> None:
    random = np.random.default_rng(73907)
    sources = [
        npde.GaussianSource(tuple(at), variance, amplitude)
        for at, variance, amplitude in zip(
            random.uniform(-0.45, 0.45, (12, 2)),
            10 ** random.uniform(-6, -3, 12),
            1j ** np.arange(12),
            strict=True,
        )
    ]
    waves = [OutgoingWave(source, K, STRETCH) for source in (*sources, npde.PointSource((0.1, 0.2), 2.0))]
    shots = (tuple(waves[:3]), (waves[1], waves[12]), (), tuple(waves[3:]), (waves[0], waves[0]))
    places = np.concatenate([random.uniform(-1, 1, (800, 2)), [wave.source.at for wave in waves[:12]]])

    channels = Known(shots).channels(places, ALL, complex)

    for i, shot in enumerate(shots):
        for channel, rows in enumerate(sum((wave.channels(places, ALL) for wave in shot), np.zeros((6, 1)))):
            assert np.abs(channels[channel, :, i] - rows).max() <= 1e-11 * np.abs(rows).max()
