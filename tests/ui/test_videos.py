"""Videos in the window: the moment that matched, the strip of moments, and playing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Hit, Moment, VideoMoment
from tests.support.real_player import told_by_player
from tests.support.videos import make_video
from ui.detail.moment_strip import MomentStrip, nearest
from ui.kit.actions import Actions
from ui.kit.app_theme import AppTheme
from ui.kit.image_loader import ImageLoader
from ui.shell.window import MainWindow

WAIT_MS = 30_000
MOMENTS = tuple(
    VideoMoment(time_s=n * 4.0 + 2, start_s=n * 4.0, end_s=n * 4.0 + 4) for n in range(5)
)


@pytest.fixture
def video(found_video: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window at a video that was found by a moment of it, with its picture and moments."""
    window = found_video
    qtbot.waitUntil(lambda: window.widgets.detail.video.strip.count() > 0, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: window.widgets.detail.photo.has_picture, timeout=WAIT_MS)
    return window


def test_the_moment_that_matched_stands_for_the_video_in_grid_and_detail(
    video: MainWindow, qtbot: QtBot
) -> None:
    """Its thumbnail in the grid, its frame in the detail, its place in the strip."""
    row = video.session.inspector.row
    assert row is not None
    hit = video.session.model.hit_of(row.key)
    assert hit is not None
    assert hit.thumbnail is not None
    assert video.session.model.thumbnail_of(row) == hit.thumbnail.to_str() != ""
    strip = video.widgets.detail.video.strip
    assert video.session.inspector.time_s == hit.time_s == strip.current_s()
    assert "best match" in (strip.currentItem().data(Qt.ItemDataRole.AccessibleTextRole))


def test_moments_are_chosen_by_keys_and_by_a_click(video: MainWindow, qtbot: QtBot) -> None:
    """The picture of that time comes, in the detail and in the large view."""
    strip = video.widgets.detail.video.strip
    with qtbot.waitSignal(video.session.inspector.picture_came, timeout=WAIT_MS):
        QTest.keyClick(strip, Qt.Key.Key_Right)
    assert video.session.inspector.time_s == strip.current_s() == 10.0
    video.large.open()
    with qtbot.waitSignal(video.session.inspector.picture_came, timeout=WAIT_MS):
        video.action_set[Actions.PREVIOUS_MOMENT].trigger()
    assert video.session.inspector.time_s == 6.0
    assert video.widgets.large.photo.has_picture
    assert video.widgets.large.caption.text().startswith("0:06 · ")
    video.large.close()
    first = strip.visualItemRect(strip.item(0)).center()
    qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=first)
    qtbot.waitUntil(lambda: video.session.inspector.time_s == 2.0, timeout=WAIT_MS)


def test_where_a_film_cannot_play_a_sentence_says_so_and_the_moments_stay(
    video: MainWindow, qtbot: QtBot
) -> None:
    """Without a screen there is no player; nothing breaks."""
    view = video.widgets.detail.video
    video.action_set[Actions.PLAY].trigger()
    assert not view.is_open
    assert view.sentence.isVisible()
    assert "cannot be played" in view.sentence.text()
    assert view.strip.isVisible()
    assert "PySide6.QtMultimedia" not in sys.modules


def test_a_missing_system_library_is_named(
    video: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """QtMultimedia fails to load where libpulse is not installed; the window says what to do."""
    monkeypatch.setattr(QGuiApplication, "platformName", lambda: "xcb")
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    video.action_set[Actions.PLAY].trigger()
    assert "libpulse0" in video.widgets.detail.video.sentence.text()


def test_a_photo_has_no_moments_and_cannot_be_played(video: MainWindow, qtbot: QtBot) -> None:
    """The video's parts go with the video."""
    with qtbot.waitSignal(video.session.browser.settled, timeout=WAIT_MS):
        video.widgets.search.set_query("bicycle wall")
    qtbot.waitUntil(
        lambda: (
            video.session.inspector.row is not None
            and video.session.inspector.row.duration_s is None
        ),
        timeout=WAIT_MS,
    )
    view = video.widgets.detail.video
    assert not view.strip.isVisible()
    assert not view.controls.isVisible()
    assert not view.sentence.isVisible()
    assert not video.action_set[Actions.PLAY].isEnabled()


def test_the_scrubber_shows_the_frame_of_its_place(video: MainWindow, qtbot: QtBot) -> None:
    """Before anything plays, moving the slider asks for that frame."""
    view = video.widgets.detail.video
    with qtbot.waitSignal(view.moment_chosen, timeout=WAIT_MS):
        QTest.keyClick(view.controls.slider, Qt.Key.Key_PageUp)
    assert video.session.inspector.time_s is not None
    assert video.session.inspector.time_s > 6.0


def test_the_strip_marks_the_best_and_the_other_matches(app_theme: AppTheme, qtbot: QtBot) -> None:
    """Times between moments belong to the nearest one."""
    frames = ImageLoader(long_side_px=64, keep=4, workers=1)
    strip = MomentStrip(frames)
    qtbot.addWidget(strip)
    hit = Hit(
        key="k",
        path=WirePath("/k.mp4"),
        score=1,
        time_s=10.4,
        moments=(Moment(time_s=10.4, score=1),),
    )
    strip.show_moments(MOMENTS, hit)
    assert strip.currentRow() == 2
    strip.step(9)
    assert strip.currentRow() == 4
    assert strip.start_s() == 16.0
    frames.close()


def test_the_nearest_moment_of_none_is_none() -> None:
    """A video whose moments are not there yet has no place to mark."""
    assert nearest((), 3.0) is None
    assert nearest(MOMENTS, 0.0) == 0
    assert nearest(MOMENTS, 7.0) == 1


PLAY = """
seen, said = [], []
player.moved.connect(seen.append)
player.failed.connect(said.append)
player.ended.connect(loop.quit)
player.failed.connect(loop.quit)
QTimer.singleShot(20000, loop.quit)
player.play(sys.argv[1], 1.0)
loop.exec()
print(f"from {min(seen[1:] or [0]):.1f} to {max(seen or [0]):.1f}; said {said}")
player.stop()
"""


def test_a_film_plays_from_the_moment_on_a_real_screen(tmp_path: Path) -> None:
    """The player opens a small video at one second and plays it to its end."""
    from PIL import Image

    path = tmp_path / "video.mp4"
    make_video(path, [Image.new("RGB", (320, 240), colour) for colour in ("red", "blue")])
    told = told_by_player(PLAY, path)
    assert "said []" in told
    first, last = (float(word.rstrip(";")) for word in told.split()[1:4:2])
    assert first >= 0.9
    assert last >= 3.5


def test_a_missing_thumbnail_leaves_the_videos_own(video: MainWindow) -> None:
    """A hit without a picture of its moment shows the video's."""
    row = video.session.inspector.row
    assert row is not None
    assert row.thumbnail is not None
    video.session.model.show_keys(
        [row.key], [Hit(key=row.key, path=row.path, score=1.0, time_s=3.0)]
    )
    assert video.session.model.thumbnail_of(row) == row.thumbnail.to_str()
    other = Hit(key=row.key, path=row.path, score=1.0, time_s=3.0, thumbnail=WirePath("/x.jpg"))
    video.session.model.show_keys([row.key], [other])
    assert video.session.model.thumbnail_of(row) == "/x.jpg"
