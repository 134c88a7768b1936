"""Compiling the layers of a trial function for a while; serves methods that evaluate one very often."""

from collections.abc import Iterator
from contextlib import contextmanager

from neurapde.core.errors import DeclarationError
from neurapde.jets.compiled import best_kernels
from neurapde.jets.kernels import EAGER
from neurapde.trials.base import TrialFunction
from neurapde.trials.layered import LayeredTrial


@contextmanager
def compiled(trial: TrialFunction) -> Iterator[str | None]:
    """Compile the sweeps of every layered network in `trial` inside a with statement.

    Gives None, or where this machine cannot compile, why: the network then runs as ever.
    Raises DeclarationError for a trial function without such a network.
    """
    layered = [module for module in trial.modules() if isinstance(module, LayeredTrial)]
    if not layered:
        raise DeclarationError(
            f"compile=True is for networks of layers, and {trial.spec.describe()} has none; leave it out."
        )
    kernels, reason = best_kernels(next(trial.parameters()).device)
    for network in layered:
        network.kernels = kernels
    try:
        yield None if reason is None else f"compile=True had no effect: {reason}"
    finally:
        for network in layered:
            network.kernels = EAGER
