"""Accuracy of `Galerkin` against the bandwidth of its sines: `helmholtz-disk`, whose medium jumps.

Errors are relative L2 in the physical region against the exact series.
"""

import warnings

import numpy as np
from harness import Measured, error_against_exact, in_turns, summary, timed

import neurapde as npde
from neurapde.problems import helmholtz_disk

BANDWIDTHS = (30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 360.0)


def measure(small: bool) -> Measured:
    """Solve at each bandwidth, three times."""
    problem = helmholtz_disk(wavenumber=10.0) if small else helmholtz_disk()
    bandwidths = (18.0, 27.0) if small else BANDWIDTHS
    rows = []
    for bandwidth in bandwidths:
        solved = []

        def solve(bandwidth: float = bandwidth, solved: list[npde.Solution] = solved) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", npde.ResolutionWarning)  # too few sines are what is measured
                method = npde.Galerkin(bandwidth=bandwidth)
                solved[:] = [npde.solve(problem, method=method, progress=False)]

        laps = in_turns({"galerkin": timed(solve)}, 1 if small else 3)["galerkin"]
        [solution] = solved
        rows.append(
            {
                "bandwidth": bandwidth,
                "features": solution.stages[-1].extras["features"],
                "error": error_against_exact(problem, solution),
                "estimate": solution.stages[-1].extras["error_estimate"],
                **summary(laps),
            }
        )
    logs = np.log([[row["features"], row["error"]] for row in rows])
    order = -float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
    table = [["bandwidth", "features", "wall", "computed", "error", "its own estimate"]]
    table += [
        [
            f"{row['bandwidth']:g}",
            f"{row['features']}",
            f"{row['wall']:.3g} s",
            f"{row['computed']:.3g} s",
            f"{row['error']:.1e}",
            f"{row['estimate']:.1e}",
        ]
        for row in rows
    ]
    notes = (f"Error ~ features to the power −{order:.2f} over all rows.",)
    return Measured({"problem": problem.name, "fitted_power": -order}, rows, table, notes)
