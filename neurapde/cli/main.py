"""The command line `neurapde`: lists the declared problems, solves and checks them, and shows saved reports.

Results go to stdout, progress and warnings to stderr. Exit status: 0 all went well, 1 a validation failed,
2 the command or the problem is not right, 130 interrupted (Ctrl-C or SIGTERM).
"""

import argparse
import contextlib
import inspect
import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import neurapde as npde
from neurapde.cli.doctor import doctor
from neurapde.cli.examples import EXAMPLES, RUN_EXAMPLES
from neurapde.cli.inversions import add_fwi, inversion_case
from neurapde.cli.methods import DIRECT, TRAINED
from neurapde.cli.methods import NAMES as METHODS
from neurapde.cli.parsing import SHELLS, Parser, completion
from neurapde.cli.problems import UsageError, folder, named_case
from neurapde.cli.running import run
from neurapde.cli.validating import validate
from neurapde.core.errors import DeclarationError
from neurapde.core.interrupts import terminable
from neurapde.problems import CASES, INVERSIONS, Case, InversionCase
from neurapde.reference_solvers.grids.grid import ResolutionError
from neurapde.seismic.inversion.invert import METHODS as INVERTING
from neurapde.storage.hdf5 import StorageError
from neurapde.validation.folder import kind_of
from neurapde.validation.inversions.report import InversionReport
from neurapde.validation.report import Report

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def build_parser() -> argparse.ArgumentParser:
    """The whole grammar of the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="neurapde",
        description="Declare a PDE once; solve it with a SIREN, solve it on a grid, compare.",
        epilog=EXAMPLES,
        formatter_class=raw,
    )
    parser.add_argument("--version", action="version", version=f"neurapde {npde.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)

    listing = commands.add_parser("list", help="list the problems by name", description="List the problems.")
    listing.add_argument(
        "name", nargs="?", help="show the parameters of this problem, to be changed by --set"
    )
    listing.set_defaults(action=list_problems)

    running = commands.add_parser(
        "run",
        help="solve a problem, compare, write a report",
        description="Solve a problem, compare with the exact solution and a grid, and write a report.",
        epilog=RUN_EXAMPLES,
        formatter_class=raw,
    )
    running.add_argument(
        "problem", metavar="NAME|FILE.py", help="a name from `neurapde list`, or a Python file"
    )
    running.add_argument(
        "--method",
        choices=METHODS,
        metavar="METHOD",
        help=f"default: the one that suits the problem. Direct: {', '.join(DIRECT)}. Trained: {', '.join(TRAINED)}. "
        f"Of an inversion: {', '.join(INVERTING)}",
    )
    running.add_argument(
        "--steps", type=int, metavar="N", help="steps of a training, or of each stage of an inversion"
    )
    running.add_argument(
        "--tolerance", type=float, metavar="ERROR", help="relative error that a direct method aims at"
    )
    running.add_argument(
        "--dtype", choices=("float32", "float64"), help="precision; default: the method's own"
    )
    running.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="parameters of the problem"
    )
    running.add_argument("--shape", type=_shape, metavar="NX,NY", help="nodes of the reference grid")
    running.add_argument("--no-reference", action="store_true", help="do not solve on a grid")
    running.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    running.add_argument("--out", type=folder, metavar="DIR", help="folder of the report; default: runs/NAME")
    _add_computing(running)
    running.set_defaults(action=run)

    validating = commands.add_parser(
        "validate",
        help="check problems against their tolerance",
        description="Solve problems by the default method and check each error against its tolerance.\n"
        "The exit status is 1 if one misses it.",
        epilog="example:\n  neurapde validate helmholtz-uniform helmholtz-disk",
        formatter_class=raw,
    )
    validating.add_argument(
        "names", nargs="*", metavar="NAME", help="default: every problem of `neurapde list`"
    )
    validating.add_argument("--out", type=folder, metavar="DIR", help="write the reports into DIR/NAME")
    _add_computing(validating)
    validating.set_defaults(action=validate)

    add_fwi(commands)
    reporting = commands.add_parser(
        "report",
        help="show a saved report again",
        description="Print a saved report, and write its page again.",
        epilog="example:\n  neurapde report runs/helmholtz-disk",
        formatter_class=raw,
    )
    reporting.add_argument("folder", type=Path, metavar="DIR", help="the folder that `run` wrote")
    reporting.set_defaults(action=report)
    looking = commands.add_parser(
        "doctor",
        help="versions, devices, threads and a self-test",
        description="Print versions, devices and threads, and solve two problems whose fields are known.\n"
        "The exit status is 1 if one is wrong.",
        formatter_class=raw,
    )
    looking.set_defaults(action=doctor)
    completing = commands.add_parser(
        "completion",
        help="make a shell complete these commands",
        description="Print what a shell is to run so that it completes these commands.",
        epilog="example:\n  neurapde completion bash >> ~/.bashrc",
        formatter_class=raw,
    )
    completing.add_argument("shell", choices=SHELLS)
    completing.set_defaults(action=complete)
    for part in (listing, running, validating, reporting, looking):
        part.add_argument(
            "--json", action="store_true", help="print the result as JSON, and all else to standard error"
        )
    return parser


def complete(given: argparse.Namespace) -> int:
    """`neurapde completion`: the script of a shell."""
    print(
        completion(
            given.shell, build_parser(), [*(case.name for case in CASES), *(case.name for case in INVERSIONS)]
        )
    )
    return OK


def _add_computing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", default="auto", metavar="DEVICE", help="auto (default), cpu, cuda, cuda:1, …"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all randomness; default: 0")


def _shape(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no shape; write two numbers of nodes, as 257,257"
        ) from None


def list_problems(given: argparse.Namespace) -> int:
    """`neurapde list`: a line for each problem, or one problem with its parameters."""
    if given.name is not None:
        case: Case | InversionCase = inversion_case(given.name) or named_case(given.name)
        print(case.factory(), end="\n\n")
        print("parameters, to be changed by --set:")
        parameters = inspect.signature(case.factory).parameters.values()
        for parameter in parameters:
            print(f"  {parameter.name}={parameter.default}")
        given.result = {"name": case.name, "parameters": {one.name: str(one.default) for one in parameters}}
        return OK
    everything: tuple[Case | InversionCase, ...] = (*CASES, *INVERSIONS)
    keys = ("name", "summary", "tolerance", "seconds")
    given.result = [{key: getattr(case, key) for key in keys} for case in everything]
    width = max(len(case.name) for case in everything)
    for case in everything:
        print(f"{case.name:<{width}}  {case.summary} (about {case.seconds:.0f} s)")
    return OK


def report(given: argparse.Namespace) -> int:
    """`neurapde report`: print a saved report and write its panels and page again."""
    kind = InversionReport if kind_of(given.folder) == InversionReport.kind else Report
    found = kind.render(given.folder)
    given.result = found.as_json()
    print(found, end="\n\n")
    print(f"report:   {given.folder / 'report.html'}")
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
                f"neurapde: {type(error).__name__}: {error} ({place.filename}, line {place.lineno}). Where that is in your "
                "own file, mend it; where not, please report it with this command.",
                file=sys.stderr,
            )
            return USAGE
        except KeyboardInterrupt:
            print("neurapde: interrupted", file=sys.stderr)
            return INTERRUPTED
