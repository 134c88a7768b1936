"""A step of the SIREN paper's Helmholtz training: by jets, by nested differentiation, and its bare products.

A step draws the points, takes the weighted L1 loss and its gradient with respect to every parameter of a
256 × (1 + 3) SIREN, and moves them by Adam. The nested step is written as in the authors' code: the flux of
each output by one differentiation, its divergence by two more. The products alone are the least that an exact
step can cost: five channels through three square layers, forward and twice backward; in blocks that stay in the cache, and
for all points at once.
"""

import math
from collections.abc import Callable

import torch
from harness import Lap, Measured, cost, in_turns, summary, timed
from torch import Tensor

from neurapde.conditions.constraints import Samples
from neurapde.core.devices import find_device
from neurapde.jets.compiled import best_kernels
from neurapde.jets.kernels import EAGER, Kernels
from neurapde.jets.sweep import BLOCK_BYTES
from neurapde.methods.adam import Adam
from neurapde.problems import helmholtz_uniform
from neurapde.training.descent import Descent
from neurapde.training.sampling import Fresh
from neurapde.trials.networks.layered import LayeredTrial
from neurapde.trials.networks.siren import Siren

STEPS = 50_000
LR = 2e-5
PAPER_POINTS = 230**2
SOURCE_POINTS = 100
WAVENUMBER, STRENGTH, LAYER, VARIANCE = 20.0, 5.0, 0.5, 1e-4


class Nested:
    """The paper's residual and loss on real outputs (n, 2) of the same network, by torch's autograd alone."""

    def __init__(self, trial: LayeredTrial) -> None:
        self.trial = trial

    def outputs(self, x: Tensor) -> Tensor:
        for layer, activation in zip(self.trial.layers, self.trial.activations, strict=True):
            x = torch.sin(activation.omega * layer(x))
        return self.trial.head(x)

    def residual(self, points: Tensor) -> Tensor:
        """(n, 2), the real and the imaginary part of L u − e_x e_y f."""
        x = points.clone().requires_grad_()
        u = self.outputs(x)
        e = 1 - 1j * STRENGTH * ((x.abs() - LAYER).relu() / LAYER) ** 2
        slopes = torch.stack([_gradient(u[:, c], x) for c in range(2)], dim=-1)  # (n, axis, part)
        across = torch.stack([e[:, 1] / e[:, 0], e[:, 0] / e[:, 1]], dim=1)
        flux = torch.view_as_real(across * torch.view_as_complex(slopes))
        parts = [[_gradient(flux[:, i, c], x)[:, i] for c in range(2)] for i in range(2)]
        divergence = torch.stack([parts[0][c] + parts[1][c] for c in range(2)], dim=1)
        density = torch.exp(-x.square().sum(1) / (2 * VARIANCE)) / (2 * math.pi * VARIANCE)
        scale = e[:, 0] * e[:, 1]
        rest = scale * (WAVENUMBER**2 * torch.view_as_complex(u) - (1 + 1j) * density)
        return divergence + torch.view_as_real(rest)

    def loss(self, count: int, generator: torch.Generator) -> Tensor:
        """The weighted mean of |r|, on fresh points."""
        like = self.trial.head.weight
        size = (count, 2)
        points = torch.empty(size, dtype=like.dtype, device=like.device).uniform_(-1, 1, generator=generator)
        near = torch.empty(SOURCE_POINTS, 2, dtype=like.dtype, device=like.device)
        near.uniform_(-1, 1, generator=generator).mul_(5 * math.sqrt(VARIANCE))
        points = torch.cat([points, near])
        weight = torch.where(points.square().sum(1) <= 36 * VARIANCE, count / 1000, 1.0)
        return (weight * self.residual(points).abs().sum(1)).mean()


def _gradient(values: Tensor, x: Tensor) -> Tensor:
    return torch.autograd.grad(values.sum(), x, create_graph=True)[0]


def network(width: int, depth: int, dtype: torch.dtype, device: torch.device) -> LayeredTrial:
    """A complex SIREN on [−1, 1]²; the same numbers at every call."""
    generator = torch.Generator().manual_seed(12007)
    bounds = ([-1, -1], [1, 1])
    return Siren(width, depth).build(bounds, 1, True, generator=generator, dtype=dtype, device=device)


def difference() -> float:
    """How far, relative, the residuals of the two ways are from each other at 512 points in float64."""
    trial = network(32, 2, torch.float64, torch.device("cpu"))
    points = torch.rand(512, 2, generator=torch.Generator().manual_seed(52009), dtype=torch.float64) * 2 - 1
    [constraint] = helmholtz_uniform().constraints
    by_jets = torch.view_as_real(constraint.residual(Samples(points), trial.jet(points)))
    apart = (by_jets - Nested(trial).residual(points)).detach().abs().max()
    return float(apart / by_jets.detach().abs().max())


def step_by_jets(trial: LayeredTrial, count: int, kernels: Kernels = EAGER) -> Callable[[], Lap]:
    """What `Adam` does in a step."""
    objective = Adam(STEPS, lr=LR, points=count, source_points=SOURCE_POINTS).objective(helmholtz_uniform())
    generator = torch.Generator(trial.head.weight.device).manual_seed(31013)
    optimizer = torch.optim.Adam(trial.parameters(), lr=LR)
    descent = Descent(objective, Fresh(), None, None, trial, generator)
    trial.kernels = kernels

    def step() -> None:
        descent.gradient(0)
        optimizer.step()

    return timed(step)


def step_by_nesting(trial: LayeredTrial, count: int) -> Callable[[], Lap]:
    """The same step by nested differentiation."""
    nested = Nested(trial)
    generator = torch.Generator(trial.head.weight.device).manual_seed(31013)
    optimizer = torch.optim.Adam(trial.parameters(), lr=LR)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        nested.loss(count, generator).backward()
        optimizer.step()

    return timed(step)


def products(
    count: int, width: int, depth: int, device: torch.device, at_once: bool = False
) -> Callable[[], Lap]:
    """The matrix products of the square layers' sweep and of its backward pass, on random numbers.

    at_once: layer by layer, each for all points, as such a network is usually written. Else, on a CPU, in blocks of points
        that stay in the cache, as the sweep has them: the most that the machine gives.
    """
    rows, channels = count + SOURCE_POINTS, 5
    blocked = device.type == "cpu" and not at_once
    size = BLOCK_BYTES // (4 * channels * width) if blocked else rows
    weight = torch.randn(width, width, device=device)
    square = torch.empty_like(weight)
    blocks = [
        torch.randn(channels * (min(start + size, rows) - start), width, device=device)
        for start in range(0, rows, size)
    ]
    outs = [torch.empty_like(blocks[0]) for _ in range(depth if at_once else 1)]

    def multiply() -> None:
        for a in blocks:
            for level in range(depth):
                out = outs[level % len(outs)][: len(a)]
                torch.mm(a, weight.T, out=out)
                torch.mm(a, weight, out=out)
                torch.mm(a.T, a, out=square)

    return timed(multiply)


def measure(small: bool) -> Measured:
    """Time the ways in turns, at a small number of points and at the paper's."""
    width, depth = (16, 1) if small else (256, 3)
    sizes = {64: 1} if small else {8192: 7, PAPER_POINTS: 1}
    device = find_device("auto")
    kernels, reason = best_kernels(device)
    rows = []
    for count, repeats in sizes.items():
        trials = [network(width, depth, torch.float32, device) for _ in range(3)]
        ways = {
            "nested": step_by_nesting(trials[0], count),
            "jets": step_by_jets(trials[1], count),
            "compiled jets": step_by_jets(trials[2], count, kernels),
            "products": products(count, width, depth, device, at_once=False),
            "products at once": products(count, width, depth, device, at_once=True),
        }
        times = in_turns(ways, repeats)
        rows += [{"points": count, "way": way, **summary(times[way])} for way in ways]
    apart = difference()
    settings = {
        "network": f"{width} × (1 + {depth})",
        "wavenumber": WAVENUMBER,
        "lr": LR,
        "source_points": SOURCE_POINTS,
        "dtype": "float32",
        "device": device.type,
        "projected_steps": STEPS,
        "difference_of_residuals": apart,
    }
    notes = [f"Residuals of nested differentiation and of jets, float64: {apart:.0e} apart."]
    if reason is not None:
        notes.append(f"Nothing could be compiled: {reason}")
    return Measured(settings, rows, _table(rows), notes)


def _table(rows: list[dict]) -> list[list[str]]:
    head = [
        "step",
        "points",
        "wall",
        "median",
        "computed",
        "nested / this",
        "products / this",
        "50 000 steps",
    ]
    table = [head]
    for row in rows:
        same = {other["way"]: cost(other) for other in rows if other["points"] == row["points"]}
        time = cost(row)
        table.append(
            [
                row["way"],
                f"{row['points']}",
                f"{row['wall']:.3g} s",
                f"{row['median']:.3g} s",
                f"{row['computed']:.3g} s",
                f"{same['nested'] / time:.2f}",
                f"{same['products'] / time:.0%}",
                f"{time * STEPS / 3600:.3g} h",
            ]
        )
    return table
