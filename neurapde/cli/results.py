"""What a run leaves in its folder: never over what an earlier run left, and not lost where the folder cannot be written."""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SAVED = ("solution.h5", "inversion.h5", "report.json")
"""Files that show that a run has ended in a folder."""
RESULTS = (*SAVED, "report.html", "fields.h5", "surface.ply", "surface.vtk")


class Phases:
    """How long the phases of a command take, one after the other. since: when the first began, by `time.perf_counter`."""

    def __init__(self, first: str, since: float) -> None:
        self.seconds: dict[str, float] = {}
        self._last = since
        self.end(first)

    def end(self, phase: str) -> None:
        """This phase has come to its end."""
        now = time.perf_counter()
        self.seconds[phase], self._last = now - self._last, now

    def __str__(self) -> str:
        parts = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in self.seconds.items())
        return f"time:     {parts}; {sum(self.seconds.values()):.1f} s in all"


def keep_earlier(out: Path) -> None:
    """Move the results of an earlier run in `out` into a folder of their own in it, `earlier.1`, `earlier.2`, …."""
    if not any((out / name).exists() for name in SAVED):
        return
    free = (out / f"earlier.{number}" for number in itertools.count(1))
    place = next(folder for folder in free if not folder.exists())
    place.mkdir()
    for path in [*(out / name for name in RESULTS), *out.glob("*.png")]:
        if path.is_file():
            path.rename(place / path.name)
    print(f"The results of an earlier run are in {place}.")


def save(write: Callable[[Path], object], path: Path) -> Path:
    """Write a result, and where that fails beside the temporary files of the system; the place it has."""
    try:
        write(path)
    except OSError as error:
        other = Path(tempfile.mkdtemp(prefix="neurapde-")) / path.name
        write(other)
        print(f"neurapde: {error} It is in {other} instead.", file=sys.stderr)
        return other
    return path
