"""Work that differentiates, done alike inside `torch.no_grad()` and `torch.inference_mode()` and outside."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def differentiating() -> Iterator[None]:
    """A `with` block, or a decorated function, in which torch keeps gradients, whatever is switched off around it."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
