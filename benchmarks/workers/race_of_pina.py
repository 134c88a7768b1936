"""PINA against the clock: its `PINN` solver with its own optimiser, Adam at 1e-3, on the networks of the other peer."""

from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import torch
from lightning.pytorch import seed_everything
from lightning.pytorch.callbacks import Callback
from pina import Condition, LabelTensor, Trainer
from pina.domain import CartesianDomain
from pina.equation import Equation, FixedValue
from pina.model import FeedForward
from pina.operator import grad, laplacian
from pina.optim import TorchOptimizer
from pina.problem import SpatialProblem
from pina.solver import PINN
from races import SHOTS, Race, burgers, manufactured, waves
from torch import Tensor

SQUARE = CartesianDomain({"x": [-1, 1], "y": [-1, 1]})
STRIP = CartesianDomain({"x": [-1, 1], "y": [0, 1]})


class Sine(torch.nn.Module):
    """The activation, as the module that PINA asks for."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


def second(slopes: LabelTensor, points: LabelTensor, part: str, axis: str) -> Tensor:
    """∂²u/∂axis² of an output (n,)."""
    return grad(slopes, points, components=[f"d{part}d{axis}"], d=[axis]).tensor[:, 0]


def of_waves(name: str) -> Callable[[LabelTensor, LabelTensor], Tensor]:
    """The residual of a problem with absorbing layers."""

    def residual(points: LabelTensor, u: LabelTensor) -> Tensor:
        slopes = grad(u, points, components=["re", "im"])
        first = [[slopes[f"d{component}d{axis}"].tensor[:, 0] for axis in "xy"] for component in ("re", "im")]
        seconds = [[second(slopes, points, component, axis) for axis in "xy"] for component in ("re", "im")]
        values = [u["re"].tensor[:, 0], u["im"].tensor[:, 0]]
        return waves(name, points.tensor, values, first, seconds)

    return residual


def of_manufactured(points: LabelTensor, u: LabelTensor) -> Tensor:
    """Δu + u − f."""
    return manufactured(points.tensor, u.tensor[:, 0], laplacian(u, points).tensor[:, 0])


def of_burgers(points: LabelTensor, u: LabelTensor) -> Tensor:
    """u_t + u u_x − ν u_xx, y being time."""
    slopes = grad(u, points)
    u_x, u_t = (slopes[f"dud{axis}"].tensor[:, 0] for axis in "xy")
    return burgers(u.tensor[:, 0], u_t, u_x, second(slopes, points, "u", "x"))


def at_start(points: LabelTensor, u: LabelTensor) -> Tensor:
    """u + sin πx."""
    return u.tensor[:, 0] + torch.sin(np.pi * points.tensor[:, 0])


def problem_of(name: str) -> SpatialProblem:
    """The problem, its points drawn; in burgers y is time."""
    if name == "burgers":
        sides = {
            "left": CartesianDomain({"x": -1, "y": [0, 1]}),
            "right": CartesianDomain({"x": 1, "y": [0, 1]}),
        }
        places = {"D": STRIP, "initial": CartesianDomain({"x": [-1, 1], "y": 0}), **sides}
        equations = {"D": Equation(of_burgers), "initial": Equation(at_start)}
        equations |= dict.fromkeys(sides, FixedValue(0.0))
        counts = {"D": 2540, "initial": 160, "left": 40, "right": 40}
    elif name == "helmholtz-manufactured":
        places = {"D": SQUARE, "side": SQUARE.partial()}
        equations = {"D": Equation(of_manufactured), "side": FixedValue(0.0)}
        counts = {"D": 1600, "side": 160}
    else:
        x, y = SHOTS[name]
        places = {
            "D": SQUARE,
            "source": CartesianDomain({"x": [x - 0.05, x + 0.05], "y": [y - 0.05, y + 0.05]}),
        }
        equations = dict.fromkeys(places, Equation(of_waves(name)))
        counts = {"D": 4096, "source": 100}
    is_wave = name in SHOTS

    class Declared(SpatialProblem):
        output_variables = ["re", "im"] if is_wave else ["u"]
        spatial_domain = places["D"]
        domains = places
        conditions = {key: Condition(domain=key, equation=equations[key]) for key in places}  # noqa: RUF012

    declared = Declared()
    for key, count in counts.items():
        declared.discretise_domain(count, domains=[key])
    return declared


class Clock(Callback):
    """Takes the error, and ends the training when the time is up."""

    def __init__(self, race: Race) -> None:
        self.race = race

    def on_train_start(self, trainer, solver) -> None:
        self.race.start(version("pina-mathlab"))

    def on_train_batch_end(self, trainer, solver, outputs, batch, index) -> None:
        def values(points: np.ndarray) -> np.ndarray:
            inputs = LabelTensor(torch.as_tensor(points, dtype=torch.float32), ["x", "y"])
            with torch.no_grad():
                return solver(inputs).tensor.numpy()

        if self.race.over(values):
            trainer.should_stop = True


def main() -> None:
    """Train until the time is up."""
    race = Race.of_command_line()
    seed_everything(12007, verbose=False)
    problem = problem_of(race.name)
    layers, activation = ([20] * 3, torch.nn.Tanh) if race.name == "burgers" else ([150] * 3, Sine)
    network = FeedForward(2, len(problem.output_variables), layers=layers, func=activation)
    solver = PINN(problem, network, optimizer=TorchOptimizer(torch.optim.Adam, lr=1e-3))
    trainer = Trainer(
        solver,
        max_epochs=10**7,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Clock(race)],
    )
    trainer.train()


if __name__ == "__main__":
    main()
