"""Values and gradients by one reverse sweep, for fields of fewer outputs than axes.

Forward, z = Wa + b and a = f(z); back, from the head's row m of each output, p = f′(z) m and m ← pW, whose last is the
gradient. That is two products a layer, where d tangents and a value are 1 + d.

The gradient of a loss by ∂u/∂x, ḡ, times that gradient is the derivative of u along ḡ. So one tangent t = f′(z) r, r ← Wt,
that starts from ḡ meets the m of the way back, and with the adjoint v of the value

    z̄ = f′ v + f″ r m,   W̄ = z̄ aᵀ + p tᵀ,   v ← z̄ W

is the closed form of what is else a second differentiation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neurapde.jets.activations import Activation
from neurapde.jets.steps import Steps, product


@dataclass(frozen=True)
class ReverseSteps(Steps):
    """Layers `forms` and a head; keeps a, f′ and, below the last layer, m of every layer."""

    forms: tuple[Activation, ...]

    @property
    def kept(self) -> int:
        return 3 * len(self.forms) - 1

    @property
    def channels(self) -> int:
        return 2

    def forward(
        self, inputs: Tensor, weights: Sequence[Tensor], biases: Sequence[Tensor], directions: Tensor
    ) -> list[Tensor]:
        a, values, slopes = inputs, [], []
        for level, form in enumerate(self.forms):
            a, slope = form.value_and_slope(torch.addmm(biases[level], a, weights[level].T))
            values.append(a)
            slopes.append(slope)
        pulls = []  # m (c, n, w) of all layers but the last, from the highest down
        p = weights[-1].unsqueeze(1) * slopes[-1]
        for level in range(len(self.forms) - 1, 0, -1):
            m = torch.matmul(p, weights[level])
            pulls.append(m)
            p = m * slopes[level - 1]
        gradient = torch.matmul(p, directions.T)
        value = torch.addmm(biases[-1], a, weights[-1].T)
        return [torch.cat((value.unsqueeze(0), gradient.permute(2, 1, 0))), *values, *slopes, *pulls]

    def backward(
        self,
        grad: Tensor,
        inputs: Tensor,
        weights: Sequence[Tensor],
        directions: Tensor,
        intermediates: Sequence[Tensor],
        by_weights: Sequence[bool],
    ) -> tuple[list[Tensor | None], Tensor, Tensor]:
        count = len(self.forms)
        values, slopes = intermediates[:count], intermediates[count : 2 * count]
        pulls = [*reversed(intermediates[2 * count :]), weights[-1].unsqueeze(1)]
        by_gradient = grad[1:].permute(2, 1, 0)  # (c, n, d)
        rates = [torch.matmul(by_gradient, directions)]  # r (c, n, w) of every layer
        tangents = [slopes[0] * rates[0]]
        for level in range(1, count):
            rates.append(torch.matmul(tangents[-1], weights[level].T))
            tangents.append(slopes[level] * rates[-1])
        parts: list[Tensor | None] = [None] * (2 * len(by_weights))
        if by_weights[-1]:
            parts[-2] = grad[0].T @ values[-1] + tangents[-1].sum(1)
        parts[-1] = grad[0].sum(0)
        v = torch.matmul(grad[0], weights[-1])
        for level in range(count - 1, -1, -1):
            slope, m = slopes[level], pulls[level]
            bent = rates[level] * m
            to_z = bent[0] if len(bent) == 1 else bent.sum(0)
            to_z = to_z.mul_(self.forms[level].second(values[level], slope)).addcmul_(v, slope)
            p = m * slope
            if level and by_weights[level]:
                parts[2 * level] = product(to_z, values[level - 1]) + product(p, tangents[level - 1])
            parts[2 * level + 1] = to_z.sum(0)
            if level:
                v = torch.matmul(to_z, weights[level])
        parts[0] = to_z.T @ inputs
        return parts, torch.matmul(by_gradient.transpose(1, 2), p).sum(0), to_z
