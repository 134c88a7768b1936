"""Polynomials on patches: their values are what they were made of, and their jets are their derivatives."""

import numpy as np
import pytest
import torch

import neurapde as npde
from neurapde.methods.marching.patches import ChebyshevPatches, PatchesFunction
from neurapde.trials.base import Setting


def drawn(spec: ChebyshevPatches, outputs: int = 1, complex: bool = False) -> PatchesFunction:
    """Random polynomials: on the line two patches, in the plane two windows of two and three elements."""
    dimension = len(spec.degrees)
    bounds = (np.zeros(dimension), np.full(dimension, 2.0))
    trial = spec.draw(Setting(bounds, outputs, complex, torch.Generator(), torch.float64, "cpu"))
    if dimension == 1:
        lower, upper = [[0.0], [0.5]], [[0.5], [2.0]]
    else:
        lower = [[0.0, 0.0], [1.2, 0.0], [0.0, 0.7], [0.5, 0.7], [1.5, 0.7]]
        upper = [[1.2, 0.7], [2.0, 0.7], [0.5, 2.0], [1.5, 2.0], [2.0, 2.0]]
    amplitudes = torch.randn(
        trial.amplitudes.shape, generator=torch.Generator().manual_seed(40213), dtype=torch.float64
    )
    trial.fill(torch.tensor([lower, upper]), amplitudes)
    return trial


@pytest.mark.parametrize(("outputs", "complex"), [(1, False), (3, False), (2, True)])
@pytest.mark.parametrize("degrees", [(6,), (5, 4)])
def test_jets_are_derivatives(degrees, outputs, complex):
    trial = drawn(ChebyshevPatches(2 if len(degrees) == 1 else 5, degrees), outputs, complex)
    points = (
        torch.rand((60, len(degrees)), generator=torch.Generator().manual_seed(40219), dtype=torch.float64)
        * 2
    )
    mixed = ((0, 1),) if len(degrees) == 2 else ()
    jet = trial.jet(points, 2, mixed)
    step = 1e-4
    for i in range(len(degrees)):
        shift = torch.zeros(len(degrees), dtype=torch.float64)
        shift[i] = step
        after, before = trial.jet(points + shift, 1), trial.jet(points - shift, 1)
        inside = (trial._patch_of(points + shift) == trial._patch_of(points - shift)).numpy()
        for slope, value in [(jet.d(i), "value"), (jet.d2(i, i), "d")]:
            up, down = (jet.value if value == "value" else jet.d(i) for jet in (after, before))
            difference = ((up - down) / (2 * step)).detach().numpy()
            wanted = slope.detach().numpy()
            np.testing.assert_allclose(difference[inside], wanted[inside], atol=1e-4 * np.abs(wanted).max())


def test_each_point_is_in_its_own_patch():
    trial = drawn(ChebyshevPatches(5, (1, 1)))
    points = torch.tensor(
        [
            [0.1, 0.1],
            [1.3, 0.1],
            [0.1, 0.8],
            [0.6, 0.8],
            [1.9, 1.9],
            [2.0, 2.0],
            [0.0, 0.0],
            [1.19, 0.69],
            [1.2, 0.7],
        ],
        dtype=torch.float64,
    )
    assert trial._patch_of(points).tolist() == [0, 1, 2, 3, 4, 4, 0, 0, 3]


def test_after_the_last_patch_there_is_nothing():
    trial = drawn(ChebyshevPatches(2, (3,)))
    with torch.no_grad():
        values = trial(torch.tensor([[2.0], [2.1]], dtype=torch.float64))
    assert torch.isfinite(values[0])
    assert torch.isnan(values[1])


@pytest.mark.parametrize("degrees", [(), (2, 2, 2), (-1,)])
def test_degrees_that_are_none_are_refused(degrees):
    with pytest.raises(npde.DeclarationError, match="degrees"):
        ChebyshevPatches(1, degrees)
