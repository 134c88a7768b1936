import math
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from neurapde.conditions import PML, Dirichlet, Neumann
from neurapde.conditions.constraints import Constraint, at_points, interior
from neurapde.core.arrays import sin
from neurapde.core.errors import DeclarationError, DeclarationWarning
from neurapde.domains import Ball, Box, Disk, Interval, Polygon
from neurapde.equations import Equation, Helmholtz
from neurapde.equations.poisson import Poisson
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Piecewise
from neurapde.fields.sources import FunctionSource, GaussianSource, PointSource, Shots
from neurapde.problem.problem import Problem

BOX = Box((-1, 1), (-1, 1))
DISK = Disk(center=(0, 0), radius=0.1)
SOURCE = GaussianSource(at=(-0.35, 0.0), variance=1e-4, amplitude=1 + 1j)


def poisson(x, u):
    return u.laplacian + sin(x[:, 0])


def zero(samples, u):
    return u.value


def problem(**changes) -> Problem:
    fields = {
        "name": "helmholtz-disk",
        "domain": BOX,
        "equation": Helmholtz(20.0, Piecewise(1.0, (DISK, 2.0))),
        "sources": [SOURCE],
        "boundary": PML(0.5, 5.0),
    }
    return Problem(**(fields | changes))


def test_a_problem_is_replaced_in_one_argument() -> None:
    datum = Constraint("datum", zero, at_points(np.zeros((1, 2))))
    declared = problem(constraints=datum, exact=lambda x: x[:, 0])
    same, wider = replace(declared), replace(declared, sources=GaussianSource((0, 0), 4e-4), name="wider")
    assert str(same) == str(declared)
    assert [constraint.name for constraint in wider.extra] == ["datum"]
    assert (wider.name, wider.exact, wider.boundary) == ("wider", declared.exact, declared.boundary)
    assert "variance 0.0004" in str(wider)
    other = Constraint("other", zero, at_points(np.zeros((1, 2))))
    assert [constraint.name for constraint in replace(declared, constraints=[other]).extra] == ["other"]
    assert replace(declared, constraints=()).extra == ()
    with pytest.raises(DeclarationError, match="wavenumber"):
        replace(declared, equation=Helmholtz(-1.0))


def test_a_problem_reads_like_the_mathematics() -> None:
    assert str(problem()).splitlines() == [
        "helmholtz-disk",
        "  domain      box [−1, 1] × [−1, 1]",
        "  equation    L u = ∂x((e_y/e_x) ∂x u) + ∂y((e_x/e_y) ∂y u) + e_x e_y k²/c² u = e_x e_y f,  "
        "u complex, e^(+iωt)",
        "              k = 20",
        "              c = 1; 2 in disk = {|(x, y) − (0, 0)| ≤ 0.1}",
        "  sources     f = (1 + 1i) · Gaussian of unit mass at (−0.35, 0), variance 0.0001",
        "  boundary    PML 0.5 wide at left, right, bottom and top: e = 1 − i a₀ (ℓ/L)², a₀ = 5; "
        "u = 0 at its outer edge (not trained)",
        "  constraint  helmholtz: L u = e_x e_y f in the box",
    ]
    user = Problem(
        "poisson",
        Disk((0, 0), 1) - Disk((0, 0), 0.5, name="hole"),
        Equation(poisson, complex=True),
        boundary=[Dirichlet(0.0, on="disk"), Neumann(1 - 2j, on="hole", name="flux")],
        constraints=Constraint("datum", zero, at_points(np.zeros((1, 2)))),
        exact=lambda x: x[:, 0],
    )
    assert str(user).splitlines() == [
        "poisson",
        "  domain      difference ({|(x, y) − (0, 0)| ≤ 1} ∖ {|(x, y) − (0, 0)| ≤ 0.5})",
        "  equation    poisson(x, u) = 0,  u complex,  derivatives up to order 2",
        "              def poisson(x, u):",
        "                  return u.laplacian + sin(x[:, 0])",
        "  boundary    u = 0 on disk",
        "              ∂u/∂n = 1 − 2i on hole",
        "  constraint  equation: poisson(x, u) = 0 in the difference",
        "              dirichlet-disk: u = 0 on disk",
        "              flux: ∂u/∂n = 1 − 2i on hole",
        "              datum",
        "  exact       known",
    ]


def test_the_domain_is_named_once() -> None:
    corners = [(0, 0), (1, 0), (0, 1)]
    for domain, line in (
        (Polygon(corners), "polygon (0, 0) (1, 0) (0, 1)"),
        (Polygon(corners, name="plate"), "plate polygon (0, 0) (1, 0) (0, 1)"),
        (Disk((0, 0), 1), "disk {|(x, y) − (0, 0)| ≤ 1}"),
    ):
        text = str(Problem("case", domain, Poisson(), 1.0, Dirichlet(0.0)))
        assert text.splitlines()[1].removeprefix("  domain").strip() == line


def test_a_problem_needs_no_name_but_a_domain_and_an_equation() -> None:
    assert Problem(domain=BOX, equation=Equation(poisson), boundary=Dirichlet(0.0)).name == "problem"
    with pytest.raises(DeclarationError, match="domain is None; give a Box"):
        Problem(equation=Equation(poisson))
    with pytest.raises(DeclarationError, match="equation is None; give Helmholtz"):
        Problem(domain=BOX)


def test_every_constraint_is_listed_by_its_name() -> None:
    box = problem(
        boundary=[Dirichlet(0, on="left"), Neumann(0, on="top")],
        constraints=[Constraint("datum", zero, interior(BOX))],
    )
    assert [c.name for c in box.constraints] == ["helmholtz", "dirichlet-left", "neumann-top", "datum"]
    assert [c.order for c in box.constraints] == [2, 0, 1, 0]
    assert [c.name for c in problem().constraints] == ["helmholtz"]


def test_shots_are_right_hand_sides_of_their_own_and_a_list_is_one() -> None:
    together = problem(sources=[SOURCE, PointSource((0.2, 0.2))])
    apart = problem(sources=Shots(SOURCE, [SOURCE, PointSource((0.2, 0.2))]))
    assert (len(together.right_hand_sides), together.outputs) == (1, 1)
    assert [len(entry) for entry in apart.right_hand_sides] == [1, 2]
    assert apart.outputs == 2
    assert "  shot 2      f = (1 + 1i) · Gaussian" in str(apart)
    assert problem(sources=SOURCE) == problem()
    assert problem(sources=()).right_hand_sides == ((),)


def test_physical_region_is_the_domain_without_its_layers() -> None:
    points = np.array([[0.0, 0.0], [0.49, -0.49], [0.51, 0.0], [0.0, -0.9], [2.0, 0.0]])
    assert problem().physical(points).tolist() == [True, True, False, False, False]
    assert problem().physical(torch.tensor(points)).tolist() == [True, True, False, False, False]
    assert problem(boundary=()).physical(points).tolist() == [True, True, True, True, False]
    assert dict(problem().regions) == {"disk": DISK}


def test_gridded_media_and_sources_cover_the_domain_unless_told_otherwise() -> None:
    values = np.full((5, 5), 1.5)
    box = problem(equation=Helmholtz(20.0, GridField(values)), sources=GridField(np.zeros((3, 3))))
    assert box.equation.speed == GridField(values, ((-1, -1), (1, 1)))
    assert box.sources == (FunctionSource(GridField(np.zeros((3, 3)), ((-1, -1), (1, 1)))),)
    with pytest.warns(DeclarationWarning, match="GridField covers .* its outermost values continue"):
        problem(equation=Helmholtz(20.0, GridField(values, ((-0.5, -0.5), (0.5, 0.5)))))


def test_a_copy_by_pickle_or_by_fields_is_equal() -> None:
    for case in (
        problem(),
        problem(sources=Shots(SOURCE, SOURCE)),
        problem(boundary=Dirichlet(0, on="left")),
    ):
        _ = case.constraints
        copied = pickle.loads(pickle.dumps(case))
        assert copied == case
        assert hash(copied) == hash(case)
        assert Problem.rebuild({item.name: getattr(case, item.name) for item in fields(case)}) == case


def test_strong_layers_and_thin_ones_of_given_reflection_are_accepted() -> None:
    problem(boundary=PML(0.16))
    problem(boundary=PML(0.05, reflection=1e-3))
    problem(boundary=PML(0.05, reflection=0.3))
    problem(domain=Interval(-1, 1), equation=Helmholtz(20.0), sources=PointSource(0.0))


@pytest.mark.parametrize(
    ("boundary", "equation", "message"),
    [
        (
            PML(0.5),
            Helmholtz(5.0),
            r"PML width 0\.5 is 0\.40 wavelengths at k = 5, less than half a wavelength: |R| = 2\.4e-04 at normal "
            r"incidence, .*; use at least 0\.63 \(half a wavelength\), or give reflection=",
        ),
        (
            PML(0.2),
            Helmholtz(20.0, 2.0),
            r"0\.32 wavelengths at k = 20 and speed 2, less than half a wavelength: |R| = 1\.3e-03",
        ),
    ],
)
def test_a_layer_under_half_a_wavelength_that_still_absorbs_is_warned_of_once(
    boundary: PML, equation: Helmholtz, message: str
) -> None:
    with pytest.warns(DeclarationWarning, match=message.replace("|R|", r"\|R\|")) as caught:
        problem(boundary=boundary, equation=equation)
    assert len(caught) == 1


def test_the_strength_decides_whether_a_thin_layer_is_refused() -> None:
    least = -3 * math.log(1e-2) / (2 * 5.0 * 0.5)  # |R| = 1 % at k = 5
    with pytest.raises(DeclarationError, match=r"PML width 0\.5 is 0\.40 wavelengths at k = 5; use"):
        problem(boundary=PML(0.5, 0.999 * least), equation=Helmholtz(5.0))
    with pytest.warns(DeclarationWarning, match=r"R\| = 1\.0e-02"):
        problem(boundary=PML(0.5, 1.001 * least), equation=Helmholtz(5.0))


TAIL = "extends 0.04 .four standard deviations., beyond the edge of the physical region"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": GaussianSource((-0.48, 0), 1e-4)}, TAIL),
        ({"boundary": (), "sources": GaussianSource((0, 0.99), 1e-4)}, TAIL),
        ({"sources": lambda x: np.exp(-12 * x[:, 0] ** 2 - 30 * x[:, 1] ** 2)}, None),
        (
            {"sources": lambda x: np.exp(-30 * (x[:, 0] ** 2 + x[:, 1] ** 2))},
            "in the absorbing layer, and at most",
        ),
    ],
)
def test_a_source_whose_tail_is_lost_is_warned_of(changes, message: str | None) -> None:
    if message is None:
        with pytest.raises(
            DeclarationError,
            match=r"in the absorbing layer, and at most .* elsewhere; let it vanish in the layer",
        ):
            problem(**changes)
        return
    with pytest.warns(DeclarationWarning, match=message):
        problem(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name of the problem is ''; give a name"),
        ({"domain": (-1, 1)}, r"domain is \(-1, 1\); give a Box, Disk, Ball, Polygon or a combination"),
        (
            {"equation": "helmholtz"},
            r"equation is 'helmholtz'; give Helmholtz\(wavenumber, speed\) or Equation",
        ),
        ({"equation": Helmholtz}, "equation is <class .*; give Helmholtz"),
        ({"sources": "loud"}, "sources is 'loud'; give a GaussianSource"),
        ({"sources": [SOURCE, 1j, None]}, r"sources\[2\] is None; give a GaussianSource"),
        (
            {"boundary": 0.5},
            "boundary is 0.5; give Dirichlet, Neumann, Robin, Periodic or PML, or a list of these",
        ),
        ({"boundary": [PML(0.5), "left"]}, "boundary is 'left'; give Dirichlet"),
        ({"constraints": zero}, "constraints is <function zero.*; give npde.Constraint"),
        ({"exact": 3.0}, r"exact is 3.0; give a function of points \(n, d\), or None"),
        ({"boundary": [PML(0.2), PML(0.3)]}, "boundary has 2 PMLs; give one, with a width for each side"),
        ({"boundary": PML(1.2)}, "PML widths 1.2 at left and 1.2 at right cover the whole domain"),
        ({"boundary": PML(3)}, "PML width 3 at left fills the domain, 2 wide along x; use less than 1"),
        (
            {"boundary": PML(0.02), "equation": Helmholtz(20.0)},
            r"PML width 0\.02 is 0\.06 wavelengths at k = 20; use at least 0\.16 \(half a wavelength\), or give refl",
        ),
        (
            {"boundary": PML(0.1), "equation": Helmholtz(20.0, 2.0)},
            r"PML width 0\.1 is 0\.16 wavelengths at k = 20 and speed 2; use at least 0\.32",
        ),
        (
            {"boundary": PML({"left": 0.5, "top": 0.02}), "equation": Helmholtz(20.0)},
            r"PML width 0\.02 is 0\.06 wavelengths at k = 20; use at least 0\.16",
        ),
        (
            {"boundary": PML(0.5, on="lid")},
            "the PML is on face 'lid', but .* has the faces left, right, bottom",
        ),
        ({"domain": Disk((0, 0), 1)}, "PML needs the flat sides of a Box, but the domain is"),
        ({"boundary": Dirichlet(0, on="lid")}, "condition 'dirichlet-lid' is on face 'lid'"),
        (
            {"boundary": [Dirichlet(0), Dirichlet(1)]},
            "two constraints are named 'dirichlet', .* give one of them another",
        ),
        (
            {"constraints": Constraint("helmholtz", zero, interior(BOX))},
            "two constraints are named 'helmholtz'",
        ),
        ({"sources": PointSource((3, 0))}, r"the source at \(3, 0\) lies outside .*; move it inside"),
        ({"sources": Shots(SOURCE, PointSource((0.7, 0)))}, "lies in the absorbing layer; move it inside"),
        ({"sources": PointSource((0, 0, 0))}, "has 3 coordinates, but .* has 2 axes"),
        ({"sources": lambda x: x[:, 0] / 0}, "is not finite at"),
        ({"sources": lambda x: x[:, :1]}, r"returns the shape \(4096, 1\)"),
        (
            {"sources": 1.0},
            "the source, 1, is 1 at .*, in the absorbing layer, and at most 1 elsewhere; let it vanish",
        ),
        (
            {"equation": Helmholtz(20.0, lambda x: x[:, 0])},
            "speed is −.* at .*, but must be finite and positive",
        ),
        ({"equation": Helmholtz(20, Piecewise(1, (Ball((0,), 1), 2)))}, "region ball has 1 axes, but"),
        (
            {"equation": Equation(poisson), "boundary": ()},
            r"of the Equation includes the right-hand side, but sources",
        ),
        ({"equation": Equation(poisson), "sources": ()}, "PML needs the speed of Helmholtz or Wave"),
        (
            {"equation": Equation(poisson, mixed=[(0, 2)]), "sources": (), "boundary": ()},
            "mixed=.* but the domain has the axes 0 to 1",
        ),
    ],
)
def test_what_is_no_problem_is_refused_with_a_way_out(changes, message: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(DeclarationError, match=message):
        problem(**changes)
