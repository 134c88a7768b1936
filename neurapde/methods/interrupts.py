"""Ctrl-C that ends a run between two steps rather than in the middle of one."""

import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Self, TypeVar

Level = TypeVar("Level")


class Interrupts:
    """Within `with Interrupts() as interrupts`, the first Ctrl-C sets `interrupts.asked`; the second raises.

    Outside the main thread, where Python takes no signals, `asked` stays False.
    """

    def __init__(self) -> None:
        self.asked = False
        self._at_once = False

    def __enter__(self) -> Self:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def _take(self, number: int, frame: FrameType | None) -> None:
        again, self.asked = self.asked, True
        if again or self._at_once:
            raise KeyboardInterrupt

    def levels(self, made: Iterator[Level]) -> Iterator[Level]:
        """What `made` gives, until Ctrl-C: the first level is waited for, the making of a later one ends at once."""
        one = next(made, None)
        while one is not None:
            yield one
            if self.asked:
                return
            self._at_once = True
            try:
                one = next(made, None)
            except KeyboardInterrupt:
                return
            finally:
                self._at_once = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)
