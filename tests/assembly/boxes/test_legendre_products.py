"""Products of Legendre polynomials: values and derivatives against NumPy's, and what is refused."""

import numpy as np
import pytest
import torch
from numpy.polynomial.legendre import legder, legval2d

from neurapde.assembly.boxes.trial import LegendreProducts
from neurapde.core.errors import DeclarationError
from support import seeded

BOUNDS = ([0.0, -1.0], [3.0, 0.0])


@pytest.mark.parametrize("complex", [False, True])
def test_a_jet_is_that_of_the_sum_of_products(complex: bool) -> None:
    trial = LegendreProducts((5, 7)).build(BOUNDS, 2, complex, generator=seeded(31121))
    random = torch.rand(5, 7, 2, 2, generator=seeded(40231), dtype=torch.float64)
    amplitudes = (torch.view_as_complex(random) if complex else random[..., 0]).numpy()
    trial.set_coefficients(amplitudes)
    points = torch.rand(30, 2, generator=seeded(50261), dtype=torch.float64) * torch.tensor([3.0, 1.0])
    points[:, 1] -= 1.0
    jet = trial.jet(points, 2, ((0, 1),))
    x, y = (points[:, 0] / 1.5 - 1).numpy(), (2 * points[:, 1] + 1).numpy()

    def derived(i: int, j: int) -> np.ndarray:
        return legval2d(x, y, legder(legder(amplitudes, i, axis=0), j, axis=1)).T / 1.5**i * 2.0**j

    channels = (jet.value, jet.d(0), jet.d(1), jet.d2(0), jet.d2(1), jet.d2(0, 1))
    for channel, (i, j) in zip(channels, [(0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (1, 1)], strict=True):
        assert np.allclose(channel.detach().numpy(), derived(i, j), rtol=1e-12, atol=1e-10)


def test_as_many_numbers_as_axes_are_asked_for() -> None:
    with pytest.raises(DeclarationError, match="has 3 axes, but the domain has 2"):
        LegendreProducts((3, 3, 3)).build(BOUNDS, generator=seeded(31121))
    with pytest.raises(DeclarationError, match="without modes"):
        LegendreProducts((0, 3))
