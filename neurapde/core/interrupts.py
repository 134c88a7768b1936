"""Ctrl-C and SIGTERM, which are one: they end a run between two steps rather than in the middle of one."""

import _thread
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

SIGNALS = (signal.SIGINT, signal.SIGTERM)
BLINK = 0.02
"""Seconds between two looks at a clock, at least."""

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
        repeated, self._noted, self.asked = self._noted, True, True
        if repeated or self._at_once:
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

        seconds, first: that this thread computes from here on, after which a level, or the first, is given up, too, and
            `late` is set. Time in which other programs have the machine does not count.
        Raises: KeyboardInterrupt if that is the first, and there is nothing to keep.
        """
        clock = _computed()
        started = clock()
        level: Level | None = None
        while True:
            try:
                end = started + (first if level is None else seconds)
                with self.at_once(), self._until(end, clock):
                    following = next(made, None)
            except KeyboardInterrupt:
                if level is None:
                    raise
                return
            if following is None:
                return
            level = following
            yield level

    @contextmanager
    def _until(self, end: float, clock: Callable[[], float]) -> Iterator[None]:
        """Within, work is given up when a clock of this thread shows `end`; only where signals are taken."""
        if math.isinf(end) or signal.SIGINT not in self._before:
            yield
            return
        done = threading.Event()
        watch = threading.Thread(target=self._expire, args=(end, clock, done), daemon=True)
        try:
            watch.start()
            yield
        finally:
            done.set()
            if watch.is_alive():
                watch.join()

    def _expire(self, end: float, clock: Callable[[], float], done: threading.Event) -> None:
        while (
            remaining := end - clock()
        ) > 0:  # which takes so long at least, as no thread computes faster than time goes
            if done.wait(max(remaining, BLINK)):
                return
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


def _computed() -> Callable[[], float]:
    """A clock of the seconds that this thread computes, for other threads; where there is none, that of the process."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    return (
        time.process_time
        if clock_of is None
        else partial(time.clock_gettime, clock_of(threading.get_ident()))
    )


def _taken(numbers: tuple[signal.Signals, ...]) -> list[signal.Signals]:
    """Those that can be taken here and given back: in the main thread, and not from a handler outside Python."""
    if threading.current_thread() is not threading.main_thread():
        return []
    return [number for number in numbers if signal.getsignal(number) is not None]
