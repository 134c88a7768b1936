"""What is shipped: every module of the four rooms, whatever they import declared, nothing else."""

import ast
import email
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("neurapde", "problems", "reference_solvers", "validation")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Distributions whose import name is another than their own.
IMPORT_NAMES = {"pillow": "PIL", "scikit-image": "skimage"}


def installed_name(path: Path) -> str:
    """Where a file of the repository lies in the wheel."""
    relative = path.as_posix()
    return relative if relative.startswith("neurapde/") else f"neurapde/{relative}"


def tracked(*folders: str) -> list[Path]:
    """Files of these folders that git knows, or a skip where this is no git checkout."""
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip(f"no git checkout: {listed.stderr.strip()}")
    return [Path(line) for line in listed.stdout.splitlines()]


def test_every_package_folder_is_declared() -> None:
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("__init__.py")}
    names = {installed_name(folder.relative_to(ROOT)).replace("/", ".") for folder in folders}
    names = {"neurapde" if name == "neurapde.neurapde" else name for name in names}
    assert names == set(PYPROJECT["tool"]["setuptools"]["packages"])


def test_every_import_is_declared_as_a_dependency() -> None:
    declared = {re.split(r"[<>=!~ \[;]", item)[0] for item in PYPROJECT["project"]["dependencies"]}
    declared |= {
        re.split(r"[<>=!~ \[;]", item)[0] for item in PYPROJECT["project"]["optional-dependencies"]["seismic"]
    }
    allowed = {IMPORT_NAMES.get(name, name).replace("-", "_") for name in declared}
    allowed |= set(sys.stdlib_module_names) | {"neurapde"}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module or ""]
            else:
                continue
            undeclared = {module.partition(".")[0] for module in modules} - allowed
            assert not undeclared, f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source distribution of the tracked files alone, and the wheel that is built from it."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for path in tracked():
        if (ROOT / path).is_file():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes((ROOT / path).read_bytes())
    command = [sys.executable, "-m", "build", "--outdir", str(built), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return built


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel."""
    (path,) = built.glob("*.whl")
    return path


@pytest.mark.slow
def test_the_source_distribution_holds_exactly_the_tracked_files(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        files = [Path(member.name) for member in archive.getmembers() if member.isfile()]
    names = {Path(*file.parts[1:]) for file in files if file.parts[1] != "neurapde.egg-info"}
    assert names - set(tracked()) == {Path("PKG-INFO"), Path("setup.cfg")}
    assert set(tracked()) - names == set()


@pytest.mark.slow
def test_the_metadata_say_what_the_project_file_says(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_string(archive.read(name).decode())
    project = PYPROJECT["project"]
    assert (metadata["Name"], metadata["Version"], metadata["License-Expression"]) == (
        project["name"],
        project["version"],
        project["license"],
    )
    assert metadata.get_all("Classifier") == project["classifiers"]
    assert set(metadata.get_all("Provides-Extra", [])) == set(project["optional-dependencies"])
    required = [item for item in metadata.get_all("Requires-Dist", []) if "extra ==" not in item]
    assert len(required) == len(project["dependencies"])
    assert metadata.get_payload().startswith("# neurapde")  # the README


@pytest.mark.slow
def test_the_wheel_holds_exactly_the_tracked_modules(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {installed_name(path) for path in tracked(*ROOMS)}


@pytest.mark.slow
def test_the_wheel_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run([sys.executable, *install], check=True)
    environment = {**os.environ, "PYTHONPATH": str(target)}

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    walk = (
        "import importlib, pkgutil, neurapde\n"
        "for found in pkgutil.walk_packages(neurapde.__path__, 'neurapde.'):\n"
        "    if found.name != 'neurapde.__main__':\n"
        "        print(importlib.import_module(found.name).__file__)\n"
    )
    files = python("-W", "error", "-c", walk).split()
    assert len(files) > 10
    assert all(Path(file).is_relative_to(target) for file in files)
    assert python("-m", "neurapde", "--version").split() == ["neurapde", PYPROJECT["project"]["version"]]
    assert "helmholtz-disk" in python("-m", "neurapde", "list")
    names = {path.name for path in target.iterdir() if not path.name.endswith(".dist-info")}
    assert names <= {"neurapde", "bin", "Scripts"}


SCRIPT = """import neurapde as npde

problem = npde.Problem("plate", npde.Box((0, 1), (0, 1)), npde.Poisson(), 1.0, npde.Dirichlet(0.0))
solution = npde.solve(problem)
reveal_type(solution)
reveal_type(npde.problems.poisson_square())
npde.solve(problem, tolerence=1e-3)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_type_checker_sees_the_types_of_an_editable_installation(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, ROOT / ".ci" / "link_types.py", "--installed"], check=True)
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--python-executable", str(python), "script.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    assert 'Revealed type is "neurapde.solution.solution.Solution"' in said
    assert 'Revealed type is "neurapde.problem.problem.Problem"' in said
    assert 'Unexpected keyword argument "tolerence" for "solve"' in said
    assert "Found 1 error" in said


def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    version = PYPROJECT["project"]["version"]
    assert re.search(r"^version: (.*)$", text, re.MULTILINE)[1] == version  # type: ignore[index]
    assert f'__version__ = "{version}"' in (ROOT / "neurapde" / "__init__.py").read_text(encoding="utf-8")
    assert "Typing :: Typed" in PYPROJECT["project"]["classifiers"]
    assert (ROOT / "neurapde" / "py.typed").exists()


def test_nothing_that_draws_is_imported_before_something_is_drawn() -> None:
    command = "import sys, neurapde; print('matplotlib' in sys.modules, callable(neurapde.validate))"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


@pytest.mark.parametrize("package", ["neurapde", "neurapde.problems", "neurapde.validation"])
def test_no_name_that_is_imported_late_is_that_of_a_file_beside_it(package: str) -> None:
    """An import of the file would take the place of what has its name."""
    module = importlib.import_module(package)
    files = {found.name for found in pkgutil.iter_modules(module.__path__)}
    shown = {name: getattr(module, name) for name in dir(module) if name in files}
    assert [name for name, shown_as in shown.items() if not inspect.ismodule(shown_as)] == []
