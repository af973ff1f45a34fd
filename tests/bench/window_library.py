"""The window on the real engine of a library of 100,000 photos: typing, and the map.

    python -m tests.bench.window_library [MEASURE…] [--photos 100000] [--quick]

The vectors lie like those of real photos, the thumbnails are real ones. *Keystroke → first
results*: from a letter in the search field until the list is the answer and each cell on screen
shows its picture, in the processor time of the window's thread and of the whole engine until then,
with the pause in which more letters are waited for. What comes after (rows with their words, the
details of the first photo, its caption, suggestions) stands in a row of its own. *Map*: the
engine's processor time for the layout, and the frames of zooming and moving with all points.
By the clock the same stands beside, without a bar. Exit 1 where a number falls short of its bar.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from cocadesk.protocol.endpoint import read_endpoint
from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import GetInfo, Info, Ok, StopEngine
from tests.bench.figures import Figure, exit_code, print_table
from tests.bench.window_tools import (
    FRAME_S,
    ROOT,
    SAMPLES,
    WAIT_S,
    GapWatch,
    Span,
    Stopwatch,
    open_window,
    percentile,
    run_for,
    wait_for,
)
from ui.library.map.canvas import MapCanvas
from ui.library.map.page import MapPage
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

PICTURES = 300
"""So many different thumbnails."""
TYPED = "a dog on the beach in summer"
CALM_SHARE, CALM_LIMIT_S = 0.1, 30.0
REST_S = 0.8
"""As long after results all is done that a keystroke leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run: the library, and how thoroughly it is measured."""

    library: Path
    photos: int
    is_quick: bool


def processor_s(pid: int) -> float:
    """The processor time of all threads that a process has now, in seconds."""
    total_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):
            total_ns += int((task / "schedstat").read_text().split()[0])
    return total_ns / 1e9


class Watch:
    """The window's and the engine's work since it was made."""

    def __init__(self, engine: int) -> None:
        self._engine = engine
        self._engine_s = processor_s(engine)
        self._window = Stopwatch()

    def read(self) -> Span:
        """Seconds of the processor, both together, and by the clock."""
        window = self._window.read()
        return Span(
            window.work_s + max(0.0, processor_s(self._engine) - self._engine_s), window.clock_s
        )


@contextmanager
def full_window(plan: Plan) -> Iterator[tuple[QApplication, MainWindow, int]]:
    """The window with all photos listed, its engine calm; and the engine's process."""
    app, window = open_window(plan.library, starts_engine=True)
    link, ready = window.session.link, list[Info]()
    link.connected.connect(lambda _: link.ask(GetInfo(waits=True), Info, ready.append))
    try:
        count = window.widgets.grid.results.rowCount
        run_for(app, WAIT_S, lambda: bool(ready) and count() == plan.photos)
        endpoint = read_endpoint(plan.library)
        if endpoint is None or count() != plan.photos:
            raise SystemExit("the window did not list the library")
        _wait_until_calm(app, endpoint.pid)
        yield app, window, endpoint.pid
    finally:
        window.close()
        client = running_engine(plan.library)
        if client is not None:
            with client:
                client.ask(StopEngine(), Ok)


def _wait_until_calm(app: QApplication, engine: int) -> None:
    """What is prepared for first searches is no part of warm ones."""
    end_s = time.perf_counter() + CALM_LIMIT_S
    while time.perf_counter() < end_s:
        before_s = processor_s(engine)
        run_for(app, 1.0)
        if processor_s(engine) - before_s < CALM_SHARE:
            return


# The measures ------------------------------------------------------------------------


def measure_keystroke(plan: Plan) -> list[Figure]:
    """One letter after the other, each once the results of the one before are drawn."""
    with full_window(plan) as (app, window, engine):
        search, grid = window.widgets.search, window.widgets.grid
        model, browser = window.session.model, window.session.browser
        pictures = window.session.thumbnails
        search.set_query("a boat")
        run_for(app, WAIT_S, lambda: browser.listing.query == "a boat")
        search.clear()
        run_for(app, WAIT_S, lambda: model.rowCount() == plan.photos)

        def is_drawn() -> bool:
            """The list is the answer, and each cell on screen shows its picture."""
            if browser.question.text != search.query() or not browser.is_settled:
                return False
            return all(pictures.known_tile(model.keys[place]) for place, _ in grid.seen())

        firsts: list[Span] = []
        wholes: list[Span] = []
        pauses_ms: list[int] = []
        for letter in TYPED[: 12 if plan.is_quick else None]:
            watch = Watch(engine)
            QTest.keyClicks(search, letter)
            if letter == " ":
                continue  # it asks for nothing
            pauses_ms.append(search.waits_ms)
            if not wait_for(app, 10.0, is_drawn):
                raise SystemExit(f"no results came for {search.query()!r}")
            grid.viewport().repaint()
            firsts.append(watch.read())
            wait_for(app, REST_S, lambda: False)
            wholes.append(watch.read())
    name = f"keystroke → first results, {plan.photos:,} photos, warm"
    works = [pause_ms + 1000 * one.work_s for pause_ms, one in zip(pauses_ms, firsts, strict=True)]
    clocks = [1000 * one.clock_s for one in firsts]
    return [
        Figure(
            name=f"{name}: the pause and processor time of window and engine, median",
            value=percentile(works, 0.5),
            unit="ms",
            bar=150,
            aim=60,
        ),
        Figure(name="the same, p95", value=percentile(works, 0.95), unit="ms"),
        Figure(name="the same, median by the clock", value=percentile(clocks, 0.5), unit="ms"),
        Figure(
            name="all that a keystroke causes (rows, details, suggestions), processor time, median",
            value=percentile([1000 * one.work_s for one in wholes], 0.5),
            unit="ms",
        ),
    ]


def measure_map(plan: Plan) -> list[Figure]:
    """The map of likeness: laid out, zoomed into and out of in several places, moved."""
    with full_window(plan) as (app, window, engine):
        gaps, watch = GapWatch(), Watch(engine)
        window.action_set[Pages.MAP.action].trigger()
        page = window.widgets.page_stack.currentWidget()
        assert isinstance(page, MapPage)
        run_for(app, WAIT_S, lambda: page.canvas.point_count() == plan.photos)
        laid_out, longest_ms = watch.read(), gaps.longest_ms()
        if page.canvas.point_count() != plan.photos:
            raise SystemExit(f"the map did not come: {page.empty.accessibleName()}")
        run_for(app, 1.0)
        frames = _zoomed_and_moved(app, page.canvas, 2 if plan.is_quick else 6)
    name = f"map of {plan.photos:,} points"
    works = [1000 * frame.work_s for frame in frames]
    clocks = [1000 * frame.clock_s for frame in frames]
    return [
        Figure(
            name=f"{name}: zoom and pan, frame p99, processor time",
            value=percentile(works, 0.99),
            unit="ms",
            bar=25,
            aim=16,
        ),
        Figure(name="the same, median", value=percentile(works, 0.5), unit="ms"),
        Figure(name="the same, p99 by the clock", value=percentile(clocks, 0.99), unit="ms"),
        Figure(
            name=f"{name}: laid out, processor time of engine and window",
            value=laid_out.work_s,
            unit="s",
            bar=60,
            aim=20,
        ),
        Figure(name="the same by the clock", value=laid_out.clock_s, unit="s"),
        Figure(
            name="longest pause while the points come, processor time",
            value=longest_ms,
            unit="ms",
            bar=50,
            aim=20,
        ),
    ]


def _zoomed_and_moved(app: QApplication, canvas: MapCanvas, places: int) -> list[Span]:
    """The frames of coming nearer at some places, moving there, and going away again."""
    frames: list[Span] = []

    def frame(act: Callable[[], None]) -> None:
        watch = Stopwatch()
        act()
        canvas.repaint()
        app.processEvents()
        frames.append(watch.read())
        run_for(app, max(0.0, FRAME_S - frames[-1].clock_s))

    size = canvas.size()
    for place in range(places):
        at = QPointF(
            size.width() * (0.3 + 0.4 * (place % 3) / 2), size.height() * (0.3 + 0.2 * (place % 2))
        )
        for _ in range(18):
            frame(lambda at=at: _turn_wheel(canvas, at, 120))  # type: ignore[misc]
            if len(frames) % 6 == 0:
                _drag(canvas, frame)
        for _ in range(18):
            frame(lambda at=at: _turn_wheel(canvas, at, -120))  # type: ignore[misc]
    return frames


def _turn_wheel(canvas: MapCanvas, at: QPointF, by: int) -> None:
    none = Qt.MouseButton.NoButton
    event = QWheelEvent(
        at, canvas.mapToGlobal(at), QPoint(), QPoint(0, by), none,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def _drag(canvas: MapCanvas, frame: Callable[[Callable[[], None]], None]) -> None:
    """Across a third of the view and back."""
    middle = QPoint(canvas.width() // 2, canvas.height() // 2)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(canvas, left, none, middle)
    steps = [*range(0, 240, 24), *range(240, 0, -24)]
    for step in steps:
        frame(lambda step=step: QTest.mouseMove(canvas, middle + QPoint(step, step // 2)))  # type: ignore[misc]
    QTest.mouseRelease(canvas, left, none, middle)


MEASURES: dict[str, Callable[[Plan], list[Figure]]] = {
    "keystroke": measure_keystroke,
    "map": measure_map,
}


# The library, made in a process of its own --------------------------------------------


def build(folder: Path, photos: int) -> None:
    """So many made-up photos around the samples, with thumbnails of these."""
    import numpy as np

    from cocadesk.library.layout import MEDIA, STORE_FOLDER, views_table
    from cocadesk.library.library import Library
    from cocadesk.library.store import Store
    from cocadesk.media.photo.decode import decode_photo
    from cocadesk.model.backend import open_backend
    from tests.bench.large_library import AT_ONCE, VectorSource, media_table, views_of

    with open_backend() as backend:
        spec = backend.info().input_spec
        decoded = [decode_photo(path, spec) for path in sorted(SAMPLES.glob("*.jpg"))]
        real_ND = backend.embed_images(np.stack([one.input_HWC for one in decoded]))
        info = backend.info()
    source = VectorSource(real_ND)
    with Library.open(folder) as library:
        library.views.create(info.image_id, info.embedding_dim)
        library.set_model(info.image_id, model_id=info.model_id)
        for number in range(PICTURES):
            jpeg = decoded[number % len(decoded)].thumbnail_jpeg
            library.thumbnails.write(_picture(number), jpeg)
        library.thumbnails.settle()
    store = Store(folder / STORE_FOLDER, read_only=False)
    for start in range(0, photos, AT_ONCE):
        numbers = range(start, min(photos, start + AT_ONCE))
        store.append(views_table(info.image_id), views_of(numbers, source.draw(len(numbers))))
        pictures = [_picture(number % PICTURES) for number in numbers]
        store.append(MEDIA, media_table(info.image_id, numbers, picture_hash=pictures))
    store.close()


def _picture(number: int) -> str:
    return f"{number * 2654435761 % 2**128:032x}"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument("--photos", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="under 50 seconds")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        plan = Plan(library=options.child, photos=options.photos, is_quick=options.quick)
        scope = QSettings.Scope.UserScope
        # Its own for each: a window begins with the list that it was closed with.
        settings = tempfile.mkdtemp(dir=options.child.parent)
        QSettings.setPath(QSettings.Format.IniFormat, scope, settings)
        (name,) = options.measures
        if name == "build":
            build(plan.library, plan.photos)
            return 0
        found = MEASURES[name](plan)
        sys.stdout.write(json.dumps([asdict(figure) for figure in found]) + "\n")
        return 0
    unknown = [name for name in options.measures if name not in MEASURES]
    if unknown:
        parser.error(f"there is no measure {unknown[0]!r}: {', '.join(MEASURES)}")
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        folder = Path(base) / "library"
        arguments = [f"--photos={options.photos}", *(["--quick"] * options.quick)]
        _in_child("build", folder, arguments)
        for name in options.measures or MEASURES:
            lines = _in_child(name, folder, arguments).splitlines()
            figures += [Figure(**values) for values in json.loads(lines[-1])]
    print_table(figures)
    return exit_code(figures)


def _in_child(name: str, library: Path, arguments: list[str]) -> str:
    """What a process of its own says; it keeps no files but those beside the library."""
    home = library.parent
    command = [sys.executable, "-m", "tests.bench.window_library", name, "--child", str(library)]
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "COCADESK_CACHE": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
    }
    done = subprocess.run(
        command + arguments,
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
