"""Errors of a family's fields that are conditioned on some of their points."""

from collections.abc import Sequence

import numpy as np
import torch

from neurapde.learning.batches import PointSets, Reader
from neurapde.learning.dataset import Fields
from neurapde.learning.model import Model


def mean_square_errors(model: Model, fields: Fields, counts: Sequence[int | None], seed: int) -> np.ndarray:
    """The mean square error over all points, for fields that are observed at `counts` of them, for each count.

    The observed points are the first ones in a random order of each field's points; None for all.
    """
    batch = model.normal(Reader(fields, model.like).batch(range(len(fields))))
    order = torch.rand(batch.targets.present.shape, generator=torch.Generator().manual_seed(seed))
    order = (order.to(batch.targets.present) + 2 * (1 - batch.targets.present)).argsort(1)
    errors = []
    for count in counts:
        chosen = order[:, :count]
        seen: PointSets = batch.targets.taken(chosen, batch.targets.present.gather(1, chosen))
        with torch.no_grad():
            fields_found = model.space.values(model.codes(seen), batch.targets.points)
        error = (fields_found - batch.targets.values) * model.scale.factor
        errors.append(float(batch.targets.mean(error.abs().square()).mean()))
    return np.array(errors)
