"""Statistics of the layers of a network: pre-activations, activations, their spectra, and gradients.

The figures of supplement 1 of Sitzmann, Martel, Bergman, Lindell, Wetzstein (2020), for any trial function with
layers.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError
from neurapde.core.pictures.style import COLORS, WIDTH, empty_figure, lettered, png
from neurapde.solution.solution import Solution
from neurapde.trials.base import Trial, TrialFunction
from neurapde.trials.networks.layered import LayeredTrial

Array = NDArray[np.float64]

SHOWN = 20_000
"""Numbers of a layer that its histograms are drawn of."""
BINS = 61
FLOOR = 1e-9
"""Of a layer's largest power: what is below is not drawn."""


@dataclass(frozen=True, eq=False)
class LayerStatistics:
    """One layer at n points: m neurons of pre-activation z = ω(Wx + b) and activation f(z).

    Args:
        pre_activations, activations: z and f(z), `(n, m)`.
        gradients: ∂u/∂z, `(n, m)`, u the sum of the network's outputs.
        spectrum: mean power of z − its mean along the line, `(n // 2 + 1,)`, by whole periods on the line.
    """

    pre_activations: Array
    activations: Array
    gradients: Array
    spectrum: Array

    @property
    def deviation(self) -> float:
        """Standard deviation of the pre-activations: 1 in a SIREN as it starts."""
        return float(self.pre_activations.std())

    @property
    def gradient(self) -> float:
        """Root mean square of |∇_z u| over the points: how much the output depends on this layer."""
        return float(np.sqrt((self.gradients**2).sum(1).mean()))

    @property
    def bandwidth(self) -> float:
        """Root mean square frequency of the pre-activations, in periods on the line."""
        periods = np.arange(len(self.spectrum))
        return float(np.sqrt((self.spectrum * periods**2).sum() / max(self.spectrum.sum(), 1e-300)))


@dataclass(frozen=True, eq=False)
class ActivationStatistics:
    """The layers of a network from the first to the last before the head; `print` gives the table, `save` the figure."""

    layers: tuple[LayerStatistics, ...]

    def __str__(self) -> str:
        rows = ["layer  std of z  std of f(z)  |∇_z u|   frequency"]
        rows += [
            f"{i:5d}  {layer.deviation:8.3f}  {layer.activations.std():11.3f}  {layer.gradient:8.3g}  {layer.bandwidth:8.1f}"
            for i, layer in enumerate(self.layers, 1)
        ]
        return "\n".join(rows)

    def figure(self) -> Figure:
        """A row for each layer: histograms of z, of f(z) and of ∂u/∂z, and the spectrum of z."""
        figure = empty_figure(1.35 * WIDTH, 1.3 * len(self.layers) + 0.6)
        panels = figure.subplots(len(self.layers), 4, squeeze=False)
        reach = max(
            int(np.flatnonzero(layer.spectrum > FLOOR * layer.spectrum.max()).max(initial=1))
            for layer in self.layers
        )
        for i, (row, layer) in enumerate(zip(panels, self.layers, strict=True), 1):
            for panel, numbers in zip(
                row, (layer.pre_activations, layer.activations, layer.gradients), strict=False
            ):
                flat = numbers.ravel()[:: max(1, numbers.size // SHOWN)]
                panel.hist(flat, BINS, density=True, color=COLORS[0])
            power = layer.spectrum / max(layer.spectrum.max(), 1e-300)
            row[3].semilogy(np.maximum(power, FLOOR), color=COLORS[1])
            row[3].set_xlim(0, reach)
            for panel in row:
                panel.set_yticks([])
                panel.xaxis.set_major_locator(MaxNLocator(4))
                lettered(panel)
            lettered(row[0], y=f"layer {i}")
        titles = ("pre-activations z", "activations f(z)", "gradients ∂u/∂z", "power of z (log), by periods")
        for panel, title in zip(panels[0], titles, strict=True):
            lettered(panel, title=title)
        return figure

    def save(self, path: str | Path) -> Path:
        """Write the figure to `path`, a .png, completely or not at all."""
        path = Path(path)
        if path.suffix != ".png":
            raise DeclarationError(f"path={str(path)!r}: the figure is a PNG; give a name that ends in .png")
        with atomic.replacing(path) as (temporary,):
            Path(temporary).write_bytes(png(self.figure()))
        return path


def activation_statistics(
    trial: Trial | TrialFunction | Solution, *, points: int = 1024, dimension: int = 1, seed: int = 50413
) -> ActivationStatistics:
    """Statistics of each layer of a network at equal steps along the diagonal of its box.

        print(npde.validation.activation_statistics(npde.Siren(width=2048, depth=8)))

    Args:
        trial: a specification, which is built in float64 on [−1, 1]^dimension; a trial function; or a solution. It
            must be a network with layers.
        points: along the line, at least 16.
        dimension: axes, for a specification only.
        seed: of the random numbers for a specification. Raises: DeclarationError for a trial function that is not a
        network with layers.
    Source: Sitzmann et al. (2020), supplement 1: theorem 1.8 and figures of its section 1.3.
    """
    count = checks.whole(points, "points", 16)
    if isinstance(trial, Trial):
        checks.whole(dimension, "dimension")
        generator = torch.Generator().manual_seed(checks.whole(seed, "seed", 0))
        box = [-1.0] * dimension, [1.0] * dimension
        function = trial.build(box, generator=generator, dtype=torch.float64)
    else:
        function = trial.trial if isinstance(trial, Solution) else trial
    if not isinstance(function, LayeredTrial):
        raise DeclarationError(
            f"trial={checks.shown(trial)}: statistics are of one network of layers; give a Siren, MLP, ReluPE or "
            "FourierFeatures, what it built, or a solution by it"
        )
    with torch.enable_grad():
        line = torch.linspace(-1, 1, count).to(function.head.weight)
        values = line[:, None].expand(-1, function.dimension)
        passed = []
        for layer, activation in zip(function.layers, function.activations, strict=True):
            before = (layer(values) * activation.omega).requires_grad_()
            values = activation(before)
            passed.append((before, values))
        gradients = torch.autograd.grad(function.head(values).sum(), [before for before, _ in passed])
    return ActivationStatistics(
        tuple(_layer(before, after, slope) for (before, after), slope in zip(passed, gradients, strict=True))
    )


def _layer(before: torch.Tensor, after: torch.Tensor, slope: torch.Tensor) -> LayerStatistics:
    z, f, gradient = (tensor.detach().double().cpu().numpy() for tensor in (before, after, slope))
    window = np.hanning(len(z))[:, None]
    spectrum = (np.abs(np.fft.rfft(window * (z - z.mean(0)), axis=0)) ** 2).mean(1)
    return LayerStatistics(z, f, gradient, spectrum)
