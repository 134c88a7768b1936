"""What goes on in time."""

import numpy as np
from kinds.kind import Kinds, Told
from kinds.truths import american_put as put_on_a_grid
from kinds.truths import chebyshev, torus_burgers
from scipy.special import ndtr

import neurapde as npde

pi = np.pi
kinds = Kinds()
SQUARE = npde.Box((0, 1), (0, 1))


def over(low, high, stop):
    """An interval over a time."""
    return npde.Interval(low, high).over(npde.Time(0, stop))


@kinds
def burgers():
    """u_t + u u_x = (0.01/π) u_xx."""
    equation = npde.Equation(lambda x, u: u.dt + u.value * u.d(0) - 0.01 / pi * u.d2(0))
    begin = npde.InitialCondition(lambda x: -npde.sin(pi * x[:, 0]))
    problem = npde.Problem("burgers", over(-1, 1, 1.0), equation, boundary=[npde.Dirichlet(0.0), begin])
    return Told(problem, npde.problems.burgers().exact)


@kinds
def allen_cahn():
    """u_t = 0.001 u_xx + 5 (u − u³), −1 at both ends, from x² cos πx; one of DeepXDE's."""
    equation = npde.Equation(lambda x, u: u.dt - 0.001 * u.d2(0) - 5 * (u.value - u.value**3))
    start = lambda x: x[:, 0] ** 2 * npde.cos(pi * x[:, 0])
    sides = [npde.Dirichlet(-1.0), npde.InitialCondition(start)]
    problem = npde.Problem("allen-cahn", over(-1, 1, 1.0), equation, boundary=sides)

    def truth(x):
        rates = lambda u, d2: 0.001 * d2 + 5 * (u - u**3)
        return chebyshev(rates, start, -1.0, 1.0, x)

    return Told(problem, truth)


@kinds
def diffusion():
    """u_t = u_xx − e⁻ᵗ (1 − π²) sin πx."""
    field = lambda x: npde.sin(pi * x[:, 0]) * npde.exp(-x[:, 1])
    equation = npde.Equation(lambda x, u: u.dt - u.d2(0) + (1 - pi**2) * field(x))
    begin = npde.InitialCondition(lambda x: npde.sin(pi * x[:, 0]))
    problem = npde.Problem("diffusion", over(-1, 1, 1.0), equation, boundary=[npde.Dirichlet(0.0), begin])
    return Told(problem, field)


@kinds
def diffusion_reaction():
    """u_t = u_xx + e⁻ᵗ (3/2 sin 2x + 8/3 sin 3x + 15/4 sin 4x + 63/8 sin 8x)."""
    waves = {1: 1.0, 2: 1 / 2, 3: 1 / 3, 4: 1 / 4, 8: 1 / 8}
    at_start = lambda x: sum(a * npde.sin(k * x[:, 0]) for k, a in waves.items())
    source = lambda x: (
        npde.exp(-x[:, 1]) * sum(a * (k**2 - 1) * npde.sin(k * x[:, 0]) for k, a in waves.items())
    )
    sides = [npde.Dirichlet(0.0), npde.InitialCondition(at_start)]
    equation = npde.Equation(lambda x, u: u.dt - u.d2(0) - source(x))
    problem = npde.Problem("diffusion-reaction", over(-pi, pi, 1.0), equation, boundary=sides)
    return Told(problem, lambda x: npde.exp(-x[:, 1]) * at_start(x))


@kinds
def heat():
    """u_t = 0.4 u_xx."""
    equation = npde.Equation(lambda x, u: u.dt - 0.4 * u.d2(0))
    sides = [npde.Dirichlet(0.0), npde.InitialCondition(lambda x: npde.sin(pi * x[:, 0]))]
    problem = npde.Problem("heat", over(0, 1, 1.0), equation, boundary=sides)
    return Told(problem, lambda x: npde.exp(-0.4 * pi**2 * x[:, 1]) * npde.sin(pi * x[:, 0]))


@kinds
def wave():
    """u_tt = 4 u_xx: two tones of a string."""
    field = lambda x: sum(
        a * npde.sin(k * pi * x[:, 0]) * npde.cos(2 * k * pi * x[:, 1]) for k, a in ((1, 1.0), (4, 0.5))
    )
    start = lambda x: npde.sin(pi * x[:, 0]) + npde.sin(4 * pi * x[:, 0]) / 2
    sides = [npde.Dirichlet(0.0), npde.InitialCondition(start, 0.0)]
    problem = npde.Problem("wave", over(0, 1, 1.0), npde.Wave(2.0), boundary=sides)
    return Told(problem, field)


@kinds
def klein_gordon():
    """u_tt − u_xx + u² = f, u = x cos t."""
    field = lambda x: x[:, 0] * npde.cos(x[:, 1])
    equation = npde.Equation(lambda x, u: u.dtt - u.d2(0) + u.value**2 + field(x) - field(x) ** 2)
    sides = [npde.Dirichlet(field), npde.InitialCondition(lambda x: x[:, 0], 0.0)]
    problem = npde.Problem("klein-gordon", over(-1, 1, 10.0), equation, boundary=sides)
    return Told(problem, field)


@kinds
def schrodinger():
    """i h_t + h_xx / 2 + |h|² h = 0, periodic on (−5, 5)."""
    turned = lambda u: 0.5 * u.d2(0) + npde.abs(u.value) ** 2 * u.value
    equation = npde.Equation(lambda x, u: 1j * u.dt + turned(u), complex=True)
    start = npde.InitialCondition(lambda x: 4 / (npde.exp(x[:, 0]) + npde.exp(-x[:, 0])))
    sides = [npde.Periodic("x"), start]
    problem = npde.Problem("schrodinger", over(-5, 5, pi / 2), equation, boundary=sides)
    return Told(problem, npde.problems.schrodinger(half_width=5.0).exact)


@kinds
def burgers_in_the_plane():
    """u_t + u·∇u = Δu/5 on a torus, two components."""
    carried = lambda u, k: u[k].dt + u[0].value * u[k].d(0) + u[1].value * u[k].d(1) - 0.2 * u[k].laplacian
    equation = npde.Equation(lambda x, u: [carried(u, 0), carried(u, 1)], outputs=2)
    start = [
        npde.InitialCondition(lambda x: npde.sin(x[:, 0]) * npde.cos(x[:, 1]), component=0),
        npde.InitialCondition(lambda x: npde.cos(x[:, 0] + x[:, 1]), component=1),
    ]
    box = npde.Box((0, 2 * pi), (0, 2 * pi)).over(npde.Time(0, 1))
    sides = [npde.Periodic("x"), npde.Periodic("y"), *start]
    problem = npde.Problem("burgers-plane", box, equation, boundary=sides)
    return Told(problem, lambda x: torus_burgers(x, 0.2))


@kinds
def heat_with_a_medium():
    """u_t = ∇·(a ∇u) + f, a smooth and varying: the field is known."""
    a = lambda x: 1 + npde.sin(pi * x[:, 0]) * npde.sin(pi * x[:, 1]) / 2
    s = lambda x, i: npde.sin(pi * x[:, i])
    c = lambda x, i: pi * npde.cos(pi * x[:, i])
    field = lambda x: s(x, 0) * s(x, 1) * npde.exp(-x[:, 2])
    across = lambda x, u: (c(x, 0) * s(x, 1) * u.d(0) + s(x, 0) * c(x, 1) * u.d(1)) / 2
    squares = lambda x: ((c(x, 0) * s(x, 1)) ** 2 + (s(x, 0) * c(x, 1)) ** 2) / 2 * npde.exp(-x[:, 2])
    source = lambda x: -field(x) + 2 * pi**2 * a(x) * field(x) - squares(x)
    equation = npde.Equation(lambda x, u: u.dt - a(x) * u.laplacian - across(x, u) - source(x))
    sides = [npde.Dirichlet(0.0), npde.InitialCondition(lambda x: s(x, 0) * s(x, 1))]
    problem = npde.Problem("heat-medium", SQUARE.over(npde.Time(0, 1)), equation, boundary=sides)
    return Told(problem, field)


@kinds
def heat_multiscale():
    """u_t = u_xx / (500π)² + u_yy / π²: twenty waves one way, one the other."""
    equation = npde.Equation(lambda x, u: u.dt - u.d2(0) / (500 * pi) ** 2 - u.d2(1) / pi**2)
    start = lambda x: npde.sin(20 * pi * x[:, 0]) * npde.sin(pi * x[:, 1])
    sides = [npde.Dirichlet(0.0), npde.InitialCondition(start)]
    problem = npde.Problem("heat-multiscale", SQUARE.over(npde.Time(0, 5)), equation, boundary=sides)
    return Told(problem, lambda x: start(x) * npde.exp(-(1 + (20 / 500) ** 2) * x[:, 2]))


@kinds
def heat_around_holes():
    """u_t = Δu on a plate with two holes; Robin's condition on the holes, the field known."""
    plate = SQUARE - npde.Disk((0.3, 0.3), 0.1) - npde.Disk((0.7, 0.6), 0.15)
    field = lambda x: npde.exp(-2 * x[:, 2]) * npde.sin(x[:, 0] + x[:, 1])
    slope = lambda x: npde.exp(-2 * x[:, 2]) * npde.cos(x[:, 0] + x[:, 1])
    on = lambda x, c, r: field(x) - slope(x) * ((x[:, 0] - c[0]) + (x[:, 1] - c[1])) / r
    holes = [
        npde.Robin(1.0, 1.0, lambda x: on(x, (0.3, 0.3), 0.1), on="disk"),
        npde.Robin(1.0, 1.0, lambda x: on(x, (0.7, 0.6), 0.15), on="disk-2"),
    ]
    outer = npde.Dirichlet(field, on=("left", "right", "bottom", "top"))
    begin = npde.InitialCondition(lambda x: npde.sin(x[:, 0] + x[:, 1]))
    equation = npde.Equation(lambda x, u: u.dt - u.laplacian)
    problem = npde.Problem(
        "heat-holes", plate.over(npde.Time(0, 1)), equation, boundary=[*holes, outer, begin]
    )
    return Told(problem, field)


@kinds
def heat_on_axes():
    """u_t = Δu / 5 + f on five axes of a box."""
    field = lambda x: npde.exp(-x[:, 5]) * sum(npde.sin(x[:, i]) for i in range(5)) / 5
    box = npde.Box(*[(0, 1)] * 5).over(npde.Time(0, 1))
    equation = npde.Equation(lambda x, u: u.dt - u.laplacian)
    start = npde.InitialCondition(lambda x: sum(npde.sin(x[:, i]) for i in range(5)) / 5)
    problem = npde.Problem("heat-axes", box, equation, boundary=[npde.Dirichlet(field), start])
    return Told(problem, field)


@kinds
def waves_in_a_medium():
    """u_tt = c² Δu with c = 1 + x/2 … in the plane, the field known."""
    c = lambda x: 1 + x[:, 0] / 2
    field = lambda x: npde.sin(pi * x[:, 0]) * npde.sin(pi * x[:, 1]) * npde.cos(4 * x[:, 2])
    equation = npde.Equation(
        lambda x, u: u.dtt - c(x) ** 2 * u.laplacian - (2 * pi**2 * c(x) ** 2 - 16) * field(x)
    )
    start = lambda x: npde.sin(pi * x[:, 0]) * npde.sin(pi * x[:, 1])
    sides = [npde.Dirichlet(0.0), npde.InitialCondition(start, 0.0)]
    problem = npde.Problem("wave-medium", SQUARE.over(npde.Time(0, 1)), equation, boundary=sides)
    return Told(problem, field)


@kinds
def wave_multiscale():
    """u_tt = u_xx + 2 u_yy: a fast tone and a slow one."""
    tones = ((1, 1, 1.0), (3, 2, 0.5))
    pitch = lambda m, n: pi * np.sqrt(m**2 + 2 * n**2)
    start = lambda x: sum(a * npde.sin(m * pi * x[:, 0]) * npde.sin(n * pi * x[:, 1]) for m, n, a in tones)
    equation = npde.Equation(lambda x, u: u.dtt - u.d2(0) - 2 * u.d2(1))
    sides = [npde.Dirichlet(0.0), npde.InitialCondition(start, 0.0)]
    problem = npde.Problem("wave-multiscale", SQUARE.over(npde.Time(0, 2)), equation, boundary=sides)
    tone = lambda x, m, n: (
        npde.sin(m * pi * x[:, 0]) * npde.sin(n * pi * x[:, 1]) * npde.cos(pitch(m, n) * x[:, 2])
    )
    return Told(problem, lambda x: sum(a * tone(x, m, n) for m, n, a in tones))


@kinds
def gray_scott():
    """A spot that feeds on what is around it, to t = 200."""
    named = npde.problems.gray_scott()
    problem = npde.Problem("gray-scott", named.domain, named.equation, boundary=named.boundary)
    return Told(problem, named.exact)


@kinds
def kuramoto_sivashinsky():
    """u_t + u u_x + u_xx + u_xxxx = 0."""
    equation = npde.Equation(lambda x, u: u.dt + u.value * u.d(0) + u.d2(0) + u.d4(0))
    start = npde.InitialCondition(lambda x: npde.cos(x[:, 0] / 16) * (1 + npde.sin(x[:, 0] / 16)))
    ring = over(0, 32 * pi, 20.0)
    problem = npde.Problem("flames", ring, equation, boundary=[npde.Periodic("x"), start])
    return Told(problem, lambda x: npde.problems.kuramoto_sivashinsky().exact(x)[:, 0])


@kinds
def black_scholes():
    """V_t + σ²S²/2 V_SS + r S V_S − r V = 0 before it is due, in the time that is left; a call."""
    sigma, rate, strike = 0.4, 0.05, 50.0
    operator = lambda x, u: sigma**2 / 2 * x[:, 0] ** 2 * u.d2(0) + rate * (x[:, 0] * u.d(0) - u.value)
    equation = npde.Equation(lambda x, u: u.dt - operator(x, u))
    sides = [
        npde.InitialCondition(lambda x: npde.maximum(x[:, 0] - strike, 0.0)),
        npde.Dirichlet(0.0, on="left"),
        npde.Dirichlet(lambda x: x[:, 0] - strike * npde.exp(-rate * x[:, 1]), on="right"),
    ]
    problem = npde.Problem("black-scholes", over(0, 200, 1.0), equation, boundary=sides)

    def truth(x):
        s, t = np.maximum(x[:, 0], 1e-9), np.maximum(x[:, 1], 1e-12)
        d = (np.log(s / strike) + (rate + sigma**2 / 2) * t) / (sigma * np.sqrt(t))
        return s * ndtr(d) - strike * np.exp(-rate * t) * ndtr(d - sigma * np.sqrt(t))

    return Told(problem, truth)


@kinds
def american_put():
    """A put that may be exercised at any time, by the logarithm of the price over the strike, in the time that is left."""
    sigma, rate, far = 0.3, 0.06, 1.2
    drift = lambda u: sigma**2 / 2 * u.d2(0) + (rate - sigma**2 / 2) * u.d(0)
    payoff = lambda x: npde.maximum(1 - npde.exp(x[:, 0]), 0.0)
    held = npde.Obstacle(lambda x, u: u.dt - drift(u) + rate * u.value, below=payoff)
    sides = [
        npde.Dirichlet(1 - np.exp(-far), on="left"),
        npde.Dirichlet(0.0, on="right"),
        npde.InitialCondition(payoff),
    ]
    problem = npde.Problem("american-put", over(-far, far, 1.0), npde.Equation(held), boundary=sides)
    return Told(problem, lambda x: put_on_a_grid(x, rate, sigma, far, 1.0))
