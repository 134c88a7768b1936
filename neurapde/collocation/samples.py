"""Samples with weights, parts of samples, and how they are drawn."""

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.constraints import Face, Sampler, Samples
from neurapde.domains.box import Box


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


def drawn(sample: Sampler, count: int, generator: torch.Generator, device: torch.device) -> Samples:
    """Sobol points of a constraint, `count` or a few more; half of those on faces of a box are spread evenly over the faces.

    By measure alone a face would go without: one of 0.1 m beside one of an hour.
    """
    if isinstance(sample, Face) and len(sample.on) > 1 and isinstance(sample.domain.spatial, Box):
        domain = sample.domain
        sizes = np.array([domain.boundary_size((face,)) for face in sample.on])
        shares = (sizes / sizes.sum() + 1 / len(sizes)) / 2
        parts = [
            drawn(Face(domain, (face,)), math.ceil(count * share), generator, device)
            for face, share in zip(sample.on, shares, strict=True)
        ]
        normals = torch.cat([part.normals for part in parts if part.normals is not None])
        return Samples(torch.cat([part.points for part in parts]), normals)
    return sample(count, how="sobol", generator=generator, dtype=torch.float64, device=device)
