"""Velocity models in SEG-Y: a trace for each x, its samples along the depth, a millimetre to a microsecond."""

from pathlib import Path

import numpy as np

from neurapde.core import atomic
from neurapde.core.errors import DeclarationError, DeclarationWarning, StorageError
from neurapde.core.formatting import number
from neurapde.core.warn import warn
from neurapde.seismic.models.plane import Plane, Said, evenly
from neurapde.seismic.survey.formats import segy_files

try:
    import segyio
except ImportError:  # An extra: everything but SEG-Y works without it.
    segyio = None

PLACES = ((181, 185), (73, 77), (81, 85))
"""First bytes of x and y: of the common depth point, the source, the receiver. The first that vary are taken."""
SCALAR, DELAY, LONGEST = 71, 109, 32_767


def read(path: Path, said: Said) -> Plane:
    """Coordinates from the headers, unless the caller gives a spacing."""
    with segy_files.opened(path) as file:
        values = segy_files.samples(file, path, 0, file.tracecount).astype(float)
        scalar = file.attributes(SCALAR)[:].astype(float)
        places = [[file.attributes(at)[:].astype(float) for at in pair] for pair in PLACES]
        step = 1e3 * segy_files.interval_of(file)
        top = float(file.samples[0])
    if not np.isfinite(values).all():
        raise StorageError(f"{path.name} has samples that are not numbers; give a model of finite values")
    if said.spacing is not None:
        return Plane(values)
    if step <= 0:
        raise DeclarationError(
            f"{path.name} has no sampling interval (bytes 3217–3218); give spacing=(dx, dz)"
        )
    scale = np.where(scalar < 0, -1 / np.where(scalar < 0, scalar, 1.0), np.where(scalar > 0, scalar, 1.0))
    for x, y in places:
        line = np.hypot(*(np.diff(coordinates * scale) for coordinates in (x, y)))
        if line.any():
            along = np.concatenate([[0.0], np.cumsum(line)])
            along = x * scale if not np.ptp(y) and x[-1] > x[0] else along
            first, dx = evenly(along, f"places of the traces of {path.name}")
            return Plane(values, (dx, step), (first, top))
    raise DeclarationError(
        f"{path.name} has no trace coordinates (bytes 73–80, 81–88 and 181–188); give spacing=(dx, dz)"
    )


def write(path: Path, plane: Plane) -> None:
    """Floats of 32 bits; x is in bytes 73–76 and 181–184, in millimetres."""
    segy_files.check_segyio()
    assert plane.spacing is not None
    (nx, nz), (dx, dz), (x, z) = plane.values.shape, plane.spacing, plane.origin
    interval, top = round(1000 * dz), round(z)
    if not 0 < interval <= LONGEST or nz > LONGEST or abs(top) > LONGEST:
        raise DeclarationError(
            f"SEG-Y stores depth spacings up to {LONGEST / 1000} m in whole millimetres and up to {LONGEST} samples, "
            f"but the model has {nz} samples with spacing {number(dz)} from {number(z)}; use .rsf, .h5 or .vti"
        )
    places = 1000 * (x + dx * np.arange(nx))
    if np.abs(places).max() > 2**31 - 1:
        raise DeclarationError(
            f"SEG-Y stores millimetres up to 2³¹, but x reaches {number(places.max() / 1000)}; use .rsf, .h5 or .vti"
        )
    off = max(
        abs(interval / 1000 - dz) * nz, abs(top - z), float(np.abs(np.round(places) - places).max()) / 1000
    )
    if off > 1e-3 * min(dx, dz):
        warn(
            f"nodes are rounded by up to {number(off)}, since SEG-Y stores millimetres; use .rsf, .h5 or .vti to keep "
            "them exact",
            DeclarationWarning,
        )
    specification = segyio.spec()
    specification.format, specification.tracecount = 5, nx
    specification.samples = top + np.arange(nz) * interval / 1000
    with atomic.replacing(path) as (temporary,), segyio.create(str(temporary), specification) as file:
        file.text[0] = segyio.tools.create_text_header(
            {1: "Velocity model, a trace for each x, samples in depth"}
        )
        file.bin.update(hdt=interval, hns=nz, mfeet=1, rev=1)
        for index, at in enumerate(np.round(places).astype(int).tolist()):
            file.header[index] = {
                9: 1, 13: index + 1, 21: index + 1, 29: 1, SCALAR: -1000, 73: at, 89: 1, DELAY: top, 115: nz,
                117: interval, 181: at,
            }  # fmt: skip
            file.trace[index] = plane.values[index].astype(np.float32)
