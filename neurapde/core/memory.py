"""How much memory is free, so that what cannot fit is refused before it starts."""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from neurapde.core.errors import DeclarationError

try:
    import resource
except ImportError:  # where processes have no such limits
    resource = None  # type: ignore[assignment]

MEMINFO, STATM = Path("/proc/meminfo"), Path("/proc/self/statm")
GROUPS, MOUNT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
CPU = torch.device("cpu")


def free_memory(device: torch.device) -> int | None:
    """Bytes free on a device, those of a container's and a process's limit at most; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return min([*_in_machine(), *_in_groups(), *_in_address_space()], default=None)


def _in_machine() -> Iterator[int]:
    if MEMINFO.exists():
        yield _number(MEMINFO, "MemAvailable:") * 1024
    elif "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ()):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _in_groups() -> Iterator[int]:
    """What the control groups of this process (version 2 or 1) leave; pages that files can give back count as free."""
    lines = GROUPS.read_text().splitlines() if GROUPS.exists() else []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if not controllers:
            names, mount, before = ("memory.max", "memory.current"), MOUNT, ""
        elif "memory" in controllers.split(","):
            names, before = ("memory.limit_in_bytes", "memory.usage_in_bytes"), "total_"
            mount = MOUNT / "memory"
        else:
            continue
        for group in {mount, mount / path.lstrip("/")}:
            limit, used = group / names[0], group / names[1]
            if limit.exists() and used.exists() and (most := limit.read_text().strip()) != "max":
                pages = [f"{before}{kind}_file" for kind in ("active", "inactive")]
                files = sum(_number(group / "memory.stat", name) for name in pages)
                yield int(most) - int(used.read_text()) + files


def _in_address_space() -> Iterator[int]:
    if resource is not None and STATM.exists():
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            yield limit - int(STATM.read_text().split()[0]) * resource.getpagesize()


def _number(path: Path, name: str) -> int:
    """The number after a name in a file of such lines; 0 where there is none."""
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) for line in lines if line.split()[0] == name), 0)


def told(size: float) -> str:
    """A number of bytes for a person: 3.2 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"


def check_fits(size: float, what: str, way: str, device: torch.device = CPU) -> None:
    """Refuse what needs more bytes than are free on a device.

    what: begins the message, "the picture a.png has 12000 x 9000 pixels"; way: ends it.
    Raises: DeclarationError with both numbers.
    """
    if free := lacking(size, device):
        raise DeclarationError(f"{what}: {told(size)}, but {free} are free; {way}")


def lacking(size: float, device: torch.device = CPU) -> str | None:
    """What is free on a device, where that is less than so many bytes; None where they fit."""
    free = free_memory(device)
    return None if free is None or size <= free else told(free)


class Fitting(TorchFunctionMode):
    """Within `with Fitting(what, way)`, tensors that would not fit, all together, are refused before they are made."""

    def __init__(self, what: str, way: str) -> None:
        super().__init__()
        self.what, self.way, self.size = what, way, 0.0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in (torch.empty, torch.zeros) and args:
            shape = args if isinstance(args[0], int) else args[0]
            self.size += 8.0 * math.prod(shape)
            check_fits(self.size, self.what, self.way)
        return func(*args, **(kwargs or {}))
