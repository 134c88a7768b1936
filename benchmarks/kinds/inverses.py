"""Unknown numbers and fields that data are to tell."""

import numpy as np
from kinds.kind import Kinds, Told
from scipy.integrate import solve_bvp, solve_ivp

import neurapde as npde

pi = np.pi
kinds = Kinds()


def _lorenz(push):
    def rates(t, y):
        return [10 * (y[1] - y[0]), y[0] * (15 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2] + push(t)]

    times = np.linspace(0, 3, 25)
    return times[:, None], solve_ivp(rates, (0, 3), [-8, 7, 27], t_eval=times, rtol=1e-11, atol=1e-11).y.T


def _of_lorenz(name, push):
    a, b, c = (npde.Parameter(name, start=1.0) for name in ("sigma", "rho", "beta"))
    first = lambda x, y, z: x.dt - a * (y.value - x.value)
    second = lambda x, y, z: y.dt - x.value * (b - z.value) + y.value
    third = lambda x, y, z: z.dt - x.value * y.value + c * z.value
    equation = npde.Equation(
        lambda t, u: [
            first(u[0], u[1], u[2]),
            second(u[0], u[1], u[2]),
            third(u[0], u[1], u[2]) - push(t[:, 0]),
        ],
        1,
        3,
    )
    begins = [npde.InitialCondition(value, component=i) for i, value in enumerate((-8.0, 7.0, 27.0))]
    data = npde.measured("orbit", *_lorenz(push))
    problem = npde.Problem(name, npde.Time(0, 3), equation, boundary=begins, constraints=data)
    return Told(problem, None, {"sigma": 10.0, "rho": 15.0, "beta": 8 / 3})


@kinds
def lorenz_inverse():
    """Three numbers of Lorenz' system from 25 times."""
    return _of_lorenz("lorenz", lambda t: 0 * t)


@kinds
def lorenz_forced_inverse():
    """The same with a known force 10 sin 2πt."""
    return _of_lorenz("lorenz-forced", lambda t: 10 * npde.sin(2 * pi * t))


@kinds
def diffusion_inverse():
    """u_t = C u_xx + f, ten values at the end."""
    field = lambda x: npde.sin(pi * x[:, 0]) * npde.exp(-x[:, 1])
    c = npde.Parameter("C", start=2.0)
    equation = npde.Equation(lambda x, u: u.dt - c * u.d2(0) + (1 - pi**2) * field(x))
    begin = npde.InitialCondition(lambda x: npde.sin(pi * x[:, 0]))
    x = np.stack([np.linspace(-1, 1, 10), np.ones(10)], axis=1)
    data = npde.measured("end", x, np.sin(pi * x[:, 0]) * np.exp(-1))
    rod = npde.Interval(-1, 1).over(npde.Time(0, 1))
    problem = npde.Problem(
        "diffusion-inverse", rod, equation, boundary=[npde.Dirichlet(0.0), begin], constraints=data
    )
    return Told(problem, field, {"C": 1.0})


@kinds
def brinkman_forchheimer():
    """−ν/ε u″ + ν u / K = 1 between walls: ν and K from 5 places."""
    e, nu, k = 0.4, 1e-3, 1e-3
    r = np.sqrt(e / k)
    flow = lambda x: k / nu * (1 - np.cosh(r * (x[:, 0] - 0.5)) / np.cosh(r / 2))
    viscosity = npde.Parameter("viscosity", start=0.1, bounds=(0, None))
    permeability = npde.Parameter("permeability", start=0.1, bounds=(0, None))
    equation = npde.Equation(lambda x, u: -viscosity / e * u.d2(0) + viscosity / permeability * u.value - 1)
    x = np.array([[0.02], [0.05], [0.1], [0.3], [0.5]])
    data = npde.measured("flow", x, flow(x))
    problem = npde.Problem(
        "brinkman", npde.Interval(0, 1), equation, boundary=npde.Dirichlet(0.0), constraints=data
    )
    return Told(problem, flow, {"viscosity": nu, "permeability": k})


@kinds
def elliptic_field():
    """−u″ = q, q(x) from 100 values of u."""
    line, x = npde.Interval(-1, 1), np.linspace(-1, 1, 100)[:, None]
    q = npde.UnknownField("q", line, start=0.0)
    equation = npde.Equation(lambda x, u: u.d2(0) + q(x))
    data = npde.measured("u", x, np.sin(pi * x[:, 0]))
    problem = npde.Problem("elliptic-field", line, equation, boundary=npde.Dirichlet(0.0), constraints=data)
    return Told(problem, lambda x: np.sin(pi * x[:, 0]), {}, {"q": lambda x: pi**2 * np.sin(pi * x[:, 0])})


@kinds
def elliptic_field_with_noise():
    """(a u′)′ = −π² … of PINNacle: a(x) from values of u with 1 % noise."""
    line, x = npde.Interval(0, 1), np.linspace(0, 1, 101)[:, None]
    a = npde.UnknownField("a", line, start=1.0, bounds=(0.1, None))
    truth = lambda x: 1 / (1 + x[:, 0] ** 2 + (x[:, 0] - 0.5) ** 2)
    field = lambda x: npde.sin(pi * x[:, 0])
    slope = lambda x: pi * npde.cos(pi * x[:, 0])
    steep = lambda x: -(4 * x[:, 0] - 1) * truth(x) ** 2
    source = lambda x: pi**2 * truth(x) * field(x) - steep(x) * slope(x)
    equation = npde.Equation(lambda x, u: a(x) * u.d2(0) + a.gradient(x)[:, 0] * u.d(0) + source(x))
    values = field(x) + 0.01 * np.random.default_rng(70001).standard_normal(101)
    ends = [
        npde.Dirichlet(0.0),
        npde.Constraint("known", lambda s, u: a(s.points) - truth(s.points) + 0 * u.value, npde.face(line)),
    ]
    data = npde.measured("u", x, values, noise=0.01)
    problem = npde.Problem("elliptic-noise", line, equation, boundary=ends[0], constraints=[ends[1], data])
    return Told(problem, field, {}, {"a": truth})


@kinds
def heat_inverse():
    """u_t = ∇·(a∇u) + f in the plane: a(x, y) from values in space and time; of PINNacle, smaller."""
    square = npde.Box((-1, 1), (-1, 1))
    rod = square.over(npde.Time(0, 1))
    a = npde.UnknownField("a", rod, axes=(0, 1), start=2.0, bounds=(0.1, None))
    truth = lambda x: 2 + npde.sin(pi * x[:, 0]) * npde.sin(pi * x[:, 1])
    s, c = lambda x, i: npde.sin(pi * x[:, i]), lambda x, i: pi * npde.cos(pi * x[:, i])
    field = lambda x: npde.exp(-x[:, 2]) * s(x, 0) * s(x, 1)
    grown = lambda x: npde.exp(-x[:, 2]) * ((c(x, 0) * s(x, 1)) ** 2 + (s(x, 0) * c(x, 1)) ** 2)
    source = lambda x: (2 * pi**2 * truth(x) - 1) * field(x) - grown(x)
    spread = lambda x, u: a(x) * u.laplacian + a.gradient(x)[:, 0] * u.d(0) + a.gradient(x)[:, 1] * u.d(1)
    equation = npde.Equation(lambda x, u: u.dt - spread(x, u) - source(x))
    x = np.random.default_rng(70003).uniform((-1, -1, 0), (1, 1, 1), (1000, 3))
    data = npde.measured("u", x, field(x))
    begin = npde.InitialCondition(lambda x: s(x, 0) * s(x, 1))
    problem = npde.Problem(
        "heat-inverse", rod, equation, boundary=[npde.Dirichlet(0.0), begin], constraints=data
    )
    return Told(problem, field, {}, {"a": truth})


@kinds
def reaction_rate_field():
    """λ u″ − k(x) u = sin 2πx: k(x) from values of u."""
    line, x = npde.Interval(0, 1), np.linspace(0, 1, 40)[:, None]
    rate = lambda x: 0.1 + np.exp(-0.5 * (x - 0.5) ** 2 / 0.15**2)
    rates = lambda x, y: [y[1], (rate(x) * y[0] + np.sin(2 * pi * x)) / 0.01]
    known = solve_bvp(
        rates,
        lambda a, b: [a[0], b[0]],
        np.linspace(0, 1, 200),
        np.zeros((2, 200)),
        tol=1e-9,
        max_nodes=10**5,
    )
    k = npde.UnknownField("k", line, start=0.1)
    equation = npde.Equation(lambda x, u: 0.01 * u.d2(0) - k(x) * u.value - npde.sin(2 * pi * x[:, 0]))
    data = npde.measured("u", x, known.sol(x[:, 0])[0])
    problem = npde.Problem("reaction-rate", line, equation, boundary=npde.Dirichlet(0.0), constraints=data)
    return Told(problem, lambda x: known.sol(x[:, 0])[0], {}, {"k": lambda x: rate(x[:, 0])})
