"""Random regions by the default method against exact fields: the first cases of the benchmark `regions`."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def _cases() -> Any:
    path = Path(__file__).resolve().parents[3] / "benchmarks" / "regions_cases.py"
    spec = importlib.util.spec_from_file_location("regions_cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CASES = _cases()


@pytest.mark.parametrize(
    ("family", "number"),
    [
        *(("disks", i) for i in (0, 1, 2, 4)),
        pytest.param("disks", 3, marks=pytest.mark.slow),
        ("rooms", 0),
        *(("plates", i) for i in range(4)),
    ],
)
def test_the_error_is_at_most_three_times_what_is_stated(family: str, number: int) -> None:
    judgement = CASES.judged(getattr(CASES, family), number)

    assert not judgement.silent, judgement


def test_the_series_of_several_disks_meets_the_conditions_on_their_rims() -> None:
    """Values and slopes go on, value or slope are zero, by differences across the rims."""
    k = 12.0
    disks = [
        CASES.Scatterer(0.1 + 0.1j, 0.2, 2.0),
        CASES.Scatterer(-0.3j, 0.15, "soft"),
        CASES.Scatterer(0.5 - 0.2j, 0.12, "hard"),
    ]
    field = CASES.several_disks(k, -0.4 + 0.2j, disks, 20.0)
    turn = np.exp(1j * np.linspace(0, 6, 40))

    def at(disk: Any, away: float) -> np.ndarray:
        z = disk.center + disk.radius * turn + away * turn
        return np.asarray(field(np.stack([z.real, z.imag], axis=1)))

    h = 1e-4

    def rim(disk: Any, side: float) -> tuple[np.ndarray, np.ndarray]:
        """Value and slope, from two places on one side."""
        near, far = at(disk, side * h), at(disk, 2 * side * h)
        return 2 * near - far, (far - near) / (side * h)

    for inner, outer in zip(rim(disks[0], -1), rim(disks[0], 1), strict=True):
        assert np.abs(inner - outer).max() < 1e-2 * np.abs(outer).max()
    assert np.abs(rim(disks[1], 1)[0]).max() < 1e-5
    assert np.abs(rim(disks[2], 1)[1]).max() < 1e-2 * np.abs(rim(disks[1], 1)[1]).max()
