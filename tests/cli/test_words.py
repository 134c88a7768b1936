"""The command line for programs and for the hurried: JSON, completion, the doctor, and words that were meant."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import neurapde as npde
from neurapde.cli.main import OK, USAGE, build_parser, main
from neurapde.cli.methods import DIRECT, INVERTING, TRAINED, method_of
from neurapde.cli.parsing import completion, meant
from neurapde.methods.choice import choose_method
from neurapde.problems import CASES
from neurapde.seismic.inversion.invert import METHODS


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (["run", "helmholz-disk"], "did you mean 'helmholtz-disk'?"),
        (["run", "helmholtz-disk", "--set", "wavenumbr=3"], "did you mean 'wavenumber'?"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_right_one(
    command: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == USAGE
    assert word in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (["rnu", "x"], "did you mean 'run'?"),
        (["run", "x", "--tolerence", "1"], "did you mean '--tolerance'?"),
        (["run", "x", "--method", "galerkn"], "did you mean 'galerkin'?"),
    ],
)
def test_a_misspelt_command_flag_or_method_too(
    command: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(command)
    assert word in capsys.readouterr().err


def test_nothing_is_meant_by_what_is_like_nothing() -> None:
    assert meant("zzz", ["run", "list"]) == ""


def test_every_method_of_the_package_has_a_name_and_takes_its_setting() -> None:
    problem = npde.problems.poisson_square()
    for name, kind in {**DIRECT, **TRAINED}.items():
        flags = ["--tolerance", "1e-3"] if name in DIRECT else ["--steps", "7"]
        method = method_of(
            build_parser().parse_args(["run", "poisson-square", "--method", name, *flags]), problem
        )
        assert isinstance(method, kind)
        assert (method.tolerance if name in DIRECT else method.steps) == (1e-3 if name in DIRECT else 7)
    chosen = method_of(build_parser().parse_args(["run", "poisson-square", "--tolerance", "1e-3"]), problem)
    assert chosen == npde.Separable(tolerance=1e-3)
    distance = npde.problems.sdf_sphere()
    training, _ = choose_method(distance, None)
    chosen = method_of(build_parser().parse_args(["run", "sdf-sphere", "--steps", "7"]), distance)
    assert type(chosen) is type(training)
    assert vars(chosen) == {**vars(training), "steps": 7}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--method", "adam", "--steps", "3", "--tolerance", "1e-3"],
            "--tolerance belongs to the direct methods",
        ),
        (["--method", "trefftz", "--steps", "3"], "--steps belongs to --method adam"),
        (["--steps", "3"], "poisson-square is solved by Separable, which takes none"),
    ],
)
def test_a_setting_of_another_kind_of_method_is_refused(
    flags: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "poisson-square", *flags]) == USAGE
    assert message in capsys.readouterr().err


def test_json_is_all_that_standard_output_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "poisson-rod", "--json", "--out", str(tmp_path)]) == OK
    shown = capsys.readouterr()
    answer = json.loads(shown.out)
    assert answer["status"] == "CONVERGED"
    assert answer["report"]["passed"] is True
    assert "Solved in" in shown.err
    assert main(["list", "--json"]) == OK
    assert [case["name"] for case in json.loads(capsys.readouterr().out)][: len(CASES)] == [
        c.name for c in CASES
    ]


def test_the_doctor_finds_this_installation_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == OK
    answer = json.loads(capsys.readouterr().out)
    assert answer["neurapde"] == npde.__version__
    assert all(test["passed"] for test in answer["tests"])


def test_a_shell_completes_commands_names_and_flags() -> None:
    script = completion("bash", build_parser(), ["helmholtz-disk"])
    if (bash := shutil.which("bash")) is None:
        pytest.skip("no bash")
    ask = 'COMP_WORDS=(neurapde run helm); COMP_CWORD=2; _neurapde; echo "${COMPREPLY[@]}"'
    done = subprocess.run([bash, "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["helmholtz-disk"]
    ask = 'COMP_WORDS=(neurapde ""); COMP_CWORD=1; _neurapde; echo "${COMPREPLY[@]}"'
    done = subprocess.run([bash, "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
    assert {"list", "run", "doctor", "completion"} <= set(done.stdout.split())
    for shell in ("zsh", "fish"):
        assert "helmholtz-disk" in completion(shell, build_parser(), ["helmholtz-disk"])


def test_the_command_line_names_every_method_of_inversion() -> None:
    assert tuple(METHODS) == INVERTING
