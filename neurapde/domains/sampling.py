"""How points are drawn: a sequence in the unit cube mapped into a set, drawn again where the map rejects."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch.quasirandom import SobolEngine

from neurapde.core import checks
from neurapde.core.devices import find_device
from neurapde.core.errors import DeclarationError

How: TypeAlias = Literal["uniform", "sobol", "grid"]
Map: TypeAlias = Callable[[torch.Tensor], tuple[torch.Tensor, ...]]
"""Takes `(n, k)` in the unit cube to tensors of at most n rows each, in float64."""

MOST_DRAWS = 2**22
"""Without a single point kept after so many, the set is called empty."""


def check_request(count: int, how: str) -> None:
    """Refuse a count below one and an unknown way of sampling."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1 or count > checks.MOST:
        raise DeclarationError(
            f"{checks.shown(count)} points were asked for; give a whole number of at least 1, up to {checks.MOST}"
        )
    if not isinstance(how, str) or how not in get_args(How):
        raise DeclarationError(
            f"how={checks.shown(how)} is not a way of sampling; use {', '.join(map(repr, get_args(How)))}"
        )


@dataclass(frozen=True)
class Draw:
    """What is asked of a sampler, checked: how many points, drawn how, from which generator, and in which form."""

    count: int
    how: How
    generator: torch.Generator | None
    dtype: torch.dtype
    device: torch.device | str

    def __post_init__(self) -> None:
        check_request(self.count, self.how)
        checks.kind(self.generator, "generator", torch.Generator | None, "give a torch.Generator, or None")
        if not isinstance(self.dtype, torch.dtype) or not self.dtype.is_floating_point:
            raise DeclarationError(f"dtype={checks.shown(self.dtype)}: give torch.float64 or torch.float32")
        find_device(self.device)

    def placed(self, numbers: torch.Tensor) -> torch.Tensor:
        """Numbers in the form asked for."""
        return numbers.to(device=self.device, dtype=self.dtype)

    def choice(self, n: int) -> torch.Tensor:
        """So many different whole numbers below n, all of them where there are no more; in the time that these take, not n.

        "grid" takes them at equal distances; the others at random, every set of them as likely as any other.
        """
        if self.count >= n:
            return torch.arange(n)
        if self.how == "grid":
            return torch.arange(self.count) * n // self.count
        device = self.generator.device if self.generator else torch.device("cpu")
        if 2 * self.count > n:
            return torch.randperm(n, generator=self.generator, device=device)[: self.count].cpu()
        chosen = torch.empty(0, dtype=torch.int64, device=device)
        while len(chosen) < self.count:
            drawn = torch.randint(n, (self.count - len(chosen),), generator=self.generator, device=device)
            chosen = torch.unique(torch.cat((chosen, drawn)))
        return chosen.cpu()


def unit_sequence(
    dimension: int, how: How, generator: torch.Generator | None
) -> Callable[[int], torch.Tensor]:
    """A function that gives the next n points `(n, dimension)` of a random or Sobol sequence, float64.

    generator: where the randomness comes from; without one the points differ from call to call.
    """
    if generator is None:
        generator = torch.Generator()
        generator.seed()
    device = generator.device
    if how == "sobol":
        seed = int(torch.randint(2**31, (1,), generator=generator, device=device))
        engine = SobolEngine(dimension, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
        return lambda n: engine.draw(n, dtype=torch.float64).to(device)
    return lambda n: torch.rand(n, dimension, generator=generator, device=device, dtype=torch.float64)


def collect(count: int, draw: Callable[[int], torch.Tensor], mapped: Map, what: str) -> list[torch.Tensor]:
    """The first `count` rows that the map keeps of a sequence."""
    parts: list[tuple[torch.Tensor, ...]] = []
    count_inside = drawn = 0
    need = count
    while count_inside < count:
        sample = mapped(draw(need))
        parts.append(sample)
        count_inside += len(sample[0])
        drawn += need
        if not count_inside and drawn >= MOST_DRAWS:
            raise DeclarationError(
                f"{what} is empty: none of {drawn} points drawn lies in it; check how its parts overlap"
            )
        need = min(
            int(1.1 * (count - count_inside) * drawn / count_inside) + 16 if count_inside else 4 * drawn,
            MOST_DRAWS,
        )
    return [torch.cat(column)[:count] for column in zip(*parts, strict=True)]


def unit_lattice(count: int, dimension: int) -> torch.Tensor:
    """Cell centres of the unit cube: the finest regular lattice of at most `count` points, float64."""
    per_axis = max(int(count ** (1 / dimension) + 1e-9), 1)
    axis = (torch.arange(per_axis, dtype=torch.float64) + 0.5) / per_axis
    return torch.cartesian_prod(*[axis] * dimension).reshape(-1, dimension)


def collect_lattice(count: int, dimension: int, mapped: Map, what: str) -> list[torch.Tensor]:
    """The map of the finest unit lattice of which it keeps at most `count` rows."""
    wanted = count
    for _ in range(40):
        sample = mapped(unit_lattice(wanted, dimension))
        if len(sample[0]) > count:
            break
        best, previous = sample, wanted
        denser = int(wanted * min(count / max(len(sample[0]), 1), 4.0))
        wanted = max(min(denser, MOST_DRAWS), wanted)
        if wanted == previous:
            break
    if len(best[0]) == 0:
        raise DeclarationError(f"{what} is empty: no grid point lies in it; check how its parts overlap")
    return list(best)


def cells_along(extents: list[float], spacing: float, count: int) -> list[int]:
    """Cells of about `spacing` along every axis of a box; along short ones a quarter of what a cube with `count` has."""
    least = max(int(count ** (1 / len(extents)) / 4), 1)
    return [max(round(extent / spacing), least) for extent in extents]


def unit_cells(cells: list[int]) -> torch.Tensor:
    """Centres `(n, d)` of so many cells along each axis of the unit cube, float64."""
    axes = [(torch.arange(many, dtype=torch.float64) + 0.5) / many for many in cells]
    return torch.cartesian_prod(*axes).reshape(-1, len(axes))
