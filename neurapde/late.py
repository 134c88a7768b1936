"""What is imported when it is first needed, and not before: the one list, with reasons, and the one way.

`import neurapde` reads a list of names. `neurapde list` and `neurapde --help` need no PyTorch, and a solve needs no library
of file formats. Everything else is imported at the top of its file.
"""

import ast
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

REASONS = {
    "h5py": "only files of results need it",
    "imageio.v3": "only films need it",
    "imageio_ffmpeg": "an extra; only films need it",
    "meshio": "only files of meshes need it",
    "neurapde.core.pictures": "what draws is imported when something is drawn: Matplotlib takes half a second",
    "neurapde.problems": "the list of the problems is printed without PyTorch",
    "neurapde.validation": "a comparison needs none of what an inversion's report needs",
    "pandas": "an extra; only tables need it",
    "xarray": "an extra; only labelled arrays need it",
    "neurapde.cli": "a command needs no other command",
    "neurapde.core.readers": "each reads files with a library of its own, in a process of its own",
    "neurapde.storage.closed": "it runs in a process of its own, too, with h5py alone",
    "PIL.Image": "only pictures need it",
    "scipy.signal": "only filters of traces need it",
    "scipy.stats": "only the search for traces that are too loud needs it: 0.7 s",
    "skimage": "only pictures and contours need it",
    "torch.utils.tensorboard": "an extra; only the callback of that name needs it",
    "tqdm": "only a bar needs it, and a notebook has one of its own",
}
"""Modules that are imported late, each with all below it, and why."""


@dataclass(frozen=True)
class Late:
    """A module of the list, or one name in it: imported at the first look at what it holds, or when it is called."""

    module: str
    name: str | None = None

    def __post_init__(self) -> None:
        parents = self.module.split(".")
        if not any(".".join(parents[:count]) in REASONS for count in range(1, len(parents) + 1)):
            raise ImportError(
                f"{self.module} is imported late without a reason; give one in neurapde/late.py"
            )

    @property
    def __wrapped__(self) -> Any:
        module = import_module(self.module)
        return module if self.name is None else getattr(module, self.name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.__wrapped__(*arguments, **keywords)


class FrontDoor:
    """The names that a package offers, each imported when it is first used.

    They stand under `if TYPE_CHECKING:` in the package's file, as imports that editors and type checkers read. This reads
    the same lines, as the stubs of `lazy_loader` are read: a name has one line.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.places: dict[str, tuple[str, str]] = {}
        tree = ast.parse(Path(str(sys.modules[package].__file__)).read_text(encoding="utf-8"))
        blocks = (node for node in tree.body if isinstance(node, ast.If))
        for node in (line for block in blocks for line in block.body if isinstance(line, ast.ImportFrom)):
            for alias in node.names:
                self.places[alias.asname or alias.name] = (str(node.module), alias.name)
        self.places = {name: place for name, place in self.places.items() if name[0] != "_"}

    def get(self, name: str) -> Any:
        """The object of a name, from now on in the package itself. Raises: AttributeError."""
        if name not in self.places:
            raise AttributeError(f"module {self.package!r} has no attribute {name!r}")
        module, attribute = self.places[name]
        whole = f"{module}.{attribute}"
        value = import_module(whole) if module == self.package else getattr(import_module(module), attribute)
        setattr(sys.modules[self.package], name, value)
        return value

    def names(self) -> list[str]:
        """All of them, and what is there already."""
        return sorted({*vars(sys.modules[self.package]), *self.places})


def everything() -> None:
    """Import what the package offers, and so every class that a file may hold."""
    house = sys.modules["neurapde"]
    for name in dir(house):
        getattr(house, name)
