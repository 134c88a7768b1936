"""Functions, ordinary differential equations and elliptic problems on an interval."""

import numpy as np
from kinds.kind import Kinds, Told
from scipy.integrate import solve_ivp
from scipy.special import erfcx, gamma

import neurapde as npde

pi = np.pi
kinds = Kinds()
LINE = npde.Interval(-1, 1)


@kinds
def function():
    """Values of x sin 5x at places, and the smoothest curve through them."""
    x = np.linspace(-1, 1, 16)[:, None]
    data = npde.Constraint(
        "data", lambda s, u: u.value - s.measured, npde.at_points(x, targets=x[:, 0] * np.sin(5 * x[:, 0]))
    )
    smooth = npde.Equation(lambda x, u: 1e-6 * u.d2(0))
    problem = npde.Problem("function", LINE, smooth, constraints=[data])
    return Told(problem, lambda x: x[:, 0] * np.sin(5 * x[:, 0]))


@kinds
def two_fidelities():
    """Many values of a coarse model, few of a fine one, a linear function of the coarse one and of x."""
    a, b, c = (npde.Parameter(name, start=1.0) for name in "abc")
    line = npde.Interval(0, 1)
    fine = lambda x: (6 * x - 2) ** 2 * np.sin(12 * x - 4)
    coarse = lambda x: 0.5 * fine(x) + 10 * (x - 0.5) - 5
    many, few = np.linspace(0, 1, 41)[:, None], np.array([[0.0], [0.4], [0.6], [1.0]])
    data = [
        npde.measured("coarse", many, coarse(many[:, 0]), component=0),
        npde.measured("fine", few, fine(few[:, 0]), component=1),
    ]
    join = npde.Equation(lambda x, u: u[1].value - a * u[0].value - b * x[:, 0] - c, order=0, outputs=2)
    return Told(
        npde.Problem("two-fidelities", line, join, constraints=data), None, {"a": 2.0, "b": -20.0, "c": 20.0}
    )


@kinds
def ode_second():
    """y″ − 10 y′ + 9 y = 5t from −1 with the slope 2."""
    equation = npde.Equation(lambda t, y: y.dtt - 10 * y.dt + 9 * y.value - 5 * t[:, 0])
    problem = npde.Problem(
        "ode-second", npde.Time(0, 0.25), equation, boundary=npde.InitialCondition(-1.0, 2.0)
    )
    return Told(
        problem, lambda t: 50 / 81 + 5 * t[:, 0] / 9 - 2 * np.exp(t[:, 0]) + 31 / 81 * np.exp(9 * t[:, 0])
    )


@kinds
def ode_system():
    """y₁′ = y₂, y₂′ = −y₁."""
    equation = npde.Equation(lambda t, y: [y[0].dt - y[1].value, y[1].dt + y[0].value], order=1, outputs=2)
    begins = [npde.InitialCondition(0.0, component=0), npde.InitialCondition(1.0, component=1)]
    problem = npde.Problem("ode-system", npde.Time(0, 10), equation, boundary=begins)
    return Told(problem, lambda t: np.stack([np.sin(t[:, 0]), np.cos(t[:, 0])], axis=1))


@kinds
def lotka_volterra():
    """Hares and foxes, scaled: r′ = (200 / 100)(20 r − 40 r p) …"""
    met = lambda y: y[0].value * y[1].value
    hares = lambda y: y[0].dt - 20 * (2 * y[0].value - 0.04 * 200 * met(y)) / 20
    foxes = lambda y: y[1].dt - 20 * (0.02 * 200 * met(y) - 1.06 * y[1].value) / 20
    equation = npde.Equation(lambda t, y: [hares(y), foxes(y)], order=1, outputs=2)
    begins = [npde.InitialCondition(0.5, component=0), npde.InitialCondition(0.075, component=1)]
    problem = npde.Problem("lotka-volterra", npde.Time(0, 20), equation, boundary=begins)

    def truth(t):
        rates = lambda t, y: [2 * y[0] - 8 * y[0] * y[1], 4 * y[0] * y[1] - 1.06 * y[1]]
        return (
            solve_ivp(rates, (0, 20), [0.5, 0.075], "DOP853", dense_output=True, rtol=1e-12, atol=1e-13)
            .sol(t[:, 0])
            .T
        )

    return Told(problem, truth)


@kinds
def integro_differential():
    """y′ + y = ∫₀ˣ e^(t−x) y(t) dt from 1: w is the integral, w′ = y − w."""
    equation = npde.Equation(
        lambda x, u: [u[0].dt + u[0].value - u[1].value, u[1].dt - u[0].value + u[1].value], 1, 2
    )
    begins = [npde.InitialCondition(1.0, component=0), npde.InitialCondition(0.0, component=1)]
    problem = npde.Problem("integro-differential", npde.Time(0, 5), equation, boundary=begins)
    return Told(
        problem, lambda x: np.stack([np.exp(-x[:, 0]) * f(x[:, 0]) for f in (np.cosh, np.sinh)], axis=1)
    )


@kinds
def volterra_general():
    """y′ + y = f + ∫₀ˣ y(t)/(1 + x² + t) dt from 1, whose kernel solves no equation of its own: 1 + 2x."""
    memory = npde.Volterra(lambda x, t: 1 / (1 + x[:, 0] ** 2 + t[:, 0]))
    past = lambda x: 2 * x - (1 + 2 * x**2) * npde.log((1 + x + x**2) / (1 + x**2))
    equation = npde.Equation(
        lambda x, y: y.dt + y.value - memory(y) - 3 - 2 * x[:, 0] + past(x[:, 0]), order=1
    )
    problem = npde.Problem("volterra", npde.Time(0, 5), equation, boundary=npde.InitialCondition(1.0))
    return Told(problem, lambda x: 1 + 2 * x[:, 0])


@kinds
def relaxation_of_fractional_order():
    """The derivative of order one half, by Caputo, of y is −y: Mittag-Leffler's function."""
    slow = npde.Caputo(0.5)
    equation = npde.Equation(lambda t, y: slow(y) + y.value, order=0)
    problem = npde.Problem("relaxation", npde.Time(0, 2), equation, boundary=npde.InitialCondition(1.0))
    return Told(problem, lambda t: erfcx(np.sqrt(t[:, 0])))


@kinds
def fractional_poisson_line():
    """(−Δ)^0.9 u = f on (−1, 1), u = 0 outside: (1 − x²)^1.9."""
    spread, s = npde.FractionalLaplacian(1.8), 0.9
    factor = 4**s * gamma(2 + s) * gamma(0.5 + s) / gamma(0.5)
    equation = npde.Equation(lambda x, u: spread(u) - factor * (1 - (1 + 2 * s) * x[:, 0] ** 2), order=0)
    problem = npde.Problem("fractional-line", LINE, equation, boundary=npde.Dirichlet(0.0))
    return Told(problem, lambda x: np.maximum(1 - x[:, 0] ** 2, 0) ** (1 + s))


@kinds
def fractional_poisson_disk():
    """(−Δ)^0.75 u = f in the unit disk, u = 0 outside: (1 − r²)^1.75."""
    spread, s = npde.FractionalLaplacian(1.5), 0.75
    factor = 4**s * gamma(2 + s) * gamma(1 + s)
    square = lambda x: x[:, 0] ** 2 + x[:, 1] ** 2
    equation = npde.Equation(lambda x, u: spread(u) - factor * (1 - (1 + s) * square(x)), order=0)
    disk = npde.Disk((0, 0), 1.0)
    problem = npde.Problem("fractional-disk", disk, equation, boundary=npde.Dirichlet(0.0))
    return Told(problem, lambda x: np.maximum(1 - square(x), 0) ** (1 + s))


@kinds
def euler_beam():
    """u⁗ = −1: clamped at 0, free at 1."""
    line = npde.Interval(0, 1)
    clamped = [npde.Dirichlet(0.0, on="left"), npde.Neumann(0.0, on="left")]
    moment = npde.Constraint("moment", lambda s, u: u.d2(0), npde.face(line, "right"), order=2)
    shear = npde.Constraint("shear", lambda s, u: u.d3(0), npde.face(line, "right"), order=3)
    equation = npde.Equation(lambda x, u: u.d4(0) + 1)
    problem = npde.Problem("euler-beam", line, equation, boundary=clamped, constraints=[moment, shear])
    return Told(problem, lambda x: -(x[:, 0] ** 4) / 24 + x[:, 0] ** 3 / 6 - x[:, 0] ** 2 / 4)


@kinds
def poisson_dirichlet():
    """u″ = −π² sin πx."""
    source = lambda x: pi**2 * npde.sin(pi * x[:, 0])
    problem = npde.Problem("poisson-dirichlet", LINE, npde.Poisson(), source, npde.Dirichlet(0.0))
    return Told(problem, lambda x: np.sin(pi * x[:, 0]))


@kinds
def poisson_dirichlet_built_in():
    """u″ = Σ k sin kx + 8 sin 8x, with ends that the trial meets by its form."""
    source = lambda x: -sum(k * npde.sin(k * x[:, 0]) for k in (1, 2, 3, 4, 8))
    ends = npde.Dirichlet(lambda x: x[:, 0], hard=True)
    problem = npde.Problem(
        "poisson-built-in", npde.Interval(0, pi), npde.Poisson(), lambda x: -source(x), ends
    )
    return Told(problem, lambda x: x[:, 0] + sum(np.sin(k * x[:, 0]) / k for k in (1, 2, 3, 4, 8)))


@kinds
def poisson_neumann():
    """u″ = 2: (x + 1)²."""
    sides = [npde.Dirichlet(0.0, on="left"), npde.Neumann(4.0, on="right")]
    problem = npde.Problem("poisson-neumann", LINE, npde.Poisson(), -2.0, sides)
    return Told(problem, lambda x: (x[:, 0] + 1) ** 2)


@kinds
def poisson_robin():
    """u″ = 2 with u′ = u at the right: (x + 1)²."""
    sides = [npde.Dirichlet(0.0, on="left"), npde.Robin(-1.0, 1.0, 0.0, on="right")]
    problem = npde.Problem("poisson-robin", LINE, npde.Poisson(), -2.0, sides)
    return Told(problem, lambda x: (x[:, 0] + 1) ** 2)


@kinds
def poisson_periodic():
    """u″ = −π² sin πx, known at one end and periodic."""
    source = lambda x: pi**2 * npde.sin(pi * x[:, 0])
    pin = npde.Constraint("pin", lambda s, u: u.value, npde.at_points([[-1.0]]))
    problem = npde.Problem(
        "poisson-periodic", LINE, npde.Poisson(), source, npde.Periodic("x"), constraints=pin
    )
    return Told(problem, lambda x: np.sin(pi * x[:, 0]))


@kinds
def poisson_multiscale():
    """A long wave and one 25 times as short, a tenth as high."""
    source = lambda x: (
        (2 * pi) ** 2 * npde.sin(2 * pi * x[:, 0]) + 0.1 * (50 * pi) ** 2 * npde.sin(50 * pi * x[:, 0])
    )
    problem = npde.Problem(
        "poisson-multiscale", npde.Interval(0, 1), npde.Poisson(), source, npde.Dirichlet(0.0)
    )
    return Told(problem, lambda x: np.sin(2 * pi * x[:, 0]) + 0.1 * np.sin(50 * pi * x[:, 0]))


@kinds
def slope_at_points():
    """u″ = 2, known at the left, its slope measured at points."""
    points = np.array([[0.5], [1.0]])
    slope = npde.Constraint(
        "slope", lambda s, u: u.d(0) - s.measured, npde.at_points(points, targets=[3.0, 4.0]), order=1
    )
    left = npde.Dirichlet(0.0, on="left")
    problem = npde.Problem("slope-at-points", LINE, npde.Poisson(), -2.0, left, constraints=[slope])
    return Told(problem, lambda x: (x[:, 0] + 1) ** 2)


@kinds
def operator_at_a_side():
    """u″ = 2, with (u′)³ + u = 68 at the right, which is not linear."""
    right = npde.face(LINE, "right")
    square = npde.Constraint("cube", lambda s, u: u.d(0) ** 3 + u.value - 68, right, order=1)
    left = [npde.Dirichlet(0.0, on="left")]
    problem = npde.Problem(
        "operator", LINE, npde.Equation(lambda x, u: u.d2(0) - 2), boundary=left, constraints=[square]
    )
    return Told(problem, lambda x: (x[:, 0] + 1) ** 2)
