"""Waves of a survey in time: leapfrog for all shots together, differentiated by the transpose of its steps.

The steps are as long as stability in the fastest admissible medium allows. Filters correct their time dispersion, so
they cost no accuracy. Memory is bounded: steps that do not fit are recomputed from checkpoints.
"""

import math

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import number
from neurapde.reference_solvers.grids.grid import Grid, ResolutionError
from neurapde.reference_solvers.operators.time_dispersion import leapfrog_filters
from neurapde.reference_solvers.operators.wave_layers import Absorbing, Mirror, Wall, WaveSide
from neurapde.reference_solvers.wave_adjoint import WaveShots, stable_step
from neurapde.seismic.modelling.base import Forward, Modelling
from neurapde.seismic.modelling.computational_domain import ComputationalDomain, grid_on
from neurapde.seismic.survey.survey import Survey

PER_WAVELENGTH = 6.0
"""Nodes in the shortest wavelength of the start model, at the highest frequency that counts."""
FEWEST = 3.0
"""Nodes per wavelength below which waves on the grid are useless."""
COUNTS = 0.02
"""A frequency counts if the wavelet's spectrum there is more than this part of its largest value."""
LONGEST = 0.95
"""The step in units of the longest that is stable."""
FADED = 1.5
"""Further time after the record, over which its end fades, in periods of the wavelet's peak frequency."""
MEMORY = 2e9
"""Bytes that a prediction and its gradient may take."""

Sides = tuple[tuple[WaveSide, WaveSide], ...]


class TimeModelling(Modelling):
    """`WaveShots` for a survey of traces.

    Args:
        survey: of traces, with its wavelet.
        domain: region and layers.
        start: the slowest and fastest speed of the start model, for the grid and the layers.
        fastest: largest speed of any model, for the time step.
        spacing: largest distance of nodes, in units of length; None to take it from
        per_wavelength: nodes in the shortest wavelength of the start model.
        memory: bytes that a prediction and its gradient may take.

    Attributes: `shots`, the solver, whose `plan` says how much memory will be used; `filters` between samples and steps.

    Raises: DeclarationError for a survey of spectra or without a wavelet, ResolutionError below 3 nodes per wavelength,
        ValueError for layers that do not fit or too little memory.
    """

    def __init__(
        self,
        survey: Survey,
        domain: ComputationalDomain,
        start: tuple[float, float],
        fastest: float,
        *,
        spacing: float | None = None,
        per_wavelength: float = PER_WAVELENGTH,
        memory: float = MEMORY,
    ) -> None:
        self.survey = survey
        self.grid = time_grid_for(survey, domain, start, spacing, per_wavelength)
        peak, highest = excited_frequencies(survey)
        self.nodes_per_wavelength = start[0] / highest / max(self.grid.spacing)
        if self.nodes_per_wavelength < FEWEST:
            raise ResolutionError(
                f"the grid has {self.nodes_per_wavelength:.2g} nodes in the shortest wavelength, "
                f"{number(start[0] / highest)}; use at least {FEWEST:g}: a spacing of {number(start[0] / highest / FEWEST)}"
            )
        sides = _sides(domain, 2 * math.pi * peak / start[1])
        self.filters = leapfrog_filters(
            survey.traces.shape[2],
            survey.dt,
            tail=FADED / peak,
            longest_step=LONGEST * stable_step(self.grid, sides, start[1], fastest),
        )
        self.shots = WaveShots(
            self.grid,
            survey.sources,
            survey.receivers,
            self.filters.wavelet @ _wavelet(survey),
            dt=self.filters.dt,
            sides=sides,
            layer_speed=start[1],
            variance=survey.source_variance,
            memory=memory,
        )

    def forward(self, slowness_squared: NDArray) -> Forward:
        run = self.shots.run(slowness_squared)
        return Forward(run.traces @ self.filters.traces.T, np.zeros((0, 0, *self.grid.shape)), run)

    def backward(self, forward: Forward, cotangent: NDArray) -> NDArray:
        return self.shots.gradient(forward.held, cotangent @ self.filters.traces)

    def born(self, forward: Forward, change: NDArray) -> NDArray:
        """The derivative of the data along a change of m `(grid.size,)`; `backward` is its transpose."""
        return self.shots.born(forward.held, change) @ self.filters.traces.T

    def describe(self) -> str:
        nodes = " × ".join(map(str, self.grid.shape))
        plan = self.shots.plan
        storage = "every step kept" if plan.segments == 1 else f"{plan.segments} checkpoints"
        return (
            f"leapfrog of fourth order in space on {nodes} nodes, {self.nodes_per_wavelength:.1f} in the shortest "
            f"wavelength of the start model, {plan.steps} steps of {self.filters.dt:.3g} with their dispersion undone, "
            f"{storage}, {plan.bytes / 1e9:.2g} GB"
        )


def time_grid_for(
    survey: Survey,
    domain: ComputationalDomain,
    start: tuple[float, float],
    spacing: float | None = None,
    per_wavelength: float = PER_WAVELENGTH,
) -> Grid:
    """The grid of a `TimeModelling`; it fills the domain's box."""
    if spacing is None:
        spacing = start[0] / (per_wavelength * excited_frequencies(survey)[1])
    return grid_on(domain.box, spacing)


def excited_frequencies(survey: Survey) -> tuple[float, float]:
    """The peak frequency of a survey's wavelet and the highest one that counts, Hz.

    Raises: DeclarationError for a survey of spectra, or without a wavelet.
    """
    wavelet = _wavelet(survey)
    padded = 8 * len(wavelet)
    size = abs(np.fft.rfft(wavelet, padded))
    frequencies = np.fft.rfftfreq(padded, survey.dt)
    size[0] = 0.0
    return float(frequencies[size.argmax()]), float(frequencies[size > COUNTS * size.max()].max())


def _wavelet(survey: Survey) -> NDArray[np.float64]:
    if survey.band:
        raise DeclarationError(
            "the survey has spectra, and this method works in time; use method='reduced' or another at frequencies, or "
            "give survey.to_time(dt, samples)"
        )
    if survey.wavelet is None:
        raise DeclarationError(
            "the survey has traces of an unknown wavelet, but this method needs the wavelet; give "
            "survey.replace(wavelet=samples), or invert survey.at(frequencies=[…]), where it is estimated"
        )
    return np.asarray(survey.wavelet, dtype=float)


def _sides(domain: ComputationalDomain, wavenumber: float) -> Sides:
    """The conditions at the lower and the upper side of each axis."""
    layer, given = domain.pml, domain.sides.data

    def at(face: str) -> WaveSide:
        if layer is not None and (width := domain.sides.open.get(face)):
            return Absorbing(width, layer.reflection or layer.reflection_for(wavenumber, face))
        return Mirror() if face in given and given[face].slopes else Wall()

    return domain.sides.pairs(at)
