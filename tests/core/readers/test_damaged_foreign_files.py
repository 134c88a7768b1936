"""Damaged files of other programs: each is read, or refused by an error that names it; none crashes or hangs.

    DAMAGED=10000 python -m pytest -m slow tests/core/readers/test_damaged_foreign_files.py -s

damages so many files of each kind and prints what came of them. To be quick, the process that a file is read in is
forked from one that has imported the libraries, in place of a new one.
"""

import json
import os
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import meshio
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

import neurapde as npde
from neurapde.core.readers import child, isolated
from neurapde.core.readers.matrices import read_hdf5
from neurapde.data.audio import bells
from support import some_slow

SERVER = """
import json, os, runpy, sys
import h5py, meshio, scipy.io, skimage.io
main = runpy.run_path(sys.argv[1])["main"]
for line in sys.stdin:
    given = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.close(1)
        os._exit(main(*given))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""
SLOWEST = 20.0 * isolated.WAIT
"""Seconds that a file may take on a busy machine."""
VERTICES = np.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
TRIANGLES = np.array([t for a, b, c, d in QUADS for t in ((a, b, c), (a, c, d))])
RNG = np.random.default_rng(53197)
MESHES = (".ply", ".obj", ".stl", ".vtu", ".vtk", ".msh", ".off", ".inp")
PICTURES = (".png", ".jpg", ".tif", ".gif", ".bmp")


@pytest.fixture(scope="module")
def forked() -> Iterator[None]:
    """Children that start at once."""
    with (
        subprocess.Popen(
            [sys.executable, "-c", SERVER, str(child.__file__)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        ) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert server.stdin is not None
        assert server.stdout is not None

        def run(given: list[str], seconds: float) -> int:
            server.stdin.write(json.dumps(given) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        patch.setattr(isolated, "_run", run)
        yield
        server.stdin.close()


def write_mesh(path: Path) -> None:
    extra = {"binary": False} if path.suffix in (".ply", ".vtu") else {}
    meshio.write(path, meshio.Mesh(VERTICES, [("triangle", TRIANGLES)]), **extra)


def write_picture(path: Path) -> None:
    smooth = np.add.outer(np.arange(24), 2 * np.arange(31)).astype(np.uint8)
    Image.fromarray(np.stack([smooth, smooth.T[:24, :1] + smooth, 3 * smooth], axis=-1)).save(path)


def write_mat(path: Path) -> None:
    values = RNG.standard_normal((7, 3)) + 1j
    held = {"source": RNG.random((3, 2)), "receivers": RNG.random((7, 2)), "rec_val": values}
    savemat(path, held, do_compression=bool(RNG.integers(2)))


def write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["notes"] = "a model"
        file.create_dataset("speed", data=1 + RNG.random((9, 7)), chunks=(3, 7), compression="gzip")


def write_segy(path: Path) -> None:
    pytest.importorskip("segyio")
    places = np.column_stack([np.linspace(300.0, 900.0, 5), np.full(5, 12.5)])
    traces = RNG.standard_normal((3, 5, 31))
    npde.Survey([[250.5, 6.25], [500.0, 6.25], [1000.0, 7.0]], places, traces=traces, dt=0.004).write(path)


KINDS: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {
    **dict.fromkeys(MESHES, (write_mesh, npde.Mesh)),
    **dict.fromkeys(PICTURES, (write_picture, npde.data.read_image)),
    ".wav": (lambda path: npde.data.write_audio(path, bells(0.05, 4000)), npde.data.read_audio),
    ".npy": (
        lambda path: np.save(path, RNG.integers(0, 256, (3, 6, 5), dtype=np.uint8)),
        npde.data.read_video,
    ),
    ".mat": (write_mat, lambda path: npde.Survey.read(path, frequency=1.0)),
    ".h5": (
        write_hdf5,
        lambda path: npde.GridField(isolated.isolated(read_hdf5, path, "HDF5", "speed")["speed"]),
    ),
    ".sgy": (write_segy, npde.Survey.read),
}
LARGE = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\xff" * 8, b"99999999")


def damaged(whole: bytes, rng: np.random.Generator) -> bytes:
    """A file with some bytes changed, cut off, taken out, repeated, or turned into large numbers."""
    content = bytearray(whole)
    where = int(len(content) * rng.random() ** rng.integers(1, 4))  # often in the header
    match rng.integers(6):
        case 0:
            del content[where:]
        case 1:
            for _ in range(rng.integers(1, 20)):
                content[rng.integers(len(content))] = rng.integers(256)
        case 2:
            large = LARGE[rng.integers(len(LARGE))]
            content[where : where + len(large)] = large
        case 3:
            del content[where : where + int(rng.integers(1, 100))]
        case 4:
            content[where:where] = content[where : where + int(rng.integers(1, 100))]
        case _:
            content[where] ^= 1 << int(rng.integers(8))
    return bytes(content)


def outcome(read: Callable[[Path], Any], path: Path) -> str:
    """`read` or `refused`; anything else is a fault."""
    started = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", npde.DeclarationWarning)
            read(path)
        verdict = "read"
    except npde.DeclarationError as error:
        verdict = "refused" if path.name in str(error) else f"does not name the file: {error}"
    except KeyError as error:
        verdict = "refused" if str(error) == "'speed'" else repr(error)
    except BaseException as error:
        verdict = f"{type(error).__name__}: {error}"
    return verdict if time.perf_counter() - started < SLOWEST else f"hangs, then: {verdict}"


def try_many(suffix: str, count: int, folder: Path) -> Counter[str]:
    write, read = KINDS[suffix]
    path = folder / f"whole{suffix}"
    write(path)
    whole = path.read_bytes()
    assert outcome(read, path) == "read"
    rng = np.random.default_rng(64007)
    verdicts: Counter[str] = Counter()
    for _ in range(count):
        content = damaged(whole, rng)
        path = folder / f"damaged{suffix}"
        path.write_bytes(content)
        result = outcome(read, path)
        if result not in ("read", "refused"):
            (folder / f"fault-{len(verdicts)}{suffix}").write_bytes(content)
        verdicts[result] += 1
    return verdicts


@pytest.mark.parametrize("suffix", some_slow(KINDS, ".sgy"))
def test_a_damaged_file_is_read_or_refused(
    suffix: str, forked: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolated, "SECONDS", 1)
    verdicts = try_many(suffix, 8, tmp_path)
    assert set(verdicts) <= {"read", "refused"}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", KINDS)
def test_of_many_damaged_files_all_are_read_or_refused(
    suffix: str, forked: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolated, "SECONDS", 1)  # some readers seek what is missing for ever
    verdicts = try_many(suffix, int(os.environ.get("DAMAGED", "100")), tmp_path)
    print(suffix, dict(verdicts))
    assert set(verdicts) <= {"read", "refused"}
