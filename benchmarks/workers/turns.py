"""How a worker and the benchmark that started it take turns, and what the workers of all packages compute alike.

A worker runs in its package's own environment. It prints that it is ready, then for every line on its input takes one
training step and prints how long that took. Only torch and the standard library may be imported here.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

MARK = "@turn"
OMEGA = 30.0
WAVENUMBER, STRENGTH, LAYER, VARIANCE = 20.0, 5.0, 0.5, 1e-4
BOUNDARY_POINTS = 400
OUTPUTS = {"poisson": 1, "helmholtz": 2, "inversion": 11}
SHOTS = ((-0.4, 0.0), (-0.2, 0.1), (0.0, 0.2), (0.2, 0.1), (0.4, 0.0))
"""Places of the sources of "inversion": five complex fields and one squared slowness, unknown."""


@dataclass(frozen=True)
class Work:
    """What to time: the problem, one of `OUTPUTS`, the points in its interior, and the network."""

    problem: str
    points: int
    width: int
    depth: int

    @classmethod
    def of_command_line(cls, arguments: Sequence[str] | None = None) -> "Work":
        problem, *numbers = sys.argv[1:] if arguments is None else arguments
        return cls(problem, *(int(number) for number in numbers))

    @property
    def outputs(self) -> int:
        return OUTPUTS[self.problem]

    @property
    def sine_layers(self) -> int:
        return 1 + self.depth


def say_ready(version: str) -> None:
    """Print that steps can be asked for."""
    print(MARK, "READY", version, flush=True)


def wait_for_turn() -> bool:
    """Whether there is another step to take."""
    return bool(sys.stdin.readline())


def now() -> tuple[float, float]:
    """The clock on the wall, and the time that this process has computed."""
    return time.perf_counter(), time.process_time()


def tell(start: tuple[float, float]) -> None:
    """Print what both clocks have run since `start`."""
    wall, computed = now()
    print(MARK, wall - start[0], computed - start[1], flush=True)


def serve(step: Callable[[], object], version: str) -> None:
    """Take a step whenever asked to."""
    say_ready(version)
    while wait_for_turn():
        start = now()
        step()
        tell(start)


def sine(x: Tensor) -> Tensor:
    """The activation of a SIREN."""
    return torch.sin(OMEGA * x)


def helmholtz(
    x: Tensor,
    u: list[Tensor],
    first: list[list[Tensor]],
    second: list[list[Tensor]],
    at: Sequence[tuple[float, float]] | None = None,
) -> Tensor:
    """The PML residual (n, 2 fields) from real columns (n,): u[c], first[c][i] and second[c][i] of output c, axis i.

    Outputs are the real and the imaginary part of each field in turn, and the squared slowness where their number is odd.
    at: the places of the sources, one for each field; None for the centre, or `SHOTS` of several.
    """
    x = x.detach()
    depth = (x.abs() - LAYER).relu() / LAYER
    e = 1 - 1j * STRENGTH * depth**2
    slope = -2j * STRENGTH * depth * x.sign() / LAYER
    e0, e1 = e.unbind(1)
    a, b = e1 / e0, e0 / e1
    a_slope, b_slope = -e1 * slope[:, 0] / e0**2, -e0 * slope[:, 1] / e1**2
    scale = e0 * e1
    terms = ((a, second, 0), (b, second, 1), (a_slope, first, 0), (b_slope, first, 1))
    fields = len(u) // 2
    slowness = u[-1] if len(u) % 2 else 1.0
    shots = at or (SHOTS if fields > 1 else ((0.0, 0.0),))
    columns = []
    for field, shot in zip(range(fields), shots, strict=True):
        re, im = 2 * field, 2 * field + 1
        left = scale * WAVENUMBER**2 * slowness * torch.complex(u[re], u[im])
        for coefficient, derivatives, axis in terms:
            left = left + coefficient * torch.complex(derivatives[re][axis], derivatives[im][axis])
        distance = (x[:, 0] - shot[0]) ** 2 + (x[:, 1] - shot[1]) ** 2
        density = torch.exp(-distance / (2 * VARIANCE)) / (2 * math.pi * VARIANCE)
        columns.append(torch.view_as_real(left - scale * (1 + 1j) * density))
    return torch.cat(columns, dim=1)


def poisson_density(x: Tensor) -> Tensor:
    """f (n,) of Δu = f with u = sin(πx) sin(4πy) on [−1, 1]², zero at the sides."""
    return -17 * math.pi**2 * torch.sin(math.pi * x[:, 0]) * torch.sin(4 * math.pi * x[:, 1])
