"""A declared inversion for the command line: a survey, the known part of the model, a method, and the truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from neurapde.core.formatting import listing, number
from neurapde.fields.medium import Field
from neurapde.problem.problem import Problem
from neurapde.seismic.inversion.invert import invert
from neurapde.seismic.inversion.methods.continuation import Continuation
from neurapde.seismic.inversion.methods.method import InversionMethod
from neurapde.seismic.inversion.result import Inversion
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.modelling.computational_domain import waves_in
from neurapde.seismic.survey.survey import Survey


@dataclass(frozen=True, eq=False)
class InversionProblem:
    """Data with a known true model, and the settings of their inversion.

    name:      of the inversion.
    record:    makes the survey, on another grid than that of the inversion and with noise.
    truth:     the true speed.
    problem, unknown, frequencies: as in `npde.invert`.
    method, classical: the default method, and the one for comparison.
    """

    name: str
    record: Callable[[], Survey]
    truth: Field
    problem: Problem
    unknown: Velocity
    method: InversionMethod
    classical: InversionMethod
    frequencies: Continuation

    @cached_property
    def survey(self) -> Survey:
        """The data, made at first use."""
        return self.record()

    def invert(self, method: str | InversionMethod | None = None, **running: Any) -> Inversion:
        """The inversion by a method, the default one unless another is given; `running` goes to `npde.invert`."""
        chosen = self.method if method is None else method
        return invert(
            self.problem,
            self.survey,
            unknown=self.unknown,
            method=chosen,
            frequencies=self.frequencies,
            **running,
        )

    def invert_classically(self, **running: Any) -> Inversion:
        """The inversion for comparison: values on a grid, the same data, bounds, prior and stages."""
        plain = dataclasses.replace(self.unknown, trial=None)
        return dataclasses.replace(self, unknown=plain).invert(self.classical, **running)

    def __str__(self) -> str:
        velocity, (box, speed) = self.unknown, waves_in(self.problem)
        priors = [f"{prior.name} ({number(prior.weight)})" for prior in velocity.prior or ()]
        low, high = (number(bound) for bound in velocity.bounds or ())
        rows = [
            ("model", str(box)),
            ("true speed", self.truth.describe()),
            ("start", speed.describe()),
            ("bounds", f"{low} … {high}"),
            ("prior", listing(priors) if priors else "none"),
            ("frequencies", self.frequencies.describe()),
            ("method", self.method.describe()),
            ("beside it", self.classical.describe()),
        ]
        return "\n".join([self.name, *(f"  {label:<12}{text}" for label, text in rows)])
