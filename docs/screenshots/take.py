"""Takes the README's screenshots of the real window, on the sample photos.

``python docs/screenshots/take.py [search] [caption] [tags] [moment] [teach]`` takes
those that are named, else all; ``--look dark``, ``--size 1280x800`` and ``--out
FOLDER`` change how and where to. The library is made anew, beside its engine, under
``.cache``; teaching takes a few minutes. Set ``QT_QPA_PLATFORM=offscreen`` where
there is no display.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QApplication

sys.path.insert(0, str(Path(__file__).parent))

from stage import ROOT, lesson, more_of_the_kind, pause, photos, save, wait

from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import Ok, StopEngine
from cocadesk.protocol.values import JobKind, JobState
from ui.annotations.dialogs import WriteDialog
from ui.engine.link import EngineLink
from ui.kit.actions import Actions
from ui.kit.app_theme import AppTheme
from ui.kit.theme import Appearance
from ui.library.listing import Showing
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

NAMES = ("search", "caption", "tags", "moment", "teach")
OWN_TAGS = (
    "animal", "baby animal", "bird", "building", "castle", "city", "coffee", "countryside",
    "farm", "flower", "fruit", "insect", "landmark", "music", "night", "people", "sea", "snow",
    "space", "sport", "tower", "train", "water", "wild animal",
)  # fmt: skip


class Stagehand:
    """Brings one real window to what is to be seen."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self._window = window
        self._widgets = window.widgets
        self._folder = folder
        self._has_settled = False
        window.session.browser.settled.connect(self._on_settled)

    def take(self, name: str) -> None:
        """One screenshot by its name."""
        scenes: dict[str, Callable[[], None]] = {
            "search": self._search,
            "caption": self._caption,
            "tags": self._tags,
            "moment": self._moment,
            "teach": self._teach,
        }
        scenes[name]()

    def fill(self) -> None:
        """Indexes the photos and the video."""
        parts = self._widgets
        wait(
            lambda: (
                bool(self._window.session.model.rowCount()) or "first folder" in parts.empty.text()
            )
        )
        self._window.add_folders([str(photos())])
        self._wait_for(JobKind.INDEX)
        wait(lambda: bool(self._window.session.model.rowCount()))

    def _search(self) -> None:
        self._find("farm animals in a green field")
        save(self._window, self._folder / "search.png")

    def _caption(self) -> None:
        """The photos are described; what would be written beside them is shown first."""
        window = self._window
        self._find("farm animals in a green field")
        window.action_set[Actions.CAPTION_FOLDER].trigger()
        wait(lambda: window.dialogs.current is not None)
        window.dialogs.current.start.click()  # type: ignore[union-attr]
        self._wait_for(JobKind.CAPTION)
        window.action_set[Actions.WRITE_CAPTIONS].trigger()
        wait(
            lambda: (
                isinstance(window.dialogs.current, WriteDialog)
                and window.dialogs.current.write.isEnabled()
            )
        )
        dialog = window.dialogs.current
        assert dialog is not None
        save(dialog, self._folder / "caption.png")
        dialog.close()

    def _tags(self) -> None:
        window = self._window
        window.switcher.show(Pages.TAGS)
        page = window.switcher.built(Pages.TAGS)
        wait(lambda: page.text.isEnabled())  # type: ignore[union-attr]
        page.text.setPlainText("\n".join(OWN_TAGS))  # type: ignore[union-attr]
        wait(lambda: page.save.isEnabled())  # type: ignore[union-attr]
        page.save.click()  # type: ignore[union-attr]
        self._wait_for(JobKind.TAG)
        window.switcher.to_library()
        self._find("a bird near the water")
        save(window, self._folder / "tags.png")

    def _moment(self) -> None:
        self._find("a city by night")
        window, parts = self._window, self._widgets
        keys = window.session.model.all_keys()
        wait(lambda: all(window.session.model.known_row(key) for key in keys[:12]))
        videos = [n for n, key in enumerate(keys[:12]) if _is_video(window, key)]
        parts.grid.go_to(videos[0])
        wait(lambda: window.session.inspector.key == keys[videos[0]])
        wait(lambda: parts.detail.video.strip.count() > 1 and window.session.frames.waiting() == 0)
        save(window, self._folder / "moment.png")

    def _teach(self) -> None:
        window = self._window
        self._widgets.search.set_query("")
        wait(lambda: window.session.browser.listing.showing is Showing.NEWEST)
        known = window.session.model.rowCount()
        window.add_folders([str(more_of_the_kind())])
        wait(
            lambda: window.session.model.rowCount() > known and not window.session.tracker.active()
        )
        window.switcher.show(Pages.TEACH)
        page = window.switcher.built(Pages.TEACH)
        assert page is not None
        page.setup.source.add([str(lesson())])  # type: ignore[attr-defined]
        page.setup.check.click()  # type: ignore[attr-defined]
        wait(lambda: page.setup.found.time.isVisible())  # type: ignore[attr-defined]
        page.setup.start.click()  # type: ignore[attr-defined]
        self._wait_for(JobKind.TEACH)
        wait(lambda: page.view.keep.isVisible())  # type: ignore[attr-defined]
        wait(lambda: page.view.loss.is_drawn)  # type: ignore[attr-defined]
        pause(1500)
        self._widgets.strip.hide()
        save(window, self._folder / "teach.png")
        page.view.keep.click()  # type: ignore[attr-defined]
        wait(lambda: page.view.attempt.isVisible())  # type: ignore[attr-defined]

    def _find(self, query: str) -> None:
        window, parts = self._window, self._widgets
        window.switcher.to_library()
        parts.strip.hide()
        if parts.search.query() != query:
            self._has_settled = False
            parts.search.set_query(query)
            wait(lambda: self._has_settled and bool(window.session.model.rowCount()))
        parts.grid.go_to(0)
        wait(lambda: window.session.inspector.key == window.session.model.key_at(0))
        wait(lambda: parts.detail.is_described)
        wait(
            lambda: all(
                window.session.model.known_row(key) for key in window.session.model.all_keys()[:8]
            )
        )
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
    parser.add_argument("--look", type=Appearance, default=Appearance.LIGHT)
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--library", type=Path, default=ROOT / ".cache" / "screenshot-library")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such screenshot: {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    _end_engine(options.library)
    shutil.rmtree(options.library, ignore_errors=True)
    app = QApplication(["cocadesk"])
    window = MainWindow(EngineLink(options.library), AppTheme(app, options.look))
    width, _, height = options.size.partition("x")
    window.resize(int(width), int(height))
    window.show()
    window.session.link.open()
    stagehand = Stagehand(window, options.out)
    stagehand.fill()
    for name in options.names or NAMES:
        stagehand.take(name)
    window.close()
    _end_engine(options.library)
    return 0


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
