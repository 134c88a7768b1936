"""A grid that takes long says so before it starts; one that does not says nothing."""

import warnings

import pytest

import neurapde as npde
from neurapde.references import eikonal, helmholtz, poisson, wave
from neurapde.references.cost import check_grid

SQUARE = npde.Box((0, 1), (0, 1))
SOURCE = npde.GaussianSource((0.5, 0.5), 1e-3)


class BegunError(Exception):
    """The work after the forecast."""


def begun(*_: object, **__: object) -> None:
    raise BegunError


POISSON = npde.Problem("heavy", SQUARE, npde.Poisson(lambda x: 1 + x[:, 0]), SOURCE, npde.Dirichlet(0.0))
LINES = npde.Problem("lines", SQUARE, npde.Helmholtz(15.0), SOURCE, npde.PML(width=0.3))
RAYS = npde.Problem("rays", SQUARE, npde.Eikonal(), npde.PointSource((0.2, 0.2)))
DRUM = npde.Problem(
    "drum",
    SQUARE.over(npde.Time(0, 400)),
    npde.Wave(),
    npde.RickerSource((0.5, 0.5), 2.0),
    npde.Dirichlet(0.0),
)


@pytest.mark.parametrize(
    ("module", "work", "problem", "shape"),
    [
        (poisson, "medium_of", POISSON, 600),
        (helmholtz, "cell_average", LINES, 2801),
        (eikonal, "_times", RAYS, 5001),
        (wave.Stage, "run", DRUM, (401, 401, 65)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_takes_minutes_says_so_first(
    monkeypatch: pytest.MonkeyPatch, module: object, work: str, problem: npde.Problem, shape: object
) -> None:
    monkeypatch.setattr(module, work, begun)
    monkeypatch.setattr("neurapde.references.cost.LONG", 1.0 if problem is POISSON else 120.0)
    monkeypatch.setattr("neurapde.references.cost.check_fits", lambda *_: None)
    with pytest.warns(
        npde.ResolutionWarning,
        match=rf"nodes for {problem.name} takes about [\d.e+]+ \w+ on one core; give a smaller",
    ):
        with pytest.raises(BegunError):
            npde.reference(problem, shape)


def test_what_takes_seconds_says_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_grid(1e3, (11, 11), "p", seconds=100.0)


CUBE = npde.Box((0, 1), (0, 1), (0, 1))
WAVES = SQUARE.over(npde.Time(0, 1))
PULSE = npde.RickerSource((0.5, 0.5), 2.0)


@pytest.mark.parametrize("reaction", [-1.0, lambda x: -1 - x[:, 0]], ids=["number", "function"])
def test_a_grid_in_space_that_is_factored_is_refused_where_its_factors_do_not_fit(
    monkeypatch: pytest.MonkeyPatch, reaction: object
) -> None:
    monkeypatch.setattr("neurapde.core.memory.free_memory", lambda _: 8e9)
    monkeypatch.setattr(poisson, "medium_of", begun)
    problem = npde.Problem("cube", CUBE, npde.Poisson(1.0, reaction), [1.0], npde.Dirichlet(0.0))
    with pytest.raises(
        npde.DeclarationError, match=r"101 × 101 × 101 nodes for cube .*: 5\d\.\d GB, but 8.0 GB are free"
    ):
        npde.reference(problem, 101)
    steps = npde.Problem("cube", CUBE, npde.Poisson(), [1.0], npde.Dirichlet(0.0))
    with pytest.raises(BegunError):
        npde.reference(steps, 101)


def test_layers_outside_the_domain_of_waves_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurapde.core.memory.free_memory", lambda _: 4e8)
    monkeypatch.setattr(wave.Stage, "of", begun)
    shape = (401, 401, 41)
    closed, outgoing = (
        npde.Problem("drum", WAVES, npde.Wave(), PULSE, condition)
        for condition in (npde.Dirichlet(0.0), npde.Absorbing())
    )
    with pytest.raises(BegunError):
        npde.reference(closed, shape)
    with pytest.raises(
        npde.DeclarationError, match=r"needs too much memory: \d\.\d GB, but 0\.4 GB are free"
    ):
        npde.reference(outgoing, shape)
