"""Waves of surveys below a surface that is not flat: its declaration, an independent solver, the gradient, refusals."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from scipy.special import hankel2

import neurapde as npde
from neurapde.seismic.inversion.invert import settle
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from support import relative

SPEED = 2000.0
BOX = npde.Box((0, 1200), (-100, 900))
OPEN = npde.Absorbing(on=["left", "right", "top"])
X = np.linspace(0, 1200, 49)


def hill(x: np.ndarray) -> np.ndarray:
    return 60.0 - 120.0 * np.exp(-((x - 600.0) ** 2) / (2 * 180.0**2))


SURFACE = npde.seismic.Topography(X, hill)


def land(
    surface: npde.conditions.Boundary = SURFACE, speed: Any = SPEED, law: npde.KolskyFutterman | None = None
) -> npde.Problem:
    return npde.Problem("land", BOX, npde.Helmholtz(2 * math.pi * 5, speed, law), boundary=[surface, OPEN])


def on_the_slope(depth: float = 5.0) -> npde.Survey:
    """Shots and receivers so far below the surface, spectra of noise."""
    shots, spread = np.array([250.0, 520.0, 900.0]), np.linspace(100.0, 1100.0, 11)
    sources, receivers = (np.stack([x, hill(x) + depth], axis=1) for x in (shots, spread))
    rng = np.random.default_rng(71209)
    data = rng.standard_normal((2, 3, 11)) + 1j * rng.standard_normal((2, 3, 11))
    return npde.Survey(sources, receivers, data=data, frequencies=[4.0, 6.0], wavelet=1.0)


def test_a_tilted_surface_mirrors_a_shot() -> None:
    slope, band = 0.25, np.array([6.0])
    surface = npde.seismic.Topography([0.0, 1200.0], [-20.0, -20.0 + 1200 * slope])
    normal, foot = np.array([-slope, 1.0]) / math.hypot(slope, 1.0), np.array([600.0, -20.0 + 600 * slope])
    source, image = foot + 30 * normal, foot - 30 * normal
    receivers = foot + np.array([[-150.0, 200.0], [0.0, 300.0], [120.0, 250.0], [40.0, 150.0]])
    k = 2 * np.pi * band[0] / SPEED
    both = [0.25j * hankel2(0, k * np.linalg.norm(receivers - place, axis=1)) for place in (source, image)]
    survey = npde.Survey(
        [source], receivers, data=(both[0] - both[1])[None, None], frequencies=band, wavelet=1.0
    )
    domain = ComputationalDomain.of(land(surface), SPEED / band[0])
    modelling = GridModelling(survey, domain, (SPEED, SPEED), per_wavelength=14.0)
    assert relative(modelling.forward(np.full(modelling.grid.size, SPEED**-2)).data, survey.data) < 0.02


def test_the_grid_has_no_more_air_than_its_stencils_reach_and_a_slow_layer_there_does_not_refine_it() -> None:
    def with_air(points: np.ndarray) -> np.ndarray:
        return np.where(points[:, 1] < hill(points[:, 0]) - 10.0, 340.0, SPEED)

    survey = on_the_slope()
    grids = [
        npde.seismic.Adjoint().grid(settle(problem, survey, (survey,), None, npde.seismic.L2()))
        for problem in (land(), land(speed=with_air))
    ]
    assert grids[0] == grids[1]
    assert -60.0 - 8.5 * grids[0].spacing[1] < grids[0].lower[1] < -60.0 - 5.9 * grids[0].spacing[1]


@pytest.mark.parametrize(
    ("law", "damping"), [(None, 0.0), (npde.KolskyFutterman(20.0, 10.0), 3.0)], ids=["real", "complex"]
)
def test_the_gradient_below_a_hill_is_the_derivative(
    law: npde.KolskyFutterman | None, damping: float
) -> None:
    survey = on_the_slope().select(frequencies=[4.0], shots=[0, 1])
    survey = npde.Survey(
        survey.sources, survey.receivers, data=survey.data, frequencies=[4.0], wavelet=1.0, damping=damping
    )
    place = (land(law=law), survey)
    arguments: Any = {"unknown": npde.Velocity(SPEED, bounds=(1600.0, 2600.0))}
    arguments["method"] = npde.seismic.Adjoint(per_wavelength=7.0)
    assert npde.validation.taylor_test(*place, **arguments).passed
    assert npde.validation.dot_test(*place, **arguments).passed
    arguments["method"] = npde.seismic.Adjoint(per_wavelength=12.0)
    assert npde.validation.reciprocity(*place, **arguments).passed


def test_simulated_data_are_those_of_the_inversions_grid() -> None:
    surface = npde.seismic.Topography(np.linspace(-500, 1700, 89), lambda x: hill(x))
    around = npde.Box((-500, 1700), (-100, 1300))
    layer = npde.PML({"left": 500, "right": 500, "top": 500}, reflection=1e-5)
    problem = npde.Problem("land", around, npde.Helmholtz(1.0, SPEED), boundary=[surface, layer])
    given = on_the_slope(8.0)
    made = npde.Survey.simulate(
        problem, given.receivers, sources=given.sources, frequencies=[4.0, 6.0], shape=(133, 91)
    )
    domain = ComputationalDomain.of(land(), SPEED / 4)
    modelling = GridModelling(given, domain, (SPEED, SPEED), per_wavelength=14.0)
    data = modelling.forward(np.full(modelling.grid.size, SPEED**-2)).data
    far = given.offsets > 150
    assert np.linalg.norm((data - made.data)[:, far]) < 0.03 * np.linalg.norm(made.data[:, far])
    flat = GridModelling(
        given,
        ComputationalDomain.of(land(npde.seismic.Topography([0, 1200], [-70, -70])), 500.0),
        (SPEED, SPEED),
    )
    ignored = flat.forward(np.full(flat.grid.size, SPEED**-2)).data
    assert np.linalg.norm((ignored - made.data)[:, far]) > 0.5 * np.linalg.norm(made.data[:, far])


@pytest.mark.filterwarnings("ignore::neurapde.DeclarationWarning")  # the data are noise
def test_an_inversion_keeps_its_surface_and_its_pictures_leave_the_air_blank(tmp_path: Path) -> None:
    method = npde.seismic.Adjoint(per_wavelength=6.0, descent=npde.seismic.BoundedLBFGS(1))
    survey = on_the_slope().select(frequencies=[4.0], shots=[0, 1])
    unknown = npde.Velocity(bounds=(1700.0, 2600.0))
    found = npde.invert(land(), survey, unknown=unknown, method=method, progress=False)
    found.save(tmp_path / "inversion.h5")
    back = npde.seismic.Inversion.load(tmp_path / "inversion.h5")
    assert back.setting.domain.topography == SURFACE
    assert back.downwards
    assert back.surface is not None
    np.testing.assert_allclose(back.surface[:, 1], SURFACE.height(back.surface[:, 0]))
    panel = back.plot()
    air = next(part for part in panel.collections if isinstance(part, PolyCollection))
    assert air.get_datalim(panel.transData).y1 == pytest.approx(back.surface[:, 1].max())
    made = npde.validation.inversion_report(found, true=2100.0, classical=False, progress=False)
    made.save(tmp_path)
    read = npde.validation.InversionReport.load(tmp_path)
    np.testing.assert_array_equal(read.surface, back.surface)
    x, y = read.axes
    above = y < SURFACE.height(x)[:, None]
    assert not read.free[above].any()
    assert read.free[~above].any()


def test_the_surface_through_receivers_lies_above_them() -> None:
    survey = on_the_slope(4.0)
    surface = npde.seismic.Topography.through(survey.receivers, buried=4.0)
    np.testing.assert_allclose(surface.height(survey.receivers[:, 0]), hill(survey.receivers[:, 0]))
    twice = npde.seismic.Topography.through([[0.0, 3.0], [1.0, 2.0], [0.0, 1.0]], buried=0.5)
    assert (twice.x, twice.y) == ((0.0, 1.0), (0.5, 1.5))
    upwards = npde.seismic.Topography.through([[0.0, 3.0], [1.0, 2.0], [0.0, 1.0]], buried=0.5, on="top")
    assert upwards.y == (3.5, 2.5)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (
            "source",
            r"1 of 3 sources lies in the air .*: sources\[1\] = \(520, −70\) is 21.3 above the surface, which is",
        ),
        (
            "receiver",
            r"1 of 11 receivers lies .*: receivers\[4\] = \(500, −42.*\) is on the surface, .* give true depths",
        ),
    ],
)
def test_a_shot_or_receiver_in_the_air_is_named_with_the_elevation_there(what: str, words: str) -> None:
    survey = on_the_slope()
    places = {"source": survey.sources.copy(), "receiver": survey.receivers.copy()}
    if what == "source":
        places[what][1, 1] = -70.0
    else:
        places[what][4, 1] = SURFACE.height(places[what][4:5, 0])[0]
    wrong = npde.Survey(
        places["source"], places["receiver"], data=survey.data, frequencies=survey.frequencies, wavelet=1.0
    )
    with pytest.raises(npde.DeclarationError, match=words):
        npde.invert(land(), wrong)


def test_a_source_of_a_problem_in_the_air_is_refused() -> None:
    with pytest.raises(npde.DeclarationError, match=r"sources\[0\] = \(600, −90\) is 30 above the surface"):
        npde.Problem("land", BOX, npde.Helmholtz(0.03), npde.PointSource((600, -90)), [SURFACE, OPEN])


@pytest.mark.parametrize("method", ["joint", "irwri", "penalty", "time"])
def test_methods_that_do_not_model_it_say_so_before_any_work(method: str) -> None:
    survey = on_the_slope()
    if method == "time":
        times = np.arange(50) * 0.01
        survey = npde.Survey(
            survey.sources,
            survey.receivers,
            traces=np.ones((3, 11, 50)),
            dt=0.01,
            wavelet=npde.Ricker(4.0, 0.25)(times),
        )
    with pytest.raises(
        npde.DeclarationError, match=r"the Topography .*which this method does not model; use 'multisc"
    ):
        npde.invert(land(), survey, method=method)


@pytest.mark.parametrize("method", [npde.Adam(2), npde.Galerkin(), None], ids=lambda m: type(m).__name__)
def test_solve_refuses_it_by_name(method: Any) -> None:
    source = npde.GaussianSource((600, 300), 400.0)
    problem = npde.Problem("land", BOX, npde.Helmholtz(0.03), source, [SURFACE, OPEN])
    with pytest.raises(npde.DeclarationError, match="has a Topography, which no trial function meets; use"):
        npde.solve(problem, method=method)


def test_a_wave_in_time_refuses_it_by_name() -> None:
    with pytest.raises(npde.DeclarationError, match="Topography"):
        npde.reference(
            npde.Problem(
                "land",
                BOX.over(npde.Time(0, 0.1)),
                npde.Wave(SPEED),
                npde.RickerSource((600, 300), peak_frequency=5.0),
                [SURFACE, OPEN],
            )
        )


Topography = npde.seismic.Topography


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Topography([0, 1], [0, 1, 2]), r"x of shape \(2,\) and y of shape \(3,\); give as many"),
        (lambda: Topography([0], [0]), "at least 2"),
        (lambda: Topography([0, 2, 2], [0, 1, 2]), r"does not ascend: x\[1\] is 2, and x\[2\] is 2; sort"),
        (lambda: Topography([0, 1], [0, 1], on="left"), "give 'bottom', where"),
        (
            lambda: Topography([0, 1], lambda x: x[:1]),
            r"returned the shape \(1,\) for x of shape \(2,\); give",
        ),
        (
            lambda: Topography.through([[0, 1, 2]]),
            r"places of the Topography have the shape \(1, 3\); give \(n, 2\)",
        ),
        (
            lambda: land(Topography([0, 1200], [0, -250])),
            r"at y = −250 at x = 1200, outside the model .*; give a model",
        ),
        (lambda: land(Topography([0, 1200], [0, 900])), "at y = 900 at x = 1200, outside the model"),
        (
            lambda: npde.Problem(
                "p", BOX, npde.Poisson(), 1.0, [SURFACE, npde.Dirichlet(0, on=["left", "right", "top"])]
            ),
            "a surface over waves, but the equation is Poisson; declare Helmholtz",
        ),
        (
            lambda: npde.Problem("p", BOX, npde.Helmholtz(0.03), boundary=[SURFACE, npde.Absorbing()]),
            "the air above the Topography is at bottom, but there is also .* give that condition on=…",
        ),
        (
            lambda: npde.Problem("p", BOX, npde.Helmholtz(0.03), boundary=[SURFACE, SURFACE, OPEN]),
            "boundary has 2 Topographies; give one",
        ),
        (
            lambda: npde.Problem("p", npde.Disk((0, 0), 1), npde.Helmholtz(3.0), boundary=[SURFACE]),
            "crosses a Box of two axes, but the domain is",
        ),
    ],
)
def test_what_is_no_surface_of_the_model_is_refused(make: Any, words: str) -> None:
    with pytest.raises(npde.DeclarationError, match=words):
        make()
