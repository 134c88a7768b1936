"""Fields computed apart, by Chebyshev's and Fourier's methods in space and SciPy's integrators in time."""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import BarycentricInterpolator, RectBivariateSpline
from scipy.linalg import solve_banded


def chebyshev(rates, start, side, stop, x, count=320):
    """u_t = rates(u, u_xx) on (−1, 1) with a constant value at both sides, at points x (n, 2)."""
    k = np.arange(count + 1)
    nodes = -np.cos(np.pi * k / count)
    ends = np.where((k == 0) | (k == count), 2.0, 1.0) * (-1.0) ** k
    apart = nodes[:, None] - nodes + np.eye(count + 1)
    first = np.outer(ends, 1 / ends) / apart
    first -= np.diag(first.sum(axis=1))
    second = first @ first

    def inside(t, u):
        whole = np.concatenate([[side], u, [side]])
        return rates(whole, second @ whole)[1:-1]

    solution = solve_ivp(
        inside, (0, stop), start(nodes[1:-1, None]), "Radau", dense_output=True, rtol=1e-9, atol=1e-10
    )
    values = np.empty(len(x))
    for t in np.unique(x[:, 1]):
        at = x[:, 1] == t
        values[at] = BarycentricInterpolator(nodes, [side, *solution.sol(t), side])(x[at, 0])
    return values


def torus_burgers(x, viscosity, count=48):
    """(u, v) carried by themselves on (0, 2π)² from (sin x cos y, cos(x + y)), at points x (n, 3)."""
    line = 2 * np.pi * np.arange(count) / count
    along, across = np.meshgrid(line, line, indexing="ij")
    k = np.fft.fftfreq(count, 1 / count)
    waves = k[:, None], k[None, :]

    def rates(t, flat):
        spectrum = np.fft.fft2(flat.reshape(2, count, count))
        slopes = [np.fft.ifft2(1j * number * spectrum).real for number in waves]
        spread = np.fft.ifft2(-(waves[0] ** 2 + waves[1] ** 2) * spectrum).real
        u = flat.reshape(2, count, count)
        return (viscosity * spread - u[0] * slopes[0] - u[1] * slopes[1]).ravel()

    start = np.stack([np.sin(along) * np.cos(across), np.cos(along + across)]).ravel()
    times = np.unique(x[:, 2])
    states = solve_ivp(rates, (0, times[-1] + 1e-9), start, "DOP853", t_eval=times, rtol=1e-9, atol=1e-10).y
    values = np.empty((len(x), 2))
    for i, t in enumerate(times):
        at = x[:, 2] == t
        spectrum = np.fft.fft2(states[:, i].reshape(2, count, count)) / count**2
        phases = [np.exp(1j * x[at, axis, None] * k) for axis in range(2)]
        values[at] = np.einsum("pi,cij,pj->pc", phases[0], spectrum, phases[1]).real
    return values


def american_put(x, rate, volatility, far, stop, cells=2400, steps=2400):
    """A put with the strike 1 by the logarithm of the price on (−far, far): an implicit grid, in each step an active set."""
    places, length = np.linspace(-far, far, cells + 1), stop / steps
    spread, drift = (
        volatility**2 / 2 * (cells / (2 * far)) ** 2,
        (rate - volatility**2 / 2) * cells / (4 * far),
    )
    row = np.array([-(spread - drift), 2 * spread + rate, -(spread + drift)]) * length + [0, 1, 0]
    payoff = np.maximum(1 - np.exp(places), 0)
    values, held, history = payoff, payoff > 0, [payoff]
    for _ in range(steps):
        before = values
        while True:
            alone = held.copy()
            alone[[0, -1]] = True
            bands = np.zeros((3, cells + 1))
            bands[0, 1:] = np.where(alone[:-1], 0, row[2])
            bands[1] = np.where(alone, 1, row[1])
            bands[2, :-1] = np.where(alone[1:], 0, row[0])
            values = solve_banded((1, 1), bands, np.where(alone, payoff, before))
            force = np.convolve(values, row[::-1], "same") - before
            touches = values - payoff < force
            touches[[0, -1]] = held[[0, -1]]
            if (touches == held).all():
                break
            held = touches
        history.append(values)
    times = np.linspace(0, stop, steps + 1)
    return RectBivariateSpline(times, places, np.array(history), kx=1, ky=1).ev(x[:, 1], x[:, 0])
