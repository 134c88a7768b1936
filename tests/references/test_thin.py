"""Layers thinner than a cell, declared or as functions: the grid resolves them, or its estimate says how far not."""

import numpy as np
import pytest

import neurapde as npde
from neurapde.reference_solvers.grids.grid import ResolutionWarning
from neurapde.references.graded_poisson import MOST
from support import some_slow

SQUARE = npde.Box((-1, 1), (-1, 1))
POINTS = np.random.default_rng(50413).uniform(-1, 1, (2000, 2))


def relative(field, truth, points=POINTS) -> float:
    return float(np.linalg.norm(field(points) - truth(points)) / np.linalg.norm(truth(points)))


def layers(faces, values):
    """Values between faces along the last axis, as a function, as declared boxes, and ∫ dx/a from the first face."""
    faces, values = np.array(faces), np.array(values)

    def function(x):
        speed = values[0] + 0 * x[:, -1]
        for face, value in zip(faces[1:-1], values[1:], strict=True):
            speed = npde.where(x[:, -1] > face, value + 0 * speed, speed)
        return speed

    def declared(box):
        sides = box.sides[:-1]
        pieces = zip(faces[1:-1], faces[2:], values[1:], strict=True)
        return npde.Piecewise(float(values[0]), *((npde.Box(*sides, (a, b)), float(v)) for a, b, v in pieces))

    def passed(x):
        inside = np.clip(x[:, -1:], faces[:-1], faces[1:]) - faces[:-1]
        return (inside / values).sum(axis=1)

    return function, declared, passed


STACKS = {
    "barrier": ([0, 0.4371, 0.4374, 1], [1.0, 1e-3, 1.0]),
    "conductor": ([0, 0.611, 0.6115, 1], [1.0, 1e3, 1.0]),
    "several": ([0, 0.2, 0.2003, 0.51, 0.513, 0.5135, 1], [1.0, 1e-3, 2.0, 0.05, 30.0, 0.4]),
    "at the side": ([0, 0.0007, 1], [1e-3, 1.0]),
}


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("dimension", some_slow([1, 2, 3], 3))
def test_layers_along_the_axes_are_exact_however_thin(dimension: int, name: str, declared: bool) -> None:
    if dimension == 3 and not declared:
        pytest.skip("a function in space is looked at every five hundredth of an axis")
    function, boxes, passed = layers(*STACKS[name])
    box = npde.Box(*[(0, 1)] * dimension)
    first, last = box.faces[-2:]
    rest = [npde.Neumann(0.0, on=box.faces[:-2])] if dimension > 1 else []
    problem = npde.Problem(
        "stack",
        box,
        npde.Poisson(boxes(box) if declared else function),
        boundary=[npde.Dirichlet(1.0, on=first), npde.Dirichlet(0.0, on=last), *rest],
    )
    points = np.random.default_rng(30911).uniform(0, 1, (2000, dimension))
    grid = npde.reference(problem, shape={1: 129, 2: 33, 3: 13}[dimension])
    whole = passed(np.ones((1, dimension)))
    assert relative(grid, lambda x: 1 - passed(x) / whole, points) < 1e-8
    assert grid.error_estimate < 1e-8


def askew(a: float, thickness: float, angle: float):
    """A slab at a slant: its coefficient as a function and declared, and a field with a flux of 1 through it."""
    normal = np.array([np.cos(angle), np.sin(angle)])
    low, high = 0.1371 - thickness / 2, 0.1371 + thickness / 2

    def across(x):
        return x[:, 0] * normal[0] + x[:, 1] * normal[1]

    def function(x):
        inside = (across(x) > low) & (across(x) < high)
        return npde.where(inside, a + 0 * x[:, 0], 1.0 + 0 * x[:, 0])

    def truth(x):
        s = across(x)
        within = npde.maximum(npde.minimum(s, high), low) - low
        return npde.minimum(s, low) + within / a + npde.maximum(s - high, 0.0)

    along = 4 * np.array([-normal[1], normal[0]])
    corners = [low * normal - along, high * normal - along, high * normal + along, low * normal + along]
    return function, npde.Piecewise(1.0, (npde.Polygon([tuple(c) for c in corners]), a)), truth


def ring(a: float, thickness: float):
    """A ring of radius 0.5 in a field that is x far away."""
    low, high = 0.5 - thickness / 2, 0.5 + thickness / 2
    rows = [
        [low, -low, -1 / low, 0],
        [1, -a, a / low**2, 0],
        [0, high, 1 / high, -1 / high],
        [0, a, -a / high**2, 1 / high**2],
    ]
    core, inner, dipole, outer = np.linalg.solve(rows, [0, 0, high, 1])

    def radius(x):
        return (x[:, 0] ** 2 + x[:, 1] ** 2 + 1e-300) ** 0.5

    def function(x):
        inside = (radius(x) > low) & (radius(x) < high)
        return npde.where(inside, a + 0 * x[:, 0], 1.0 + 0 * x[:, 0])

    def truth(x):
        r = radius(x)
        field = npde.where(r < low, core * r, npde.where(r < high, inner * r + dipole / r, r + outer / r))
        return field * x[:, 0] / r

    disks = (npde.Disk((0, 0), high), a), (npde.Disk((0, 0), low), 1.0)
    return function, npde.Piecewise(1.0, *disks), truth


ASKEW = {
    "thin barrier": askew(1e-2, 0.01, 0.3),
    "barrier": askew(0.1, 0.05, 0.7854),
    "thin conductor": askew(1e3, 0.01, 0.6),
    "thin ring that insulates": ring(1e-2, 0.01),
    "ring that insulates": ring(0.1, 0.06),
    "ring that conducts": ring(1e3, 0.06),
    "thick ring": ring(5.0, 0.4),
}


@pytest.mark.parametrize("declared", some_slow([True, False], True))
@pytest.mark.parametrize(
    "name",
    [name if name.startswith("thin") else pytest.param(name, marks=pytest.mark.slow) for name in ASKEW],
)
def test_layers_at_a_slant_and_round_ones_are_within_the_estimate(name: str, declared: bool) -> None:
    function, pieces, truth = ASKEW[name]
    problem = npde.Problem(
        "askew", SQUARE, npde.Poisson(pieces if declared else function), boundary=npde.Dirichlet(truth)
    )
    grid = npde.reference(problem, shape=65)
    assert grid.error_estimate < 0.1
    assert relative(grid, truth) < 2 * grid.error_estimate


def test_a_thin_ring_that_conducts_is_not_resolved_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MOST, 2, 160)
    function, _, truth = ring(1e3, 3e-3)
    problem = npde.Problem("ring", SQUARE, npde.Poisson(function), boundary=npde.Dirichlet(truth))
    with pytest.warns(ResolutionWarning, match="give a larger shape, or a thicker layer"):
        grid = npde.reference(problem, shape=65)
    assert 0.05 < relative(grid, truth) < 3 * grid.error_estimate


@pytest.mark.parametrize("a", some_slow([1e-3, 1e3], 1e3))
def test_a_thin_bar_that_ends_inside_is_within_the_estimate(a: float) -> None:
    bar = npde.Box((-0.4, 0.5), (0.1303, 0.1333))
    function = lambda x: npde.where(bar.contains(x), a + 0 * x[:, 0], 1.0 + 0 * x[:, 0])  # noqa: E731
    fields = []
    for coefficient, shape in ((npde.Piecewise(1.0, (bar, a)), 65), (function, 65), (function, 129)):
        across = npde.Dirichlet(lambda x: 2 * x[:, 1] + x[:, 0])
        problem = npde.Problem("bar", SQUARE, npde.Poisson(coefficient), boundary=across)
        fields.append(npde.reference(problem, shape=shape))
    declared, sampled, fine = fields
    assert relative(declared, sampled) < 1e-3
    assert relative(sampled, fine) < 2 * sampled.error_estimate < 0.05
    assert relative(declared, lambda x: 2 * x[:, 1] + x[:, 0]) > 0.01


def test_thin_sources_reactions_and_fluxes_count_in_full() -> None:
    thin = lambda x: npde.abs(x[:, 0] - 0.2371) < 5e-4  # noqa: E731
    pulse = lambda height: lambda x: npde.where(thin(x), height + 0 * x[:, 0], 0 * x[:, 0])  # noqa: E731
    line = npde.Interval(0, 1)
    source = npde.reference(
        npde.Problem("f", line, npde.Poisson(), [pulse(1e3)], npde.Dirichlet(0.0)), shape=65
    )
    x = np.array([[0.1], [0.6]])
    assert source(x) == pytest.approx([0.7629 * 0.1, 0.2371 * 0.4], rel=1e-3)
    sides = [npde.Dirichlet(0.0, on="left"), npde.Dirichlet(1.0, on="right")]
    damped = npde.reference(npde.Problem("c", line, npde.Poisson(1.0, pulse(4e3)), boundary=sides), shape=65)
    at_sheet = 0.2371 / (
        1 + 4.0 * 0.2371 * 0.7629
    )  # a sheet of strength 4, thin beside its distance to the sides
    assert damped(np.array([[0.2371]])) == pytest.approx([at_sheet], rel=5e-3)


def test_the_note_says_how_fine_a_function_was_looked_at() -> None:
    function, _, _ = askew(0.1, 0.05, 0.0)
    problem = npde.Problem("slab", SQUARE, npde.Poisson(function), boundary=npde.Dirichlet(0.0))
    notes = npde.reference(problem, shape=33).notes
    assert any("sampled every 0.002 on 128 lines" in note for note in notes)
