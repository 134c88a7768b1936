"""What every word of the vocabulary is: a frozen dataclass that can be made again from its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Declaration:
    """A frozen dataclass whose fields say everything about it; what follows from them is computed."""

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        """An equal object, with all its checks, from its dataclass fields (those that `__init__` takes)."""
        return cls(**fields)
