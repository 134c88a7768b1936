"""The one way in which files are written: whole or not at all, whatever the disk, the process or a stranger does.

A file is made in a folder of its own beside its place, that nobody else can open or foretell the name of, and takes its
place in one step. What a process that was killed leaves behind is known by its name, and removed by the next write there.
"""

import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

THIS_PROCESS = secrets.token_hex(8)
"""Tells this process from an earlier one of the same number, as containers give to each of their starts."""
LEFT = re.compile(
    r"\.neurapde\.(?P<pid>\d+)\.(?P<host>[0-9a-f]{8})(?P<process>[0-9a-f]{16})[0-9a-f]{16}\.part"
    r"|\.(inversion\.)?checkpoint\.h5\.(?P<old>\d+)\.part"
)
"""Names of files under way, those of the first release last."""


@contextmanager
def replacing(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Names to write files under; at the end they take the places of `paths`, which lie in one folder.

    An error or an interruption leaves what is there as it is, and nothing else.
    Raises: FileNotFoundError where there is no folder; OSError, naming file and disk, for what cannot be written.
    """
    folder = paths[0].parent
    if not folder.is_dir():
        raise FileNotFoundError(f"cannot write {paths[0]}: there is no folder {folder}. Create it first.")
    room = _room(folder)
    with suppress(OSError):
        remove_leftovers(folder)
    private = folder / f".neurapde.{os.getpid()}.{host()}{THIS_PROCESS}{secrets.token_hex(8)}.part"
    try:
        private.mkdir(mode=0o700)
        made = tuple(private / path.name for path in paths)
        yield made
        for temporary in made:
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
        for temporary, path in zip(made, paths, strict=True):
            os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"cannot write {paths[0]}: {reason}. {room} Write to another place, or free some space."
        raise OSError(error.errno, text) if error.errno else OSError(text) from error
    finally:
        shutil.rmtree(private, ignore_errors=True)


def write(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all. Raises: as `replacing`."""
    with replacing(path) as (temporary,):
        temporary.write_bytes(content)


def write_together(folder: Path, contents: Mapping[str, bytes | memoryview]) -> None:
    """Write files of one folder by their names: all of them, or none where one cannot be. Raises: as `replacing`."""
    with replacing(*(folder / name for name in contents)) as parts:
        for temporary, content in zip(parts, contents.values(), strict=True):
            temporary.write_bytes(content)


def make_folder(folder: Path) -> None:
    """Make a folder that is missing, and those above it. Raises: OSError that names it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            error.errno, f"cannot create the folder {folder}: {reason}. Give another place."
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that are no more left under way in `folder`, as far as that can be done."""
    for path in folder.iterdir():
        match = LEFT.fullmatch(path.name)
        if match is None or _alive(match):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _alive(name: re.Match[str]) -> bool:
    """Whether the process of a file under way may still be at work; of another machine's, nobody knows."""
    if name["host"] not in (None, host()):
        return True
    pid = int(name["pid"] or name["old"])
    if pid == os.getpid():
        return name["process"] == THIS_PROCESS
    return is_running(pid)


def is_running(pid: int) -> bool:
    """Whether there is a process of this number on this machine."""
    if os.name != "posix":  # elsewhere, signal 0 is no question
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def host() -> str:
    """This machine, in eight letters."""
    return sha256(socket.gethostname().encode()).hexdigest()[:8]


def _room(folder: Path) -> str:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return f"The folder {folder} cannot be read."
    return f"The disk of {folder} had {free / 2**20:.1f} MiB free before."
