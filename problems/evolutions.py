"""Nonlinear evolutions on a line: fronts, solitons, chaos, patterns; each has an exact field or a separate solution."""

import math
from functools import lru_cache

import numpy as np
from numpy.polynomial.hermite import hermgauss

from neurapde.conditions import Dirichlet, InitialCondition, Periodic
from neurapde.core.arrays import Array, cos, exp, sin, to_numpy
from neurapde.domains import Interval, Time
from neurapde.jets.jet import Jet
from neurapde.problem.equation import Equation
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.periodic import PeriodicField, evolve, wavenumbers


def _sech(x: Array) -> Array:
    return 2 / (exp(x) + exp(-x))


def burgers(*, viscosity: float = 0.01 / math.pi, stop: float = 1.0) -> Problem:
    """u_t + u u_x = ν u_xx from −sin πx: a front that steepens up to the limit set by ν; exact by the Cole–Hopf
    integrals.

    viscosity: ν. stop: the last time.
    """

    def exact(x: Array) -> Array:
        points = to_numpy(x)
        nodes, weights = hermgauss(120)
        at = points[:, :1] - np.sqrt(4 * viscosity * points[:, 1:]) * nodes
        shift = np.cos(np.pi * at) / (2 * np.pi * viscosity)
        factor = weights * np.exp(-shift + shift.min(axis=1, keepdims=True))
        return -(factor * np.sin(np.pi * at)).sum(axis=1) / factor.sum(axis=1)

    return Problem(
        name="burgers",
        domain=Interval(-1.0, 1.0).over(Time(0.0, stop)),
        equation=Equation(lambda x, u: u.dt + u.value * u.d(0) - viscosity * u.d2(0)),
        boundary=[Dirichlet(0.0), InitialCondition(lambda x: -sin(math.pi * x[:, 0]))],
        exact=exact,
    )


def allen_cahn(*, diffusivity: float = 1e-4, rate: float = 5.0, stop: float = 1.0) -> Problem:
    """u_t = a u_xx + r (u − u³) from x² cos πx on a circle: phases separate, with fronts between them.

    diffusivity: a. rate: r. stop: the last time.
    """

    def start(x: Array) -> Array:
        return x[:, 0] ** 2 * cos(math.pi * x[:, 0])

    @lru_cache
    def field() -> PeriodicField:
        count = 4096
        x = -1 + 2 * np.arange(count)[:, None] / count
        linear = rate - diffusivity * wavenumbers(count, 2.0)[None] ** 2
        steps = math.ceil(200 * rate * stop)
        return evolve(start(x)[None], linear, lambda u: -rate * u**3, -1.0, 2.0, stop, steps)

    return Problem(
        name="allen-cahn",
        domain=Interval(-1.0, 1.0).over(Time(0.0, stop)),
        equation=Equation(lambda x, u: u.dt - diffusivity * u.d2(0) - rate * (u.value - u.value**3), order=2),
        boundary=[Periodic("x"), InitialCondition(start)],
        exact=lambda x: field()(*to_numpy(x).T)[:, 0],
    )


def kdv(*, sizes: tuple[float, float] = (1.2, 0.7), half_width: float = 20.0, stop: float = 4.0) -> Problem:
    """v_t + 6 v v_x + w_x = 0 with w = v_xx: a soliton overtakes another. Both are exact (Hirota 1971).

    sizes: k of the solitons 2k² sech² k(x − 4k² t), which meet at x = 0 halfway. half_width: of the circle.
    stop: the last time.
    """
    k = 2 * np.array(sizes)
    shifts = [-(number**3) * stop / 2 for number in k]
    joint = float(((k[0] - k[1]) / (k[0] + k[1])) ** 2)

    def parts(x: Array) -> list[Array]:
        """∂ᵏ log F of second and fourth order, F = 1 + e¹ + e² + A e¹ e²."""
        time = x[:, 1] if x.shape[1] > 1 else 0.0
        angles = [k[i] * x[:, 0] - k[i] ** 3 * time - shifts[i] for i in range(2)]
        top = sum(0.5 * (angle + (angle**2) ** 0.5) for angle in angles)
        exponents = [(0.0 * top, 0.0, 1.0), (angles[0], k[0], 1.0), (angles[1], k[1], 1.0)]
        exponents.append((angles[0] + angles[1], k[0] + k[1], joint))
        terms = [(float(rate), factor * exp(angle - top)) for angle, rate, factor in exponents]
        whole = sum(term for _, term in terms)
        r1, r2, r3, r4 = (sum(rate**n * term for rate, term in terms) / whole for n in (1, 2, 3, 4))
        return [r2 - r1**2, r4 - 4 * r3 * r1 - 3 * r2**2 + 12 * r2 * r1**2 - 6 * r1**4]

    def residual(x: Array, u: Jet) -> list[Array]:
        v, w = u[0], u[1]
        return [v.dt + 6 * v.value * v.d(0) + w.d(0), w.value - v.d2(0)]

    return Problem(
        name="kdv",
        domain=Interval(-half_width, half_width).over(Time(0.0, stop)),
        equation=Equation(residual, outputs=2),
        boundary=[Periodic("x"), InitialCondition(lambda x: 2 * parts(x)[0], component=0)],
        exact=lambda x: np.stack([2 * values for values in parts(to_numpy(x))], axis=1),
    )


def schrodinger(*, half_width: float = 20.0, stop: float = math.pi / 2) -> Problem:
    """i h_t + h_xx/2 + |h|² h = 0 from 2 sech x: two solitons that stay together and beat (Satsuma and Yajima 1974).

    half_width: of the circle. stop: the last time; the field returns, up to its phase, after π/2.
    """

    def exact(x: Array) -> Array:
        s, t = to_numpy(x).T
        above = np.cosh(3 * s) + 3 * np.exp(4j * t) * np.cosh(s)
        return 4 * np.exp(0.5j * t) * above / (np.cosh(4 * s) + 4 * np.cosh(2 * s) + 3 * np.cos(4 * t))

    return Problem(
        name="schrodinger",
        domain=Interval(-half_width, half_width).over(Time(0.0, stop)),
        equation=Equation(
            lambda x, h: 1j * h.dt + h.d2(0) / 2 + (h.value.real**2 + h.value.imag**2) * h.value, complex=True
        ),
        boundary=[Periodic("x"), InitialCondition(lambda x: 2 * _sech(x[:, 0]))],
        exact=exact,
    )


def kuramoto_sivashinsky(*, length: float = 32 * math.pi, stop: float = 20.0) -> Problem:
    """v_t + v v_x + w + w_xx = 0 with w = v_xx: wrinkling flames that become chaotic.

    length: of the circle. stop: the last time.
    """

    def start(x: Array) -> Array:
        angle = 2 * math.pi * x[:, 0] / length
        return cos(angle) * (1 + sin(angle))

    @lru_cache
    def field() -> PeriodicField:
        count = 16 * math.ceil(length / math.pi)
        k2 = wavenumbers(count, length)[None] ** 2
        x = length * np.arange(count)[:, None] / count
        steps = math.ceil(80 * stop)
        return evolve(
            start(x)[None], k2 - k2**2, lambda u: -(u**2) / 2, 0.0, length, stop, steps, divergence=True
        )

    def exact(x: Array) -> Array:
        s, t = to_numpy(x).T
        return np.hstack([field()(s, t, derivative) for derivative in (0, 2)])

    def residual(x: Array, u: Jet) -> list[Array]:
        v, w = u[0], u[1]
        return [v.dt + v.value * v.d(0) + w.value + w.d2(0), w.value - v.d2(0)]

    return Problem(
        name="kuramoto-sivashinsky",
        domain=Interval(0.0, length).over(Time(0.0, stop)),
        equation=Equation(residual, outputs=2),
        boundary=[Periodic("x"), InitialCondition(start, component=0)],
        exact=exact,
    )


def gray_scott(
    *, feed: float = 0.04, decay: float = 0.1, half_width: float = 1.0, stop: float = 200.0
) -> Problem:
    """u_t = a u_xx + F (1 − u) − u v², v_t = b v_xx − d v + u v²: a spot of v feeds on u and spreads.

    feed: F. decay: d. half_width: of the circle; a = 1e-4 and b = 5e-5. stop: the last time.
    """
    rates = 1e-4, 5e-5

    def spot(x: Array) -> Array:
        return exp(-80 * x[:, 0] ** 2) / 2

    @lru_cache
    def field() -> PeriodicField:
        count = 512
        k2 = wavenumbers(count, 2 * half_width) ** 2
        x = -half_width + 2 * half_width * np.arange(count)[:, None] / count
        linear = np.stack([-rates[0] * k2 - feed, -rates[1] * k2 - decay])

        def rest(values: np.ndarray) -> np.ndarray:
            eaten = values[0] * values[1] ** 2
            return np.stack([feed - eaten, eaten])

        begun = np.stack([1 - spot(x), spot(x)])
        return evolve(begun, linear, rest, -half_width, 2 * half_width, stop, math.ceil(10 * stop))

    def residual(x: Array, u: Jet) -> list[Array]:
        food, spots = u[0], u[1]
        eaten = food.value * spots.value**2
        return [
            food.dt - rates[0] * food.d2(0) - feed * (1 - food.value) + eaten,
            spots.dt - rates[1] * spots.d2(0) + decay * spots.value - eaten,
        ]

    return Problem(
        name="gray-scott",
        domain=Interval(-half_width, half_width).over(Time(0.0, stop)),
        equation=Equation(residual, outputs=2),
        boundary=[
            Periodic("x"),
            InitialCondition(lambda x: 1 - spot(x), component=0),
            InitialCondition(spot, component=1),
        ],
        exact=lambda x: field()(*to_numpy(x).T),
    )
