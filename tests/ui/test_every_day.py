"""A day with the real program: what one has found, rated and gathered is there the next morning."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from pytestqt import exceptions as qtbot_exceptions
from pytestqt.qtbot import QtBot

from cocadesk.protocol.values import JobKind, JobState, Row
from tests.support.real_window import opened
from tests.support.videos import make_video
from tests.support.window_scenes import WindowScenes
from ui.annotations.albums import NameDialog
from ui.kit.actions import Action, Actions
from ui.kit.app_theme import AppTheme
from ui.library.browse.sections import Section
from ui.library.query import Query
from ui.shell.window import MainWindow

WAIT_MS = 300_000
PHOTOS = ("coffee-cup", "koala", "dahlia-flower", "farm-cow", "giraffes", "beach")
SHOTS = ("kitchen", "city-night")
SHOT_S = 3
ALBUM = "Out of doors"
GATHERED = ("koala.jpg", "farm-cow.jpg", "giraffes.jpg")
TAG = "Quillet"
"""A word that says nothing to the model."""

pytestmark = [
    pytest.mark.qt_log_ignore("propagateSizeHints", "does not support"),
    pytest.mark.timeout(900),
]


@pytest.fixture
def holiday(samples: Path, tmp_path: Path) -> Path:
    """Photos, and a video of two shots in a folder of its own."""
    folder = tmp_path / "holiday"
    (folder / "videos").mkdir(parents=True)
    for name in PHOTOS:
        shutil.copy(samples / f"{name}.jpg", folder)
    shots = [Image.open(samples / f"{name}.jpg").convert("RGB") for name in SHOTS]
    make_video(folder / "videos" / "a day.mp4", shots, seconds_each=SHOT_S, size=(480, 320))
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library in the cache of all tests, where the network is compiled for this computer."""
    folder = tmp_path / "library"
    folder.mkdir()
    return folder


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees of a window and expects to see again."""

    names: list[str]
    chips: list[str]
    current: str | None
    first_visible: tuple[int, int] | None
    size: tuple[int, int]
    thumbnails: int
    panes_px: dict[str, int]


class Day:
    """One window, and what a person does in it."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window = window
        self._qtbot = qtbot

    def until(self, is_so: Callable[[], object]) -> None:
        """Lets the program work until it is so."""
        try:
            self._qtbot.waitUntil(lambda: bool(is_so()), timeout=WAIT_MS)
        except qtbot_exceptions.TimeoutError as error:
            widgets, jobs = self.window.widgets, self.window.session.tracker.all()
            said = [widgets.results.text.text(), widgets.notice.text(), widgets.empty.text()]
            states = [f"{job.title}: {job.state} {job.stage} {job.message}" for job in jobs]
            raise AssertionError("\n".join([*said, *states])) from error

    def settle(self) -> None:
        """Lets the program work until the window stays as it is."""
        WindowScenes(self.window, self._qtbot).settle()

    def press(self, key: Qt.Key) -> None:
        """A key over the photos, and the engine's answer to it."""
        grid = self.window.widgets.grid
        self.window.activateWindow()
        grid.setFocus()
        self.until(grid.hasFocus)
        QTest.keyClick(grid, key)
        self.until(self.window.session.editor.is_settled)

    def do(self, action: Action) -> None:
        """A command, by whichever way."""
        assert self.window.action_set[action].isEnabled(), action.id
        self.window.action_set[action].trigger()

    def row(self, name: str) -> Row:
        """What is known of the file of that name; it is in the list."""
        rows = {row.name: row for row in self.rows()}
        return rows[name]

    def rows(self) -> list[Row]:
        """The rows of the list, once all have come."""
        model = self.window.session.model
        self.until(lambda: all(model.known_row(key) for key in model.all_keys()))
        known = (model.known_row(key) for key in model.all_keys())
        return [row for row in known if row is not None]

    def go_to(self, name: str) -> None:
        """The photo of that name gets the cursor, and the detail shows it."""
        self.until(lambda: name in [row.name for row in self.rows()])
        names = [row.name for row in self.rows()]
        self.window.widgets.grid.go_to(names.index(name))
        inspector = self.window.session.inspector
        self.until(lambda: inspector.row is not None and inspector.row.name == name)

    def search(self, text: str) -> None:
        """Types a text and presses Return, so that its filters become chips."""
        box, browser = self.window.widgets.search, self.window.session.browser
        box.setFocus()
        box.selectAll()
        QTest.keyClicks(box, text)
        QTest.keyClick(box, Qt.Key.Key_Return)
        self.until(lambda: browser.listing.is_settled and browser.listing.problem is None)

    def chips(self) -> list[str]:
        """The filters above the list, in words."""
        return [chip.name.text() for chip in self.window.widgets.library.filters.chips()]

    def albums(self) -> dict[str, int | None]:
        """The albums in the side bar with their numbers."""
        nodes = self.window.widgets.library.side.model.section(Section.ALBUM).entries
        return {node.name: node.count for node in nodes}

    def seen(self) -> Seen:
        """All that must come back."""
        widgets = self.window.widgets
        return Seen(
            names=[row.name for row in self.rows()],
            chips=self.chips(),
            current=widgets.grid.current_key(),
            first_visible=widgets.grid.first_visible(),
            size=(self.window.width(), self.window.height()),
            thumbnails=widgets.grid.size_step,
            panes_px=widgets.library.pane_widths() | {"seen": widgets.detail.width()},
        )


def test_what_one_has_done_is_there_the_next_morning(
    app_theme: AppTheme, library: Path, holiday: Path, qtbot: QtBot
) -> None:
    """Add, filter, gather, rate, accept, tag, find by the tag, look at a video, start again."""
    with opened(library, app_theme) as window:
        day = Day(window, qtbot)
        _add(day, holiday)
        _filter(day)
        _gather(day)
        _rate(day)
        accepted = _accept(day)
        _find_by_own_tag(day)
        _look_at_the_video(day)
        left = _leave(day)
    with opened(library, app_theme) as window:
        _come_back(Day(window, qtbot), left, accepted)


def _add(day: Day, folder: Path) -> None:
    session = day.window.session
    day.until(lambda: "first folder" in day.window.widgets.empty.text())
    day.window.add_folders([str(folder)])
    day.until(
        lambda: any(j.kind is JobKind.INDEX and j.state.is_final for j in session.tracker.all())
    )
    job = next(job for job in session.tracker.all() if job.kind is JobKind.INDEX)
    assert (job.state, job.failed) == (JobState.DONE, 0), job.message
    day.until(lambda: session.model.rowCount() == len(PHOTOS) + 1)


def _filter(day: Day) -> None:
    """Photos alone; the video is not among them."""
    day.search("kind:photo")
    day.until(lambda: day.chips() == ["Photo"])
    day.until(lambda: day.window.session.model.rowCount() == len(PHOTOS))
    assert {row.name for row in day.rows()} == {f"{name}.jpg" for name in PHOTOS}


def _gather(day: Day) -> None:
    """Three photos into a new album, which the side bar shows and opens."""
    grid, model = day.window.widgets.grid, day.window.session.model
    grid.selectionModel().clearSelection()
    for place, row in enumerate(day.rows()):
        if row.name in GATHERED:
            flag = QItemSelectionModel.SelectionFlag.Select
            grid.selectionModel().select(model.index(place), flag)
    day.do(Actions.ADD_TO_ALBUM)
    dialog = day.window.dialogs.current
    assert isinstance(dialog, NameDialog)
    dialog.field.setText(ALBUM)
    dialog.go.click()
    day.until(day.window.session.editor.is_settled)
    day.until(lambda: day.albums() == {ALBUM: len(GATHERED)})


def _rate(day: Day) -> None:
    """By a key, for the photo under the cursor alone."""
    day.window.widgets.grid.selectionModel().clearSelection()
    day.go_to("giraffes.jpg")
    day.press(Qt.Key.Key_4)
    day.until(lambda: day.window.widgets.detail.marks.text() == "★★★★☆")
    assert [row.name for row in day.rows() if row.stars] == ["giraffes.jpg"]


def _accept(day: Day) -> str:
    """The suggested caption of a photo becomes the person's."""
    day.go_to("koala.jpg")
    inspector = day.window.session.inspector
    day.until(lambda: day.window.widgets.detail.is_described)
    day.until(lambda: inspector.row is not None and inspector.row.caption)
    day.press(Qt.Key.Key_A)
    day.until(lambda: inspector.row is not None and inspector.row.caption_by_person)
    assert inspector.row is not None
    assert inspector.row.caption
    return inspector.row.caption


def _find_by_own_tag(day: Day) -> None:
    """A word of one's own, which nothing in the picture says, finds that photo first."""
    day.go_to("farm-cow.jpg")
    day.do(Actions.ADD_TAG)
    field = day.window.widgets.detail.chips.field
    QTest.keyClicks(field, TAG)
    QTest.keyClick(field, Qt.Key.Key_Return)
    day.until(day.window.session.editor.is_settled)
    day.until(lambda: TAG in [tag.tag for tag in day.row("farm-cow.jpg").tags])
    day.search(TAG)
    model = day.window.session.model
    day.until(
        lambda: (
            (first := model.known_row(model.key_at(0) or "")) is not None
            and first.name == "farm-cow.jpg"
            and model.hit_of(first.key) is not None
        )
    )


def _look_at_the_video(day: Day) -> None:
    """Over the whole window, from one moment to the next.

    Here is no screen to play on: a sentence says so, and the frames come from the engine.
    """
    window = day.window
    window.session.browser.ask(Query(terms=("kind:video",)))
    day.until(lambda: day.chips() == ["Video"] and window.session.model.rowCount() == 1)
    day.go_to("a day.mp4")
    large = window.widgets.large
    day.press(Qt.Key.Key_Return)
    assert window.large.is_open
    day.until(lambda: large.video.strip.count() >= len(SHOTS) and large.photo.has_picture)
    assert "cannot be played" in large.video.sentence.text()
    assert large.controls.timeline.isVisible()
    before = window.session.inspector.time_s
    QTest.keyClick(large, Qt.Key.Key_Period)
    day.until(lambda: window.session.inspector.time_s != before)
    day.until(lambda: large.photo.has_picture)
    QTest.keyClick(large, Qt.Key.Key_Escape)
    assert not window.large.is_open


def _leave(day: Day) -> Seen:
    """Sizes of one's own, and the album within a filter, scrolled to its end."""
    window, widgets = day.window, day.window.widgets
    widgets.strip.dismiss.click()  # it tells of the job that has ended, and has its own room
    window.resize(780, 560)  # the screen of tests is 800 pixels wide
    widgets.library.set_pane_widths({"detail": 312, "side-bar": 250})
    widgets.grid.set_size_step(5)
    window.session.browser.ask(Query(terms=("kind:photo", f'album:"{ALBUM}"')))
    day.until(lambda: window.session.model.rowCount() == len(GATHERED))
    day.until(lambda: len(day.chips()) == 2)
    last = day.rows()[-1].name
    day.go_to(last)
    day.settle()
    return day.seen()


def _come_back(day: Day, left: Seen, accepted: str) -> None:
    """Another window on another engine shows the same, and knows the same."""
    session = day.window.session
    day.until(lambda: session.model.rowCount() == len(left.names))
    day.until(lambda: session.browser.listing.is_settled and not session.browser.listing.problem)
    with suppress(AssertionError):
        day.until(lambda: day.seen() == left)
    assert day.seen() == left
    day.do(Actions.TOGGLE_SIDE_BAR)  # a window of this width has room for it only when asked
    day.until(lambda: day.albums() == {ALBUM: len(GATHERED)})
    rows = {row.name: row for row in day.rows()}
    assert set(rows) == set(GATHERED)
    assert rows["giraffes.jpg"].stars == 4
    assert rows["koala.jpg"].caption == accepted
    assert rows["koala.jpg"].caption_by_person
    assert TAG in [tag.tag for tag in rows["farm-cow.jpg"].tags]
    day.until(lambda: session.editor.undo_title)
