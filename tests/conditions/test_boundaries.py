import math
import pickle
from dataclasses import fields

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.conditions import PML, Boundary, Dirichlet, Neumann, Periodic, Robin
from neurapde.conditions.constraints import Constraint, at_points, face, interior
from neurapde.core.errors import DeclarationError
from neurapde.domains import Box, Disk
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Piecewise
from neurapde.jets.jet import Jet, Layout

BOX = Box((-1, 1), (-1, 1))
RING = Disk((0, 0), 1, name="rim") - Disk((0, 0), 0.4, name="hole")


class Known:
    """Stands in for a jet: the field x² + 3xy, or two multiples of it, with its gradient."""

    def __init__(self, points: torch.Tensor, columns: bool = False) -> None:
        x, y = points[:, 0], points[:, 1]
        scale = torch.tensor([1.0, 2j]) if columns else torch.tensor(1.0)
        parts = [x**2 + 3 * x * y, 2 * x + 3 * y, 3 * x]
        self.value, *self.slopes = [channel[:, None] * scale if columns else channel for channel in parts]

    def d(self, i: int) -> torch.Tensor:
        return self.slopes[i]


def residual(constraint: Constraint, columns: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    samples = constraint.sample(400, generator=torch.Generator().manual_seed(31622))
    return samples.points, constraint.residual(samples, Known(samples.points, columns))


@pytest.mark.parametrize("columns", [False, True])
def test_residual_of_the_right_condition_vanishes(columns: bool) -> None:
    for condition in (
        Dirichlet(lambda x: x[:, 0] ** 2 + 3 * x[:, 0] * x[:, 1]),
        Dirichlet(lambda x: 1 - 3 * x[:, 1], on="left"),
        Neumann(lambda x: 2 + 3 * x[:, 1], on="right"),
        Neumann(lambda x: 3 * x[:, 0], on=("top",)),
        Neumann(lambda x: -3 * x[:, 0], on="bottom"),
        Robin(0.0, 2.0, lambda x: 4 + 6 * x[:, 1], on="right"),
        Robin(2.0, 0.0, lambda x: 2 - 6 * x[:, 1], on="left"),
        Robin(lambda x: x[:, 0], -1j, lambda x: x[:, 0] ** 2 * (x[:, 0] + 3) - 3j * x[:, 0], on="top"),
    ):
        (constraint,) = condition.constraints(BOX)
        _, residuals = residual(constraint, columns)
        first = residuals[:, 0] if columns else residuals
        assert residuals.shape == ((400, 2) if columns else (400,))
        assert first.abs().max() < 1e-12
        assert not columns or residuals[:, 1].abs().max() > 0.1


def test_flux_through_a_hole_counts_outward_of_the_domain() -> None:
    (constraint,) = Neumann(0.0, on="hole").constraints(RING)
    points, flux = residual(constraint)
    radial = points / 0.4
    assert torch.allclose(
        flux, -(radial[:, 0] * (2 * points[:, 0] + 3 * points[:, 1]) + 3 * radial[:, 1] * points[:, 0])
    )


@pytest.mark.parametrize("columns", [False, True])
def test_periodicity_asks_for_the_jump_of_value_and_slope_between_opposite_points(columns: bool) -> None:
    box = Box((-1, 2), (0, 1))
    values, slopes = Periodic("x").constraints(box)
    samples = values.sample(300, generator=torch.Generator().manual_seed(31627))
    assert samples.points.shape == samples.normals.shape == (600, 2)
    assert torch.equal(samples.points[:300, 1], samples.points[300:, 1])
    assert samples.points[:300, 0].unique().tolist() == samples.normals[:300, 0].unique().tolist() == [-1]
    assert samples.points[300:, 0].unique().tolist() == [2]
    u, y = Known(samples.points, columns), samples.points[:300, 1]
    jumps = [values.residual(samples, u), slopes.residual(samples, u)]
    assert [jump.shape for jump in jumps] == [(300, 2) if columns else (300,)] * 2
    first = [jump[:, 0] if columns else jump for jump in jumps]
    assert (first[0] - (-3 - 9 * y)).abs().max() < 1e-12
    assert (first[1] + 6).abs().max() < 1e-12
    across = Periodic("y").constraints(box)[1]
    assert across.residual(across.sample(5, how="grid"), Known(samples.points[:10])).shape == (5,)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_periodic_field_meets_periodicity_and_another_does_not(axis: str) -> None:
    box = Box((0, 1), (-1, 1), (2, 5))
    i = box.axes.index(axis)
    length = box.extents[i]
    for constraint in Periodic(axis).constraints(box):
        samples = constraint.sample(20, generator=torch.Generator().manual_seed(31657))
        angle = 2 * math.pi * samples.points[:, i] / length
        rest = samples.points.square().sum(1) - samples.points[:, i] ** 2
        slopes = torch.zeros_like(samples.points)
        slopes[:, i] = -torch.sin(angle) * 2 * math.pi / length * rest
        periodic = Jet.of(torch.cos(angle) * rest, slopes)
        assert constraint.residual(samples, periodic).abs().max() < 1e-12 * rest.max()
        half = angle / 2 + 0.3  # of twice the period: the sign is another at the other end
        slopes[:, i] = torch.cos(half) * math.pi / length * rest
        other = Jet.of(torch.sin(half) * rest, slopes)
        assert constraint.residual(samples, other).abs().min() > 0.1 * rest.min()


def test_conditions_read_like_the_mathematics() -> None:
    texts = [
        (Robin(20j, 1, on="left"), "20i · u + ∂u/∂n = 0 on left"),
        (Robin(lambda x: x[:, 0], -1, 3), "(f(x)) · u + −1 · ∂u/∂n = 3 on the boundary"),
        (Periodic("y"), "u periodic in y, from bottom to top"),
        (Dirichlet(1, on="top", hard=True), "u = 1 on top, built into the trial function"),
    ]
    for condition, text in texts:
        assert condition.describe(BOX) == text
    assert [c.text for c in Periodic("y").constraints(BOX)] == [
        "u the same at bottom and top",
        "∂u/∂y the same at bottom and top",
    ]


def test_values_may_be_complex_and_keep_the_points_precision() -> None:
    (constraint,) = Dirichlet(1 - 2j, on="hole").constraints(RING)
    samples = constraint.sample(10, generator=torch.Generator().manual_seed(31622), dtype=torch.float32)
    residuals = constraint.residual(samples, Known(samples.points))
    assert residuals.dtype == torch.complex64
    assert torch.allclose(residuals.imag, torch.full((10,), 2.0))


def test_constraints_are_named_by_kind_and_faces() -> None:
    names = [
        condition.constraints(BOX)[0].name
        for condition in (
            Dirichlet(),
            Dirichlet(0, on="left"),
            Neumann(0, on=("top", "right")),
            Dirichlet(1, on="left", name="inlet"),
            Robin(1, 1, on="top"),
            Periodic("x"),
        )
    ]
    assert names == ["dirichlet", "dirichlet-left", "neumann-top-right", "inlet", "robin-top", "periodic-x"]
    assert [c.name for c in Periodic("x").constraints(BOX)] == ["periodic-x", "periodic-x-slope"]
    assert [c.order for c in Periodic("x").constraints(BOX)] == [0, 1]
    assert Robin(1, 1).constraints(BOX)[0].order == 1
    assert Dirichlet().constraints(BOX)[0].order == 0
    assert Neumann().constraints(BOX)[0].order == 1
    assert PML(0.3).constraints(BOX) == ()


def test_conditions_are_taken_on_their_faces_only() -> None:
    (constraint,) = Dirichlet(0, on=("left", "top")).constraints(BOX)
    points, _ = residual(constraint)
    assert torch.all((points[:, 0] == -1) | (points[:, 1] == 1))
    assert Dirichlet(GridField(np.ones((2, 2)))).on_domain(BOX).value.bounds == ((-1.0, -1.0), (1.0, 1.0))


def test_layers_have_a_width_and_a_strength_at_each_side() -> None:
    sided = PML({"left": 0.2, "top": 0.4}, reflection=1e-4)
    assert sided.widths(BOX) == {"left": 0.2, "top": 0.4}
    assert sided.strength_for(20.0, "top") == pytest.approx(-3 * math.log(1e-4) / (2 * 20 * 0.4))
    assert sided.reflection_for(20.0, "left") == pytest.approx(1e-4)
    assert PML(0.5).strength_for(20.0, "left") == 5.0
    assert PML(0.5).reflection_for(20.0, "left") == pytest.approx(math.exp(-2 * 20 * 5 * 0.5 / 3))
    assert PML(0.5, on="left").widths(BOX) == {"left": 0.5}
    assert PML(1.5, on="left").on_domain(BOX) == PML(1.5, on="left")
    assert PML(0.5).outer_value == 0.0


def test_the_old_name_of_the_faces_of_a_layer_works_and_says_the_new_one() -> None:
    with pytest.warns(DeprecationWarning, match=r"PML\(sides=…\) is PML\(on=…\) now"):
        assert PML(0.5, sides="left") == PML(0.5, on="left")


@pytest.mark.parametrize(
    "boundary",
    [
        Dirichlet(1j, on=["left", "top"]),
        Neumann(2.0, name="flux"),
        PML(0.5),
        PML({"left": 0.2}, reflection=0.1),
        Robin(1j, 2.0, 3, on="top"),
        Periodic("x"),
        Dirichlet(GridField(np.ones((2, 3))), hard=True).on_domain(BOX),
    ],
)
def test_a_copy_by_pickle_or_by_fields_is_equal(boundary: Boundary) -> None:
    assert pickle.loads(pickle.dumps(boundary)) == boundary
    copied = type(boundary).rebuild({item.name: getattr(boundary, item.name) for item in fields(boundary)})
    assert copied == boundary
    assert hash(copied) == hash(boundary)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PML(0.0), "PML width is 0, but must be positive"),
        (lambda: PML(-0.1), "PML width is -0.1, but must be positive"),
        (lambda: PML(math.nan), "PML width is nan; give a finite number"),
        (lambda: PML("thick"), "PML width is 'thick', a str; give a number"),
        (lambda: PML({"left": -1}), "PML width at 'left' is -1, but must be positive"),
        (lambda: PML({}), "PML width is {}; give a number, or one for each side"),
        (
            lambda: PML({"left": 0.1}, on="top"),
            r"has a width for left and on=\('top',\); leave out on",
        ),
        (lambda: PML(0.1, on=4), "on=4 does not name faces; give a face name"),
        (lambda: PML(0.1, strength=-5), "PML strength is -5, but must be positive"),
        (lambda: PML(0.1, reflection=1.5), "PML reflection is 1.5; give the reflected fraction"),
        (lambda: PML(0.1, 5.0, 1e-3), "has strength=5.0 and reflection=0.001, .* give one of them"),
        (
            lambda: PML(0.1, on="lid").on_domain(BOX),
            "the PML is on face 'lid', but .* has the faces left, right",
        ),
        (lambda: PML(0.1).on_domain(Disk((0, 0), 1)), "PML needs the flat sides of a Box"),
        (
            lambda: PML(2.5).on_domain(BOX),
            "PML width 2.5 at left fills the domain, 2 wide along x; use less than 1",
        ),
        (lambda: PML(1.0).on_domain(BOX), "PML widths 1 at left and 1 at right cover the whole domain"),
        (
            lambda: PML(0.1, on="left").width_at("top"),
            "has no layer at 'top', only at left; use one of",
        ),
        (lambda: Dirichlet("zero"), "value of the dirichlet condition is 'zero'; give a number"),
        (lambda: Dirichlet(0, on=3), "on=3 does not name faces; give a face name"),
        (lambda: Dirichlet(0, on="lid").on_domain(BOX), "condition 'dirichlet-lid' is on face 'lid', but"),
        (lambda: Neumann(0, on=()), r"on=\(\) does not name faces; give a face name"),
        (lambda: Neumann(0, on=("top", "top")).on_domain(BOX), "name each face once, or None for the whole"),
        (lambda: Dirichlet(GridField(np.ones(3))).on_domain(BOX), "have 1 axes, but .* has 2"),
        (lambda: Dirichlet(0, hard=1), "hard=1: give True or False"),
        (
            lambda: Dirichlet(0, on="rim", hard=True).on_domain(RING),
            "condition 'dirichlet-rim' is hard, which needs the flat faces of a Box, .*; leave out hard=True",
        ),
        (
            lambda: Dirichlet(Piecewise(0.0, (Disk((1, 0), 0.5), 1.0)), hard=True).on_domain(BOX),
            "'dirichlet' is hard, but its value is piecewise, .*; give a smooth value, or leave out",
        ),
        (lambda: Robin(0, 0j), "a and b of the robin condition are both 0; give"),
        (lambda: Robin("one", 1), "a of the robin condition is 'one'; give a number"),
        (lambda: Robin(1, GridField(np.ones(3))).on_domain(BOX), "have 1 axes, but .* has 2"),
        (lambda: Periodic(0), "axis of the Periodic condition is 0; give its name, such as 'x'"),
        (lambda: Periodic("z").on_domain(BOX), r"Periodic\('z'\): .* has no such axis; use one of x, y"),
        (lambda: Periodic("x").on_domain(RING), "needs the opposite faces of a Box, .*; use a Box"),
    ],
)
def test_what_is_no_boundary_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_what_points_lack_is_refused_where_it_is_asked_for() -> None:
    inside = interior(BOX)(3, generator=torch.Generator().manual_seed(31627))
    (slope,) = Neumann(0.0).constraints(BOX)
    with pytest.raises(DeclarationError, match=r"these points have none; give face\(…\)"):
        slope.residual(inside, Known(inside.points))
    with pytest.raises(
        DeclarationError, match=r"points without targets; give at_points\(points, targets=…\)"
    ):
        _ = at_points(np.ones((1, 2))).measured


def test_samplers_draw_where_they_say() -> None:
    generator = torch.Generator().manual_seed(31622)
    assert BOX.contains(interior(BOX)(50, generator=generator).points).all()
    samples = face(BOX, "left")(50, generator=generator)
    assert samples.normals is not None
    assert torch.all(samples.normals == torch.tensor([-1.0, 0.0]))
    given = np.arange(20.0).reshape(10, 2)
    assert torch.equal(at_points(given)(99).points, torch.tensor(given))
    some = at_points(given, normals=given)(4, generator=generator, dtype=torch.float32)
    assert some.points.dtype == torch.float32
    assert torch.equal(some.points, some.normals)
    assert len({tuple(row) for row in some.points.tolist()} & {tuple(row) for row in given.tolist()}) == 4
    assert len(at_points(given)(5, how="grid").points) == 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constraint("", print, interior(BOX)), "name of the constraint is ''; give a name"),
        (
            lambda: Constraint("fit", 3.0, interior(BOX)),
            "constraint 'fit' was given 3.0; give a function residual",
        ),
        (lambda: Constraint("fit", print, BOX), "was given <Box.*; give a function sample.*interior"),
        (
            lambda: Constraint("fit", print, interior(BOX), order=5),
            "constraint 'fit' has order 5; give 0 to 4",
        ),
        (lambda: face(BOX, "lid"), "the sampler is on face 'lid'"),
        (
            lambda: at_points(np.zeros((0, 2))),
            r"shape \(0, 2\); give an array \(n, d\) with at least one row",
        ),
        (lambda: at_points(np.zeros(3)), r"shape \(3,\); give an array \(n, d\)"),
        (lambda: at_points(np.zeros((3, 2)), np.zeros((2, 2))), "but the points .*; give one for each point"),
        (lambda: at_points(np.array([[np.nan, 0]])), r"points\[0\] is \[nan, 0.0\]"),
    ],
)
def test_what_is_no_constraint_is_refused_with_a_way_out(make, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


def test_a_condition_may_be_for_one_component() -> None:
    problem = npde.Problem(
        domain=npde.Interval(0, 1),
        equation=npde.Equation(lambda x, u: u.d2(0), outputs=2),
        boundary=[npde.Dirichlet(3.0, on="left", component=1), npde.Robin(2.0, 1.0, 5.0, component=0)],
    )
    left, mixed = problem.constraints[1:]
    assert [left.name, mixed.name] == ["dirichlet-1-left", "robin-0"]
    assert left.text == "u[1] = 3 on left"
    samples = mixed.sample(64, generator=torch.Generator().manual_seed(60013))
    x = samples.points[:, 0]
    u = Jet(
        torch.stack([torch.stack([x, 3.0 + 0 * x], -1), torch.stack([1 + 0 * x, 0 * x], -1)]), Layout(1, 1)
    )
    assert torch.allclose(left.residual(samples, u), u.value[:, 1] - 3.0)
    assert torch.allclose(mixed.residual(samples, u), 2 * u.value[:, 0] + samples.normals[:, 0] - 5.0)


def test_a_beam_as_a_system_takes_a_condition_for_each_component() -> None:
    load = 24.0  # of w'''' = load, as w'' = m and m'' = load, supported at both ends
    problem = npde.Problem(
        domain=npde.Interval(0, 1),
        equation=npde.Equation(
            lambda x, u: torch.stack([u.d2(0)[:, 0] - u.value[:, 1], u.d2(0)[:, 1] - load], dim=1), outputs=2
        ),
        boundary=[npde.Dirichlet(0.0, component=0), npde.Dirichlet(0.0, component=1)],
    )
    x = np.linspace(0, 1, 11)[:, None]
    w = np.asarray(npde.solve(problem, progress=False)(x))[:, 0]
    assert np.abs(w - (x**4 - 2 * x**3 + x)[:, 0]).max() < 1e-6


@pytest.mark.parametrize(
    ("outputs", "component", "message"),
    [
        (1, 0, "the field has one component; leave out component"),
        (2, 2, "the field has the components 0 to 1"),
        (2, -1, "component=-1: give a whole number from 0"),
    ],
)
def test_a_component_that_is_not_there_is_refused(outputs: int, component: int, message: str) -> None:
    with pytest.raises(npde.DeclarationError, match=message):
        npde.Problem(
            domain=npde.Interval(0, 1),
            equation=npde.Equation(lambda x, u: u.d2(0), outputs=outputs),
            boundary=npde.InitialCondition(0.0, component=component)
            if component < 0
            else npde.Dirichlet(0.0, component=component),
        )


def test_one_component_may_be_periodic_while_another_is_held():
    """u″ − u = −(4π² + 1) sin 2πx, periodic, beside v″ = 2 + u with v = 0 at both ends."""

    def residual(x, u):
        return [
            u[0].d2(0) - u[0].value + (4 * np.pi**2 + 1) * npde.sin(2 * np.pi * x[:, 0]),
            u[1].d2(0) - 2.0 - u[0].value,
        ]

    problem = npde.Problem(
        "mixed",
        npde.Interval(0, 1),
        npde.Equation(residual, outputs=2),
        boundary=[npde.Periodic("x", component=0), npde.Dirichlet(0.0, component=1)],
    )
    names = [constraint.name for constraint in problem.constraints]
    assert "periodic-x-0" in names
    assert "periodic-x-slope-0" in names
    x = np.linspace(0, 1, 40)[:, None]
    wave = np.sin(2 * np.pi * x[:, 0])
    truth = np.stack([wave, x[:, 0] * (x[:, 0] - 1) - wave / (4 * np.pi**2)], axis=1)
    np.testing.assert_allclose(npde.solve(problem)(x), truth, atol=1e-5)
