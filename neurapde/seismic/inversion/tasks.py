"""The misfit and its gradient as tasks for other processes and machines: one frequency and a group of shots each.

A task has no state: it takes the model, and returns its part of the misfit, the gradient and the data. Misfits are
sums over shots, so the parts add up to the whole. If a worker dies, its task is done here.
"""

import math
import pickle
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurapde.core.errors import DeclarationWarning
from neurapde.core.warn import warn
from neurapde.reference_solvers.grids.grid import Grid
from neurapde.seismic.inversion.methods.cost import FACTORING, FILL, SOLVING
from neurapde.seismic.inversion.misfits import Misfit
from neurapde.seismic.inversion.objective import Objective, scales_of
from neurapde.seismic.inversion.parametrisation import Parametrisation
from neurapde.seismic.modelling.computational_domain import ComputationalDomain
from neurapde.seismic.modelling.grid_modelling import GridModelling
from neurapde.seismic.survey.survey import Survey

ENGINES = 8
"""Schemes, without factors, that a worker keeps from one evaluation to the next."""


@dataclass(frozen=True)
class Part:
    """The input of a task without the model.

    survey: one frequency and the shots of the group. observed, weights: of all shots at that frequency, `(1, S, R)`.
    first: the group's first shot among them.
    """

    survey: Survey
    domain: ComputationalDomain
    grid: Grid
    start: tuple[float, float]
    misfit: Misfit
    observed: np.ndarray
    weights: np.ndarray
    first: int


@dataclass(frozen=True)
class Answer:
    """misfit: of the group, the mean over one frequency. gradient: of it by m. data `(group, R)`, scaled by `scales`."""

    misfit: float
    gradient: np.ndarray
    data: np.ndarray
    scales: np.ndarray


@torch.enable_grad()
def answer(pickled: bytes, model: np.ndarray) -> Answer:
    """The answer of one task; pickled: its `Part`."""
    given, engine = _engine(pickled)
    forward = engine.forward(model)
    data = torch.from_numpy(np.ascontiguousarray(forward.data)).requires_grad_()
    observed, weights = torch.from_numpy(given.observed), torch.from_numpy(given.weights)
    rows = slice(given.first, given.first + given.survey.shots)
    known = given.survey.wavelet is not None
    scales = scales_of(data, observed[:, rows], weights[:, rows], (-1,), known)
    scaled = data * scales[..., None]
    predicted = torch.cat([observed[:, : rows.start], scaled, observed[:, rows.stop :]], dim=1)
    misfit = given.misfit(predicted, observed, weights)
    (cotangent,) = torch.autograd.grad(misfit, data)
    gradient = engine.backward(forward, cotangent.resolve_conj().numpy())
    return Answer(float(misfit.detach()), gradient, scaled.detach()[0].numpy(), scales.detach()[0].numpy())


@lru_cache(maxsize=ENGINES)
def _engine(pickled: bytes) -> tuple[Part, GridModelling]:
    given: Part = pickle.loads(pickled)
    return given, GridModelling(given.survey, given.domain, given.start, grid=given.grid)


class TaskObjective(Objective):
    """An objective whose misfit an executor computes in tasks; waves are not stored."""

    def __init__(
        self,
        modelling: GridModelling,
        unknown: Parametrisation,
        survey: Survey,
        misfit: Misfit,
        start: tuple[float, float],
        executor: Executor,
    ) -> None:
        super().__init__(modelling, unknown, survey, misfit)
        self.executor, self._told = executor, False
        groups = shot_groups(survey.shots, modelling.grid.size)
        self.places = [(f, rows) for f in range(len(survey.band)) for rows in groups]
        observed, weights = self.observed.numpy(), self.weights.numpy()
        self.parts = [
            pickle.dumps(
                Part(
                    survey.select(frequencies=survey.band[f], shots=rows),
                    unknown.domain,
                    modelling.grid,
                    start,
                    misfit,
                    observed[f : f + 1],
                    np.ascontiguousarray(weights[f : f + 1]),
                    rows.start,
                )
            )
            for f, rows in self.places
        ]

    def explained(self, model: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        answers = self._answers(model.detach().numpy())
        count = len(self.survey.band)
        data, scales = (
            torch.zeros_like(self.observed),
            torch.zeros(self.observed.shape[:2], dtype=torch.complex128),
        )
        for (f, rows), reply in zip(self.places, answers, strict=True):
            data[f, rows], scales[f, rows] = torch.from_numpy(reply.data), torch.from_numpy(reply.scales)
        misfit = math.fsum(reply.misfit for reply in answers) / count
        gradient = np.sum([reply.gradient for reply in answers], axis=0) / count
        return _Told.apply(model, misfit, torch.from_numpy(gradient)), data, scales  # type: ignore[no-untyped-call]

    def _answers(self, model: np.ndarray) -> list[Answer]:
        """The answers of all tasks, in their order."""
        lost: BaseException | None = None
        futures: list[Future[Answer] | None] = []
        for task in self.parts:
            try:
                futures.append(self.executor.submit(answer, task, model))
            except BrokenExecutor as error:
                futures.append(None)
                lost = error
        answers = []
        for task, future in zip(self.parts, futures, strict=True):
            try:
                answers.append(answer(task, model) if future is None else future.result())
            except BrokenExecutor as error:
                answers.append(answer(task, model))
                lost = error
        if lost is not None and not self._told:
            self._told = True
            text = (
                f"a worker of the executor died ({type(lost).__name__}: {lost}); this process does its tasks"
            )
            warn(text, DeclarationWarning)
        return answers


class _Told(torch.autograd.Function):
    """A number whose gradient by the model is known."""

    @staticmethod
    def forward(ctx: Any, model: Tensor, value: float, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return model.new_tensor(value)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return cotangent * gradient, None, None


def shot_groups(shots: int, nodes: int) -> Sequence[slice]:
    """Groups of shots, each so large that its solutions take as long as its own factorisation."""
    columns = FACTORING * nodes**1.5 / (SOLVING * FILL * nodes * math.log2(nodes))
    size = max(1, math.ceil(columns / 2))
    count = max(1, shots // size)
    edges = np.linspace(0, shots, count + 1).round().astype(int).tolist()
    return [slice(a, b) for a, b in pairwise(edges)]
