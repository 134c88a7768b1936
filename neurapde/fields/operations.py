"""What a function computes on its way: the quantities that it compares, and those that its peaks and quotients are of.

A function can be asked for values alone, and what is thin falls between them. But a comparison is of two smooth quantities,
and so is what stands within an exponential or below a quotient: they tell from afar where something happens.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch.overrides import TorchFunctionMode

from neurapde.core.arrays import to_numpy

Array = NDArray[np.float64]

COMPARED = {np.less, np.less_equal, np.greater, np.greater_equal, np.maximum, np.minimum, np.fmax, np.fmin}
"""Operations on two quantities that change where both are the same."""
ODD = {
    np.absolute,
    np.sign,
    np.heaviside,
    np.tanh,
    np.arctan,
    np.cosh,
    special.erf,
    special.erfc,
    special.expit,
}
"""Operations that change fastest where their quantity is zero."""
PEAKED = {np.exp, np.exp2, np.expm1}
"""Operations that are large where their quantity is."""
SMALL = {np.reciprocal, np.log, np.power, np.float_power}
"""Operations that may be large where their quantity is small."""
MOST_COLUMNS, MOST = 32, 48
"""Columns of a quantity that is a matrix, and quantities of a function, that are looked at."""


ALIASES: dict[str, np.ufunc] = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "less": np.less,
    "greater": np.greater, "clamp": np.maximum, "clip": np.maximum, "abs": np.absolute, "sgn": np.sign,
    "sigmoid": special.expit, "div": np.true_divide, "truediv": np.true_divide, "divide": np.true_divide,
    "atan": np.arctan, "pow": np.power, "erf": special.erf, "erfc": special.erfc,
}  # fmt: skip
"""Operations of torch under the names of NumPy's; others have NumPy's own."""


class _Tensors(TorchFunctionMode):
    """Keeps account of the operations on tensors."""

    def __init__(self, log: list[tuple[Array, bool]]) -> None:
        super().__init__()
        self.log = log

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "").strip("_")
        ufunc = ALIASES.get(name) or getattr(np, name, None)
        if isinstance(ufunc, np.ufunc) and 0 < len(args) <= 3:
            tensors = [
                to_numpy(argument) if isinstance(argument, torch.Tensor) else argument for argument in args
            ]
            for other in tensors[1:] or [None]:
                if all(
                    isinstance(operand, np.ndarray | int | float | None) for operand in (tensors[0], other)
                ):
                    self.log.extend(
                        _quantities(ufunc, [tensors[0]] if other is None else [tensors[0], other])
                    )
        return func(*args, **(kwargs or {}))


class _Traced(np.ndarray):
    """Values that keep account of the operations on them."""

    log: list[tuple[Array, bool]] | None = None

    def __array_finalize__(self, other: Any) -> None:
        self.log = getattr(other, "log", None)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        plain = [_plain(operand) for operand in inputs]
        if "out" in options:
            options["out"] = tuple(_plain(output) for output in options["out"])
        log = next((operand.log for operand in inputs if isinstance(operand, _Traced)), None)
        if method == "__call__" and log is not None:
            log.extend(_quantities(ufunc, plain))
        return _traced(getattr(ufunc, method)(*plain, **options), log)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.clip and self.log is not None:
            ends = [end for end in args[1:3] if end is not None]
            self.log.extend(
                quantity
                for end in ends
                for quantity in _quantities(np.maximum, [_plain(args[0]), _plain(end)])
            )
        return _traced(
            func(*map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()}), self.log
        )


def _plain(value: Any) -> Any:
    if isinstance(value, _Traced):
        return value.view(np.ndarray)
    return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value


def _traced(result: Any, log: list[tuple[Array, bool]] | None) -> Any:
    if isinstance(result, tuple):
        return tuple(_traced(value, log) for value in result)
    if not isinstance(result, np.ndarray) or result.dtype.kind not in "fc":
        return result
    traced = result.view(_Traced)
    traced.log = log
    return traced


def followed(values: Array, points: Array) -> Array:
    """Values made of points, whose own operations count where those on the points do."""
    return _traced(values, points.log) if isinstance(points, _Traced) else values


def _quantities(ufunc: np.ufunc, inputs: list[Any]) -> list[tuple[Array, bool]]:
    """What an operation tells of: quantities, each with whether it is its largest values (not zeros) that count."""
    if ufunc in COMPARED and len(inputs) == 2:
        return [(np.subtract(inputs[0], inputs[1], dtype=float), False)] if _are_real(inputs) else []
    if ufunc is np.true_divide:
        inputs = inputs[1:]
    if ufunc in PEAKED and _are_real(inputs[:1]):
        return [(np.asarray(inputs[0]), True)]
    if (ufunc in ODD or ufunc in SMALL or ufunc is np.true_divide) and _are_real(inputs[:1]):
        return [(np.asarray(inputs[0]), False)]
    return []


def _are_real(inputs: list[Any]) -> bool:
    return all(np.asarray(operand).dtype.kind in "fiu" for operand in inputs)


def heights(function: Callable[[Array], Any], points: Array) -> tuple[NDArray[Any], list[Array]]:
    """Values of a function at points `(n, d)`, and of every quantity of its operations a height `(n,)` there.

    Something happens where a height is least: −|q| of what is compared, or the largest q, each with its sign turned.
    """
    log: list[tuple[Array, bool]] = []
    traced = np.array(points).view(_Traced)
    traced.log = log
    with np.errstate(all="ignore"), _Tensors(log):
        values = to_numpy(function(traced)).view(np.ndarray)
    by_quantity = []
    for quantity, is_peak in log[:MOST]:
        if quantity.ndim == 0 or len(points) not in (quantity.shape[0], quantity.shape[-1]):
            continue
        rows = quantity if quantity.shape[0] == len(points) else quantity.T
        for column in rows.reshape(len(points), -1).T[:MOST_COLUMNS]:
            by_quantity.append(-column if is_peak else np.abs(column))
    return np.broadcast_to(values, (len(points),)), by_quantity[:MOST]
