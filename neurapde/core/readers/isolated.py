"""Reads a foreign file in a child process with limits: what crashes, hangs or fills the memory there is an error here."""

import inspect
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurapde.core.errors import StorageError
from neurapde.core.readers import child

SECONDS, BYTES_A_SECOND = 5, 200_000
"""The processor's time a file has: a start, and what its size adds."""
WAIT = 4
"""Times that: how long a busy machine may take over it."""
MEMORY, TIMES = 2**30, 60
"""The memory its reading may take: a start, and so many times the size of the file."""
TOO_LONG = (None, -24)
"""How a child ends that takes too long: stopped, or by the signal SIGXCPU."""
LONGEST = 300
"""Letters of a reason that are shown."""

Arrays = dict[str, NDArray]


def isolated(
    function: Callable[..., Arrays], path: Path, kind: str, *arguments: str, or_folder: bool = False
) -> Arrays:
    """What `function(path, *arguments)` gives, called in a process of its own: arrays by name.

    function: of a file that imports nothing of this package. kind: what it reads, "a picture".
    or_folder: whether the path may be a folder, whose files are read.
    Raises: FileNotFoundError; StorageError with the reason for a file that cannot be read.
    """
    files = [entry for entry in path.iterdir() if entry.is_file()] if or_folder and path.is_dir() else [path]
    if not path.is_file() and files == [path]:
        raise FileNotFoundError(f"there is no file {path}.")
    size = sum(entry.stat().st_size for entry in files)
    reader = inspect.getfile(inspect.unwrap(function))
    with tempfile.TemporaryDirectory(prefix="neurapde-") as folder:
        answer = Path(folder) / "answer.npz"
        seconds, memory = SECONDS + size // BYTES_A_SECOND, MEMORY + TIMES * size
        given = [reader, function.__name__, str(path.absolute()), str(answer), str(memory), str(seconds)]
        status = _run([*given, *arguments], WAIT * seconds)
        if status in TOO_LONG:
            raise _refused(path, kind, f"reading it takes more than {seconds} s")
        if status == child.REFUSED:
            raise _refused(path, kind, answer.read_text(encoding="utf-8", errors="replace"))
        if status != 0:
            raise _refused(path, kind, f"the library that reads it crashed, status {status}")
        with np.load(answer, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}


def _run(given: list[str], seconds: float) -> int | None:
    """The exit status of the child, None where it was ended. One thread: threads reserve memory, which is limited."""
    try:
        return subprocess.run(
            [sys.executable, "-P", inspect.getfile(child), *given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
            timeout=seconds,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def _refused(path: Path, kind: str, reason: str) -> StorageError:
    short = " ".join("".join(c if c.isprintable() else " " for c in reason).split())
    return StorageError(
        f"{path} cannot be read as {kind} ({short[:LONGEST]}): it is damaged, or its suffix is wrong. Give a file that "
        "other programs can read."
    )
