"""Samples with weights, parts of samples, and drawing of samples."""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.conditions.constraints import Face, Interior, Sampler, Samples
from neurapde.domains.box import Box
from neurapde.operators.base import Surrounded

AT_ONCE = 2**25
"""Numbers of features' jets at points and nodes that are held at once."""


@dataclass(frozen=True)
class Weighed(Samples):
    """Samples with weights `(n,)` of mean 1, so that their weighted mean square is that over the whole constraint."""

    weights: Tensor | None = None


def chosen(samples: Samples, mask: Tensor) -> Samples:
    """The samples where `mask` holds; a constraint that pairs its points is not divided."""
    if bool(mask.all()):
        return samples
    parts = {entry.name: getattr(samples, entry.name) for entry in dataclasses.fields(samples)}
    return dataclasses.replace(
        samples, **{name: tensor[mask] for name, tensor in parts.items() if tensor is not None}
    )


def in_parts(samples: Samples, numbers: int) -> Iterator[Samples]:
    """Samples in parts; with operators' nodes the parts are so small that their jets need little memory."""
    if isinstance(samples, Surrounded):
        beside = len(samples.points) / max(samples.count, 1)
        yield from samples.split(max(1, int(AT_ONCE / beside / numbers)))
    else:
        yield samples


def together(samples: Samples, others: Samples, most: int) -> Samples:
    """Samples without targets together with at most a number of further ones."""
    normals = None
    if samples.normals is not None and others.normals is not None:
        normals = torch.cat((samples.normals, others.normals[:most]))
    return Samples(torch.cat((samples.points, others.points[:most])), normals)


def near(sample: Sampler, box: tuple[tuple[float, ...], tuple[float, ...]] | None) -> Sampler | None:
    """A sampler of the part of the same set in a box; the same one without a box, and None if this is not supported."""
    if isinstance(sample, Interior):
        return sample if box is None else Interior(Box(*zip(*box, strict=True)))
    if box is None or not isinstance(sample, Face) or not isinstance(sample.domain, Box):
        return None
    around, ends = Box(*zip(*box, strict=True)), sample.domain.sides
    at = [(face, *sample.domain.face_axis(face)) for face in sample.on]
    on = tuple(face for face, axis, end in at if around.sides[axis][end] == ends[axis][end])
    return Face(around, on) if on else None


def drawn(sample: Sampler, count: int, generator: torch.Generator, device: torch.device) -> Samples:
    """Sobol points of a constraint, `count` or a few more; half of those on faces of a box are divided equally between
    the faces.

    By measure alone a face could get none, such as one of 0.1 m next to one of an hour.
    """
    if isinstance(sample, Face) and len(sample.on) > 1 and isinstance(sample.domain.spatial, Box):
        domain = sample.domain
        sizes = np.array([domain.boundary_size((face,)) for face in sample.on])
        shares = (sizes / sizes.sum() + 1 / len(sizes)) / 2
        parts = [
            drawn(Face(domain, (face,)), math.ceil(count * share), generator, device)
            for face, share in zip(sample.on, shares, strict=True)
        ]
        normals = torch.cat([group.normals for group in parts if group.normals is not None])
        return Samples(torch.cat([group.points for group in parts]), normals)
    return sample(count, how="sobol", generator=generator, dtype=torch.float64, device=device)
