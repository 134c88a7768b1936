"""A training step of DeepXDE: the call that its training loop makes, without the loop's own work around it."""

import os

os.environ["DDE_BACKEND"] = "pytorch"

import deepxde as dde
from torch import Tensor
from turns import BOUNDARY_POINTS, Work, helmholtz, poisson_density, serve, sine


def helmholtz_residual(x: Tensor, y: Tensor) -> list[Tensor]:
    """The real and the imaginary part of the PML equation of each field."""
    outputs, fields = range(y.shape[1]), range(2 * (y.shape[1] // 2))
    first = [[dde.grad.jacobian(y, x, i=c, j=i)[:, 0] for i in range(2)] for c in fields]
    second = [[dde.grad.hessian(y, x, component=c, i=i, j=i)[:, 0] for i in range(2)] for c in fields]
    residual = helmholtz(x, [y[:, c] for c in outputs], first, second)
    return list(residual.split(1, dim=1))


def poisson_residual(x: Tensor, y: Tensor) -> Tensor:
    """Δu − f."""
    second = [dde.grad.hessian(y, x, i=i, j=i)[:, 0] for i in range(2)]
    return second[0] + second[1] - poisson_density(x)


def main() -> None:
    """Serve steps."""
    work = Work.of_command_line()
    square = dde.geometry.Rectangle([-1, -1], [1, 1])
    if work.problem != "poisson":
        data = dde.data.PDE(square, helmholtz_residual, [], num_domain=work.points)
    else:
        side = dde.icbc.DirichletBC(square, lambda x: 0, lambda x, on_boundary: on_boundary)
        counts = {"num_domain": work.points, "num_boundary": BOUNDARY_POINTS}
        data = dde.data.PDE(square, poisson_residual, [side], **counts)
    layers = [2, *[work.width] * work.sine_layers, work.outputs]
    model = dde.Model(data, dde.nn.FNN(layers, sine, "Glorot uniform"))
    model.compile("adam", lr=2e-5)
    model.train(iterations=1, display_every=1000, verbose=0)
    state = model.train_state

    def step() -> None:
        model._train_step(state.X_train, state.y_train, state.train_aux_vars)

    serve(step, dde.__version__)


if __name__ == "__main__":
    main()
