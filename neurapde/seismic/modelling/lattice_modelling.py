"""Waves of a survey without a grid solver: known waves in a uniform medium plus the head of a SIREN, eliminated.

Every source and every receiver has its outgoing wave in the uniform reference medium, mirrored at reflecting sides and
damped in the layers. A SIREN whose hidden neurons are the lattice of sines represents the rest; the weak form gives
its head (`window_scattering`). The velocity enters by its values on those midpoints of the lattice where it may differ
from the reference. The sources and receivers are Gaussians as wide as the distance of midpoints, with the same far
field, because an unknown medium does not resolve a point.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neurapde.backgrounds.waves import OutgoingWave
from neurapde.core.errors import DeclarationError
from neurapde.fields.medium import Constant, Field
from neurapde.fields.sources import GaussianSource
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.modelling.base import Forward, FrequencyModelling
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import amplitudes, angular_frequencies
from neurapde.seismic.modelling.window_scattering import (
    LARGEST_DENSE,
    Complex,
    DenseScattering,
    IterativeScattering,
    Reduction,
    Scattering,
    Window,
    unknowns,
)
from neurapde.seismic.survey.survey import Survey
from neurapde.spectral.modes import AxisModes, along_all
from neurapde.spectral.operator import LatticeOperator
from neurapde.spectral.weak import Piece, WeakForm

PER_WAVE = 2.5
"""Bandwidth of the lattice in units of the largest wavenumber of the start model, unless it is given."""
DIRECT = 0.125
"""Standard deviation of a point source in the direct wave, in distances of midpoints: finite at a receiver on top of it."""
CORNERS = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
"""Where in a cell the start model is looked at, in halves of its sides."""
SAME = 1e-9
"""m differs from the reference where it does so by more than this part of it."""


class LatticeModelling(FrequencyModelling):
    """The lattice of sines for every frequency of a survey.

    Args:
        survey: of spectra.
        domain: region and layers. At most one of two opposite sides may reflect.
        start: the speed of the start model, and of the model where it is not free.
        free: where m is free, points `(n, 2)` to bool `(n,)`.
        speeds: the slowest and fastest of the start model.
        bandwidth: largest frequency of the sines, radians per unit length; None for 2.5 of the largest wavenumber.

    Raises: DeclarationError for two opposite sides that reflect, or a bandwidth below the largest wavenumber.
    """

    def __init__(
        self,
        survey: Survey,
        domain: ComputationalDomain,
        start: Field,
        free: Callable[[NDArray], NDArray],
        speeds: tuple[float, float],
        bandwidth: float | None = None,
    ) -> None:
        self.survey, self.domain = survey, domain
        self._modes = modes_for(survey, domain, speeds, bandwidth)
        self.grid = midpoints(self._modes)
        self._speeds = speeds
        half = np.array(self.grid.spacing) / 2
        cells = [domain.inward(self.grid.points + half * at) for at in CORNERS]
        m = np.stack([np.asarray(start(points), dtype=float) ** -2.0 for points in cells])
        self.reference = float(np.median(m))
        known = np.all(np.abs(m - self.reference) <= SAME * self.reference, axis=0)
        self._varies = free(domain.inward(self.grid.points)) | ~known
        self.part = _bounding(self._varies.reshape(self.grid.shape))
        self._lattices = [
            _Lattice(self, omega, amplitudes(survey, index))
            for index, omega in enumerate(angular_frequencies(survey))
        ]

    @property
    def modes(self) -> tuple[AxisModes, AxisModes]:
        """The sines of either axis."""
        return self._modes

    @property
    def fastest(self) -> float:
        """The fastest speed of the start model."""
        return self._speeds[1]

    def forward(self, slowness_squared: NDArray) -> Forward:
        change = slowness_squared - self.reference
        if np.any(np.abs(change[~self._varies]) > SAME * self.reference):
            raise ValueError(
                "the model differs from the start model at nodes where the velocity is declared as known"
            )
        within = change.reshape(self.grid.shape)[self.part]
        waves = [lattice.waves(within) for lattice in self._lattices]
        data, fields, held = zip(*waves, strict=True)
        return Forward(np.stack(data), np.stack(fields), held)

    def backward(self, forward: Forward, cotangent: NDArray) -> NDArray:
        gradient = np.zeros(self.grid.shape)
        for lattice, held, fields, weights in zip(
            self._lattices, forward.held, forward.fields, cotangent, strict=True
        ):
            known = np.tensordot(weights.conj(), lattice.receiving, axes=1)
            back = held.total(known)
            product = np.sum(back * fields[(slice(None), *self.part)], axis=0)
            gradient[self.part] -= (lattice.measure * product).real
        return np.where(self._varies, gradient.ravel(), 0.0)

    def receiver_fields(self, forward: Forward) -> NDArray:
        count = len(self.survey.receivers)
        receiving = np.zeros((len(self._lattices), count, *self.grid.shape), dtype=complex)
        for fields, lattice, held in zip(receiving, self._lattices, forward.held, strict=True):
            fields[(slice(None), *self.part)] = -lattice.measure * held.total(lattice.receiving)
        return np.where(self._varies, receiving.reshape(*receiving.shape[:2], -1), 0.0)

    def describe(self) -> str:
        first, second = self._modes
        within = " × ".join(str(piece.stop - piece.start) for piece in self.part)
        return (
            f"known waves plus a SIREN's head on {first.count} × {second.count} sines up to "
            f"{max(first.bandwidth, second.bandwidth):.4g} rad per unit length, medium on {within} of its midpoints"
        )


class _Lattice:
    """One frequency: the uniform medium's matrices and known waves, and the scattering of a medium.

    receiving: known waves of unit sources at the receivers, on the window `(receivers, n_0, n_1)`.
    measure: ω²E times the area of a cell, on the window.
    """

    def __init__(self, owner: LatticeModelling, omega: float, strengths: Complex) -> None:
        self._owner = owner
        domain, survey, grid = owner.domain, owner.survey, owner.grid
        constant = omega**2 * owner.reference
        self._wavenumber = math.sqrt(constant)
        self._stretch = domain.stretch(omega / owner.fastest)
        piece = Piece((), (), Constant(constant))
        form = WeakForm(domain.box, self._stretch, (piece,), lambda values: values, domain.sides.natural)
        operator = LatticeOperator(form, owner.modes, constant)
        area = math.prod(grid.spacing)
        measure = omega**2 * area * form.scale(grid.points)
        self.measure = measure.reshape(grid.shape)[owner.part]
        self._window = Window(operator, owner.part, self.measure)
        dense = unknowns(owner.modes, owner.part) <= LARGEST_DENSE
        self._reduction = Reduction(self._window) if dense else None
        spacing, variance, unit = max(grid.spacing), survey.source_variance, strengths[:, None]
        window = grid.points.reshape(*grid.shape, 2)[owner.part]
        sending = unit * self._known(survey.sources, variance, spacing, grid.points)
        self._sending = sending.reshape(-1, *grid.shape)
        self._direct = unit * self._known(survey.sources, variance, DIRECT * spacing, survey.receivers)
        receiving = self._known(survey.receivers, 0.0, spacing, window.reshape(-1, 2))
        self.receiving = receiving.reshape(-1, *window.shape[:2])

    def _known(self, places: NDArray, variance: float, narrowest: float, points: NDArray) -> Complex:
        """The waves of unit sources at `places`, `(places, points)`, in the uniform medium.

        variance: of the sources. The waves have their far field, and are at least `narrowest` wide.
        """
        width = max(variance, narrowest**2)
        far = math.exp(self._wavenumber**2 * (width - variance) / 2)
        waves = np.zeros((len(places), len(points)), dtype=complex)
        for row, place in zip(waves, places, strict=True):
            for at, sign in _images(self._owner.domain, place):
                wave = GaussianSource(at, width, sign * far)
                row += OutgoingWave(wave, self._wavenumber, self._stretch).values(points)
        return waves

    def waves(self, change: NDArray) -> tuple[Complex, Complex, Scattering]:
        """Data `(shots, receivers)`, total fields on the whole grid, and the scattering, of δm on the window."""
        induced = self.measure * change
        if self._reduction is None:
            scattering: Scattering = IterativeScattering(self._window, induced)
        else:
            scattering = DenseScattering(self._reduction, induced)
        sources = scattering.total(self._sending[(slice(None), *self._owner.part)]) * induced
        receiving = self.receiving.reshape(len(self.receiving), -1)
        data = self._direct - sources.reshape(len(sources), -1) @ receiving.T
        heads = np.moveaxis(self._window.head(sources), 0, -1)
        scattered = along_all([axis_modes.on_grid for axis_modes in self._owner.modes], heads)
        return data, self._sending + np.moveaxis(scattered, -1, 0), scattering


def modes_for(
    survey: Survey, domain: ComputationalDomain, start: tuple[float, float], bandwidth: float | None = None
) -> tuple[AxisModes, AxisModes]:
    """The sines of a `LatticeModelling`. Raises: see there."""
    largest = float(angular_frequencies(survey).max()) / start[0]
    wanted = PER_WAVE * largest if bandwidth is None else bandwidth
    if wanted < largest:
        raise DeclarationError(
            f"bandwidth={wanted:g} is below the largest wavenumber of the start model, {largest:g}; give at least "
            f"{1.5 * largest:g}, or leave it out"
        )
    lower, upper = domain.box.bounds
    first, second = (
        AxisModes(float(a), float(b), max(4, math.ceil(wanted * (b - a) / math.pi)), free)
        for a, b, free in zip(lower, upper, domain.sides.natural, strict=True)
    )
    _mirrors(domain)
    return first, second


def midpoints(modes: tuple[AxisModes, AxisModes]) -> Grid:
    """The grid of midpoints of two sets of sines."""
    return Grid(
        [axis_modes.grid[0] for axis_modes in modes],
        [axis_modes.grid[-1] for axis_modes in modes],
        [len(axis_modes.grid) for axis_modes in modes],
    )


def _mirrors(domain: ComputationalDomain) -> list[list[tuple[float, int]]]:
    """For each axis the coordinate of the reflecting side and the sign of the reflection; none or one."""
    lower, upper = domain.box.bounds
    mirrors = []
    for axis, free, ends in zip(
        domain.stretch(1.0).axes, domain.sides.natural, zip(lower, upper, strict=True), strict=True
    ):
        sides = [
            (float(end), 1 if slope else -1)
            for end, width, slope in zip(ends, axis.widths, free, strict=True)
            if not width
        ]
        if len(sides) > 1:
            raise DeclarationError(
                "two opposite sides reflect, and no closed form is known for the waves between them; put a layer on "
                "one of them, or use a method on the grid (method='reduced')"
            )
        mirrors.append(sides)
    return mirrors


def _images(domain: ComputationalDomain, place: NDArray) -> list[tuple[tuple[float, ...], int]]:
    """A point and its mirror images, each with its sign."""
    images = [(tuple(place.tolist()), 1)]
    for axis, sides in enumerate(_mirrors(domain)):
        for side, sign in sides:
            images += [
                (tuple(2 * side - x if i == axis else x for i, x in enumerate(at)), sign * parity)
                for at, parity in images
            ]
    return images


def _bounding(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    first, second = (np.flatnonzero(mask.any(axis=other)) for other in (1, 0))
    return slice(int(first[0]), int(first[-1]) + 1), slice(int(second[0]), int(second[-1]) + 1)
