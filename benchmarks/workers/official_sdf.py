"""A step of the SIREN paper's training of a signed distance, plainly written from the formulas: torch and nothing else.

Half of the batch lies on the surface, half is uniform in [−1, 1]³. The loss is the paper's,

    3e3 |Φ| on the surface, 1e2 (1 − cos(∇Φ, n)) on it, 1e2 exp(−100 |Φ|) off it, 5e1 ||∇Φ| − 1| everywhere,

each a mean over the whole batch with zeros where it does not count, and the gradient is kept differentiable.
Source: Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), NeurIPS 33, section 4.2 and supplement 5.
"""

import math

import torch
from torch import Tensor

OMEGA = 30.0
RATE = 1e-4


class Sine(torch.nn.Module):
    """sin(30 (Wx + b))."""

    def __init__(self, inputs: int, outputs: int, first: bool) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(inputs, outputs)
        limit = 1 / inputs if first else math.sqrt(6 / inputs) / OMEGA
        torch.nn.init.uniform_(self.linear.weight, -limit, limit)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(OMEGA * self.linear(x))


def network(width: int = 256, hidden: int = 3) -> torch.nn.Sequential:
    """A SIREN of 1 + `hidden` sine layers and a linear head."""
    layers = [Sine(3, width, True), *(Sine(width, width, False) for _ in range(hidden))]
    head = torch.nn.Linear(width, 1)
    limit = math.sqrt(6 / width) / OMEGA
    torch.nn.init.uniform_(head.weight, -limit, limit)
    return torch.nn.Sequential(*layers, head)


class OfficialStep:
    """Adam on the paper's loss. points, normals: the cloud `(n, 3)`. count: on the surface, and as many off it."""

    def __init__(self, net: torch.nn.Module, points: Tensor, normals: Tensor, count: int, seed: int) -> None:
        self.net, self.points, self.normals, self.count = net, points, normals, count
        self.optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self) -> float:
        """Take a step; returns the loss."""
        chosen = torch.randint(len(self.points), (self.count,), generator=self.generator)
        off = 2 * torch.rand(self.count, 3, generator=self.generator) - 1
        coordinates = torch.cat((self.points[chosen], off))
        on_surface = torch.arange(2 * self.count) < self.count
        normals = torch.cat((self.normals[chosen], -torch.ones(self.count, 3)))
        loss = self.loss(coordinates, on_surface[:, None], normals)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())

    def loss(self, coordinates: Tensor, on_surface: Tensor, normals: Tensor) -> Tensor:
        """The paper's loss at coordinates `(n, 3)`; on_surface: bool `(n, 1)`."""
        x = coordinates.clone().detach().requires_grad_(True)
        y = self.net(x)
        gradient = torch.autograd.grad(y, x, grad_outputs=torch.ones_like(y), create_graph=True)[0]
        zero = torch.zeros_like(y)
        distance = torch.where(on_surface, y, zero)
        off = torch.where(on_surface, zero, torch.exp(-1e2 * torch.abs(y)))
        cosine = 1 - torch.nn.functional.cosine_similarity(gradient, normals, dim=-1)[..., None]
        slope = torch.abs(gradient.norm(dim=-1) - 1)
        return (
            3e3 * torch.abs(distance).mean()
            + 1e2 * off.mean()
            + 1e2 * torch.where(on_surface, cosine, zero).mean()
            + 5e1 * slope.mean()
        )
