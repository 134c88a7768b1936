"""A field as a file, by its suffix: on a regular grid, `.vti`, `.pvd`, `.csv` and `.npz`, or on cells."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurapde.core import atomic
from neurapde.core.errors import DeclarationError
from neurapde.core.formatting import listing
from neurapde.domains.base import Domain
from neurapde.storage import export as meshes
from neurapde.storage import vtk_files
from neurapde.storage.sampled import Sampled, real_parts, sampled

MOMENTS = 21
"""Times of a `.pvd`, unless a shape says otherwise."""
Field = Callable[[NDArray], NDArray]


def write_image(path: Path, domain: Domain, field: Field, shape: int | Sequence[int] | None) -> None:
    """Write a `.vti`; outside the domain it holds NaN."""
    atomic.write(path, _image(sampled(field, domain, shape)))


def write_times(path: Path, domain: Domain, field: Field, shape: int | Sequence[int] | None) -> None:
    """Write a `.pvd` and beside it a `.vti` for each time. shape: nodes of each axis of space, then the number of times.

    Raises: DeclarationError for a field without time.
    """
    if domain.spatial is domain:
        raise DeclarationError(
            f"{path.name!r} is a list of files by their time, but the domain is {domain}; "
            "use a name that ends in .vti or .vtu."
        )
    nodes: int | Sequence[int] | None = shape
    count = MOMENTS
    if isinstance(shape, list | tuple) and len(shape) == domain.dimension:
        nodes, count = tuple(shape[:-1]), shape[-1]
    start, stop = (float(corner[-1]) for corner in domain.bounds)
    contents, names = {}, {}
    for index, moment in enumerate(np.linspace(start, stop, count)):
        name = f"{path.stem}_{index:04d}.vti"
        names[float(moment)] = name
        contents[name] = _image(sampled(field, domain, nodes, {domain.axes[-1]: float(moment)}))
    atomic.write_together(path.parent, {**contents, path.name: vtk_files.collection(names)})


def write_table(path: Path, domain: Domain, field: Field, shape: int | Sequence[int] | None) -> None:
    """Write a `.csv`: a row for each node inside the domain, coordinates first, and a line of names."""
    table = sampled(field, domain, shape).table
    text = io.StringIO()
    rows = np.column_stack(list(table.values()))
    np.savetxt(text, rows, delimiter=",", fmt="%.17g", header=",".join(table), comments="")
    atomic.write(path, text.getvalue().encode())


def write_arrays(path: Path, domain: Domain, field: Field, shape: int | Sequence[int] | None) -> None:
    """Write an `.npz`: the coordinates of each axis by its name, and the values `u`, `(*shape)` or `(*shape, c)`."""
    samples = sampled(field, domain, shape)
    content = io.BytesIO()
    np.savez(content, u=samples.values, **samples.axes)  # type: ignore[arg-type]
    atomic.write(path, content.getbuffer())


def _image(samples: Sampled) -> bytes:
    values = samples.values.reshape(-1, *samples.values.shape[len(samples.axes) :])
    parts = {name: column.reshape(samples.shape) for name, column in real_parts("u", values).items()}
    return vtk_files.image(list(samples.axes.values()), parts)


WRITERS = {".vti": write_image, ".pvd": write_times, ".csv": write_table, ".npz": write_arrays}
"""What writes a field on a grid, by the suffix."""


def export(path: Path, domain: Domain, field: Field, shape: int | Sequence[int] | None = None) -> Path:
    """Write a field of points `(n, d)`; complex values become `u_re`, `u_im` and `u_abs`, but in `.npz`.

    Raises: DeclarationError for another suffix, or a shape or domain that it cannot hold; OSError.
    """
    if path.suffix not in (*meshes.WRITERS, *WRITERS):
        every = listing((*meshes.WRITERS, *WRITERS), "or")
        raise DeclarationError(f"cannot export to {path.name!r}; use a name that ends in {every}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {path}: there is no folder {path.parent}. Create it first.")
    if path.suffix in WRITERS:
        WRITERS[path.suffix](path, domain, field, shape)
        return path
    return meshes.write_mesh(path, domain, field, shape)
