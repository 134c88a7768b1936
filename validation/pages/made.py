"""When a report was made, and by which command."""

import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from neurapde.core.progress import in_notebook


def how_made() -> Mapping[str, str]:
    """The date, and the command line that makes it again; an empty one at a prompt or in a notebook."""
    facts = {"date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": ""}
    program, arguments = Path(sys.argv[0]), sys.argv[1:]
    if program.name in ("neurapde", "neurapde.exe") or program.parts[-2:] == ("neurapde", "__main__.py"):
        facts["command"] = shlex.join(["neurapde", *arguments])
    elif program.suffix == ".py" and not in_notebook():
        facts["command"] = shlex.join(["python", program.name, *arguments])
    return facts
