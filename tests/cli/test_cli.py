"""The command line: what it prints where, its exit status, and that mistakes are met with a way out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from neurapde.cli.main import FAILED, INTERRUPTED, OK, USAGE, main
from neurapde.cli.problems import problem_in_file, problem_of, settings_for
from neurapde.cli.results import save
from neurapde.core import atomic
from neurapde.problem.problem import Problem
from neurapde.problems import CASES, INVERSIONS, Case, helmholtz_disk, helmholtz_uniform

SMALL = ("--set", "wavenumber=8", "--shape", "81,81")
MINE = """
import neurapde as npde

def problem(wavenumber=8.0):
    return npde.Problem(
        name="mine",
        domain=npde.Box((-1, 1), (-1, 1)),
        equation=npde.Helmholtz(wavenumber=wavenumber),
        sources=[npde.GaussianSource(at=(0, 0), variance=1e-3)],
        boundary=npde.PML(width=0.5),
    )
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(MINE, encoding="utf-8")
    return path


def test_list_has_a_line_for_each_problem(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == OK
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [case.name for case in (*CASES, *INVERSIONS)]


def test_list_of_one_problem_shows_it_and_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "helmholtz-disk"]) == OK
    shown = capsys.readouterr().out
    assert "radius=0.1" in shown
    assert "wavenumber=20.0" in shown
    assert str(CASES[1].factory()) in shown


def test_run_solves_compares_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main(["run", "helmholtz-uniform", *SMALL, "--out", str(out)]) == OK
    shown = capsys.readouterr()
    assert str(out / "report.html") in shown.out
    assert "Method: Trefftz" in shown.out
    assert "the tolerance of" not in shown.out  # it belongs to the default parameters
    assert {"report.html", "report.json", "solution.h5"} <= {path.name for path in out.iterdir()}
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert main(["report", str(out)]) == OK
    output = capsys.readouterr().out
    assert "relative L2" in output


@pytest.mark.slow
def test_a_file_is_run_with_settings_and_resumes_from_its_folder(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = [
        "run",
        str(mine),
        "--set",
        "wavenumber=7",
        "--method",
        "adam",
        "--no-reference",
        "--out",
        str(out),
    ]
    assert main([*command, "--steps", "2"]) == OK
    assert "k = 7" in capsys.readouterr().out
    assert main([*command, "--steps", "4", "--resume"]) == OK
    assert "Resumed after step 2" in capsys.readouterr().out
    assert (out / "report.html").is_file()


@pytest.mark.slow
def test_a_second_run_keeps_what_the_first_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("solution.h5", "report.json", "report.html", "fields.png")
    command = ["run", "poisson-rod", "--no-reference", "--out", str(tmp_path)]
    before: list[dict[str, bytes]] = []
    for _ in range(3):
        assert main(command) == OK
        before.append({name: (tmp_path / name).read_bytes() for name in names})
    assert f"earlier run are in {tmp_path / 'earlier.2'}" in capsys.readouterr().out
    for number, files in enumerate(before[:2], start=1):
        assert {name: (tmp_path / f"earlier.{number}" / name).read_bytes() for name in names} == files


def test_a_result_that_its_folder_does_not_take_is_put_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = save(lambda path: atomic.write(path, b"found"), tmp_path / "gone" / "solution.h5")
    try:
        assert place.read_bytes() == b"found"
        assert f"there is no folder {tmp_path / 'gone'}" in (stderr := capsys.readouterr().err)
        assert f"It is in {place} instead" in stderr
    finally:
        place.unlink()
        place.parent.rmdir()


def test_a_problem_may_be_a_value(tmp_path: Path) -> None:
    path = tmp_path / "value.py"
    path.write_text(MINE + "\nproblem = problem()\n", encoding="utf-8")
    assert isinstance(problem_in_file(path), Problem)


def test_settings_are_python_literals() -> None:
    settings = settings_for(helmholtz_uniform, ["wavenumber=30", "source_at=-0.3,0.2", "amplitude=1-2j"])
    assert settings == {"wavenumber": 30, "source_at": (-0.3, 0.2), "amplitude": 1 - 2j}
    assert problem_of("helmholtz-uniform", ["wavenumber=30"]).equation.wavenumber == 30


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "helmholtz-cube"], "use one of helmholtz-uniform, helmholtz-disk, "),
        (["run", "nowhere.py"], "there is no file nowhere.py"),
        (["run", "helmholtz-disk", "--set", "radius"], "write KEY=VALUE"),
        (
            ["run", "helmholtz-disk", "--set", "diameter=1"],
            "there is no parameter 'diameter'; use one of wavenumber",
        ),
        (["run", "helmholtz-disk", "--set", "radius=big"], "'big' is not a number"),
        (["run", "helmholtz-disk", "--set", "speed=-1"], "speed"),
        (["run", "helmholtz-disk", "--steps", "5"], "--steps belongs to a training"),
        (["run", "helmholtz-disk", "--method", "adam"], "needs --steps"),
        (["run", "helmholtz-disk", "--device", "abacus"], "abacus"),
        (["run", "helmholtz-uniform", "--shape", "9,9"], "nodes"),
        (["validate", "helmholtz-cube"], "helmholtz-cube"),
        (["report", "nowhere"], "nowhere"),
    ],
)
def test_a_mistake_is_told_on_stderr_without_a_traceback(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == USAGE
    stderr = capsys.readouterr().err
    assert message in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run"], ["run", "helmholtz-disk", "--shape", "many"]])
def test_a_command_that_does_not_parse_exits_with_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("answer = 42\n", "does not define `problem`"),
        ("problem = 42\n", "does not define `problem`"),
        ("problem = lambda: 42\n", "returned int"),
        ("problem = 1 / 0\n", "failed (see above)"),
        ("problem = (\n", "failed (see above)"),
        (MINE + "problem = problem(wavenumber=-1)\n", "wavenumber"),
    ],
)
def test_a_file_without_a_problem_is_refused(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text, encoding="utf-8")
    assert main(["run", str(path)]) == USAGE
    assert message in capsys.readouterr().err


def test_a_value_takes_no_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "value.py"
    path.write_text(MINE + "\nproblem = problem()\n", encoding="utf-8")
    assert main(["run", str(path), "--set", "wavenumber=3"]) == USAGE
    assert "Make it a function" in capsys.readouterr().err


@pytest.mark.parametrize(("tolerance", "status", "verdict"), [(0.5, OK, "passed"), (1e-9, FAILED, "FAILED")])
def test_validate_fails_where_an_error_is_above_its_tolerance(
    tolerance: float,
    status: int,
    verdict: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = Case(
        "quick", lambda: helmholtz_disk(wavenumber=8.0, variance=1e-3), "", tolerance=tolerance, seconds=1
    )
    monkeypatch.setattr("neurapde.cli.validating.CASES", (case,))
    monkeypatch.setattr("neurapde.cli.validating.INVERSIONS", ())
    assert main(["validate"]) == status
    assert verdict in capsys.readouterr().out


def test_a_problem_with_nothing_to_compare_is_solved_and_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "plain.py"
    path.write_text(
        "import neurapde as npde\n"
        "problem = npde.Problem('plain', npde.Interval(0, 1), npde.Equation(lambda x, u: u.laplacian - 1),\n"
        "                       boundary=npde.Dirichlet(0.0))\n",
        encoding="utf-8",
    )
    out = tmp_path / "run"
    assert main(["run", str(path), "--method", "adam", "--steps", "1", "--out", str(out)]) == OK
    assert "Not compared" in capsys.readouterr().out
    assert (out / "solution.h5").is_file()
    assert not (out / "report.html").exists()


def test_an_interrupt_is_told_by_the_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("neurapde.solve", stop)
    assert main(["validate", "helmholtz-uniform"]) == INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "neurapde", "--version"], capture_output=True, text=True)
    assert done.returncode == OK
    assert done.stdout.startswith("neurapde ")
