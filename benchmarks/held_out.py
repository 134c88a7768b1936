"""Fit every second pixel of a picture along each axis, and see how good the field is at the pixels between.

By the default method, with the trial function that a fit takes by itself and with other ω of the first layer; beside them
what cubic interpolation makes of the same pixels.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Measured
from scipy.interpolate import RegularGridInterpolator

import neurapde as npde
from neurapde.validation.metrics import psnr

SEED = 50413
OMEGAS = (5.0, 10.0, 20.0)
"""ω of the first layer that are tried besides what the fit takes by itself."""


def measure(small: bool) -> Measured:
    """Decibels at the pixels that were fitted, and at those held out."""
    size, width = (32, 16) if small else (256, 256)
    rows: list[dict[str, Any]] = []
    for picture in ("camera",) if small else ("camera", "coffee"):
        fine = npde.data.read_image(picture, size=size, gray=True)
        fitted = fine.every(2)
        problem = npde.Problem(f"half-of-{picture}", fitted.domain, npde.Fit(values=fitted))
        method = npde.Adam(20, points=256, loss=npde.training.MeanSquare()) if small else None
        trials: list[npde.Siren | None] = [None]
        trials += [npde.Siren(width=width, omega_0=omega) for omega in OMEGAS]
        ways: dict[str, Callable[[], Any]] = {
            "cubic interpolation": lambda fit=fitted: RegularGridInterpolator(fit.axes, fit.values, "cubic")
        }
        for trial in trials[1:2] if small else trials:
            name = "SIREN, by itself" if trial is None else f"SIREN, ω {trial.omega_0:g}"
            ways[name] = lambda trial=trial, problem=problem, method=method: npde.solve(
                problem, trial, method, seed=SEED
            )
        rows += [row(fine, picture, name, make) for name, make in ways.items()]
    table = [["picture", "field", "fitted, dB", "held out, dB", "computed, s"]]
    for result in rows:
        decibels = [f"{result[what]:.1f}" for what in ("fitted", "held out")]
        table.append([result["picture"], result["field"], *decibels, f"{result['computed']:.0f}"])
    return Measured({"pixels": size, "kept": "every second along each axis", "seed": SEED}, rows, table)


def row(fine: npde.data.Raster, picture: str, name: str, make: Callable[[], Any]) -> dict[str, Any]:
    """One field's decibels on the pixels that were fitted and on those between; the values span 2."""
    begin, computed = time.perf_counter(), time.process_time()
    field = make()
    seconds = {"wall": time.perf_counter() - begin, "computed": time.process_time() - computed}
    fitted, held = fine.every(2), fine.held_out(2)
    assert held.targets is not None
    between = np.asarray(field(held.points.numpy()))
    return {
        "picture": picture,
        "field": name,
        "fitted": psnr(np.asarray(field(fitted.points)), fitted.targets, peak=2),
        "held out": psnr(between, held.targets.numpy(), peak=2),
    } | seconds
