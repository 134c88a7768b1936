"""Problems as the command line names them: a case or a Python file, with KEY=VALUE settings."""

import ast
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from neurapde.cli.cases import named_case
from neurapde.cli.parsing import UsageError, meant
from neurapde.core.errors import DeclarationError, StorageError
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import ResolutionError
from neurapde.references.reference import reference
from neurapde.references.solution import GridSolution

Made = TypeVar("Made")


def problem_of(name: str, assignments: Sequence[str]) -> Problem:
    """The problem that a name or a file declares, with the parameters that were set."""
    declared = problem_in_file(Path(name)) if name.endswith(".py") else named_case(name).factory
    if isinstance(declared, Problem):
        if assignments:
            raise UsageError(
                f"--set {assignments[0]}: {name} defines `problem` as a value, and a value has no parameters. Make it a "
                "function: def problem(wavenumber=20.0): return npde.Problem(...)"
            )
        return declared
    made = called(declared, settings_for(declared, assignments), name)
    if not isinstance(made, Problem):
        raise UsageError(f"problem() in {name} returned {type(made).__name__}; return a neurapde.Problem.")
    return made


def called(factory: Callable[..., Made], settings: Mapping[str, object], name: str) -> Made:
    """What a function that declares a problem returns.

    Raises: UsageError if it fails, after the lines of the user's file in which it does.
    """
    try:
        inspect.signature(factory).bind(**settings)
    except TypeError as error:
        raise UsageError(
            f"problem() in {name}: {error}; give every parameter a default, or --set it"
        ) from None
    try:
        return factory(**settings)
    except (DeclarationError, ResolutionError, StorageError, OSError):
        raise
    except (Exception, SystemExit) as error:
        _show(error, Path(name))
        said = ", ".join(f"{key}={value!r}" for key, value in settings.items())
        raise UsageError(f"{name} with {said or 'its defaults'} failed (see above): {_told(error)}") from None


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def _show(error: BaseException, path: Path) -> None:
    """The lines of a file of the user's in which it failed; nothing of what is between and behind them."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    print("".join(traceback.format_list(frames)), end="", file=sys.stderr)
    if isinstance(error, SyntaxError):
        print("".join(traceback.format_exception_only(error)), end="", file=sys.stderr)


def settings_for(factory: Callable[..., object], assignments: Sequence[str]) -> Mapping[str, object]:
    """`["wavenumber=30", "source_at=-0.3,0.2"]` as keywords of `factory`; values are Python literals, or plain
    text where the default is text.

    Raises: UsageError for an assignment without `=`, a name the factory does not take, or no literal.
    """
    known = inspect.signature(factory).parameters
    settings: dict[str, object] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise UsageError(f"--set {assignment}: write KEY=VALUE, as --set wavenumber=30")
        if name not in known:
            raise UsageError(
                f"--set {assignment}: there is no parameter {name!r}{meant(name, known)}; use one of "
                f"{', '.join(known)}."
            )
        if isinstance(known[name].default, str):
            settings[name] = text
            continue
        try:
            settings[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise UsageError(
                f"--set {assignment}: {text!r} is not a number, tuple or None; write 30, 1e-4, 1+1j or 0.3,0.2"
            ) from None
    return settings


def problem_in_file(path: Path) -> Problem | Callable[..., object]:
    """What the Python file `path` calls `problem`.

    Raises: UsageError if there is no such file, it fails (after its traceback), or it defines no problem.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}; check the path")
    spec = importlib.util.spec_from_file_location(f"neurapde_file_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file; give a name that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (DeclarationError, ResolutionError, StorageError):
        raise
    except (Exception, SystemExit) as error:
        _show(error, path)
        raise UsageError(f"{path} failed (see above): {_told(error)}") from None
    declared = vars(module).get("problem")
    if not isinstance(declared, Problem) and not callable(declared):
        raise UsageError(
            f"{path} does not define `problem`; set it to a neurapde.Problem or to a function that returns "
            "one."
        )
    return declared


def grid_solution(problem: Problem, shape: Sequence[int] | None = None) -> GridSolution | None:
    """The problem on a grid; None where no grid solver takes it, unless a shape was asked for: that is an error."""
    try:
        return reference(problem, shape=shape)
    except DeclarationError:
        if shape is not None:
            raise
        return None
