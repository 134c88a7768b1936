"""The origin of synthetic data, so that an inversion on the grid of its own data (an inverse crime) is detected."""

from dataclasses import dataclass

from neurapde.core.declaration import Declaration
from neurapde.core.formatting import number, percent


@dataclass(frozen=True)
class Provenance(Declaration):
    """solver: of `neurapde.reference_solvers`. shape, spacing: of its grid. noise: added relative L2 level."""

    solver: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    noise: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "spacing", tuple(float(h) for h in self.spacing))

    def __str__(self) -> str:
        size = "×".join(map(str, self.shape))
        return (
            f"{self.solver} on {size} nodes, spacing {number(max(self.spacing))}, noise {percent(self.noise)}"
        )
