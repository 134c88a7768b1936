"""Where a problem's waves run in an inversion: what its sides mean, what cannot be inverted, and from where it starts."""

from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.seismic.modelling.computational_domain import ComputationalDomain, waves_in
from support import assert_same_field, waves

BOX = npde.Box((0, 4), (0, 2))
SURFACE = npde.Dirichlet(0.0, on="bottom")
OPEN = npde.Absorbing(on=["left", "right", "top"])


def test_a_pml_lies_inside_the_domain_and_absorbing_sides_get_a_layer_around_it() -> None:
    layer = npde.PML(width={"left": 0.5, "top": 0.25})
    mixed = waves(BOX, SURFACE, layer, npde.Absorbing(on="right"))
    assert ComputationalDomain.of(waves(BOX, npde.PML(width=0.5)), 1.0).region == npde.Box(
        (0.5, 3.5), (0.5, 1.5)
    )
    around = ComputationalDomain.of(waves(BOX, SURFACE, OPEN), 0.8)
    assert (around.region, around.box) == (BOX, npde.Box((-0.8, 4.8), (0, 2.8)))
    domain = ComputationalDomain.of(mixed, 0.8)
    assert (domain.region, domain.box) == (npde.Box((0.5, 4), (0, 1.75)), npde.Box((0, 4.8), (0, 2)))
    assert domain.pml is not None
    assert domain.pml.widths(domain.box) == {"left": 0.5, "top": 0.25, "right": 0.8}
    assert domain.sides.fixed == ("bottom",)


def other(domain: npde.Domain, equation: Any = None, *boundary: Any, **options: Any) -> npde.Problem:
    return npde.Problem("line", domain, equation or npde.Helmholtz(9.0), boundary=boundary or OPEN, **options)


extra = npde.Constraint("well", lambda samples, u: u.value, npde.at_points(np.ones((1, 2))), 0)
REFUSED = {
    "equation": (
        lambda: other(BOX, npde.Poisson(), npde.Dirichlet(0.0)),
        "finds the speed of waves, .* is Poisson; declare",
    ),
    "disk": (
        lambda: other(npde.Disk((0, 0), 1.0), None, npde.Dirichlet(0.0)),
        "needs a Box of two axes, but its domain is .*; use a Box",
    ),
    "volume": (
        lambda: other(npde.Box((0, 1), (0, 1), (0, 1)), None, npde.Dirichlet(0.0)),
        "needs a Box of two axes, but its domain is .*; use a Box",
    ),
    "constraint": (lambda: other(BOX, None, SURFACE, OPEN, constraints=extra), "has 'well'; leave them out"),
    "Robin": (
        lambda: other(BOX, None, npde.Robin(1.0, 1.0, 0.0)),
        "does not support the condition .*; give a PML",
    ),
    "value": (
        lambda: other(BOX, None, npde.Dirichlet(1.0)),
        "takes Dirichlet only with the value 0, but u = 1 .* is not zero; give a PML",
    ),
    "start": (
        lambda: waves(BOX, npde.Absorbing(), npde.InitialCondition(1.0)),
        "has initial conditions, .*; leave them out, since all waves come from the sources of the survey",
    ),
    "silence": (
        lambda: other(BOX, None, OPEN),
        "has no condition on bottom; give PML, Absorbing, .* there",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_inverted_is_refused_with_the_way_out(name: str) -> None:
    make, text = REFUSED[name]
    with pytest.raises(npde.DeclarationError, match=f"(?s)the inversion of '.*'.*{text}"):
        waves_in(make())


def survey(**changes: Any) -> npde.Survey:
    data = np.ones((1, 1, 2), complex)
    given = {
        "sources": [[1.0, 0.4]],
        "receivers": [[3.0, 1.5], [2.0, 1.5]],
        "data": data,
        "frequencies": [0.5],
    }
    return npde.Survey(**{**given, **changes})


def invert(problem: Any, given: Any = None, **settings: Any) -> npde.seismic.Inversion:
    method = npde.seismic.Adjoint(spacing=0.2, descent=npde.seismic.BoundedLBFGS(1))
    return npde.invert(problem, given or survey(), method=method, progress=False, **settings)


def test_an_inversion_starts_from_the_speed_of_its_problem_unless_told() -> None:
    x = np.array([[2.0, 1.0], [1.0, 0.5]])
    plain, velocity = waves(BOX, SURFACE, OPEN), npde.Velocity(start=1.2)
    inversion = invert(waves(BOX, SURFACE, OPEN, speed=1.2))
    assert inversion.setting.velocity.start == velocity.start
    assert_same_field(inversion(x), invert(plain, unknown=velocity)(x))
    in_frequency = npde.Problem("f", BOX, npde.Helmholtz(7.0, 1.2), boundary=[SURFACE, OPEN])
    assert_same_field(inversion(x), invert(in_frequency)(x))


@pytest.mark.parametrize(
    ("problem", "given", "settings", "text"),
    [
        (
            survey(),
            waves(BOX),
            {},
            "takes a Problem first, then the Survey, but got a Survey; give the medium",
        ),
        (waves(BOX), "line.h5", {}, r"takes a Survey after the Problem, but got a str. Read one"),
        (waves(BOX), None, {"unknown": 1.2}, r"unknown=1.2: give npde.Velocity"),
    ],
    ids=["order", "survey", "unknown"],
)
def test_a_call_with_the_wrong_things_is_refused(problem: Any, given: Any, settings: Any, text: str) -> None:
    with pytest.raises(npde.DeclarationError, match=text):
        invert(problem, given, **settings)
