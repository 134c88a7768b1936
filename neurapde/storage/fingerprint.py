"""What the parts of a declaration do that no file holds: functions, objects and the user's own classes, as digests.

A function is told by its bytecode, its constants, defaults and closure, and by the globals it looks up: numbers, texts,
arrays, and functions of the user's, theirs included. Of what a library brings along the name is enough. Bytecode differs
between versions of Python, so digests compare within one of them.
"""

import dis
import functools
import sys
import sysconfig
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import torch

from neurapde.core.errors import DeclarationWarning
from neurapde.core.warn import warn

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version of Python within which digests compare."""
DEPTH = 12
"""Objects within objects that are looked into."""
LIBRARIES = tuple(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME")
CODE = (types.FunctionType, property, staticmethod, classmethod, int, float, complex, str, np.ndarray)
"""What is looked at of a class."""
PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    range,
    slice,
    np.generic,
    np.ndarray,
    torch.Tensor,
)


def fingerprints(declaration: object, place: str) -> dict[str, str]:
    """The digest of every part that a stored tree only names, by its place in the declaration."""
    if isinstance(declaration, PLAIN):
        return {}
    digests: dict[str, str] = {}
    if isinstance(declaration, Mapping):
        for key, item in declaration.items():
            digests |= fingerprints(item, f"{place}[{key!r}]")
    elif isinstance(declaration, list | tuple):
        for index, item in enumerate(declaration):
            digests |= fingerprints(item, f"{place}[{index}]")
    elif is_dataclass(declaration) and not isinstance(declaration, type):
        if not _in_library(type(declaration)):
            digests[f"the class of {place}"] = fingerprint(type(declaration))
        for item in fields(declaration):
            if item.init:
                digests |= fingerprints(getattr(declaration, item.name), f"{place}.{item.name}")
    else:
        digests[place] = fingerprint(declaration)
    return digests


def fingerprint(value: object) -> str:
    """A digest of a value and of what it does: equal for equal code and equal data."""
    return sha256("\n".join(_Words().of(value, 0)).encode()).hexdigest()


class _Words:
    """A value as words; what has been seen is named by its number, so that circles end."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.kept: list[object] = []  # so that no address is used twice

    def of(self, value: Any, depth: int) -> Iterable[str]:
        if isinstance(value, np.ndarray | np.generic | torch.Tensor):
            yield _array(value)
        elif isinstance(value, PLAIN):
            yield f"{type(value).__name__} {value!r}"
        elif id(value) in self.seen:
            yield f"seen {self.seen[id(value)]}"
        else:
            self.seen[id(value)] = len(self.seen)
            self.kept.append(value)
            yield _name(value)
            if depth < DEPTH:
                for item in self.parts(value):
                    yield from self.of(item, depth + 1)

    def parts(self, value: Any) -> Iterable[object]:
        """What a value consists of."""
        match value:
            case types.CodeType():
                return (value.co_code, value.co_names, *value.co_consts)
            case list() | tuple():
                return value
            case set() | frozenset():
                return sorted(fingerprint(item) for item in value)
            case Mapping():
                return [item for pair in value.items() for item in pair]
            case types.MethodType():
                return (value.__func__, value.__self__)
            case functools.partial():
                return (value.func, value.args, value.keywords)
            case property():
                return (value.fget,)
            case staticmethod() | classmethod():
                return (value.__func__,)
            case torch.nn.Module():  # its parameters are in the checkpoint
                shapes = [(key, tuple(item.shape)) for key, item in value.state_dict().items()]
                return (repr(value), shapes, type(value))
            case types.ModuleType():
                return ()
        if isinstance(value, types.FunctionType):
            return _of_function(value)
        if isinstance(value, type):
            return () if _in_library(value) else _of_class(value)
        wrapped = getattr(value, "__wrapped__", None)
        return (type(value), *(_as_pickled(value) if wrapped is None else (wrapped,)))


def _as_pickled(value: Any) -> tuple[object, ...]:
    """What an object says of itself to those who would make it again; nothing, where it cannot."""
    try:
        made = value.__reduce_ex__(2)
    except Exception:
        return ()
    if isinstance(made, str):
        return (made,)
    return (*made[:3], *(list(items) for items in made[3:5] if items is not None))


def _of_function(function: types.FunctionType) -> tuple[object, ...]:
    """What it holds and, of the user's own, its code and the globals that it looks up."""
    cells = [cell.cell_contents for cell in function.__closure__ or () if cell != types.CellType()]
    held = (cells, function.__defaults__, function.__kwdefaults__)
    if _in_library(function):
        return held
    names = [name for name in _names(function.__code__) if name in function.__globals__]
    return (*held, function.__code__, {name: function.__globals__[name] for name in names})


def _names(code: types.CodeType) -> list[str]:
    """Names of the globals that code looks up, that of functions within it included."""
    names = {item.argval for item in dis.get_instructions(code) if item.opname in GLOBALS}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names.update(_names(constant))
    return sorted(names)


def _of_class(kind: type) -> list[object]:
    inside = [
        (name, item)
        for name, item in vars(kind).items()
        if isinstance(item, CODE) and (not name.startswith("__") or name == "__call__")
    ]
    return [*inside, *kind.__bases__]


def _in_library(value: types.FunctionType | type) -> bool:
    """Whether a function or class is a library's, this package included, and not the user's own."""
    if _is_ours(value):
        return True
    module = sys.modules.get(value.__module__ or "")
    file = (
        value.__code__.co_filename
        if isinstance(value, types.FunctionType)
        else getattr(module, "__file__", None)
    )
    return value.__module__ == "builtins" or (file or "").startswith(LIBRARIES)


def _name(value: Any) -> str:
    kind = type(value)
    named = isinstance(value, types.FunctionType | types.BuiltinFunctionType | type | types.ModuleType)
    name = getattr(value, "__qualname__", value.__name__) if named else ""
    module = "neurapde" if _is_ours(kind) else kind.__module__
    return f"{module}.{kind.__qualname__} {name}"


def _is_ours(value: types.FunctionType | type) -> bool:
    return str(value.__module__).partition(".")[0] == "neurapde"


def _array(value: Any) -> str:
    array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if array.dtype.hasobject:
        return f"array {array.dtype} {array.shape} {array.tolist()!r}"
    content = sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    return f"array {array.dtype.str} {array.shape} {content}"


@dataclass(frozen=True)
class Identity:
    """What tells one run from another beside its declarations.

    seed: of all that is drawn. python: the version of Python. digests: of what no tree holds, by its place.
    """

    seed: int
    python: str
    digests: Mapping[str, str]

    @classmethod
    def of(cls, seed: int, parts: Mapping[str, object]) -> "Identity":
        """From the declarations of a run, by name."""
        digests: dict[str, str] = {}
        for place, declaration in parts.items():
            digests |= fingerprints(declaration, place)
        return cls(seed, PYTHON, digests)

    def difference(self, stored: Mapping[str, Any]) -> str | None:
        """What is another in a checkpoint, whose Identity is given as data; None where nothing is."""
        if stored["seed"] != self.seed:
            return f"seed is {stored['seed']} in the file and {self.seed} now"
        digests = stored["digests"]
        if digests and stored["python"] != self.python:
            warn(
                f"the checkpoint was made by Python {stored['python']}, this is {self.python}: whether its functions are "
                "the same is not known.",
                DeclarationWarning,
            )
            return None
        for place in (*self.digests, *digests):
            if digests.get(place) != self.digests.get(place):
                return f"{place} has changed: its code or the values that it uses differ now"
        return None
