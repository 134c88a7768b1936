"""Fields in space–time as pictures: snapshots side by side, and an animation."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from neurapde.core import atomic, checks
from neurapde.core.errors import DeclarationError
from neurapde.core.pictures.style import (
    ERRORS,
    LETTERING,
    SIGNED,
    UNKNOWN,
    WIDTH,
    empty_figure,
    image_of,
    lettered,
    robust_limit,
)
from neurapde.domains.spacetime import SpaceTime
from neurapde.validation.annotations import Annotations
from neurapde.validation.figures import furnish

SNAPSHOTS, FRAMES = 4, 40
PIXELS = 257  # of an animation's longer side
STILL = 60  # milliseconds for which a frame stands


def snapshots_figure(
    annotations: Annotations, axes: Sequence[NDArray], fields: Mapping[str, NDArray]
) -> Figure:
    """Fields of the plane at some times: a row for each field on one scale, and one for |first − last| on another.

    axes: x, y and t. fields: arrays of the grid's shape by name.
    """
    x, y, t = axes
    moments = np.unique(np.linspace(0, len(t) - 1, SNAPSHOTS).round().astype(int))
    names = list(fields)
    rows = {name: fields[name] for name in names}
    if len(names) > 1:
        rows[f"|{names[0]} − {names[-1]}|"] = np.abs(fields[names[0]] - fields[names[-1]])
    shape = float((y[-1] - y[0]) / (x[-1] - x[0]))
    figure = empty_figure(WIDTH, (WIDTH - 1.6) / len(moments) * shape * len(rows) + 0.4 + 0.2 * len(rows))
    panels = figure.subplots(len(rows), len(moments), sharex=True, sharey=True, squeeze=False)
    shown = np.concatenate([np.real(field[..., moments]).ravel() for field in fields.values()])
    limit = robust_limit(shown)
    for row, (line, (name, field)) in enumerate(zip(panels, rows.items(), strict=True)):
        error = name not in fields
        top = robust_limit(field[..., moments]) if error else limit
        norm = Normalize(0 if error else -top, top)
        for panel, moment in zip(line, moments, strict=True):
            picture = image_of(panel, (x, y), np.real(field[..., moment]), norm, ERRORS if error else SIGNED)
            furnish(panel, annotations, (x, y), "white" if error else "black")
            panel.xaxis.set_major_locator(MaxNLocator(2))
            panel.yaxis.set_major_locator(MaxNLocator(2))
            if row == 0:
                lettered(panel, title=f"t = {t[moment]:.3g}")
        line[0].set_ylabel(name, fontsize=LETTERING - 1)
        bar = figure.colorbar(picture, ax=line, aspect=12, pad=0.01, extend="max" if error else "both")
        bar.ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
        bar.ax.tick_params(labelsize=LETTERING - 3)
    return figure


def animate(
    field: Callable[[Any], Any],
    domain: SpaceTime,
    path: str | Path,
    *,
    frames: int = 60,
    pixels: int = PIXELS,
) -> Path:
    """Write a field of the plane over its time as an animated GIF, blue to red around zero, one scale for all frames.

    Args:
        field: points `(n, 3)` to `(n,)`: a Solution, a GridSolution, an exact field.
        domain: two axes in space over a Time.
        path: ends in .gif.
        frames, pixels: number of pictures, and pixels of the longer side.
    """
    path = checks.path(path)
    if not callable(field):
        raise DeclarationError(
            f"field={checks.shown(field)}: give a Solution, or a function of points (n, 3)"
        )
    checks.whole(frames, "frames")
    checks.whole(pixels, "pixels", 2)
    if not isinstance(domain, SpaceTime) or domain.space.dimension != 2 or path.suffix != ".gif":
        raise DeclarationError(
            f"an animation shows a plane over a Time in a .gif, not {domain} in {path.name!r}; give such a domain and name"
        )
    lower, upper = domain.space.bounds
    counts = np.maximum(2, np.round(pixels * (upper - lower) / np.max(upper - lower)).astype(int))
    x, y = (np.linspace(a, b, n) for a, b, n in zip(lower, upper, counts, strict=True))
    mesh = np.stack([coordinates.ravel() for coordinates in np.meshgrid(x, y, indexing="ij")], axis=-1)
    inside = np.asarray(domain.space.contains(mesh))
    planes = []
    for moment in np.linspace(domain.time.start, domain.time.stop, frames):
        values = np.full(len(mesh), np.nan)
        points = np.column_stack([mesh[inside], np.full(inside.sum(), moment)])
        values[inside] = np.real(checks.answer(field, points, "field"))
        planes.append(values.reshape(len(x), len(y)))
    with atomic.replacing(path) as (temporary,):
        temporary.write_bytes(_gif(planes))
    return path


def film(values: NDArray, axes: Sequence[NDArray]) -> bytes:
    """A field `(nx, ny, nt)` of a grid over its time as an animated GIF. axes: x, y and t."""
    moments = np.unique(np.linspace(0, len(axes[2]) - 1, FRAMES).round().astype(int))
    span = [float(axis[-1] - axis[0]) for axis in axes[:2]]
    counts = np.maximum(2, np.round(PIXELS * np.array(span) / max(span)).astype(int))
    rows, columns = (
        np.linspace(0, n - 1, count).round().astype(int)
        for n, count in zip(values.shape, counts, strict=False)
    )
    return _gif([np.real(values[..., moment])[np.ix_(rows, columns)] for moment in moments])


def _gif(planes: Sequence[NDArray]) -> bytes:
    """Pictures of fields on one scale, x to the right and y upwards; grey where a field is not known."""
    limit = robust_limit(np.stack(planes))
    shades = (255 * colormaps[SIGNED](np.linspace(0, 1, 255))[:, :3]).astype(np.uint8)
    palette = np.vstack([shades, np.full(3, round(255 * float(UNKNOWN)), dtype=np.uint8)])
    pictures = []
    for plane in planes:
        shade = np.clip((plane.T[::-1] + limit) / (2 * limit) * 254, 0, 254)
        picture = Image.fromarray(np.where(np.isnan(shade), 255, np.nan_to_num(shade)).astype(np.uint8), "P")
        picture.putpalette(palette.tobytes())
        pictures.append(picture)
    with io.BytesIO() as buffer:
        pictures[0].save(
            buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=STILL, loop=0
        )
        return buffer.getvalue()
