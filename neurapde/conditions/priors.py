"""What is expected of a field where no sample tells: small total variation, small second derivatives.

Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), supplement on inpainting with priors.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import torch

from neurapde.conditions.constraints import Constraint, Samples, interior
from neurapde.core import checks
from neurapde.domains.base import Domain

if TYPE_CHECKING:
    from neurapde.jets.jet import Jet


@dataclass(frozen=True)
class _Variation:
    """(w |∇u|)^½ with |∇u|² + ε² for |∇u|², whose mean square is w times the mean of |∇u|."""

    weight: float
    smoothing: float

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        return _root(self.weight, u.gradient.square().sum(-1), self.smoothing)


@dataclass(frozen=True)
class _Bending:
    """(w |Hu|)^½, |Hu| the Frobenius norm of the second derivatives, rounded as the variation is."""

    weight: float
    smoothing: float

    def __call__(self, samples: Samples, u: "Jet") -> torch.Tensor:
        square = u.hessian_diagonal.square().sum(-1)
        for i, j in combinations(range(u.dimension), 2):
            square = square + 2 * u.d2(i, j).square()
        return _root(self.weight, square, self.smoothing)


def total_variation(domain: Domain, weight: float, *, smoothing: float = 1e-3) -> Constraint:
    """A prior for a least-squares fit: adds `weight` times the mean of |∇u|, which favours flat areas with edges.

        npde.Problem("holes", domain, npde.Fit(values=samples), constraints=npde.training.total_variation(domain, 1e-3))

    Args:
        domain: where it holds.
        weight: beside a mean square of 1 for the samples; units of u times length. Positive.
        smoothing: ε of (|∇u|² + ε²)^½, units of u over length, below which a slope counts as none. Positive.
    """
    residual = _Variation(*_checked(weight, smoothing, "total_variation"))
    return Constraint("total-variation", residual, interior(domain), 1, f"{residual.weight:g} |∇u| small")


def hessian_norm(domain: Domain, weight: float, *, smoothing: float = 1e-3) -> Constraint:
    """A prior for a least-squares fit: adds `weight` times the mean of |Hu|, which favours even slopes with creases.

    |Hu| is the Frobenius norm of all second derivatives, the mixed ones twice.

    Args:
        domain: where it holds.
        weight: beside a mean square of 1 for the samples; units of u times length squared. Positive.
        smoothing: ε of (|Hu|² + ε²)^½, units of u over length squared. Positive.
    """
    residual = _Bending(*_checked(weight, smoothing, "hessian_norm"))
    inside = interior(domain)
    pairs = tuple(combinations(range(domain.dimension), 2))
    return Constraint("hessian-norm", residual, inside, 2, f"{residual.weight:g} |Hu| small", pairs)


def _checked(weight: float, smoothing: float, what: str) -> tuple[float, float]:
    positive = "give a positive number"
    return (
        checks.number(weight, f"weight of {what}", lambda x: x > 0, positive),
        checks.number(smoothing, f"smoothing of {what}", lambda x: x > 0, positive),
    )


def _root(weight: float, square: torch.Tensor, smoothing: float) -> torch.Tensor:
    return weight**0.5 * (square + smoothing**2) ** 0.25
