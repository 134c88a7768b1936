"""A step of the SIREN paper's fit of a picture: as the package takes it, and as the authors' code does.

All 256² pixels of a picture in every step, a 256 × (1 + 3) SIREN, Adam at 1e-4 in single precision. The authors' step is
written anew from the paper's formulas, with plain layers and torch's own differentiation; as in their code the coordinates
ask for gradients too.
"""

import math
from itertools import pairwise

import torch
from harness import Measured, cost, in_turns, summary, timed
from torch import Tensor

import neurapde as npde
from neurapde.training.descent import Descent
from neurapde.training.optimisation.adam import AdamSteps

LR = 1e-4


class Paper(torch.nn.Module):
    """The paper's SIREN: sin(30(Wx + b)), the first W from U(±1/n), the others from U(±√(6/n)/30)."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        sizes = [2, *[width] * (depth + 1), 1]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in pairwise(sizes))
        for level, layer in enumerate(self.layers):
            limit = math.sqrt(6 / layer.in_features) / 30 if level else 1 / layer.in_features
            torch.nn.init.uniform_(layer.weight, -limit, limit)

    def forward(self, x: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.sin(30 * layer(x))
        return last(x)


def measure(small: bool) -> Measured:
    """Time both in turns."""
    size, width, depth, repeats = (24, 16, 1, 1) if small else (256, 256, 3, 4)
    picture = npde.data.read_image("camera", size=size, gray=True)
    problem = npde.Problem("picture", picture.domain, npde.Fit(values=picture))
    torch.manual_seed(12007)
    paper = Paper(width, depth)
    paper_steps = torch.optim.Adam(paper.parameters(), lr=LR)
    points = torch.tensor(picture.points, dtype=torch.float32)
    targets = torch.tensor(picture.targets, dtype=torch.float32)[:, None]

    def by_the_paper() -> None:
        paper_steps.zero_grad()
        loss = (paper(points.clone().detach().requires_grad_()) - targets).square().mean()
        loss.backward()
        paper_steps.step()

    objective = npde.Adam(1, lr=LR, points=size**2, loss=npde.training.MeanSquare()).objective(problem)
    generator = torch.Generator().manual_seed(12007)
    trial = npde.Siren(width, depth).build(problem.domain.bounds, generator=generator)
    descent = Descent(objective, npde.training.Fresh(), None, None, trial, generator)
    steps = AdamSteps(list(trial.parameters()))

    def by_the_package() -> None:
        descent.gradient(0)
        steps.step(LR)

    laps = in_turns({"paper": timed(by_the_paper), "neurapde": timed(by_the_package)}, repeats)
    rows = [{"way": way, **summary(lap)} for way, lap in laps.items()]
    pairs = [
        ours.computed / theirs.computed for ours, theirs in zip(laps["neurapde"], laps["paper"], strict=True)
    ]
    ratio = sorted(pairs)[len(pairs) // 2]
    table = [["step", "wall", "computed", "this / paper"]]
    for row in rows:
        relative_cost = cost(row) / cost(rows[0])
        table.append([row["way"], f"{row['wall']:.3g} s", f"{row['computed']:.3g} s", f"{relative_cost:.2f}"])
    settings = {"pixels": size**2, "network": f"{width} × (1 + {depth})", "lr": LR, "dtype": "float32"}
    notes = [f"Pair by pair the package's step computes {ratio:.2f} of the other's time, at the median."]
    return Measured(settings | {"ratio": ratio}, rows, table, notes)
