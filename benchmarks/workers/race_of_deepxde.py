"""DeepXDE against the clock, as its demonstrations train: tanh or sine networks, Adam for half the time, then L-BFGS."""

import os
from collections.abc import Callable

os.environ["DDE_BACKEND"] = "pytorch"

import deepxde as dde
import numpy as np
import torch
from races import SHOTS, Race, burgers, manufactured, waves
from torch import Tensor

PER_WAVELENGTH = 10
"""Training points in a wavelength, as in DeepXDE's Helmholtz demonstrations."""


class Clock(dde.callbacks.Callback):
    """Takes the error, and ends the training when its part of the time is up."""

    def __init__(self, race: Race, until: float) -> None:
        super().__init__()
        self.race, self.until = race, until

    def on_epoch_end(self) -> None:
        over = self.race.over(self.model.predict)
        self.model.stop_training = over or self.race.part() >= self.until


def wave_model(race: Race) -> dde.Model:
    """Two outputs; a hundred of the points lie at the source."""
    square = dde.geometry.Rectangle([-1, -1], [1, 1])

    def residual(x: Tensor, y: Tensor) -> list[Tensor]:
        first = [[dde.grad.jacobian(y, x, i=c, j=i)[:, 0] for i in range(2)] for c in range(2)]
        second = [[dde.grad.hessian(y, x, component=c, i=i, j=i)[:, 0] for i in range(2)] for c in range(2)]
        return list(waves(race.name, x, [y[:, 0], y[:, 1]], first, second).split(1, dim=1))

    at = np.asarray(SHOTS[race.name]) + 0.02 * np.random.default_rng(12007).standard_normal((100, 2))
    count = round(PER_WAVELENGTH * 2 * 20 / (2 * np.pi)) ** 2
    data = dde.data.PDE(square, residual, [], num_domain=count, anchors=at.astype(np.float32))
    return dde.Model(data, dde.nn.FNN([2, 150, 150, 150, 2], torch.sin, "Glorot uniform"))


def manufactured_model(race: Race) -> dde.Model:
    """One output, zero at the sides by the loss."""
    square = dde.geometry.Rectangle([-1, -1], [1, 1])

    def residual(x: Tensor, y: Tensor) -> Tensor:
        laplacian = sum(dde.grad.hessian(y, x, i=i, j=i)[:, 0] for i in range(2))
        return manufactured(x, y[:, 0], laplacian)[:, None]

    side = dde.icbc.DirichletBC(square, lambda x: 0, lambda x, on_boundary: on_boundary)
    count = PER_WAVELENGTH * 4
    data = dde.data.PDE(square, residual, [side], num_domain=count**2, num_boundary=4 * count)
    model = dde.Model(data, dde.nn.FNN([2, 150, 150, 150, 1], torch.sin, "Glorot uniform"))
    model.weights = [1, 100]
    return model


def burgers_model(race: Race) -> dde.Model:
    """The settings of DeepXDE's demonstration."""
    geometry = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 0.99))

    def residual(x: Tensor, y: Tensor) -> Tensor:
        u_x, u_t = (dde.grad.jacobian(y, x, i=0, j=j)[:, 0] for j in range(2))
        return burgers(y[:, 0], u_t, u_x, dde.grad.hessian(y, x, i=0, j=0)[:, 0])[:, None]

    ends = dde.icbc.DirichletBC(geometry, lambda x: 0, lambda _, on_boundary: on_boundary)
    start = dde.icbc.IC(geometry, lambda x: -np.sin(np.pi * x[:, 0:1]), lambda _, on_initial: on_initial)
    counts = {"num_domain": 2540, "num_boundary": 80, "num_initial": 160}
    data = dde.data.TimePDE(geometry, residual, [ends, start], **counts)
    return dde.Model(data, dde.nn.FNN([2, 20, 20, 20, 1], "tanh", "Glorot normal"))


MODELS: dict[str, Callable[[Race], dde.Model]] = {
    "helmholtz-uniform": wave_model,
    "helmholtz-disk": wave_model,
    "helmholtz-manufactured": manufactured_model,
    "burgers": burgers_model,
}


def main() -> None:
    """Adam with its usual rate, then L-BFGS, which the demonstrations end with."""
    race = Race.of_command_line()
    dde.config.set_random_seed(12007)
    model = MODELS[race.name](race)
    weights = getattr(model, "weights", None)
    race.start(dde.__version__)
    model.compile("adam", lr=1e-3, loss_weights=weights)
    model.train(iterations=10**7, display_every=10**7, callbacks=[Clock(race, 0.5)], verbose=0)
    dde.optimizers.set_LBFGS_options(ftol=0, gtol=0, maxiter=10**7)
    dde.optimizers.config.LBFGS_options.update(iter_per_step=10, fun_per_step=13)
    model.compile("L-BFGS", loss_weights=weights)
    model.train(display_every=10**7, callbacks=[Clock(race, 1.0)], verbose=0)
    race.over(model.predict, last=True)


if __name__ == "__main__":
    main()
