"""Samples with weights, and parts of samples."""

import dataclasses
from dataclasses import dataclass

from torch import Tensor

from neurapde.constraints import Samples


@dataclass(frozen=True)
class Weighed(Samples):
    """Samples with weights `(n,)` of mean 1, so that their weighted mean square is that over the whole constraint."""

    weights: Tensor | None = None


def chosen(samples: Samples, mask: Tensor) -> Samples:
    """The samples where `mask` holds; a constraint that pairs its points is left whole."""
    if bool(mask.all()):
        return samples
    parts = {one.name: getattr(samples, one.name) for one in dataclasses.fields(samples)}
    return dataclasses.replace(
        samples, **{name: part[mask] for name, part in parts.items() if part is not None}
    )
