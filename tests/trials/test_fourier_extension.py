"""Sines that outgrow the domain, corners and multipoles: exact jets, harmonic functions, patches."""

import numpy as np
import pytest
import torch

from neurapde.assembly.collocation.corners import corners_of
from neurapde.conditions import Dirichlet, Neumann, Sides
from neurapde.core.errors import DeclarationError
from neurapde.domains import Box, Disk, Interval, Polygon
from neurapde.trials.fourier_extension import Corner, FourierExtension, Multipoles
from neurapde.trials.piecewise import Part, PiecewiseTrial

CORNER = Corner((0.1, -0.2), 0.3, 1.5 * np.pi, 2.0, mixed=True)
HOLE = Multipoles((2.0, 1.5), 0.5, 4)
L_SHAPE = [(-1, -1), (0, -1), (0, 0), (1, 0), (1, 1), (-1, 1)]


def built(spec, dimension=2, outputs=1, complex=False):
    bounds = (-np.ones(dimension), np.ones(dimension))
    return spec.build(bounds, outputs, complex, generator=torch.Generator())


def points(count=12, dimension=2):
    return torch.as_tensor(np.random.default_rng(35129).uniform(-0.9, 0.9, (count, dimension)))


@pytest.mark.parametrize(
    ("spec", "dimension"),
    [
        (FourierExtension((6,)), 1),
        (FourierExtension((4, 3), extra=(CORNER, HOLE)), 2),
        (FourierExtension((3, 2, 4)), 3),
    ],
)
def test_feature_jets_equal_nested_differentiation(spec, dimension):
    trial = built(spec, dimension)
    x = points(dimension=dimension)
    pairs = tuple((i, j) for i in range(dimension) for j in range(i))
    jet = trial.feature_jet(x, 2, pairs)
    assert jet.value.shape == (12, spec.features)
    x.requires_grad_()
    for feature in range(0, spec.features, 5):
        value = trial.feature_jet(x, 0).value[:, feature]
        (gradient,) = torch.autograd.grad(value.sum(), x, create_graph=True)
        torch.testing.assert_close(jet.gradient[:, feature], gradient, atol=1e-10, rtol=1e-10)
        for i in range(dimension):
            (second,) = torch.autograd.grad(gradient[:, i].sum(), x, retain_graph=True, allow_unused=True)
            for j in range(dimension if second is not None else 0):
                torch.testing.assert_close(jet.d2(i, j)[:, feature], second[:, j], atol=1e-8, rtol=1e-10)


def test_corner_and_hole_functions_are_harmonic_but_for_products():
    trial = built(FourierExtension((1, 1), extra=(CORNER, HOLE)))
    laplacian = trial.feature_jet(points()).laplacian[:, 1:]
    bent = CORNER.products[:, 1] > 0
    plain = np.zeros(len(CORNER.powers) + len(CORNER.exponents), dtype=bool)
    others = np.zeros(HOLE.count, dtype=bool)
    known = torch.as_tensor(np.concatenate([plain, bent, plain, bent, others]))
    torch.testing.assert_close(
        laplacian[:, ~known], torch.zeros_like(laplacian[:, ~known]), atol=1e-10, rtol=0
    )
    assert float(laplacian[:, known].abs().amax(dim=0).min()) > 1e-3


def test_products_are_a_corner_s_powers_times_polynomials_up_to_the_largest_degree():
    a, b = Corner((0.0, 0.0), 0.0, 1.5 * np.pi, 1.0, largest=2.0).products.T
    exponents = {(round(3 * x), int(y)) for x, y in zip(a, b, strict=True)}
    assert exponents == {(2, 1), (5, 0)}  # z^(2/3) z̄ and z^(5/3): z^(2/3), z^(4/3) are plain
    assert len(Corner((0.0, 0.0), 0.0, np.pi / 2, 1.0).products) == 0


def test_field_is_the_sum_of_its_features():
    trial = built(FourierExtension((3, 4), extra=(CORNER,)), outputs=2, complex=True)
    rng = np.random.default_rng(44257)
    amplitudes = rng.normal(size=(trial.spec.features, 2)) + 1j * rng.normal(size=(trial.spec.features, 2))
    trial.set_amplitudes(torch.as_tensor(amplitudes))
    features = trial.features(points()).numpy(force=True)
    np.testing.assert_allclose(trial(points()).numpy(force=True), features @ amplitudes, atol=1e-12)


def test_only_the_inner_corner_of_an_l_has_plain_powers():
    corners = corners_of(Polygon(L_SHAPE))
    assert len(corners) == 6
    inner = next(corner for corner in corners if corner.at == (0.0, 0.0))
    assert inner.opening == pytest.approx(1.5 * np.pi)
    assert inner.powers[:2] == pytest.approx([2 / 3, 4 / 3])
    l_shape = Polygon(L_SHAPE)
    mixed = corners_of(
        l_shape, Sides(l_shape, (Dirichlet(0.0, on="edge-1"), Neumann(0.0, on=l_shape.faces[1:])))
    )
    assert max(mixed, key=lambda corner: corner.opening).powers[:2] == pytest.approx([1 / 3, 2 / 3])
    assert all(len(corner.powers) == 0 for corner in corners if corner is not inner)


def test_the_same_l_made_of_boxes_has_the_same_corners():
    made = corners_of(Box((-1, 1), (-1, 1)) - Box((0, 1.5), (-1.5, 0)))
    drawn = corners_of(Polygon(L_SHAPE))
    key = lambda corner: np.round(corner.at, 9).tolist()  # noqa: E731
    for corner, other in zip(sorted(made, key=key), sorted(drawn, key=key), strict=True):
        assert corner.at == pytest.approx(other.at, abs=1e-12)
        assert corner.opening == pytest.approx(other.opening, abs=1e-8)


@pytest.mark.parametrize("domain", [Disk((0, 0), 1.0), Interval(0, 1), Box((0, 1), (0, 1), (0, 1))])
def test_smooth_and_other_domains_have_no_corners(domain):
    assert corners_of(domain) == ()


def test_piecewise_function_evaluates_each_point_in_its_own_part():
    disk = Disk((0.0, 0.0), 0.5)
    spec = PiecewiseTrial(
        (Part((disk,), (), FourierExtension((2, 2))), Part((), (disk,), FourierExtension((2, 2))))
    )
    trial = built(spec)
    for value, frame in zip((1.0, 2.0), trial.trials, strict=True):
        amplitudes = torch.zeros(4, 1, dtype=torch.float64)
        amplitudes[0] = value  # the constant
        frame.set_amplitudes(amplitudes)
    x = points(50)
    torch.testing.assert_close(trial(x), torch.where(x.norm(dim=1) <= 0.5, 1.0, 2.0).double())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FourierExtension((0, 3)), "leaves an axis without modes"),
        (lambda: FourierExtension((3,), margin=0.0), "margin=0.0"),
        (lambda: built(FourierExtension((3,)), 2), "has 1 axes, but the domain has 2"),
        (lambda: PiecewiseTrial(()), "has no parts"),
    ],
)
def test_unfit_extensions_are_refused(make, message):
    with pytest.raises(DeclarationError, match=message):
        make()


def test_circles_that_cross_at_right_angles_leave_corners_of_three_right_angles():
    domain = Disk((0, 0), 1.0) | Disk((np.sqrt(2), 0), 1.0)
    corners = corners_of(domain)
    assert sorted(round(corner.at[1], 6) for corner in corners) == [-0.707107, 0.707107]
    np.testing.assert_allclose([corner.opening for corner in corners], 1.5 * np.pi, atol=1e-4)


def test_an_arc_leaves_a_corner_where_it_meets_a_side_and_none_elsewhere():
    half = Disk((0, 0), 1.0) & Box((-2, 2), (0, 2))
    corners = corners_of(half)
    assert sorted(round(corner.at[0], 6) for corner in corners) == [-1.0, 1.0]
    np.testing.assert_allclose([corner.opening for corner in corners], 0.5 * np.pi, atol=1e-4)
