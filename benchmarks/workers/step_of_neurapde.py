"""A training step of neurapde, taken as `Adam` takes it: new points, L2 loss, gradient, move."""

import torch
from turns import BOUNDARY_POINTS, Work, poisson_density, serve

import neurapde as npde
from neurapde.jets.jet import Jet
from neurapde.problems import helmholtz_uniform


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


def main() -> None:
    """Serve steps."""
    work = Work.of_command_line()
    problem = helmholtz_uniform() if work.problem == "helmholtz" else poisson()
    first, *others = [constraint.name for constraint in problem.constraints]
    points = {first: work.points} | dict.fromkeys(others, BOUNDARY_POINTS)
    objective = npde.Adam(1, points=points, loss="l2", source_points=0).objective(problem)
    trial = npde.Siren(work.width, work.depth).build(
        problem.domain.bounds,
        problem.outputs,
        problem.equation.complex,
        generator=torch.Generator().manual_seed(12007),
    )
    optimizer = torch.optim.Adam(trial.parameters(), lr=2e-5)
    generator = torch.Generator().manual_seed(31013)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        total, _ = objective.evaluate(trial, generator)
        total.backward()
        optimizer.step()

    serve(step, npde.__version__)


if __name__ == "__main__":
    main()
