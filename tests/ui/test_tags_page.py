"""The page of all tags: numbers, names and what is done everywhere, against a fake engine."""

from __future__ import annotations

from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from cocadesk.protocol.messages import TagUse
from ui.annotations.known_tags import KnownTags
from ui.kit.actions import Actions
from ui.shell.pages import Pages
from ui.shell.window import MainWindow
from ui.vocabulary.library_tags import LibraryTags
from ui.vocabulary.tag_dialogs import NameTagDialog, RemoveTagDialog
from ui.vocabulary.tag_table import Column, TagTable
from ui.vocabulary.tags_page import TagsPage

WAIT_MS = 30_000

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")

AnyDialog = TypeVar("AnyDialog", NameTagDialog, RemoveTagDialog)


@pytest.fixture
def tags(window: MainWindow, qtbot: QtBot) -> LibraryTags:
    """The table, in a library where a person gave two tags."""
    keys = window.widgets.grid.all_keys()
    window.session.editor.set(keys[:3], "", add=["hound"])
    window.session.editor.set(keys[2:4], "", add=['say "x" & y/z'])
    window.session.editor.set(keys[:1], "", hidden=True)
    qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)
    window.switcher.show(Pages.TAGS)
    page = window.switcher.built(Pages.TAGS)
    assert isinstance(page, TagsPage)
    qtbot.waitUntil(lambda: page.tags.table.rowCount() > 2, timeout=WAIT_MS)
    return page.tags


def _lines(tags: LibraryTags) -> list[tuple[str, str, str]]:
    table = tags.table
    cells = [[table.index(row, column).data() for column in Column] for row in range(3)]
    return [(str(name), str(own), str(suggested)) for name, own, suggested in cells]


def _dialog(tags: LibraryTags, kind: type[AnyDialog]) -> AnyDialog:
    dialog = tags._dialogs.current
    assert isinstance(dialog, kind)
    return dialog


def _until_renamed(tags: LibraryTags, qtbot: QtBot, tag: str, *, is_there: bool = True) -> None:
    qtbot.waitUntil(lambda: (tags.table.row_of(tag) >= 0) is is_there, timeout=WAIT_MS)


def test_ones_own_tags_come_first_with_their_numbers(tags: LibraryTags) -> None:
    """Then those that are only suggested; the sentence below counts both."""
    assert _lines(tags)[:2] == [("hound", "2", ""), ('say "x" & y/z', "2", "")]
    assert _lines(tags)[2][1] == ""
    assert "2 of yours" in tags.state.text()
    assert "1 of them is missing" in tags.table.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    name = tags.table.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert name == "hound, yours on 2, suggested on 0"


def test_a_tag_is_found_by_letters_and_its_photos_are_shown_by_enter(
    tags: LibraryTags, window: MainWindow, qtbot: QtBot
) -> None:
    """Keys alone: letters, Enter into the table, Enter again."""
    QTest.keyClicks(tags.field, "X")
    assert tags.table.rowCount() == 1
    QTest.keyClick(tags.field, Qt.Key.Key_Return)
    assert tags.view.hasFocus()
    QTest.keyClick(tags.view, Qt.Key.Key_Return)
    assert window.switcher.page is Pages.LIBRARY
    qtbot.waitUntil(lambda: window.session.model.rowCount() == 2, timeout=WAIT_MS)


def test_a_rename_says_first_how_many_it_changes_and_is_undone_by_its_notice(
    tags: LibraryTags, window: MainWindow, qtbot: QtBot
) -> None:
    """Hidden photos too; afterwards the cursor is on the tag with its new name."""
    QTest.keyClick(tags.view, Qt.Key.Key_F2)
    dialog = _dialog(tags, NameTagDialog)
    assert not dialog.go.isEnabled()
    dialog.field.setText("  red   barn ")
    assert "Changes 3 photos and videos (1 of them is missing or hidden)." in dialog.reach.text()
    assert dialog.go.text() == "Rename on 3 photos"
    QTest.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    _until_renamed(tags, qtbot, "red barn")
    chosen = tags.chosen()
    assert chosen is not None
    assert (chosen.tag, chosen.own, chosen.all_own) == ("red barn", 2, 3)
    notice = window.widgets.notice
    assert "renamed to “red barn” on 3 photos" in notice.text()
    QTest.mouseClick(notice.button, Qt.MouseButton.LeftButton)
    _until_renamed(tags, qtbot, "hound")
    assert tags.table.row_of("red barn") < 0


def test_two_tags_become_one_only_where_the_other_is_there(tags: LibraryTags, qtbot: QtBot) -> None:
    """The dialog names it and its numbers; a name that nobody has can't be merged into."""
    QTest.mouseClick(tags.merge, Qt.MouseButton.LeftButton)
    dialog = _dialog(tags, NameTagDialog)
    dialog.field.setText("nowhere")
    assert "There is no other tag “nowhere”" in dialog.reach.text()
    assert not dialog.go.isEnabled()
    dialog.field.setText('SAY "X" & y/z')
    assert 'say "x" & y/z” is there already (2 of yours' in dialog.reach.text()
    assert dialog.go.text() == "Merge on 3 photos"
    QTest.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    _until_renamed(tags, qtbot, "hound", is_there=False)
    chosen = tags.chosen()
    assert chosen is not None
    assert (chosen.tag, chosen.all_own) == ('say "x" & y/z', 4)


def test_a_suggested_tag_is_renamed_by_accepting_its_suggestions(
    tags: LibraryTags, qtbot: QtBot
) -> None:
    """What is only suggested has no other way; the dialog says how many."""
    row = next(row for row in range(99) if not tags.table.use_at(row).all_own)  # type: ignore[union-attr]
    tags.view.setCurrentIndex(tags.table.index(row, 0))
    use = tags.chosen()
    assert use is not None
    tags.rename.click()
    dialog = _dialog(tags, NameTagDialog)
    assert dialog.suggested.isChecked()
    assert not dialog.suggested.isEnabled()
    dialog.field.setText("zed")
    assert f"Changes {use.all_suggested} photos" in dialog.reach.text()
    dialog.go.click()
    _until_renamed(tags, qtbot, "zed")
    assert tags.table.row_of(use.tag) < 0
    chosen = tags.chosen()
    assert chosen is not None
    assert chosen.all_own == use.all_suggested


def test_a_tag_is_removed_everywhere_once_that_is_agreed(
    tags: LibraryTags, window: MainWindow, qtbot: QtBot
) -> None:
    """Esc leaves all as it is."""
    QTest.keyClick(tags.view, Qt.Key.Key_Delete)
    dialog = _dialog(tags, RemoveTagDialog)
    dialog.reject()
    assert tags.table.row_of("hound") >= 0
    QTest.keyClick(tags.view, Qt.Key.Key_Delete)
    dialog = _dialog(tags, RemoveTagDialog)
    assert dialog.go.text() == "Remove from 3 photos"
    dialog.go.click()
    _until_renamed(tags, qtbot, "hound", is_there=False)
    assert "removed from 3 photos" in window.widgets.notice.text()
    window.action_set[Actions.UNDO].trigger()
    _until_renamed(tags, qtbot, "hound")


def test_what_the_engine_refuses_is_said_in_the_dialog(tags: LibraryTags, qtbot: QtBot) -> None:
    """It stays open, with what was typed."""
    tags.rename.click()
    dialog = _dialog(tags, NameTagDialog)
    dialog.field.setText("x" * 300)
    dialog.go.click()
    qtbot.waitUntil(lambda: "too long" in dialog.problem.text(), timeout=WAIT_MS)
    assert dialog.go.isEnabled()
    dialog.field.setText("y")
    assert dialog.problem.text() == ""


def test_the_table_keeps_the_rules_of_models_and_sorts_by_each_column() -> None:
    """Numbers the largest first, names by the alphabet, both ways."""
    table = TagTable()
    tester = QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    table.put([
        TagUse(tag=tag, term=tag, own=own, all_own=own, suggested=more, all_suggested=more)
        for tag, own, more in (("b", 3, 0), ("C", 1, 9), ("a", 0, 4))
    ])  # fmt: skip

    def order(column: Column, order: Qt.SortOrder) -> str:
        table.sort(column, order)
        return "".join(str(table.index(row, 0).data()) for row in range(table.rowCount()))

    up, down = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
    assert (order(Column.OWN, down), order(Column.OWN, up)) == ("bCa", "aCb")
    assert (order(Column.SUGGESTED, down), order(Column.SUGGESTED, up)) == ("Cab", "baC")
    assert (order(Column.TAG, up), order(Column.TAG, down)) == ("abC", "Cba")
    table.look_for("", is_own=True)
    assert table.rowCount() == 2
    table.look_for(" A", is_own=False)
    assert [table.use_at(row).tag for row in range(table.rowCount())] == ["a"]  # type: ignore[union-attr]
    del tester


def test_prefixes_come_before_words_and_ones_own_before_others(window: MainWindow) -> None:
    """The very tag is first of all; what the photo has is left out."""
    known = KnownTags(window.session.link, window)
    names = ("my bar", "barn owl", "crowbar", "Bar", "barn", "bark")
    known.show(TagUse(tag=tag, term="") for tag in names)
    assert known.best("bar") == ["Bar", "barn owl", "barn", "bark", "my bar", "crowbar"]
    assert known.best("bar", ["BARN"]) == ["Bar", "barn owl", "bark", "my bar", "crowbar"]
    assert known.best(" ") == known.best("xyz") == []
    known.show(TagUse(tag=f"bar {number}", term="") for number in range(50))
    assert known.best("bar") == [f"bar {number}" for number in range(8)]
