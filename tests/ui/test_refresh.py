"""Nothing that a person is at is lost when the window draws itself again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    AnnotationsReply,
    Hits,
    ListNewest,
    RowsChanged,
    SetAnnotations,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Days, Hit
from ui.engine.link import LinkState
from ui.kit.actions import Actions
from ui.library.browser import REFRESH_MS
from ui.library.query import Query
from ui.library.steady_order import in_shown_order
from ui.shell.pages import PAGES, Pages
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of lists that pop up.
pytestmark = pytest.mark.qt_log_ignore("does not support", "propagateSizeHints")


@pytest.fixture
def typing(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with half a caption and half a tag being typed, at the second photo."""
    qtbot.waitUntil(lambda: window.widgets.detail.is_described, timeout=WAIT_MS)
    window.widgets.grid.go_to(1)
    detail = window.widgets.detail
    qtbot.waitUntil(lambda: detail.is_described, timeout=WAIT_MS)
    window.action_set[Actions.ADD_TAG].trigger()
    QTest.keyClicks(detail.chips.field, "holi")
    window.action_set[Actions.EDIT_CAPTION].trigger()
    QTest.keyClicks(detail.field.editor, "half a sen")
    return window


def _is_as_typed(window: MainWindow, key: str) -> None:
    detail = window.widgets.detail
    assert detail.field.is_editing
    assert detail.field.editor.toPlainText() == "half a sen"
    assert detail.field.key == key
    assert detail.chips.is_adding
    assert detail.chips.field.text() == "holi"
    assert detail.isVisible()
    assert window.widgets.grid.current_key() == key


def _key(window: MainWindow) -> str:
    key = window.widgets.grid.current_key()
    assert key is not None
    return key


def test_a_refresh_leaves_the_editors_open(typing: MainWindow) -> None:
    """However often the window draws itself."""
    key = _key(typing)
    for _ in range(3):
        typing.refresh()
    _is_as_typed(typing, key)


def test_rows_that_change_meanwhile_leave_the_editors_open(
    typing: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """The photo's own row; the list is asked for again once nothing is typed any more."""
    key, browser = _key(typing), typing.session.browser
    asked: list[bool] = []
    browser.settled.connect(lambda: asked.append(True))
    with qtbot.waitSignal(typing.session.inspector.annotations_loaded, timeout=WAIT_MS):
        engine.server.publish(RowsChanged(keys=(key,)))
    qtbot.wait(2 * REFRESH_MS)
    _is_as_typed(typing, key)
    assert not asked
    QTest.keyClick(typing.widgets.detail.field.editor, Qt.Key.Key_Escape)
    QTest.keyClick(typing.widgets.detail.chips.field, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: bool(asked), timeout=WAIT_MS)


def test_a_list_that_comes_again_leaves_the_editors_open(typing: MainWindow, qtbot: QtBot) -> None:
    """E.g. of an engine that was started anew."""
    key = _key(typing)
    with qtbot.waitSignal(typing.session.browser.settled, timeout=WAIT_MS):
        typing.session.browser.ask_again()
    _is_as_typed(typing, key)


def test_a_tag_belongs_to_the_photo_at_which_it_was_typed(typing: MainWindow, qtbot: QtBot) -> None:
    """Another photo comes under the cursor: it gets neither the caption nor the tag."""
    key, grid, model = _key(typing), typing.widgets.grid, typing.session.model
    grid.go_to(3)
    other = _key(typing)
    assert typing.widgets.detail.chips.field.text() == ""
    qtbot.waitUntil(typing.session.editor.is_settled, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: typing.widgets.detail.is_described, timeout=WAIT_MS)
    QTest.keyClick(typing.widgets.detail.chips.field, Qt.Key.Key_Return)
    tags = {k: [t.tag for t in row.tags] for k in (key, other) if (row := model.known_row(k))}
    assert "holi" in tags[key]
    assert "holi" not in tags[other]


def test_verbs_go_on_beside_a_photo_that_left_the_list(typing: MainWindow, qtbot: QtBot) -> None:
    """Rated out of the search, its next one has the cursor, not the first of all."""
    window, grid, model = typing, typing.widgets.grid, typing.session.model
    window.widgets.detail.field.cancel()
    window.widgets.detail.chips.field.clear()
    window.search("-rating:>=1")
    browser = window.session.browser
    qtbot.waitUntil(lambda: browser.listing.is_filtered, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: browser.listing.is_settled, timeout=WAIT_MS)
    grid.go_to(20)
    key, after = _key(window), model.key_at(21)
    window.action_set[Actions.THREE_STARS].trigger()
    qtbot.waitUntil(lambda: model.position_of(key) is None, timeout=WAIT_MS)
    assert grid.current_key() == after
    assert grid.currentIndex().row() == 20


def test_anothers_caption_for_the_same_photo_leaves_the_editor_open(
    typing: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """What is typed wins once it is saved; until then the other's is only known."""
    key = _key(typing)
    assert engine.server.endpoint is not None
    with EngineClient(engine.server.endpoint) as other:
        body = SetAnnotations(keys=(key,), caption="from elsewhere")
        other.ask(body, AnnotationsReply, timeout_s=30)
    caption = typing.widgets.detail.caption
    qtbot.waitUntil(lambda: caption.text() == "from elsewhere", timeout=WAIT_MS)
    _is_as_typed(typing, key)
    QTest.keyClick(typing.widgets.detail.field.editor, Qt.Key.Key_Return)
    qtbot.waitUntil(typing.session.editor.is_settled, timeout=WAIT_MS)
    assert engine.row(key).caption == "half a sen"


def test_a_job_that_ends_leaves_the_editors_open(
    typing: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    """Its photos come into the list; the cursor stays at its own."""
    key = _key(typing)
    typing.add_folders([str(tmp_path)])
    qtbot.waitUntil(lambda: typing.session.model.rowCount() == 62, timeout=WAIT_MS)
    _is_as_typed(typing, key)


def test_a_list_that_cannot_be_had_leaves_the_editors_open(
    typing: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """The sentence stands in the middle, the editor beside it."""
    key = _key(typing)
    engine.refuse(ListNewest, UserError("The disk is gone."))
    with qtbot.waitSignal(typing.session.browser.settled, timeout=WAIT_MS):
        typing.session.browser.ask_again()
    assert "The disk is gone." in typing.widgets.empty.text()
    assert typing.widgets.empty.isVisible()
    _is_as_typed(typing, key)


def test_an_engine_that_restarts_takes_nothing_that_is_typed(
    typing: MainWindow, engine: FakeEngine, library: Path, qtbot: QtBot
) -> None:
    """Lost, started again, asked everything again: the caption is saved by the next one."""
    key = _key(typing)
    engine.close()
    link = typing.session.link
    qtbot.waitUntil(lambda: link.state is LinkState.LOST, timeout=WAIT_MS)
    _is_as_typed(typing, key)
    with FakeEngine(library, media=40) as next_one:
        with qtbot.waitSignal(typing.session.browser.settled, timeout=WAIT_MS):
            qtbot.waitUntil(lambda: link.state is LinkState.CONNECTED, timeout=WAIT_MS)
        detail = typing.widgets.detail
        qtbot.waitUntil(lambda: detail.is_described, timeout=WAIT_MS)
        _is_as_typed(typing, key)
        QTest.keyClicks(detail.field.editor, "tence")
        QTest.keyClick(detail.field.editor, Qt.Key.Key_Return)
        qtbot.waitUntil(typing.session.editor.is_settled, timeout=WAIT_MS)
        assert next_one.row(key).caption == "half a sentence"
        typing.close()


def test_another_page_and_back_leaves_the_editors_open(typing: MainWindow) -> None:
    """Reading up on the Models page costs no half sentence."""
    key = _key(typing)
    for page in PAGES:
        typing.switcher.show(page)
    typing.switcher.show(Pages.LIBRARY)
    _is_as_typed(typing, key)


def test_another_theme_leaves_the_editors_open(typing: MainWindow) -> None:
    """Chips are drawn anew around the field."""
    key = _key(typing)
    typing.action_set[Actions.APPEARANCE].trigger()
    _is_as_typed(typing, key)
    typing.action_set[Actions.APPEARANCE].trigger()
    _is_as_typed(typing, key)


def test_a_caption_is_saved_for_the_photo_it_was_typed_for_when_a_search_takes_it_away(
    typing: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """Another list shows another photo: the sentence goes to the first one."""
    key = _key(typing)
    with qtbot.waitSignal(typing.session.browser.settled, timeout=WAIT_MS):
        typing.widgets.search.set_query("guitar")
    qtbot.waitUntil(lambda: _key(typing) != key, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not typing.widgets.detail.field.is_editing, timeout=WAIT_MS)
    qtbot.waitUntil(typing.session.editor.is_settled, timeout=WAIT_MS)
    assert engine.row(key).caption == "half a sen"


def test_results_that_are_asked_for_again_stay_where_one_has_scrolled_to(
    library: Path, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> None:
    """Cursor, selection and scrolling of a search, over rows that change."""
    with FakeEngine(library, media=600) as engine:
        window = make_window()
        grid, browser = window.widgets.grid, window.session.browser
        qtbot.waitUntil(lambda: window.session.model.rowCount() == 600, timeout=WAIT_MS)
        with qtbot.waitSignal(browser.settled, timeout=WAIT_MS):
            window.widgets.search.set_query("dog beach")
        grid.go_to(40)
        for position in (41, 43):
            index = window.session.model.index(position)
            grid.selectionModel().select(index, QItemSelectionModel.SelectionFlag.Select)
        bar = grid.verticalScrollBar()
        bar.setValue(bar.value() - 31)
        first = grid.first_visible()
        assert first is not None

        def place() -> tuple[str | None, list[str], int]:
            top = grid.visualRect(window.session.model.index(first[0])).top()
            return grid.current_key(), grid.selected_keys(), top

        before = place()
        with qtbot.waitSignal(browser.settled, timeout=WAIT_MS):
            engine.server.publish(RowsChanged(keys=()))
        qtbot.waitUntil(lambda: place() == before, timeout=WAIT_MS)
        with qtbot.waitSignal(browser.settled, timeout=WAIT_MS):
            window.session.link.connected.emit(None)
        qtbot.waitUntil(lambda: place() == before, timeout=WAIT_MS)


def test_a_refresh_draws_nothing_that_is_as_it_was(window: MainWindow, qtbot: QtBot) -> None:
    """A menu's text that was set by hand would be set back by a needless drawing."""
    undo = window.action_set[Actions.UNDO]
    undo.setText("untouched")
    window.refresh()
    window.widgets.grid.go_to(3)
    assert undo.text() == "untouched"
    window.session.editor.set([_key(window)], "Said", caption="mine")
    qtbot.waitUntil(lambda: undo.text().startswith("Undo: "), timeout=WAIT_MS)


def test_the_detail_can_be_hidden_and_comes_back_to_be_edited_in(window: MainWindow) -> None:
    """Ctrl+I hides it; E needs it."""
    toggle = window.action_set[Actions.TOGGLE_DETAIL]
    toggle.trigger()
    assert not window.widgets.detail.isVisible()
    window.action_set[Actions.EDIT_CAPTION].trigger()
    assert window.widgets.detail.isVisible()
    toggle.trigger()  # it stays while the caption is open
    assert window.widgets.detail.isVisible()
    window.widgets.detail.field.cancel()
    assert not window.widgets.detail.isVisible()


def test_a_photo_that_is_described_in_passing_moves_nothing(
    window: MainWindow, qtbot: QtBot
) -> None:
    """It keeps its place; only one that a search by words may find now is looked for."""
    browser, model = window.session.browser, window.session.model
    qtbot.waitUntil(lambda: browser.is_settled and bool(model.rowCount()), timeout=WAIT_MS)
    other = "elsewhere"

    def is_asked_after(question: Query, key: str = "", *, is_suggestion: bool = True) -> bool:
        browser.ask(question)
        qtbot.waitUntil(lambda: browser.is_settled and bool(model.rowCount()), timeout=WAIT_MS)
        keys = (key or model.all_keys()[0],)
        event = RowsChanged(keys=keys, only_suggestions=is_suggestion)
        window.session.link.event_received.emit(event)
        return not browser.is_settled

    assert not is_asked_after(Query(), other)
    assert not is_asked_after(Query(terms=("kind:photo",)), other)
    assert not is_asked_after(Query(terms=("-has:caption",)))
    assert is_asked_after(Query(terms=("-has:caption",)), other)
    assert not is_asked_after(Query(text="dog"))
    assert is_asked_after(Query(text="dog"), other)
    assert is_asked_after(Query(), is_suggestion=False)


def test_a_search_keeps_its_order_while_its_photos_change(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """What was seen third stays third, whatever rank its new words give it; F5 ranks anew."""
    window.search("dog beach")
    browser, model = window.session.browser, window.session.model
    qtbot.waitUntil(
        lambda: browser.is_settled and browser.query == "dog beach" and model.rowCount() > 3,
        timeout=WAIT_MS,
    )
    ranked = list(model.keys)
    before = Hits(
        hits=tuple(hit for key in reversed(ranked) if (hit := model.hit_of(key)) is not None)
    )
    browser.recall(before)
    assert list(model.keys) == ranked[::-1]
    with qtbot.waitSignal(browser.settled, timeout=WAIT_MS):
        engine.server.publish(RowsChanged(keys=(ranked[0],)))
    assert list(model.keys) == ranked[::-1]
    with qtbot.waitSignal(browser.settled, timeout=WAIT_MS):
        browser.ask_again()
    assert list(model.keys) == ranked


def _hit(key: str) -> Hit:
    return Hit(key=key, path=WirePath(f"/{key}"), score=0.5)


def test_newcomers_have_their_rank_among_what_stays_in_its_order() -> None:
    """What went is gone; an answer by date is as it is."""
    shown = {"a": 0, "b": 1, "c": 2, "d": 3}
    answer = Hits(
        hits=tuple(
            Hit(key=key, path=WirePath(f"/{key}"), score=0.5) for key in ("c", "new", "a", "b")
        ),
        shapes=bytes((3, 9, 1, 2)),
    )
    steady = in_shown_order(answer, shown.get)
    assert [hit.key for hit in steady.hits] == ["a", "new", "b", "c"]
    assert steady.shapes == bytes((1, 9, 2, 3))
    dated = msgspec.structs.replace(answer, days=Days(days=(20_000,), counts=(4,)))
    assert in_shown_order(dated, shown.get) is dated


def test_facts_follow_what_becomes_of_the_file(
    window: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """A disk that was away is back: the details say so by themselves."""
    detail, inspector = window.widgets.detail, window.session.inspector
    qtbot.waitUntil(lambda: detail.is_described and inspector.row is not None, timeout=WAIT_MS)
    key = _key(window)
    media = engine._annotations._context.media
    for folder in ("/elsewhere", "/back/again"):
        row = msgspec.structs.replace(media[key].row, folder=folder)
        media[key] = replace(media[key], row=row)
        engine.server.publish(RowsChanged(keys=(key,)))
        qtbot.waitUntil(lambda to=folder: to in detail.facts.texts().values(), timeout=WAIT_MS)
        assert inspector.row is not None
        assert inspector.row.folder == folder
