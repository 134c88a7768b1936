"""What every word of the vocabulary is: a frozen dataclass of plain fields, from which an equal one can be made again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Declaration:
    """A frozen dataclass whose fields say everything about it; what follows from them is computed."""

    @classmethod
    def rebuild(cls, fields: Mapping[str, Any]) -> Self:
        """An equal object from its dataclass fields, with all its checks: `cls(**fields)` where nothing else is said."""
        return cls(**fields)
