"""The limit on numpy's threads and its end."""

from __future__ import annotations

import os

import pytest

from cocadesk.cli.threads import free_other_threads, limit_numpy_threads

VARIABLE = "OPENBLAS_NUM_THREADS"


def test_the_limit_is_lifted_once_numpy_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch and child processes do not inherit it."""
    monkeypatch.delenv(VARIABLE, raising=False)
    limit_numpy_threads()
    assert os.environ[VARIABLE] == "1"
    free_other_threads()
    assert VARIABLE not in os.environ
    free_other_threads()


def test_a_persons_own_setting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither changed nor taken away."""
    monkeypatch.setenv(VARIABLE, "3")
    limit_numpy_threads()
    free_other_threads()
    assert os.environ[VARIABLE] == "3"
