"""The command line `neurapde`: lists the declared problems, solves and checks them, and shows saved reports.

Results go to stdout, progress and warnings to stderr. Exit status: 0 all went well, 1 a validation failed,
2 the command or the problem is not right, 130 interrupted (Ctrl-C or SIGTERM).
"""

import argparse
import inspect
import io
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import torch

import neurapde as npde
from neurapde.cli.file_names import file_name
from neurapde.cli.inversions import add_fwi, inversion_case, run_case
from neurapde.cli.problems import UsageError, folder, grid_solution, named_case, problem_of
from neurapde.cli.results import keep_earlier, save
from neurapde.cli.validating import validate
from neurapde.core.errors import DeclarationError, ResolutionError
from neurapde.core.interrupts import terminable
from neurapde.problems import CASES, INVERSIONS, Case, InversionCase
from neurapde.run.method import Method, Status
from neurapde.seismic.inversion.invert import METHODS
from neurapde.storage.hdf5 import StorageError
from neurapde.validation.folder import kind_of
from neurapde.validation.inversion_report import InversionReport
from neurapde.validation.report import Report

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

EXAMPLES = """examples:
  neurapde list                                     what there is to solve
  neurapde run helmholtz-disk                       solve, compare, report into runs/helmholtz-disk
  neurapde run helmholtz-disk --set wavenumber=30   the same with another wavenumber
  neurapde run mine.py --method adam --steps 2000   a problem of your own, trained
  neurapde run fwi-disk                             invert the data of a survey, report the model
  neurapde fwi line.sgy --domain 0,4,0,1.5 …        the same with a survey of your own
  neurapde validate                                 are all errors below their tolerance?
  neurapde report runs/helmholtz-disk               show a saved report again
"""
RUN_EXAMPLES = """A FILE.py defines `problem`: a neurapde.Problem, or a function that returns one, as

  import neurapde as npde

  def problem(wavenumber=20.0):
      return npde.Problem(
          name="my-problem",
          domain=npde.Box((-1, 1), (-1, 1)),
          equation=npde.Helmholtz(wavenumber=wavenumber),
          sources=[npde.GaussianSource(at=(0, 0), variance=1e-4)],
          boundary=npde.PML(width=0.5),
      )

examples:
  neurapde run helmholtz-uniform
  neurapde run helmholtz-disk --set wavenumber=30 radius=0.15 source_at=-0.3,0.2 --out runs/k30
  neurapde run helmholtz-square --shape 513,513
  neurapde run helmholtz-uniform --method adam --steps 5000 --out runs/adam
  neurapde run helmholtz-uniform --method adam --steps 9000 --out runs/adam --resume
  neurapde run my_problem.py --set wavenumber=25
"""


def build_parser() -> argparse.ArgumentParser:
    """The whole grammar of the command line."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
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
        choices=("galerkin", "adam", *METHODS),
        help=f"default: the one that suits the problem; of an inversion {', '.join(METHODS)}",
    )
    running.add_argument(
        "--steps", type=int, metavar="N", help="steps of --method adam, or of each stage of an inversion"
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
    return parser


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
        for parameter in inspect.signature(case.factory).parameters.values():
            print(f"  {parameter.name}={parameter.default}")
        return OK
    everything: tuple[Case | InversionCase, ...] = (*CASES, *INVERSIONS)
    width = max(len(case.name) for case in everything)
    for case in everything:
        print(f"{case.name:<{width}}  {case.summary} (about {case.seconds:.0f} s)")
    return OK


def method_of(given: argparse.Namespace) -> Method | None:
    """The method that was asked for; None leaves the choice to `solve`."""
    if given.method in METHODS:
        raise UsageError(
            f"--method {given.method} inverts surveys, and {given.problem} is none; leave it out"
        )
    if given.method == "adam":
        if given.steps is None:
            raise UsageError(
                "--method adam needs --steps N; 2000 take a few minutes on a CPU, the paper takes 50000."
            )
        return npde.Adam(steps=given.steps)
    if given.steps is not None:
        raise UsageError("--steps belongs to --method adam; the Galerkin method solves directly.")
    return npde.Galerkin() if given.method == "galerkin" else None


def run(given: argparse.Namespace) -> int:
    """`neurapde run`: the main job, from the declaration to the report."""
    if (inversion := inversion_case(given.problem)) is not None:
        return run_case(inversion, given)
    problem = problem_of(given.problem, given.set)
    method = method_of(given)
    out = given.out or Path("runs") / file_name(problem.name)
    print(problem, end="\n\n", flush=True)
    dtype = None if given.dtype is None else {"float32": torch.float32, "float64": torch.float64}[given.dtype]
    solution = npde.solve(
        problem,
        method=method,
        device=given.device,
        dtype=dtype,
        seed=given.seed,
        out=out,
        resume=given.resume,
    )
    for note in solution.notes:
        print(note)
    print(f"Solved in {solution.seconds:.1f} s. {solution.status}")
    if not given.resume:
        keep_earlier(out)
    print(f"solution: {save(solution.save, out / 'solution.h5')}", end="\n\n", flush=True)
    if solution.status is Status.INTERRUPTED:
        if (out / "checkpoint.h5").exists():
            print(f"To go on: the same command with --out {out} --resume")
        return INTERRUPTED
    went_well = solution.status not in (Status.DIVERGED, Status.UNRESOLVED, Status.STALLED)
    default = method is None and not given.set and not given.problem.endswith(".py")
    tolerance = named_case(given.problem).tolerance if default else None
    reference = None if given.no_reference else grid_solution(problem, given.shape)
    try:
        made = npde.validate(solution, reference, tolerance=tolerance)
    except DeclarationError as error:
        print(f"Not compared: {error}")
        return OK if went_well else FAILED
    made.save(out)
    print(made, end="\n\n")
    _save_surface(problem, solution, out)
    print(f"report:   {out / 'report.html'}")
    return FAILED if made.passed is False or not went_well else OK


def _save_surface(problem: npde.Problem, solution: npde.Solution, out: Path) -> None:
    """The zero set of a signed distance as a file beside the report."""
    if not isinstance(problem.equation, npde.Eikonal) or problem.equation.surface is None:
        return
    name = "surface.ply" if problem.domain.dimension == 3 else "surface.vtk"
    try:
        print(f"surface:  {npde.validation.zero_set(solution).save(out / name)}")
    except DeclarationError as error:
        print(f"surface:  none: {error}")


def report(given: argparse.Namespace) -> int:
    """`neurapde report`: print a saved report and write its panels and page again."""
    kind = InversionReport if kind_of(given.folder) == InversionReport.kind else Report
    print(kind.render(given.folder), end="\n\n")
    print(f"report:   {given.folder / 'report.html'}")
    return OK


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
            return given.action(given)
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
