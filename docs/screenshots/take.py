"""Takes the README's screenshot of the real window on the sample photos.

``python docs/screenshots/take.py [QUERY] [--look dark] [--size 1280x800] [--out FILE]``
indexes ``resources/samples/photos`` into a library of its own where that is not done yet.
Set ``QT_QPA_PLATFORM=offscreen`` where there is no display.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ui.engine_link import EngineLink  # noqa: E402
from ui.look import Look  # noqa: E402
from ui.theme import Appearance  # noqa: E402
from ui.window import MainWindow  # noqa: E402

LIMIT_S = 3600


def main() -> int:
    """Drives the window to the query's results and saves what it shows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("query", nargs="?", default="people playing music")
    parser.add_argument("--look", type=Appearance, default=Appearance.LIGHT)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--library", type=Path, default=ROOT / ".cache" / "screenshot-library")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("search.png"))
    options = parser.parse_args()
    app = QApplication(["cocadesk"])
    window = MainWindow(EngineLink(options.library), Look(app, options.look))
    width, _, height = options.size.partition("x")
    window.resize(int(width), int(height))
    window.show()
    window.link.open()
    parts = window.parts
    _wait(lambda: bool(window.model.rowCount()) or "first folder" in parts.empty.words())
    if not window.model.rowCount():
        window.add_folders([str(ROOT / "resources" / "samples" / "photos")])
        _wait(lambda: parts.strip.job is not None and parts.strip.job.state.is_final)
        _wait(lambda: bool(window.model.rowCount()))
    parts.strip.hide()
    parts.search.set_query(options.query)
    _wait(lambda: window.browser.is_filtered and window.inspector.row is not None)
    _wait(lambda: bool(parts.detail.caption.text()) and bool(parts.detail.shown_tags()))
    _wait(lambda: parts.detail.photo.has_picture and window.thumbnails.waiting() == 0)
    _pause(600)
    window.grab().save(str(options.out))
    window.close()
    return 0


def _wait(is_so: Callable[[], bool]) -> None:
    for _ in range(LIMIT_S * 10):
        if is_so():
            return
        _pause(100)
    raise SystemExit("the window did not get there in time")


def _pause(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


if __name__ == "__main__":
    sys.exit(main())
