"""A training step of neurapde, taken as `Adam` takes it: new points, L2 loss, gradient, move."""

import sys
from contextlib import nullcontext

import torch
from turns import BOUNDARY_POINTS, Work, helmholtz, poisson_density, serve

import neurapde as npde
from neurapde.jets.jet import Jet
from neurapde.problems import helmholtz_uniform
from neurapde.training.descent import Descent
from neurapde.trials.networks.layered import compiled


def poisson() -> npde.Problem:
    """Δu = f in the square, u = 0 at its sides, by the loss."""

    def residual(x: torch.Tensor, u: Jet) -> torch.Tensor:
        return u.laplacian - poisson_density(x)

    return npde.Problem(
        name="poisson",
        domain=npde.Box((-1, 1), (-1, 1)),
        equation=npde.Equation(residual),
        boundary=npde.Dirichlet(0.0),
    )


def inversion() -> npde.Problem:
    """Five fields and the squared slowness in one network."""

    def residual(x: torch.Tensor, u: Jet) -> torch.Tensor:
        fields = range(10)
        first = [[u.d(i)[:, c] for i in range(2)] for c in fields]
        second = [[u.d2(i)[:, c] for i in range(2)] for c in fields]
        return helmholtz(x, list(u.value.unbind(1)), first, second)

    return npde.Problem(
        name="inversion", domain=npde.Box((-1, 1), (-1, 1)), equation=npde.Equation(residual, outputs=11)
    )


PROBLEMS = {"helmholtz": helmholtz_uniform, "inversion": inversion, "poisson": poisson}


def main() -> None:
    """Serve steps; a last argument "compile" compiles the layers."""
    compiling = sys.argv[-1] == "compile"
    work = Work.of_command_line(sys.argv[1 : len(sys.argv) - compiling])
    problem = PROBLEMS[work.problem]()
    first, *others = [constraint.name for constraint in problem.constraints]
    points = {first: work.points} | dict.fromkeys(others, BOUNDARY_POINTS)
    objective = npde.Adam(1, points=points, loss=npde.training.MeanSquare(), source_points=0).objective(
        problem
    )
    trial = npde.Siren(work.width, work.depth).build(
        problem.domain.bounds,
        problem.outputs,
        problem.equation.complex,
        generator=torch.Generator().manual_seed(12007),
    )
    optimizer = torch.optim.Adam(trial.parameters(), lr=2e-5)
    descent = Descent(
        objective, npde.training.Fresh(), None, None, trial, torch.Generator().manual_seed(31013)
    )

    def step() -> None:
        descent.gradient(0)
        optimizer.step()

    with compiled(trial) if compiling else nullcontext() as reason:
        if reason is not None:
            raise RuntimeError(reason)
        step()
        serve(step, npde.__version__)


if __name__ == "__main__":
    main()
