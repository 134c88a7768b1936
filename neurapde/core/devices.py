"""Which device computes: the one asked for, checked to be there."""

import torch

from neurapde.core.checks import shown
from neurapde.core.errors import DeclarationError


def find_device(asked: str | torch.device) -> torch.device:
    """The device meant by `asked`; "auto" is the CUDA device where there is one, else the CPU.

    Raises DeclarationError for a device that is not there, or that lacks arithmetic methods need (MPS has no
    float64).
    """
    if not isinstance(asked, str | torch.device):
        raise DeclarationError(f"device={shown(asked)} is not known; use 'auto', 'cpu' or 'cuda'.")
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(asked)
    except (RuntimeError, TypeError, ValueError) as error:
        raise DeclarationError(f"device={asked!r} is not known; use 'auto', 'cpu' or 'cuda'.") from error
    if device.type not in ("cpu", "cuda"):
        raise DeclarationError(
            f"device={asked!r} is not supported: it has no float64 or no complex arithmetic. Use 'cpu' or 'cuda'."
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise DeclarationError(
            f"device={asked!r} is not available: torch {torch.__version__} finds {torch.cuda.device_count()} CUDA "
            "devices. Use device='cpu', or 'auto'."
        )
    return device
