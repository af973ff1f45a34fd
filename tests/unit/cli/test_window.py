"""Starting the window from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.cli.commands.children import window
from cocadesk.cli.options import Options
from cocadesk.cli.report import Report
from cocadesk.errors import UserError


@pytest.fixture
def _no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")


@pytest.mark.usefixtures("_no_display")
def test_without_a_display_a_sentence_says_so(tmp_path: Path) -> None:
    """Qt would abort with lines about plugins."""
    with pytest.raises(UserError, match="no display"):
        window(Options(library=tmp_path / "library"), Report(as_json=False))
