"""How much memory is free, so that what cannot fit is refused before it starts."""

from pathlib import Path

import torch

from neurapde.core.errors import DeclarationError

MEMINFO = Path("/proc/meminfo")
LIMIT, USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def free_memory(device: torch.device) -> int | None:
    """Bytes free on a device, those of a container's limit at most; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if not MEMINFO.exists():
        return None
    lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
    free = int(lines["MemAvailable"].split()[0]) * 1024
    if LIMIT.exists() and USED.exists() and (limit := LIMIT.read_text().strip()) != "max":
        free = min(free, int(limit) - int(USED.read_text()))
    return free


def told(size: float) -> str:
    """A number of bytes for a person: 3.2 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def check_fits(size: float, what: str, way: str) -> None:
    """Refuse what needs more bytes than are free on this machine.

    what: begins the message, "the picture a.png has 12000 x 9000 pixels"; way: ends it.
    Raises: DeclarationError with both numbers.
    """
    free = free_memory(torch.device("cpu"))
    if free is not None and size > free:
        raise DeclarationError(f"{what}: {told(size)}, but {told(free)} are free; {way}")
