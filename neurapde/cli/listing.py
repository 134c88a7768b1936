"""`neurapde list`: the declared problems, or one with its parameters."""

import argparse
import inspect

from neurapde.cli.cases import inversion_case, named_case
from neurapde.cli.parsing import Parser, add_json
from neurapde.problems import CASES, INVERSIONS, Case, InversionCase


def grammar(parser: Parser) -> None:
    """The arguments of `neurapde list`."""
    parser.description = "List the problems."
    parser.add_argument("name", nargs="?", help="show the parameters of this problem, which --set changes")
    add_json(parser)
    parser.set_defaults(action=list_problems)


def list_problems(given: argparse.Namespace) -> int:
    """`neurapde list`: a line for each problem, or one problem with its parameters."""
    if given.name is not None:
        case: Case | InversionCase = inversion_case(given.name) or named_case(given.name)
        print(case.factory(), end="\n\n")
        print("parameters, which --set changes:")
        parameters = inspect.signature(case.factory).parameters.values()
        for parameter in parameters:
            print(f"  {parameter.name}={parameter.default}")
        given.result = {
            "name": case.name,
            "parameters": {parameter.name: str(parameter.default) for parameter in parameters},
        }
        return 0
    everything: tuple[Case | InversionCase, ...] = (*CASES, *INVERSIONS)
    keys = ("name", "summary", "tolerance", "seconds")
    given.result = [{key: getattr(case, key) for key in keys} for case in everything]
    width = max(len(case.name) for case in everything)
    for case in everything:
        print(f"{case.name:<{width}}  {case.summary} (about {case.seconds:.0f} s)")
    return 0
