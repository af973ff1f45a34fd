"""A field that is deleted while it has the focus."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.program import ROOT, environment

PROGRAM = """
import sys, time
from pathlib import Path
import shiboken6
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from cocadesk.fake_engine.engine import FakeEngine
from ui.engine.link import EngineLink
from ui.kit.app_theme import Appearance, AppTheme
from ui.shell.window import MainWindow

app = QApplication([])
theme = AppTheme(app, Appearance.LIGHT)
library = Path(sys.argv[1])
with FakeEngine(library, media=40):
    for _ in range(3):
        window = MainWindow(EngineLink(library, starts_engine=False), theme)
        window.show()
        window.session.link.open()
        end_s = time.monotonic() + 30
        while not window.session.model.rowCount() and time.monotonic() < end_s:
            app.processEvents()
        box = window.widgets.search
        window.activateWindow()
        box.setFocus()
        QTest.keyClicks(box, "two id")
        while not box.offered() and time.monotonic() < end_s:
            app.processEvents()
        assert box.hasFocus()
        window.close()
        shiboken6.delete(window)
print("whole")
"""


def test_a_field_that_goes_with_its_window_ends_no_process(library: Path) -> None:
    """It loses the focus while it is deleted; a fault in Python there is the process's last."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, library],
        cwd=ROOT,
        env=environment() | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr
    assert "Error calling Python override" not in done.stderr
