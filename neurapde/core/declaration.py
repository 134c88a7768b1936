"""What every declaration is: a frozen dataclass that can be made again from its arguments."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

Given = ParamSpec("Given")
Declared = TypeVar("Declared", bound="Declaration")


def arguments(declared: Any) -> dict[str, object]:
    """The fields of a dataclass that its `__init__` takes."""
    return {item.name: getattr(declared, item.name) for item in fields(declared) if item.init}


def by_fields(
    init: Callable[Concatenate[Declared, Given], None],
) -> Callable[Concatenate[Declared, Given], None]:
    """An `__init__` that `dataclasses.replace` can call, although it takes other arguments than the fields.

    `dataclasses.replace` (and `copy.replace` of Python 3.13) gives every field by name, the changed ones with their new
    value. Such a call is left to `rebuild`. All other calls are those of `__init__` as it is written.
    """
    named = {
        parameter.name
        for parameter in inspect.signature(init).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_POSITIONAL
    }

    @wraps(init)
    def initialise(self: Declared, /, *given: Given.args, **changed: Given.kwargs) -> None:
        every = {item.name for item in fields(self) if item.init}
        if given or every <= named or not every <= changed.keys():
            init(self, *given, **changed)
            return
        if unknown := sorted(changed.keys() - every - named):
            raise TypeError(f"{type(self).__name__} has no argument {unknown[0]!r} to replace")
        vars(self).update(vars(self.rebuild(changed)))

    return initialise


@dataclass(frozen=True)
class Declaration:
    """A frozen dataclass whose fields say everything about it; what follows from them is computed.

    `dataclasses.replace(declaration, field=…)` is the same one with another field, checked anew.
    """

    def arguments(self) -> Mapping[str, object]:
        """What `rebuild` makes an equal object of: the dataclass fields that `__init__` takes."""
        return arguments(self)

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        """An equal object, with all its checks, from its `arguments`."""
        return cls(**fields)
