"""What `invert` says before it starts: nodes, layers, places, an inverse crime, memory and time, skipped cycles."""

import warnings
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.reference_solvers.grids.grid import ResolutionError
from neurapde.seismic.inversion.diagnosis import phases_off
from neurapde.seismic.inversion.methods.cost import factored
from support import waves

BOX, LAYER = npde.Box((-1, 1), (-1, 1)), npde.PML(width=0.5, strength=5.0)
WINDOW = npde.Box((-0.3, 0.3), (-0.3, 0.3))
RECEIVERS = np.column_stack([np.linspace(-0.4, 0.4, 7), np.full(7, 0.42)])
SOURCES = np.array([[-0.3, -0.4], [0.25, -0.42]])
SMALL, SURFACE = npde.Box((-0.5, 0.5), (-0.5, 0.5)), npde.Dirichlet(0.0, on="bottom")
DISK = npde.Piecewise(1.0, (npde.Disk((0.02, 0.0), 0.15), 1.25))


@cache
def simulated(nodes: int = 61, frequencies: Any = (1.0, 1.5), speed: Any = DISK) -> npde.Survey:
    problem = npde.Problem(
        name="disk",
        domain=BOX,
        equation=npde.Helmholtz(wavenumber=2 * np.pi * max(frequencies), speed=speed),
        sources=[npde.PointSource(at=(0.0, 0.0))],
        boundary=LAYER,
    )
    return npde.Survey.simulate(problem, RECEIVERS, sources=SOURCES, frequencies=frequencies, shape=nodes)


def invert(
    survey: npde.Survey, spacing: float = 0.05, problem: npde.Problem | None = None, **changes: Any
) -> npde.seismic.Inversion:
    """One step, where nothing is wrong; the nodes are those of `spacing`, 41 of 0.05."""
    velocity = npde.Velocity(1.0, bounds=(0.9, 1.6), window=WINDOW)
    method = npde.seismic.Adjoint(spacing=spacing, descent=npde.seismic.BoundedLBFGS(1))
    given = {"unknown": velocity, "method": method, "progress": False}
    return npde.invert(problem or waves(BOX, LAYER), survey, **{**given, **changes})


def test_data_of_the_same_solver_at_the_same_spacing_are_an_inverse_crime() -> None:
    with pytest.warns(DeclarationWarning, match=r"Inverse crime: .*nine-point.* at the same spacing"):
        inversion = invert(simulated(nodes=41))
    assert any(note.startswith("Inverse crime") for note in inversion.notes)
    for other in (invert(simulated(nodes=61)), invert(simulated(nodes=41), spacing=0.0625)):
        assert not any("crime" in note for note in other.notes)
    recorded = simulated(nodes=41).replace(origin=None)
    assert not any("crime" in note for note in invert(recorded).notes)


def test_a_crime_survives_the_way_through_a_file(tmp_path: Any) -> None:
    path = simulated(nodes=41).save(tmp_path / "made.h5")
    with pytest.warns(DeclarationWarning, match="Inverse crime"):
        invert(npde.Survey.load(path))


@pytest.mark.filterwarnings("ignore:shape")
def test_nodes_are_counted_in_the_slowest_speed_that_the_bounds_allow() -> None:
    survey = simulated()
    with pytest.warns(DeclarationWarning, match=r"at 1.5 Hz.* 0.9, a wavelength has 3 nodes"):
        invert(survey, spacing=0.2)
    with pytest.raises(ResolutionError, match=r"2.1 nodes .* Below 2.5 its waves are meaningless"):
        invert(survey, spacing=0.2, unknown=npde.Velocity(1.0, bounds=(0.63, 1.6), window=WINDOW))
    low = npde.seismic.Continuation([1.0])
    invert(survey, spacing=0.2, frequencies=low)  # 4.5 nodes: nothing is said


def test_layers_are_judged_at_the_lowest_frequency_in_the_fastest_speed() -> None:
    data = np.ones((2, 2, 7), complex)
    survey = npde.Survey(SOURCES, RECEIVERS, data=data, frequencies=[0.3, 1.5])
    with pytest.raises(DeclarationError, match=r"at 0.3 Hz the PML at left, 0.5 wide, is 0.15 wavelengths"):
        invert(survey)
    quiet = npde.PML(width=0.5, reflection=1e-3)
    thin = invert(survey, problem=waves(BOX, quiet))
    assert any("Layer: at 0.3 Hz the PML at left" in note for note in thin.notes)
    with pytest.warns(DeclarationWarning, match=r"reflects \|R\| = 5.0e-02"):
        invert(simulated(), problem=waves(BOX, npde.PML(width=0.5, reflection=0.05)))
    around = invert(survey, problem=waves(SMALL))
    assert not any("Layer" in note for note in around.notes)


@pytest.mark.parametrize(
    ("sources", "changes", "text"),
    [
        (
            [[0.7, 0.0], [0.1, 0.0]],
            {},
            r"1 of 2 sources lies in the absorbing layer, .*sources\[0\] = \(0.7, 0\)",
        ),
        ([[0.7, 0.0], [3.0, 0.0]], {}, r"1 of 2 sources lie outside the model"),
        (
            [[0.0, -0.5], [0.1, -0.4]],
            {"problem": waves(SMALL, SURFACE, npde.Absorbing(on=["left", "right", "top"]))},
            "1 of 2 sources lies on bottom, where the field is zero",
        ),
    ],
    ids=["layer", "outside", "free surface"],
)
def test_places_where_no_wave_can_be_are_refused(sources: Any, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(DeclarationError, match=text):
        invert(simulated().replace(sources=sources), **changes)


def test_memory_and_time_are_told_before_and_refused_where_there_is_not_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    survey = simulated()
    inversion = invert(survey)
    (cost,) = (note for note in inversion.notes if note.startswith("CostEstimate: "))
    assert "s of a core for a step (factorisations: 2, solutions: 8, on 41 × 41 nodes)" in cost
    monkeypatch.setattr("neurapde.core.memory.free_memory", lambda device: 1_000_000)
    with pytest.raises(
        DeclarationError, match=r"at 1 and 1.5 Hz needs about .*MB.* are free; invert fewer frequencies"
    ):
        invert(survey)


def test_needs_grow_as_nested_dissection_does() -> None:
    grid, survey = invert(simulated()).grid, simulated()
    small, large = (factored(replace(grid, shape=(n, n)), survey, 4, 10) for n in (65, 257))
    assert 16 < large.memory / small.memory < 32
    assert 16 < large.seconds / small.seconds < 64
    single = factored(grid, survey.select(frequencies=[1.0]), 4, 10)
    assert factored(grid, survey, 4, 10).memory == pytest.approx(2 * single.memory)


def test_a_start_model_that_is_cycles_off_is_warned_of() -> None:
    survey = simulated(frequencies=(4.0,), nodes=121)
    near = npde.Velocity(1.0, bounds=(0.9, 1.6), window=WINDOW)
    far = npde.Velocity(1.2, bounds=(0.9, 1.6))
    alike = invert(survey, spacing=0.04, unknown=near)
    assert any(
        " % of the data of the start model are more than a quarter of a cycle off" in n for n in alike.notes
    )
    with pytest.warns(DeclarationWarning, match="may fit the wrong cycles; start at lower frequencies"):
        wrong = invert(survey, spacing=0.04, unknown=far)
    assert phases_off(wrong.setting) > 2 * phases_off(alike.setting)


def test_mistakes_that_look_like_skipped_cycles_are_named() -> None:
    survey = simulated(frequencies=(4.0,), nodes=121)
    near = npde.Velocity(1.0, bounds=(0.9, 1.6), window=WINDOW)
    mistakes = {
        "another polarity or delay: multiplied by .* and rotated by": survey.replace(data=-survey.data),
        "the data are .* times those of the start model": survey.replace(data=100 * survey.data),
    }
    for said, wrong in mistakes.items():
        with pytest.warns(DeclarationWarning, match=said):
            invert(wrong, spacing=0.04, unknown=near)


def test_a_frequency_without_energy_is_named() -> None:
    survey = simulated()
    weak = survey.data * np.where(np.arange(len(survey.frequencies)) == 0, 1e-7, 1.0)[:, None, None]
    with pytest.warns(DeclarationWarning, match=f"at {survey.frequencies[0]:g} Hz the data are"):
        invert(survey.replace(data=weak, wavelet=None))


def test_one_receiver_for_each_shot_teaches_nothing_where_the_wavelet_is_unknown() -> None:
    survey = simulated()
    lone = survey.select(receivers=[0]).replace(wavelet=None)
    with pytest.raises(npde.DeclarationError, match=r"every shot .* has one live receiver"):
        invert(lone)


def test_nothing_is_said_of_what_is_right() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        invert(simulated())


@pytest.mark.parametrize(
    ("method", "traces", "addition"),
    [
        (npde.seismic.Adjoint(spacing=1e-4), False, ""),
        (npde.seismic.Joint(bandwidth=2e5), False, "or bandwidth= of the method"),
        (npde.seismic.Penalty(spacing=1e-4), False, ""),
        (npde.seismic.TimeDomain(spacing=1e-4), True, "waves: 16, on"),
    ],
    ids=["Adjoint", "Joint", "Penalty", "TimeDomain"],
)
def test_an_inversion_that_does_not_fit_in_memory_is_refused(
    method: Any, traces: bool, addition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = simulated()
    if traces:
        wavelet = np.sin(np.linspace(0, 12, 50)) * np.hanning(50)
        survey = npde.Survey(
            sources=SOURCES, receivers=RECEIVERS, traces=np.ones((2, 7, 50)), dt=0.05, wavelet=wavelet
        )
    monkeypatch.setattr("neurapde.core.memory.free_memory", lambda device: 8_000_000_000)
    text = r"the stage.* needs about .* GB .*, but only 8\.0 GB are free; invert fewer.*"
    with pytest.raises(DeclarationError, match=text) as caught:
        invert(survey, method=method)
    assert addition in str(caught.value)


def test_the_limits_of_a_velocity_are_those_that_were_settled() -> None:
    declared = npde.Velocity(1.5)
    with pytest.raises(npde.DeclarationError, match=r"not set yet; give bounds=\(slowest, fastest\)"):
        _ = declared.limits
    assert declared.on(npde.Box((0, 1), (0, 1))).limits == (0.75, 3.0)
