"""Takes the README's screenshot of the real window on the sample photos.

``python docs/screenshots/take.py [QUERY] [--look dark] [--size 1280x800] [--out FILE]``
indexes ``resources/samples/photos`` into a library of its own where that is not done yet.
Set ``QT_QPA_PLATFORM=offscreen`` where there is no display.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ui.browser import Showing  # noqa: E402
from ui.engine_link import EngineLink  # noqa: E402
from ui.look import Look  # noqa: E402
from ui.theme import Appearance  # noqa: E402
from ui.window import MainWindow  # noqa: E402

LIMIT_S = 3600


def main() -> int:
    """Drives the window to the query's results and saves what it shows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("query", nargs="?", default="an animal in the grass")
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
        window.add_folders([str(_photos())])
        _wait(lambda: parts.strip.job is not None and parts.strip.job.state.is_final)
        _wait(lambda: bool(window.model.rowCount()))
    parts.strip.hide()
    parts.search.set_query(options.query)
    _wait(lambda: window.browser.showing is Showing.SEARCH)
    _wait(lambda: window.inspector.key == window.model.key_at(0))
    _wait(lambda: parts.detail.is_described and bool(parts.detail.caption.text()))
    _wait(lambda: all(window.model.known_row(key) for key in window.model.all_keys()[:8]))
    _wait(lambda: parts.detail.photo.has_picture and window.thumbnails.waiting() == 0)
    _pause(600)
    window.grab().save(str(options.out))
    _shrink(options.out)
    window.close()
    return 0


def _photos() -> Path:
    """The sample photos in a folder whose name says nothing of this computer."""
    folder = Path(tempfile.gettempdir()) / "Pictures" / "Samples"
    shutil.copytree(ROOT / "resources" / "samples" / "photos", folder, dirs_exist_ok=True)
    return folder


def _shrink(path: Path) -> None:
    """256 colours are enough for a page, and a third of the bytes."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(path, optimize=True)


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
