"""Tutorial: an equation of one's own in fifteen lines, and what the default methods make of six of them.

`python docs/examples/own_pde.py` solves all, prints a table of errors and draws docs/images/own_pde.png; minutes.
"""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.colors import LogNorm
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.interpolate import BarycentricInterpolator

# isort: split
# [burgers]
import numpy as np
import torch

import neurapde as npde


def burgers(viscosity: float = 0.01 / np.pi) -> npde.Problem:
    """u_t + u u_x = ν u_xx: a sine that steepens into a front at x = 0."""

    def residual(x, u):
        return u.dt + u.value * u.d(0) - viscosity * u.d2(0)

    return npde.Problem(
        name="burgers",
        domain=npde.Interval(-1, 1).over(npde.Time(0, 1)),
        equation=npde.Equation(residual),
        boundary=[npde.Dirichlet(0.0), npde.InitialCondition(lambda x: -npde.sin(np.pi * x[:, 0]))],
    )


# [others]
def allen_cahn() -> npde.Problem:
    """u_t = u_xx / 1000 + 5 (u − u³): phases that part, from a start that lies near the unstable 0."""

    def residual(x, u):
        return u.dt - 0.001 * u.d2(0) - 5 * (u.value - u.value**3)

    return npde.Problem(
        name="phases",
        domain=npde.Interval(-1, 1).over(npde.Time(0, 1)),
        equation=npde.Equation(residual),
        boundary=[
            npde.Dirichlet(-1.0),
            npde.InitialCondition(lambda x: x[:, 0] ** 2 * npde.cos(np.pi * x[:, 0])),
        ],
    )


def diffusion() -> npde.Problem:
    """u_t = u_xx + f."""

    def exact(x):
        return npde.exp(-x[:, 1]) * npde.sin(np.pi * x[:, 0])

    return npde.Problem(
        name="diffusion",
        domain=npde.Interval(-1, 1).over(npde.Time(0, 1)),
        equation=npde.Equation(lambda x, u: u.dt - u.d2(0) - (np.pi**2 - 1) * exact(x)),
        boundary=[npde.Dirichlet(0.0), npde.InitialCondition(lambda x: npde.sin(np.pi * x[:, 0]))],
        exact=exact,
    )


def l_shape() -> npde.Problem:
    """Δu = −1 on an L, zero at its sides."""
    corners = [(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)]
    return npde.Problem(
        name="l-shape",
        domain=npde.Polygon(corners),
        equation=npde.Equation(lambda x, u: u.laplacian + 1.0),
        boundary=npde.Dirichlet(0.0),
    )


def helmholtz(k: float = 4 * np.pi) -> npde.Problem:
    """Δu + k²u = f on a square, zero at its sides by the form of the field."""

    def exact(x):
        return npde.sin(k * x[:, 0]) * npde.sin(k * x[:, 1])

    return npde.Problem(
        name="helmholtz",
        domain=npde.Box((0, 1), (0, 1)),
        equation=npde.Equation(lambda x, u: u.laplacian + k**2 * u.value + k**2 * exact(x)),
        boundary=npde.Dirichlet(0.0, hard=True),
        exact=exact,
    )


# [inverse]
def inverse(diffusivity: float = 1.0) -> npde.Problem:
    """u_t = c u_xx + f with an unknown number c: a second component that does not change, and ten data at the end."""
    domain = npde.Interval(-1, 1).over(npde.Time(0, 1))

    def truth(x):
        return npde.exp(-x[:, 1]) * npde.sin(np.pi * x[:, 0])

    def residual(x, u):
        u, c = u[0], u[1]
        heat = u.dt - c.value * u.d2(0) - (diffusivity * np.pi**2 - 1) * truth(x)
        return torch.stack([heat, c.d(0), c.dt], dim=1)

    def misfit(samples, u):
        return u.value[:, 0] - truth(samples.points)

    data = torch.stack([torch.linspace(-1, 1, 10), torch.ones(10)], dim=1).double()
    return npde.Problem(
        name="inverse",
        domain=domain,
        equation=npde.Equation(residual, outputs=2),
        constraints=[
            npde.Constraint("sides", misfit, npde.face(domain)),
            npde.Constraint("start", misfit, npde.face(domain, "initial")),
            npde.Constraint("data", misfit, npde.at_points(data)),
        ],
    )


# [truths]
def cole_hopf(x: NDArray, viscosity: float, nodes: int = 200) -> NDArray:
    """Burgers' exact field at points (x, t), by Gauss–Hermite quadrature (Basdevant et al. 1986)."""
    eta, weights = np.polynomial.hermite.hermgauss(nodes)
    y = x[:, :1] - np.sqrt(4 * viscosity * x[:, 1:]) * eta
    exponent = -np.cos(np.pi * y) / (2 * np.pi * viscosity)
    kernel = weights * np.exp(exponent - exponent.max(axis=1, keepdims=True))
    return -(kernel * np.sin(np.pi * y)).sum(1) / kernel.sum(1)


def separated(x: NDArray, nodes: int = 300) -> NDArray:
    """Allen and Cahn's field at the points of a lattice (x, t), by Chebyshev collocation and implicit steps in time."""
    j = np.arange(nodes + 1)
    at = np.cos(np.pi * j / nodes)
    scale = np.where((j == 0) | (j == nodes), 2.0, 1.0) * (-1.0) ** j
    first = np.outer(scale, 1 / scale) / (at[:, None] - at + np.eye(nodes + 1))
    first -= np.diag(first.sum(1))
    second = 0.001 * first @ first
    inside = ((j > 0) & (j < nodes)).astype(float)

    def rate(_: float, u: NDArray) -> NDArray:
        return inside * (second @ u + 5 * (u - u**3))

    def slope(_: float, u: NDArray) -> NDArray:
        return inside[:, None] * (second + np.diag(5 - 15 * u**2))

    places, times = np.unique(x[:, 0]), np.unique(x[:, 1])
    start = at**2 * np.cos(np.pi * at)
    evolution = solve_ivp(rate, (0, 1), start, "BDF", times, jac=slope, rtol=1e-8, atol=1e-9)
    values = BarycentricInterpolator(at, evolution.y)(places)
    return values[np.searchsorted(places, x[:, 0]), np.searchsorted(times, x[:, 1])]


def torsion(x: NDArray) -> NDArray:
    """The field on the L from the same declaration by the package's own `Poisson`, to more digits."""
    corners = l_shape()
    problem = npde.Problem("torsion", corners.domain, npde.Poisson(), [1.0], npde.Dirichlet(0.0))
    return npde.solve(problem, method=npde.LeastSquares(tolerance=1e-6))(x)


# [draw]
IMAGES = Path(__file__).resolve().parent.parent / "images"


def main(small: bool = False, folder: Path = IMAGES) -> npde.validation.Report:
    """Solve Burgers' equation, at the small size a smoother one on fewer points, and the others."""
    viscosity = 0.1 if small else 0.01 / np.pi
    problem = dataclasses.replace(burgers(viscosity), exact=lambda x: cole_hopf(x, viscosity))
    print(problem)
    method = npde.NaturalGradient(25, points=300) if small else None
    front = npde.solve(problem, method=method)
    report = npde.validate(front)
    print(*front.notes, report, sep="\n")

    solved: list[tuple[npde.Solution, Callable[[NDArray], NDArray]]] = []
    for made, truth in () if small else others():
        clock = time.process_time()
        solution = npde.solve(made)
        seconds = time.process_time() - clock
        x = made.domain.sample(101**2, how="grid").numpy()
        error = np.linalg.norm(solution(x) - truth(x)) / np.linalg.norm(truth(x))
        print(f"{made.name}: relative L2 error {error:.1e} after {seconds:.1f} s. {solution.notes[0]}")
        solved.append((solution, truth))
    draw([(front, problem.exact), *solved[:2]], folder / "own_pde.png")
    return report


def others() -> list[tuple[npde.Problem, Callable[[NDArray], NDArray]]]:
    """The other problems, each with its truth."""

    def known(x: NDArray) -> NDArray:
        exact = diffusion().exact
        assert exact is not None
        return np.stack([exact(x), np.ones(len(x))], axis=1)

    manufactured = [(problem, problem.exact) for problem in (diffusion(), helmholtz())]
    return [
        (allen_cahn(), separated),
        (l_shape(), torsion),
        *((problem, exact) for problem, exact in manufactured if exact is not None),
        (inverse(), known),
    ]


def draw(solved: list[tuple[npde.Solution, Callable]], path: Path) -> None:
    """Each field, and how far it is from the truth."""
    figure, axes = plt.subplots(
        2, len(solved), figsize=(3.6 * len(solved), 5.2), layout="constrained", squeeze=False
    )
    for column, (solution, truth) in enumerate(solved):
        problem = solution.required_problem
        (left, bottom), (right, top) = problem.domain.bounds
        x, y = np.meshgrid(np.linspace(left, right, 161), np.linspace(bottom, top, 81), indexing="ij")
        points = np.stack([x.ravel(), y.ravel()], axis=1)
        inside = problem.domain.contains(points)
        values, error = np.full(len(points), np.nan), np.full(len(points), np.nan)
        values[inside] = solution(points[inside])
        error[inside] = np.abs(values[inside] - truth(points[inside]))
        signed = np.nanmin(values) < -0.01 * np.nanmax(values)
        above, below = axes[:, column]
        image = above.pcolormesh(x, y, values.reshape(x.shape), cmap="RdBu_r" if signed else "viridis")
        figure.colorbar(image, ax=above, shrink=0.85)
        scale = LogNorm(1e-4 * np.nanmax(error), np.nanmax(error))
        image = below.pcolormesh(
            x, y, np.maximum(error, scale.vmin).reshape(x.shape), cmap="magma", norm=scale
        )
        figure.colorbar(image, ax=below, shrink=0.85)
        above.set_title(problem.name)
        below.set_title("|error|")
        for panel in (above, below):
            panel.set(xlabel="x", ylabel="t" if "final" in problem.domain.faces else "y")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
