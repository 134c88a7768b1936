"""What a running method tells the person who waits: a bar in a terminal or a notebook, a line now and then in a file."""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from neurapde.late import Late

FIRST, EVERY = 10.0, 30.0
"""Seconds after which the first line is written where there is no bar, and between two lines."""
PERCENT = "%"
"""The unit of a run of 100 parts."""


class Bar(Protocol):
    """One bar of a `Progress`: `advance` moves it, `show` writes the latest losses beside it."""

    def advance(self, count: int = 1) -> None:
        """Move by `count` units; the rate and the time left follow."""

    def show(self, values: Mapping[str, float]) -> None:
        """Write `values` by name after the bar, three digits each."""


class _Drawn:
    """A bar of tqdm, in a terminal or a notebook."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def advance(self, count: int = 1) -> None:
        self._bar.update(count)

    def show(self, values: Mapping[str, float]) -> None:
        self._bar.set_postfix({name: f"{value:.3g}" for name, value in values.items()}, refresh=False)


class _Silent:
    """No bar."""

    def advance(self, count: int = 1) -> None:
        pass

    def show(self, values: Mapping[str, float]) -> None:
        pass


class _Lines:
    """Lines on stderr in place of a bar, for a log: none of a short run, then one now and then."""

    def __init__(self, title: str, total: int | None, unit: str, done: int) -> None:
        self._title, self._total, self._unit, self._done = title, total, unit, done
        self._values: Mapping[str, float] = {}
        self._begun = time.monotonic()
        self._next = self._begun + FIRST

    def advance(self, count: int = 1) -> None:
        self._done += count
        if (now := time.monotonic()) < self._next:
            return
        self._next = now + EVERY
        losses = "".join(f", {name} {value:.3g}" for name, value in self._values.items())
        line = f"{self._title}: {self._where()}, {now - self._begun:.0f} s{losses}"
        print(line, file=sys.stderr, flush=True)

    def _where(self) -> str:
        if self._unit == PERCENT:
            return f"{self._done} % done"
        return f"{self._unit} {self._done}" + ("" if self._total is None else f" of {self._total}")

    def show(self, values: Mapping[str, float]) -> None:
        self._values = values


def in_notebook() -> bool:
    """Whether this runs in the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config


class Row(NamedTuple):
    """A row of a run's history: steps done and in all, seconds, the loss with its parts, and the learning rate."""

    step: int
    steps: int
    seconds: float
    loss: float
    losses: Mapping[str, float]
    rate: float


class Progress:
    """Bars of a solve, in a terminal or a notebook; elsewhere a line now and then. `shown=False` makes all silent.

    watch: sees each row of a run's history, and says whether that is enough.
    """

    def __init__(self, shown: bool = True, watch: Callable[[Row], bool] = lambda row: False) -> None:
        self.shown, self.watch = shown, watch

    @contextmanager
    def bar(self, title: str, total: int | None, *, unit: str = "step", done: int = 0) -> Iterator[Bar]:
        """A bar of `total` units, `done` of them behind us, open for the length of the `with` block; None: unknown."""
        if not self.shown:
            yield _Silent()
        elif not (in_notebook() or sys.stderr.isatty()):
            yield _Lines(title, total, unit, done)
        else:
            with _tqdm()(
                total=total,
                initial=done,
                desc=title,
                unit=unit,
                file=sys.stderr,
                dynamic_ncols=True,
                mininterval=0.2,
            ) as bar:
                yield _Drawn(bar)


def _tqdm() -> Any:
    """The bar of tqdm that suits the place, imported when one is first drawn; a notebook without widgets has text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that widgets are missing
        return Late("tqdm.auto" if in_notebook() else "tqdm").tqdm


_CURRENT: ContextVar[Bar | None] = ContextVar("neurapde_bar", default=None)


@contextmanager
def counting(shown: bool, title: str, unit: str) -> Iterator[None]:
    """A bar for work whose parts lie deeper down, which count themselves by `count_one`."""
    with Progress(shown).bar(title, None, unit=unit) as bar:
        token = _CURRENT.set(bar)
        try:
            yield
        finally:
            _CURRENT.reset(token)


def count_one() -> None:
    """One part more is done of what `counting` is about, if anything is."""
    if (bar := _CURRENT.get()) is not None:
        bar.advance()
