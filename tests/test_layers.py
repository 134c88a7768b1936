"""The rooms of the house: imports run down only, in no circle, and stand at the top of a file where a reader sees them."""

import ast
import graphlib
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neurapde.late import REASONS, Late

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("reference_solvers", "neurapde", "problems", "validation")
ROOMS = (
    "reference_solvers",
    "neurapde/late.py",
    "neurapde/core",
    "neurapde/core/readers",
    "neurapde/core/pictures",
    "neurapde/jets",
    "neurapde/domains",
    "neurapde/fields",
    "neurapde/storage",
    "neurapde/conditions",
    "neurapde/operators",
    "neurapde/backgrounds",
    "neurapde/data",
    "neurapde/spectral",
    "neurapde/trials",
    "neurapde/problem",
    "neurapde/equations",
    "neurapde/training/run",
    "neurapde/training/optimisation",
    "neurapde/training",
    "neurapde/references",
    "neurapde/solution",
    "neurapde/assembly/collocation",
    "neurapde/assembly/trefftz",
    "neurapde/assembly",
    "neurapde/verification",
    "neurapde/methods/marching",
    "neurapde/methods/unknowns",
    "neurapde/methods",
    "neurapde/solving.py",
    "neurapde/learning",
    "neurapde/loading.py",
    "neurapde/seismic/survey",
    "neurapde/seismic/models",
    "neurapde/seismic/modelling",
    "neurapde/seismic/inversion",
    "neurapde/seismic/images",
    "problems",
    "validation",
    "neurapde/seismic/__init__.py",
    "neurapde/cli",
    "neurapde/__init__.py",
    "neurapde/__main__.py",
)
"""From the ground up: a room may import from itself and from those before it."""
FRONT_DOOR = ROOMS[-4:]
"""Nothing imports from these."""
MOST_FILES = 15
FILES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def room_of(path: Path) -> str:
    """The room, or the room within a room, that a file of the house lies in."""
    place = path.relative_to(ROOT).as_posix()
    rooms = [room for room in ROOMS if place == room or place.startswith(f"{room}/")]
    return max(rooms, key=len, default="")


def file_of(module: str) -> Path | None:
    """The file of a dotted module name of ours; None for everybody else's and for what is no module."""
    parts = module.split(".")
    if parts[0] != "neurapde":
        return None
    base = ROOT.joinpath(*(parts[1:] if len(parts) > 1 and parts[1] in FLOORS else parts))
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


def imported(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import statement with the module it names; `from neurapde.a import b` names `neurapde.a.b` if that is one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                whole = f"{module}.{alias.name}"
                yield node, whole if module == "neurapde" or file_of(whole) else module


def faults_of(path: Path, source: str) -> list[str]:
    """What is wrong with the imports of one file of the house, in words."""
    tree = ast.parse(source)
    room = room_of(path)
    faults = [] if room else [f"{path.relative_to(ROOT)} lies in no room"]
    for node, module in imported(tree):
        line = f"{path.relative_to(ROOT)}:{node.lineno} imports {module}"
        if module.startswith("."):
            faults.append(f"{line}: relative")
        if not room or room in FRONT_DOOR:
            continue
        if module.split(".")[0] == "neurapde" and is_front_door(module):
            faults.append(f"{line}: the front door; import the module that defines the name")
        elif (target := file_of(module)) and ROOMS.index(room_of(target)) > ROOMS.index(room):
            faults.append(f"{line}: upwards")
        if room == "reference_solvers":
            if target and room_of(target) != room:
                faults.append(f"{line}: the ground floor knows nothing of ours")
            if module.partition(".")[0] == "torch":
                faults.append(f"{line}: the ground floor is NumPy and SciPy only")
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


def run_time_imports(tree: ast.Module) -> ast.Module:
    """The module without what only type checkers read."""
    statements = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    return ast.Module(statements, [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_down_only_and_stand_at_the_top(path: Path) -> None:
    assert faults_of(path, path.read_text(encoding="utf-8")) == []


LATER = {"importlib", "importlib.import_module", "importlib.reload", "__import__"}
"""What imports while a program runs."""
BESIDE = {"neurapde/late.py", "neurapde/cli/problems.py", "neurapde/cli/doctor.py"}
"""The one way to import late; a file of the user's; the versions of packages."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_imported_late_stands_in_the_one_list(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = {module for _, module in imported(tree) if module in LATER}
    named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in LATER}
    assert named == set() or path.relative_to(ROOT).as_posix() in BESIDE


def test_a_module_without_a_reason_is_not_imported_late() -> None:
    with pytest.raises(ImportError, match="without a reason"):
        Late("scipy.spatial")
    assert Late("tqdm.auto").module == "tqdm.auto"


NEVER = {name for name in REASONS if not name.startswith(("neurapde", "tqdm"))}
"""Of a solve without files and pictures. PyTorch itself imports tqdm."""


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import neurapde", {"torch", "numpy", "scipy"}),
        ("from neurapde.cli.main import main; main(['list'])", {"torch", "scipy"}),
        ("import neurapde as npde; npde.solve; npde.Problem", NEVER),
        (
            "import neurapde as npde; npde.validate",
            {"meshio", "skimage", "scipy.stats", "scipy.signal", "neurapde.seismic.inversion.invert"},
        ),
    ],
)
def test_what_is_not_needed_is_not_imported(code: str, absent: set[str]) -> None:
    command = f"{code}\nimport sys; print('imported:', *sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["imported:"]


def test_no_imports_run_in_a_circle() -> None:
    graph = {
        path: {
            target
            for _, module in imported(run_time_imports(ast.parse(path.read_text(encoding="utf-8"))))
            if (target := file_of(module)) and target != path
        }
        for path in FILES
    }
    graphlib.TopologicalSorter(graph).prepare()


def test_no_folder_holds_more_than_a_reader_takes_in() -> None:
    folders = {path.parent for path in FILES}
    sizes = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {folder: size for folder, size in sizes.items() if size > MOST_FILES} == {}


def test_the_house_has_few_rooms_on_few_floors() -> None:
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "docs" / "architecture.py")
    assert spec is not None
    assert spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(drawing)
    rooms = drawing.rooms()
    assert max(drawing.floors(rooms).values()) < 14
    folders = {room for room in rooms if (ROOT / "neurapde" / room).is_dir()}
    assert len(folders) <= 27


def test_every_room_is_there() -> None:
    assert {room_of(path) for path in FILES} - {""} == set(ROOMS)


@pytest.mark.parametrize(
    ("room", "source", "fault"),
    [
        ("neurapde/solution", "from neurapde.validation.report import Report", "upwards"),
        ("neurapde/core", "from neurapde.domains import Box", "upwards"),
        ("neurapde/trials", "from neurapde.methods import adam", "upwards"),
        ("neurapde/seismic/survey", "import neurapde.seismic.inversion.objective", "upwards"),
        ("neurapde/seismic/inversion", "import neurapde.problems", "upwards"),
        ("problems", "from neurapde import validation", "upwards"),
        ("reference_solvers", "from neurapde.core.errors import DeclarationError", "nothing of ours"),
        ("reference_solvers", "import torch.nn", "NumPy and SciPy only"),
        ("validation", "import neurapde as npde", "front door"),
        ("problems", "from neurapde import Problem", "front door"),
        ("validation", "from neurapde.cli.main import main", "front door"),
        ("neurapde/core", "from .errors import DeclarationError", "relative"),
        ("neurapde/core", "def f():\n    import math", "inside a function"),
        ("validation", "class A:\n    async def f(self):\n        from math import pi", "inside a function"),
        ("neurapde/attic", "import math", "no room"),
    ],
)
def test_a_forbidden_import_is_found(room: str, source: str, fault: str) -> None:
    faults = faults_of(ROOT / room / "planted.py", source)
    assert any(fault in text for text in faults)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("validation", "from neurapde.problems import CASES\nfrom neurapde.reference_solvers import grid"),
        ("neurapde/core", "import torch\nfrom neurapde.reference_solvers.grids.grid import ResolutionError"),
        ("neurapde/methods", "from neurapde.training.method import Method\nfrom neurapde.domains import Box"),
        ("reference_solvers", "import numpy\nfrom neurapde.reference_solvers.grids.grid import Grid"),
    ],
)
def test_a_downward_import_is_allowed(room: str, source: str) -> None:
    assert faults_of(ROOT / room / "planted.py", source) == []
