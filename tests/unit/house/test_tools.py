"""The tools that install and build: what they say when something is missing."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator

import pytest

from tests.support.architecture import ROOT


@pytest.fixture(autouse=True)
def _tools_on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tools import each other by their bare names, as when run as scripts."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    yield
    for name in ("qt_rcc", "system_libraries"):
        sys.modules.pop(name, None)


@pytest.mark.skipif(sys.platform == "win32", reason="the script is for POSIX shells")
def test_without_a_python_that_will_do_a_sentence_says_so() -> None:
    """`make` must not end in a traceback where Python is too old."""
    done = subprocess.run(
        ["sh", str(ROOT / "tools" / "ready.sh")],
        env={"PATH": "/usr/bin:/bin", "PYTHON": "/no/such/python"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "/no/such/python" in done.stderr


def test_a_missing_system_library_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The advice fits the system's package manager."""
    import shutil

    import system_libraries

    monkeypatch.setattr(shutil, "which", lambda name: name if name == "apt-get" else None)
    advice = system_libraries.advice({"libEGL.so.1": "libegl1", "libGL.so.1": "libgl1"})
    assert "libEGL.so.1, libGL.so.1" in advice
    assert "sudo apt-get install libegl1 libgl1" in advice
    monkeypatch.setattr(shutil, "which", lambda name: name if name == "dnf" else None)
    assert "dnf install 'libEGL.so.1()(64bit)'" in system_libraries.advice(
        {"libEGL.so.1": "libegl1"}
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems bring these libraries along")
def test_a_library_that_does_not_load_counts_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked is whether it loads, not whether a package is registered."""
    import system_libraries

    monkeypatch.setattr(system_libraries, "ALWAYS", {"libno-such.so.7": "libno-such7"})
    assert system_libraries.missing(window=False) == {"libno-such.so.7": "libno-such7"}


def _rcc(files: dict[str, bytes]) -> bytes:
    """A Qt resource archive, format 1: the root folder ``a`` with these files, deflated."""
    names, offsets = b"", {}
    for name in ("a", *files):
        offsets[name] = len(names)
        names += struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    data, starts = b"", {}
    for name, content in files.items():
        starts[name] = len(data)
        packed = struct.pack(">I", len(content)) + zlib.compress(content)
        data += struct.pack(">I", len(packed)) + packed
    tree = struct.pack(">IHII", 0, 2, 1, 1) + struct.pack(">IHII", offsets["a"], 2, len(files), 2)
    for name in files:
        tree += struct.pack(">IHHHI", offsets[name], 1, 0, 1, starts[name])
    head = 20
    places = (head, head + len(tree), head + len(tree) + len(data))
    return struct.pack(">4sIIII", b"qres", 1, *places) + tree + data + names


def test_a_qt_archive_gives_its_files_back() -> None:
    """Names with their folder, contents inflated."""
    from qt_rcc import Archive

    files = {"cat.webp": b"meow" * 100, "README": b"Public domain"}
    found = dict(Archive(_rcc(files)).files())
    assert found == {f"a/{name}": content for name, content in files.items()}


def test_what_is_no_qt_archive_is_refused() -> None:
    """The samples' script must not write rubbish as photos."""
    from qt_rcc import Archive, RccError

    with pytest.raises(RccError, match="do not start like"):
        Archive(b"PK\x03\x04" + bytes(40))
