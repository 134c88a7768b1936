"""What is compared: a solution, and the field of a grid."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grid import Grid
from neurapde.run.history import History


class Solved(Protocol):
    """What `validate` asks of a solution."""

    @property
    def required_problem(self) -> Problem: ...
    @property
    def method(self) -> str: ...
    @property
    def status(self) -> object: ...
    @property
    def seconds(self) -> float: ...
    @property
    def history(self) -> History: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def trial(self) -> Any: ...
    def __call__(self, points: NDArray[np.float64]) -> NDArray: ...
    def gradient(self, points: NDArray[np.float64]) -> NDArray: ...


@runtime_checkable
class Referred(Protocol):
    """What `validate` asks of a grid solution: values of the grid's shape, with one more axis for shots."""

    @property
    def values(self) -> NDArray: ...
    @property
    def grid(self) -> Grid: ...
    @property
    def error_estimate(self) -> float | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def notes(self) -> Sequence[str]: ...


@runtime_checkable
class FieldOfProblem(Protocol):
    """The least that a solution is: a field that knows its problem."""

    @property
    def required_problem(self) -> Problem: ...
    def __call__(self, points: NDArray[np.float64]) -> NDArray: ...


def check_arguments(solution: Any, reference: Any, tolerance: Any) -> None:
    """Refuse what cannot be compared."""
    if not isinstance(solution, FieldOfProblem):
        raise DeclarationError(
            f"solution={checks.shown(solution)}: give what npde.solve or npde.load returned."
        )
    if reference is not None and not isinstance(reference, Referred):
        raise DeclarationError(
            f"reference={checks.shown(reference)}: give npde.reference(problem), or None where an exact field is known."
        )
    if tolerance is not None:
        checks.amount(tolerance, "tolerance")
