"""Ctrl-C and SIGTERM, which are one: they end a run between two steps rather than in the middle of one."""

import _thread
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

SIGNALS = (signal.SIGINT, signal.SIGTERM)

Level = TypeVar("Level")


class Interrupts:
    """Within `with Interrupts() as interrupts`, the first of `SIGNALS` sets `interrupts.asked`; the second raises.

    Outside the main thread, where Python takes no signals, `asked` stays False.
    """

    def __init__(self) -> None:
        self.asked = self._noted = False
        self.late = False
        self._at_once = self._expired = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _taken(SIGNALS):
            self._before[number] = signal.signal(number, self._take)
        return self

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._expired:
            self._expired = False
            if not self._at_once:
                return
            self.late = True
            raise KeyboardInterrupt
        again, self._noted, self.asked = self._noted, True, True
        if again or self._at_once:
            raise KeyboardInterrupt

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within, the first signal raises too: for work that can be given up at any place."""
        self._at_once = True
        try:
            if self._noted:
                raise KeyboardInterrupt
            yield
        finally:
            self._at_once = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within, a part of such work that must not be cut: the first signal waits."""
        self._at_once = False
        try:
            yield
        finally:
            self._at_once = True

    def levels(
        self, made: Iterator[Level], seconds: float = math.inf, first: float = math.inf
    ) -> Iterator[Level]:
        """What `made` gives, until a signal gives up the level that is being made.

        seconds, first: from here on, after which a level, or the first, is given up, too, and `late` is set.
        Raises: KeyboardInterrupt if that is the first, and there is nothing to keep.
        """
        started = time.monotonic()
        one: Level | None = None
        while True:
            try:
                with self._until(started + (first if one is None else seconds)), self.at_once():
                    following = next(made, None)
            except KeyboardInterrupt:
                if one is None:
                    raise
                return
            if following is None:
                return
            one = following
            yield one

    @contextmanager
    def _until(self, end: float) -> Iterator[None]:
        """Within, work is given up at a time of the monotonic clock; only where signals are taken."""
        if math.isinf(end) or signal.SIGINT not in self._before:
            yield
            return
        timer = threading.Timer(max(0.0, end - time.monotonic()), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def _expire(self) -> None:
        self._expired = True
        _thread.interrupt_main()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


@contextmanager
def terminable() -> Iterator[None]:
    """Within, SIGTERM raises KeyboardInterrupt as Ctrl-C does, where no `Interrupts` waits for the end of a step."""
    before = {
        number: signal.signal(number, signal.default_int_handler) for number in _taken((signal.SIGTERM,))
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _taken(numbers: tuple[signal.Signals, ...]) -> list[signal.Signals]:
    """Those that can be taken here and given back: in the main thread, and not from a handler outside Python."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [number for number in numbers if signal.getsignal(number) is not None]
