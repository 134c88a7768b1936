"""Bars, and Ctrl-C."""

import io
import os
import signal
import sys
import threading

import pytest

from neurapde.core.progress import Progress
from neurapde.methods.interrupts import Interrupts


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, shown: bool = True) -> str:
    monkeypatch.setattr(sys, "stderr", stderr)
    with Progress(shown).bar("wave", 4, done=1) as bar:
        bar.show({"helmholtz": 0.12345, "left": 2e-9})
        bar.advance(3)
    return stderr.getvalue()


def test_a_terminal_sees_the_title_the_count_and_every_loss_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    text = drawn(monkeypatch, Terminal())
    for part in ("wave", "4/4", "helmholtz=0.123", "left=2e-9"):
        assert part in text.replace("2e-09", "2e-9")


def test_a_file_or_a_pipe_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, io.StringIO()) == ""


def test_a_bar_that_is_not_wanted_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, Terminal(), shown=False) == ""


def test_the_first_ctrl_c_is_noted_and_the_second_raises() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        assert not interrupts.asked
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupts.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_runs_without_taking_signals() -> None:
    found: list[bool] = []

    def work() -> None:
        with Interrupts() as interrupts:
            found.append(interrupts.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]
