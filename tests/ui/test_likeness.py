"""Searches by pictures and what a search says of itself, in the window with the fake engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.values import Row
from tests.ui.conftest import WAIT_MS
from ui.kit.actions import Actions
from ui.library.pasting import MOST_KEPT, PASTED, forget_pasted, pictures_in
from ui.library.query import Query, Showing
from ui.library.search_box import HINTS, SIDES_PX
from ui.shell.window import MainWindow

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")

CTRL = Qt.KeyboardModifier.ControlModifier


def _until(qtbot: QtBot, is_so: Callable[[], bool]) -> None:
    qtbot.waitUntil(is_so, timeout=WAIT_MS)


def _do(window: MainWindow, qtbot: QtBot, act: Callable[[], object]) -> None:
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        act()


def _ask(window: MainWindow, qtbot: QtBot, query: Query) -> None:
    _do(window, qtbot, lambda: window.session.browser.ask(query))


def _chips(window: MainWindow) -> list[str]:
    return [chip.name.text() for chip in window.widgets.library.filters.chips()]


def _row(window: MainWindow, qtbot: QtBot, place: int = 0) -> Row:
    window.widgets.grid.go_to(place)
    _until(qtbot, lambda: window.widgets.grid.current_row() is not None)
    row = window.widgets.grid.current_row()
    assert row is not None
    return row


def _dropped(*paths: str) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return data


def test_more_like_this_is_a_list_of_its_own(window: MainWindow, qtbot: QtBot) -> None:
    """Its picture stands as a chip, and is not found itself."""
    row = _row(window, qtbot, 3)
    _do(window, qtbot, window.action_set[Actions.MORE_LIKE_THIS].trigger)
    browser = window.session.browser
    assert [one.key for one in browser.question.likes] == [row.key]
    assert browser.listing.showing is Showing.SIMILAR
    assert browser.listing.headline == f"Looks like {row.name}, most alike first"
    assert _chips(window) == [f"Like {row.name}"]
    assert window.widgets.library.crumbs.texts() == ["All", f"Like {row.name}"]
    assert row.key not in window.session.model.all_keys()
    _do(window, qtbot, window.widgets.library.filters.chips()[0].cross.click)
    assert browser.question.is_everything


def test_more_like_all_selected_takes_each_of_them(window: MainWindow, qtbot: QtBot) -> None:
    """Many of them share a chip; too many are told so and nothing happens."""
    grid, browser = window.widgets.grid, window.session.browser
    grid.selectAll()
    keys = grid.selected_keys()
    _do(window, qtbot, window.action_set[Actions.MORE_LIKE_THESE].trigger)
    assert [one.key for one in browser.question.likes] == keys
    assert _chips(window) == ["Like 40 photos"]
    before = browser.question
    window.widgets.search.pictures_given.emit(tuple(f"/p/{n}.jpg" for n in range(65)))
    assert "64 pictures at most" in window.widgets.notice.text()
    assert browser.question == before


def test_less_like_this_refines_a_search_again_and_again(window: MainWindow, qtbot: QtBot) -> None:
    """The text stays, each has its chip; one goes back step by step."""
    _ask(window, qtbot, Query(text="dog"))
    browser, model = window.session.browser, window.session.model
    first = _row(window, qtbot)
    assert model.rowCount() > 3
    less = window.action_set[Actions.LESS_LIKE_THIS]
    _do(window, qtbot, less.trigger)
    assert first.key not in model.all_keys()
    second = _row(window, qtbot)
    _do(window, qtbot, less.trigger)
    assert browser.question.text == "dog"
    assert _chips(window) == [f"Unlike {first.name}", f"Unlike {second.name}"]
    crumbs = window.widgets.library.crumbs.texts()
    assert crumbs == ["All", "“dog”", f"Unlike {first.name} and {second.name}"]
    assert "“dog”, unlike" in browser.listing.headline
    _do(window, qtbot, window.action_set[Actions.GO_BACK].trigger)
    assert [one.key for one in browser.question.unlikes] == [first.key]
    [chip] = window.widgets.library.filters.chips()
    chip.setFocus()
    _do(window, qtbot, lambda: QTest.keyClick(chip, Qt.Key.Key_Minus))
    assert _chips(window) == [f"Like {first.name}"]


def test_words_may_come_before_a_dropped_picture_or_after_it(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """A picture of the library is one by its key, any other by its path."""
    box, browser = window.widgets.search, window.session.browser
    row = _row(window, qtbot)
    _do(window, qtbot, lambda: box.set_query("beach"))
    _do(window, qtbot, lambda: box.pictures_given.emit((row.path.to_str(),)))
    assert (browser.question.text, box.text()) == ("beach", "beach")
    assert [one.key for one in browser.question.likes] == [row.key]
    assert f"“beach”, like {row.name}" in browser.listing.headline
    _do(window, qtbot, lambda: box.set_query("snow"))
    assert [one.key for one in browser.question.likes] == [row.key]
    _do(window, qtbot, lambda: box.pictures_given.emit(("/elsewhere/a dog.jpg",)))
    assert [one.path for one in browser.question.likes] == ["/elsewhere/a dog.jpg"]
    assert "Nothing can be like" in window.widgets.empty.text()  # the fake one sees no files
    _do(window, qtbot, window.action_set[Actions.STEP_BACK].trigger)
    assert (box.text(), len(browser.question.likes)) == ("", 1)
    _do(window, qtbot, window.action_set[Actions.STEP_BACK].trigger)
    assert browser.question.is_everything


def test_the_empty_search_field_says_what_fits_into_it(window: MainWindow, qtbot: QtBot) -> None:
    """At 900 px its hint was cut off."""
    box, seen = window.widgets.search, set[str]()
    for width_px in (760, 900, 1000, 1280, 1700):
        window.resize(width_px, 700)
        qtbot.waitUntil(lambda width_px=width_px: window.width() == width_px, timeout=WAIT_MS)
        hint = box.placeholderText()
        assert hint in HINTS
        assert box.fontMetrics().horizontalAdvance(hint) <= box.width() - SIDES_PX
        seen.add(hint)
    assert len(seen) > 1


def test_a_picture_over_the_search_field_searches_a_folder_is_added(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """The field shows that it would take it; what it does not want goes to the window."""
    box = window.widgets.search
    photo = tmp_path / "a photo.png"
    photo.write_bytes(b"whatever")
    assert _enter(box, _dropped(str(photo)))
    assert box.property("over") is True
    assert box.placeholderText().startswith("Drop")
    with qtbot.waitSignal(box.pictures_given) as given:
        _drop(box, _dropped(str(photo)))
    assert given.args == [(str(photo),)]
    assert not box.property("over")
    assert box.placeholderText() in HINTS
    assert not _enter(box, _dropped(str(tmp_path)))
    assert _enter(window, _dropped(str(tmp_path)))


def _enter(widget: object, data: QMimeData) -> bool:
    event = QDragEnterEvent(
        QPointF(5, 5).toPoint(), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    event.ignore()
    widget.dragEnterEvent(event)  # type: ignore[attr-defined]
    return event.isAccepted()


def _drop(widget: object, data: QMimeData) -> None:
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    widget.dropEvent(event)  # type: ignore[attr-defined]


def test_a_pasted_picture_is_searched_by(window: MainWindow, qtbot: QtBot) -> None:
    """In the field and over the photos; a text is pasted as a text."""
    box, browser = window.widgets.search, window.session.browser
    clipboard = QGuiApplication.clipboard()
    image = QImage(1500, 900, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    clipboard.setImage(image)
    box.setFocus()
    _do(window, qtbot, lambda: QTest.keyClick(box, Qt.Key.Key_V, CTRL))
    [one] = browser.question.likes
    assert one.name == PASTED
    file = Path(one.path)
    assert file.stat().st_mode & 0o077 == 0
    pasted = QImage(str(file))
    assert (pasted.width(), pasted.pixelColor(5, 5).name()) == (1024, "#ff0000")
    window.widgets.grid.setFocus()
    _do(window, qtbot, window.action_set[Actions.SHOW_ALL].trigger)
    _do(window, qtbot, window.action_set[Actions.PASTE_PICTURE].trigger)
    assert browser.question.likes == (one,)
    clipboard.setText("two dogs")
    box.clear()
    _do(window, qtbot, lambda: QTest.keyClick(box, Qt.Key.Key_V, CTRL))
    assert box.text() == "two dogs"
    window.action_set[Actions.PASTE_PICTURE].trigger()
    assert "copy one first" in window.widgets.notice.text()
    forget_pasted()
    assert not file.exists()


def test_the_bytes_of_a_copied_picture_stay_as_they_are(library: Path) -> None:
    """Whoever made them: the window decodes none. The newest few are kept."""
    data = QMimeData()
    for number in range(MOST_KEPT + 3):
        data.setData("image/png", b"not really one %d" % number)
        [path] = pictures_in(data)
        assert Path(path).read_bytes() == b"not really one %d" % number
    assert len(list(Path(path).parent.iterdir())) == MOST_KEPT
    data.setText("a cell of a table, whose picture comes along")
    assert pictures_in(data) == []


def test_what_is_read_as_a_date_is_words_after_a_click(window: MainWindow, qtbot: QtBot) -> None:
    """And a date again after another; a text without it forgets that."""
    row = _row(window, qtbot)
    year = (row.taken or "")[:4]
    box, browser = window.widgets.search, window.session.browser
    _do(window, qtbot, lambda: box.set_query(f"dog {year}"))
    [chip] = window.widgets.library.filters.chips()
    _until(qtbot, lambda: _chips(window) == [f"Taken {year}"])
    [chip] = window.widgets.library.filters.chips()
    dated = set(window.session.model.all_keys())
    _do(window, qtbot, chip.cross.click)
    assert browser.question.as_words == (year,)
    assert _chips(window) == [f"Words: “{year}”"]
    assert browser.listing.read_as == ()
    assert dated <= set(window.session.model.all_keys())
    _do(window, qtbot, window.widgets.library.filters.chips()[0].cross.click)
    assert set(window.session.model.all_keys()) == dated
    _do(window, qtbot, window.action_set[Actions.GO_BACK].trigger)
    _do(window, qtbot, lambda: box.set_query("dog"))
    assert browser.question.as_words == ()
    assert _chips(window) == []


def test_a_text_that_the_model_cannot_read_is_told(window: MainWindow, qtbot: QtBot) -> None:
    """Above the list, or in the place of an empty one; it goes with the text."""
    note = window.widgets.library.note
    _ask(window, qtbot, Query(text="собака"))
    assert "cannot read" in window.widgets.empty.text()
    assert not note.isVisible()
    _ask(window, qtbot, Query(text="dog собака"))
    assert note.isVisible()
    assert "cannot read" in note.text()
    _ask(window, qtbot, Query(text="dog"))
    assert not note.isVisible()


def test_each_photo_tells_why_it_was_found(window: MainWindow, qtbot: QtBot) -> None:
    """In its tip and in the detail; in a list that is no search there is nothing to tell."""
    detail, model = window.widgets.detail, window.session.model
    _row(window, qtbot)
    assert not detail.found.isVisible()
    _ask(window, qtbot, Query(text="dog"))
    _row(window, qtbot)
    _until(qtbot, detail.found.isVisible)
    assert detail.found.text() == "Found by its caption and what it shows"
    tip = model.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("Found by its caption and what it shows")
    _do(window, qtbot, window.action_set[Actions.SHOW_ALL].trigger)
    QApplication.processEvents()
    assert not detail.found.isVisible()
