"""Fields computed apart, by Chebyshev's and Fourier's methods in space and SciPy's integrators in time."""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.interpolate import BarycentricInterpolator


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
