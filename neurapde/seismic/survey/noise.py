"""Noise of a stated level. A level is relative: ‖noise‖/‖signal‖ in the L2 norm, 0.1 for 20 dB."""

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError


def added(
    data: NDArray | None, traces: NDArray | None, live: NDArray[np.bool_], level: float, seed: int | None
) -> dict[str, NDArray]:
    """Spectra `(F, S, R)` with noise of the level at each frequency, or traces `(S, R, T)` with it over all.

    live: `(S, R)`: noise where True.
    """
    if seed is None:
        raise DeclarationError(
            f"noise of level {level:g} without a seed; give seed=…, so that it can be made again"
        )
    generator = np.random.default_rng(checks.whole(seed, "seed", 0))
    if traces is not None:
        noise = np.where(live[..., None], generator.standard_normal(traces.shape), 0)
        return {"traces": traces + level * np.linalg.norm(traces) / np.linalg.norm(noise) * noise}
    assert data is not None
    noise = generator.standard_normal(data.shape) + 1j * generator.standard_normal(data.shape)
    noise = np.where(live, noise, 0)
    scale = np.linalg.norm(data, axis=(1, 2)) / np.linalg.norm(noise, axis=(1, 2))
    return {"data": data + level * scale[:, None, None] * noise}
