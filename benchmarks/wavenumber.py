"""`Galerkin` beside the grid solver, over the wavenumber, in media whose exact field is known.

Both at what they choose by themselves: `Galerkin` to its tolerance, the grid as `neurapde.reference` picks and
refines it, its error estimate included. Errors are relative L2 in the physical region against the exact field.
"""

import warnings

from harness import Lap, Measured, error_against_exact, in_turns, summary, timed

import neurapde as npde
from neurapde.problems import helmholtz_disk, helmholtz_uniform

MEDIA = {"uniform": helmholtz_uniform, "disk": helmholtz_disk}
WAVENUMBERS = (5.0, 10.0, 20.0, 40.0, 80.0)


class Compared:
    """One problem and what the two ways last made of it."""

    def __init__(self, problem: npde.Problem) -> None:
        self.problem = problem

    def galerkin(self) -> None:
        self.solution = npde.solve(self.problem, method=npde.Galerkin(), progress=False)

    def grid(self) -> None:
        self.reference = npde.reference(self.problem)

    def rows(self, medium: str, wavenumber: float, laps: dict[str, list[Lap]]) -> list[dict]:
        """The raw numbers of both ways."""
        extras = self.solution.stages[-1].extras
        galerkin = {
            "unknowns": extras["features"],
            "error": error_against_exact(self.problem, self.solution),
            "estimate": extras["error_estimate"],
            "bandwidth": extras["bandwidth"],
            "iterations": extras["iterations"],
        }
        grid = {
            "unknowns": self.reference.values.size,
            "error": error_against_exact(self.problem, self.reference),
            "estimate": self.reference.error_estimate,
        }
        both = {"galerkin": galerkin, "grid": grid}
        head = {"medium": medium, "wavenumber": wavenumber}
        return [{**head, "way": way, **entry, **summary(laps[way])} for way, entry in both.items()]


def measure(small: bool) -> Measured:
    """Solve by both ways, in turns, three times where that takes seconds."""
    wavenumbers = (5.0,) if small else WAVENUMBERS
    rows, notes = [], []
    for medium, factory in MEDIA.items():
        for wavenumber in wavenumbers:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                compared = Compared(factory(wavenumber=wavenumber))
                ways = {"galerkin": timed(compared.galerkin), "grid": timed(compared.grid)}
                laps = in_turns(ways, 1 if small or wavenumber > 20 else 3)
                rows += compared.rows(medium, wavenumber, laps)
            notes += [f"{medium}, k = {wavenumber:g}: {text}." for text in {str(w.message) for w in caught}]
    settings = {"wavenumbers": wavenumbers, "media": list(MEDIA), "tolerance": npde.Galerkin().tolerance}
    return Measured(settings, rows, _table(rows), notes)


def _table(rows: list[dict]) -> list[list[str]]:
    head = ["medium, way", "k", "unknowns", "wall", "computed", "error", "its own estimate"]
    table = [head]
    for row in rows:
        estimate = row["estimate"]
        table.append(
            [
                f"{row['medium']}, {row['way']}",
                f"{row['wavenumber']:g}",
                f"{row['unknowns']}",
                f"{row['wall']:.3g} s",
                f"{row['computed']:.3g} s",
                f"{row['error']:.1e}",
                "" if estimate is None else f"{estimate:.1e}",
            ]
        )
    return table
