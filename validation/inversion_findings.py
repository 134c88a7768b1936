"""What an inversion found, as data: models, data and histories of every method beside each other, with all that is
needed to read and to draw them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.run.history import History
from neurapde.storage import hdf5

Measures = Mapping[str, float]
"""Name of a measure → value; what cannot be told is absent."""
RESIDUAL, ELSEWHERE = "data residual", "data residual, fine grid"
MODEL_ERROR, SPEED_ERROR, SIMILARITY = "model error", "RMS speed error", "similarity"
COLUMNS = (RESIDUAL, ELSEWHERE, MODEL_ERROR, SPEED_ERROR, SIMILARITY)
"""Measures in the order of the table."""
PER_FREQUENCY = "residual at "
"""How history columns of single frequencies begin."""


@dataclass(frozen=True, eq=False)
class Account:
    """What one method found.

    method: in one line. status: how it ended. seconds: of all stages. parameters: the number of unknowns.
    speed: on the report's grid. predicted: data of the last stage, shaped like the observed.
    measures: see `COLUMNS`. history: of all stages. ends: last row of each stage. notes: of the inversion.
    """

    method: str
    status: str
    seconds: float
    parameters: int
    speed: NDArray[np.float64]
    predicted: NDArray
    measures: Measures
    history: History
    ends: tuple[int, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Waves:
    """One shot's field at one frequency, as a method has it and as the fine grid has it in the same model, `(nx, ny)`."""

    axes: tuple[NDArray[np.float64], ...]
    own: NDArray[np.complex128]
    grid: NDArray[np.complex128]
    title: str
    source: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class InversionFindings:
    """An inversion beside what is known and beside a classical one.

    title: of the survey. survey, model: as they print. accounts: by the method's short name, the inversion itself first.
    yardsticks: measures of the start model and, where it is known, of the true one.
    axes: coordinates of the report's grid. start, truth: speeds on it; free: where the speed was unknown.
    sources, receivers: `(n, 2)`. downwards: whether y is a depth. wells: x of the vertical profiles.
    observed: of the last stage. frequencies: its, Hz, empty for traces. times: of traces. live: `(S, R)`.
    waves: of one shot, or None. notes: what must be known to read the numbers.
    """

    title: str
    survey: str
    model: str
    accounts: Mapping[str, Account]
    yardsticks: Mapping[str, Measures]
    axes: tuple[NDArray[np.float64], ...]
    start: NDArray[np.float64]
    truth: NDArray[np.float64] | None
    free: NDArray[np.bool_]
    sources: NDArray[np.float64]
    receivers: NDArray[np.float64]
    downwards: bool
    wells: tuple[float, ...]
    observed: NDArray
    frequencies: NDArray[np.float64]
    times: NDArray[np.float64]
    live: NDArray[np.bool_]
    waves: Waves | None
    notes: tuple[str, ...]
    versions: Mapping[str, str] = field(default_factory=hdf5.versions)

    @property
    def first(self) -> Account:
        """The inversion that was asked for."""
        return next(iter(self.accounts.values()))

    @property
    def measures(self) -> Measures:
        """Its measures."""
        return self.first.measures

    @property
    def headline(self) -> str:
        """The outcome in one sentence."""
        found = self.measures
        text = f"The model explains the data to {100 * found[RESIDUAL]:.3g} %"
        if MODEL_ERROR not in found:
            return f"{text}; the true model is not known."
        return (
            f"{text}; model error {found[MODEL_ERROR]:.3f} (1 for the start model), RMS speed error "
            f"{found[SPEED_ERROR]:.3g}, structural similarity {found[SIMILARITY]:.3f}."
        )

    @property
    def table(self) -> list[list[str]]:
        """A row for each method and yardstick, the first row the headings."""
        everything: dict[str, Measures] = {name: a.measures for name, a in self.accounts.items()}
        everything |= self.yardsticks
        columns = [name for name in COLUMNS if any(name in found for found in everything.values())]
        rows = [["model", *columns, "seconds"]]
        for name, found in everything.items():
            seconds = f"{self.accounts[name].seconds:.1f}" if name in self.accounts else ""
            rows.append([name, *(_cell(column, found) for column in columns), seconds])
        return rows

    def as_json(self) -> dict[str, Any]:
        """All but the arrays."""
        return {
            "title": self.title,
            "headline": self.headline,
            "survey": self.survey,
            "model": self.model,
            "methods": {
                name: {
                    "method": account.method,
                    "status": account.status,
                    "seconds": account.seconds,
                    "parameters": account.parameters,
                    "measures": dict(account.measures),
                    "ends": list(account.ends),
                    "notes": list(account.notes),
                }
                for name, account in self.accounts.items()
            },
            "yardsticks": {name: dict(found) for name, found in self.yardsticks.items()},
            "downwards": self.downwards,
            "wells": list(self.wells),
            "waves": None if self.waves is None else [self.waves.title, *self.waves.source],
            "notes": list(self.notes),
            "versions": dict(self.versions),
        }


def _cell(column: str, found: Measures) -> str:
    if column not in found:
        return ""
    if column in (RESIDUAL, ELSEWHERE):
        return f"{100 * found[column]:.3g} %"
    return f"{found[column]:.3g}"
