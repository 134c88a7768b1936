"""`neurapde run`: the main job, from the declaration to the report."""

import argparse
import json
from pathlib import Path

import torch

import neurapde as npde
from neurapde.cli.cases import inversion_case, named_case
from neurapde.cli.examples import RUN_EXAMPLES
from neurapde.cli.file_names import file_name
from neurapde.cli.methods import DIRECT, INVERTING, NAMES, TRAINED, method_of
from neurapde.cli.parsing import STARTED, Parser, UsageError, add_computing, add_json, folder
from neurapde.cli.problems import grid_solution, problem_of
from neurapde.cli.results import Phases, keep_earlier, save
from neurapde.core.errors import DeclarationError
from neurapde.late import Late
from neurapde.training.run.method import Status

run_case = Late("neurapde.cli.inversions", "run_case")

OK, FAILED, INTERRUPTED = 0, 1, 130


def grammar(parser: Parser) -> None:
    """The arguments of `neurapde run`."""
    parser.description = "Solve a problem, compare with the exact solution and a grid, and write a report."
    parser.epilog = RUN_EXAMPLES
    parser.add_argument(
        "problem", metavar="NAME|FILE.py", help="a name from `neurapde list`, or a Python file"
    )
    parser.add_argument(
        "--method",
        choices=NAMES,
        metavar="METHOD",
        help=f"default: chosen for the problem. Direct: {', '.join(DIRECT)}. Trained: {', '.join(TRAINED)}. For an "
        f"inversion: {', '.join(INVERTING)}",
    )
    parser.add_argument(
        "--steps", type=int, metavar="N", help="training steps, or steps in each stage of an inversion"
    )
    parser.add_argument(
        "--tolerance", type=float, metavar="ERROR", help="relative error that a direct method aims at"
    )
    parser.add_argument(
        "--dtype", choices=("float32", "float64"), help="precision; default: the method's own"
    )
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="parameters of the problem")
    parser.add_argument("--shape", type=_shape, metavar="NX,NY", help="nodes of the reference grid")
    parser.add_argument("--no-reference", action="store_true", help="do not solve on a grid")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint in --out")
    parser.add_argument("--out", type=folder, metavar="DIR", help="folder of the report; default: runs/NAME")
    add_computing(parser)
    add_json(parser)
    parser.set_defaults(action=run)


def _shape(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a shape; write two numbers of nodes, such as 257,257"
        ) from None


def run(given: argparse.Namespace) -> int:
    """`neurapde run`: the main job, from the declaration to the report."""
    if (inversion := inversion_case(given.problem)) is not None:
        if given.tolerance is not None:
            raise UsageError(
                f"--tolerance belongs to the direct methods, and {given.problem} is an inversion; leave it out"
            )
        status = run_case(inversion, given)
        saved = (given.out or Path("runs") / file_name(inversion.name)) / "report.json"
        given.result = json.loads(saved.read_text(encoding="utf-8")) if saved.is_file() else None
        return status
    phases = Phases("imports", STARTED)
    problem = problem_of(given.problem, given.set)
    method = method_of(given, problem)
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
    phases.end("solve")
    for note in solution.notes:
        print(note)
    print(f"Solved in {solution.seconds:.1f} s. {solution.status}")
    if not given.resume:
        keep_earlier(out)
    file = save(solution.save, out / "solution.h5")
    print(f"solution: {file}", end="\n\n", flush=True)
    given.result = {
        "problem": problem.name,
        "method": solution.method,
        "status": solution.status.name,
        "seconds": solution.seconds,
        "notes": list(solution.notes),
        "solution": str(file),
        "report": None,
    }
    if solution.status is Status.INTERRUPTED:
        if (out / "checkpoint.h5").exists():
            print(f"To continue, run the same command with --out {out} --resume")
        return INTERRUPTED
    went_well = solution.status not in (Status.DIVERGED, Status.UNRESOLVED, Status.STALLED)
    default = method is None and not given.set and not given.problem.endswith(".py")
    tolerance = named_case(given.problem).tolerance if default else None
    reference = None if given.no_reference else grid_solution(problem, given.shape)
    phases.end("reference")
    try:
        made = npde.validate(solution, reference, tolerance=tolerance)
    except DeclarationError as error:
        print(f"Not compared: {error}")
        return OK if went_well else FAILED
    phases.end("comparison")
    made.save(out)
    phases.end("report")
    given.result["report"], given.result["phases"] = made.as_json(), phases.seconds
    print(made, end="\n\n")
    _save_surface(problem, solution, out)
    print(phases)
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
