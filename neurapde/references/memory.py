"""Whether a grid fits in memory, asked before anything is made on it."""

import math
from collections.abc import Sequence

from neurapde.core.memory import check_fits


def factored(nodes: float, entry: float) -> float:
    """Bytes of a sparse factorisation by nested dissection: `entry` for each of its n log₂ n."""
    return entry * nodes * math.log2(max(nodes, 2))


def check_grid(size: float, shape: Sequence[int], name: str) -> None:
    """Refuse a grid of this shape for the problem `name` that takes more bytes than are free (DeclarationError)."""
    nodes = " × ".join(map(str, shape))
    check_fits(size, f"a grid of {nodes} nodes for {name} needs too much memory", "give a smaller shape=…")
