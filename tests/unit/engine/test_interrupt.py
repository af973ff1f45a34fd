"""Ctrl-C during long work."""

from __future__ import annotations

import signal
import threading

import pytest

from cocadesk.engine.interrupt import Interrupt


def test_the_first_ctrl_c_waits_for_the_step_and_the_second_does_not() -> None:
    """A job ends between two steps; someone in a hurry may break it."""
    before = signal.getsignal(signal.SIGINT)
    told: list[str] = []
    with Interrupt(lambda: told.append("stopping")) as interrupt:
        assert not interrupt.is_wanted
        signal.raise_signal(signal.SIGINT)
        assert interrupt.is_wanted
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert told == ["stopping"]
    assert signal.getsignal(signal.SIGINT) is before


def test_another_thread_leaves_signals_alone() -> None:
    """Only the main thread gets them; work on others goes on as it is."""
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with Interrupt() as interrupt:
            seen.append((interrupt.is_wanted, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
