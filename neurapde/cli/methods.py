"""The methods by their names at the command line, with the settings that it has flags for."""

import argparse

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
    if steps is not None and name not in TRAINED:
        raise UsageError(
            f"--steps belongs to --method {listing(TRAINED, 'or')}; the direct methods have no steps; leave it out."
        )
    if tolerance is not None and name in TRAINED:
        raise UsageError(
            f"--tolerance belongs to the direct methods, {listing(DIRECT)}; for {name} give --steps instead."
        )
    if name in TRAINED:
        if steps is None:
            raise UsageError(f"--method {name} needs --steps N; 2000 of adam take a few minutes on a CPU.")
        return TRAINED[name](steps=steps)  # type: ignore[call-arg]
    settings = {} if tolerance is None else {"tolerance": tolerance}
    if name is not None:
        return DIRECT[name](**settings)
    if not settings:
        return None
    chosen, _ = choose_method(problem, None)
    if type(chosen) not in DIRECT.values():
        raise UsageError(
            f"--tolerance belongs to the direct methods, and {problem.name} is trained, by "
            f"{type(chosen).__name__}; leave it out"
        )
    return type(chosen)(**{**vars(chosen), **settings})
