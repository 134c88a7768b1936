"""A declared family of fields: a data set, test fields of the same kind, and the learning task."""

from dataclasses import dataclass
from typing import Any

from neurapde.learning.dataset import Rasters
from neurapde.learning.encoders.encoder import Encoder
from neurapde.learning.family import Family
from neurapde.learning.learn import learn
from neurapde.learning.mini_batch import MiniBatchAdam
from neurapde.learning.spaces import ConditionedMLP
from neurapde.trials.base import Trial


@dataclass(frozen=True, eq=False)
class FamilyProblem:
    """Fields to learn from, and others to find from some of their points.

    name: of the problem. train: the data set. unseen: fields that are not in it.
    trial, encoder, method: as in `npde.learn`.
    """

    name: str
    train: Rasters
    unseen: Rasters
    trial: Trial | ConditionedMLP
    encoder: Encoder
    method: MiniBatchAdam

    def learn(
        self,
        trial: Trial | ConditionedMLP | None = None,
        encoder: Encoder | None = None,
        method: MiniBatchAdam | None = None,
        **running: Any,
    ) -> Family:
        """The family, with the declared trial, encoder and method unless given; `running` goes to `npde.learn`."""
        return learn(
            self.train,
            self.trial if trial is None else trial,
            encoder=self.encoder if encoder is None else encoder,
            method=self.method if method is None else method,
            **running,
        )
