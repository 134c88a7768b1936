"""The matrix of a weak form on a lattice of sines, applied in O(n^{3/2}) and inverted by iteration, never stored.

The constant part of the coefficient separates: its matrix is K ⊗ M + M ⊗ K − c₀ M ⊗ M with the one-dimensional matrices
M = ∫ e φφ, K = ∫ φ′φ′/e, and its inverse is the solution of a Sylvester equation by Schur forms (Bartels and Stewart
1972), which stays accurate where the layer makes the eigenvectors nearly dependent. What varies, δc = c − c₀, is replaced
by the trigonometric polynomial with the same cosine moments up to twice the band: on the grid of midpoints it gives every
entry ∫ E δc φ_i φ_j exactly. GMRES (Saad and Schultz 1986) solves (A₀ + V) x = b as (1 + A₀⁻¹V) x = A₀⁻¹b.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lu_factor, lu_solve, schur
from scipy.linalg.lapack import ztrsyl
from scipy.sparse.linalg import LinearOperator, gmres

from neurapde.spectral.modes import AxisModes, along_all, project
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.weak import Piece, WeakForm

Modes = tuple[AxisModes, AxisModes]
AxisRule = tuple[FloatArray, FloatArray]
RESTART = 100  # Krylov vectors kept; a penetrable medium takes about ten, a resonant one up to a few hundred
LARGEST_ITERATIONS = 600
DIRECT = (
    64  # size up to which LAPACK's unblocked solver of a triangular Sylvester equation is as fast as halving
)


@dataclass(frozen=True)
class LatticeSolution:
    """Coefficients (count_0, count_1) of the modes, the relative residual left, and the iterations it took."""

    coefficients: np.ndarray
    residual: float
    iterations: int


class LatticeOperator:
    """A = A₀ + V for a weak form in two dimensions on the product of two sets of modes."""

    def __init__(self, form: WeakForm, modes: Modes, background: complex) -> None:
        self.form, self.modes, self.background = form, modes, background
        pairs = [_axis_matrices(form, axis, axis_modes) for axis, axis_modes in enumerate(modes)]
        self.stiffness = [stiffness for stiffness, _ in pairs]
        self.mass = [mass for _, mass in pairs]
        self.inverse = _SeparableInverse(self.stiffness, self.mass, background)
        self.variation = self._variation_on_grid()
        self._analysis = [
            axis_modes.on_grid.T * (axis_modes.length / len(axis_modes.grid)) for axis_modes in modes
        ]

    def _variation_on_grid(self) -> np.ndarray | None:
        """E δc on the grid of midpoints as its trigonometric polynomial, or None where δc vanishes everywhere.

        The background piece is integrated over the whole domain, and in every other piece what it changes.
        """
        background = self.form.pieces[-1]
        parts = [
            self._background_moments(piece) if piece is background else self._piece_moments(piece, background)
            for piece in varying(self.form, self.background)
        ]
        return (
            along_all([axis_modes.synthesis for axis_modes in self.modes], np.sum(parts, axis=0))
            if parts
            else None
        )

    def _bandwidth(self, piece: Piece) -> float:
        return moment_bandwidth(self.form, piece, max(axis_modes.bandwidth for axis_modes in self.modes))

    def _background_moments(self, piece: Piece) -> np.ndarray:
        (x, wx), (y, wy) = coefficient_rule(self.form, self.modes, piece)
        points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
        values = self.form.scale(points) * (self.form.values(piece, points) - self.background)
        tables = [self.modes[0].cosines(x) * wx, self.modes[1].cosines(y) * wy]
        return along_all(tables, values.reshape(len(x), len(y)))

    def _piece_moments(self, piece: Piece, background: Piece) -> np.ndarray:
        points, weights = self.form.rule(piece, self._bandwidth(piece))
        change = self.form.values(piece, points) - self.form.values(background, points)
        return project(
            [axis_modes.cosines for axis_modes in self.modes],
            points,
            weights * self.form.scale(points) * change,
        )

    def vary(self, coefficients: np.ndarray) -> np.ndarray:
        """V x: the varying part of the coefficient."""
        if self.variation is None:
            return np.zeros_like(coefficients)
        field = along_all([axis_modes.on_grid for axis_modes in self.modes], coefficients)
        return along_all(self._analysis, self.variation * field)

    def apply(self, coefficients: np.ndarray) -> np.ndarray:
        """A x."""
        (kx, ky), (mx, my) = self.stiffness, self.mass
        separable = self.background * mx @ coefficients @ my - kx @ coefficients @ my - mx @ coefficients @ ky
        return separable + self.vary(coefficients)

    def solve(self, load: np.ndarray, accuracy: float, guess: np.ndarray | None = None) -> LatticeSolution:
        """Solve A x = load (count_0, count_1) to a relative `accuracy`, starting from `guess`."""
        target = self.inverse(load)
        size, shape = load.size, load.shape
        iterations = 0

        def step(flat: np.ndarray) -> np.ndarray:
            x = flat.reshape(shape)
            return (x + self.inverse(self.vary(x))).ravel()

        def count(_: float) -> None:
            nonlocal iterations
            iterations += 1

        if self.variation is None:
            solution = target
        else:
            start = None if guess is None else guess.ravel()
            flat, _ = gmres(
                LinearOperator((size, size), step, dtype=complex),
                target.ravel(),
                x0=start,
                rtol=accuracy,
                restart=RESTART,
                maxiter=LARGEST_ITERATIONS // RESTART,
                callback=count,
                callback_type="pr_norm",
            )
            solution = flat.reshape(shape)
        norm = np.linalg.norm(load)
        residual = np.linalg.norm(self.apply(solution) - load) / norm if norm else 0.0
        return LatticeSolution(solution, float(residual), iterations)


def varying(form: WeakForm, constant: complex) -> list[Piece]:
    """The pieces to integrate over: the background where it is not the constant, others where they are not its."""
    *others, background = form.pieces
    base = form.constant(background)
    inhomogeneous = [piece for piece in others if base is None or form.constant(piece) != base]
    return inhomogeneous if base == constant else [background, *inhomogeneous]


def moment_bandwidth(form: WeakForm, piece: Piece, largest: float) -> float:
    """Of a coefficient's product with two modes up to `largest`, and half as much again for chords that run aslant."""
    return 3 * largest + piece.bandwidth + form.detail


def coefficient_rule(form: WeakForm, modes: Modes, piece: Piece) -> tuple[AxisRule, AxisRule]:
    """Nodes and weights along each axis for a coefficient that holds everywhere."""
    bandwidth = moment_bandwidth(form, piece, max(axis_modes.bandwidth for axis_modes in modes))
    return form.axis_rule(0, bandwidth), form.axis_rule(1, bandwidth)


def _axis_matrices(form: WeakForm, axis: int, modes: AxisModes) -> tuple[np.ndarray, np.ndarray]:
    """K = ∫ φ′φ′/e and M = ∫ e φφ of one axis, complex symmetric (count, count)."""
    x, weights = form.axis_rule(axis, 2 * modes.bandwidth)
    e = form.stretch.axis(axis).factor(x)
    slopes, values = modes.slopes(x), modes.values(x)
    return _gram(slopes, weights / e), _gram(values, weights * e)


def _gram(factor: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (factor * weights.real) @ factor.T + 1j * ((factor * weights.imag) @ factor.T)


class _SeparableInverse:
    """X with −(K X M + M X K) + c₀ M X M = F, for complex symmetric K and M of either axis."""

    def __init__(self, stiffness: list[np.ndarray], mass: list[np.ndarray], constant: complex) -> None:
        factors = [lu_factor(m) for m in mass]
        (first, q), (second, p) = (
            schur(lu_solve(factor, k), output="complex") for factor, k in zip(factors, stiffness, strict=True)
        )
        self._left = first - constant * np.eye(len(first))
        self._right = np.ascontiguousarray(
            second.T[::-1, ::-1]
        )  # the lower triangle turned into an upper one
        self._into = lu_solve(factors[0], q.conj()).T, -lu_solve(factors[1], p.conj())[:, ::-1]
        self._back = q, np.ascontiguousarray(p.T[::-1])

    def __call__(self, load: np.ndarray) -> np.ndarray:
        rotated = self._into[0] @ load @ self._into[1]
        return self._back[0] @ _triangular_sylvester(self._left, self._right, rotated) @ self._back[1]


def _triangular_sylvester(left: np.ndarray, right: np.ndarray, load: np.ndarray) -> np.ndarray:
    """X with left X + X right = load, both upper triangular: by halves, so that most of it is matrix products.

    Source: Jonsson, Kågström (2002), ACM Transactions on Mathematical Software 28(4), 392-415.
    """
    m, n = load.shape
    if max(m, n) <= DIRECT:
        solution, scale, _ = ztrsyl(left, right, load)
        return np.asarray(solution / scale)
    if m >= n:
        half = m // 2
        low = _triangular_sylvester(left[half:, half:], right, load[half:])
        rest = load[:half] - left[:half, half:] @ low
        return np.concatenate((_triangular_sylvester(left[:half, :half], right, rest), low))
    half = n // 2
    early = _triangular_sylvester(left, right[:half, :half], load[:, :half])
    rest = load[:, half:] - early @ right[:half, half:]
    return np.concatenate((early, _triangular_sylvester(left, right[half:, half:], rest)), axis=1)
