"""A training step of PINA: what Lightning does between the start and the end of a batch, all points in it."""

import sys
from importlib.metadata import version

import torch
from lightning.pytorch.callbacks import Callback
from pina import Condition, LabelTensor, Trainer
from pina.domain import CartesianDomain
from pina.equation import Equation, FixedValue
from pina.model import FeedForward
from pina.operator import grad, laplacian
from pina.optim import TorchOptimizer
from pina.problem import SpatialProblem
from pina.solver import PINN
from torch import Tensor
from turns import BOUNDARY_POINTS, Work, helmholtz, now, poisson_density, say_ready, sine, tell, wait_for_turn

SQUARE = CartesianDomain({"x": [-1, 1], "y": [-1, 1]})


class Sine(torch.nn.Module):
    """The activation, as the module that PINA asks for."""

    def forward(self, x: Tensor) -> Tensor:
        return sine(x)


def helmholtz_residual(points: LabelTensor, u: LabelTensor) -> Tensor:
    """The real and the imaginary part of the PML equation of each field."""
    outputs, axes = u.labels, ("x", "y")
    fields = outputs[: 2 * (len(outputs) // 2)]
    slopes = grad(u, points, components=fields)
    first = [[slopes[f"d{component}d{axis}"].tensor[:, 0] for axis in axes] for component in fields]
    second = []
    for component in fields:
        of_part = [grad(slopes, points, components=[f"d{component}d{axis}"], d=[axis]) for axis in axes]
        second.append([column.tensor[:, 0] for column in of_part])
    return helmholtz(points.tensor, [u[name].tensor[:, 0] for name in outputs], first, second)


def poisson_residual(points: LabelTensor, u: LabelTensor) -> Tensor:
    """Δu − f."""
    return laplacian(u, points).tensor[:, 0] - poisson_density(points.tensor)


class Helmholtz(SpatialProblem):
    """The equation with absorbing layers; nothing is asked at the sides."""

    output_variables = ["re", "im"]  # noqa: RUF012
    spatial_domain = SQUARE
    domains = {"D": SQUARE}  # noqa: RUF012
    conditions = {"D": Condition(domain="D", equation=Equation(helmholtz_residual))}  # noqa: RUF012


class Inversion(Helmholtz):
    """Five fields and the squared slowness."""

    output_variables = [*(f"{part}{shot}" for shot in range(5) for part in ("re", "im")), "slowness"]  # noqa: RUF012


class Poisson(SpatialProblem):
    """Δu = f, and u = 0 at the sides by the loss."""

    output_variables = ["u"]  # noqa: RUF012
    spatial_domain = SQUARE
    domains = {"D": SQUARE, "side": SQUARE.partial()}  # noqa: RUF012
    conditions = {  # noqa: RUF012
        "D": Condition(domain="D", equation=Equation(poisson_residual)),
        "side": Condition(domain="side", equation=FixedValue(0.0)),
    }


class Turns(Callback):
    """Waits for a turn before each batch, and tells the time after it."""

    def on_train_start(self, trainer, solver) -> None:
        say_ready(version("pina-mathlab"))

    def on_train_batch_start(self, trainer, solver, batch, index) -> None:
        if not wait_for_turn():
            sys.exit()
        self.started = now()

    def on_train_batch_end(self, trainer, solver, outputs, batch, index) -> None:
        tell(self.started)


def main() -> None:
    """Serve steps."""
    work = Work.of_command_line()
    problem = {"helmholtz": Helmholtz, "inversion": Inversion, "poisson": Poisson}[work.problem]()
    problem.discretise_domain(work.points, domains=["D"])
    if "side" in problem.domains:
        problem.discretise_domain(BOUNDARY_POINTS, domains=["side"])
    network = FeedForward(2, work.outputs, work.width, work.sine_layers, func=Sine)
    solver = PINN(problem, network, optimizer=TorchOptimizer(torch.optim.Adam, lr=2e-5))
    trainer = Trainer(
        solver,
        max_epochs=10**6,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Turns()],
    )
    trainer.train()


if __name__ == "__main__":
    main()
