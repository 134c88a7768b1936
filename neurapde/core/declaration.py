"""What every declaration is: a frozen dataclass that can be made again from its arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


def arguments(declared: Any) -> dict[str, object]:
    """The fields of a dataclass that its `__init__` takes."""
    return {item.name: getattr(declared, item.name) for item in fields(declared) if item.init}


@dataclass(frozen=True)
class Declaration:
    """A frozen dataclass whose fields say everything about it; what follows from them is computed."""

    def arguments(self) -> Mapping[str, object]:
        """What `rebuild` makes an equal object of: the dataclass fields that `__init__` takes."""
        return arguments(self)

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        """An equal object, with all its checks, from its `arguments`."""
        return cls(**fields)
