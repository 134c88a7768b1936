"""The methods by their names at the command line, with the settings that it has flags for."""

import argparse
from collections.abc import Mapping
from typing import Any

import neurapde as npde
from neurapde.cli.parsing import UsageError
from neurapde.core.formatting import listing
from neurapde.methods.choice import choose_method
from neurapde.problem.problem import Problem
from neurapde.training.run.method import Method

DIRECT: dict[str, type[Method]] = {
    "galerkin": npde.Galerkin,
    "least-squares": npde.LeastSquares,
    "method-of-lines": npde.MethodOfLines,
    "newton": npde.Newton,
    "separable": npde.Separable,
    "spectral-elements": npde.SpectralElements,
    "time-marching": npde.TimeMarching,
    "trefftz": npde.Trefftz,
}
"""They solve for coefficients, up to a tolerance."""
TRAINED: dict[str, type[Method]] = {
    "adam": npde.Adam,
    "lbfgs": npde.LBFGS,
    "natural-gradient": npde.NaturalGradient,
}
"""They take steps."""
INVERTING = ("joint", "reduced", "adjoint", "irwri", "penalty", "multiscale", "time")
"""They invert surveys: the names in `neurapde.seismic.inversion.invert`, which is not imported for a solve."""
NAMES = (*DIRECT, *TRAINED, *INVERTING)


def method_of(given: argparse.Namespace, problem: Problem) -> Method | None:
    """The method that was asked for; None leaves the choice to `solve`. Raises: UsageError."""
    name, steps, tolerance = given.method, given.steps, given.tolerance
    if name in INVERTING:
        raise UsageError(
            f"--method {name} inverts surveys, but {given.problem} is not an inversion; leave it out"
        )
    if steps is not None and name in DIRECT:
        raise UsageError(
            f"--steps belongs to --method {listing(TRAINED, 'or')}; {name} takes none; leave it out."
        )
    if tolerance is not None and name in TRAINED:
        raise UsageError(
            f"--tolerance belongs to the direct methods, {listing(DIRECT)}; for {name} give --steps instead."
        )
    if name in TRAINED:
        if steps is None:
            raise UsageError(f"--method {name} needs --steps N; 2000 of adam take a few minutes on a CPU.")
        return TRAINED[name](steps=steps)  # type: ignore[call-arg]
    settings = {
        key: value for key, value in {"steps": steps, "tolerance": tolerance}.items() if value is not None
    }
    if name is not None:
        return DIRECT[name](**settings)
    return _default(problem, settings) if settings else None


def _default(problem: Problem, settings: Mapping[str, Any]) -> Method:
    """The method that `solve` would choose, with steps where it is trained, or a tolerance where it is direct."""
    chosen, _ = choose_method(problem, None)
    name, trained = type(chosen).__name__, type(chosen) in TRAINED.values()
    if "steps" in settings and not trained:
        raise UsageError(
            f"--steps belongs to a training, and {problem.name} is solved by {name}, which takes none; leave it out, or "
            f"add --method {listing(TRAINED, 'or')}."
        )
    if "tolerance" in settings and type(chosen) not in DIRECT.values():
        raise UsageError(
            f"--tolerance belongs to the direct methods, and {problem.name} is trained, by {name}; leave it out"
        )
    return type(chosen)(**{**vars(chosen), **settings})
