"""What a fit's data say on their own grid: the samples themselves, or the picture that has their derivatives."""

import math
import time
from typing import Any

import numpy as np

from neurapde.core.errors import DeclarationError
from neurapde.data.raster import Raster
from neurapde.equations.fit import Fit
from neurapde.problem.problem import Problem
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.reference_solvers.image_poisson import image_from_gradients, image_from_laplacian
from neurapde.references.cost import check_grid, factored
from neurapde.references.solution import GridSolution

ENTRY = 75.0  # bytes for each of the n log₂ n of a factorisation


def solve_fit(equation: Fit, problem: Problem, shape: tuple[int, ...] | None, error: bool) -> GridSolution:
    """The adapter of `npde.reference` for fits: on the grid of the samples, so `shape` is None or theirs."""
    begin = time.perf_counter()
    values, raster, note = _solved(equation, problem)
    if shape is not None and shape != raster.shape:
        raise DeclarationError(
            f"shape={shape}, but the samples of {problem.name} lie on {raster.shape} nodes; leave shape out"
        )
    grid = Grid(raster.lower, raster.upper, raster.shape)
    known = 0.0 if equation.values is not None else None
    return GridSolution(values, grid, time.perf_counter() - begin, known, notes=(note,))


def _solved(equation: Fit, problem: Problem) -> tuple[np.ndarray, Raster, str]:
    """The values, a raster on the same nodes, and how they came about."""
    if isinstance(equation.values, Raster):
        return equation.values.values, equation.values, "the samples themselves"
    slopes = equation.gradient
    if isinstance(slopes, tuple) and len(slopes) == 2:
        nodes = _nodes_between(*slopes)
        check_grid(factored(math.prod(nodes.shape), ENTRY), nodes.shape, problem.name)
        values = image_from_gradients(
            *(slope.values.astype(float) for slope in slopes), spacing=nodes.spacing
        )
        return (
            values,
            nodes,
            "the least-squares image of these differences, with mean zero, by a sparse solve",
        )
    if isinstance(equation.laplacian, Raster) and equation.laplacian.dimension == 2:
        raster = equation.laplacian
        check_grid(factored(math.prod(raster.shape), ENTRY), raster.shape, problem.name)
        values = image_from_laplacian(
            raster.values.astype(float), spacing=(raster.spacing[0], raster.spacing[1])
        )
        note = "the image with this five-point Laplacian, continued evenly, with mean zero, by a sparse solve"
        return values, raster, note
    raise DeclarationError(
        f"there is no grid solver for the data of {problem.name!r}: it takes values on a Raster of any dimension, and "
        "differences (Raster.differences()) or a Laplacian of an image; compare with Problem(exact=…)"
    )


def _nodes_between(across: Raster, up: Raster) -> Any:
    """The nodes of the picture with these differences, which lie at the middles of its edges."""
    shape = (across.shape[0] + 1, across.shape[1])
    if up.shape != (shape[0], shape[1] - 1):
        raise DeclarationError(
            f"differences on {across.shape} and {up.shape} nodes do not belong to one image; use Raster.differences()"
        )
    lower, upper = (up.lower[0], across.lower[1]), (up.upper[0], across.upper[1])
    return Raster(np.zeros(shape), lower, upper)
