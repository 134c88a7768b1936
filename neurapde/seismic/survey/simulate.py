"""Synthetic surveys: the reference solvers solve a declared problem, and receivers record it.

The grid is the default one of `npde.reference`: 24 nodes in the shortest wavelength if that is cheap, and at least 12
up to 900² nodes. The survey stores it. The solver shares no code with the networks.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurapde.core import checks
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import point
from neurapde.domains.spacetime import SpaceTime
from neurapde.equations.helmholtz import Helmholtz
from neurapde.equations.wave import Wave
from neurapde.fields.pulses import Pulse, PulsedSource
from neurapde.fields.sources import GaussianSource, PointSource, Shots, Source
from neurapde.problem.problem import Problem
from neurapde.references.reference import reference
from neurapde.references.wave import record_wave
from neurapde.seismic.survey import geometry
from neurapde.seismic.survey.provenance import Provenance
from neurapde.seismic.survey.record_checks import ascending
from neurapde.seismic.survey.records import Arguments

_ALIKE = 1e-9  # relative difference up to which the wavelets of shots count as one


def simulated(
    problem: Problem, receivers: Any, sources: Any, shape: Any, dt: float | None, frequencies: Any
) -> Arguments:
    """The arguments of a `Survey` of the problem, without noise; see `Survey.simulate`."""
    if not isinstance(problem, Problem) or not isinstance(problem.equation, Helmholtz | Wave):
        raise DeclarationError(
            f"simulate needs a Problem with the equation Helmholtz or Wave, but got {checks.shown(problem)}; give one "
            "of these"
        )
    if isinstance(problem.equation, Helmholtz) and dt is not None:
        raise DeclarationError(
            f"dt={checks.shown(dt)} is for time traces, and a Helmholtz problem has none; leave it out"
        )
    counts = _counts(shape, problem.domain.spatial.dimension)
    spread = geometry.positions(receivers, "receivers")
    shots = _shots(problem, sources)
    shapes = [_shape(source) for source in shots]
    variances = {shape.variance if isinstance(shape, GaussianSource) else 0.0 for shape in shapes}
    if len(variances) > 1:
        raise DeclarationError(
            f"sources have the variances {sorted(variances)}; give all of them the same variance"
        )
    places = np.array([shape.at for shape in shapes])
    geometry.check_in(places, spread, problem.domain)
    _check_physical(problem, spread)
    declared = Problem(
        problem.name, problem.domain, problem.equation, Shots(*shots), problem.boundary, (), None
    )
    common: Arguments = {
        "sources": places,
        "receivers": spread,
        "source_variance": variances.pop(),
        "name": problem.name,
    }
    if isinstance(problem.equation, Helmholtz):
        band = ascending(problem.equation.wavenumber / (2 * math.pi) if frequencies is None else frequencies)
        return {**common, **_spectra(declared, spread, band, counts)}
    step = None if dt is None else checks.positive(dt, "dt")
    return {**common, **_traces(declared, spread, counts, step)}


def _counts(shape: Any, dimension: int) -> tuple[int, ...] | None:
    """Nodes of each axis, from a number for all of them or a sequence."""
    if shape is None:
        return None
    given = (shape,) * dimension if isinstance(shape, int) else shape
    if not isinstance(given, list | tuple) or len(given) != dimension:
        raise DeclarationError(
            f"shape={checks.shown(shape)}: give whole numbers of nodes for {dimension} axes, or one number"
        )
    return tuple(checks.whole(count, "shape", 3) for count in given)


def _shots(problem: Problem, sources: Any) -> list[Source]:
    """One source for each shot: those of the problem or of Shots, or its first one at other positions."""
    if sources is None or isinstance(sources, Shots):
        entries = problem.right_hand_sides if sources is None else sources.entries
        if wrong := [i for i, entry in enumerate(entries) if len(entry) != 1]:
            raise DeclarationError(
                f"shot {wrong[0]} has {len(entries[wrong[0]])} sources, but a shot of a survey has one; declare "
                "sources=npde.Shots(source, source, …), or give positions sources=(S, d)"
            )
        return [entry[0] for entry in entries]
    places = geometry.positions(sources, "sources")
    model = next((source for entry in problem.right_hand_sides for source in entry), None)
    if model is None and isinstance(problem.equation, Helmholtz):
        model = PointSource([0.0] * places.shape[1])
    if model is None:
        raise DeclarationError(
            f"{problem.name!r} has no source, so the shots have no wavelet; declare one, such as a RickerSource"
        )
    return [_moved(problem, model, place.tolist()) for place in places]


def _moved(problem: Problem, source: Source, at: list[float]) -> Source:
    """The source at another position, with the same w of m u_tt − Δu = w δ for any speed there."""
    moved = dataclasses.replace(_shape(source), at=at)
    if not isinstance(source, Pulse):
        return moved
    ratio = _speed(problem, at) / _speed(problem, _shape(source).at)
    return PulsedSource(dataclasses.replace(moved, amplitude=moved.amplitude * ratio**2), source.signal)


def _speed(problem: Problem, at: Sequence[float]) -> float:
    assert isinstance(problem.equation, Wave)
    return float(np.asarray(problem.equation.speed(np.array([at], dtype=float)))[0])


def _shape(source: Source) -> GaussianSource | PointSource:
    shape = source.shape if isinstance(source, Pulse) else source
    if not isinstance(shape, GaussianSource | PointSource):
        raise DeclarationError(
            f"a shot of a survey is at a point, but {source!r} is not; use a PointSource or GaussianSource"
        )
    return shape


def _check_physical(problem: Problem, spread: NDArray[np.float64]) -> None:
    domain = problem.domain
    start = domain.bounds[0][-1:] if isinstance(domain, SpaceTime) else np.zeros(0)
    at = np.hstack([spread, np.broadcast_to(start, (len(spread), len(start)))])
    if (inside := np.flatnonzero(~np.asarray(problem.physical(at)))).size:
        first = inside[0]
        raise DeclarationError(
            f"{len(inside)} of {len(spread)} receivers lie in the absorbing layer, where the field is damped, for "
            f"example receivers[{first}] = {point(spread[first].tolist())}; move them, or widen the domain"
        )


def _spectra(
    problem: Problem, receivers: NDArray, frequencies: NDArray[np.float64], shape: Sequence[int] | None
) -> Arguments:
    assert isinstance(problem.equation, Helmholtz)
    data = []
    for frequency in frequencies:
        equation = dataclasses.replace(problem.equation, wavenumber=2 * math.pi * float(frequency))
        at_frequency = Problem(
            problem.name, problem.domain, equation, problem.sources, problem.boundary, (), None
        )
        solution = reference(at_frequency, shape, error=False)
        data.append(solution(receivers).reshape(len(receivers), -1).T)
    amplitudes = [_shape(entry[0]).amplitude for entry in problem.right_hand_sides]
    return {
        "data": np.stack(data),
        "frequencies": frequencies,
        "wavelet": np.tile(np.array(amplitudes, complex), (len(frequencies), 1)),
        "origin": Provenance("nine-point", tuple(solution.grid.shape), solution.grid.spacing),
    }


def _traces(problem: Problem, receivers: NDArray, shape: Sequence[int] | None, dt: float | None) -> Arguments:
    record = record_wave(problem, receivers, None if shape is None else tuple(shape), dt)
    assert isinstance(problem.domain, SpaceTime)
    start = problem.domain.time.start
    times: NDArray[np.float64] = start + record.dt * np.arange(record.traces.shape[2], dtype=float)
    lower, upper = problem.domain.space.bounds
    spacing = tuple((upper - lower) / (np.array(record.counts) - 1))
    return {
        "traces": record.traces,
        "dt": record.dt,
        "start_time": start,
        "wavelet": _wavelet(problem, times),
        "origin": Provenance("leapfrog", record.counts, spacing),
    }


def _wavelet(problem: Problem, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """w `(T,)` of m u_tt − Δu = w δ: the signal of u_tt = c² Δu + f times the amplitude, over c² at the source."""
    wavelets = []
    for (source,) in problem.right_hand_sides:
        if not isinstance(source, Pulse):
            raise DeclarationError(f"{source!r} has no wavelet; use a RickerSource or a PulsedSource")
        shape = _shape(source)
        speed = _speed(problem, shape.at)
        signal = np.broadcast_to(np.asarray(source.signal(times), dtype=float), times.shape)
        wavelets.append(signal * float(np.real(shape.amplitude)) / speed**2)
    largest = max(float(np.abs(w).max()) for w in wavelets)
    if any(np.abs(w - wavelets[0]).max() > _ALIKE * largest for w in wavelets):
        raise DeclarationError(
            "the shots have different wavelets f/c² (from their signals, their amplitudes or the local speed), but a "
            "survey has one wavelet; scale each amplitude by c² at its source, or simulate the shots one by one"
        )
    return wavelets[0]
