"""Ctrl-C and SIGTERM, which are one: they end a run between two steps rather than in the middle of one."""

import signal
import threading
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
        self._at_once = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _taken(SIGNALS):
            self._before[number] = signal.signal(number, self._take)
        return self

    def _take(self, number: int, frame: FrameType | None) -> None:
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

    def levels(self, made: Iterator[Level]) -> Iterator[Level]:
        """What `made` gives, until a signal gives up the level that is being made.

        Raises: KeyboardInterrupt if that is the first, and there is nothing to keep.
        """
        one: Level | None = None
        while True:
            try:
                with self.at_once():
                    following = next(made, None)
            except KeyboardInterrupt:
                if one is None:
                    raise
                return
            if following is None:
                return
            one = following
            yield one

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
