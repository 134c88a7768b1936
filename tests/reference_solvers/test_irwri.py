"""Wavefield reconstruction: its algebra against the normal equations, what must not change, and what it finds."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.io import loadmat
from scipy.sparse.linalg import spsolve

from neurapde.reference_solvers.grids.averaging import cell_average
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.helmholtz import HelmholtzGrid
from neurapde.reference_solvers.irwri import Prior, Refined, State, irwri
from neurapde.reference_solvers.reconstruction import Experiment, Reconstruction
from support import relative

SQUARE = Grid((-1, -1), (1, 1), (33, 29))
ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
RECEIVERS = 0.45 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
SOURCES = 0.4 * np.stack([np.cos(ANGLES[1::4]), np.sin(ANGLES[1::4])], axis=1)
HELD = (np.abs(SQUARE.points).max(axis=1) > 0.3).reshape(SQUARE.shape)


def layer(x: np.ndarray) -> np.ndarray:
    return 1 - 5j * (np.maximum(np.abs(x) - 0.5, 0) / 0.5) ** 2


def bump(height: float) -> np.ndarray:
    x, y = SQUARE.points.T
    return (1 - height * np.exp(-((x - 0.05) ** 2 + y**2) / 0.01) * ~HELD.ravel()).reshape(SQUARE.shape)


def experiment(medium: np.ndarray, wavenumber: float = 8.0, **changes: object) -> Experiment:
    grid = HelmholtzGrid(SQUARE, wavenumber, 1.0, stretch=(layer, layer))
    loads = grid.point_load(SOURCES, 1 + 0.5j)
    receivers = grid.receivers(RECEIVERS)
    fields = grid.with_medium(medium).solve(loads).reshape(SQUARE.size, -1)
    return replace(Experiment(grid, loads, receivers, (receivers @ fields).T), **changes)


def patchy() -> np.ndarray:
    """Weights, two patterns, with receivers that did not record."""
    weights = np.ones((4, 16))
    weights[1, 3] = weights[3, 3] = weights[1, 7] = weights[3, 7] = 0
    weights[0, 5] = weights[2, 5] = 2.5
    return weights


def normal_fields(
    each: Experiment, medium: np.ndarray, penalty: float, s: np.ndarray, d: np.ndarray
) -> np.ndarray:
    """(Pᵀ C² P + λ Aᴴ A) u = Pᵀ C (C d + d̂) + λ Aᴴ (q + s), shot by shot."""
    A = each.grid.with_medium(medium).operator
    columns = []
    for shot in range(len(each.data)):
        C = sparse.diags_array(each.roots[:, shot])
        left = (C @ each.receivers).T @ (C @ each.receivers) + penalty * A.conj().T @ A
        right = (C @ each.receivers).T @ (each.recorded[:, shot] + d[:, shot])
        right = right + penalty * A.conj().T @ (each.sources[:, shot] + s[:, shot])
        columns.append(spsolve(sparse.csc_array(left), right))
    return np.stack(columns, axis=1)


@pytest.fixture(scope="module")
def duals() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(48271)
    s, d = (rng.standard_normal((n, 4)) + 1j * rng.standard_normal((n, 4)) for n in (SQUARE.size, 16))
    inner = ~HelmholtzGrid(SQUARE, 8.0, 1.0).fixed.reshape(-1, 1)
    return s * inner, 0.1 * d


@pytest.mark.parametrize("weights", [None, patchy()], ids=["all", "patchy"])
def test_the_fields_solve_the_normal_equations(weights: np.ndarray | None, duals: tuple) -> None:
    each = experiment(bump(0.3), weights=weights)
    model = Reconstruction(each, bump(0.1))
    penalty = 1e-2 * model.largest()
    fields = model.fields(penalty, *duals)
    assert relative(fields.values, normal_fields(each, bump(0.1), penalty, *duals)) < 1e-9


def test_what_the_fields_violate_is_their_residual(duals: tuple) -> None:
    each = experiment(bump(0.3), weights=patchy())
    model = Reconstruction(each, bump(0.1))
    fields = model.fields(1e-2 * model.largest(), *duals)
    A = each.grid.with_medium(bump(0.1)).operator
    assert relative(fields.violation, A @ fields.values - fields.sources - duals[0]) < 1e-9
    assert relative(fields.read, each.roots * (each.receivers @ fields.values)) < 1e-11


def test_the_penalty_trades_the_data_for_the_equation() -> None:
    each = experiment(bump(0.3))
    model = Reconstruction(each, np.ones(SQUARE.shape))
    zero = np.zeros_like(each.sources), np.zeros_like(each.recorded)
    fields = [model.fields(mu * model.largest(), *zero) for mu in (1e-4, 1e-2, 1.0, 1e4)]
    misses = [np.linalg.norm(each.recorded - solution.read) for solution in fields]
    violations = [np.linalg.norm(solution.violation) for solution in fields]
    assert misses == sorted(misses)
    assert violations == sorted(violations, reverse=True)
    assert misses[0] < 1e-3
    assert misses[-1] == pytest.approx(np.linalg.norm(model.residual), rel=1e-3)


def test_loads_of_unknown_factor_are_as_good_as_the_best_factor(duals: tuple) -> None:
    each = experiment(bump(0.3), scaled=True, weights=patchy())
    model = Reconstruction(each, bump(0.1))
    penalty = 1e-2 * model.largest()

    def objective(factors: np.ndarray) -> float:
        loads = each.loads * factors
        known = Reconstruction(replace(each, loads=loads, scaled=False), bump(0.1))
        solution = known.fields(penalty, *duals)
        miss = solution.read - each.recorded - duals[1]
        return float(np.linalg.norm(miss) ** 2 + penalty * np.linalg.norm(solution.violation) ** 2)

    fields = model.fields(penalty, *duals)
    best = (
        (fields.sources[np.abs(each.sources).argmax(axis=0), range(4)])
        / each.sources[np.abs(each.sources).argmax(axis=0), range(4)]
    )
    least = objective(best)
    for change in (1e-3, -1e-3, 1e-3j, -1e-3j):
        for shot in range(4):
            assert objective(best + change * (np.arange(4) == shot)) > least


def test_unknown_factors_of_the_loads_are_found() -> None:
    factors = np.array([2.0, -1j, 0.3 + 0.1j, 1.0])
    each = experiment(bump(0.3))
    scaled = replace(each, data=each.data * factors[:, None], scaled=True)
    model = Reconstruction(scaled, bump(0.3))
    assert np.abs(model.scales - factors).max() < 1e-10
    assert np.linalg.norm(model.residual) < 1e-10


def test_at_the_true_medium_it_stays() -> None:
    refined = irwri([experiment(bump(0.3))], bump(0.3), Prior(0.15, 1.2, HELD), iterations=5)
    assert np.abs(refined.medium - bump(0.3)).max() < 1e-7
    assert refined.history[-1].misfit < 1e-7
    assert len(refined.history) == 6


def test_at_the_true_medium_a_level_ends_it_before_it_starts() -> None:
    refined = irwri([experiment(bump(0.3))], bump(0.3), Prior(0.15, 1.2, HELD), misfit=1e-6)
    assert refined.explained
    assert len(refined.history) == 1


@pytest.mark.parametrize("wavenumbers", [(8.0,), (5.0, 8.0)])
def test_it_finds_a_small_smooth_change_of_the_medium(wavenumbers: tuple[float, ...]) -> None:
    experiments = [experiment(bump(0.2), k) for k in wavenumbers]
    refined = irwri(experiments, np.ones(SQUARE.shape), Prior(0.15, 1.2, HELD, 1e-5), iterations=20)
    first, last = refined.history[0], refined.history[-1]
    assert last.misfit < 0.1 * first.misfit
    assert last.equation < 0.01
    assert relative(refined.medium - 1, bump(0.2) - 1) < 0.35
    fields = experiments[-1].grid.with_medium(refined.medium).solve(experiments[-1].loads)
    assert relative(refined.wavefields[-1], fields) < 1e-12
    assert refined.medium[HELD] == pytest.approx(1, abs=0)


def test_the_bounds_hold_in_every_iteration() -> None:
    seen: list[State] = []
    irwri(
        [experiment(bump(0.4))],
        np.ones(SQUARE.shape),
        Prior(0.8, 1.05, HELD),
        iterations=4,
        callback=seen.append,
    )
    assert [state.iteration for state in seen] == [1, 2, 3, 4]
    for state in seen:
        assert state.medium.min() >= 0.8
        assert state.medium.max() <= 1.05
    assert seen[-1].medium.min() == 0.8


def test_total_variation_makes_the_medium_simpler() -> None:
    variations = []
    for weight in (0.0, 1e-4, 1e-3):
        prior = Prior(0.15, 1.2, HELD, weight)
        refined = irwri([experiment(bump(0.3))], np.ones(SQUARE.shape), prior, iterations=2)
        variations.append(refined.history[-1].variation)
    assert variations[0] > 1.2 * variations[1] > 1.2 * variations[2]


def same(first: Refined, other: Refined) -> bool:
    fields = zip(first.wavefields, other.wavefields, strict=True)
    return (
        np.array_equal(first.medium, other.medium)
        and all(np.array_equal(a, b) for a, b in fields)
        and first.history[1:] == other.history[1:]
    )


def test_a_run_taken_up_again_is_the_run_not_interrupted_bit_for_bit() -> None:
    experiments = [experiment(bump(0.3), k, scaled=True) for k in (5.0, 8.0)]
    prior = Prior(0.15, 1.2, HELD, 1e-4)
    whole = irwri(experiments, np.ones(SQUARE.shape), prior, iterations=5)
    interrupted = irwri(experiments, np.ones(SQUARE.shape), prior, iterations=2)
    assert same(irwri(experiments, interrupted.state, prior, iterations=5), whole)
    assert not same(interrupted, whole)


def test_the_units_of_the_data_do_not_matter() -> None:
    each = experiment(bump(0.3))
    louder = replace(each, loads=1e4 * each.loads, data=1e4 * each.data)
    prior = Prior(0.15, 1.2, HELD, 1e-4)
    ones = np.ones(SQUARE.shape)
    first, other = (irwri([case], ones, prior, iterations=3) for case in (each, louder))
    assert relative(other.medium, first.medium) < 1e-4


def test_data_of_weight_zero_are_not_looked_at() -> None:
    each = experiment(bump(0.3))
    spoilt = each.data.copy()
    spoilt[patchy() == 0] = np.nan
    prior = Prior(0.15, 1.2, HELD)
    ones = np.ones(SQUARE.shape)
    first, other = (
        irwri([replace(each, data=data, weights=patchy())], ones, prior, iterations=2)
        for data in (each.data, spoilt)
    )
    np.testing.assert_allclose(first.medium, other.medium, rtol=1e-9)
    for wavefield, expected in zip(first.wavefields, other.wavefields, strict=True):
        np.testing.assert_allclose(wavefield, expected, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": np.zeros((4, 16), complex)}, "nothing was recorded"),
        ({"data": np.ones((16, 4), complex)}, r"\(shots, receivers\) = \(4, 16\) here; got \(16, 4\)"),
        ({"data": np.full((4, 16), np.nan)}, "data are not finite where their weight is not 0"),
        ({"weights": -np.ones((4, 16))}, "a weight is negative or not finite"),
        ({"loads": np.ones((33, 29))}, r"loads must be \(\*\(33, 29\), shots\)"),
    ],
)
def test_an_experiment_that_makes_no_sense_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        experiment(bump(0.3), **change)


def test_an_inversion_that_makes_no_sense_is_refused() -> None:
    each, prior, ones = experiment(bump(0.3)), Prior(0.15, 1.2, HELD), np.ones(SQUARE.shape)
    coarse = Grid((-1, -1), (1, 1), (27, 27))
    other = HelmholtzGrid(coarse, 8.0, 1.0, stretch=(layer, layer))
    foreign = Experiment(other, other.point_load(SOURCES), other.receivers(RECEIVERS), each.data)
    with pytest.raises(ValueError, match="there is no experiment"):
        irwri([], ones, prior)
    with pytest.raises(ValueError, match="the experiments have different grids"):
        irwri([each, foreign], ones, prior)
    with pytest.raises(ValueError, match=r"the start must be real and \(33, 29\)"):
        irwri([each], ones[1:], prior)
    with pytest.raises(ValueError, match=r"the penalty is 0.0; it must be finite and positive"):
        irwri([each], ones, prior, penalty=0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "weight"), [(115, 2e-3), (115, 4e-3), (105, 4e-3)])
def test_the_papers_data_show_the_disk_and_the_weight_of_the_prior_matters_little(
    n: int, weight: float
) -> None:
    folder = Path(os.environ.get("NEURAPDE_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
    file = folder / "data_cylinder_5.mat"
    if not file.is_file():
        pytest.skip(f"no {file}: set NEURAPDE_DATA to the folder with the paper's receiver data")
    paper = loadmat(file)
    square = Grid((-1, -1), (1, 1), (n, n))
    grid = HelmholtzGrid(square, 20.0, 1.0, stretch=(layer, layer))
    loads = np.stack([grid.gaussian_load(source, 1e-4, 1 + 1j) for source in paper["source"]], axis=-1)
    each = Experiment(grid, loads, grid.receivers(paper["receivers"]), paper["rec_val"].T)
    true = cell_average(lambda p: np.where(np.hypot(*p.T) < 0.1, 0.25, 1.0), square)
    assert np.linalg.norm(Reconstruction(each, true).residual) < 0.0176
    held = (np.abs(square.points).max(axis=1) > 0.36).reshape(n, n)
    refined = irwri([each], np.ones((n, n)), Prior(0.15, 1.2, held, weight), iterations=40, misfit=0.02)
    assert refined.explained
    assert np.linalg.norm(refined.medium - true) / np.linalg.norm(true - 1) < 0.2
