"""What a running method tells the person who waits: a bar on stderr, silent when that is no terminal."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tqdm import tqdm


class Bar:
    """One bar of a `Progress`: `advance` moves it, `show` writes the latest losses beside it."""

    def __init__(self, bar: tqdm) -> None:
        self._bar = bar

    def advance(self, count: int = 1) -> None:
        """Move by `count` units; the rate and the time left follow."""
        self._bar.update(count)

    def show(self, values: Mapping[str, float]) -> None:
        """Write `values` by name after the bar, three digits each."""
        self._bar.set_postfix({name: f"{value:.3g}" for name, value in values.items()}, refresh=False)


class Progress:
    """Bars of a solve. `shown=False`, or a stderr that is not a terminal, makes all of them silent."""

    def __init__(self, shown: bool = True) -> None:
        self.shown = shown and sys.stderr.isatty()

    @contextmanager
    def bar(self, title: str, total: int, *, unit: str = "step", done: int = 0) -> Iterator[Bar]:
        """A bar of `total` units, `done` of them behind us, open for the length of the `with` block."""
        with tqdm(
            total=total,
            initial=done,
            desc=title,
            unit=unit,
            disable=not self.shown,
            file=sys.stderr,
            dynamic_ncols=True,
            mininterval=0.2,
        ) as bar:
            yield Bar(bar)
