"""Words in the window: what a person says of photos, and how it is taken back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import FAKE_MODULE, running_engine
from cocadesk.protocol.messages import AnnotationsReply, Ok, SetAnnotations, StopEngine
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Row, TagValue
from ui.annotations.dialogs import HistoryDialog
from ui.annotations.editor import changed_row
from ui.annotations.selection_tags import shared_tags
from ui.annotations.tag_chips import TagChips
from ui.kit.actions import Actions
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of every dialog and list that pops up.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def described(window: MainWindow, qtbot: QtBot) -> MainWindow:
    """The window with the first photo's suggested words in the detail."""
    qtbot.waitUntil(lambda: window.widgets.detail.is_described, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(window.widgets.detail.chips.chips), timeout=WAIT_MS)
    return window


def _settle(window: MainWindow, qtbot: QtBot) -> None:
    """Waits until the engine has answered and the detail has asked it again."""
    qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)


def _write_caption(window: MainWindow, text: str) -> None:
    window.action_set[Actions.EDIT_CAPTION].trigger()
    editor = window.widgets.detail.field.editor
    editor.selectAll()
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)


def test_a_caption_is_edited_in_its_place_by_keys_alone(
    described: MainWindow, qtbot: QtBot
) -> None:
    """E starts with all text selected, Enter keeps it as the person's own, shown at once."""
    detail = described.widgets.detail
    assert detail.origin.text() == "Suggested caption"
    assert detail.field.accept.isVisible()
    _write_caption(described, "Lena on the beach")
    assert detail.caption.text() == "Lena on the beach"
    assert detail.origin.text() == "Your caption"
    assert not detail.field.accept.isVisible()
    _settle(described, qtbot)
    assert "Caption saved" in described.widgets.notice.text()
    row = described.session.inspector.row
    assert row is not None
    assert row.caption_by_person
    with qtbot.waitSignal(described.session.browser.settled, timeout=WAIT_MS):
        described.widgets.search.set_query("lena")
    assert described.session.model.all_keys() == [row.key]


def test_escape_gives_the_edit_up(described: MainWindow, qtbot: QtBot) -> None:
    """Nothing is sent, the caption is as it was, and the search stays."""
    detail = described.widgets.detail
    before = detail.caption.text()
    described.action_set[Actions.EDIT_CAPTION].trigger()
    QTest.keyClicks(detail.field.editor, "no")
    QTest.keyClick(detail.field.editor, Qt.Key.Key_Escape)
    assert not detail.field.is_editing
    assert detail.caption.text() == before
    assert described.session.editor.undo_title == ""


def test_a_caption_that_is_being_typed_is_kept_when_one_moves_on(
    described: MainWindow, qtbot: QtBot
) -> None:
    """It goes to the photo that it was typed for."""
    first = described.widgets.grid.current_key()
    assert first is not None
    described.action_set[Actions.EDIT_CAPTION].trigger()
    described.widgets.detail.field.editor.setPlainText("of the first\nphoto")
    described.widgets.grid.go_to(1)
    _settle(described, qtbot)
    described.widgets.grid.go_to(0)
    qtbot.waitUntil(
        lambda: described.widgets.detail.caption.text() == "of the first photo", timeout=WAIT_MS
    )
    assert described.widgets.grid.current_key() == first


def test_a_suggested_caption_is_accepted_as_ones_own(described: MainWindow, qtbot: QtBot) -> None:
    """A click on Accept, or A; a caption of one's own has nothing to accept."""
    detail = described.widgets.detail
    suggestion = detail.caption.text()
    qtbot.mouseClick(detail.field.accept, Qt.MouseButton.LeftButton)
    _settle(described, qtbot)
    assert detail.caption.text() == suggestion
    assert detail.origin.text() == "Your caption"
    described.action_set[Actions.ACCEPT_CAPTION].trigger()
    assert "already yours" in described.widgets.notice.text()


def test_taking_ones_caption_away_brings_the_suggestion_back(
    described: MainWindow, qtbot: QtBot
) -> None:
    """An empty caption means: none of mine."""
    suggestion = described.widgets.detail.caption.text()
    _write_caption(described, "mine")
    _settle(described, qtbot)
    described.action_set[Actions.EDIT_CAPTION].trigger()
    described.widgets.detail.field.editor.clear()
    QTest.keyClick(described.widgets.detail.field.editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: described.widgets.detail.caption.text() == suggestion, timeout=WAIT_MS)
    assert described.widgets.detail.origin.text() == "Suggested caption"


def test_undo_and_redo_name_what_they_do_and_the_notice_offers_them(
    described: MainWindow, qtbot: QtBot
) -> None:
    """Menu text, keys and the notice's button lead back and forth."""
    actions, detail = described.action_set, described.widgets.detail
    suggestion = detail.caption.text()
    assert not actions[Actions.UNDO].isEnabled()
    _write_caption(described, "mine")
    _settle(described, qtbot)
    assert "Caption" in actions[Actions.UNDO].text()
    assert actions[Actions.UNDO].isEnabled()
    notice = described.widgets.notice
    assert notice.button.text() == "Undo"
    notice.button.click()
    qtbot.waitUntil(lambda: detail.caption.text() == suggestion, timeout=WAIT_MS)
    assert "Undone" in notice.text()
    assert actions[Actions.REDO].isEnabled()
    assert not actions[Actions.UNDO].isEnabled()
    actions[Actions.REDO].trigger()
    qtbot.waitUntil(lambda: detail.caption.text() == "mine", timeout=WAIT_MS)


def test_a_tag_is_accepted_and_rejected_by_keys_on_its_chip(
    described: MainWindow, qtbot: QtBot
) -> None:
    """A makes it the person's, X takes it away; the focus stays among the chips."""
    chips = described.widgets.detail.chips
    first, second = chips.texts()[:2]
    QTest.keyClick(chips.chips[1], Qt.Key.Key_A)
    assert chips.texts()[0] == second
    assert chips.chips[0].is_own
    assert chips.chips[0].tick is None
    _settle(described, qtbot)
    QTest.keyClick(chips.chips[1], Qt.Key.Key_X)
    assert first not in chips.texts()
    _settle(described, qtbot)
    row = described.session.inspector.row
    assert row is not None
    assert row.tags[0] == TagValue(tag=second, by_person=True)
    assert first not in [tag.tag for tag in row.tags]


def test_a_tag_is_accepted_and_rejected_by_the_mouse(described: MainWindow, qtbot: QtBot) -> None:
    """The tick and the cross of a chip do what its keys do."""
    chips = described.widgets.detail.chips
    tag = chips.texts()[0]
    tick = chips.chips[0].tick
    assert tick is not None
    qtbot.mouseClick(tick, Qt.MouseButton.LeftButton)
    assert chips.chips[0].is_own
    qtbot.mouseClick(chips.chips[0].cross, Qt.MouseButton.LeftButton)
    assert tag not in chips.texts()
    _settle(described, qtbot)
    assert "removed" in described.widgets.notice.text()


def test_tags_are_added_one_after_the_other(described: MainWindow, qtbot: QtBot) -> None:
    """T opens a field that stays open until Esc; commas separate."""
    detail = described.widgets.detail
    described.action_set[Actions.ADD_TAG].trigger()
    assert detail.chips.is_adding
    QTest.keyClicks(detail.chips.field, "holiday,sea air")
    QTest.keyClick(detail.chips.field, Qt.Key.Key_Return)
    assert detail.chips.texts()[:2] == ["holiday", "sea air"]
    QTest.keyClick(detail.chips.field, Qt.Key.Key_Escape)
    assert not detail.chips.is_adding
    _settle(described, qtbot)


def test_a_tag_is_completed_by_ones_own_first(described: MainWindow, qtbot: QtBot) -> None:
    """Of those that begin so; what the photo has from a person is not offered again."""
    window = described
    grid, chips = window.widgets.grid, window.widgets.detail.chips
    keys = grid.all_keys()
    window.session.editor.set(keys[3:6], "", add=["seaside walk", "Searching"])
    window.session.editor.set(keys[3:5], "", add=["search party"])
    _settle(window, qtbot)
    window.action_set[Actions.ADD_TAG].trigger()
    QTest.keyClicks(chips.field, "sea")
    qtbot.waitUntil(lambda: "sea" in chips.field.offered(), timeout=WAIT_MS)
    expected = ["sea", "Searching", "seaside walk", "search party"]
    assert [tag for tag in chips.field.offered() if tag.lower().startswith("sea")] == expected
    popup = chips.field.completer().popup()
    qtbot.waitUntil(popup.isVisible, timeout=WAIT_MS)
    assert not popup.currentIndex().isValid()  # Enter adds what is typed
    QTest.keyClicks(chips.field, "r")
    assert chips.field.offered() == ["Searching", "search party"]
    chips.show_tags((TagValue(tag="searching", by_person=True),))
    QTest.keyClicks(chips.field, "c")
    assert chips.field.offered() == ["search party"]


def test_a_tag_goes_to_the_whole_selection(described: MainWindow, qtbot: QtBot) -> None:
    """The detail says so, the notice counts, and one undo takes it from all."""
    grid = described.widgets.grid
    for position in (1, 2):
        grid.selectionModel().select(
            described.session.model.index(position), QItemSelectionModel.SelectionFlag.Select
        )
    keys = grid.selected_keys()
    assert len(keys) == 3
    assert "3 selected" in described.widgets.results.text.text()
    detail = described.widgets.detail
    assert "all 3 selected" in detail.many.text()
    detail.chips.added.emit("holiday")
    qtbot.waitUntil(lambda: "Tag holiday, yours, 3 of 3" in _names(detail.chips), timeout=WAIT_MS)
    _settle(described, qtbot)
    assert "for 3 photos" in described.widgets.notice.text()
    qtbot.waitUntil(
        lambda: all(_has_tag(described, key, "holiday") for key in keys), timeout=WAIT_MS
    )
    described.action_set[Actions.UNDO].trigger()
    qtbot.waitUntil(
        lambda: not any(_has_tag(described, key, "holiday") for key in keys), timeout=WAIT_MS
    )
    described.widgets.grid.go_to(0)
    assert not detail.many.isVisible()
    assert not any("of 3" in name for name in _names(detail.chips))


def _names(chips: TagChips) -> list[str]:
    return [chip.accessibleName() for chip in chips.chips]


def _has_tag(window: MainWindow, key: str, tag: str) -> bool:
    row = window.session.model.known_row(key)
    if row is None or window.session.model.position_of(key) is None:
        return False
    window.session.model.index(
        window.session.model.position_of(key) or 0
    ).data()  # asks for what is stale
    return tag in [value.tag for value in row.tags]


def test_all_are_selected_and_counted(described: MainWindow, qtbot: QtBot) -> None:
    """Ctrl+A of the grid is an action too."""
    described.action_set[Actions.SELECT_ALL].trigger()
    assert described.widgets.grid.selected_count() == 40
    assert "40 selected" in described.widgets.results.text.text()


def test_words_that_the_engine_refuses_are_put_back_with_its_reason(
    described: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """What was shown before the answer goes again; a notice says why."""
    suggestion = described.widgets.detail.caption.text()
    full = UserError("The library's disk is full.", "", "Make room and try again.")
    engine.refuse(SetAnnotations, full)
    _write_caption(described, "mine")
    assert described.widgets.detail.caption.text() == "mine"
    qtbot.waitUntil(lambda: described.widgets.detail.caption.text() == suggestion, timeout=WAIT_MS)
    assert "disk is full" in described.widgets.notice.text()


def test_words_of_another_window_appear_here(
    described: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """A command line or a second window changes words; the detail follows."""
    key = described.widgets.grid.current_key()
    assert key is not None
    assert engine.server.endpoint is not None
    with EngineClient(engine.server.endpoint) as other:
        other.ask(
            SetAnnotations(keys=(key,), caption="from elsewhere"), AnnotationsReply, timeout_s=30
        )
    qtbot.waitUntil(
        lambda: described.widgets.detail.caption.text() == "from elsewhere", timeout=WAIT_MS
    )
    assert described.action_set[Actions.UNDO].isEnabled()


def test_the_history_of_a_photo_tells_who_said_what(described: MainWindow, qtbot: QtBot) -> None:
    """A small window with the newest on top."""
    _write_caption(described, "mine")
    described.widgets.detail.chips.added.emit("holiday")
    _settle(described, qtbot)
    described.action_set[Actions.HISTORY].trigger()
    qtbot.waitUntil(lambda: isinstance(described.dialogs.current, HistoryDialog), timeout=WAIT_MS)
    assert isinstance(described.dialogs.current, HistoryDialog)
    tree = described.dialogs.current.tree
    assert tree.topLevelItemCount() == 2
    newest = tree.topLevelItem(0)
    assert newest is not None
    assert [newest.text(place) for place in (1, 2, 4)] == ["You", "Tags added", "holiday"]
    described.dialogs.current.close()


def test_words_said_while_the_engine_is_gone_reach_the_next_one(
    make_window: Callable[..., MainWindow], library: Path, qtbot: QtBot
) -> None:
    """They are shown, kept here, and sent when an engine is there again."""
    extra = ["--media", "3", "--step-s", "0"]
    window = make_window(module=FAKE_MODULE, extra=extra, starts_engine=True)
    qtbot.waitUntil(lambda: window.widgets.detail.is_described, timeout=WAIT_MS)
    client = running_engine(library)
    assert client is not None
    first = client.welcome.engine_pid
    client.close()
    with qtbot.waitSignal(window.session.link.restarted, timeout=WAIT_MS):
        os.kill(first, signal.SIGKILL)
        _write_caption(window, "said in between")
    qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: bool(window.session.editor.undo_title), timeout=WAIT_MS)
    assert window.widgets.detail.caption.text() == "said in between"
    window.close()
    client = running_engine(library)
    assert client is not None
    with client:
        client.ask(StopEngine(), Ok, timeout_s=30)


def test_with_the_detail_hidden_editing_shows_what_is_edited(
    described: MainWindow, qtbot: QtBot
) -> None:
    """The large view has fields of its own."""
    described.widgets.library.toggle_detail()
    described.action_set[Actions.EDIT_CAPTION].trigger()
    assert described.widgets.detail.isVisible()
    assert described.widgets.detail.field.is_editing


def test_the_tags_of_several_photos_are_counted_the_commonest_first() -> None:
    """A tag is the person's own where nobody but the person gave it."""

    def row(*tags: TagValue) -> Row:
        return Row(key="k", path=WirePath("/a.jpg"), name="a.jpg", folder="/", tags=tags)

    dog, own_dog, sea = (
        TagValue(tag="dog"),
        TagValue(tag="dog", by_person=True),
        TagValue(tag="sea", by_person=True),
    )
    shared = shared_tags([row(sea), row(own_dog, sea), row(dog), row(sea)])
    assert shared.photos == 4
    assert [(tag.tag, tag.by_person) for tag in shared.tags] == [("sea", True), ("dog", False)]
    assert shared.counts == {"sea": 3, "dog": 2}


def test_enter_on_a_suggestion_as_it_stands_accepts_it(described: MainWindow, qtbot: QtBot) -> None:
    """Whoever looks at it and presses Enter has made it their own."""
    described.action_set[Actions.EDIT_CAPTION].trigger()
    QTest.keyClick(described.widgets.detail.field.editor, Qt.Key.Key_Return)
    assert described.widgets.detail.origin.text() == "Your caption"
    _settle(described, qtbot)


def test_a_window_that_closes_takes_no_words_with_it(
    described: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """What is being typed is kept, and the window waits until the engine has it."""
    key = described.widgets.grid.current_key()
    assert key is not None
    described.action_set[Actions.EDIT_CAPTION].trigger()
    described.widgets.detail.field.editor.setPlainText("last words")
    described.close()
    qtbot.waitUntil(lambda: not described.isVisible(), timeout=WAIT_MS)
    assert engine.row(key).caption == "last words"


def test_any_quick_row_of_changes_ends_as_the_engine_has_it(
    described: MainWindow, engine: FakeEngine, qtbot: QtBot
) -> None:
    """Forty changes, undos and redos without waiting: what is shown is what is kept."""
    random, words = Random(7), described.session.editor
    keys = described.session.model.all_keys()[:3]
    for step in range(40):
        key = random.choice(keys)
        what = random.randrange(5)
        if what == 0:
            words.set([key], "", caption=random.choice(["", f"caption {step}"]))
        elif what == 1:
            words.set([key], "", add=[random.choice("abc")])
        elif what == 2:
            words.set(keys, "", remove=[random.choice("abc")])
        else:
            (words.undo if what == 3 else words.redo)()
    qtbot.waitUntil(words.is_settled, timeout=WAIT_MS)

    def is_as_kept(key: str) -> bool:
        described.session.model.index(described.session.model.position_of(key) or 0).data()
        return described.session.model.known_row(key) == engine.row(key)

    qtbot.waitUntil(lambda: all(is_as_kept(key) for key in keys), timeout=WAIT_MS)
    kept = engine.row(keys[0])
    detail = described.widgets.detail
    qtbot.waitUntil(lambda: detail.caption.text() == (kept.caption or ""), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: detail.chips.texts() == [tag.tag for tag in kept.tags], timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("body", "caption", "tags"),
    [
        (SetAnnotations(keys=("k",), caption=" new "), ("new", True), [("dog", False)]),
        (SetAnnotations(keys=("k",), caption=""), (None, False), [("dog", False)]),
        (SetAnnotations(keys=("k",), add_tags=("dog",)), ("old", False), [("dog", True)]),
        (
            SetAnnotations(keys=("k",), add_tags=("x",)),
            ("old", False),
            [("x", True), ("dog", False)],
        ),
        (SetAnnotations(keys=("k",), remove_tags=("dog",)), ("old", False), []),
    ],
)
def test_a_row_is_shown_as_it_will_be(
    body: SetAnnotations, caption: tuple[str | None, bool], tags: list[tuple[str, bool]]
) -> None:
    """What a change does to a row, without asking the engine."""
    row = Row(
        key="k", path=WirePath("/a.jpg"), name="a.jpg", folder="/", caption="old",
        tags=(TagValue(tag="dog", score=0.5),),
    )  # fmt: skip
    changed = changed_row(row, body)
    assert (changed.caption, changed.caption_by_person) == caption
    assert [(tag.tag, tag.by_person) for tag in changed.tags] == tags


def test_a_second_window_is_offered_what_can_be_undone(
    described: MainWindow, make_window: Callable[[], MainWindow], qtbot: QtBot
) -> None:
    """Undo belongs to the library, not to the window that spoke."""
    _write_caption(described, "mine")
    _settle(described, qtbot)
    other = make_window()
    qtbot.waitUntil(lambda: other.action_set[Actions.UNDO].isEnabled(), timeout=WAIT_MS)


def test_a_completion_that_is_chosen_is_added_once(described: MainWindow, qtbot: QtBot) -> None:
    """Down and Enter in the list add that word, and the field is empty for the next."""
    chips = described.widgets.detail.chips
    key = described.widgets.grid.all_keys()[5]
    described.session.editor.set([key], "", add=["lighthouse", "lightning"])
    _settle(described, qtbot)
    added: list[str] = []
    chips.added.connect(added.append)
    described.action_set[Actions.ADD_TAG].trigger()
    QTest.keyClicks(chips.field, "light")
    qtbot.waitUntil(lambda: chips.field.offered() == ["lighthouse", "lightning"], timeout=WAIT_MS)
    completer = chips.field.completer()
    assert completer is not None
    popup = completer.popup()
    assert popup is not None
    qtbot.waitUntil(popup.isVisible, timeout=WAIT_MS)
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    qtbot.wait(20)
    assert added == ["lighthouse"]
    assert chips.field.text() == ""
    assert chips.is_adding


def test_single_letters_are_commands_in_the_grid_and_letters_in_fields(
    described: MainWindow, qtbot: QtBot
) -> None:
    """E, A, T work where nothing is typed; in a field they are typed."""
    window, detail = described, described.widgets.detail
    window.activateWindow()
    window.widgets.grid.setFocus()
    qtbot.waitUntil(window.widgets.grid.hasFocus, timeout=WAIT_MS)
    QTest.keyClick(window.widgets.grid, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: detail.field.is_editing, timeout=WAIT_MS)
    QTest.keyClicks(detail.field.editor, "eat a jam at home")
    assert detail.field.editor.line() == "eat a jam at home"
    assert not detail.chips.is_adding
    QTest.keyClick(detail.field.editor, Qt.Key.Key_Escape)
    qtbot.waitUntil(window.widgets.grid.hasFocus, timeout=WAIT_MS)
    QTest.keyClick(window.widgets.grid, Qt.Key.Key_T)
    assert detail.chips.is_adding
    QTest.keyClicks(detail.chips.field, "jet")
    assert detail.chips.field.text() == "jet"
    assert not window.widgets.jobs.isVisible()
    QTest.keyClick(detail.chips.field, Qt.Key.Key_Escape)
    QTest.keyClick(window.widgets.grid, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: detail.origin.text() == "Your caption", timeout=WAIT_MS)
    _settle(window, qtbot)


def test_tab_leads_from_the_caption_to_the_chips_in_their_order(
    described: MainWindow, qtbot: QtBot
) -> None:
    """Whoever has no mouse gets to every part of the words."""
    window, detail = described, described.widgets.detail
    window.activateWindow()
    detail.field.edit.setFocus()
    reached = []
    for _ in range(len(detail.chips.chips) + 1):
        QTest.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        reached.append(window.focusWidget())
    assert reached == [*detail.chips.chips, detail.chips.add]
