"""Boundary-value problems of Poisson's equation, −∇·(a∇u) = f, each with its exact solution except the last."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from neurapde.conditions import Dirichlet, Neumann
from neurapde.core.arrays import Array, cos, exp, maximum, namespace, sin, where
from neurapde.domains import Box, Disk, Interval, Polygon
from neurapde.equations.poisson import Poisson
from neurapde.fields.grid_field import GridField
from neurapde.fields.medium import Piecewise
from neurapde.problem.problem import Problem


def poisson_rod(*, length: float = 2.0, wavenumber: float = 3.0) -> Problem:
    """A rod whose conductivity grows along it: −((1 + x²) u′)′ + u = f, u = sin kx given left, its slope right.

    length: of the rod. wavenumber: k of the solution.
    """

    def exact(x: Array) -> Array:
        return sin(wavenumber * x[:, 0])

    def source(x: Array) -> Array:
        s, k = x[:, 0], wavenumber
        return ((1 + s**2) * k**2 + 1) * sin(k * s) - 2 * s * k * cos(k * s)

    slope = wavenumber * math.cos(wavenumber * length)
    return Problem(
        name="poisson-rod",
        domain=Interval(0.0, length),
        equation=Poisson(coefficient=lambda x: 1 + x[:, 0] ** 2, reaction=1.0),
        sources=[source],
        boundary=[Dirichlet(0.0, on="left"), Neumann(slope, on="right")],
        exact=exact,
    )


def poisson_square(*, waves: tuple[int, int] = (1, 4), half_width: float = 1.0) -> Problem:
    """−Δu = f on a square with u = sin(πm x/w) sin(πn y/w) and zero on its sides.

    waves: (m, n). half_width: w.
    """
    p, q = (math.pi * number / half_width for number in waves)

    def exact(x: Array) -> Array:
        return sin(p * x[:, 0]) * sin(q * x[:, 1])

    return Problem(
        name="poisson-square",
        domain=Box((-half_width, half_width), (-half_width, half_width)),
        equation=Poisson(),
        sources=[lambda x: (p**2 + q**2) * exact(x)],
        boundary=Dirichlet(0.0),
        exact=exact,
    )


def poisson_disk(*, center: tuple[float, float] = (0.1, 0.2), radius: float = 0.8) -> Problem:
    """−∇·(a∇u) = f on a disk with a = e^x and u = e^y sin 2x given on the circle.

    center, radius: of the disk.
    """

    def exact(x: Array) -> Array:
        return exp(x[:, 1]) * sin(2 * x[:, 0])

    def source(x: Array) -> Array:
        return exp(x[:, 0] + x[:, 1]) * (3 * sin(2 * x[:, 0]) - 2 * cos(2 * x[:, 0]))

    return Problem(
        name="poisson-disk",
        domain=Disk(center, radius),
        equation=Poisson(coefficient=lambda x: exp(x[:, 0])),
        sources=[source],
        boundary=Dirichlet(exact),
        exact=exact,
    )


def poisson_l_shape(*, size: float = 1.0) -> Problem:
    """−Δu = f on an L with an infinite gradient at its inner corner: u = eˣ r^(2/3) sin(2θ/3).

    size: length of the short sides.
    """
    s = size

    def polar(x: Array) -> tuple[Array, Array]:
        xp = namespace(x)
        radius = maximum(x[:, 0] ** 2 + x[:, 1] ** 2, 1e-24 * s**2) ** 0.5
        angle = xp.atan2(x[:, 1], x[:, 0])
        return radius, where(angle < -1e-9, angle + 2 * math.pi, angle)

    def exact(x: Array) -> Array:
        radius, angle = polar(x)
        return exp(x[:, 0]) * radius ** (2 / 3) * sin(2 * angle / 3)

    def source(x: Array) -> Array:
        radius, angle = polar(x)
        return exp(x[:, 0]) * 4 / 3 * sin(angle / 3) / radius ** (1 / 3) - exact(x)

    return Problem(
        name="poisson-l-shape",
        domain=Polygon([(-s, -s), (0, -s), (0, 0), (s, 0), (s, s), (-s, s)]),
        equation=Poisson(),
        sources=[source],
        boundary=Dirichlet(exact),
        exact=exact,
    )


def poisson_inclusion(*, contrast: float = 100.0, radius: float = 0.4, half_width: float = 1.0) -> Problem:
    """A disk `contrast` times as conductive as the square around it, in a field that is uniform far away.

    contrast: a inside over a outside. radius: of the disk. half_width: of the square.
    """
    inside = 2 / (contrast + 1)
    dipole = radius**2 * (1 - contrast) / (1 + contrast)

    def exact(x: Array) -> Array:
        square = x[:, 0] ** 2 + x[:, 1] ** 2
        outside = x[:, 0] * (1 + dipole / maximum(square, radius**2 / 4))
        return where(square < radius**2, inside * x[:, 0], outside)

    return Problem(
        name="poisson-inclusion",
        domain=Box((-half_width, half_width), (-half_width, half_width)),
        equation=Poisson(coefficient=Piecewise(1.0, (Disk((0.0, 0.0), radius), contrast))),
        boundary=Dirichlet(exact),
        exact=exact,
    )


def poisson_darcy(
    *, nodes: int = 33, grain: float = 2.0, contrast: float = 4.0, seed: int = 70249
) -> Problem:
    """Flow through a random medium of two phases, given on a grid: −∇·(a∇u) = 1 on the unit square, u = 0 on its sides.

    nodes: of the grid along each side. grain: size of the phases in cells. contrast: of their permeabilities, 3 the lesser.
    """
    noise = np.random.default_rng(seed).normal(size=(nodes, nodes))
    phase = gaussian_filter(noise, grain, mode="reflect") > 0
    return Problem(
        name="poisson-darcy",
        domain=Box((0.0, 1.0), (0.0, 1.0)),
        equation=Poisson(coefficient=GridField(np.where(phase, 3.0 * contrast, 3.0))),
        sources=[lambda x: 1.0 + 0 * x[:, 0]],
        boundary=Dirichlet(0.0),
    )
