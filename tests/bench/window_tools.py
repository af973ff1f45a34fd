"""What the measures of the window share: the window itself, its clocks, and made-up engines."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from cocadesk.locations import collect_rarely
from ui.engine.link import EngineLink
from ui.kit.app_theme import AppTheme
from ui.kit.theme import Appearance
from ui.shell.window import MainWindow

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "resources" / "samples" / "photos"
FRAME_S = 1 / 60
WAIT_S = 120.0
BEAT_MS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sizes of a run."""

    folder: Path
    is_quick: bool

    @property
    def scroll_s(self) -> float:
        """The seconds for one way of scrolling."""
        return 4.0 if self.is_quick else 15.0


def resident_mb() -> float:
    """The memory that this process holds, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def run_for(app: QApplication, seconds: float, until: Callable[[], bool] | None = None) -> None:
    """Lets the window work for so long, or until something is so."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and not (until is not None and until()):
        app.processEvents()
        time.sleep(0.001)


def wait_for(app: QApplication, seconds: float, until: Callable[[], bool]) -> bool:
    """Waits as the program does, woken by what comes; True once something is so.

    Unlike ``run_for`` it costs the processor next to nothing, so that work can be measured.
    """
    end, beat = time.perf_counter() + seconds, QTimer()
    beat.start(BEAT_MS)
    while not until():
        if time.perf_counter() > end:
            return False
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
    return True


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds of the thread's processor time, and by the clock."""

    work_s: float
    clock_s: float


class Stopwatch:
    """The time since it was made."""

    def __init__(self) -> None:
        self._work_s, self._clock_s = time.thread_time(), time.perf_counter()

    def read(self) -> Span:
        """The time until now."""
        return Span(time.thread_time() - self._work_s, time.perf_counter() - self._clock_s)


class GapWatch(QObject):
    """Measures the times for which the event loop does not turn."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[Span] = []
        self._since = Stopwatch()
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        self.gaps.append(self._since.read())
        self._since = Stopwatch()

    def longest_ms(self) -> float:
        """The longest, in processor time."""
        return 1000 * max(gap.work_s for gap in self.gaps)


@contextlib.contextmanager
def many_media(plan: Plan, count: int) -> Iterator[tuple[QApplication, MainWindow]]:
    """A window on an engine (in a process of its own) with so many media; none have come yet."""
    library = plan.folder / f"library-{count}"
    library.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.bench.window_engine", "--library", str(library)]
    command += ["--media", str(count), "--thumbnails", str(plan.folder / "thumbnails")]
    engine = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert engine.stdin is not None
    assert engine.stdout is not None
    engine.stdout.readline()
    app, window = open_window(library, starts_engine=False)
    try:
        yield app, window
    finally:
        window.close()
        engine.stdin.close()
        engine.wait(20)


def open_window(library: Path, *, starts_engine: bool) -> tuple[QApplication, MainWindow]:
    """The program's window, shown, whose link opens; with the settings of its process."""
    collect_rarely()
    app = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(app, QApplication)
    window = MainWindow(
        EngineLink(library, starts_engine=starts_engine), AppTheme(app, Appearance.LIGHT)
    )
    window.show()
    window.session.link.open()
    return app, window
