"""Iteratively refined wavefield reconstruction: a medium from receiver data, by alternating directions.

This is the classical inversion for comparisons. While the medium is wrong, fields need not solve the wave equation:
they fit the data and approximately A(m) u = q. Then m reduces the residual of the equation, a quadratic problem
because A is affine in m. Running sums of the residuals (the duals) correct the right-hand sides until both the data
and the equation hold. Fields are found in the space of the data: one adjoint solution per receiver serves all shots.
The medium has bounds and a weight of total variation. Cycle skipping is milder than in reduced-space inversion, but
not absent. The start and the prior determine what the data do not.

Measured on the paper's five shots over a disk (k = 20, 115² nodes, start m = 1, bounds 0.15 and 1.2; ended at a misfit
of 2 %, where the true disk has 1.73 %), the error ‖m − m*‖/‖m* − 1‖ is 0.87 without total variation, after 79
iterations. With weights of 2e-3, 4e-3 and 8e-3 and μ = 1e-2 it is 0.19, 0.16, 0.15, after 21 to 23 iterations of 0.25
s. Only weight/μ matters: μ = 1e-3 and 1e-1 with 0.4 μ also give 0.16. Iterations beyond the noise make the medium
worse: without total variation the smallest error is 0.5, at a misfit of 8 %.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from neurapde.reference_solvers.operators.total_variation import Minimum, Splitting, TotalVariation, minimise
from neurapde.reference_solvers.reconstruction import Experiment, Fields, Reconstruction

_TOLERANCE, _STEPS = 1e-4, 300  # of the problem for m, which starts where the last one ended


@dataclass(frozen=True)
class Entry:
    """The record of an iteration.

    Attributes:
        iteration: 0 is the start.
        misfit: ‖P A(m)⁻¹ q − d‖ / ‖d‖, of the fields that solve the wave equation in m; weighted; all frequencies.
        fitted: the same of the reconstructed fields; NaN at the start.
        equation: ‖A(m) u − q‖ / ‖q‖ of the reconstructed fields; NaN at the start.
        variation: TV(m).
    """

    iteration: int
    misfit: float
    fitted: float
    equation: float
    variation: float


@dataclass(frozen=True, eq=False)
class State:
    """Everything that the next iteration depends on; `irwri` continues from it, bit for bit.

    Attributes:
        medium: m `(*shape)`.
        source_duals: s `(n, shots)`, one per frequency.
        data_duals: d̂ `(r, shots)`, one per frequency, weighted as `Experiment.recorded`.
        penalties: λ, one per frequency.
        splitting: of the last problem for m.
        history: an entry for the start and one for each iteration.
    """

    medium: NDArray[np.float64]
    source_duals: tuple[NDArray[np.complex128], ...]
    data_duals: tuple[NDArray[np.complex128], ...]
    penalties: tuple[float, ...]
    splitting: Splitting | None
    history: tuple[Entry, ...]

    @property
    def iteration(self) -> int:
        """Iterations done."""
        return self.history[-1].iteration


@dataclass(frozen=True, eq=False)
class Refined:
    """The result of `irwri`.

    Attributes:
        medium: m `(*shape)`, within its bounds.
        wavefields: `(*shape, shots)`, one per frequency: they solve the wave equation in m.
        scales: `(shots,)`, one per frequency, the factors of the loads.
        explained: whether the data are explained to the given level.
        history: one entry for the start and one for each iteration.
        state: to continue from.
    """

    medium: NDArray[np.float64]
    wavefields: tuple[NDArray[np.complex128], ...]
    scales: tuple[NDArray[np.complex128], ...]
    explained: bool
    history: tuple[Entry, ...]
    state: State


@dataclass(frozen=True, eq=False)
class Prior:
    """Prior knowledge of m.

    Args:
        lower, upper: bounds, numbers or `(*shape)`.
        held: `(*shape)`, where m keeps its start value; nowhere by default.
        variation: the weight of TV(m) relative to ½ λ ‖A(m) u − q‖², with data of norm 1; 0.2 μ to 0.8 μ worked for
            the paper's disk.
    """

    lower: ArrayLike
    upper: ArrayLike
    held: NDArray[np.bool_] | None = None
    variation: float = 0.0


def irwri(
    experiments: Sequence[Experiment],
    start: NDArray[np.float64] | State,
    prior: Prior,
    *,
    penalty: float = 1e-2,
    iterations: int = 50,
    misfit: float = 0.0,
    callback: Callable[[State], bool | None] | None = None,
) -> Refined:
    """Invert for m by iteratively refined wavefield reconstruction.

    It ends when the fields *that solve the wave equation in m* explain the data to `misfit`, or after `iterations` in
    all, including those before a given state. (The criterion of the source, that the reconstructed fields fit the data
    and nearly solve the equation, follows from this and says less about m.)

    Args:
        experiments: one per frequency, on one grid, with equal weights.
        start: m `(*shape)`, real, or the state of a run to continue; then `penalty` is that of the state.
        prior: bounds, held nodes and the weight of total variation.
        penalty: μ; λ = μ σ_max(S Sᴴ), S = P A⁻¹ weighted, at the start. 1e-3 trusts the data, 1e-1 the equation.
        iterations: each costs one factorisation and (r + 2 shots) solutions per frequency.
        misfit: relative level of the noise, 0.1 for 20 dB; 0 never ends before `iterations`.
        callback: called with the state after each iteration; the run ends if it returns True.

    Raises: ValueError for no experiment, different grids, a medium of another shape or not real, a penalty that is not
        positive.
    Source: Aghamiry, Gholami, Operto (2019), Geophysics 84(6), with the step for the fields in the space of the data
        and loads scaled by variable projection.
    """
    _check(experiments, start, penalty)
    state = start if isinstance(start, State) else _first(experiments, start, penalty)
    models = [Reconstruction(each, state.medium) for each in experiments]
    while state.history[-1].misfit > misfit and state.iteration < iterations:
        state, models = _next(state, experiments, models, prior)
        if callback is not None and callback(state):
            break
    fields = tuple(model.simulated() for model in models)
    scales = tuple(model.scales for model in models)
    return Refined(state.medium, fields, scales, state.history[-1].misfit <= misfit, state.history, state)


def _first(experiments: Sequence[Experiment], medium: NDArray[np.float64], penalty: float) -> State:
    medium = np.array(medium, float)
    models = [Reconstruction(each, medium) for each in experiments]
    entry = Entry(0, _misfit(models), np.nan, np.nan, TotalVariation(experiments[0].grid.grid)(medium))
    return State(
        medium,
        tuple(np.zeros_like(each.sources) for each in experiments),
        tuple(np.zeros_like(each.recorded) for each in experiments),
        tuple(penalty * model.largest() for model in models),
        None,
        (entry,),
    )


def _next(
    state: State, experiments: Sequence[Experiment], models: Sequence[Reconstruction], prior: Prior
) -> tuple[State, list[Reconstruction]]:
    """One iteration, and the experiments in the medium that it leads to."""
    duals = zip(state.penalties, state.source_duals, state.data_duals, strict=True)
    fields = [model.fields(*each) for model, each in zip(models, duals, strict=True)]
    minimum = _medium(state, experiments, fields, prior)
    change = (minimum.values - state.medium).reshape(-1, 1)
    remaining = [  # A(m) u − q − s in the new m
        each.violation + experiment.derivative @ (change * each.values)
        for experiment, each in zip(experiments, fields, strict=True)
    ]
    source_duals = tuple(-each for each in remaining)
    misses = [experiment.recorded - each.read for experiment, each in zip(experiments, fields, strict=True)]
    data_duals = tuple(dual + miss for dual, miss in zip(state.data_duals, misses, strict=True))
    following = [Reconstruction(each, minimum.values) for each in experiments]
    entry = Entry(
        state.iteration + 1,
        _misfit(following),
        _norm(misses) / np.sqrt(len(misses)),
        _norm([a + b for a, b in zip(remaining, state.source_duals, strict=True)])
        / _norm([each.sources for each in fields]),
        TotalVariation(experiments[0].grid.grid)(minimum.values),
    )
    after = State(
        minimum.values, source_duals, data_duals, state.penalties, minimum.splitting, (*state.history, entry)
    )
    return after, following


def _medium(
    state: State, experiments: Sequence[Experiment], fields: Sequence[Fields], prior: Prior
) -> Minimum:
    """The m that minimises Σ ½ λ ‖A(m) u − q − s‖² + weight · TV(m) within the bounds."""
    shape, size = state.medium.shape, state.medium.size
    hessian, slope = sparse.csr_array((size, size)), np.zeros(size)
    for penalty, experiment, each in zip(state.penalties, experiments, fields, strict=True):
        gram, u = experiment.gram, each.values
        products = np.einsum("is,is->i", u[gram.row].conj(), u[gram.col])
        entries = penalty * (gram.data * products).real
        hessian = hessian + sparse.csr_array((entries, (gram.row, gram.col)), shape=(size, size))
        back = experiment.derivative.conj().T @ each.violation
        slope += penalty * (u.conj() * back).sum(axis=1).real
    return minimise(
        TotalVariation(experiments[0].grid.grid),
        hessian,
        state.medium,
        weight=prior.variation,
        slope=slope.reshape(shape),
        lower=prior.lower,
        upper=prior.upper,
        held=prior.held,
        tolerance=_TOLERANCE,
        iterations=_STEPS,
        start=state.splitting,
    )


def _misfit(models: Sequence[Reconstruction]) -> float:
    return _norm([model.residual for model in models]) / float(np.sqrt(len(models)))


def _norm(parts: Sequence[NDArray]) -> float:
    return float(np.sqrt(sum(np.linalg.norm(array) ** 2 for array in parts)))


def _check(experiments: Sequence[Experiment], start: NDArray[np.float64] | State, penalty: float) -> None:
    if not experiments:
        raise ValueError("there is no experiment to invert; give one per frequency.")
    grid = experiments[0].grid.grid
    if any(each.grid.grid != grid for each in experiments):
        raise ValueError(
            "the experiments have different grids; m needs one grid, so use one for all frequencies."
        )
    medium = start.medium if isinstance(start, State) else np.asarray(start)
    if medium.shape != tuple(grid.shape) or not np.isrealobj(medium):
        raise ValueError(
            f"the start must be real and {grid.shape} on this grid; got {medium.dtype} {medium.shape}."
        )
    if not (np.isfinite(penalty) and penalty > 0):
        raise ValueError(f"the penalty is {penalty}; it must be finite and positive, usually 1e-3 to 1e-1.")
