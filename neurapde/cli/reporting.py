"""`neurapde report`: a saved report, shown again."""

import argparse
from pathlib import Path

from neurapde.cli.parsing import Parser, add_json
from neurapde.validation.folder import kind_of
from neurapde.validation.inversions.report import InversionReport
from neurapde.validation.report import Report

OK = 0


def grammar(parser: Parser) -> None:
    """The arguments of `neurapde report`."""
    parser.description = "Print a saved report, and write its page again."
    parser.epilog = "example:\n  neurapde report runs/helmholtz-disk"
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder that `run` wrote")
    add_json(parser)
    parser.set_defaults(action=report)


def report(given: argparse.Namespace) -> int:
    """`neurapde report`: print a saved report and write its panels and page again."""
    kind = InversionReport if kind_of(given.folder) == InversionReport.kind else Report
    report = kind.render(given.folder)
    given.result = report.as_json()
    print(report, end="\n\n")
    print(f"report:   {given.folder / 'report.html'}")
    return OK
