"""Files that are whole or absent: on a full disk, in a folder that goes, beside planted links and after a kill."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import meshio
import numpy as np
import pytest

import neurapde as npde
from neurapde.core import atomic
from neurapde.storage.export import write_mesh
from neurapde.validation.compare import validate
from neurapde.validation.inversions.report import InversionReport, inversion_report
from neurapde.validation.report import Report
from neurapde.validation.surfaces import ZeroSet
from support import waves

SQUARE = npde.Box((0, 1), (0, 1))
WAVES = np.random.default_rng(64019).normal(size=(2, 3, 400))
SURVEY = npde.Survey([[0, 0], [1, 0]], [[2, 0], [3, 0], [4, 0]], traces=WAVES, dt=0.001, wavelet=np.ones(400))


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """A disk with room for files of so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@cache
def solution() -> npde.Solution:
    source = npde.GaussianSource((0.4, 0.6), 0.02)
    problem = npde.Problem("p", SQUARE, npde.Poisson(), source, npde.Dirichlet(0))
    return npde.solve(problem, npde.MLP(width=9, depth=1), npde.Adam(steps=1, points=16), device="cpu")


@cache
def inversion() -> npde.seismic.Inversion:
    data = np.ones((1, 1, 2), complex)
    return npde.invert(
        waves(SQUARE),
        npde.Survey([[0.2, 0.2]], [[0.8, 0.8], [0.7, 0.7]], data=data, frequencies=[1.0]),
        unknown=npde.Velocity(bounds=(0.8, 2.0)),
        method=npde.seismic.Adjoint(descent=npde.seismic.BoundedLBFGS(1), spacing=0.1),
        progress=False,
    )


def random(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, shape)


WRITERS: dict[str, Callable[[Path], object]] = {
    "u.h5": lambda path: solution().save(path),
    "survey.h5": SURVEY.save,
    "survey.sgy": SURVEY.write,
    "u.vtu": lambda path: write_mesh(path, SQUARE, lambda x: x[:, 0], 40),
    "u.xdmf": lambda path: write_mesh(path, SQUARE, lambda x: x[:, 0], 40),
    "u.png": lambda path: npde.data.write_image(
        path, npde.data.Raster(random(64033, 60, 80), (-1, -1), (1, 1))
    ),
    "u.npy": lambda path: npde.data.write_video(
        path, npde.data.Raster(random(64037, 9, 20, 30), (-1,) * 3, (1,) * 3)
    ),
    "u.wav": lambda path: npde.data.write_audio(path, npde.data.Raster(random(64063, 5000), (0,), (1,))),
    "u.ply": ZeroSet(random(64067, 300, 3), np.arange(300).reshape(100, 3)).save,
    "u.gif": lambda path: npde.validation.animate(
        lambda x: x[:, 0] * x[:, 2],
        npde.domains.SpaceTime(SQUARE, npde.Time(0, 1)),
        path,
        frames=3,
        pixels=90,
    ),
    "inversion.h5": lambda path: inversion().save(path),
}
"""A file of each kind, of some thousand bytes, by its name."""


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_an_error_that_names_it_and_leaves_the_earlier_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    for room in (0, max(len(content) for content in before.values()) // 2):
        with (
            full_disk(room),
            pytest.raises(
                OSError, match=r"cannot write .*(u|survey|inversion)\..* MiB free before"
            ) as caught,
        ):
            WRITERS[name](path)
        assert isinstance(caught.value.__cause__, OSError)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that only others may write to."""
    mode = folder.stat().st_mode
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(mode)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder to which all the way is open to everybody, as it is not to `tmp_path`."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.skipif(os.name != "posix", reason="needs permissions")
@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_may_not_be_written_keeps_the_earlier_file(open_path: Path, name: str) -> None:
    WRITERS[name](open_path / name)
    before = contents(open_path)
    with read_only(open_path), pytest.raises(PermissionError, match=r"cannot write .*Permission denied"):
        WRITERS[name](open_path / name)
    assert contents(open_path) == before


def vanish_before(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(atomic, "remove_leftovers", shutil.rmtree)


def vanish_within(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    made = Path.mkdir

    def mkdir(path: Path, *given: Any, **named: Any) -> None:
        made(path, *given, **named)
        if path.parent == folder:
            shutil.rmtree(folder)

    monkeypatch.setattr(Path, "mkdir", mkdir)


def vanish_after(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(atomic.os, "fsync", lambda number: shutil.rmtree(folder, ignore_errors=True))


@pytest.mark.parametrize("vanish", [vanish_before, vanish_within, vanish_after], ids=lambda way: way.__name__)
@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_vanishes_meanwhile_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, vanish: Callable
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    vanish(monkeypatch, folder)
    with pytest.raises(OSError, match=r"cannot write .*folder.* Write to another place"):
        WRITERS[name](folder / name)


@cache
def reports() -> dict[str, Report | InversionReport]:
    grid = npde.reference(solution().problem, 17, error=False)
    return {
        "solve": validate(solution(), reference=grid),
        "invert": inversion_report(inversion(), classical=False, progress=False),
    }


@pytest.mark.parametrize("name", ["solve", "invert"])
def test_a_report_that_cannot_be_written_leaves_the_earlier_one_whole(
    open_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    report = reports()[name]
    monkeypatch.setattr(type(report), "pictures", lambda self: {"a.png": ("", self.title.encode() * 20000)})
    report.save(open_path)
    before = contents(open_path)
    assert len(before) == 4
    other = replace(report, title="another")
    other.save(tmp_path)
    for room in (0, *(len(content) - 1 for content in contents(tmp_path).values())):
        with full_disk(room), pytest.raises(OSError, match=r"cannot write .* MiB free before"):
            other.save(open_path)
        assert contents(open_path) == before
    with read_only(open_path):
        with pytest.raises(PermissionError, match=r"cannot write .*Permission denied"):
            other.save(open_path)
        with pytest.raises(PermissionError, match=r"cannot create the folder .*Give another place"):
            other.save(open_path / "new")
    with pytest.raises(FileExistsError, match=r"cannot create the folder .*report\.json: File exists"):
        other.save(open_path / "report.json")
    assert contents(open_path) == before


@pytest.mark.parametrize("name", WRITERS)
def test_a_missing_folder_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere\. Create it first"):
        WRITERS[name](tmp_path / "nowhere" / name)


def test_of_two_files_that_belong_together_none_is_replaced_alone(tmp_path: Path) -> None:
    write_mesh(tmp_path / "u.xdmf", SQUARE, lambda x: x[:, 0], 5)
    with full_disk(4096), pytest.raises(OSError, match="cannot write"):
        write_mesh(tmp_path / "u.xdmf", SQUARE, lambda x: x[:, 0], 40)
    assert meshio.read(tmp_path / "u.xdmf").points.shape == (25, 3)


def test_no_two_files_under_way_have_a_name_in_common_and_nobody_else_may_look(tmp_path: Path) -> None:
    with atomic.replacing(tmp_path / "a") as (first,), atomic.replacing(tmp_path / "a") as (other,):
        assert first.parent != other.parent
        assert first.parent.stat().st_mode & 0o77 == 0
        first.write_bytes(b"1")
        other.write_bytes(b"2")
    assert (tmp_path / "a").read_bytes() == b"1"


def test_a_planted_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    atomic.write(tmp_path / "a", b"new")
    assert (tmp_path / "victim").read_text() == "precious"
    assert (tmp_path / "a").read_bytes() == b"new"
    assert not (tmp_path / "a").is_symlink()


def test_files_are_as_open_to_others_as_files_are(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    atomic.write(tmp_path / "a", b"new")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


KILLED = """
import os, runpy, sys
from pathlib import Path
replacing = runpy.run_path(sys.argv[1])["replacing"]
with replacing(Path(sys.argv[2]) / "a") as (part,):
    part.write_bytes(b"half")
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_removed_and_what_is_under_way_stays(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, atomic.__file__, tmp_path], check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.endswith(".part")
    stranger = tmp_path / ".film.1234567.part"
    stranger.write_text("of another program")
    elsewhere = tmp_path / left.name.replace(atomic.host(), "0" * 8)
    elsewhere.mkdir()
    first_release = tmp_path / ".checkpoint.h5.99999999.part"
    first_release.write_bytes(b"half")
    with atomic.replacing(tmp_path / "b") as (temporary,):
        temporary.write_bytes(b"whole")
        atomic.write(tmp_path / "c", b"whole")
    assert {path.name for path in tmp_path.iterdir()} == {"b", "c", stranger.name, elsewhere.name}


def test_an_earlier_process_of_the_same_number_is_dead(tmp_path: Path) -> None:
    left = tmp_path / f".neurapde.{os.getpid()}.{atomic.host()}{'0' * 32}.part"
    left.mkdir()
    atomic.remove_leftovers(tmp_path)
    assert not left.exists()


def test_a_link_in_the_place_of_a_leftover_is_removed_alone(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "a").touch()
    (tmp_path / ".checkpoint.h5.99999999.part").symlink_to(tmp_path / "victim")
    atomic.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["victim", "a"]
