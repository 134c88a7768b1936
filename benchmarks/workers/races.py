"""What the workers that train for a fixed time share: the problems, the clock that stops for measuring, the error.

A worker is given a problem's name, a file of points, exact values and the seconds to train, and prints a line for every
look at the error: seconds on the wall, seconds computed, error. It runs in its package's own environment.
"""

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from turns import MARK, helmholtz

VISCOSITY = 0.01 / math.pi
DISK_RADIUS, DISK_SPEED = 0.1, 2.0
SHOTS = {"helmholtz-uniform": (0.0, 0.0), "helmholtz-disk": (-0.35, 0.0)}
"""Places of the sources of the problems with absorbing layers."""
LOOKS = 12


@dataclass
class Race:
    """A training against the clock, which stands still while the error is taken."""

    name: str
    points: np.ndarray
    truth: np.ndarray
    seconds: float
    by_wall: bool
    spent: list[float] = field(default_factory=lambda: [0.0, 0.0], init=False)
    looked: int = field(default=0, init=False)

    @classmethod
    def of_command_line(cls) -> "Race":
        """NAME FILE SECONDS CLOCK, CLOCK being wall or computed."""
        name, path, seconds, clock = sys.argv[1:]
        with np.load(path) as archive:
            return cls(name, archive["points"], archive["truth"], float(seconds), clock == "wall")

    @property
    def is_complex(self) -> bool:
        return self.name in SHOTS

    def start(self, version: str) -> None:
        """The clock runs from here on."""
        print(MARK, "READY", version, flush=True)
        self.since = self._now()

    def over(self, values: Callable[[np.ndarray], np.ndarray], last: bool = False) -> bool:
        """Whether time is up; takes the error of the network's outputs (n, outputs) when that is due."""
        wall, computed = (a + b - c for a, b, c in zip(self.spent, self._now(), self.since, strict=True))
        used = wall if self.by_wall else computed
        if not last and used < self.seconds * (self.looked + 1) / LOOKS:
            return False
        numbers = values(self.points)
        field = numbers[:, 0] + 1j * numbers[:, 1] if self.is_complex else numbers[:, 0]
        error = np.linalg.norm(field - self.truth) / np.linalg.norm(self.truth)
        print(MARK, wall, computed, error, flush=True)
        self.looked = int(LOOKS * used / self.seconds)
        self.spent, self.since = [wall, computed], self._now()
        return used >= self.seconds

    def part(self) -> float:
        """The part of the time that is used up."""
        wall, computed = (a + b - c for a, b, c in zip(self.spent, self._now(), self.since, strict=True))
        return (wall if self.by_wall else computed) / self.seconds

    @staticmethod
    def _now() -> list[float]:
        return [time.perf_counter(), time.process_time()]


def waves(
    name: str, x: Tensor, u: list[Tensor], first: list[list[Tensor]], second: list[list[Tensor]]
) -> Tensor:
    """The residual (n, 2) of a problem with absorbing layers, from the columns of `turns.helmholtz`."""
    if name == "helmholtz-disk":
        inside = x.detach().square().sum(1) < DISK_RADIUS**2
        u = [*u, torch.where(inside, DISK_SPEED**-2, 1.0).to(x)]
    return helmholtz(x, u, first, second, at=[SHOTS[name]])


def manufactured(x: Tensor, u: Tensor, laplacian: Tensor) -> Tensor:
    """Δu + u − f for u = sin(πx) sin(4πy)."""
    exact = torch.sin(math.pi * x[:, 0]) * torch.sin(4 * math.pi * x[:, 1])
    return laplacian + u - (1 - 17 * math.pi**2) * exact


def burgers(u: Tensor, u_t: Tensor, u_x: Tensor, u_xx: Tensor) -> Tensor:
    """u_t + u u_x − ν u_xx."""
    return u_t + u * u_x - VISCOSITY * u_xx
