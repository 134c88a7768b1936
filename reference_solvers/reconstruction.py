"""Wavefields that fit data and nearly solve the wave equation: the extended space of inversion, one frequency at a time.

This is for `irwri`. In the data-space form, with S = P A⁻¹, all fields that minimise

    ‖C (P u − d)‖² + λ ‖A u − q‖²    are    u = A⁻¹ (q + Sᴴ C y),    (C S Sᴴ C + λ) y = C (d − S q),

so one adjoint solution per receiver serves every shot. The normal equations would need their own factorisation, of a
matrix with twice the bandwidth and the squared condition number.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from neurapde.reference_solvers.helmholtz import HelmholtzGrid


@dataclass(frozen=True, eq=False)
class Experiment:
    """The data at one frequency, and the grid operator for them.

    Args:
        grid: the operator of any medium: only its part without m is used.
        loads: `(*shape, shots)`, the right-hand sides q of A u = q, from `HelmholtzGrid.load`.
        receivers: P `(r, n)`, from `HelmholtzGrid.receivers`.
        data: `(shots, r)`, complex; unused where the weight is 0.
        weights: `(shots, r)`, not negative: 0 where nothing was recorded. 1 everywhere by default.
        scaled: whether every load is known up to one complex factor, which is then found in closed form.

    Raises: ValueError for wrong shapes, negative weights, data that are not finite, or no recorded data.
    """

    grid: HelmholtzGrid
    loads: NDArray
    receivers: sparse.csr_array
    data: NDArray
    weights: NDArray | None = None
    scaled: bool = False

    def __post_init__(self) -> None:
        shape, (stations, size) = tuple(self.grid.grid.shape), self.receivers.shape
        loads, data = np.asarray(self.loads), np.asarray(self.data)
        if loads.shape[:-1] != shape or size != self.grid.grid.size:
            raise ValueError(
                f"loads must be (*{shape}, shots) and receivers (r, {self.grid.grid.size}) on this grid; got "
                f"{loads.shape} and {self.receivers.shape}."
            )
        wanted = (loads.shape[-1], stations)
        weights = np.ones(wanted) if self.weights is None else np.asarray(self.weights, float)
        if data.shape != wanted or weights.shape != wanted:
            raise ValueError(
                f"data and weights must be (shots, receivers) = {wanted} here; got {data.shape} and {weights.shape}."
            )
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError("a weight is negative or not finite; use 0 for data that were not recorded.")
        if not np.isfinite(data[weights > 0]).all():
            raise ValueError("data are not finite where their weight is not 0; set the weight to 0 there.")
        if not (np.abs(np.where(weights > 0, data, 0)) > 0).any():
            raise ValueError("all data are 0 or have the weight 0: nothing was recorded.")

    @cached_property
    def sources(self) -> NDArray[np.complex128]:
        """q `(n, shots)`, 0 at fixed nodes."""
        flat = np.asarray(self.loads, complex).reshape(self.grid.grid.size, -1)
        return flat * ~self.grid.fixed.reshape(-1, 1)

    @cached_property
    def recorded(self) -> NDArray[np.complex128]:
        """`(r, shots)`, the data times the roots of their weights, of norm 1 all together."""
        roots = self.roots
        known: NDArray[np.complex128] = np.where(roots > 0, np.asarray(self.data, complex).T, 0j)
        return known * roots

    @cached_property
    def roots(self) -> NDArray[np.float64]:
        """`(r, shots)`, roots of the weights, so scaled that `recorded` has the norm 1."""
        roots = np.ones(np.shape(self.data)).T if self.weights is None else np.sqrt(self.weights).T
        known = np.where(roots > 0, np.asarray(self.data).T, 0)
        return roots / np.linalg.norm(known * roots)

    @cached_property
    def derivative(self) -> sparse.csr_array:
        """G `(n, n)`: ∂(A(m) u)/∂m = G diag(u)."""
        return self.grid.derivative(np.ones(self.grid.grid.shape))

    @cached_property
    def gram(self) -> sparse.coo_array:
        """Gᴴ G `(n, n)`."""
        return sparse.coo_array(self.derivative.conj().T @ self.derivative)


@dataclass(frozen=True, eq=False)
class Fields:
    """Reconstructed fields of all shots.

    Attributes:
        values: u `(n, shots)`.
        sources: the loads q `(n, shots)`, scaled if their factors were unknown.
        violation: A u − q − s `(n, shots)`.
        read: C P u `(r, shots)`.
    """

    values: NDArray[np.complex128]
    sources: NDArray[np.complex128]
    violation: NDArray[np.complex128]
    read: NDArray[np.complex128]


class Reconstruction:
    """An experiment in one medium m: its predicted data, and the nearby fields that fit the data.

    Args:
        experiment: at one frequency.
        medium: m `(*shape)`.
    """

    def __init__(self, experiment: Experiment, medium: NDArray) -> None:
        self._experiment = experiment
        self._grid = experiment.grid.with_medium(medium)
        size, shape = experiment.grid.grid.size, tuple(experiment.grid.grid.shape)
        readings = experiment.receivers.T.toarray().reshape(*shape, -1)
        self._S = self._grid.solve_transposed(readings).reshape(size, -1).T
        self._predicted = experiment.roots * (self._S @ experiment.sources)

    @property
    def scales(self) -> NDArray[np.complex128]:
        """`(shots,)`, the factors of the loads that explain the data best; 1 if they are known."""
        if not self._experiment.scaled:
            return np.ones(self._predicted.shape[1], complex)
        return _factor(self._predicted, self._experiment.recorded, self._predicted)

    @property
    def residual(self) -> NDArray[np.complex128]:
        """C (P A⁻¹ q − d) `(r, shots)`; the data have the norm 1."""
        return self._predicted * self.scales - self._experiment.recorded

    def simulated(self) -> NDArray[np.complex128]:
        """A⁻¹ q `(*shape, shots)`."""
        return self._solved(self._experiment.sources * self.scales)

    def largest(self) -> float:
        """σ_max(C S Sᴴ C), of the shot with the largest."""
        patterns = np.unique(self._experiment.roots, axis=1).T
        return max(float(np.linalg.norm(self._weighted_gram(roots), 2)) for roots in patterns)

    def fields(
        self, penalty: float, source_duals: NDArray[np.complex128], data_duals: NDArray[np.complex128]
    ) -> Fields:
        """Minimise ‖C (P u − d) − d̂‖² + λ ‖A u − q − s‖² over u, and over the loads' factors if unknown.

        Args:
            penalty: λ, positive.
            source_duals: s `(n, shots)`.
            data_duals: d̂ `(r, shots)`, weighted by C.
        """
        roots, sources = self._experiment.roots, self._experiment.sources
        wanted = self._experiment.recorded + data_duals - roots * (self._S @ source_duals)
        inverted, loaded = np.empty_like(wanted), np.empty_like(wanted)
        patterns, which = np.unique(roots, axis=1, return_inverse=True)
        for index, pattern in enumerate(patterns.T):
            shots = np.flatnonzero(which.ravel() == index)
            factor = cho_factor(self._weighted_gram(pattern) + penalty * np.eye(len(pattern)))
            inverted[:, shots] = cho_solve(factor, wanted[:, shots])
            loaded[:, shots] = cho_solve(factor, self._predicted[:, shots])
        if self._experiment.scaled:
            scales = _factor(self._predicted, inverted, loaded)
        else:
            scales = np.ones(wanted.shape[1], complex)
        violation = self._S.conj().T @ (roots * (inverted - scales * loaded))
        values = self._solved(scales * sources + source_duals + violation).reshape(violation.shape)
        return Fields(values, scales * sources, violation, roots * (self._experiment.receivers @ values))

    def _weighted_gram(self, roots: NDArray[np.float64]) -> NDArray[np.complex128]:
        return roots[:, None] * self._gram * roots

    @cached_property
    def _gram(self) -> NDArray[np.complex128]:
        """S Sᴴ `(r, r)`."""
        return self._S @ self._S.conj().T

    def _solved(self, right: NDArray[np.complex128]) -> NDArray[np.complex128]:
        return self._grid.solve(right.reshape(*self._grid.grid.shape, -1))


def _factor(
    predicted: NDArray[np.complex128], wanted: NDArray[np.complex128], loaded: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """⟨p, w⟩ / ⟨p, l⟩ of each column."""
    below = (predicted.conj() * loaded).sum(axis=0).real
    return (predicted.conj() * wanted).sum(axis=0) / np.where(below > 0, below, 1)
