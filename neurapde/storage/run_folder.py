"""The folder that a run was given for its checkpoint: found good before the first step, and held against other runs.

What cannot be written later does not end the run: it says so, goes on, and tries again at the next checkpoint.
"""

import itertools
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from os import PathLike
from pathlib import Path

from filelock import FileLock, Timeout

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError, StorageWarning
from neurapde.core.warn import warn

LOCK, OWNER = ".neurapde.lock", ".neurapde.running"
"""The file that the system locks, and the one that says for whom."""


class RunFolder:
    """The checkpoint of one run, in the folder that it holds; without a folder it keeps nothing.

    path: of the checkpoint, or None. notes: what could not be kept.
    """

    def __init__(self, path: Path | None, resume: bool) -> None:
        self.path = path
        self._earlier = path is not None and path.exists() and not resume
        self._failures: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence on the checkpoints that could not be written, if there are any."""
        if not self._failures:
            return ()
        count = len(self._failures)
        what = "A checkpoint" if count == 1 else f"{count} checkpoints"
        return (f"{what} could not be written: {self._failures[-1]}",)

    def save(self, write: Callable[[Path], None]) -> None:
        """Write the checkpoint; the one of an earlier run, if this does not go on from it, is kept under a number."""
        if self.path is None:
            return
        aside = None
        try:
            aside = set_aside(self.path) if self._earlier else None
            write(self.path)
            self._earlier = False
        except (OSError, MemoryError) as error:
            if aside is not None:
                with suppress(OSError):
                    aside.rename(self.path)
            self._failures.append(str(error) or type(error).__name__)
            warn(
                f"no checkpoint was written: {self._failures[-1]} The run continues. The last good checkpoint is kept, "
                "and the next one will be tried.",
                StorageWarning,
            )


def set_aside(path: Path) -> Path:
    """Give a file the first free number before its ending, `checkpoint.1.h5`; its new place."""
    free = (path.with_name(f"{path.stem}.{number}{path.suffix}") for number in itertools.count(1))
    aside = next(place for place in free if not place.exists())
    path.rename(aside)
    return aside


@contextmanager
def run_folder(out: str | PathLike[str] | None, file: str, resume: bool) -> Iterator[RunFolder]:
    """Hold the folder `out`, made when missing, while a run is under way.

    Raises DeclarationError for one that is no folder, cannot be written, or where another run is at work.
    """
    if out is None:
        yield RunFolder(None, resume)
        return
    folder = _made(out)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DeclarationError(
            f"out={str(folder)!r} is in use by {_owner(folder)}; two runs in one folder would overwrite each other's "
            "files. Give another folder, or wait until that run has ended."
        ) from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        try:
            _sign(folder)
        except OSError as error:
            raise _unwritable(folder, error) from error
        yield RunFolder(folder / file, resume)
    finally:
        with suppress(OSError):
            (folder / OWNER).unlink(missing_ok=True)
        lock.release()


def _made(out: str | PathLike[str]) -> Path:
    folder = checks.path(out, "out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise DeclarationError(f"out={str(out)!r} is a file, not a folder; give another name.") from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder


def _unwritable(folder: Path, error: OSError) -> DeclarationError:
    reason = error.strerror or str(error)
    return DeclarationError(
        f"out={str(folder)!r} cannot be written: {reason.rstrip('.')}. Give a folder that can be written, or leave it "
        "out."
    )


def _sign(folder: Path) -> None:
    """Say whose run this is; it shows, too, that the folder can be written, and removes what killed runs left."""
    said = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().isoformat(" ", "seconds"),
    }
    atomic.write(folder / OWNER, json.dumps(said).encode())


def _owner(folder: Path) -> str:
    try:
        said = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        return f"process {said['pid']:d} on {said['host']}, since {said['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
