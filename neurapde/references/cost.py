"""What a grid takes, asked before anything is made on it: refused if it does not fit in memory, told if it takes long."""

import math
from collections.abc import Sequence

from neurapde.core.cost import duration
from neurapde.core.memory import check_fits
from neurapde.core.warn import warn
from neurapde.reference_solvers.grids.grid import ResolutionWarning

LONG = 120.0
"""Seconds of a core above which the time is told."""
FACTORED_NODE = 2.3e-8
"""Seconds of a core for each n^1.5 of a planar grid of n nodes that is factored, as measured on a server of 2023."""
SWEPT_NODE = 1e-5
"""And for each node of sweeps."""
STEPPED_NODE = 6e-8
"""And for each node of a step in time."""


IN_SPACE = (1.1, 1.585)
"""Entries of the factors of a grid of n nodes in space, 1.1 n^1.585: by minimum degree, as measured up to 32³ nodes."""
SPACE_ENTRY, SPACE_NODE = 14.0, 4e-9
"""Bytes for each of these while they are made, and seconds of a core for each n² nodes, as measured."""


def factored_in_space(nodes: float) -> tuple[float, float]:
    """Bytes and seconds of a core of a sparse factorisation of a grid in space."""
    size, power = IN_SPACE
    return SPACE_ENTRY * size * nodes**power, SPACE_NODE * nodes**2


def factored(nodes: float, entry: float) -> float:
    """Bytes of a sparse factorisation by nested dissection: `entry` for each of its n log₂ n."""
    return entry * nodes * math.log2(max(nodes, 2))


def check_grid(size: float, shape: Sequence[int], name: str, seconds: float = 0.0) -> None:
    """Refuse a grid of this shape for the problem `name` that takes more bytes than are free (DeclarationError)."""
    check_fits(size, f"{_grid(shape, name)} needs too much memory", "give a smaller shape=…")
    warn_long(seconds, shape, name)


def warn_long(seconds: float, shape: Sequence[int], name: str) -> None:
    """Warn of so many seconds of a core, predicted within a factor of three, where that is long."""
    if seconds > LONG:
        warn(
            f"{_grid(shape, name)} takes about {duration(seconds)} on one core; give a smaller shape=…, or stop it with "
            "Ctrl-C",
            ResolutionWarning,
        )


def _grid(shape: Sequence[int], name: str) -> str:
    return f"a grid of {' × '.join(map(str, shape))} nodes for {name}"
