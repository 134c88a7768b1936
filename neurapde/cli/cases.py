"""The declared problems and inversions by the names that they have at the command line."""

from neurapde.cli.parsing import UsageError, meant
from neurapde.problems import CASES, INVERSIONS, Case, InversionCase


def named_case(name: str) -> Case:
    """The declared problem of this name.

    Raises: UsageError that lists the names there are.
    """
    for case in CASES:
        if case.name == name:
            return case
    names = ", ".join([*(case.name for case in CASES), *(case.name for case in INVERSIONS)])
    raise UsageError(
        f"there is no problem {name!r}{meant(name, names.split(', '))}; use one of {names}. Write a file with its "
        f"suffix, as {name}.py."
    )


def inversion_case(name: str) -> InversionCase | None:
    """The declared inversion of this name, if there is one."""
    return next((case for case in INVERSIONS if case.name == name), None)
