"""Jets of any torch function, by torch's own differentiation."""

from collections.abc import Callable

import torch
from torch import Tensor

from neurapde.jets.jet import Jet, Layout


def jet_by_autograd(
    field: Callable[[Tensor], Tensor], points: Tensor, layout: Layout, *, keep_graph: bool
) -> Jet:
    """The jet of `field`, which maps points (n, d) one by one to (n,) or (n, c), at `points`.

    keep_graph: whether the channels can be differentiated further, by parameters and (where they require it) points.
    """
    with torch.enable_grad():
        x = points if points.requires_grad and keep_graph else points.detach().requires_grad_()
        value = field(x)
        rows = [value]
        if layout.firsts:
            gradient = _gradient(value, x)
            rows.extend(gradient)
            seconds = {i: _gradient(gradient[i], x) for i in sorted({i for i, _ in layout.pairs})}
            rows.extend(seconds[i][j] for i, j in layout.pairs)
            rows.extend(_along(field, axes)(x) for axes in layout.higher)
        channels = torch.stack(rows)
    return Jet(channels if keep_graph else channels.detach(), layout)


def _along(field: Callable[[Tensor], Tensor], axes: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
    """The derivative of a field by some axes, forward: reverse passes over each other grow beyond all bounds."""
    if not axes:
        return field
    earlier, last = _along(field, axes[:-1]), axes[-1]

    def slope(x: Tensor) -> Tensor:
        unit = torch.zeros_like(x)
        unit[:, last] = 1.0
        values: Tensor = torch.func.jvp(earlier, (x,), (unit,))[1]
        return values

    return slope


def _gradient(field: Tensor, x: Tensor) -> list[Tensor]:
    """The derivatives of a field (n,) or (n, c) at points x (n, d) along each axis, with a graph."""
    columns = field.reshape(len(field), -1).unbind(1)
    parts = [
        component
        for column in columns
        for component in ((column.real, column.imag) if column.is_complex() else (column,))
    ]
    slopes = [_real_gradient(component, x) for component in parts]
    stacked = torch.stack(slopes, dim=-1)
    if field.is_complex():
        stacked = torch.view_as_complex(stacked.reshape(*stacked.shape[:-1], -1, 2))
    return [stacked[:, i].reshape(field.shape) for i in range(x.shape[1])]


def _real_gradient(column: Tensor, x: Tensor) -> Tensor:
    """The derivatives (n, d) of a real field (n,); zero where the field does not depend on x."""
    if not column.requires_grad:
        return torch.zeros_like(x)
    (slope,) = torch.autograd.grad(column.sum(), x, create_graph=True, allow_unused=True)
    return torch.zeros_like(x) if slope is None else slope
