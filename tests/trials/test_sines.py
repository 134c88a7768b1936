"""The lattice as a trial function: a SIREN's hidden layer by another name, with exact jets."""

import numpy as np
import pytest
import torch

from neurapde.core.errors import DeclarationError
from neurapde.trials.sines import SineLattice

CASES = [
    ((5,), None),
    ((4, 6), None),
    ((4, 6), ((True, False), (False, True))),
    ((3, 4, 2), ((True, True), (False, False), (False, True))),
]


def build(modes, free, complex=True, outputs=2):
    lower = -1 + 0.1 * np.arange(len(modes))
    function = SineLattice(modes, free).build(
        (lower, np.ones(len(modes))), outputs, complex, generator=torch.Generator(), dtype=torch.float64
    )
    rng = np.random.default_rng(51287)
    values = rng.normal(size=(*modes, outputs))
    function.set_coefficients(values + 1j * rng.normal(size=values.shape) if complex else values)
    points = torch.as_tensor(rng.uniform(-0.6, 0.9, (11, len(modes))))
    return function, points


@pytest.mark.parametrize(("modes", "free"), CASES)
@pytest.mark.parametrize("complex", [True, False])
def test_lattice_is_a_hidden_layer_of_sines_with_a_linear_head(modes, free, complex):
    function, points = build(modes, free, complex)
    weight, bias, head = function.neurons()
    assert len(weight) == 2 ** (len(modes) - 1) * np.prod(modes)
    layer = torch.sin(points @ weight.T + bias).to(head.dtype)
    torch.testing.assert_close(layer @ head, function(points), atol=1e-12, rtol=0)


@pytest.mark.parametrize(("modes", "free"), CASES)
def test_jet_equals_nested_differentiation(modes, free):
    function, points = build(modes, free, complex=False, outputs=1)
    d = len(modes)
    pairs = tuple((i, j) for i in range(d) for j in range(i))
    jet = function.jet(points, 2, pairs)
    points.requires_grad_()
    (gradient,) = torch.autograd.grad(function(points).sum(), points, create_graph=True)
    torch.testing.assert_close(jet.gradient, gradient, atol=1e-10, rtol=0)
    for i in range(d):
        (second,) = torch.autograd.grad(gradient[:, i].sum(), points, retain_graph=True)
        for j in range(d):
            torch.testing.assert_close(jet.d2(i, j), second[:, j], atol=1e-9, rtol=0)


def test_single_output_is_squeezed_and_shots_are_not():
    assert build((3, 3), None, outputs=1)[0](torch.zeros(4, 2, dtype=torch.float64)).shape == (4,)
    assert build((3, 3), None, outputs=3)[0](torch.zeros(4, 2, dtype=torch.float64)).shape == (4, 3)


def test_precision_follows_the_parameters():
    function, points = build((3, 4), None)
    exact = function(points)
    single = function.to(torch.float32)(points.float())
    assert single.dtype == torch.complex64
    torch.testing.assert_close(single.to(exact.dtype), exact, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (lambda: SineLattice(()), "leaves an axis without modes"),
        (lambda: SineLattice((3, 0)), "leaves an axis without modes"),
        (lambda: SineLattice((3, 3), ((True, True),)), "free names 1 axes and modes 2"),
        (lambda: SineLattice((3,)).axes(((-1, -1), (1, 1))), "has 1 axes, but the domain has 2"),
    ],
)
def test_unfit_lattices_are_refused(spec, message):
    with pytest.raises(DeclarationError, match=message):
        spec()
