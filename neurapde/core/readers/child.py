"""The process that reads one foreign file: `python child.py READER.py FUNCTION FILE ANSWER BYTES SECONDS [ARGUMENT …]`.

It knows nothing of the package, so that it starts in a moment: READER.py is run alone. FUNCTION takes the file and the
arguments, and gives arrays by name, which ANSWER then holds; or ANSWER holds the reason why there are none.
"""

import contextlib
import io
import runpy
import sys
from collections.abc import Mapping

import numpy as np

try:
    import resource
except ImportError:  # Not on Windows, where the parent limits the time.
    resource = None  # type: ignore[assignment]

REFUSED = 3
"""The exit status that says that ANSWER holds a reason."""


def main(
    reader: str, function: str, file: str, answer: str, memory: str, seconds: str, *arguments: str
) -> int:
    """Read, and answer; nothing that happens here is shown."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            arrays: Mapping[str, np.ndarray] = runpy.run_path(reader)[function](file, *arguments)
        if strange := [name for name, array in arrays.items() if np.asarray(array).dtype.hasobject]:
            raise ValueError(f"{strange[0]} is not an array of numbers")
        np.savez(answer, **arrays)  # type: ignore[arg-type]
    except MemoryError:
        reason = f"reading it takes more than {int(memory) / 1e9:.1f} GB of memory"
    except SystemExit:
        reason = said.getvalue() or "the library that reads it failed"
    except BaseException as error:
        reason = str(error) or type(error).__name__
    else:
        return 0
    with open(answer, "w", encoding="utf-8", errors="replace") as written:
        written.write(reason)
    return REFUSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
