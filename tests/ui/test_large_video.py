"""A video over the whole window: timeline by relevance, frames, speed, and where none can play."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Hit, Moment, VideoMoment
from tests.support.real_player import told_by_player
from tests.support.videos import make_video
from ui.detail.large.controls import LargeControls
from ui.detail.large.view import LargeView
from ui.detail.timeline import bars_of
from ui.kit.actions import Actions
from ui.kit.app_theme import AppTheme
from ui.shell.window import MainWindow

WAIT_MS = 30_000
MOMENTS = tuple(
    VideoMoment(time_s=n * 4.0 + 2, start_s=n * 4.0, end_s=n * 4.0 + 4) for n in range(5)
)


@pytest.fixture
def large(window: MainWindow, found_video: MainWindow, qtbot: QtBot) -> LargeView:
    """The large view of a video that was found by a moment of it, opened by Return."""
    grid, large = window.widgets.grid, window.widgets.large
    qtbot.waitUntil(lambda: large.video.strip.count() > 0, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: large.photo.has_picture, timeout=WAIT_MS)
    grid.setFocus()
    QTest.keyClick(grid, Qt.Key.Key_Return)
    assert window.large.is_open
    return large


def test_return_plays_and_where_that_cannot_be_moments_and_a_sentence_stand_there(
    window: MainWindow, large: LargeView
) -> None:
    """Tests have no screen: the picture, the timeline and the moments remain."""
    assert "cannot be played" in large.video.sentence.text()
    assert large.video.sentence.isVisible()
    assert large.video.strip.isVisible()
    assert large.controls.timeline.isVisible()
    assert large.photo.isVisible()


def test_the_timeline_says_which_parts_answer_the_search(
    window: MainWindow, large: LargeView
) -> None:
    """The best part is the highest; the number is told to whoever can't see it."""
    bars = large.controls.timeline.bars
    hit = window.session.model.hit_of(window.session.inspector.key or "")
    assert hit is not None
    best = next(bar for bar in bars if bar.start_s <= hit.moments[0].time_s < bar.end_s)
    assert best.relevance == 1.0
    assert sum(bar.relevance is not None for bar in bars) == len(hit.moments)
    assert "2 moments answer the search" in large.controls.timeline.accessibleDescription()


def test_a_click_on_the_timeline_goes_there(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """Without a player the frame of that time is shown; dragging asks for the last one only."""
    timeline, inspector = large.controls.timeline, window.session.inspector
    row = inspector.row
    assert row is not None
    assert row.duration_s is not None
    at = QPoint(timeline.width() // 2, 10)
    with qtbot.waitSignal(inspector.picture_came, timeout=WAIT_MS):
        qtbot.mouseClick(timeline, Qt.MouseButton.LeftButton, pos=at)
    assert inspector.time_s == pytest.approx(row.duration_s / 2, rel=0.02)
    assert large.controls.time.text().startswith("0:")


def test_frames_are_stepped_through_without_a_player_too(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """By the keys of the window; never before the start."""
    inspector = window.session.inspector
    before = large.video.strip.current_s()
    window.action_set[Actions.NEXT_FRAME].trigger()
    qtbot.waitUntil(lambda: inspector.time_s == pytest.approx(before + 0.04), timeout=WAIT_MS)
    window.action_set[Actions.PREVIOUS_FRAME].trigger()
    qtbot.waitUntil(lambda: inspector.time_s == pytest.approx(before), timeout=WAIT_MS)
    large.controls.sought.emit(0.0)
    window.action_set[Actions.PREVIOUS_FRAME].trigger()
    qtbot.waitUntil(lambda: inspector.time_s == 0.0, timeout=WAIT_MS)


def test_moments_are_stepped_through_by_their_keys(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """The strip of the large view, not the hidden one of the detail."""
    QTest.keyClick(large, Qt.Key.Key_Period)
    qtbot.waitUntil(
        lambda: window.session.inspector.time_s == large.video.strip.current_s() == 10.0,
        timeout=WAIT_MS,
    )
    QTest.keyClick(large, Qt.Key.Key_Comma)
    qtbot.waitUntil(lambda: window.session.inspector.time_s == 6.0, timeout=WAIT_MS)


def test_speed_volume_and_loop_are_set_by_keys_and_kept(app_theme: AppTheme, qtbot: QtBot) -> None:
    """Speeds from a quarter to four times; the next window has the volume of the last."""
    controls = LargeControls()
    qtbot.addWidget(controls)
    told: list[float] = []
    controls.speed_changed.connect(told.append)
    for _ in range(9):
        controls.step_speed(1)
    assert controls.speed == 4.0 == told[-1]
    for _ in range(20):
        controls.step_speed(-1)
    assert controls.speed == 0.25
    assert controls.speed_button.text() == "0.25×"
    controls.step_volume(-30)
    controls.loop.click()
    controls.mute.click()
    other = LargeControls()
    qtbot.addWidget(other)
    assert other.volume.value() == 50
    assert other.loop.isChecked()
    assert other.mute.isChecked()
    other.step_volume(10)
    assert not other.mute.isChecked()


def test_bars_without_a_search_and_with_one_score_alone() -> None:
    """Nothing is divided by nothing."""
    assert [bar.relevance for bar in bars_of(MOMENTS, None)] == [None] * 5
    moment = Moment(time_s=6.1, score=0.3)
    hit = Hit(key="k", path=WirePath("/k.mp4"), score=0.3, time_s=6.1, moments=(moment,))
    assert [bar.relevance for bar in bars_of(MOMENTS, hit)] == [None, 1.0, None, None, None]
    assert bars_of((), hit) == ()


PLAY = """
def wait(ms):
    QTimer.singleShot(ms, loop.quit)
    loop.exec()
player.failed.connect(lambda said: print("said", said))
player.set_speed(2.0)
player.play(sys.argv[1], 0.5)
wait(1200)
player.step_frame(1)
wait(400)
first = player.time_s
player.step_frame(1)
wait(400)
second = player.time_s
player.step_frame(-1)
wait(400)
print(f"frames {first:.3f} {second:.3f} {player.time_s:.3f} {player.is_playing}")
player.stop()
"""


def test_the_player_steps_by_single_frames(tmp_path: Path) -> None:
    """One frame of a video with ten a second is a tenth of a second, forwards and back."""
    path = tmp_path / "video.mp4"
    make_video(path, ["red", "green", "blue"], seconds_each=4, fps=10)
    told = told_by_player(PLAY, path)
    assert "said" not in told
    words = told.split()
    first, second, third = (float(word) for word in words[1:4])
    assert second - first == pytest.approx(0.1, abs=0.03)
    assert third == pytest.approx(first, abs=0.03)
    assert words[4] == "False"
