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


POISSON = npde.Problem("heavy", SQUARE, npde.Poisson(), SOURCE, npde.Dirichlet(0.0))
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
        match=rf"nodes for {problem.name} takes some [\d.e+]+ \w+ of a core; give a smaller",
    ):
        with pytest.raises(BegunError):
            npde.reference(problem, shape)


def test_what_takes_seconds_says_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_grid(1e3, (11, 11), "p", seconds=100.0)
