"""Whether an HDF5 file is closed in itself: plain numbers and texts that lie in it, each once, and nothing of others."""

import h5py
import numpy as np

PLAIN = "biufc"
"""Kinds of numbers that are ours."""
LAYOUTS = (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS)
"""How arrays may lie: as they are. A virtual dataset lies in other files, a chunked one may claim more than there is."""


class ForeignPart(ValueError):  # noqa: N818 - reads as what it says
    """A part that no file of ours has; the text names it."""


def touch(path: str) -> dict[str, np.ndarray]:
    """Read all that is in a file, to see whether that ends well: for a process of its own. It gives nothing."""
    with h5py.File(path, "r") as file:
        try:
            check_closed(file)
        except ForeignPart:
            return {}
        file.visititems(_read)
    return {}


def _read(name: str, item: h5py.Group | h5py.Dataset) -> None:
    if isinstance(item, h5py.Dataset):
        item[()]


def check_closed(file: h5py.File) -> None:
    """Refuse, before any array is read, a file with a link to elsewhere or an array that is not in it (ForeignPart)."""
    seen: set[int] = set()
    waiting: list[h5py.Group] = [file]
    while waiting:
        group = waiting.pop()
        for name in group:
            place = f"{group.name.rstrip('/')}/{name}"
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ForeignPart(f"{place} is a link to {_target(link)}")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ForeignPart(f"{place} is a second name for another part")
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif isinstance(item, h5py.Dataset):
                _check_array(item, place)
            else:
                raise ForeignPart(f"{place} is neither a group nor an array")


def _target(link: object) -> str:
    return f"{link.filename}" if isinstance(link, h5py.ExternalLink) else "another place"


def _check_array(data: h5py.Dataset, place: str) -> None:
    made = data.id.get_create_plist()
    if made.get_layout() not in LAYOUTS or made.get_external_count():
        raise ForeignPart(f"{place} is an array that does not lie in the file itself")
    if data.shape is None or h5py.check_string_dtype(data.dtype) is not None:
        return
    if data.dtype.kind not in PLAIN:
        raise ForeignPart(f"{place} contains {data.dtype}, which is neither numbers nor text")
    if data.nbytes > data.id.get_storage_size():
        raise ForeignPart(f"{place} declares {data.nbytes} bytes, but has {data.id.get_storage_size()}")
