"""The folder of a run: good before the first step, held by one run, and nothing in it is lost."""

import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurapde as npde
from neurapde.storage.run_folder import LOCK, run_folder
from neurapde.training.optimisation.adam import AdamSteps
from support import assert_same_field, waves

SQUARE, X = npde.Box((0, 1), (0, 1)), np.array([[0.3, 0.4], [0.6, 0.1]])


def train(
    out: object, steps: int = 4, act: Callable[[], object] = lambda: None, **settings: Any
) -> npde.Solution:
    """Some steps of training; `act` is done in each."""

    def source(x: Any) -> Any:
        act()
        return 1.0 + 0 * x[:, 0]

    problem = npde.Problem("p", SQUARE, npde.Poisson(), npde.FunctionSource(source), npde.Dirichlet(0.0))
    given = {"device": "cpu", "seed": 61051, "progress": False, **settings}
    method = npde.Adam(steps=steps, points=16, checkpoint_seconds=1e-9)
    return npde.solve(problem, npde.MLP(width=6, depth=1), method, out=out, **given)


def invert(out: Path, steps: int, **settings: Any) -> npde.seismic.Inversion:
    data = np.ones((1, 1, 2), complex)
    survey = npde.Survey([[0.2, 0.2]], [[0.8, 0.8], [0.7, 0.7]], data=data, frequencies=[1.0])
    return npde.invert(
        waves(SQUARE),
        survey,
        unknown=npde.Velocity(1.0, bounds=(0.8, 2.0)),
        method=npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(steps), spacing=0.2),
        out=out,
        progress=False,
        **settings,
    )


@pytest.fixture
def no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step of training may be taken."""

    def refuse(*given: object, **named: object) -> None:
        raise AssertionError("a step was taken")

    monkeypatch.setattr(AdamSteps, "step", refuse)


@pytest.mark.usefixtures("no_step")
def test_a_folder_that_cannot_be_is_found_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out, text in (
        (tmp_path / "file", "is a file, not a folder"),
        (tmp_path / "file" / "within", "cannot be written: Not a directory"),
        (tmp_path / ("long" * 100), "cannot be written: File name too long"),
        ("a\0b", "give the path of a file or folder"),
        ("  ", "give the path of a file or folder"),
        (7, "give the path of a file or folder"),
    ):
        with pytest.raises(npde.DeclarationError, match=text):
            train(out)
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(npde.DeclarationError, match="is a file, not a folder"):
        invert(tmp_path / "file", 1)


@pytest.mark.usefixtures("no_step")
def test_a_disk_that_is_full_is_found_before_the_first_step(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(npde.DeclarationError, match=r"cannot be written: .* MiB free before"):
            train(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_run_goes_on_where_no_checkpoint_can_be_written_and_the_last_good_one_stays(tmp_path: Path) -> None:
    train(tmp_path, 2)
    good, before = (tmp_path / "checkpoint.h5").read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.warns(
            npde.StorageWarning, match=r"no checkpoint was written: .* MiB free before.* The run continues"
        ):
            solution = train(tmp_path, 4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_same_field(solution(X), train(None, 4)(X))
    assert any("checkpoints could not be written: " in note for note in solution.notes)
    assert (tmp_path / "checkpoint.h5").read_bytes() == good


def test_an_inversion_goes_on_where_no_checkpoint_can_be_written(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.warns(npde.StorageWarning, match="no checkpoint was written"):
            inversion = invert(tmp_path, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert any("could not be written: " in note for note in inversion.notes)


def test_a_run_whose_folder_vanishes_goes_on_and_says_so(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.warns(npde.StorageWarning, match="there is no folder"):
        solution = train(out, 4, lambda: shutil.rmtree(out, ignore_errors=True))
    assert_same_field(solution(X), train(None, 4)(X))
    assert any("there is no folder" in note for note in solution.notes)


def test_a_checkpoint_that_failed_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_text("earlier")

    def fail(place: Path) -> None:
        raise OSError("no room")

    with run_folder(tmp_path, "a.h5", resume=False) as folder:
        for _ in range(2):
            with pytest.warns(npde.StorageWarning, match="no room"):
                folder.save(fail)
            assert path.read_text() == "earlier"
        folder.save(lambda place: place.write_text("now") and None)
        folder.save(lambda place: place.write_text("later") and None)
    assert path.read_text() == "later"
    assert (tmp_path / "a.1.h5").read_text() == "earlier"
    assert folder.notes == ("2 checkpoints could not be written: no room",)


@pytest.mark.parametrize(
    ("start", "name"), [(train, "checkpoint"), (invert, "inversion.checkpoint")], ids=["solve", "invert"]
)
def test_every_start_keeps_the_checkpoints_of_all_before(
    tmp_path: Path, start: Callable[[Path, int], object], name: str
) -> None:
    made = []
    for steps in (1, 2, 3):
        start(tmp_path, steps)
        made.append((tmp_path / f"{name}.h5").read_bytes())
    assert [(tmp_path / f"{name}{number}.h5").read_bytes() for number in (".1", ".2", "")] == made


def test_two_runs_in_one_folder_are_refused_and_the_other_is_named(tmp_path: Path) -> None:
    here = rf"is in use by process {os.getpid()} on {socket.gethostname()}, since .* Give another folder"
    with run_folder(tmp_path, "checkpoint.h5", resume=False):
        with pytest.raises(npde.DeclarationError, match=here):
            train(tmp_path, 1)
        with pytest.raises(npde.DeclarationError, match=here):
            invert(tmp_path, 1)
        train(tmp_path / "another", 1)
    train(tmp_path, 1)


def test_the_lock_of_a_killed_process_holds_nobody(tmp_path: Path) -> None:
    code = "import filelock, os, sys; filelock.FileLock(sys.argv[1]).acquire(); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, tmp_path / LOCK], check=False)
    left = tmp_path / ".checkpoint.h5.99999999.part"
    left.write_bytes(b"half")
    train(tmp_path, 1)
    assert not left.exists()


def test_a_planted_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    out = tmp_path / "out"
    out.mkdir()
    (out / LOCK).symlink_to(tmp_path / "victim")
    with pytest.raises(npde.DeclarationError, match="cannot be written"):
        train(out, 1)
    assert (tmp_path / "victim").read_text() == "precious"
