"""Declarations as plain data: a frozen dataclass becomes a tree of JSON values and arrays, and back.

Nothing in a stored tree is executed or imported. A class is looked up among those in memory that derive
from the package's own base classes, so a user's own domain or trial is found once the script that defines
it has run. The package's own classes are stored by their name alone, never by the module that they live in,
which may move. Functions and modules are stored by description only: they can be read about, not made again.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from inspect import signature
from typing import Any

import numpy as np
import torch

from neurapde.core.declaration import Declaration, arguments
from neurapde.core.errors import DeclarationError
from neurapde.late import everything

OWN = "neurapde"
RENAMED = {
    "neurapde.methods.schedules:Constant": "neurapde:ConstantRate",
    "neurapde.problems.wave:Shape": "neurapde:OvertonesAtRest",
    "neurapde:Enclosure": "neurapde:ComputationalDomain",
    "neurapde:Foreign": "neurapde:TorchModule",
    "neurapde:Factored": "neurapde:FactoredAnsatz",
    "neurapde:Frame": "neurapde:FourierExtension",
    "neurapde:Patchwork": "neurapde:PiecewiseTrial",
    "neurapde:Scaled": "neurapde:OutputScaling",
    "neurapde:Vanishing": "neurapde:DistanceFactor",
}
"""Classes that earlier files name otherwise."""
RENAMED_FIELDS = {
    "neurapde:FoundSpeed": {"enclosure": "domain"},
    "neurapde:PML": {"sides": "on"},
    "neurapde:Setting": {"enclosure": "domain"},
}
"""Fields of classes that earlier files name otherwise."""
ADDED_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "neurapde:Adam": {"phase_step": 0.1, "optimizer": None},
    "neurapde:Ansatz": {"factor": None},
    "neurapde:ComputationalDomain": {"attenuation": None},
    "neurapde:DistanceFactor": {"components": []},
    "neurapde:Helmholtz": {"attenuation": None},
    "neurapde:InitialCondition": {"hard": False},
    "neurapde:Lift": {"velocity": None},
    "neurapde:Survey": {"damping": 0.0, "window": None, "processing": []},
}
"""Fields of classes that earlier files do not have, with what a run that goes on takes for them."""
LOSSES = {"l1": "neurapde:MeanAbsolute", "l2": "neurapde:MeanSquare"}
"""Losses that earlier files name by a word."""


class NotStored(ValueError):  # noqa: N818 - reads as what it says
    """A stored declaration cannot be made again, and the text says which part is missing."""


@dataclass(frozen=True)
class Encoded:
    """A declaration as data. tree: JSON values. arrays: by the digest that the tree names."""

    tree: Any
    arrays: Mapping[str, np.ndarray]


def encode(declaration: object) -> Encoded:
    """The tree and arrays of a declaration; equal declarations give equal trees."""
    arrays: dict[str, np.ndarray] = {}
    return Encoded(_encode(declaration, arrays), arrays)


def _encode(value: object, arrays: dict[str, np.ndarray]) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else {"float": repr(value)}
        case complex():
            return {"complex": [_encode(value.real, arrays), _encode(value.imag, arrays)]}
        case np.generic():
            return _encode(value.item(), arrays)
        case torch.Tensor():
            return _encode_array(value.detach().cpu().numpy(), arrays)
        case np.ndarray():
            return _encode_array(value, arrays)
        case tuple() | list():
            return [_encode(item, arrays) for item in value]
        case Mapping():
            return {"map": [[_encode(key, arrays), _encode(item, arrays)] for key, item in value.items()]}
    if is_dataclass(value) and not isinstance(value, type):
        given = value.arguments() if isinstance(value, Declaration) else arguments(value)
        content = {name: _encode(item, arrays) for name, item in given.items()}
        return {"class": tag(type(value)), "fields": content}
    return {"opaque": _description(value)}


def current(tree: Any) -> Any:
    """A tree that a file holds with its classes named as today: earlier files give the module of each."""
    if isinstance(tree, list):
        return [current(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    updated = {key: current(item) for key, item in tree.items()}
    if isinstance(name := updated.get("class"), str) and name.startswith(OWN):
        plain = RENAMED.get(name, f"{OWN}:{name.rpartition(':')[2]}" if name.startswith(f"{OWN}.") else name)
        updated["class"] = tag = RENAMED.get(plain, plain)
        if renamed := RENAMED_FIELDS.get(tag):
            updated["fields"] = {renamed.get(key, key): item for key, item in updated["fields"].items()}
        if added := ADDED_FIELDS.get(tag):
            updated["fields"] = {**added, **updated["fields"]}
        match updated:
            case {"fields": {"loss": "l1" | "l2" as loss}}:
                updated["fields"]["loss"] = {"class": LOSSES[loss], "fields": {}}
    return updated


def _encode_array(array: np.ndarray, arrays: dict[str, np.ndarray]) -> dict[str, str]:
    plain = np.ascontiguousarray(array)
    label = f"{plain.dtype.str}{plain.shape}".encode()
    digest = hashlib.sha256(label + plain.tobytes()).hexdigest()
    arrays[digest] = plain
    return {"array": digest}


def tag(kind: type) -> str:
    """How a class is named in a stored tree: ours by its name alone, since modules move."""
    top = kind.__module__.partition(".")[0]
    return f"{OWN if top == OWN else kind.__module__}:{kind.__qualname__}"


def _description(value: object) -> str:
    name = getattr(value, "__qualname__", None)
    return f"{value.__module__}.{name}" if name else tag(type(value))


def decode(encoded: Encoded, bases: Iterable[type], parts: Iterable[object] = ()) -> Any:
    """The declaration that `encode` saw, made of the classes that derive from `bases`.

    parts: declarations to use wherever the tree holds an equal one, for those that a file cannot hold.
    Raises NotStored, naming the place, for a function, or for a class that is not in memory; ValueError for what cannot be.
    """
    roots = tuple(bases)
    if not _tags(encoded.tree) <= set(known := _classes(roots)):
        everything()
        known = _classes(roots)
    equal = tuple((encode(declaration).tree, declaration) for declaration in parts)
    return _Decoder(known, encoded.arrays, equal).value(encoded.tree, "")


def _tags(tree: Any) -> set[str]:
    """The classes of ours that a tree holds."""
    if isinstance(tree, list):
        return set().union(*map(_tags, tree))
    if not isinstance(tree, dict):
        return set()
    tags = {name for name in [tree.get("class")] if isinstance(name, str) and name.startswith(f"{OWN}:")}
    return tags.union(*map(_tags, tree.values()))


def _classes(bases: Iterable[type]) -> dict[str, type]:
    known: dict[str, type] = {}
    for base in bases:
        _collect(base, known)
    return known


def _collect(base: type, known: dict[str, type]) -> None:
    known[tag(base)] = base
    derived: type
    for derived in base.__subclasses__():
        _collect(derived, known)


@dataclass(frozen=True)
class _Decoder:
    known: Mapping[str, type]
    arrays: Mapping[str, np.ndarray]
    parts: tuple[tuple[Any, object], ...]

    def value(self, tree: Any, place: str) -> Any:
        if isinstance(tree, list):
            return tuple(self.value(item, f"{place}[{i}]") for i, item in enumerate(tree))
        if not isinstance(tree, dict):
            return tree
        for same, known in self.parts:
            if same == tree:
                return known
        match tree:
            case {"float": text}:
                return float(text)
            case {"complex": [real, imaginary]}:
                return complex(self.value(real, place), self.value(imaginary, place))
            case {"array": digest}:
                return self.arrays[digest].copy()
            case {"map": items}:
                return {self.value(key, place): self.value(item, f"{place}[{key!r}]") for key, item in items}
            case {"class": name, "fields": content}:
                return self._instance(name, content, place)
            case {"opaque": description}:
                raise NotStored(
                    f"{place or 'it'} is {description}, a Python object that is not stored in files"
                )
        raise NotStored(f"{place or 'it'} is stored in an unknown format")

    def _instance(self, name: str, content: Mapping[str, Any], place: str) -> Any:
        kind = self.known.get(name)
        if kind is None or not is_dataclass(kind):
            raise NotStored(f"{place or 'it'} is a {name}, a class that has not been imported")
        given = {key: self.value(item, f"{place}.{key}".lstrip(".")) for key, item in content.items()}
        allowed = {*signature(kind).parameters, *(item.name for item in fields(kind) if item.init)}
        if unknown := set(given) - allowed:
            raise NotStored(f"{place or 'it'}: {name} no longer has {', '.join(sorted(unknown))}")
        try:
            return kind.rebuild(given) if issubclass(kind, Declaration) else kind(**given)
        except DeclarationError as error:
            raise ValueError(f"{place or 'it'}: {error}") from error


def difference(
    stored: Any, given: Any, place: str, whose: tuple[str, str] = ("in the file", "now")
) -> str | None:
    """The first difference between two trees, as `place: a in the file, b now`; None when they are equal."""
    if stored == given:
        return None
    pairs: Iterable[tuple[str, Any, Any]] = ()
    match stored, given:
        case {"class": name, "fields": held}, {"class": same, "fields": other} if name == same:
            if held.keys() == other.keys():
                pairs = [(f"{place}.{key}", held[key], other[key]) for key in held]
        case list(), list() if len(stored) == len(given):
            pairs = [(f"{place}[{i}]", *pair) for i, pair in enumerate(zip(stored, given, strict=True))]
    for inner, held, other in pairs:
        if text := difference(held, other, inner, whose):
            return text
    return f"{place} is {_brief(stored)} {whose[0]} and {_brief(given)} {whose[1]}"


def _brief(tree: Any) -> str:
    match tree:
        case {"class": name, "fields": content}:
            inside = ", ".join(f"{key}={_brief(item)}" for key, item in content.items())
            return f"{name.rpartition(':')[2]}({inside})"
        case {"array": digest}:
            return f"an array (sha256 {digest[:8]})"
        case {"opaque": description}:
            return str(description)
        case {"complex": [real, imaginary]}:
            return repr(complex(float(real), float(imaginary)))
        case {"float": text}:
            return str(text)
        case {"map": items}:
            return "{" + ", ".join(f"{key}: {_brief(item)}" for key, item in items) + "}"
        case list():
            return "(" + ", ".join(_brief(item) for item in tree) + ")"
    return repr(tree)
