"""The grid reference of waves and the method of lines share nothing: an error in one is not in the other."""

import ast
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import neurapde as npde
from neurapde.assembly.wave import WaveLattice
from neurapde.assembly.wave_medium import WaveMedium
from neurapde.assembly.wave_problem import WaveProblem
from neurapde.references import wave_stage
from neurapde.references.wave_resolution import spectrum_of

GRIDS = Path(__file__).resolve().parents[2] / "neurapde" / "references"


def layered(variance: float = 0.006) -> npde.Problem:
    start = npde.InitialCondition(lambda x: npde.exp(-((x[:, 0] + 0.3) ** 2) / (2 * variance)))
    return npde.Problem(
        "layered",
        npde.Interval(-1, 1).over(npde.Time(0, 0.9)),
        npde.Wave(npde.Piecewise(1.0, (npde.Interval(0.1, 0.3), 0.5))),
        boundary=[start, npde.Absorbing()],
    )


def differ() -> tuple[float, float, float]:
    """How far solution and reference are apart, and the error that each states."""
    problem = layered()
    solution, grid = npde.solve(problem), npde.reference(problem)
    points = np.random.default_rng(50413).uniform((-1, 0), (1, 0.9), (2000, 2))
    mine, other = np.asarray(solution(points)), np.asarray(grid(points))
    assert grid.error_estimate is not None
    apart = float(np.linalg.norm(mine - other) / np.linalg.norm(other))
    return apart, float(solution.stages[-1].extras["error_estimate"]), grid.error_estimate


@pytest.mark.parametrize("name", ["wave.py", "wave_stage.py", "wave_resolution.py"])
def test_the_reference_imports_nothing_of_a_method(name: str) -> None:
    tree = ast.parse((GRIDS / name).read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [
        m for m in modules if m.startswith(("neurapde.assembly", "neurapde.methods", "neurapde.trials"))
    ]


def test_without_an_error_both_agree_within_what_they_state() -> None:
    apart, stated, grid = differ()
    assert apart < 3 * (stated + grid)
    assert apart < 4e-3


def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    whole: Callable[..., WaveLattice] = WaveProblem.lattice

    def planted(self: WaveProblem, bandwidth: float, most: int) -> WaveLattice:
        return whole(self, 0.4 * bandwidth if np.isfinite(bandwidth) else bandwidth, most)

    monkeypatch.setattr(WaveProblem, "lattice", planted)
    monkeypatch.setattr(
        "neurapde.methods.method_of_lines.judged", lambda level, coarse: level
    )  # its own estimate is blind


def wrong_medium(monkeypatch: pytest.MonkeyPatch) -> None:
    true: Callable[..., np.ndarray] = WaveMedium.moments
    monkeypatch.setattr(WaveMedium, "moments", lambda self, modes: 1.05 * true(self, modes))


def wrong_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    true: Callable[..., np.ndarray] = wave_stage.cell_average
    monkeypatch.setattr(wave_stage, "cell_average", lambda field, grid: 1.05 * true(field, grid))


@pytest.mark.parametrize("plant", [coarse, wrong_medium, wrong_grid])
def test_an_error_planted_in_one_is_shown_by_the_other(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    apart, stated, grid = differ()
    assert apart > 0.02
    assert apart > 5 * (stated + grid)


def test_a_grid_is_as_fine_as_the_shortest_wave_in_the_slowest_part_asks_for() -> None:
    """A Gaussian has a share of 2e-3 of its norm beyond √ln(…)/s; it is half as long where the speed is half."""
    variance = 0.006
    asked = spectrum_of(layered(variance))
    alone = math.sqrt(2 / variance) * 2.185  # erfc(2.185) = 2e-3, squared: …
    assert asked.wavenumber == pytest.approx(alone * 2, rel=0.1)
    assert asked.thinnest == pytest.approx(0.2)
    finer = npde.reference(layered(variance / 16), error=False)
    assert len(finer.axes[0]) > 3 * len(npde.reference(layered(variance), error=False).axes[0])


@pytest.mark.parametrize("inside", [True, False])
def test_a_signal_asks_for_a_grid_by_its_own_spectrum(inside: bool) -> None:
    signal = npde.Ricker(5.0) if inside else npde.Ricker(10.0)
    problem = npde.Problem(
        "heard",
        npde.Interval(0, 1).over(npde.Time(0, 1)),
        npde.Wave(2.0),
        npde.PulsedSource(npde.PointSource((0.4,)), signal),
        npde.Absorbing(),
    )
    asked = spectrum_of(problem)
    assert asked.frequency == pytest.approx(2 * np.pi * signal.peak_frequency * 2.9, rel=0.1)
    assert asked.wavenumber == pytest.approx(asked.frequency / 2)


@pytest.mark.parametrize("frequency", [1.0, 6.0])
def test_the_error_bar_of_a_grid_covers_d_alembert_s_solution(frequency: float) -> None:
    """Long waves ask the layers, short ones the nodes."""
    delay, at = 1.5 / frequency, -0.1
    problem = npde.Problem(
        "ricker",
        npde.Interval(-1, 1).over(npde.Time(0, 3 / frequency + 0.7)),
        npde.Wave(1.0),
        npde.RickerSource((at,), frequency),
        npde.Absorbing(),
    )
    grid = npde.reference(problem)
    stop = 3 / frequency + 0.7
    points = np.random.default_rng(10709).uniform((-1, 0), (1, stop), (3000, 2))
    points = points[np.abs(points[:, 0] - at) > 3 * grid.grid.spacing[0]]
    late = points[:, 1] - np.abs(points[:, 0] - at) - delay
    truth = (
        late * np.exp(-((np.pi * frequency * late) ** 2))
        + delay * np.exp(-((np.pi * frequency * delay) ** 2))
    ) / 2
    truth = np.where(late > -delay, truth, 0.0)
    assert grid.error_estimate is not None
    off = np.linalg.norm(np.asarray(grid(points)) - truth) / np.linalg.norm(truth)
    assert off < 3 * grid.error_estimate
    assert off < 5e-3


@pytest.mark.parametrize("at", [(-0.5, 0.0), (-0.49, 0.0), (-0.5, -0.4)])
def test_a_point_on_a_mirror_sends_all_its_mass_into_the_domain(at: tuple[float, float]) -> None:
    problem = npde.Problem(
        "mirrored",
        npde.Box((-0.5, 0.5), (-0.4, 0.4)).over(npde.Time(0, 0.9)),
        npde.Wave(1.0),
        npde.RickerSource(at, 4.0),
        [npde.Neumann(0.0, on=("left", "bottom")), npde.Absorbing(on=("right", "top"))],
    )
    points = np.random.default_rng(10709).uniform((-0.5, -0.4, 0.3), (0.5, 0.4, 0.9), (1500, 3))
    points = points[np.hypot(points[:, 0] - at[0], points[:, 1] - at[1]) > 0.1]
    mine, other = (np.asarray(field(points)) for field in (npde.solve(problem), npde.reference(problem)))
    assert np.linalg.norm(mine - other) < 5e-3 * np.linalg.norm(mine)
