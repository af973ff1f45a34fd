"""One photo over the whole window: zoom, real pixels, neighbours, filmstrip, information."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.values import MediaKind
from ui.detail.large.view import LargeView
from ui.kit.actions import Actions
from ui.kit.pixels import Part, read_part
from ui.shell.window import MainWindow

WAIT_MS = 30_000


@pytest.fixture
def large(window: MainWindow, qtbot: QtBot) -> LargeView:
    """The large view of the window, at a photo whose picture has come."""
    window.resize(1000, 700)
    position = next(n for n in range(3, 40) if _row_is_photo(window, n, qtbot))
    window.widgets.grid.go_to(position)
    window.large.open()
    _settle(window, qtbot)
    return window.widgets.large


def _row_is_photo(window: MainWindow, position: int, qtbot: QtBot) -> bool:
    model = window.session.model
    key = model.key_at(position) or ""
    model.index(position).data()
    qtbot.waitUntil(lambda: model.known_row(key) is not None, timeout=WAIT_MS)
    row = model.known_row(key)
    return row is not None and row.kind is MediaKind.PHOTO and not row.parts and row.width > 2000


def _settle(window: MainWindow, qtbot: QtBot) -> None:
    """The picture of the photo under the cursor has come."""
    inspector = window.session.inspector
    qtbot.waitUntil(lambda: inspector.key == window.widgets.grid.current_key(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(inspector.picture_path), timeout=WAIT_MS)
    previews = window.session.previews
    qtbot.waitUntil(
        lambda: previews.pixmap(inspector.picture_path, inspector.picture_path) is not None,
        timeout=WAIT_MS,
    )


def _full_of(window: MainWindow) -> QImage:
    """Every pixel of the photo, as the fake engine has written it."""
    key = window.session.inspector.key
    folder = Path(window.session.link.library) / "full"
    return QImage(str(folder / f"{key}-0.png"))


def _shown_colour(large: LargeView, x: int, y: int) -> QColor:
    """The colour on the screen of this pixel of the (turned) picture."""
    photo = large.photo
    corner = photo.stage().target(photo._look).topLeft()
    return photo.grab().toImage().pixelColor(round(corner.x()) + x, round(corner.y()) + y)


def test_at_100_percent_the_pixels_are_those_of_the_file(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """Not those of a preview made larger; turned, they are the same ones turned."""
    window.action_set[Actions.ZOOM_REAL].trigger()
    qtbot.waitUntil(lambda: large.photo.has_real_pixels, timeout=WAIT_MS)
    assert large.percent.text() == "100 %"
    full = _full_of(window)
    width, height = full.width(), full.height()
    middle_x, middle_y = width // 2, height // 2
    for x, y in ((0, 0), (-200, 40), (170, -90), (33, 151)):
        want = full.pixelColor(middle_x + x, middle_y + y)
        assert _shown_colour(large, middle_x + x, middle_y + y) == want
    window.action_set[Actions.TURN_RIGHT].trigger()
    assert large.photo.zoom == 1.0
    window.action_set[Actions.ZOOM_REAL].trigger()
    qtbot.waitUntil(lambda: large.photo.has_real_pixels, timeout=WAIT_MS)
    # Turned to the right, the pixel (x, y) lies at (height - 1 - y, x).
    for x, y in ((0, 0), (120, 60), (-77, -140)):
        want = full.pixelColor(middle_x + x, middle_y + y)
        assert _shown_colour(large, height - 1 - (middle_y + y), middle_x + x) == want


def test_the_whole_photo_is_back_with_the_same_key(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """Z and Z again; Ctrl+0 from any zoom; a double click zooms where it is."""
    QTest.keyClick(large, Qt.Key.Key_Z)
    assert large.photo.percent == 100
    QTest.keyClick(large, Qt.Key.Key_Z)
    assert large.photo.zoom == 1.0
    large.photo.zoom_by(3.0, QPointF(10, 10))
    assert large.percent.text().endswith("%")
    QTest.keyClick(large, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert large.photo.zoom == 1.0
    assert large.percent.text() == ""


def test_shift_and_arrows_move_an_enlarged_photo_and_arrows_step(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """Keys alone are enough to look everywhere."""
    grid = window.widgets.grid
    here = grid.currentIndex().row()
    large.photo.toggle_real()
    before = large.photo._look.x
    QTest.keyClick(large, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert large.photo._look.x > before
    assert grid.currentIndex().row() == here
    QTest.keyClick(large, Qt.Key.Key_Right)
    assert grid.currentIndex().row() == here + 1


def test_the_zoom_is_kept_from_photo_to_photo_by_choice(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """Without the setting the next photo is seen whole."""
    large.photo.toggle_real()
    QTest.keyClick(large, Qt.Key.Key_Right)
    _settle(window, qtbot)
    assert large.photo.zoom == 1.0
    window.action_set[Actions.KEEP_ZOOM].trigger()
    large.photo.toggle_real()
    large.photo.pan(0.3, 0.1)
    x = large.photo._look.x
    QTest.keyClick(large, Qt.Key.Key_Right)
    _settle(window, qtbot)
    assert large.photo.percent == 100
    assert large.photo._look.x == pytest.approx(x, abs=0.15)


def test_the_next_two_and_the_one_before_are_there_before_they_are_wanted(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """A step then shows the large picture at once, without waiting for anything."""
    model, neighbours = window.session.model, window.session.neighbours
    here = window.widgets.grid.currentIndex().row()
    keys = [model.key_at(here + by) or "" for by in (1, 2, -1)]
    qtbot.waitUntil(
        lambda: all(neighbours.picture(key) is not None for key in keys), timeout=WAIT_MS
    )
    QTest.keyClick(large, Qt.Key.Key_Right)
    plain = large.photo._plain  # in the same pass of the event loop
    assert max(plain.width(), plain.height()) == 1400


def test_place_filmstrip_and_ends_of_the_list(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """The place is told; a click in the strip, Home and End go elsewhere."""
    grid = window.widgets.grid
    here = grid.currentIndex().row()
    assert large.place.text() == f"{here + 1} of 40"
    assert large.film.isVisible()
    place = large.film.cell(here + 2).center()
    qtbot.mouseClick(large.film, Qt.MouseButton.LeftButton, pos=place)
    assert grid.currentIndex().row() == here + 2
    assert large.film.position == here + 2
    QTest.keyClick(large, Qt.Key.Key_End)
    assert large.place.text() == "40 of 40"
    QTest.keyClick(large, Qt.Key.Key_Home)
    assert large.place.text() == "1 of 40"
    assert next(iter(large.film.visible())) == 0


def test_filmstrip_and_information_are_remembered(
    window: MainWindow, large: LargeView, qtbot: QtBot, engine: FakeEngine
) -> None:
    """Each by one key, with a check mark while it is on."""
    assert not large.info.isVisible()
    QTest.keyClick(large, Qt.Key.Key_I)
    QTest.keyClick(large, Qt.Key.Key_V)
    assert large.info.isVisible()
    assert not large.film.isVisible()
    row = window.session.inspector.row
    assert row is not None
    assert row.name in large.info.accessibleName()
    assert window.action_set[Actions.PHOTO_INFO].isChecked()
    window.large.close()
    assert not window.action_set[Actions.PHOTO_INFO].isEnabled()
    window.large.open()
    assert large.info.isVisible()


def test_a_turn_is_of_one_photo_and_of_the_screen_alone(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """The next photo stands upright; back again, the turned one is as it was turned."""
    QTest.keyClick(large, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert large.photo.quarters == 1
    assert "file is as it was" in window.widgets.notice.text()
    QTest.keyClick(large, Qt.Key.Key_Right)
    _settle(window, qtbot)
    assert large.photo.quarters == 0
    QTest.keyClick(large, Qt.Key.Key_Left)
    _settle(window, qtbot)
    assert large.photo.quarters == 1


def test_of_a_picture_larger_than_memory_should_hold_only_a_part_is_read(tmp_path: Path) -> None:
    """At the scale that is asked for; a part beside another has the colours of its place."""
    path = tmp_path / "wide.jpg"
    picture = QImage(6400, 320, QImage.Format.Format_RGB32)
    picture.fill(QColor("white"))
    painter = QPainter(picture)
    painter.fillRect(0, 0, 160, 320, QColor("red"))
    painter.fillRect(3200, 0, 160, 320, QColor("blue"))
    painter.end()
    assert picture.save(str(path), quality=95)
    whole = read_part(Part(str(path), QRect(3200, 32, 160, 64)))
    assert (whole.width(), whole.height()) == (160, 64)
    assert whole.pixelColor(80, 32).blue() > 240
    assert whole.pixelColor(80, 32).red() < 20
    fourth = read_part(Part(str(path), QRect(3200, 0, 320, 320), step=4))
    assert (fourth.width(), fourth.height()) == (80, 80)
    assert fourth.pixelColor(20, 40).blue() > 240
    assert fourth.pixelColor(20, 40).red() < 20


def test_a_caption_is_edited_without_leaving_the_large_view(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """E opens its field beside the photo; Enter saves, says so, and the keys step again."""
    key = window.session.inspector.key
    QTest.keyClick(large, Qt.Key.Key_E)
    assert window.large.is_open
    editor = large.words.field.editor
    assert editor.isVisible()
    editor.setPlainText("a harbour in the evening")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.widgets.notice.text() == "Caption saved", timeout=WAIT_MS)
    assert not large.words.isVisible()
    qtbot.waitUntil(lambda: large.caption.text() == "a harbour in the evening", timeout=WAIT_MS)
    assert window.large.is_open
    assert window.session.inspector.key == key
    assert large.hasFocus() or not window.isActiveWindow()
    window.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(lambda: large.caption.text() != "a harbour in the evening", timeout=WAIT_MS)


def test_tags_go_to_the_photo_that_is_seen_not_to_a_selection_that_is_not(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """T adds some in a row; Esc closes the field, not the large view. Stars are the same."""
    window.large.close()
    window.widgets.grid.selectAll()
    window.large.open()
    QTest.keyClick(large, Qt.Key.Key_T)
    field = large.words.chips.field
    for tag in ("harbour", "evening"):
        field.setText(tag)
        QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.isVisible()
    assert window.large.is_open
    qtbot.waitUntil(lambda: "“evening” added" in window.widgets.notice.text(), timeout=WAIT_MS)
    assert "for" not in window.widgets.notice.text()
    qtbot.waitUntil(lambda: large.words.chips.texts()[:2] == ["harbour", "evening"],
                    timeout=WAIT_MS)  # fmt: skip
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert window.large.is_open
    assert not large.words.isVisible()
    QTest.keyClick(large, Qt.Key.Key_4)
    qtbot.waitUntil(lambda: window.widgets.notice.text() == "4 stars on 1 photo", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: large.marks.text() == "★★★★☆", timeout=WAIT_MS)


def test_what_is_typed_is_saved_when_one_goes_on(
    window: MainWindow, large: LargeView, qtbot: QtBot
) -> None:
    """Closing the large view, or the next photo by its button, loses nothing."""
    key = window.session.inspector.key or ""
    QTest.keyClick(large, Qt.Key.Key_E)
    large.words.field.editor.setPlainText("typed and left")
    window.action_set[Actions.NEXT].trigger()
    _settle(window, qtbot)

    def is_saved() -> bool:
        row = window.session.model.known_row(key)
        return row is not None and row.caption == "typed and left"

    qtbot.waitUntil(is_saved, timeout=WAIT_MS)
