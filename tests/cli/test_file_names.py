"""A name is no path: what is made of it lies in the folder that was asked for."""

from pathlib import Path

import pytest

import neurapde as npde
from neurapde.cli.file_names import file_name
from neurapde.cli.main import main

NAMES = {
    "../../x": "x",
    "/etc/passwd": "etc-passwd",
    "C:\\a\\b": "C--a-b",
    "..": "problem",
    ".hidden": "hidden",
    "a/../b": "a-..-b",
    "a\0b\nc\x1b[31m": "a-b-c-[31m",
    "con": "con-",
    "NUL.txt": "NUL.txt-",
    "a<b>c:d|e?f*": "a-b-c-d-e-f",
    "a\u202eb": "a-b",
    "Größe 3.5 (漢字)": "Größe 3.5 (漢字)",
    "helmholtz-disk": "helmholtz-disk",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_becomes_one_part_of_a_path(name: str) -> None:
    assert file_name(name) == NAMES[name]


@pytest.mark.parametrize("letter", ["x", "漢", "ä", "/", "."])
def test_a_long_name_fits_a_file_system(letter: str, tmp_path: Path) -> None:
    made = tmp_path / file_name(letter * 300)
    made.mkdir()
    assert made.parent == tmp_path
    assert len(made.name.encode()) <= 100


def test_the_command_line_writes_into_runs_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "a" / "b"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    (work / "mine.py").write_text(
        "import neurapde as npde\n"
        "problem = npde.Problem(name='../../../escaped', domain=npde.Interval(0, 1), equation=npde.Poisson(),\n"
        "    sources=[npde.FunctionSource(lambda x: 1 + 0 * x[:, 0])], boundary=npde.Dirichlet(0.0))\n"
    )
    main(["run", "mine.py", "--no-reference"])
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.h5")}
    assert written
    assert all(path.startswith("a/b/runs/escaped/") for path in written)


@pytest.mark.parametrize("name", ["a\nb", "a\0b", "\x1b[2J", "\ud800", "x" * 300, "", "  ", 3, None])
def test_a_name_that_cannot_be_printed_is_refused(name: object) -> None:
    with pytest.raises(npde.DeclarationError, match="name of the "):
        npde.Problem(
            name=name,  # type: ignore[arg-type]
            domain=npde.Interval(0, 1),
            equation=npde.Poisson(),
            boundary=npde.Dirichlet(1.0),
        )


@pytest.mark.parametrize("name", ["a/b", "..", "."])
def test_a_constraint_that_a_file_would_take_for_a_path_is_refused(name: str) -> None:
    with pytest.raises(npde.DeclarationError, match="which a file cannot store as a path"):
        npde.Problem("x", npde.Interval(0, 1), npde.Poisson(), boundary=npde.Dirichlet(1.0, name=name))
