"""Mini-batches: several fields at once, at some of their points, with the observations of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurapde.domains.base import Domain
from neurapde.learning.augmentation import Augmentation
from neurapde.learning.dataset import Fields, item

KEPT_BYTES = 512 * 2**20
"""Memory for cached fields."""


@dataclass(frozen=True, eq=False)
class PointSets:
    """Values at points, of several fields.

    points: (fields, n, d). values: (fields, n, c). present: (fields, n), 1 where the point exists, else 0.
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
        """The mean (fields, …) of numbers (fields, n, …) over the present points."""
        present = self.present.reshape(*self.present.shape, *[1] * (numbers.ndim - 2))
        return (numbers * present).sum(1) / self.counts.reshape(-1, *[1] * (numbers.ndim - 2))

    def means_at(self, node: Tensor, nodes: int) -> Tensor:
        """The mean features of each node's points, and a mask of nodes with points: (fields, nodes, features + 1).

        node: (fields, n), the number of each point's node.
        """
        rows = torch.cat((self.features, torch.ones_like(self.features[..., :1])), dim=-1)
        rows = rows * self.present.unsqueeze(-1)
        sums = rows.new_zeros(len(rows), nodes, rows.shape[-1])
        sums = sums.scatter_add(1, node.unsqueeze(-1).expand_as(rows), rows)
        count = sums[..., -1:]
        return torch.cat((sums[..., :-1] / count.clamp(min=1), (count > 0).to(sums)), dim=-1)

    def taken(self, index: Tensor, present: Tensor) -> "PointSets":
        """Some of the points: index (fields, m)."""
        rows = torch.arange(len(index), device=index.device).unsqueeze(1)
        return PointSets(self.points[rows, index], self.values[rows, index], present)


@dataclass(frozen=True, eq=False)
class Batch:
    """Fields of a data set by their numbers, with the observations and the targets of each."""

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


def padded(sets: Sequence[tuple[Any, Any]], like: Tensor) -> PointSets:
    """Points and values of several fields, arrays or tensors, each padded to the length of the longest."""
    complex = any(np.iscomplexobj(v) or (isinstance(v, Tensor) and v.is_complex()) for _, v in sets)
    dtype = like.dtype.to_complex() if complex else like.dtype
    points = [copied(at).to(device=like.device, dtype=like.dtype) for at, _ in sets]
    values = [copied(value).to(device=like.device, dtype=dtype) for _, value in sets]
    present = [like.new_ones(len(at)) for at in points]
    return PointSets(*(torch.nn.utils.rnn.pad_sequence(parts, True) for parts in (points, values, present)))


def copied(x: Any) -> Tensor:
    """A tensor with a copy of an array, which may be read-only, such as a memory-mapped file; tensors are not copied."""
    return x if isinstance(x, Tensor) else torch.tensor(np.asarray(x))


class Reader:
    """The fields of a data set on the device and in the precision of `like`; few fields are cached."""

    def __init__(self, data: Fields, like: Tensor) -> None:
        self.data, self.like = data, like
        self._kept: dict[int, list[tuple[Tensor, Tensor]]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.data)

    def batch(self, indices: Sequence[int]) -> Batch:
        """Fields with all their points, all of them observed."""
        rows = [self._read(index) for index in indices]
        targets = padded([row[0] for row in rows], self.like)
        seen = targets if len(rows[0]) == 1 else padded([row[1] for row in rows], self.like)
        return Batch(torch.as_tensor(indices, device=self.like.device), seen, targets)

    def _read(self, index: int) -> list[tuple[Tensor, Tensor]]:
        if index in self._kept:
            return self._kept[index]
        entry = item(self.data, index)
        pairs = [(entry.points, entry.values), *([] if entry.seen is None else [entry.seen])]
        sets = [padded([pair], self.like) for pair in pairs]
        row = [(point_set.points[0], point_set.values[0]) for point_set in sets]
        size = sum(tensor.nbytes for pair in row for tensor in pair)
        if self._bytes + size <= KEPT_BYTES:
            self._kept[index], self._bytes = row, self._bytes + size
        return row


@dataclass(frozen=True)
class Drawing:
    """How batches are drawn.

    fields: number in each batch, without repetition. points: targets of each field; None for all. context: fewest and
    most observed points of each field, None for all; a batch has one number, whose logarithm is uniform. augment:
    changes of the fields before.
    """

    fields: int
    points: int | None
    context: tuple[int, int | None]
    augment: Augmentation

    def draw(self, reader: Reader, generator: torch.Generator) -> Batch:
        """A batch, with the values of the data set."""
        order = torch.randperm(len(reader), generator=generator, device=generator.device)
        return reader.batch(order[: self.fields].tolist())

    def chosen(self, batch: Batch, domain: Domain, generator: torch.Generator) -> Batch:
        """The same fields, normalised and augmented, at some of their points."""
        apart = batch.seen is not batch.targets
        targets = batch.targets if apart else self.augment.of(batch.targets, domain, generator)
        source = batch.seen if apart else targets
        seen = _some(source, self._counts(source, generator), generator)
        if self.points is not None and self.points < targets.present.shape[1]:
            targets = _some(targets, torch.full_like(targets.counts, self.points), generator)
        return Batch(batch.indices, seen, targets)

    def _counts(self, sets: PointSets, generator: torch.Generator) -> Tensor:
        """How many points of each field are observed (fields, 1)."""
        least, most = self.context
        top = sets.counts if most is None else sets.counts.clamp(max=most)
        low = top.clamp(max=least)
        share = torch.rand(1, generator=generator, device=generator.device).to(low)
        return (low * (top / low) ** share).round()


def _some(sets: PointSets, counts: Tensor, generator: torch.Generator) -> PointSets:
    """Points drawn without repetition, `counts` (fields, 1) of each field."""
    order = torch.rand(sets.present.shape, generator=generator, device=generator.device).to(sets.present)
    order = (order + 2 * (1 - sets.present)).argsort(1)[:, : int(counts.max())]
    rank = torch.arange(order.shape[1], device=order.device)
    return sets.taken(
        order, (rank < torch.minimum(counts, sets.present.sum(1, keepdim=True))).to(sets.present)
    )
