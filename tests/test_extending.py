"""What docs/extending.md shows is so: each toy, one file and one entry, works as the page has it."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import neurapde

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
KINDS = {
    "Equation",
    "Boundary condition",
    "Domain",
    "Source",
    "Field",
    "Trial function",
    "Method",
    "Inversion method",
    "Misfit",
    "Regularisation",
    "Reference solver",
    "File format",
    "Named problem",
}


class Block(NamedTuple):
    place: str
    code: str


def toys() -> dict[str, list[Block]]:
    """The blocks of every toy, in order: its file, its line where it has one, and its test."""
    sections = {}
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        pattern = r"^```\{code-block\} python\n:caption: (\S+)\n(.*?)^```"
        blocks = re.findall(pattern, section, re.DOTALL | re.MULTILINE)
        sections[section.partition("\n")[0]] = [Block(*block) for block in blocks]
    return sections


TOYS = toys()


def module_name(place: str) -> str:
    """The module that a file of the house is: problems/two.py is neurapde.problems.two."""
    parts = place.removesuffix(".py").removesuffix("/__init__").split("/")
    return ".".join(parts if parts[0] == "neurapde" else ["neurapde", *parts])


@pytest.fixture
def house() -> Iterator[None]:
    """What the toys change in the house is put back."""
    places = {block.place for blocks in TOYS.values() for block in blocks if (ROOT / block.place).is_file()}
    lines = [importlib.import_module(module_name(place)) for place in places]
    before = [(module, dict(vars(module))) for module in lines]
    known = set(sys.modules)
    yield
    for module, names in before:
        vars(module).clear()
        vars(module).update(names)
    for name in set(sys.modules) - known:
        if name.startswith("neurapde."):
            del sys.modules[name]


def run(block: Block) -> None:
    """A test runs; a line runs in the file that it stands in; a new file becomes the module that it would be."""
    code = compile(block.code, block.place, "exec")
    if block.place.startswith("tests/"):
        exec(code, {"__name__": "toy"})
    elif (ROOT / block.place).is_file():
        exec(code, vars(sys.modules[module_name(block.place)]))
    else:
        module = ModuleType(module_name(block.place))
        sys.modules[module.__name__] = module
        exec(code, vars(module))


def test_there_is_a_toy_of_every_kind() -> None:
    assert set(TOYS) == KINDS
    rows = re.findall(r"^\| ([a-z ,]+) \|", PAGE, re.MULTILINE)
    assert {kind.lower() for kind in KINDS} <= set(rows)


@pytest.mark.parametrize("kind", TOYS)
def test_a_toy_is_one_file_and_one_entry(kind: str) -> None:
    file, *line, trial = TOYS[kind]
    assert not (ROOT / file.place).exists()
    assert (ROOT / file.place).parent.is_dir()
    assert trial.place.startswith("tests/")
    assert all((ROOT / block.place).is_file() and block.code.count("\n") <= 2 for block in line)
    assert "assert" in trial.code
    beside = list((ROOT / file.place).parent.glob("*.py"))
    assert not file.place.startswith("neurapde/") or len(beside) < 15, (
        "its folder is full: see test_layers.py"
    )


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("kind", TOYS)
def test_a_toy_works(kind: str) -> None:
    for block in TOYS[kind]:
        run(block)


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("kind", [kind for kind, blocks in TOYS.items() if len(blocks) == 3])
def test_a_toy_is_not_found_without_its_line(kind: str) -> None:
    file, _, trial = TOYS[kind]
    run(file)
    with pytest.raises((AttributeError, ImportError, AssertionError, neurapde.DeclarationError)):
        run(trial)
