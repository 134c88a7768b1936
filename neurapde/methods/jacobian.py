"""The residuals of a constraint and their derivatives by every parameter of a trial function.

A residual depends on the field's jet at its own point only, and the jet there on all parameters. So the chain rule is
taken in two parts: the constraint is differentiated by the jet, by torch's reverse mode for all points at once, and the
jet by the parameters, point by point under `torch.func.vmap`, one pull-back for each component of the residual.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.func import functional_call, jacrev, vjp, vmap

from neurapde.constraints import Constraint, Samples
from neurapde.core.errors import DeclarationError
from neurapde.jets.jet import Jet, Layout
from neurapde.trials.base import TrialFunction

AT_ONCE = 1024
"""Points differentiated together; more take more memory and no less time."""


def residuals(
    trial: TrialFunction, constraint: Constraint, samples: Samples, mixed: tuple[tuple[int, int], ...]
) -> Tensor:
    """The real residuals `(n, c)` of a constraint at samples; of complex ones the parts in turn."""
    with torch.no_grad():
        jet = trial.jet(samples.points, constraint.order, mixed if constraint.order == 2 else ())
        return _real(constraint.residual(samples, jet))


def linearised(
    trial: TrialFunction, constraint: Constraint, samples: Samples, mixed: tuple[tuple[int, int], ...]
) -> tuple[Tensor, Tensor]:
    """The residuals `(n, c)` and their Jacobian `(n, c, p)`, parameters in the order of `trial.parameters()`.

    Raises: DeclarationError for a trial that `torch.func` cannot differentiate.
    """
    points = samples.points
    layout = Layout(points.shape[1], constraint.order, mixed if constraint.order == 2 else ())
    with torch.no_grad():
        channels = trial.jet(points, layout.order, layout.mixed).channels
    is_complex = channels.is_complex()
    leaf = (torch.view_as_real(channels) if is_complex else channels).detach().clone().requires_grad_()
    jet = Jet(torch.view_as_complex(leaf) if is_complex else leaf, layout)
    residual = _real(constraint.residual(samples, jet))
    parameters = {name: p.detach() for name, p in trial.named_parameters() if p.requires_grad}
    columns = []
    for column in residual.unbind(1):
        (pull,) = torch.autograd.grad(column.sum(), leaf, retain_graph=True, allow_unused=True)
        pull = torch.zeros_like(leaf) if pull is None else pull
        columns.append(_pulled_back(trial, parameters, points, layout, pull.movedim(1, 0)))
    return residual.detach(), torch.stack(columns, dim=1)


def _pulled_back(
    trial: TrialFunction, parameters: Mapping[str, Tensor], points: Tensor, layout: Layout, pull: Tensor
) -> Tensor:
    """Σ over channels of pull · ∂channel/∂θ at each point: `(n, p)`; pull `(n, channels, …)`."""

    def one(point: Tensor, weight: Tensor) -> Tensor:
        pull_back = vjp(lambda theta: _channels(trial, theta, point, layout), parameters)[1]
        (found,) = pull_back(weight)
        return torch.cat([part.reshape(-1) for part in found.values()])

    try:
        return vmap(one, chunk_size=AT_ONCE)(points, pull)
    except RuntimeError as error:
        if "functorch" not in str(error) and "vmap" not in str(error):
            raise
        raise DeclarationError(
            f"torch.func cannot differentiate {trial.spec.describe()} by its parameters; use Siren, MLP, Factored or "
            "Foreign, or train it with Adam."
        ) from error


def _channels(
    trial: TrialFunction, parameters: Mapping[str, Tensor], point: Tensor, layout: Layout
) -> Tensor:
    """What `layout` names at one point `(d,)`, real: `(channels, …)`."""

    def value(x: Tensor) -> Tensor:
        found = functional_call(trial, dict(parameters), (x[None],))[0]
        return torch.view_as_real(found) if found.is_complex() else found

    rows = [value(point).unsqueeze(0)]
    if layout.order >= 1:
        rows.append(jacrev(value)(point).movedim(-1, 0))
    if layout.order == 2:
        hessian = jacrev(jacrev(value))(point)
        rows += [hessian[..., i, j].unsqueeze(0) for i, j in layout.pairs]
    return torch.cat(rows)


def _real(residual: Tensor) -> Tensor:
    """Real residuals `(n, c)`."""
    if residual.is_complex():
        residual = torch.view_as_real(residual)
    return residual.reshape(len(residual), -1)
