"""Mini-batches: several fields at once, at some of their points, with what is seen of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.domains.base import Domain
from neurapde.learning.augmentation import Augmentation
from neurapde.learning.dataset import Fields, Samples, item


@dataclass(frozen=True, eq=False)
class PointSets:
    """Values at points, of several fields.

    points: (fields, n, d). values: (fields, n, c). present: (fields, n), 1 where there is such a point and 0 else.
    """

    points: Tensor
    values: Tensor
    present: Tensor

    @property
    def features(self) -> Tensor:
        """The values as real numbers (fields, n, c), or (fields, n, 2c) if they are complex."""
        return torch.view_as_real(self.values).flatten(-2) if self.values.is_complex() else self.values

    @property
    def counts(self) -> Tensor:
        """Points of each field (fields, 1), at least 1."""
        return self.present.sum(1, keepdim=True).clamp(min=1)

    def mean(self, numbers: Tensor) -> Tensor:
        """The mean (fields, …) over the points that are present of numbers (fields, n, …)."""
        present = self.present.reshape(*self.present.shape, *[1] * (numbers.ndim - 2))
        return (numbers * present).sum(1) / self.counts.reshape(-1, *[1] * (numbers.ndim - 2))

    def taken(self, index: Tensor, present: Tensor) -> "PointSets":
        """Some of the points: index (fields, m)."""
        rows = torch.arange(len(index), device=index.device).unsqueeze(1)
        return PointSets(self.points[rows, index], self.values[rows, index], present)


@dataclass(frozen=True, eq=False)
class Batch:
    """Fields of a data set by their numbers, what is seen of each, and what each is."""

    indices: Tensor
    seen: PointSets
    targets: PointSets


@dataclass(frozen=True)
class Scale:
    """Values as networks take them: (value − shift) / factor, by component (c,)."""

    shift: Tensor
    factor: Tensor

    def normal(self, sets: PointSets) -> PointSets:
        """The same sets with such values."""
        values = (sets.values - self.shift) / self.factor
        return PointSets(sets.points, values, sets.present)


def padded(sets: Sequence[tuple[np.ndarray, np.ndarray]], like: Tensor) -> PointSets:
    """Points and values of several fields, each filled up to as many as the longest has."""
    most = max(len(points) for points, _ in sets)
    dtype = like.dtype.to_complex() if any(np.iscomplexobj(v) for _, v in sets) else like.dtype
    points = torch.zeros(len(sets), most, sets[0][0].shape[1], dtype=like.dtype)
    values = torch.zeros(len(sets), most, sets[0][1].shape[1], dtype=dtype)
    present = torch.zeros(len(sets), most, dtype=like.dtype)
    for k, (at, value) in enumerate(sets):
        points[k, : len(at)] = torch.as_tensor(at)
        values[k, : len(at)] = torch.as_tensor(value)
        present[k, : len(at)] = 1.0
    return PointSets(points.to(like.device), values.to(like.device), present.to(like.device))


def whole(data: Fields, indices: Sequence[int], like: Tensor) -> Batch:
    """Fields with all their points, all of them seen."""
    items = [item(data, index) for index in indices]
    targets = padded([(one.points, one.values) for one in items], like)
    return Batch(torch.as_tensor(indices, device=like.device), _seen(items, targets, like), targets)


def _seen(items: Sequence[Samples], targets: PointSets, like: Tensor) -> PointSets:
    given = [one.seen for one in items if one.seen is not None]
    return padded(given, like) if given else targets


@dataclass(frozen=True)
class Drawing:
    """How batches are drawn.

    fields: of each, without repetition. points: targets of each field; None for all. context: fewest and most points that
    are seen of a field, None for all of them; as many are drawn as the logarithm is uniform. augment: what is done to the
    fields before.
    """

    fields: int
    points: int | None
    context: tuple[int, int | None]
    augment: Augmentation

    def draw(self, data: Fields, domain: Domain, generator: torch.Generator, like: Tensor) -> Batch:
        """A batch, on the device and in the precision of `like`."""
        order = torch.randperm(len(data), generator=generator, device=generator.device)
        found = whole(data, order[: self.fields].tolist(), like)
        apart = found.seen is not found.targets
        targets = found.targets if apart else self.augment.of(found.targets, domain, generator)
        source = found.seen if apart else targets
        seen = _some(source, self._counts(source, generator), generator)
        if self.points is not None and self.points < targets.present.shape[1]:
            targets = _some(targets, torch.full_like(targets.counts, self.points), generator)
        return Batch(found.indices, seen, targets)

    def _counts(self, sets: PointSets, generator: torch.Generator) -> Tensor:
        """How many points are seen of each field (fields, 1)."""
        least, most = self.context
        top = sets.counts if most is None else sets.counts.clamp(max=most)
        low = top.clamp(max=least)
        share = torch.rand(low.shape, generator=generator, device=generator.device).to(low)
        return (low * (top / low) ** share).round()


def _some(sets: PointSets, counts: Tensor, generator: torch.Generator) -> PointSets:
    """Points drawn without repetition, `counts` (fields, 1) of each field."""
    order = torch.rand(sets.present.shape, generator=generator, device=generator.device).to(sets.present)
    order = (order + 2 * (1 - sets.present)).argsort(1)[:, : int(counts.max())]
    rank = torch.arange(order.shape[1], device=order.device)
    return sets.taken(
        order, (rank < torch.minimum(counts, sets.present.sum(1, keepdim=True))).to(sets.present)
    )
