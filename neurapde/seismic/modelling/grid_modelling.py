"""Waves of a survey by the nine-point scheme: one factorisation a frequency, all shots as its right-hand sides.

The adjoint uses the same factors: a gradient costs one more solve for each shot.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.helmholtz import HelmholtzGrid
from neurapde.reference_solvers.operators.dispersion import Weights
from neurapde.seismic.modelling.base import Forward, FrequencyModelling
from neurapde.seismic.modelling.computational_domain import MEANS, ComputationalDomain, cell_places, grid_on
from neurapde.seismic.survey.survey import Survey

PER_WAVELENGTH = 12.0
"""Default number of nodes in the shortest wavelength of the start model."""


class GridModelling(FrequencyModelling):
    """`HelmholtzGrid` for every frequency of a survey.

    Args:
        survey: of spectra.
        domain: region and layers.
        start: the speeds for the scheme's weights and the layers, `(slowest, fastest)`.
        spacing: largest distance of nodes, in units of length; None to take it from
        per_wavelength: nodes in the shortest wavelength of the start model.
        grid: instead of the one from spacing or per_wavelength.

    Damped spectra, at ω − iσ, are waves at ω in the medium m (1 − iσ/ω)², and attenuation makes m complex, too:
    `factors` multiply m at each frequency, numbers or, `(*shape)`, values at the nodes.

    Attributes: `schemes`, one per frequency, in the start's slowest speed; their `loads` `(*shape, shots)`, of unit
    sources if the wavelet is unknown; `receivers` `(r, grid.size)`, the matrix that samples a field.

    Raises: ResolutionError below 2.5 nodes per wavelength.
    """

    def __init__(
        self,
        survey: Survey,
        domain: ComputationalDomain,
        start: tuple[float, float],
        spacing: float | None = None,
        per_wavelength: float = PER_WAVELENGTH,
        *,
        grid: Grid | None = None,
    ) -> None:
        self.survey = survey
        self.grid = grid or grid_for(survey, domain, start, spacing, per_wavelength)
        slowest, fastest = start
        self.schemes = [
            HelmholtzGrid(
                self.grid,
                omega,
                slowest**-2.0,
                stretch=[axis.factor for axis in domain.stretch(omega / fastest).axes],
                free=domain.sides.natural,
                weights=Weights.fitted(self.grid.spacing, omega / np.array([slowest, fastest])),
                surface=domain.surface(self.grid),
            )
            for omega in angular_frequencies(survey)
        ]
        first = self.schemes[0]
        self.receivers = first.receivers(survey.receivers)
        self.loads = [_loads(scheme, survey, index) for index, scheme in enumerate(self.schemes)]
        self.factors = [_factor(survey, domain, self.grid, omega) for omega in angular_frequencies(survey)]

    def forward(self, slowness_squared: NDArray) -> Forward:
        medium = slowness_squared.reshape(self.grid.shape)
        solvers = [
            scheme.with_medium(factor * medium)
            for scheme, factor in zip(self.schemes, self.factors, strict=True)
        ]
        columns = [
            solver.solve(load).reshape(self.grid.size, -1)
            for solver, load in zip(solvers, self.loads, strict=True)
        ]
        data = np.stack([(self.receivers @ field).T for field in columns])
        fields = np.stack([field.T.reshape(-1, *self.grid.shape) for field in columns])
        return Forward(data, fields, solvers)

    def backward(self, forward: Forward, cotangent: NDArray) -> NDArray:
        gradient = np.zeros(self.grid.size)
        for index, (fields, weights) in enumerate(zip(forward.fields, cotangent, strict=True)):
            right = self.receivers.T @ weights.conj().T
            back = self._scattered(forward, index, right)
            gradient += np.einsum("sn,sn->n", back, fields.reshape(len(fields), -1)).real
        return gradient

    def receiver_fields(self, forward: Forward) -> NDArray:
        right = self.receivers.T.toarray()
        return np.stack([self._scattered(forward, index, right) for index in range(len(self.schemes))])

    def _scattered(self, forward: Forward, index: int, right: NDArray) -> NDArray:
        """−k² e_x e_y Wᵀ A⁻ᵀ right `(columns, n)`, its product with a field is a derivative by m."""
        solver: HelmholtzGrid = forward.held[index]
        solved = solver.solve_transposed(right.reshape(*self.grid.shape, -1)).reshape(self.grid.size, -1)
        return (
            -np.ravel(self.factors[index])
            * np.asarray(solver.derivative(np.ones(self.grid.shape)).T @ solved).T
        )

    def describe(self) -> str:
        nodes = " × ".join(map(str, self.grid.shape))
        fewest = min(scheme.nodes_per_wavelength for scheme in self.schemes)
        return (
            f"nine-point scheme on {nodes} nodes, {fewest:.1f} in the shortest wavelength of the start model"
        )


def grid_for(
    survey: Survey,
    domain: ComputationalDomain,
    start: tuple[float, float],
    spacing: float | None = None,
    per_wavelength: float = PER_WAVELENGTH,
) -> Grid:
    """The grid of a `GridModelling`; it fills the domain's box, but for the air above a topography."""
    if spacing is None:
        spacing = 2 * math.pi * start[0] / (per_wavelength * float(angular_frequencies(survey).max()))
    if domain.topography is not None:
        return domain.topography.grid(domain.box, (spacing, spacing))
    return grid_on(domain.box, spacing)


def angular_frequencies(survey: Survey) -> NDArray[np.float64]:
    """ω = 2πf of a survey of spectra `(frequencies,)`.

    Raises: DeclarationError for a survey of traces.
    """
    if not survey.band:
        raise DeclarationError(
            "the survey has traces in time, and this method works at frequencies; give "
            "survey.at(frequencies=[…]), with frequencies that the wavelet excites"
        )
    return 2 * math.pi * survey.frequencies


def refuse_complex(survey: Survey, domain: ComputationalDomain) -> None:
    """Refuse damped spectra, attenuation and topography, for an engine that does not model them."""
    refuse_attenuation(domain)
    domain.refuse_topography()
    angular_frequencies(survey)
    if survey.damping:
        raise DeclarationError(
            f"the survey has spectra damped by {number(survey.damping)}, so its waves have complex frequencies, which "
            "this method does not model; use 'multiscale', 'reduced' or 'adjoint', or at(…) without damping="
        )


def refuse_attenuation(domain: ComputationalDomain) -> None:
    """Refuse attenuation, for an engine that does not model it."""
    if domain.attenuation is not None:
        raise DeclarationError(
            f"the problem has {domain.attenuation.describe()}, which this method does not model; use 'multiscale', "
            "'reduced' or 'adjoint' at frequencies, or leave attenuation out of the equation"
        )


def amplitudes(survey: Survey, index: int) -> NDArray[np.complex128]:
    """The source amplitude of each shot at one frequency `(shots,)`; 1 if the wavelet is unknown."""
    if survey.wavelet is None:
        return np.ones(survey.shots, complex)
    return np.asarray(survey.wavelet[index], complex)


def _factor(survey: Survey, domain: ComputationalDomain, grid: Grid, omega: float) -> complex | NDArray:
    """The factor of m at a frequency: a number for damping, means over the cells `(*shape)` for attenuation."""
    complex_frequency = omega - 1j * survey.damping
    damped = (complex_frequency / omega) ** 2 if survey.damping else 1.0
    if domain.attenuation is None:
        return damped
    squares = [
        domain.attenuation.slowing(domain.inward(grid.points + shift), complex_frequency / (2 * math.pi)) ** 2
        for shift in cell_places(grid.spacing, (MEANS, MEANS))
    ]
    return damped * np.mean(squares, axis=0).reshape(grid.shape)


def _loads(scheme: HelmholtzGrid, survey: Survey, index: int) -> NDArray[np.complex128]:
    strengths = amplitudes(survey, index)
    if not survey.source_variance:
        return scheme.point_load(survey.sources, strengths)
    loads: Sequence[NDArray] = [
        scheme.gaussian_load(source, survey.source_variance, strength)
        for source, strength in zip(survey.sources, strengths, strict=True)
    ]
    return np.stack(loads, axis=-1)
