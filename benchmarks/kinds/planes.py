"""Elliptic problems in the plane, in space and on more axes, steady flows among them."""

import numpy as np
from kinds.kind import Kinds, Told
from scipy.special import h1vp, h2vp, hankel1, hankel2, jvp

import neurapde as npde

pi = np.pi
kinds = Kinds()
SIDES, HOLES = ("left", "right", "bottom", "top"), ("disk", "disk-2", "disk-3", "disk-4")
SQUARE = npde.Box((0, 1), (0, 1))


CENTRE_LINE = {
    0.9766: 0.84123, 0.9688: 0.78871, 0.9609: 0.73722, 0.9531: 0.68717, 0.8516: 0.23151, 0.7344: 0.00332,
    0.6172: -0.13641, 0.5: -0.20581, 0.4531: -0.21090, 0.2813: -0.15662, 0.1719: -0.10150, 0.1016: -0.06434,
    0.0703: -0.04775, 0.0625: -0.04192, 0.0547: -0.03717,
}  # fmt: skip
"""Height and velocity along the lid on the vertical centre line (Ghia, Ghia and Shin 1982, table I)."""


def gridded(problem):
    """The problem, and what the grid's solver says."""
    return Told(problem, lambda x: npde.reference(problem)(x))


@kinds
def poisson_l_shape():
    """Δu = −1 on an L; the grid's error at the corner is what is seen."""
    shape = npde.Box((-1, 1), (-1, 1)) - npde.Box((0, 1), (0, 1))
    return gridded(npde.Problem("poisson-l-shape", shape, npde.Poisson(), 1.0, npde.Dirichlet(0.0)))


@kinds
def laplace_disk():
    """Δu = 0 with cos θ on the circle."""
    disk = npde.Disk((0, 0), 1)
    return Told(
        npde.Problem("disk", disk, npde.Poisson(), boundary=npde.Dirichlet(lambda x: x[:, 0])),
        lambda x: x[:, 0],
    )


@kinds
def helmholtz_dirichlet():
    """Δu + k² u = −k² sin kx sin ky, four waves across."""
    k = 4 * pi
    source = lambda x: -(k**2) * npde.sin(k * x[:, 0]) * npde.sin(k * x[:, 1])
    problem = npde.Problem("helmholtz", SQUARE, npde.Helmholtz(k), source, npde.Dirichlet(0.0))
    return Told(problem, lambda x: np.sin(k * x[:, 0]) * np.sin(k * x[:, 1]))


@kinds
def helmholtz_hole():
    """The same field around a hole, its slope given on the hole."""
    k, around = 2 * pi, lambda x: (x - 0.5) / 0.25
    wave = lambda x: npde.sin(k * x[:, 0]) * npde.sin(k * x[:, 1])
    slope = lambda x, i: k * npde.cos(k * x[:, i]) * npde.sin(k * x[:, 1 - i])
    hole = lambda x: -slope(x, 0) * around(x)[:, 0] - slope(x, 1) * around(x)[:, 1]
    sides = [npde.Dirichlet(wave, on=SIDES), npde.Neumann(hole, on="disk")]
    plate = SQUARE - npde.Disk((0.5, 0.5), 0.25)
    problem = npde.Problem("helmholtz-hole", plate, npde.Helmholtz(k), lambda x: -(k**2) * wave(x), sides)
    return Told(problem, wave)


@kinds
def sound_hard():
    """A plane wave scattered by a hard disk, in a disk whose rim lets waves out to first order."""
    k, inner = 2 * pi, npde.Disk((0, 0), 0.25)
    ring = npde.Disk((0, 0), 1.0) - inner
    push = lambda x: 1j * k * (x[:, 0] / 0.25) * npde.exp(1j * k * x[:, 0])
    hard, open_ = npde.Neumann(push, on="disk-2"), npde.Robin(-1j * k, 1.0, 0.0, on="disk")
    problem = npde.Problem("sound-hard", ring, npde.Helmholtz(k), boundary=[hard, open_])
    return Told(problem, lambda x: _scattered(x, k, 0.25, 1.0))


def _scattered(x, k, a, b):
    """Σ iⁿ (αₙ Hₙ + βₙ Hₙ*) cos nθ with the two conditions, order by order."""
    r, angle = np.hypot(x[:, 0], x[:, 1]), np.arctan2(x[:, 1], x[:, 0])
    total = np.zeros(len(x), complex)
    for n in range(-30, 31):
        slopes = [[h1vp(n, k * r) * k, h2vp(n, k * r) * k] for r in (a, b)]
        rim = [slopes[1][0] - 1j * k * hankel1(n, k * b), slopes[1][1] - 1j * k * hankel2(n, k * b)]
        alpha, beta = np.linalg.solve([slopes[0], rim], [-(1j**n) * k * jvp(n, k * a), 0])
        total += (alpha * hankel1(n, k * r) + beta * hankel2(n, k * r)) * np.exp(1j * n * angle)
    return total


@kinds
def elasticity_plate():
    """λ = 1, μ = 1/2, displacements u and v with forces so that they are known; stresses on three sides."""
    lam, mu, q = 1.0, 0.5, 4.0
    fields = (
        lambda x: npde.cos(2 * pi * x[:, 0]) * npde.sin(pi * x[:, 1]),
        lambda x: npde.sin(pi * x[:, 0]) * q * x[:, 1] ** 4 / 4,
    )

    def residual(x, u):
        s, t = npde.sin(pi * x[:, 0]), npde.cos(pi * x[:, 0])
        first, second = fields[0](x), fields[1](x)
        down = -2 * pi**2 * npde.sin(2 * pi * x[:, 0]) * npde.cos(pi * x[:, 1])
        f = -5 * mu * pi**2 * first + (lam + mu) * (-4 * pi**2 * first + pi * t * q * x[:, 1] ** 3)
        bent = 3 * s * q * x[:, 1] ** 2
        g = mu * (bent - pi**2 * second) + (lam + mu) * (down + bent)
        shear = (lam + mu) * (u[0].d2(0) + u[1].d2(0, 1)), (lam + mu) * (u[0].d2(0, 1) + u[1].d2(1))
        return [mu * u[0].laplacian + shear[0] - f, mu * u[1].laplacian + shear[1] - g]

    sides = [
        npde.Dirichlet(fields[0], on=("bottom", "top"), component=0),
        npde.Dirichlet(fields[1], on=("bottom", "left", "right"), component=1),
    ]
    up = lambda s, u: (lam + 2 * mu) * (u[1].d(1) - npde.sin(pi * s.points[:, 0]) * q) + lam * u[0].d(0)
    stress = [
        npde.Constraint(
            "across",
            lambda s, u: (lam + 2 * mu) * u[0].d(0) + lam * u[1].d(1),
            npde.face(SQUARE, ("left", "right")),
            1,
        ),
        npde.Constraint("up", up, npde.face(SQUARE, "top"), 1),
    ]
    equation = npde.Equation(residual, outputs=2, mixed=[(0, 1)])
    problem = npde.Problem("elasticity-plate", SQUARE, equation, boundary=sides, constraints=stress)
    return Told(problem, lambda x: np.stack([field(x) for field in fields], axis=1))


@kinds
def kovasznay():
    """A steady flow behind a grid: velocities and pressure, given at the sides."""
    flow = npde.problems.kovasznay()
    moved = lambda u, k: u[0].value * u[k].d(0) + u[1].value * u[k].d(1) - u[k].laplacian / 20
    steady = lambda u: [moved(u, k) + u[2].d(k) for k in range(2)]
    equation = npde.Equation(lambda x, u: [*steady(u), u[0].d(0) + u[1].d(1)], outputs=3)
    problem = npde.Problem("kovasznay", flow.domain, equation, boundary=flow.boundary)
    return Told(problem, flow.exact)


@kinds
def lid_driven_cavity():
    """Navier and Stokes at Re = 100 under a lid that moves."""
    steady = lambda u, k: u[0].value * u[k].d(0) + u[1].value * u[k].d(1) - u[k].laplacian / 100 + u[2].d(k)
    equation = npde.Equation(lambda x, u: [steady(u, 0), steady(u, 1), u[0].d(0) + u[1].d(1)], outputs=3)
    walls = [
        npde.Dirichlet(1.0, on="top", component=0),
        npde.Dirichlet(0.0, on=("left", "right", "bottom"), component=0),
        npde.Dirichlet(0.0, component=1),
    ]
    pin = npde.Constraint("pin", lambda s, u: u.value[:, 2], npde.at_points([[0.5, 0.0]]))
    return Told(
        npde.Problem("cavity", SQUARE, equation, boundary=walls, constraints=pin),
        places=(np.array([[0.5, y] for y in CENTRE_LINE]), 0, list(CENTRE_LINE.values())),
    )


@kinds
def poisson_four_holes():
    """Δu = 0 on a square with four holes: 1 on its sides, 0 on the holes."""
    plate = npde.Box((-0.5, 0.5), (-0.5, 0.5))
    for place in [(0.3, 0.3), (-0.3, 0.3), (0.3, -0.3), (-0.3, -0.3)]:
        plate = plate - npde.Disk(place, 0.1)
    holes = npde.Dirichlet(0.0, on=HOLES)
    outer = npde.Dirichlet(1.0, on=SIDES)
    return gridded(npde.Problem("poisson-holes", plate, npde.Poisson(), boundary=[holes, outer]))


@kinds
def poisson_boltzmann():
    """−Δu + k² u = f on a square with four holes."""
    plate = npde.Box((-1, 1), (-1, 1))
    for place, radius in [((0.5, 0.5), 0.2), ((0.4, -0.4), 0.4), ((-0.2, -0.7), 0.1), ((-0.6, 0.5), 0.3)]:
        plate = plate - npde.Disk(place, radius)
    source = lambda x: 10 * (64 + 17 * pi**2) * npde.sin(pi * x[:, 0]) * npde.sin(4 * pi * x[:, 1])
    holes = npde.Dirichlet(1.0, on=HOLES)
    outer = npde.Dirichlet(0.2, on=SIDES)
    return gridded(npde.Problem("boltzmann", plate, npde.Poisson(reaction=64.0), source, [holes, outer]))


@kinds
def poisson_in_space():
    """−Δu + 8u = f in a cube with a ball left out."""
    field = lambda x: npde.exp(x[:, 0]) * npde.sin(pi * x[:, 1]) * npde.cos(x[:, 2])
    cube = npde.Box((0, 1), (0, 1), (0, 1)) - npde.Ball((0.5, 0.5, 0.5), 0.2)
    equation = npde.Poisson(reaction=8.0)
    source = lambda x: (8 + pi**2) * field(x)
    return Told(npde.Problem("cube", cube, equation, source, npde.Dirichlet(field)), field)


@kinds
def poisson_many_areas():
    """A conductivity that changes a hundredfold, area by area, with Robin's condition."""
    cell = lambda i, j: npde.Box((4 * i - 10, 4 * i - 6), (4 * j - 10, 4 * j - 6))
    areas = [(cell(i, j), 10.0 ** ((3 * i + 5 * j) % 3 - 1)) for i in range(5) for j in range(5)]
    plate = npde.Box((-10, 10), (-10, 10))
    equation = npde.Poisson(npde.Piecewise(1.0, *areas))
    problem = npde.Problem("many-areas", plate, equation, 1.0, npde.Robin(1.0, 1.0, 0.0))
    return gridded(problem)


@kinds
def poisson_on_axes():
    """Δu = −(π²/4) Σ sin(π xᵢ/2) on five axes."""
    field = lambda x: sum(npde.sin(pi / 2 * x[:, i]) for i in range(5))
    box = npde.Box(*[(0, 1)] * 5)
    problem = npde.Problem(
        "five-axes", box, npde.Poisson(), lambda x: (pi / 2) ** 2 * field(x), npde.Dirichlet(field)
    )
    return Told(problem, field)
