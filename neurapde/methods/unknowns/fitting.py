"""Gauss–Newton on head and unknowns together, for one number of features.

The equation and the conditions hold up to a small fraction of the uncertainty by noise, and the data up to their
noise. At first the equation counts less, so that the data lead the field near the solution for any start of the
unknowns.
"""

import time
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from neurapde.methods.unknowns.reduced import Beliefs, Reduced, reduced
from neurapde.methods.unknowns.rows import Linearised, UnknownRows
from neurapde.problem.problem import Problem
from neurapde.trials.base import TrialFunction
from neurapde.trials.fourier_extension import FourierExtensionTrial
from neurapde.trials.piecewise import PiecewiseFunction

RAMP = (0.01, 0.01, 0.1, 1.0, 10.0)
"""Weights of the equation in the first steps, in units of the data's."""
TIGHT = 100.0
"""The weight from then on."""
STEPS, HALVINGS = 12, 4
ASTRAY, FAR = 2.0, 0.05
"""Residual of the data, in units of the given noise or, without it, of their size, above which the field is lost."""
UNMET = 1e3
"""Squared residual of a row, in units of the allowed one, above which the features do not represent the field: the
equation then gets a smaller weight in proportion."""
LONGEST = 2.0
"""Step of a coordinate within bounds."""
FIRST_NOISE, LEAST_NOISE = 0.1, 1e-10
"""Fraction of the size of the data: unknown noise at first and at least."""
SETTLED = 0.02
"""Last change of the unknowns, in units of their standard errors."""
ROUNDING = 1e-9
"""Last relative change of the unknowns, if the data have no residual."""
UNSEEN, PART = 1e-9, 0.1
"""Relative singular value below which data determine nothing; part of an unknown there that makes it undetermined."""


@dataclass
class State:
    """The state of a fit: coordinates (size,) and their covariance, the noise of data by name, and the priors.

    unseen: `(size,)`, which coordinates the data do not determine. path: seconds, residual and coordinates of each
    step.
    """

    beliefs: Beliefs
    coordinates: Tensor
    covariance: Tensor
    noise: dict[str, float] = field(default_factory=dict)
    misfits: dict[str, float] = field(default_factory=dict)
    path: list[tuple[float, float, Tensor]] = field(default_factory=list)
    unseen: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.bool))
    told: set[str] = field(default_factory=set)
    sizes: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def kept(self) -> "State":
        """A copy of the present state."""
        return replace(self, noise=dict(self.noise), misfits=dict(self.misfits), path=list(self.path))

    @property
    def held(self) -> Tensor:
        """`(size,)`, which coordinates lie at a bound."""
        return torch.cat([unknown.at_bound(self.coordinates[span]) for span, unknown in self.beliefs.parts])


def begin(problem: Problem) -> State:
    """The start of the unknowns, before any data."""
    beliefs = Beliefs(problem.unknowns)
    return State(
        beliefs, beliefs.start.clone(), torch.zeros((beliefs.size, beliefs.size), dtype=torch.float64)
    )


class Fitting:
    """One level: its trial, started from the field of the one before; tried: another one like it."""

    def __init__(
        self, problem: Problem, trial: PiecewiseFunction, tried: PiecewiseFunction, state: State, seed: int
    ) -> None:
        self.problem, self.trial, self.tried, self.state, self.seed = problem, trial, tried, state, seed
        self.columns, self.outputs, self.open_part = 0, 1, 0.0
        self.tight = TIGHT

    def iterate(self, before: TrialFunction | None) -> bool:
        """Take steps until the unknowns converge; False if they do not."""
        lost = before is None or self._is_lost()
        ramp = RAMP if lost else ()
        about = self.trial if before is None or lost else before
        aim = self._aimed(about, (*ramp, TIGHT)[0])
        amplitudes = aim.system.amplitudes(torch.zeros_like(aim.change))  # the field alone
        for tight in (*ramp, TIGHT):
            aim = self._aimed(self._put(self.trial, amplitudes), tight)
            amplitudes = self._move(aim, amplitudes, aim.change)
        for _ in range(STEPS):
            aim = self._aimed(self._put(self.trial, amplitudes), self.tight)
            if self._settled(aim.change):
                self._move(aim, amplitudes, aim.change)
                return self.tight == TIGHT
            if self.state.path[-1][1] > UNMET * len(aim.factors):
                self.tight /= (self.state.path[-1][1] / len(aim.factors)) ** 0.5
            amplitudes = self._shortened(aim, amplitudes)
        return False

    def _is_lost(self) -> bool:
        """Whether the field does not follow the data, so that the unknowns need a new start."""
        state = self.state
        if lost := any(
            state.misfits[name] > (ASTRAY * noise if name in state.told else FAR * state.sizes[name])
            for name, noise in state.noise.items()
        ):
            state.coordinates = state.beliefs.start.clone()
            for name in set(state.noise) - state.told:
                state.noise[name] = FIRST_NOISE * state.sizes[name]
        return lost

    def _aimed(self, about: TrialFunction, tight: float) -> "_Aim":
        """The step for a field and the present unknowns."""
        rows = UnknownRows(self.problem, self.tried, about, self.state.coordinates, self.seed)
        linearised = rows.linearised()
        self.columns, self.outputs = rows.columns, rows.outputs
        factors = self._factors(linearised, tight)
        system = reduced(
            factors[:, None] * linearised.by_amplitudes,
            factors[:, None] * linearised.by_unknowns,
            factors * linearised.loads,
        )
        return _Aim(rows, linearised, factors, system, self._change(system), tight)

    def _move(self, aim: "_Aim", amplitudes: Tensor, change: Tensor) -> Tensor:
        """Take a step and update noise and weights from its residual; return its amplitudes."""
        bounded = torch.cat(
            [torch.full((unknown.size,), unknown.bounds is not None) for unknown in self.problem.unknowns]
        )
        change = torch.where(bounded, change.clamp(-LONGEST, LONGEST), change)
        self.state.coordinates = self.state.coordinates + change
        amplitudes = aim.system.amplitudes(change)
        self._learn(aim, self._put(self.trial, amplitudes))
        return amplitudes

    def _factors(self, linearised: Linearised, tight: float) -> Tensor:
        """The factor of each row (m,): one over its noise, or over a small fraction of the uncertainty by noise."""
        noise = self.state.noise
        for data_set in linearised.data:
            noise.setdefault(data_set.name, data_set.noise or FIRST_NOISE * data_set.size)
            self.state.sizes[data_set.name] = data_set.size
            if data_set.noise is not None:
                self.state.told.add(data_set.name)
        self.open_part = min(
            noise[data_set.name] / data_set.size / (data_set.rows.stop - data_set.rows.start) ** 0.5
            for data_set in linearised.data
        )
        count = sum(data_set.rows.stop - data_set.rows.start for data_set in linearised.data)
        least = min(noise[data_set.name] * data_set.unit for data_set in linearised.data)
        factors = torch.full_like(linearised.loads, tight * count**0.5 / least)
        for data_set in linearised.data:
            factors[data_set.rows] = 1 / noise[data_set.name]
        return factors

    def _change(self, system: Reduced) -> Tensor:
        """The change of the coordinates (size,) from rows and priors; their covariance is stored."""
        rows, wanted = self.state.beliefs.rows(self.state.coordinates)
        whole, loads = torch.cat([system.upper, rows]), torch.cat([system.right, wanted])
        lengths = torch.linalg.vector_norm(whole, dim=0)
        scale = torch.where(lengths > 0, lengths, torch.ones_like(lengths))
        left, singular, right = torch.linalg.svd(whole / scale, full_matrices=False)
        determined = singular > UNSEEN * singular.max()
        inverse = right[determined].T / singular[determined]
        self.state.covariance = (inverse @ inverse.T) / scale / scale[:, None]
        self.state.unseen = (right[~determined].abs() > PART).any(0) | (lengths == 0)
        return (inverse @ (left[:, determined].T @ loads)) / scale

    def _shortened(self, aim: "_Aim", amplitudes: Tensor) -> Tensor:
        """Take a step, halved until the next one is shorter; return its amplitudes."""
        start, covariance, fraction = self.state.coordinates, self.state.covariance, 1.0
        for _ in range(HALVINGS):
            self.state.coordinates = start + fraction * aim.change
            wanted = aim.system.amplitudes(fraction * aim.change)
            following = self._aimed(self._put(self.trial, wanted), self.tight)
            if aim.length(following.change) < aim.length(aim.change):
                break
            fraction /= 2
        self.state.coordinates, self.state.covariance = start, covariance
        return self._move(aim, amplitudes, fraction * aim.change)

    def _learn(self, aim: "_Aim", field: TrialFunction) -> None:
        """Estimate unknown noise from the residual of the data, and the weight of smoothness."""
        residuals = aim.rows.left(field, self.state.coordinates)
        for data_set in aim.found.data:
            data_residuals, count = residuals[data_set.rows], data_set.rows.stop - data_set.rows.start
            self.state.misfits[data_set.name] = float(data_residuals.square().mean().sqrt())
            if data_set.noise is None and aim.tight == self.tight:
                weights = aim.factors[data_set.rows, None]
                free = aim.system.freedom(
                    weights * aim.found.by_amplitudes[data_set.rows],
                    weights * aim.found.by_unknowns[data_set.rows],
                    self.state.covariance,
                )
                variance = float(data_residuals.square().sum()) / max(count - free, 1.0)
                self.state.noise[data_set.name] = max(variance**0.5, LEAST_NOISE * data_set.size)
        if aim.tight == self.tight:
            self.state.beliefs.weigh(self.state.coordinates, self.state.covariance)
        seconds = time.perf_counter() - self.state.started
        loss = float((aim.factors * residuals).square().sum())
        self.state.path.append((seconds, loss, self.state.coordinates))

    def _settled(self, change: Tensor) -> bool:
        errors = self.state.covariance.diagonal().clamp(min=0).sqrt()
        allowed = SETTLED * errors + ROUNDING * (1 + self.state.coordinates.abs())
        return bool(((change.abs() <= allowed) | self.state.held).all())

    def _put(self, trial: PiecewiseFunction, amplitudes: Tensor) -> PiecewiseFunction:
        """A trial with these amplitudes."""
        start = 0
        for frame in trial.trials:
            assert isinstance(frame, FourierExtensionTrial)
            width = len(frame.amplitudes) * self.outputs
            frame.set_amplitudes(amplitudes[start : start + width].reshape(self.outputs, -1).T)
            start += width
        return trial


@dataclass(frozen=True)
class _Aim:
    """Linearised rows, their factors, the elimination of the amplitudes, and the change of the unknowns."""

    rows: UnknownRows
    found: Linearised
    factors: Tensor
    system: Reduced
    change: Tensor
    tight: float

    def length(self, change: Tensor) -> float:
        """The length of a change of the unknowns, measured by these rows."""
        return float(torch.linalg.vector_norm(self.system.upper @ change))
