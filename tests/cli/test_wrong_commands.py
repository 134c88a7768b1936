"""The command line says what is wrong in one message and an exit status, whatever file or flag it is given."""

from pathlib import Path

import pytest

from neurapde.cli.main import main

FILES = {
    "syntax": ("import neurapde\ndef problem(:\n", "SyntaxError: invalid syntax"),
    "raises": (
        "def f(x):\n    return x / 0\nf(1)\n",
        "failed (see above): ZeroDivisionError: division by zero",
    ),
    "nothing": ("x = 1\n", "does not define `problem`"),
    "exits": ("import sys\nsys.exit('enough')\n", "failed (see above): SystemExit: enough"),
    "inside": (
        "def problem(k=2.0):\n    raise KeyError(k)\n",
        "with its defaults failed (see above): KeyError: 2.0",
    ),
    "needs": ("def problem(k):\n    return k\n", "missing a required argument: 'k'"),
    "number": ("def problem():\n    return 3\n", "returned int; return a neurapde.Problem"),
    "zero byte": ("\0", "null bytes"),
    "complex": (
        "import neurapde as npde\n"
        "problem = npde.Problem('x', npde.Interval(0, 1), npde.Poisson(), boundary=npde.Dirichlet(1j))\n",
        "u is real",
    ),
    "late": (
        "import neurapde as npde\n"
        "seen = []\n"
        "def late(x, u):\n"
        "    seen.append(len(x))\n"
        "    if 4096 in seen:\n"
        "        raise LookupError('too late')\n"
        "    return u.laplacian\n"
        "problem = npde.Problem('x', npde.Interval(0, 1), npde.Equation(late), boundary=npde.Dirichlet(1.0))\n",
        "LookupError: too late",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_fails_ends_in_one_message_and_its_own_lines(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, message = FILES[name]
    file = tmp_path / f"{name.replace(' ', '_')}.py"
    file.write_text(text)
    flags = ["--method", "adam", "--steps", "1", "--device", "cpu", "--out", str(tmp_path / "out")]
    assert main(["run", str(file), *flags]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert "importlib" not in said
    assert "neurapde/cli" not in said
    assert said.splitlines()[-1].startswith("neurapde: ")


COMMANDS = {
    "run nothing.py": "there is no file",
    "run folder.py": "there is no file",
    "run nothing": "there is no problem 'nothing'",
    "run helmholtz-disk --set wavenumber=-1": "wavenumber is -1",
    "run helmholtz-disk --set wavenumber='a'": "wavenumber is 'a'",
    "run helmholtz-disk --set wavenumber=1e999": "wavenumber is inf",
    "run helmholtz-disk --set wavenumber=nan": "'nan' is not a number",
    "run helmholtz-disk --set wavenumber=(1,2)": "wavenumber is (1, 2)",
    "run helmholtz-disk --set wavenumber": "write KEY=VALUE",
    "run helmholtz-disk --set wavelength=3": "there is no parameter 'wavelength'",
    "run helmholtz-uniform --device abc": "device='abc' is not known",
    "run helmholtz-uniform --seed -1": "seed=-1",
    "run helmholtz-uniform --method adam --steps 0": "steps=0",
    "run helmholtz-uniform --out file": "file",
    "list nothing": "there is no problem 'nothing'",
    "validate nothing": "there is no problem 'nothing'",
    "report nothing": "there is no nothing",
    "report file": "there is no file",
    "report broken": "damaged",
    "report foreign": "is not a report",
    "report old": "damaged",
    "fwi nothing.h5 --domain 0,1,0,1 --start 1": "nothing.h5",
    "fwi file.h5 --domain 0,1,0,1 --start 1": "file.h5",
    "fwi folder.py --domain 0,1,0,1 --start 1": "folder.py",
}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("broken", "[1"), ("foreign", "{}"), ("old", '{"format": "neurapde report"}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(text)
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "file").write_text("no report")
    (tmp_path / "file.h5").write_text("no survey")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_command_ends_in_one_message(
    command: str, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command.split()) == 2
    said = capsys.readouterr().err
    assert COMMANDS[command] in said
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("neurapde: ")


@pytest.mark.parametrize(
    "flags",
    ["--out= ", "--seed=1.5", "--shape=3,x", "--steps=many", "--dtype=int8", "--bogus", "--method=none"],
)
def test_a_wrong_flag_is_refused_with_the_usage(flags: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "helmholtz-disk", flags])
    assert "neurapde run: error: " in capsys.readouterr().err or flags == "--bogus"


def test_ctrl_c_in_a_file_ends_with_130(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "stops.py").write_text("raise KeyboardInterrupt\n")
    assert main(["run", str(tmp_path / "stops.py")]) == 130
    assert capsys.readouterr().err == "neurapde: interrupted\n"
