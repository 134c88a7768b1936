"""Ctrl-C that ends a run between two steps rather than in the middle of one."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self


class Interrupts:
    """Within `with Interrupts() as interrupts`, the first Ctrl-C sets `interrupts.asked`; the second raises.

    Outside the main thread, where Python takes no signals, `asked` stays False.
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Self:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)
