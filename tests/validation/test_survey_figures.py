"""Pictures of surveys show what is there: every position, one gather, the spectrum's peak."""

import numpy as np
import pytest

import neurapde as npde
from neurapde.core.pictures.style import png
from neurapde.validation.inversions.survey_figures import figure

TIMES = 0.004 * np.arange(300)
MODEL = npde.Box((0, 2), (0, 1))


def survey(**changes: object) -> npde.Survey:
    weights = np.ones((3, 20))
    weights[1, 4] = 0
    arguments: dict[str, object] = {
        "traces": np.tile(npde.Ricker(10.0, 0.5)(TIMES), (3, 20, 1)),
        "dt": 0.004,
        "weights": weights,
    }
    receivers = np.column_stack([np.linspace(0.1, 1.9, 20), np.full(20, 0.1)])
    return npde.Survey([[0.2, 0.1], [1.0, 0.1], [1.5, 0.1]], receivers, **(arguments | changes))


@pytest.mark.parametrize("made", [survey(), survey().at([8.0]), survey().at([8.0, 10.0])])
def test_every_shot_and_receiver_is_drawn_in_the_model(made: npde.Survey) -> None:
    drawn = figure(made, MODEL)
    geometry, gather, spectrum = drawn.axes
    receivers, silent, shots, chosen = (np.asarray(line.get_xydata()) for line in geometry.lines)
    assert receivers.tolist() == made.receivers.tolist()
    assert silent.tolist() == made.receivers[4:5].tolist()
    assert shots.tolist() == made.sources.tolist()
    assert chosen.tolist() == made.sources[1:2].tolist()
    assert gather.get_xlabel() == "receiver"
    assert f"peak at {made.quality().peak_frequency:.4g}" in spectrum.get_title()
    assert png(drawn).startswith(b"\x89PNG")


def test_the_gather_is_the_shot_that_was_asked_for() -> None:
    traces = np.array(survey().traces)
    traces[0] *= 3
    drawn = figure(survey(traces=traces), shot=0)
    (image,) = drawn.axes[1].images
    shown = np.asarray(image.get_array())
    assert shown.tolist() == traces[0].T.tolist()
    assert drawn.axes[1].get_title().startswith("shot 0")


def test_a_model_that_does_not_hold_the_geometry_is_refused() -> None:
    with pytest.raises(npde.DeclarationError, match="lie outside the model"):
        figure(survey(), npde.Box((0, 1), (0, 1)))
