"""The call of the previous release, `invert(survey, domain=…, velocity=…, boundary=…)`; the next one removes it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from warnings import warn

from neurapde.conditions import Absorbing, Boundary, Dirichlet
from neurapde.conditions.sides import Sides
from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.domains.base import Domain
from neurapde.domains.spacetime import SpaceTime, Time
from neurapde.equations.wave import Wave
from neurapde.problem.problem import Problem
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.survey.survey import Survey

Given = ParamSpec("Given")
Result = TypeVar("Result")


def takes_old_call(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """A function of a Problem and a Survey that also accepts a Survey with domain=, velocity= and boundary=."""

    @wraps(function)
    def called(*given: Any, **settings: Any) -> Any:
        if given and isinstance(given[0], Survey) and "domain" in settings:
            name = getattr(function, "__name__", "")
            warn(
                f"{name}(survey, domain=…, velocity=…, boundary=…) is {name}(problem, survey, unknown=Velocity(…)) now, "
                "with the domain and boundary of the Problem; the next release removes the old call.",
                DeprecationWarning,
                2,
            )
            velocity = settings.pop("velocity", None)
            settings["unknown"] = velocity if isinstance(velocity, Velocity) else Velocity(velocity)
            given = (_problem(given[0], settings.pop("domain"), settings.pop("boundary", None)), *given)
        return function(*given, **settings)

    return called


def _problem(survey: Survey, domain: Any, boundary: Any) -> Problem:
    """The intended problem; a side without a condition absorbs, or has the value zero if there is a PML."""
    if not isinstance(domain, Domain) or isinstance(domain, SpaceTime):
        raise DeclarationError(f"domain={checks.shown(domain)}; give a Box of two axes")
    parts = () if boundary is None else boundary if isinstance(boundary, list | tuple) else (boundary,)
    if any(not isinstance(condition, Boundary) for condition in parts):
        raise DeclarationError(
            f"boundary={checks.shown(boundary)}; give conditions such as npde.PML(width=…)"
        )
    sides = Sides(domain, tuple(parts))
    if silent := sides.silent:
        parts = (*parts, Dirichlet(0.0, on=silent) if sides.layer else Absorbing(on=silent))
    return Problem(survey.name, SpaceTime(domain, Time(0.0, 1.0)), Wave(), boundary=parts)
