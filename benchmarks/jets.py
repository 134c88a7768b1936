"""One training step of a SIREN with second derivatives: the forward sweep, nested differentiation, and the
bare products.

    python benchmarks/jets.py            # 256 × (1 + 3) neurons, 8192 points, two outputs, float32

A step is the loss and its gradient with respect to every parameter. The matrix products alone are the least
that any exact method can cost: five channels through three square layers, forward and twice backward.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from neurapde.trials.base import TrialFunction
from neurapde.trials.siren import Siren

OMEGA = 20.0


def seconds(step: Callable[[], object], repeats: int) -> tuple[float, float]:
    """The shortest and the median wall time of `step`, after one run to warm up."""
    step()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times), statistics.median(times)


def by_jets(network: TrialFunction, points: Tensor) -> Tensor:
    """A Helmholtz-like loss from one sweep."""
    jet = network.jet(points)
    return (1.1 * jet.d2(0) + 0.9 * jet.d2(1) + OMEGA**2 * jet.value).abs().mean()


def by_nesting(network: TrialFunction, points: Tensor) -> Tensor:
    """The same loss by differentiating torch's graph twice for each output."""
    x = points.clone().requires_grad_()
    values = network(x)
    residuals = []
    for value in values.unbind(1):
        (gradient,) = torch.autograd.grad(value.sum(), x, create_graph=True)
        seconds = [torch.autograd.grad(gradient[:, i].sum(), x, create_graph=True)[0][:, i] for i in range(2)]
        residuals.append(1.1 * seconds[0] + 0.9 * seconds[1] + OMEGA**2 * value)
    return torch.stack(residuals, dim=1).abs().mean()


def products(points: int, width: int, depth: int) -> None:
    """The matrix products of the sweep's square layers and of its backward pass, on random numbers."""
    a = torch.randn(5 * points, width)
    weight = torch.randn(width, width)
    for _ in range(depth):
        _ = a @ weight.T, a @ weight, a.T @ a


def main() -> None:
    """Measure and print one line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--points", type=int, default=8192)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--compile", action="store_true", help="also the sweep under torch.compile")
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(12007)
    network = Siren(options.width, options.depth).build(([-1, -1], [1, 1]), 2, generator=generator)
    points = torch.rand(options.points, 2, generator=generator) * 2 - 1

    def step(loss: Callable[[TrialFunction, Tensor], Tensor]) -> Callable[[], None]:
        def run() -> None:
            network.zero_grad()
            loss(network, points).backward()

        return run

    losses = {"jets": by_jets, "nested": by_nesting}
    if options.compile:
        losses["jets, compiled"] = torch.compile(by_jets)
    assert torch.allclose(by_jets(network, points), by_nesting(network, points), rtol=1e-3)
    rows = {name: seconds(step(loss), options.repeats) for name, loss in losses.items()}
    rows["products"] = seconds(
        lambda: products(options.points, options.width, options.depth), options.repeats
    )
    print(
        f"{options.width} × (1 + {options.depth}), {options.points} points, {torch.get_num_threads()} threads"
    )
    for name, (shortest, median) in rows.items():
        print(
            f"{name:15} {shortest:7.3f} s   median {median:7.3f} s   50 000 steps {median * 50_000 / 3600:6.1f} h"
        )


if __name__ == "__main__":
    main()
