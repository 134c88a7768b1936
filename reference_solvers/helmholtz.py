"""The nine-point Helmholtz scheme in stretched coordinates: factored once, for every source, and its adjoint.

It solves, on a box of one or two dimensions, with e_x(x), e_y(y) the stretch factors of an absorbing layer,

    ∂x((e_y/e_x) ∂x u) + ∂y((e_x/e_y) ∂y u) + e_x e_y k² m u = e_x e_y f,        m = 1/c²,

as a reference and for inversion: the matrix A(m) is affine in m, its derivative is known, and the same factors solve
the transposed and the adjoint system.

The scheme is L u + k² W(e_x e_y m u) = W(e_x e_y f): W spreads the mass over nine nodes, and *the source as well*. In
a uniform medium W and L commute, so u solves the equation for f itself, at a slightly wrong wavenumber; without W on f
the amplitude error is (kh)²/12. The errors at the receivers of a point source, k = 20, PML half of the half-width, are
against the Hankel field 0.005 % with 115² nodes (1.04 % without W on f), 0.0003 % with 229² (0.26 %); around a disk of
speed 2: 0.010 % and 0.0013 %.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from neurapde.reference_solvers.grids.grid import Grid, ResolutionError, ResolutionWarning
from neurapde.reference_solvers.grids.sampling import gaussian_density, interpolation, point_density
from neurapde.reference_solvers.grids.surface import Surface
from neurapde.reference_solvers.operators.dispersion import Weights, nodes_per_wavelength
from neurapde.reference_solvers.operators.elimination import Factors
from neurapde.reference_solvers.operators.immersed import Immersed
from neurapde.reference_solvers.operators.near_surface import NARROW, NearSurface
from neurapde.reference_solvers.operators.nine_point import NinePoint, Stretching

ORDER = 2
"""The order of convergence with a layer or a jump in the medium; without them it is 4."""

Density = Callable[[NDArray, NDArray], NDArray[np.complex128]]
"""Places `(n, d)` and amplitudes `(n,)` -> the nodal densities `(*shape, n)` of sources there."""

_REFUSED, _DOUBTFUL = 2.5, 4.0  # nodes per wavelength


class HelmholtzGrid:
    """A(m) on the nodes of a grid, with its inverse and derivative.

    Fields are `(*shape)` or, for several right-hand sides, `(*shape, shots)`. A side is *fixed* (Dirichlet, as
    behind an absorbing layer) unless it is declared free (Neumann, ∂u/∂n = 0, by mirror nodes).

    Args:
        grid: one or two dimensions; the spacings may differ.
        wavenumber: k, positive: angular frequency over the unit of speed.
        slowness_squared: m = 1/c², `(*shape)` or a number, complex for attenuation. Average a jump with
            `cell_average`.
        stretch: one function per axis, coordinates `(n,)` -> complex factors e `(n,)`, or None where it is 1.
        free: for each axis whether its lower and its upper side are free.
        impedance: for each axis β at its lower and its upper side, a number or an array of the side's nodes: at free
            sides ∂u/∂n + β u = 0. β = i k √m lets plane waves at normal incidence pass.
        weights: those of the scheme; by default fitted to the wavenumbers in the medium.
        surface: a curve through the grid with u = 0 on it and nothing above it; see `Immersed`. The scheme reads m
            some cells above it, too: continue it there.

    Raises: ResolutionError below 2.5 nodes per (shortest) wavelength; ValueError for wrong shapes or values.
    Warns: ResolutionWarning below 4 nodes per wavelength.
    Source: Chen, Cheng, Feng, Wu (2013), Int. J. Numer. Anal. Model. 10(2), with W on f, fitted weights and
        unequal spacings added.
    """

    def __init__(
        self,
        grid: Grid,
        wavenumber: float,
        slowness_squared: ArrayLike,
        *,
        stretch: Sequence[Stretching | None] | None = None,
        free: Sequence[tuple[bool, bool]] | None = None,
        impedance: Sequence[tuple[ArrayLike, ArrayLike]] | None = None,
        weights: Weights | None = None,
        surface: Surface | None = None,
    ) -> None:
        if grid.dimension > 2:
            raise ValueError(f"the grid has {grid.dimension} dimensions; this scheme is for one or two.")
        if not (np.isfinite(wavenumber) and wavenumber > 0):
            raise ValueError(f"the wavenumber is {wavenumber}; it must be finite and positive.")
        medium = _checked_medium(grid, slowness_squared)
        if weights is None:
            weights = Weights.fitted(grid.spacing, wavenumber * np.sqrt(np.abs(medium)))
        stretch = [None] * grid.dimension if stretch is None else stretch
        free = [(False, False)] * grid.dimension if free is None else free
        if impedance is not None:
            impedance = _damped(grid, impedance, wavenumber * np.sqrt(medium + 0j))
        immersed = None if surface is None else Immersed(grid, surface)
        scheme = NinePoint(grid, stretch, free, weights, impedance, immersed)
        self._take(scheme, float(wavenumber), medium)

    def with_medium(self, slowness_squared: ArrayLike) -> "HelmholtzGrid":
        """The same scheme, weights included, for another m: A(m) stays affine in m."""
        other = HelmholtzGrid.__new__(HelmholtzGrid)
        other._take(self._scheme, self.wavenumber, _checked_medium(self.grid, slowness_squared))
        return other

    def _take(self, scheme: NinePoint, wavenumber: float, medium: NDArray) -> None:
        self.grid, self.weights, self.fixed = scheme.grid, scheme.weights, scheme.fixed
        self.wavenumber, self.slowness_squared = wavenumber, medium
        self._scheme = scheme
        self.nodes_per_wavelength = nodes_per_wavelength(
            scheme.grid.spacing, wavenumber * np.sqrt(np.abs(medium))
        )
        check_resolution(self.nodes_per_wavelength, scheme.grid)

    @property
    def mass(self) -> sparse.csr_array:
        """W `(n, n)`, n = grid.size: real, and a row adds up to 1, at a fixed node to 0, where no side has an impedance."""
        return self._scheme.mass

    @cached_property
    def operator(self) -> sparse.csr_array:
        """A(m) `(n, n)` on all nodes; at the fixed ones the identity, with nothing to and from the others."""
        fixed = self.fixed.ravel()
        return sparse.csr_array(
            self._uncut @ sparse.diags_array(1.0 - fixed) + sparse.diags_array(fixed * 1.0)
        )

    @property
    def _stiffness(self) -> float:
        """The size of a row at an inner node: so large are those of a surface, too, for the sake of pivots."""
        return -2 * float(np.sum(np.asarray(self.grid.spacing) ** -2.0))

    def derivative(self, field: NDArray) -> sparse.csr_array:
        """∂(A(m) u)/∂m `(n, n)` at the field u `(*shape)`: k² W diag(e_x e_y u). It does not depend on m."""
        values = self._one_field(field)
        return self.wavenumber**2 * self.mass @ sparse.diags_array(self._scheme.volume.ravel() * values)

    def load(self, density: NDArray) -> NDArray[np.complex128]:
        """W(e_x e_y f), the right-hand side of `solve`, for a nodal density f `(*shape)` (or with shots)."""
        values = self._columns(density) * self._scheme.volume.reshape(-1, 1)
        return (self.mass @ values).reshape(np.shape(density))

    def point_load(self, points: ArrayLike, amplitudes: ArrayLike = 1.0) -> NDArray[np.complex128]:
        """The right-hand sides `(*shape, n)` of `n` point sources at `(n, d)`; one shot each, mass exact."""

        def density(places: NDArray, strengths: NDArray) -> NDArray[np.complex128]:
            return point_density(self.grid, places, strengths)

        return self._load_of(density, np.asarray(points, float), amplitudes, variance=0.0)

    def gaussian_load(
        self, centre: ArrayLike, variance: float, amplitude: complex = 1.0
    ) -> NDArray[np.complex128]:
        """The right-hand side `(*shape)` of a Gaussian of mass `amplitude`, of any width; mass exact."""

        def density(places: NDArray, strengths: NDArray) -> NDArray[np.complex128]:
            return gaussian_density(self.grid, places[0], variance, strengths[0])[..., None]

        place = np.atleast_2d(np.asarray(centre, float))
        return self._load_of(density, place, np.array([amplitude]), variance=variance)[..., 0]

    def _load_of(
        self, density: Density, places: NDArray, amplitudes: ArrayLike, variance: float
    ) -> NDArray[np.complex128]:
        """The right-hand sides of sources: near a surface less those of their images, with what is left at its ghosts."""
        immersed = self._scheme.immersed
        right = density(places, np.asarray(amplitudes, complex))
        if immersed is None:
            return self.load(right)
        images, strengths = immersed.mirrored(places, amplitudes)
        right = right - density(images, strengths)
        load = self.load(right)
        if self._near_surface is not None and variance < (NARROW * max(self.grid.spacing)) ** 2:
            load += self._stiffness * self._near_surface.rows(right, places, images, strengths, variance)
        return load

    @cached_property
    def _near_surface(self) -> NearSurface | None:
        immersed = self._scheme.immersed
        return None if immersed is None else NearSurface(self._scheme, immersed)

    def receivers(self, points: ArrayLike) -> sparse.csr_array:
        """P `(r, n)`: reads the field `u.reshape(n)` or `(n, shots)` at the points `(r, d)`."""
        read = interpolation(self.grid, points)
        return read if self._scheme.immersed is None else self._scheme.immersed.extended(read)

    def continued(self, values: NDArray) -> NDArray[np.complex128]:
        """A field `(*shape)` or `(*shape, shots)` with values some cells above the surface, NaN beyond; see `Immersed`."""
        columns = np.array(self._columns(values), complex)
        immersed = self._scheme.immersed
        if immersed is not None:
            nodes, read = immersed.continuation
            columns[nodes] = read @ columns
            columns[immersed.beyond] = np.nan
        return columns.reshape(np.shape(values))

    def solve(self, right: NDArray, boundary: NDArray | None = None) -> NDArray[np.complex128]:
        """u = A⁻¹ right, with `u = boundary` on the fixed sides.

        Args:
            right: `(*shape)` or `(*shape, shots)`; see `load`. Its values at fixed nodes are not used.
            boundary: None for 0, else of the shape of `right` or `(*shape)`; only fixed nodes are used.
        """
        values = self._columns(right) * ~self.fixed.reshape(-1, 1)
        if boundary is not None:
            sides = self._columns(boundary) * self.fixed.reshape(-1, 1)
            values = values - self._uncut @ sides
            values = np.where(self.fixed.reshape(-1, 1), sides, values)
        return self._factors.solve(values).reshape(np.shape(right))

    def solve_transposed(self, right: NDArray) -> NDArray[np.complex128]:
        """A⁻ᵀ right, 0 at fixed nodes: the transpose of `solve` with its boundary at 0."""
        values = self._columns(right) * ~self.fixed.reshape(-1, 1)
        return self._factors.solve(values, transposed=True).reshape(np.shape(right))

    @cached_property
    def _factors(self) -> Factors:
        return Factors(self.operator, self._scheme.order)

    @cached_property
    def _uncut(self) -> sparse.csr_array:
        """The rows of A(m) at nodes that are not fixed, with their couplings to fixed ones."""
        weight = self.wavenumber**2 * self._scheme.volume * self.slowness_squared
        rows = self._scheme.laplacian + self.mass @ sparse.diags_array(weight.ravel())
        if self._scheme.immersed is not None:
            rows = rows + self._stiffness * self._scheme.immersed.conditions
        return sparse.csr_array(rows)

    def _columns(self, field: NDArray) -> NDArray:
        """`(n, shots)` of a field `(*shape)` or `(*shape, shots)`."""
        shape, given = tuple(self.grid.shape), np.shape(field)
        if given[: len(shape)] != shape or len(given) > len(shape) + 1:
            raise ValueError(
                f"a field must be {shape} or (*{shape}, shots) on this grid; got the shape {given}."
            )
        return np.asarray(field).reshape(self.grid.size, -1)

    def _one_field(self, field: NDArray) -> NDArray:
        if np.shape(field) != tuple(self.grid.shape):
            raise ValueError(
                f"one field must be {self.grid.shape} on this grid; got the shape {np.shape(field)}."
            )
        return np.asarray(field).ravel()


def _damped(
    grid: Grid, impedance: Sequence[tuple[ArrayLike, ArrayLike]], local: NDArray
) -> list[tuple[NDArray, NDArray]]:
    """β sin(κh)/(κh), κ the local wavenumber at the side: its difference over two cells is then of fourth order.

    (u₊ - u₋)/2h = ∂u/∂n + h²/6 ∂³u/∂n³, and ∂³u/∂n³ = -κ² ∂u/∂n up to derivatives along the side: a plane wave at
    normal incidence is not reflected.
    """
    factors = []
    for axis, (h, pair) in enumerate(zip(grid.spacing, impedance, strict=True)):
        angles = [h * local[(slice(None),) * axis + (-side,)] for side in range(2)]
        lower, upper = (
            np.asarray(beta) * np.sin(angle) / np.where(angle == 0, 1.0, angle)
            for beta, angle in zip(pair, angles, strict=True)
        )
        factors.append((lower, upper))
    return factors


def _checked_medium(grid: Grid, slowness_squared: ArrayLike) -> NDArray:
    medium = np.asarray(slowness_squared) * np.ones(())
    if medium.shape not in ((), tuple(grid.shape)):
        raise ValueError(
            f"the medium must be a number or {grid.shape} on this grid; got the shape {medium.shape}."
        )
    if not np.isfinite(medium).all():
        raise ValueError(f"{(~np.isfinite(medium)).sum()} values of the medium are not finite.")
    return np.broadcast_to(medium, tuple(grid.shape))


def check_resolution(nodes: float, grid: Grid) -> None:
    """Refuse a grid with far too few nodes in the shortest wavelength, and warn of one with few."""
    if nodes < _DOUBTFUL:
        wanted = tuple(int(np.ceil((n - 1) * _DOUBTFUL / nodes)) + 1 for n in grid.shape)
        message = (
            f"shape {tuple(grid.shape)} has {nodes:.2f} nodes in the shortest wavelength; {wanted} has {_DOUBTFUL:g}, "
            "and 10 are recommended."
        )
        if nodes < _REFUSED:
            raise ResolutionError(f"{message} Below {_REFUSED} the field would be meaningless.")
        warnings.warn(message, ResolutionWarning, stacklevel=3)
