"""The window's numbers: scrolling, memory, pauses of its event loop.

    python -m tests.bench.window [MEASURE…] [--quick]

Offscreen, with real thumbnails. Frames and pauses are counted in the processor time of the
window's thread, so that another program's work is not held against it; by the clock frames
stand beside, without a bar. All else goes by the clock. Each measure runs in a process of its
own, so that what one holds is not counted for another; exit 1 where a number falls short of its
bar. A new measure is a function in ``MEASURES``. What needs a library of 100,000 photos is in
``window_library``, the first second and the first minute in ``window_start``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import JobReply, StartCaption
from cocadesk.protocol.values import JobValue, Scope
from tests.bench.figures import Figure, exit_code, print_table
from tests.bench.window_tools import (
    FRAME_S,
    ROOT,
    SAMPLES,
    WAIT_S,
    GapWatch,
    Plan,
    Span,
    Stopwatch,
    many_media,
    open_window,
    percentile,
    resident_mb,
    run_for,
)
from ui.engine.link import LinkState
from ui.kit.image_loader import read_image
from ui.library.grid import Grid
from ui.shell.window import MainWindow

MANY = 1_000_000
THUMBNAIL_PX = 320
SEEN_S = 0.3


def has_picture(window: MainWindow, grid: Grid, position: int) -> bool:
    """True where the cell shows its photo's picture."""
    return window.session.thumbnails.known_tile(grid.results.keys[position]) is not None


# The measures ------------------------------------------------------------------------


def measure_scrolling(plan: Plan) -> list[Figure]:
    """A million rows by the timeline from end to end, then at a reader's pace."""
    with many_media(plan, MANY) as (app, window):
        grid = window.widgets.grid
        run_for(app, WAIT_S, lambda: grid.results.rowCount() == MANY)
        run_for(app, 1.0)
        frames: list[Span] = []
        shown = seen = 0
        steps = round(plan.scroll_s / FRAME_S)
        for step in range(steps):
            frames.append(_frame(app, grid, round(grid.timeline.maximum() * step / steps)))
        for stop in range(12 if plan.is_quick else 40):
            _frame(app, grid, grid.timeline.maximum() * (stop * 7 % 40) // 40)
            run_for(app, SEEN_S)
            here = [position for position, _ in grid.seen()]
            seen += len(here)
            shown += sum(has_picture(window, grid, position) for position in here)
        more_frames, more_seen, more_shown = _at_pace(app, window, steps)
        frames += more_frames
        return [
            Figure(
                name="scroll 1,000,000 rows end to end: frame p99, processor time",
                value=1000 * percentile([frame.work_s for frame in frames], 0.99),
                unit="ms",
                bar=20,
                aim=16,
            ),
            Figure(
                name="the same, median",
                value=1000 * percentile([frame.work_s for frame in frames], 0.5),
                unit="ms",
            ),
            Figure(
                name="the same, p99 by the clock",
                value=1000 * percentile([frame.clock_s for frame in frames], 0.99),
                unit="ms",
            ),
            Figure(
                name="cells visible for 300 ms that show their picture",
                value=100 * (shown + more_shown) / max(1, seen + more_seen),
                unit="%",
                bar=90,
                aim=98,
                is_most=False,
            ),
        ]


def _frame(app: QApplication, grid: Grid, value: int) -> Span:
    """The time of one frame: scrolled there, drawn, and what has come in taken."""
    watch = Stopwatch()
    grid.timeline.setValue(value)
    grid.viewport().repaint()
    app.processEvents()
    taken = watch.read()
    run_for(app, max(0.0, FRAME_S - taken.clock_s))
    return taken


def _at_pace(app: QApplication, window: MainWindow, steps: int) -> tuple[list[Span], int, int]:
    """Frames, cells that were visible for 300 ms, and those of them with a picture."""
    grid = window.widgets.grid
    frames: list[Span] = []
    since: dict[int, float] = {}
    judged: dict[int, bool] = {}
    for _ in range(steps):
        frames.append(_frame(app, grid, grid.timeline.value() + 16))
        now = time.perf_counter()
        here = [position for position, _ in grid.seen()]
        since = {position: since.get(position, now) for position in here}
        for position, begun in since.items():
            if position not in judged and now - begun >= SEEN_S:
                judged[position] = has_picture(window, grid, position)
    return frames, len(judged), sum(judged.values())


def measure_memory(plan: Plan) -> list[Figure]:
    """A million keys come without a pause, and the process stays small."""
    with many_media(plan, MANY) as (app, window):
        grid = window.widgets.grid
        run_for(app, WAIT_S, lambda: grid.results.rowCount() > 0)
        watch, begun = GapWatch(), time.perf_counter()
        run_for(app, WAIT_S, lambda: grid.results.rowCount() == MANY)
        taken_s = time.perf_counter() - begun
        longest_ms = watch.longest_ms()
        for stop in range(20):
            _frame(app, grid, grid.timeline.maximum() * stop // 20)
            run_for(app, 0.2)
        return [
            Figure(
                name="window process memory at 1,000,000 rows",
                value=resident_mb(),
                unit="MB",
                bar=300,
                aim=180,
            ),
            Figure(name="1,000,000 keys come in", value=taken_s, unit="s"),
            Figure(
                name="longest pause while they come, processor time",
                value=longest_ms,
                unit="ms",
                bar=50,
                aim=20,
            ),
        ]


def measure_indexing(plan: Plan) -> list[Figure]:
    """The real engine indexes and captions photos while the window shows what comes."""
    from tests.support.engines import stop  # here: it brings the engine's libraries along

    library = plan.folder / "library-real"
    app, window = open_window(library, starts_engine=True)
    link, grid, tracker = window.session.link, window.widgets.grid, window.session.tracker
    ended: list[JobValue] = []
    tracker.ended.connect(ended.append)
    try:
        run_for(app, WAIT_S, lambda: link.state is LinkState.CONNECTED)
        watch, since = GapWatch(), Stopwatch()
        window.add_folders([str(plan.folder / "photos")])
        run_for(app, WAIT_S, lambda: bool(grid.results.rowCount()) and _has_any(window, grid))
        first_s = since.read().clock_s
        run_for(app, WAIT_S, lambda: bool(ended))
        keys = tuple(grid.all_keys()[: 8 if plan.is_quick else 100])
        link.ask(StartCaption(scope=Scope(keys=keys)), JobReply, lambda _answer: None)
        run_for(app, WAIT_S, lambda: len(ended) > 1)
        indexed = grid.results.rowCount()
    finally:
        window.close()
        client = running_engine(library)
        if client is not None:
            with client:
                stop(client)
    return [
        Figure(
            name=f"longest pause, processor time: {indexed} photos indexed, {len(keys)} captioned",
            value=watch.longest_ms(),
            unit="ms",
            bar=50,
            aim=20,
        ),
        Figure(name="folder added → first photos visible", value=first_s, unit="s", bar=3, aim=1.5),
    ]


def _has_any(window: MainWindow, grid: Grid) -> bool:
    return any(has_picture(window, grid, position) for position, _ in grid.seen())


MEASURES: dict[str, Callable[[Plan], list[Figure]]] = {
    "scrolling": measure_scrolling,
    "memory": measure_memory,
    "indexing": measure_indexing,
}


# Running -----------------------------------------------------------------------------


def make_pictures(folder: Path) -> None:
    """Parts of the sample photos in several shapes: as files, and as thumbnails."""
    (folder / "photos").mkdir()
    (folder / "thumbnails").mkdir()
    for path in sorted(SAMPLES.glob("*.jpg")):
        picture = read_image(str(path), 4 * THUMBNAIL_PX)
        width, height = picture.width(), picture.height()
        for name, part in (
            ("whole", picture),
            ("wide", picture.copy(0, height // 3, width, max(1, height // 3))),
            ("tall", picture.copy(width // 4, 0, max(1, width // 2), height)),
            ("left", picture.copy(0, 0, max(1, 3 * width // 4), height)),
        ):
            file = f"{path.stem}-{name}.jpg"
            part.save(str(folder / "photos" / file), None, 90)
            _small(part).save(str(folder / "thumbnails" / file), None, 88)


def _small(picture: QImage) -> QImage:
    scale = min(1.0, THUMBNAIL_PX / max(picture.width(), picture.height()))
    return picture.scaled(
        max(1, round(picture.width() * scale)), max(1, round(picture.height() * scale))
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(MEASURES))
    parser.add_argument("--quick", action="store_true", help="under 50 seconds")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = [name for name in options.measures if name not in MEASURES]
    if unknown:
        parser.error(f"there is no measure {unknown[0]!r}: {', '.join(MEASURES)}")
    if options.child is not None:
        plan = Plan(folder=options.child, is_quick=options.quick)
        scope = QSettings.Scope.UserScope
        QSettings.setPath(QSettings.Format.IniFormat, scope, str(plan.folder / "settings"))
        found = MEASURES[options.measures[0]](plan)
        sys.stdout.write(json.dumps([asdict(figure) for figure in found]) + "\n")
        return 0
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="cocadesk-window-") as base:
        folder = Path(base)
        make_pictures(folder)
        for name in options.measures or MEASURES:
            figures += _in_child(name, folder, is_quick=options.quick)
    print_table(figures)
    return exit_code(figures)


def _in_child(name: str, folder: Path, *, is_quick: bool) -> list[Figure]:
    command = [sys.executable, "-m", "tests.bench.window", name, "--child", str(folder)]
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "COCADESK_CACHE": str(folder / "cache"),
    }
    done = subprocess.run(
        command + ["--quick"] * is_quick,
        cwd=ROOT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [Figure(**values) for values in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    sys.exit(main())
