"""Arrays of either kind: one coefficient works on NumPy arrays and torch tensors, keeping dtype and device.

A function here takes NumPy arrays, torch tensors or plain numbers and answers in the kind it was given.
User residuals and media call them as `npde.sin`, `npde.where`, …: one text serves the network and the grid.
"""

import builtins
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, TypeAlias

import array_api_compat
import numpy as np
import torch

from neurapde.core import checks
from neurapde.core.errors import DeclarationError

Array: TypeAlias = Any
"""A NumPy array or a torch tensor."""


class Standin(ABC):
    """What stands for a number that may change, such as an unknown one."""

    @property
    @abstractmethod
    def value(self) -> torch.Tensor:
        """The number that it is at present, as a tensor without axes."""


def namespace(*arrays: Array) -> Any:
    """The array namespace (array_api_compat) of the arrays among the arguments; NumPy's if there is none."""
    known = [a for a in arrays if isinstance(a, np.ndarray | np.generic | torch.Tensor)]
    tensors = [a for a in known if isinstance(a, torch.Tensor)]
    return array_api_compat.array_namespace(*(tensors or known or [np.empty(0)]))


def to_numpy(x: Array) -> np.ndarray:
    """`x` as a NumPy array: detached, on the CPU, conjugations and negations resolved."""
    if isinstance(x, torch.Tensor):
        return x.detach().resolve_conj().resolve_neg().cpu().numpy()
    return np.asarray(x)


def as_points(x: Array, dimension: int, what: str = "points") -> Array:
    """Points `(n, d)` as a floating array of their own kind, checked.

    Lists become NumPy arrays and integers float64; what is empty, `[]` too, has no points, `(0, d)`.
    Raises: DeclarationError for another shape, complex numbers, NaN or infinity.
    """
    if not isinstance(x, np.ndarray | torch.Tensor):
        x = checks.array(x, what).astype(float)
    if isinstance(x, np.ndarray) and x.dtype.kind not in "biufc":
        raise DeclarationError(f"{what} are of type {x.dtype}; give real coordinates (n, {dimension})")
    if tuple(x.shape) == (0,):
        x = x.reshape(0, dimension)
    check_shape(x, dimension, what)
    xp = namespace(x)
    if xp.isdtype(x.dtype, "integral"):
        x = xp.astype(x, xp.float64)
    if not xp.isdtype(x.dtype, "real floating"):
        raise DeclarationError(f"{what} are of type {x.dtype}; give real coordinates")
    if not builtins.bool(xp.all(xp.isfinite(x))):
        bad = int(np.flatnonzero(~np.isfinite(to_numpy(x)).all(axis=1))[0])
        raise DeclarationError(f"{what}[{bad}] is {to_numpy(x)[bad].tolist()}; give finite coordinates")
    return x


def as_rows(points: Any, others: Sequence[Any] = ()) -> tuple[Any, tuple[int, ...] | None]:
    """Points as rows, and the shape of the grid that they were given in; None for rows.

    points: `(n, d)`, or `(*grid, d)`. others: with them `points` and these are one array of coordinates for each axis, of
    one shape, as of `numpy.meshgrid`.
    Raises: DeclarationError for coordinates of several shapes.
    """
    if others:
        given = [points, *others]
        shapes = {tuple(np.shape(array)) for array in given}
        if len(shapes) > 1:
            raise DeclarationError(
                f"coordinates have the shapes {', '.join(map(str, sorted(shapes)))}; give one array for each axis, all of "
                "one shape, as numpy.meshgrid makes them"
            )
        tensors = any(isinstance(array, torch.Tensor) for array in given)
        points = torch.stack([torch.as_tensor(x) for x in given], -1) if tensors else np.stack(given, -1)
        return points.reshape(-1, len(given)), shapes.pop()
    shape = tuple(getattr(points, "shape", ()))
    if len(shape) < 3:
        return points, None
    return points.reshape(-1, shape[-1]), shape[:-1]


def check_shape(points: Array, dimension: int, what: str = "points") -> None:
    """Refuse what is not an array `(n, dimension)`; reads the shape only, so it costs nothing in a loop."""
    if not isinstance(points, np.ndarray | torch.Tensor):
        raise DeclarationError(
            f"{what} are a {type(points).__name__}; give a NumPy array or a torch tensor (n, {dimension})"
        )
    if isinstance(points, np.ndarray) and points.dtype.kind not in "biufc":
        raise DeclarationError(f"{what} are of type {points.dtype}; give real coordinates (n, {dimension})")
    shape = tuple(points.shape)
    if len(shape) == 2 and shape[1] == dimension:
        return
    way = ""
    if len(shape) == 1 and dimension == 1:
        way = ": use points[:, None]"
    elif shape == (dimension,):
        way = ": for one point use points[None]"
    elif len(shape) == 2 and shape[0] == dimension:
        way = ": rows are points, columns are axes, so use points.T"
    raise DeclarationError(f"{what} have the shape {shape}, but must be (n, {dimension}){way}")


def complex_dtype(x: Array) -> Any:
    """complex64 for float32 and complex64, complex128 for float64 and complex128."""
    xp = namespace(x)
    return xp.complex64 if x.dtype in (xp.float32, xp.complex64) else xp.complex128


def full(points: Array, value: complex) -> Array:
    """`(n,)` filled with a number, of the points' dtype (or its complex one) and device."""
    start = (
        points[:, 0] if points.shape[1] else points.sum(1)
    )  # a place without axes, of what depends on time alone
    return namespace(points).zeros_like(start) + value


def safe_sqrt(x: Array) -> Array:
    """√x for x ≥ 0, with derivative 0 instead of infinity at x = 0."""
    xp = namespace(x)
    zero = x <= 0
    return xp.where(zero, xp.zeros_like(x), xp.sqrt(xp.where(zero, xp.ones_like(x), x)))


def _numbers(x: Any, function: str) -> Array:
    """The argument of a function: an array, a tensor or a number; a list becomes an array."""
    if isinstance(x, Standin):
        return x.value
    if isinstance(x, int):
        return x if builtins.abs(x) < 2**63 else float(x)
    if isinstance(x, torch.Tensor | float | complex):
        return x
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "biufc":
        return x
    if isinstance(x, list | tuple):
        return checks.array(x, f"the argument of npde.{function}", "biufc")
    raise DeclarationError(
        f"npde.{function} was given {checks.shown(x) if isinstance(x, str | bytes) else f'a {type(x).__name__}'}; give an "
        "array, a tensor or a number (of a Jet its u.value)"
    )


def _elementwise(function: str, x: Array) -> Array:
    x = _numbers(x, function)
    return getattr(namespace(x), function)(x)


def sin(x: Array) -> Array:
    """Sine."""
    return _elementwise("sin", x)


def cos(x: Array) -> Array:
    """Cosine."""
    return _elementwise("cos", x)


def exp(x: Array) -> Array:
    """Exponential."""
    return _elementwise("exp", x)


def sqrt(x: Array) -> Array:
    """Square root."""
    return _elementwise("sqrt", x)


def log(x: Array) -> Array:
    """Natural logarithm."""
    return _elementwise("log", x)


def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return _elementwise("tanh", x)


def abs(x: Array) -> Array:
    """Absolute value, or modulus."""
    return _elementwise("abs", x)


def where(condition: Array, x: Array, y: Array) -> Array:
    """`x` where the condition holds, `y` elsewhere."""
    condition, x, y = _matched("where", condition, x, y)
    kind = condition.dtype if isinstance(condition, np.ndarray | torch.Tensor) else type(condition)
    if kind not in (builtins.bool, np.dtype(builtins.bool), torch.bool):
        raise DeclarationError(
            f"condition of npde.where is of type {kind}; give a comparison, such as x[:, 0] > 0"
        )
    if isinstance(condition, builtins.bool):
        return x if condition else y
    return namespace(condition, x, y).where(condition, x, y)


def maximum(x: Array, y: Array) -> Array:
    """The larger of two, elementwise; one or both may be numbers."""
    x, y = _ordered("maximum", x, y)
    if isinstance(y, int | float):
        return namespace(x).clip(x, y, None)
    return namespace(x, y).maximum(x, y)


def minimum(x: Array, y: Array) -> Array:
    """The smaller of two, elementwise; one or both may be numbers."""
    x, y = _ordered("minimum", x, y)
    if isinstance(y, int | float):
        return namespace(x).clip(x, None, y)
    return namespace(x, y).minimum(x, y)


def _ordered(function: str, x: Array, y: Array) -> tuple[Array, Array]:
    """Two real arguments, a number as the second of them; two numbers with the first as an array."""
    x, y = _matched(function, x, y)
    if builtins.any(isinstance(number, complex) for number in (x, y)):
        raise DeclarationError(
            f"npde.{function} was given a complex number; give real numbers, which have an order"
        )
    if isinstance(x, int | float):
        x, y = (np.asarray(float(x)), y) if isinstance(y, int | float) else (y, x)
    return x, y


def _matched(function: str, *arguments: Any) -> tuple[Array, ...]:
    """The arguments of a function: of one kind, and of shapes that fit each other."""
    numbers = tuple(_numbers(argument, function) for argument in arguments)
    numbers = tuple(array.item() if isinstance(array, np.generic) else array for array in numbers)
    arrays = [array for array in numbers if isinstance(array, np.ndarray | torch.Tensor)]
    if len({isinstance(array, torch.Tensor) for array in arrays}) > 1:
        raise DeclarationError(
            f"npde.{function} was given NumPy arrays and torch tensors; give arrays of one kind"
        )
    shapes = [tuple(array.shape) for array in arrays]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise DeclarationError(
            f"npde.{function} was given arrays of the shapes {', '.join(map(str, shapes))}; give shapes that fit"
        ) from error
    return numbers
