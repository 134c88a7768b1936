"""The learned model: a space of functions, its encoder, and the scales of the data."""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from neurapde.core.declaration import Declaration
from neurapde.core.errors import DeclarationError
from neurapde.learning.batches import Batch, PointSets, Reader, Scale
from neurapde.learning.dataset import Fields
from neurapde.learning.encoders.encoder import Conditioner, Encoder
from neurapde.learning.spaces import ConditionedMLP, FunctionSpace, space_of
from neurapde.trials.base import Setting, Trial, corners
from neurapde.trials.networks.batched import Weights

LOOKED_AT = 64
"""Fields from which the scale of the values is taken."""


@dataclass(frozen=True)
class Made(Declaration):
    """The parts of a model without its parameters.

    bounds: corners (d,) of the fields' domain; seen_bounds: those of the observed points. outputs, components: numbers
    of the fields' components and of the observed ones. complex, seen_complex: whether they are complex. fields: number
    in the data set.
    """

    trial: Trial | ConditionedMLP
    encoder: Encoder
    bounds: Any
    outputs: int
    complex: bool
    seen_bounds: Any
    components: int
    seen_complex: bool
    fields: int

    @property
    def apart(self) -> bool:
        """Whether the observations are something else than the field's own values."""
        return self.seen_bounds is not None

    def build(self, generator: torch.Generator, like: Tensor) -> "Model":
        """The model with drawn parameters."""
        placement = (generator, like.dtype, like.device)
        space = space_of(self.trial, Setting(self.bounds, self.outputs, self.complex, *placement))
        bounds = self.seen_bounds if self.apart else self.bounds
        seen = Setting(bounds, self.components, self.seen_complex, *placement)
        return Model(self, self.encoder.build(seen, space, self.fields), space, like)


class Model(torch.nn.Module):
    """A space of functions, the encoder, and the scales of the fields' values and of the observations."""

    def __init__(self, made: Made, conditioner: Conditioner, space: FunctionSpace, like: Tensor) -> None:
        super().__init__()
        self.made, self.conditioner, self.space = made, conditioner, space
        for name, count, complex in (
            ("values", made.outputs, made.complex),
            ("seen", made.components, made.seen_complex),
        ):
            dtype = like.dtype.to_complex() if complex else like.dtype
            self.register_buffer(f"{name}_shift", torch.zeros(count, dtype=dtype, device=like.device))
            self.register_buffer(f"{name}_factor", torch.ones(count, dtype=like.dtype, device=like.device))

    @property
    def like(self) -> Tensor:
        """A tensor on the device and in the precision of the parameters."""
        return cast(Tensor, self.values_factor)

    @property
    def scale(self) -> Scale:
        """Of the fields."""
        return Scale(cast(Tensor, self.values_shift), cast(Tensor, self.values_factor))

    @property
    def seen_scale(self) -> Scale:
        """Of what is seen."""
        return Scale(cast(Tensor, self.seen_shift), cast(Tensor, self.seen_factor))

    def normal(self, batch: Batch) -> Batch:
        """A batch with values as the networks take them."""
        targets = self.scale.normal(batch.targets)
        seen = targets if batch.seen is batch.targets else self.seen_scale.normal(batch.seen)
        return Batch(batch.indices, seen, targets)

    def codes(self, seen: PointSets) -> Tensor:
        """The codes (fields, latent) of normalised observations."""
        return self.conditioner.codes(seen, self.space)

    def weights(self, codes: Tensor) -> Weights:
        """The weights for codes, on the networks' own scale."""
        return self.space.weights(codes)

    def fit_scales(self, batch: Batch) -> None:
        """Take the scales from fields of the data set."""
        for name, sets in (("values", batch.targets), ("seen", batch.seen)):
            values = sets.values[sets.present > 0]
            shift = values.mean(0)
            factor = (values - shift).abs().square().mean(0).sqrt()
            factor = torch.where(factor > 0, factor, torch.ones_like(factor))
            getattr(self, f"{name}_shift").copy_(shift)
            getattr(self, f"{name}_factor").copy_(factor)


def made_for(data: Fields, trial: Any, encoder: Encoder) -> tuple[Made, Batch]:
    """The parts of a model for a data set, and the fields that determine its scales.

    Raises: DeclarationError for fields that do not fit together, or an encoder that cannot use the observations.
    """
    batch = Reader(data, torch.zeros(0, dtype=torch.float64)).batch(range(min(len(data), LOOKED_AT)))
    apart = batch.seen is not batch.targets
    if apart and encoder.own_values:
        raise DeclarationError(
            f"{type(encoder).__name__} finds codes from values of the field, but this data set observes something else; "
            "use npde.learning.SetEncoder() or GridEncoder(shape)"
        )
    seen_bounds = None
    if apart:
        places = batch.seen.points[batch.seen.present > 0]
        seen_bounds = (tuple(places.amin(0).tolist()), tuple(places.amax(0).tolist()))
    bounds = tuple(tuple(corner.tolist()) for corner in corners(data.domain.bounds))
    made = Made(
        trial=trial,
        encoder=encoder,
        bounds=bounds,
        outputs=batch.targets.values.shape[-1],
        complex=batch.targets.values.is_complex(),
        seen_bounds=seen_bounds,
        components=batch.seen.values.shape[-1],
        seen_complex=batch.seen.values.is_complex(),
        fields=len(data),
    )
    return made, batch
