"""The floors of the house: imports go down only, and stand at the top of a file where a reader sees them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# From the ground up: a room may import from its own floor and from those before it.
FLOORS = ("reference_solvers", "neurapde", "problems", "validation")
# The front door stands outside the house: it may import from every floor, and no room imports from it.
FRONT_DOOR = {ROOT / "neurapde" / "__init__.py", ROOT / "neurapde" / "__main__.py"}
FRONT_DOOR |= set((ROOT / "neurapde" / "cli").glob("*.py"))
FILES = sorted(path for room in FLOORS for path in (ROOT / room).rglob("*.py"))


def floor_of(module: str) -> str | None:
    """The room a dotted module name of ours belongs to; None for everybody else's."""
    top, _, rest = module.partition(".")
    if top != "neurapde":
        return None
    room = rest.partition(".")[0]
    return room if room in FLOORS else "neurapde"


def imported(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import statement with the module it names; `from neurapde import b` names `neurapde.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield node, f"neurapde.{alias.name}" if module == "neurapde" else module


def floor_faults(path: Path, source: str) -> list[str]:
    """What is wrong with the imports of one file of the house, in words."""
    tree = ast.parse(source)
    room = path.relative_to(ROOT).parts[0]
    faults = []
    for node, module in imported(tree):
        line = f"{path.relative_to(ROOT)}:{node.lineno} imports {module}"
        if module.startswith("."):
            faults.append(f"{line}: relative")
            continue
        if path in FRONT_DOOR:
            continue
        floor = floor_of(module)
        if floor is not None and FLOORS.index(floor) > FLOORS.index(room):
            faults.append(f"{line}: upwards")
        if room == "reference_solvers" and floor not in (None, "reference_solvers"):
            faults.append(f"{line}: the ground floor knows nothing of ours")
        if room == "reference_solvers" and module.partition(".")[0] == "torch":
            faults.append(f"{line}: the ground floor is NumPy and SciPy only")
        if is_front_door(module):
            faults.append(f"{line}: the front door; import the module that defines the name")
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    faults.append(f"{path.relative_to(ROOT)}:{node.lineno}: an import inside a function")
    return faults


def is_front_door(module: str) -> bool:
    """Whether a name is the package itself, its command line, or a name that only the package re-exports."""
    parts = module.split(".")
    if module in ("neurapde", "neurapde.__main__") or parts[:2] == ["neurapde", "cli"]:
        return True
    if parts[0] != "neurapde" or len(parts) != 2 or parts[1] in FLOORS:
        return False
    path = ROOT / "neurapde" / parts[1]
    return not (path.is_dir() or path.with_suffix(".py").is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only_and_stand_at_the_top(path: Path) -> None:
    assert floor_faults(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("room", "source", "fault"),
    [
        ("neurapde", "from neurapde.validation.report import Report", "upwards"),
        ("neurapde", "import neurapde.problems", "upwards"),
        ("problems", "from neurapde import validation", "upwards"),
        ("reference_solvers", "from neurapde.core.errors import DeclarationError", "nothing of ours"),
        ("reference_solvers", "import torch.nn", "NumPy and SciPy only"),
        ("validation", "import neurapde as npde", "front door"),
        ("problems", "from neurapde import Problem", "front door"),
        ("validation", "from neurapde.cli.main import main", "front door"),
        ("neurapde", "from .errors import DeclarationError", "relative"),
        ("neurapde", "def f():\n    import math", "inside a function"),
        ("validation", "class A:\n    async def f(self):\n        from math import pi", "inside a function"),
    ],
)
def test_a_forbidden_import_is_found(room: str, source: str, fault: str) -> None:
    faults = floor_faults(ROOT / room / "planted.py", source)
    assert any(fault in text for text in faults)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("validation", "from neurapde.problems import CASES\nfrom neurapde.reference_solvers import grid"),
        ("neurapde", "import torch\nfrom neurapde.reference_solvers.grid import ResolutionError"),
        ("reference_solvers", "import numpy\nfrom neurapde.reference_solvers.grid import Grid"),
    ],
)
def test_a_downward_import_is_allowed(room: str, source: str) -> None:
    assert floor_faults(ROOT / room / "planted.py", source) == []


def test_every_room_is_looked_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} == set(FLOORS)
