"""`neurapde validate`: the declared problems by their default methods, each error beside what it must stay below."""

import argparse
from dataclasses import dataclass

import neurapde as npde
from neurapde.cli.cases import inversion_case, named_case
from neurapde.cli.parsing import Parser, add_computing, add_json, folder
from neurapde.cli.problems import grid_solution
from neurapde.cli.results import keep_earlier
from neurapde.problems import CASES, INVERSIONS, Case, InversionCase

HEADING = f"{'problem':<20} {'error':>8} {'allowed':>8} {'seconds':>8}  verdict  against"


@dataclass(frozen=True)
class Verdict:
    """One problem, solved: its error, the largest that is allowed, the seconds it took, and what it was compared with."""

    name: str
    error: float
    allowed: float
    seconds: float
    truth: str

    @property
    def passed(self) -> bool:
        """NaN is not."""
        return self.error <= self.allowed

    def __str__(self) -> str:
        word = "passed" if self.passed else "FAILED"
        return f"{self.name:<20} {self.error:>8.3%} {self.allowed:>8.3%} {self.seconds:>8.1f}  {word}   {self.truth}"


def grammar(parser: Parser) -> None:
    """The arguments of `neurapde validate`."""
    parser.description = (
        "Solve problems by the default method and check each error against its tolerance.\nThe exit status is 1 if an "
        "error is above its tolerance."
    )
    parser.epilog = "example:\n  neurapde validate helmholtz-uniform helmholtz-disk"
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: every problem of `neurapde list`")
    parser.add_argument("--out", type=folder, metavar="DIR", help="write the reports into DIR/NAME")
    add_computing(parser)
    add_json(parser)
    parser.set_defaults(action=validate)


def validate(given: argparse.Namespace) -> int:
    """A row for each problem, as it comes; 1 if an error is above its tolerance."""
    named = [inversion_case(name) or named_case(name) for name in given.names]
    cases: list[Case | InversionCase] = named or [*CASES, *INVERSIONS]
    print(HEADING, flush=True)
    verdicts = []
    for case in cases:
        verdicts.append(_inverted(case, given) if isinstance(case, InversionCase) else _solved(case, given))
        print(verdicts[-1], flush=True)
    given.result = [{**vars(verdict), "passed": verdict.passed} for verdict in verdicts]
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def _solved(case: Case, given: argparse.Namespace) -> Verdict:
    problem = case.factory()
    solution = npde.solve(problem, device=given.device, seed=given.seed)
    made = npde.validate(solution, grid_solution(problem), tolerance=case.tolerance)
    if given.out is not None:
        keep_earlier(given.out / case.name)
        made.save(given.out / case.name)
    bar = "not known" if made.error_bar is None else f"{made.error_bar:.3%}"
    truth = f"the grid, whose own error is {bar}" if made.judge == "reference" else "the exact field"
    return Verdict(case.name, made.relative_l2, case.tolerance, solution.seconds, truth)


def _inverted(case: InversionCase, given: argparse.Namespace) -> Verdict:
    problem = case.factory()
    inversion = problem.invert(seed=given.seed)
    made = npde.validation.inversion_report(
        inversion, true=problem.truth, classical=problem.invert_classically()
    )
    if given.out is not None:
        keep_earlier(given.out / case.name)
        made.save(given.out / case.name)
    return Verdict(
        case.name, made.measures["model error"], case.tolerance, inversion.seconds, "the true model"
    )
