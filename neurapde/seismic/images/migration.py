"""Images of a survey in a smooth model: the gradient of a misfit, reverse-time migration, and migration by least squares."""

from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, cg

from neurapde.core import checks
from neurapde.problem.problem import Problem
from neurapde.seismic.images.image import Image, Linearised
from neurapde.seismic.inversion.methods.gauss_newton import data_hessian
from neurapde.seismic.inversion.methods.method import InversionMethod
from neurapde.seismic.inversion.misfits import Misfit
from neurapde.seismic.inversion.velocity import Velocity
from neurapde.seismic.survey.survey import Survey

DARK = 0.1
"""Fraction of the mean illumination added to it, so that noise is not amplified where illumination is low."""


def gradient(
    problem: Problem,
    survey: Survey,
    *,
    unknown: Velocity | None = None,
    frequencies: Any = None,
    method: str | InversionMethod = "adjoint",
    misfit: Misfit | None = None,
) -> Image:
    """The derivative of the misfit by the speed at the start model, per area.

    A change δc of the speed changes the misfit by ∫ values · δc. The arguments are those of `invert`; a method in time
    takes traces, and every misfit. Raises: DeclarationError for arguments that do not fit together.
    """
    at = Linearised.of(problem, survey, unknown, frequencies, method, misfit)
    by_speed = at.slope() * -2 * at.speed**-3 / float(np.prod(at.grid.spacing))
    return Image(by_speed, f"gradient of {at.setting.misfit.name}", at.grid, at.setting.survey)


def migrate(
    problem: Problem,
    survey: Survey,
    *,
    unknown: Velocity | None = None,
    frequencies: Any = None,
    method: str | InversionMethod = "adjoint",
    steps: int = 0,
) -> Image:
    """An image of the reflectors, from the residual of the start model, as a change of its speed.

    This is reverse-time migration: the waves of the shots times the residual propagated back from the receivers,
    divided by the illumination. One factor scales it to explain the data best. The start model must be smooth, with
    correct travel times; it must explain the direct waves, or they must be muted.

    steps: conjugate-gradient steps towards the change that explains the data best (least-squares migration); 0 for
    none. The other arguments are those of `invert`, with spectra or frequencies.
    Source: Baysal, Kosloff, Sherwood (1983), Geophysics 48(11); Plessix and Mulder (2004), Geophys. J. Int. 157(3), for the
        illumination; Nemeth, Wu, Schuster (1999), Geophysics 64(1), for least squares.
    """
    checks.whole(steps, "steps", 0)
    at = Linearised.of(problem, survey, unknown, frequencies, method)
    seen = at.curvature()
    bright = seen + DARK * float(seen[at.free].mean())
    target = -at.slope()
    product, shape, free = data_hessian(at.objective, at.model, at.objective()), at.grid.shape, at.free

    def applied(change: np.ndarray) -> np.ndarray:
        moved = product(torch.from_numpy(at.spread(change.reshape(shape) * free))).numpy()
        return np.asarray(at.cut(moved) * free).ravel()

    update = target / bright
    update *= float(np.vdot(update, target) / np.vdot(update, applied(update)))  # explains the data best
    if steps:
        count = target.size
        matrix = LinearOperator((count, count), applied, dtype=float)
        scaled = LinearOperator((count, count), lambda v: v.ravel() / bright.ravel(), dtype=float)
        update = cg(matrix, target.ravel(), rtol=1e-12, maxiter=steps, M=scaled)[0].reshape(shape)
    change = -0.5 * at.speed**3 * update
    return Image(change, "change of speed", at.grid, at.setting.survey, seen / float(seen.max()))
