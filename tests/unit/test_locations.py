"""Folders outside a library, and the two variables that move them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cocadesk.locations import cache_folder, library_folder, log_file, text_vectors_folder
from cocadesk.protocol.endpoint import run_folder
from tests.support.program import environment


def test_one_variable_moves_everything_that_can_be_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caches, logs and the addresses of engines."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    assert text_vectors_folder() == tmp_path / "text-vectors"
    assert log_file() == tmp_path / "log" / "cocadesk.log"
    assert run_folder() == tmp_path / "run"


def test_the_library_is_where_its_variable_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second library can be tried without an option on each command."""
    monkeypatch.setenv("COCADESK_LIBRARY", str(tmp_path))
    assert library_folder() == tmp_path


def test_without_variables_the_systems_folders_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of ours lies in the home folder itself; the log is no cache."""
    monkeypatch.delenv("COCADESK_CACHE")
    monkeypatch.delenv("COCADESK_LIBRARY")
    assert "cocadesk" in cache_folder().parts
    assert library_folder().name == "library"
    assert "cocadesk" in library_folder().parts
    assert log_file().name == "cocadesk.log"
    assert library_folder().parent not in cache_folder().parents


@pytest.mark.parametrize("name", ["COCADESK_CACHE", "COCADESK_LIBRARY"])
def test_an_empty_variable_counts_as_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``COCADESK_CACHE= cocadesk …`` must not write into the current folder."""
    monkeypatch.setenv(name, "")
    assert cache_folder().is_absolute()
    assert library_folder().is_absolute()


def test_the_module_is_cheap_to_import() -> None:
    """Every room reads it, the command line's help among them."""
    code = (
        "import sys\nbefore = set(sys.modules)\nimport cocadesk.locations\n"
        "print(sorted(n for n in set(sys.modules) - before if not n.startswith('cocadesk')))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "platformdirs" not in done.stdout
