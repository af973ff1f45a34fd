"""Takes the README's screenshots of the real window, with the real engine, on the sample photos.

``python tools/screenshots.py [search] [dark] [filtered] [large] [map] [caption] [review] [moment]
[teach]`` takes those that are named, else all; ``--size 1280x800`` and ``--out FOLDER`` change
how and where to. The library is made anew, beside its engine, under ``.cache``; teaching takes a
few minutes. Set ``QT_QPA_PLATFORM=offscreen`` where there is no display.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).parent))

from screenshot_stage import ROOT, dress, lesson, more_of_the_kind, pause, photos, save, wait

from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import Ok, StopEngine
from cocadesk.protocol.values import JobKind, JobState
from ui.annotations.dialogs import WriteDialog
from ui.detail.review.view import ReviewView
from ui.engine.link import EngineLink
from ui.kit.actions import Actions
from ui.kit.app_theme import AppTheme
from ui.kit.theme import Appearance
from ui.library.listing import Showing
from ui.library.map.page import MapPage
from ui.library.query import Query
from ui.shell.pages import Pages
from ui.shell.window import MainWindow
from ui.teach.page import TeachPage

NAMES = ("search", "dark", "filtered", "large", "map", "caption", "review", "moment", "teach")
ANIMALS = "animals"


class Stagehand:
    """Brings one real window to what is to be seen."""

    def __init__(self, window: MainWindow, app_theme: AppTheme, folder: Path) -> None:
        self._window = window
        self._widgets = window.widgets
        self._app_theme = app_theme
        self._folder = folder
        self._has_settled = False
        self._has_captions = False
        self.scenes: dict[str, Callable[[], None]] = {
            "search": self._search,
            "dark": self._dark,
            "filtered": self._filtered,
            "large": self._large,
            "map": self._map,
            "caption": self._caption,
            "review": self._review,
            "moment": self._moment,
            "teach": self._teach,
        }
        window.session.browser.settled.connect(self._on_settled)

    def fill(self) -> None:
        """Indexes the photos and the video, and dresses some of them."""
        window, parts = self._window, self._widgets
        wait(lambda: bool(window.session.model.rowCount()) or "first folder" in parts.empty.text())
        window.add_folders([str(photos())])
        self._wait_for(JobKind.INDEX)
        wait(lambda: bool(window.session.model.rowCount()))
        wait(lambda: not window.session.tracker.active())
        client = running_engine(window.session.link.library)
        if client is None:
            raise SystemExit("the engine is gone")
        with client:
            dress(client)

    def _search(self) -> None:
        self._find(ANIMALS)
        self._save("search")

    def _dark(self) -> None:
        """Everything in order of time, in the dark."""
        self._show(Query())
        self._app_theme.choose(Appearance.DARK)
        self._save("dark")
        self._app_theme.choose(Appearance.LIGHT)

    def _filtered(self) -> None:
        self._show(Query(text="animals", terms=("kind:photo", "taken:2025", "favourite:no")))
        self._save("filtered")

    def _large(self) -> None:
        window, large = self._window, self._widgets.large
        self._find("a cup of coffee")
        window.action_set[Actions.TOGGLE_LARGE].trigger()
        wait(lambda: window.large.is_open and large.photo.has_picture)
        large.words.open()
        wait(lambda: window.session.thumbnails.waiting() == 0)
        pause(1500)
        self._save("large")
        window.large.close()

    def _map(self) -> None:
        window = self._window
        window.switcher.show(Pages.MAP)
        page = window.switcher.built(Pages.MAP)
        assert isinstance(page, MapPage)
        wait(lambda: not page.is_waiting)
        page.colours.setCurrentText("By folder")
        wait(lambda: not page.is_waiting and window.session.thumbnails.waiting() == 0)
        pause(1500)
        self._save("map")
        window.switcher.to_library()

    def _caption(self) -> None:
        """The photos are described; what would be written beside them is shown first."""
        window = self._window
        self._describe()
        window.action_set[Actions.WRITE_CAPTIONS].trigger()
        wait(
            lambda: (
                isinstance(window.dialogs.current, WriteDialog)
                and window.dialogs.current.write.isEnabled()
            )
        )
        dialog = window.dialogs.current
        assert dialog is not None
        save(dialog, self._folder / "caption.webp")
        dialog.close()

    def _describe(self) -> None:
        """Has all photos described, once."""
        window = self._window
        self._find(ANIMALS)
        if self._has_captions:
            return
        window.action_set[Actions.CAPTION_FOLDER].trigger()
        wait(lambda: window.dialogs.current is not None)
        window.dialogs.current.start.click()  # type: ignore[union-attr]
        self._wait_for(JobKind.CAPTION)
        self._has_captions = True

    def _review(self) -> None:
        """One photo large, with the caption and the tags that are suggested for it."""
        window = self._window
        self._describe()
        window.action_set[Actions.REVIEW].trigger()
        wait(lambda: (view := window.findChild(ReviewView)) is not None and view.photo.has_picture)
        pause(1500)
        self._save("review")
        window.findChild(ReviewView).closed.emit()

    def _moment(self) -> None:
        self._find("a city by night")
        window, parts = self._window, self._widgets
        keys = window.session.model.all_keys()
        wait(lambda: all(window.session.model.known_row(key) for key in keys[:12]))
        videos = [n for n, key in enumerate(keys[:12]) if _is_video(window, key)]
        parts.grid.go_to(videos[0])
        wait(lambda: window.session.inspector.key == keys[videos[0]])
        wait(lambda: parts.detail.video.strip.count() > 1 and window.session.frames.waiting() == 0)
        self._save("moment")

    def _teach(self) -> None:
        window = self._window
        self._show(Query())
        known = window.session.model.rowCount()
        window.add_folders([str(more_of_the_kind())])
        wait(
            lambda: window.session.model.rowCount() > known and not window.session.tracker.active()
        )
        window.switcher.show(Pages.TEACH)
        page = window.switcher.built(Pages.TEACH)
        assert isinstance(page, TeachPage)
        page.setup.source.add([str(lesson())])
        page.setup.check.click()
        wait(lambda: page.setup.found.time.isVisible())
        page.setup.start.click()
        self._wait_for(JobKind.TEACH)
        wait(lambda: page.view.keep.isVisible())
        wait(lambda: page.view.loss.is_drawn)
        pause(1500)
        self._save("teach")
        page.view.keep.click()
        wait(lambda: page.view.attempt.isVisible())

    def _save(self, name: str) -> None:
        self._widgets.strip.hide()
        self._widgets.notice.hide()
        save(self._window, self._folder / f"{name}.webp")

    def _show(self, query: Query) -> None:
        """A list by a question of filters, with its first photo looked at."""
        window = self._window
        window.switcher.to_library()
        self._has_settled = False
        self._widgets.search.show_query(query.text)
        window.session.browser.ask(query)
        wait(lambda: self._has_settled and bool(window.session.model.rowCount()))
        self._look_at_first()

    def _find(self, query: str) -> None:
        window, parts = self._window, self._widgets
        window.switcher.to_library()
        if parts.search.query() != query or window.session.browser.question.terms:
            self._has_settled = False
            window.session.browser.ask(Query())
            parts.search.set_query(query)
            wait(lambda: window.session.browser.listing.showing is Showing.SEARCH)
            wait(lambda: self._has_settled and bool(window.session.model.rowCount()))
        self._look_at_first()

    def _look_at_first(self) -> None:
        window, parts = self._window, self._widgets
        model = window.session.model
        parts.grid.go_to(0)
        wait(lambda: window.session.inspector.key == model.key_at(0))
        wait(lambda: parts.detail.is_described)
        wait(lambda: all(model.known_row(key) for key in model.all_keys()[:8]))
        wait(lambda: parts.detail.photo.has_picture and window.session.thumbnails.waiting() == 0)

    def _on_settled(self) -> None:
        self._has_settled = True

    def _wait_for(self, kind: JobKind) -> None:
        """The job of this kind that was started last, to its end."""
        jobs = self._window.session.tracker
        wait(lambda: any(job.kind is kind and job.state.is_final for job in jobs.all()))
        ended = next(job for job in jobs.all() if job.kind is kind)
        if ended.state is not JobState.DONE:
            raise SystemExit(f"{ended.title}: {ended.message}")


def main() -> int:
    """Takes the screenshots one after the other, in one window."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--library", type=Path, default=ROOT / ".cache" / "screenshots" / "Photos")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such screenshot: {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    _end_engine(options.library)
    shutil.rmtree(options.library, ignore_errors=True)
    with tempfile.TemporaryDirectory() as own:
        _take_own_folders(Path(own))
        _take(options.names or NAMES, options)
    _end_engine(options.library)
    return 0


def _take(names: tuple[str, ...] | list[str], options: argparse.Namespace) -> None:
    app = QApplication(["cocadesk"])
    app_theme = AppTheme(app, Appearance.LIGHT)
    window = MainWindow(EngineLink(options.library), app_theme)
    width, _, height = options.size.partition("x")
    window.resize(int(width), int(height))
    window.show()
    window.session.link.open()
    stagehand = Stagehand(window, app_theme, options.out)
    stagehand.fill()
    for name in names:
        stagehand.scenes[name]()
    window.close()


def _take_own_folders(folder: Path) -> None:
    """What a person has chosen on this computer neither shows nor changes."""
    scope = QSettings.Scope.UserScope
    QSettings.setPath(QSettings.Format.IniFormat, scope, str(folder / "settings"))
    os.environ.setdefault("COCADESK_CACHE", str(ROOT / ".cache" / "screenshots" / "cache"))


def _end_engine(library: Path) -> None:
    """An engine of an earlier library would go on with files that are gone."""
    client = running_engine(library)
    if client is not None:
        with client:
            client.ask(StopEngine(), Ok, timeout_s=60)


def _is_video(window: MainWindow, key: str) -> bool:
    row = window.session.model.known_row(key)
    return row is not None and row.duration_s is not None


if __name__ == "__main__":
    sys.exit(main())
