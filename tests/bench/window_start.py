"""The window's first second and first minute, measured with the real window and engine.

``python -m tests.bench.window_start [--photos DIR] [--quick]`` prints a table and exits 1 where a
bar is missed. *Start → last view painted*: from the start of the process to the moment when the
thumbnails of a list of 100,000 photos are on the screen and a typed letter stands in the search
field, without an engine. *Add a folder → first photos visible*: from the order to a screen of
thumbnails; *findable*: to the first result of a search. The engine is there, its model open, and
compiled for this machine by an index of before.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from tests.bench.figures import Figure, exit_code, print_table

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = ROOT / "resources" / "samples" / "photos"
ROWS = 300
SCREEN = 12
LIMIT_S = 120.0
THUMBNAIL_PX = 320
_NOT_COMPILED = "PYTHONDONTWRITEBYTECODE"


def _environment(home: Path) -> dict[str, str]:
    """Modules are compiled once, as those of an installed program are."""
    others = {name: value for name, value in os.environ.items() if name != _NOT_COMPILED}
    return others | {
        "PYTHONPYCACHEPREFIX": str(home / "compiled"),
        "COCADESK_CACHE": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
        "PYTHONPATH": str(ROOT),
    }


def start_figures(count: int = 100_000, repeats: int = 3) -> list[Figure]:
    """The start from the list of before: the middle of some starts, the first left out."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        _child("prepare", home, count)
        _child("start", home, count)
        taken = [_child("start", home, count) for _ in range(repeats)]
    name = f"start → last view painted, typing works, {count:,} photos"
    wall_s, cpu_s = (sorted(one)[len(taken) // 2] for one in zip(*taken, strict=True))
    return [
        Figure(name=name, value=wall_s, unit="s", bar=1.0, aim=0.5),
        Figure(name="the same, processor time", value=cpu_s, unit="s"),
    ]


def folder_figures(photos: Path) -> list[Figure]:
    """The first photos of a folder that is added to an empty library."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        _run("folder", home, str(SAMPLES), "first")  # it compiles the network for this machine
        done = _run("folder", home, str(photos), "measured")
    visible_s, findable_s = (float(part) for part in done.split())
    return [
        Figure(name="add a folder → first photos", value=visible_s, unit="s", bar=3, aim=1.5),
        Figure(name="add a folder → findable", value=findable_s, unit="s", bar=5, aim=3),
    ]


def _child(what: str, home: Path, count: int) -> tuple[float, float]:
    """Wall and processor time in seconds."""
    wall, cpu = _run(what, home, str(count), str(time.time())).split()
    return float(wall), float(cpu)


def _run(what: str, home: Path, *arguments: str) -> str:
    command = [sys.executable, "-P", "-m", "tests.bench.window_start", "--child", what, str(home)]
    done = subprocess.run(
        [*command, *arguments],
        env=_environment(home),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout.strip().splitlines()[-1]


# In a process of its own ------------------------------------------------------------


def _prepare(home: Path, count: int) -> str:
    """Writes the view that a window on so many photos would have left."""
    import random

    from cocadesk.protocol.messages import Keys
    from cocadesk.protocol.paths import WirePath
    from cocadesk.protocol.values import Row
    from ui.library.last_view import LastView, keep_view, question_text
    from ui.library.query import EVERYTHING

    draw = random.Random(7)
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    keys = tuple("01" + "".join(draw.choices(letters, k=24)) for _ in range(count))
    pictures = _thumbnails(home)
    rows = []
    for place, key in enumerate(keys[:ROWS]):
        path = WirePath.of(str(pictures[place % len(pictures)]))
        row = Row(key=key, path=path, name="a.jpg", folder="/", width=4, height=3, thumbnail=path)
        rows.append(row)
    answer = Keys(keys=keys, total=count, shapes=bytes([128]) * count)
    view = LastView(question=question_text(EVERYTHING), answer=answer, rows=tuple(rows))
    keep_view(_library(home), view)
    return "0 0"


def _thumbnails(home: Path) -> list[Path]:
    """Those of the samples, as large as an engine makes them."""
    from PySide6.QtCore import QSize, Qt
    from PySide6.QtGui import QImage

    made = []
    size, keep = QSize(THUMBNAIL_PX, THUMBNAIL_PX), Qt.AspectRatioMode.KeepAspectRatio
    for path in sorted(SAMPLES.glob("*.jpg")):
        made.append(home / f"thumbnail-{path.name}")
        smooth = Qt.TransformationMode.SmoothTransformation
        QImage(str(path)).scaled(size, keep, smooth).save(str(made[-1]), None, 88)
    return made


def _library(home: Path, name: str = "library") -> Path:
    made = home / name
    made.mkdir(exist_ok=True)
    return made


def _start(home: Path, started_s: float) -> NoReturn:
    from PySide6.QtCore import QEvent, Qt
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QApplication

    from ui.engine.link import EngineLink
    from ui.kit.app_theme import AppTheme
    from ui.shell.window import MainWindow

    app = QApplication([])
    window = MainWindow(EngineLink(_library(home), starts_engine=False), AppTheme(app))
    window.show()
    window.session.link.open()
    loader = window.session.thumbnails
    came: list[object] = []
    loader.arrived.connect(came.append)
    seen = _until(app, lambda: len(came) >= SCREEN and loader.waiting() == 0)
    none = Qt.KeyboardModifier.NoModifier
    letter = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_D, none, "d")
    app.sendEvent(window.widgets.search, letter)
    window.grab()
    taken_s = time.time() - started_s
    if not seen or window.widgets.search.text() != "d":
        raise SystemExit("the last view did not come")
    print(f"{taken_s:.3f} {time.process_time():.3f}", flush=True)
    os._exit(0)  # closed, it would remember what was typed


def _folder(home: Path, photos: Path, name: str) -> str:
    from PySide6.QtWidgets import QApplication

    from cocadesk.protocol.messages import GetInfo, Info
    from ui.engine.link import EngineLink
    from ui.kit.app_theme import AppTheme
    from ui.shell.window import MainWindow

    app = QApplication([])
    with _window(app, MainWindow(EngineLink(_library(home, name)), AppTheme(app))) as window:
        link, model, loader = window.session.link, window.session.model, window.session.thumbnails
        ready: list[Info] = []
        link.connected.connect(lambda _: link.ask(GetInfo(waits=True), Info, ready.append))
        _until(app, lambda: bool(ready))
        started_s = time.monotonic()
        window.add_folders([str(photos)])

        def is_visible() -> bool:
            rows = [model.known_row(model.keys[n]) for n in range(min(SCREEN, model.rowCount()))]
            has_rows = bool(rows) and all(row is not None and row.thumbnail for row in rows)
            return has_rows and loader.waiting() == 0

        _until(app, is_visible)
        visible_s = time.monotonic() - started_s
        window.widgets.search.set_query("a dog")
        listing = lambda: window.session.browser.listing  # noqa: E731
        _until(app, lambda: listing().query == "a dog" and model.rowCount() > 0)
        return f"{visible_s:.2f} {time.monotonic() - started_s:.2f}"


@contextmanager
def _window(app: object, window: object) -> Iterator[object]:
    from cocadesk.protocol.launch import running_engine
    from cocadesk.protocol.messages import Ok, StopEngine

    window.show()
    window.session.link.open()
    try:
        yield window
    finally:
        library = window.session.link.library
        window.close()
        client = running_engine(library)
        if client is not None:
            with client:
                client.ask(StopEngine(), Ok)


def _until(app: object, is_so: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + LIMIT_S
    while time.monotonic() < end_s:
        app.processEvents()
        if is_so():
            return True
        time.sleep(0.002)
    return False


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=SAMPLES, help="the folder that is added")
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, home, *others = options.child
        if what == "prepare":
            print(_prepare(Path(home), int(others[0])))
        elif what == "start":
            _start(Path(home), float(others[1]))
        else:
            print(_folder(Path(home), Path(others[0]), others[1]))
        return 0
    figures = start_figures(repeats=1 if options.quick else 5) + folder_figures(options.photos)
    print_table(figures)
    return exit_code(figures)


if __name__ == "__main__":
    sys.exit(main())
