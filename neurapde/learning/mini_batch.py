"""Mini-batch training of a family by Adam: several fields a step at some of their points, averaged parameters."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from neurapde.core import checks
from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.learning.augmentation import Augmentation
from neurapde.learning.batches import Drawing, Reader
from neurapde.learning.dataset import Fields
from neurapde.learning.model import Model
from neurapde.learning.objective import Objective, Supervised
from neurapde.training.optimisation.adam import AdamSteps
from neurapde.training.optimisation.parameters import copied, put
from neurapde.training.run.journal import Journal
from neurapde.training.run.method import Status
from neurapde.training.schedules import Cosine, Schedule


@dataclass(frozen=True)
class MiniBatchAdam(Declaration):
    """How a family is trained.

    steps:    number of steps; a resumed run includes those already taken.
    lr:       learning rate of the first step.
    fields:   number of fields in a step, drawn without repetition.
    points:   number of targets of each field; None for all.
    context:  fewest and most observed points of a field, None for all. A step has one number, whose logarithm is
              uniform.
    objective: `Supervised(latent, weights)`, the paper's loss.
    augment:  `Augmentation(mirror, shift, gain, offset)` of the fields before their points are drawn.
    schedule: factor of lr.
    clip:     largest norm of the gradient; None: unlimited.
    average:  memory of the average of the parameters over the steps, at step t at most t / (t + 10). The family has
              the averaged parameters; 0 keeps the last ones.
    record_every: steps between two rows of the history. checkpoint_seconds: time between two checkpoints.

    The paper's training is `MiniBatchAdam(650_000, lr=5e-5, fields=100, context=(10, 200), clip=1.0, average=0.0,
    schedule=ConstantRate(), objective=Supervised(0.1, 100.0))` on 162 770 pictures of 32².
    """

    steps: int = 2000
    lr: float = 1e-3
    fields: int = 32
    points: int | None = None
    context: tuple[int, int | None] = (10, None)
    objective: Objective = field(default_factory=Supervised)
    augment: Augmentation = field(default_factory=Augmentation)
    schedule: Schedule = field(default_factory=Cosine)
    clip: float | None = 1.0
    average: float = 0.99
    record_every: int = 10
    checkpoint_seconds: float = 60.0

    def __post_init__(self) -> None:
        for name in ("steps", "fields", "record_every"):
            checks.whole(getattr(self, name), name)
        if self.points is not None:
            checks.whole(self.points, "points")
        for name in ("lr", "checkpoint_seconds"):
            checks.amount(getattr(self, name), name)
        if self.clip is not None:
            checks.amount(self.clip, "clip")
        checks.number(self.average, "average", lambda x: 0 <= x < 1, "it must lie in 0 … 1, for example 0.99")
        context = tuple(self.context) if isinstance(self.context, list | tuple) else ()
        if len(context) != 2:
            raise DeclarationError(
                f"context={checks.shown(self.context)}: give the smallest and the largest number of points, (10, None)"
            )
        least = checks.whole(context[0], "context: the smallest number of points")
        if context[1] is not None:
            checks.whole(context[1], "context: the largest number of points", least)
        object.__setattr__(self, "context", context)
        for name, kind in (("objective", Objective), ("augment", Augmentation), ("schedule", Schedule)):
            if not isinstance(getattr(self, name), kind):
                raise DeclarationError(
                    f"{name}={checks.shown(getattr(self, name))} is not a {kind.__name__}; see npde.learning and "
                    "npde.training"
                )

    def resume_key(self) -> "MiniBatchAdam":
        """This method without the settings that may change when a run is resumed."""
        fields = dataclasses.replace(self, record_every=1, checkpoint_seconds=1.0)
        return fields if self.schedule.follows_total else dataclasses.replace(fields, steps=1)

    def describe(self) -> str:
        """One line for notes."""
        return f"Adam, {self.steps} steps of {self.fields} fields, lr {self.lr:g} · {self.schedule}"

    def drawing(self) -> Drawing:
        """How the batches are drawn."""
        return Drawing(self.fields, self.points, self.context, self.augment)


class Descent:
    """One training: the model in `model`, the averaged parameters, and the last finite ones."""

    def __init__(self, method: MiniBatchAdam, data: Fields, model: Model, generator: torch.Generator) -> None:
        self.method, self.model, self.generator = method, model, generator
        self.reader = Reader(data, model.like)
        self.domain: Domain = data.domain
        self.parameters: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = AdamSteps(self.parameters)
        self.average = copied(self.parameters)
        self.drawing = method.drawing()

    def run(self, journal: Journal) -> Status:
        """Take all steps of the journal; afterwards the model has the averaged parameters."""
        with journal:
            for step in journal.steps():
                if not self._advance(step, journal):
                    journal.status = Status.DIVERGED
                    break
        put(self.parameters, self.average)
        return journal.status

    def _advance(self, step: int, journal: Journal) -> bool:
        """Take one step; False, with unchanged parameters, if the loss is not finite."""
        method = self.method
        rate = method.lr * method.schedule.factor(step, method.steps)
        drawn = self.model.normal(self.drawing.draw(self.reader, self.generator))
        batch = self.drawing.chosen(drawn, self.domain, self.generator)
        codes = self.model.conditioner.trained(batch.indices, batch.seen, self.model.space)
        losses = method.objective.losses(self.model, batch, codes, self.generator)
        total = torch.stack(losses).sum()
        if step % method.record_every == 0 or step == method.steps - 1:
            first, *values = torch.stack([total, *losses]).tolist()
            journal.record(first, values, rate)
        if not math.isfinite(total.item()):
            return False
        total.backward()  # type: ignore[no-untyped-call]
        if method.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters, method.clip)
        self.optimizer.step(rate)
        memory = min(method.average, step / (step + 10.0))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.parameters, 1 - memory)
        journal.advance()
        return True

    def tensors(self) -> dict[str, Tensor]:
        """The tensors to resume a run, besides the model's own parameters."""
        average = {f"average.{i}": tensor for i, tensor in enumerate(self.average)}
        return {"generator": self.generator.get_state(), **average, **self.optimizer.tensors()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """What `tensors` gave."""
        self.generator.set_state(tensors["generator"])
        self.average = [tensors[f"average.{i}"].to(tensor) for i, tensor in enumerate(self.average)]
        self.optimizer.restore(tensors)
