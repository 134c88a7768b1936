"""The head of any network for a weak form: least squares of its residual against a lattice of sines.

With hidden features φ_j given, u = Σ a_j φ_j makes the weak residual r_i = Σ_j a(φ_j, ψ_i) a_j − b_i linear in a. It
is tested with more sines ψ_i than features and weighted by 1/√(|ω_i|² + k²), a norm dual to the energy's. So its least
squares need neither a variational principle (the Helmholtz equation has none) nor well-conditioned features. The
hidden layers move along the gradient of the residual at the best head: variable projection (Golub and Pereyra 1973).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurapde.assembly.helmholtz import LatticeProblem
from neurapde.spectral.quadrature import FloatArray
from neurapde.spectral.weak import Piece
from neurapde.training.optimisation.adam import AdamSteps
from neurapde.training.optimisation.parameters import copied, put
from neurapde.training.run.journal import Journal
from neurapde.trials.base import TrialFunction

OVERSAMPLING = 2.0  # tests for each feature
OPEN_BAND = 2.0  # bandwidth of the quadrature, in units of the tests': features may be as fast as they
DEPENDENT = 1e-11  # relative size below which a feature counts as a combination of others
RESIDUAL = "relative residual"
"""What is left, by its name in the history."""


@dataclass(frozen=True)
class _Tables:
    """Weighted tests at quadrature points, as torch tensors: values and slopes (count, n) of each axis."""

    values: tuple[Tensor, Tensor]
    slopes: tuple[Tensor, Tensor]


class WeakRows:
    """The weak residual of a network's features on the lattice of tests, as a differentiable matrix.

    bandwidth: of the tests; at least that for `width` features.
    """

    def __init__(self, lattice: LatticeProblem, width: int, bandwidth: float, device: torch.device) -> None:
        self.lattice = lattice
        lower, upper = lattice.problem.domain.bounds
        enough = np.sqrt(OVERSAMPLING * width * np.pi**2 / float(np.prod(upper - lower)))
        self.modes = lattice.modes(max(bandwidth, enough))
        self.device = device
        form = lattice.form
        rule_band = OPEN_BAND * max(axis_modes.bandwidth for axis_modes in self.modes)
        (x, wx), (y, wy) = (form.axis_rule(axis, rule_band) for axis in range(2))
        self._grid = (len(x), len(y))
        points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
        self._points = self._tensor(points)
        self._tables = self._tests((x, y), (wx, wy))
        self._coefficients = self._on_grid(points)
        self._regions = [self._region(piece, rule_band) for piece in form.pieces[:-1]]
        omega = [axis_modes.frequencies for axis_modes in self.modes]
        energy = omega[0][:, None] ** 2 + omega[1] ** 2 + lattice.largest_wavenumber**2
        self._scale = self._tensor(1 / np.sqrt(energy)).reshape(-1, 1)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(np.ascontiguousarray(array), device=self.device)

    def _tests(self, at: tuple[FloatArray, FloatArray], weights: tuple[FloatArray, FloatArray]) -> _Tables:
        values = tuple(
            self._tensor(axis_modes.values(x) * w)
            for axis_modes, x, w in zip(self.modes, at, weights, strict=True)
        )
        slopes = tuple(
            self._tensor(axis_modes.slopes(x) * w)
            for axis_modes, x, w in zip(self.modes, at, weights, strict=True)
        )
        return _Tables((values[0], values[1]), (slopes[0], slopes[1]))

    def _on_grid(self, points: FloatArray) -> tuple[Tensor, Tensor, Tensor]:
        """−E/e_x², −E/e_y² and E c of the background at the grid's points, (n, 1) each."""
        form = self.lattice.form
        scale, factors = form.scale(points), form.stretch.factors(points)
        c = form.values(form.pieces[-1], points)
        first, second, zeroth = (
            self._tensor(coefficient)[:, None]
            for coefficient in (-scale / factors[0] ** 2, -scale / factors[1] ** 2, scale * c)
        )
        return first, second, zeroth

    def _region(self, piece: Piece, bandwidth: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Points of a region, the weighted change of E c there, and the tests (count, n) of each axis."""
        form = self.lattice.form
        points, weights = form.rule(piece, bandwidth)
        change = form.values(piece, points) - form.values(form.pieces[-1], points)
        tests = [
            self._tensor(axis_modes.values(points[:, axis])) for axis, axis_modes in enumerate(self.modes)
        ]
        weighted = self._tensor(weights * form.scale(points) * change)[:, None]
        return self._tensor(points), weighted, tests[0], tests[1]

    def matrix(self, trial: TrialFunction) -> Tensor:
        """The matrix of the weighted residual (tests, features), complex; differentiable in the hidden layers."""
        jet = trial.feature_jet(self._points, order=1)
        first, second, zeroth = self._coefficients
        values, slopes = self._tables.values, self._tables.slopes
        total = self._project(first * jet.d(0), slopes[0], values[1])
        total = total + self._project(second * jet.d(1), values[0], slopes[1])
        total = total + self._project(zeroth * jet.value, values[0], values[1])
        for points, weighted, x, y in self._regions:
            features = weighted * trial.features(points)
            total = total + torch.einsum("iq,jq,qn->ijn", x + 0j, y + 0j, features).flatten(0, 1)
        return total * self._scale

    def _project(self, fields: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """∫ fields ψ for every test: fields (n, features) on the grid, to (tests, features)."""
        columns = torch.view_as_real(fields).reshape(self._grid[0], -1)
        over_x = (x @ columns).reshape(len(x), self._grid[1], -1)
        both = torch.einsum("jq,iqm->ijm", y, over_x)
        return torch.view_as_complex(both.reshape(len(x) * len(y), fields.shape[1], 2))

    def loads(self) -> Tensor:
        """The weighted right-hand sides (tests, shots)."""
        shots = range(len(self.lattice.shots))
        columns = [self.lattice.load(self.modes, shot).ravel() for shot in shots]
        return self._tensor(np.stack(columns, axis=1)) * self._scale


class StrongRows:
    """The strong residual of a network's features at collocation points, as a differentiable matrix.

    It is for media without jumps: at a jump, a network's second derivatives do not follow those of the field.
    """

    def __init__(self, lattice: LatticeProblem, width: int, bandwidth: float, device: torch.device) -> None:
        self.lattice = lattice
        self.device = device
        lower, upper = lattice.problem.domain.bounds
        resolving = float(np.prod(upper - lower)) * (bandwidth / np.pi) ** 2
        count = int(OVERSAMPLING * max(width, resolving))
        points = lattice.problem.domain.sample(count, how="grid").numpy()
        self._points = torch.as_tensor(points, device=device)
        strong = lattice.strong
        coefficients = [*strong.second(points), *strong.first(points), strong.zeroth(points)]
        self._coefficients = [
            torch.as_tensor(coefficient, device=device)[:, None] for coefficient in coefficients
        ]
        self._scale = 1 / (max(bandwidth, lattice.largest_wavenumber) * np.sqrt(count))

    def matrix(self, trial: TrialFunction) -> Tensor:
        """The residual's matrix (points, features), complex; differentiable in the hidden layers."""
        jet = trial.feature_jet(self._points, order=2)
        xx, yy, x, y, zeroth = self._coefficients
        return (
            xx * jet.d2(0) + yy * jet.d2(1) + x * jet.d(0) + y * jet.d(1) + zeroth * jet.value
        ) * self._scale

    def loads(self) -> Tensor:
        """The right-hand sides at the points (points, shots)."""
        points = self._points.cpu().numpy()
        columns = [self.lattice.density(points, shot) for shot in range(len(self.lattice.shots))]
        return torch.as_tensor(np.stack(columns, axis=1), device=self.device) * self._scale


def best_head(matrix: Tensor, loads: Tensor) -> Tensor:
    """The complex head (features, shots) with the least residual, by QR with column pivoting."""
    if matrix.device.type == "cpu":
        return torch.linalg.lstsq(matrix, loads, rcond=DEPENDENT, driver="gelsy").solution
    q, r = torch.linalg.qr(matrix)
    return torch.linalg.solve_triangular(r, q.mH @ loads, upper=True)


def write_head(trial: TrialFunction, head: Tensor) -> None:
    """Store a complex head (features, shots) in the trial's linear layer: even rows real, odd rows imaginary."""
    with torch.no_grad():
        rows = torch.view_as_real(head.T.contiguous()).permute(0, 2, 1).flatten(0, 1)
        trial.head.weight.copy_(rows)
        trial.head.bias.zero_()


def project_head(rows: WeakRows | StrongRows, trial: TrialFunction, lr: float, journal: Journal) -> float:
    """Solve for the head of `trial`, and train its hidden layers by Adam at rate `lr`, in place; return the residual.

    The last of the journal's steps only solves for the head. The gradient of the smallest residual is that at the
    fixed best head. The best parameters are kept.
    """
    loads = rows.loads()
    size = loads.abs().square().sum().clamp_min(torch.finfo(torch.float64).tiny)
    parameters, head_parameters = list(trial.parameters()), set(trial.head.parameters())
    optimizer = AdamSteps([parameter for parameter in parameters if parameter not in head_parameters])
    best, best_parameters = float("inf"), copied(parameters)
    with journal:
        for step in journal.steps():
            last = step == journal.total - 1
            with journal.at_once(), torch.set_grad_enabled(not last):
                matrix = rows.matrix(trial)
                head = best_head(matrix.detach(), loads)
                loss = (matrix @ head - loads).abs().square().sum() / size
            residual = float(loss.detach().sqrt())
            journal.record(residual, [residual], lr)
            if residual < best:
                write_head(trial, head)
                best, best_parameters = residual, copied(parameters)
            if not last:
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step(lr)
            journal.advance()
    put(parameters, best_parameters)
    return best
