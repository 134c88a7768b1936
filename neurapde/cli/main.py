"""The command line `neurapde`: lists the declared problems, solves and checks them, and shows saved reports.

Results go to stdout, progress and warnings to stderr. Exit status: 0 all went well, 1 a validation failed,
2 the command or the problem is not right, 130 interrupted (Ctrl-C or SIGTERM).
"""

import argparse
import atexit
import contextlib
import gc
import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import TextIO

import neurapde as npde
from neurapde.cli.examples import EXAMPLES
from neurapde.cli.parsing import SHELLS, Parser, UsageError, completion
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.core.interrupts import terminable
from neurapde.late import Late
from neurapde.problems import CASES, INVERSIONS
from neurapde.reference_solvers.grids.grid import ResolutionError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def _completion_grammar(parser: Parser) -> None:
    parser.description = "Print a script that makes your shell complete these commands."
    parser.epilog = "example:\n  neurapde completion bash >> ~/.bashrc"
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(action=complete)


COMMANDS: dict[str, tuple[str, Callable[[Parser], None]]] = {
    "list": ("list the named problems", Late("neurapde.cli.listing", "grammar")),
    "run": ("solve a problem, compare, write a report", Late("neurapde.cli.running", "grammar")),
    "validate": (
        "solve problems and check each error against its tolerance",
        Late("neurapde.cli.validating", "grammar"),
    ),
    "fwi": ("find the velocity that explains a survey", Late("neurapde.cli.inversions", "grammar")),
    "report": ("show a saved report again", Late("neurapde.cli.reporting", "grammar")),
    "doctor": ("versions, devices, threads and a self-test", Late("neurapde.cli.doctor", "grammar")),
    "completion": ("make a shell complete these commands", _completion_grammar),
}
"""Each with a line on it, and what adds its arguments: imported when the command is given."""


def build_parser() -> Parser:
    """The grammar of the command line; a command's own is there when the command is given."""
    parser = Parser(
        prog="neurapde",
        description="Declare a PDE once; solve it with a SIREN, solve it on a grid, compare.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"neurapde {npde.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, (text, grammar) in COMMANDS.items():
        command = commands.add_parser(name, help=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        command.grammar = grammar
    return parser


def complete(given: argparse.Namespace) -> int:
    """`neurapde completion`: the script of a shell."""
    print(
        completion(
            given.shell, build_parser(), [*(case.name for case in CASES), *(case.name for case in INVERSIONS)]
        )
    )
    return OK


def _carried_out(given: argparse.Namespace) -> int:
    """The exit status of a command; with --json its result is all that standard output holds."""
    if not getattr(given, "json", False):
        return int(given.action(given))
    given.result = None
    with contextlib.redirect_stdout(sys.stderr):
        status = int(given.action(given))
    print(json.dumps(given.result, indent=1, ensure_ascii=False))
    return status


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"warning: {message}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command line (default: that of the process) and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # Δ and ≤ where the terminal has ASCII alone
    given = build_parser().parse_args(arguments)
    # Else the end of the process looks for cycles in all modules, again and again, for a second.
    atexit.register(gc.freeze)
    with warnings.catch_warnings(), terminable():
        warnings.showwarning = _show_warning
        try:
            return _carried_out(given)
        except BrokenPipeError:  # who read the output has enough of it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        except (UsageError, DeclarationError, ResolutionError, StorageError, OSError) as error:
            print(f"neurapde: {error}", file=sys.stderr)
            return USAGE
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            print(
                f"neurapde: {type(error).__name__}: {error} ({place.filename}, line {place.lineno}). If that is in your "
                "own file, correct it; otherwise please report it with this command.",
                file=sys.stderr,
            )
            return USAGE
        except KeyboardInterrupt:
            print("neurapde: interrupted", file=sys.stderr)
            return INTERRUPTED
