"""The caption field and the tag chips by themselves."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, SignalInstance
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.protocol.values import TagValue
from ui.annotations.caption_field import CaptionField, Origin
from ui.annotations.tag_chips import TagChips
from ui.kit.app_theme import AppTheme

DOG = TagValue(tag="dog", score=0.5)
SEA = TagValue(tag="sea", by_person=True)

# Only the screenless platform says this, of lists that pop up.
pytestmark = pytest.mark.qt_log_ignore("does not support", "propagateSizeHints")


@pytest.fixture
def field(app_theme: AppTheme, qtbot: QtBot) -> CaptionField:
    """A field with a suggestion for the medium ``a``."""
    made = CaptionField()
    qtbot.addWidget(made)
    made.resize(320, 200)
    made.show()
    made.show_caption("a", "a dog on a beach", Origin.MACHINE)
    return made


@pytest.fixture
def chips(app_theme: AppTheme, qtbot: QtBot) -> TagChips:
    """A suggested tag and a human one."""
    made = TagChips()
    qtbot.addWidget(made)
    made.resize(320, 200)
    made.show()
    made.show_tags((SEA, DOG))
    return made


def _carried(signal: SignalInstance) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    signal.connect(lambda *values: found.append(values))
    return found


def test_a_caption_is_shown_with_its_author(field: CaptionField) -> None:
    """A suggestion can be accepted, one's own cannot."""
    assert field.origin.text() == "Suggested caption"
    assert field.accept.isVisible()
    field.show_caption("a", "mine", Origin.PERSON)
    assert field.origin.text() == "Your caption"
    assert not field.accept.isVisible()


def test_without_a_caption_the_reason_stands_there(field: CaptionField) -> None:
    """And a way to write one; a sentence said later takes its place."""
    field.show_caption("a", "", Origin.MACHINE, "The model is being opened.")
    assert field.origin.text() == "The model is being opened."
    assert field.edit.text() == "Write one"
    assert not field.text.isVisible()
    field.say("Describing the photo…")
    assert field.origin.text() == "Describing the photo…"
    field.show_caption("a", "a dog", Origin.MACHINE)
    field.say("Describing the photo…")
    assert field.origin.text() == "Suggested caption"


def test_saving_carries_the_medium_and_one_line(field: CaptionField) -> None:
    """Breaks and doubled blanks of a pasted text go."""
    saved, closed = _carried(field.saved), _carried(field.closed)
    field.begin()
    field.editor.setPlainText("  Lena \n on the   beach ")
    QTest.keyClick(field.editor, Qt.Key.Key_Return)
    assert saved == [("a", "Lena on the beach")]
    assert len(closed) == 1
    assert not field.is_editing


def test_an_unchanged_caption_is_not_saved(field: CaptionField) -> None:
    """Enter on a suggestion accepts it; on one's own it does nothing."""
    saved, accepted = _carried(field.saved), _carried(field.accepted)
    field.begin()
    QTest.keyClick(field.editor, Qt.Key.Key_Return)
    assert (saved, len(accepted)) == ([], 1)
    field.show_caption("a", "mine", Origin.PERSON)
    field.begin()
    QTest.keyClick(field.editor, Qt.Key.Key_Return)
    assert (saved, len(accepted)) == ([], 1)


def test_escape_forgets_what_was_typed(field: CaptionField) -> None:
    """The caption is as it was."""
    saved, closed = _carried(field.saved), _carried(field.closed)
    field.begin()
    QTest.keyClicks(field.editor, "no")
    QTest.keyClick(field.editor, Qt.Key.Key_Escape)
    assert (saved, len(closed)) == ([], 1)
    assert field.text.text() == "a dog on a beach"
    assert field.text.isVisible()


def test_the_same_medium_shown_again_does_not_end_the_editing(field: CaptionField) -> None:
    """Whatever caption the engine has for it now."""
    field.begin()
    QTest.keyClicks(field.editor, "half")
    field.show_caption("a", "from elsewhere", Origin.PERSON)
    field.show_caption("a", "", Origin.MACHINE, "none")
    assert field.is_editing
    assert field.editor.line() == "half"
    assert not field.text.isVisible()


def test_another_medium_gets_nothing_that_was_typed_for_the_first(field: CaptionField) -> None:
    """It is saved for the one it was begun for."""
    saved = _carried(field.saved)
    field.begin()
    QTest.keyClicks(field.editor, "of the first")
    field.show_caption("b", "a cat", Origin.MACHINE)
    assert saved == [("a", "of the first")]
    assert not field.is_editing
    assert field.text.text() == "a cat"
    assert field.key == "b"


def test_beginning_twice_keeps_what_was_typed(field: CaptionField) -> None:
    """E once more only brings the focus back."""
    field.begin()
    QTest.keyClicks(field.editor, "half")
    field.begin()
    assert field.editor.line() == "half"


def test_a_double_click_on_the_caption_edits_it(field: CaptionField, qtbot: QtBot) -> None:
    """As its tip says."""
    qtbot.mouseDClick(field.text, Qt.MouseButton.LeftButton)
    assert field.is_editing
    assert field.editor.textCursor().selectedText() == "a dog on a beach"


def test_the_editor_grows_with_its_text(field: CaptionField) -> None:
    """Up to some lines; then it scrolls."""
    field.begin()
    small = field.editor.height()
    field.editor.setPlainText("words " * 40)
    larger = field.editor.height()
    field.editor.setPlainText("words " * 400)
    assert small < larger <= field.editor.height() < 10 * small


def test_chips_tell_whose_tag_it_is(chips: TagChips) -> None:
    """By a tick that accepts, and by words for those who do not see."""
    sea, dog = chips.chips
    assert sea.tick is None
    assert dog.tick is not None
    assert sea.accessibleName() == "Tag sea, yours"
    assert dog.accessibleName() == "Tag dog, suggested"
    assert "A accepts it" in dog.accessibleDescription()
    assert "A accepts it" not in sea.accessibleDescription()


@pytest.mark.parametrize(
    ("key", "signal"),
    [
        (Qt.Key.Key_A, "accepted"),
        (Qt.Key.Key_Plus, "accepted"),
        (Qt.Key.Key_X, "rejected"),
        (Qt.Key.Key_Delete, "rejected"),
        (Qt.Key.Key_Backspace, "rejected"),
        (Qt.Key.Key_Return, "opened"),
        (Qt.Key.Key_Space, "opened"),
    ],
)
def test_a_chip_has_keys_of_its_own(chips: TagChips, key: Qt.Key, signal: str) -> None:
    """Accept, remove, search."""
    carried = _carried(getattr(chips, signal))
    QTest.keyClick(chips.chips[1], key)
    assert carried == [("dog",)]


def test_a_tag_of_ones_own_is_not_accepted_again(chips: TagChips) -> None:
    """A does nothing on it."""
    accepted = _carried(chips.accepted)
    QTest.keyClick(chips.chips[0], Qt.Key.Key_A)
    assert accepted == []


def test_arrows_go_from_chip_to_chip_and_on_to_add_one(chips: TagChips, qtbot: QtBot) -> None:
    """Staying inside at the left."""
    chips.activateWindow()
    chips.focus_chip(0)
    qtbot.waitUntil(chips.chips[0].hasFocus, timeout=5000)
    QTest.keyClick(chips.chips[0], Qt.Key.Key_Right)
    assert chips.chips[1].hasFocus()
    QTest.keyClick(chips.chips[1], Qt.Key.Key_Left)
    QTest.keyClick(chips.chips[0], Qt.Key.Key_Left)
    assert chips.chips[0].hasFocus()
    chips.focus_chip(-1)
    assert chips.add.hasFocus()


def test_equal_tags_leave_the_chips_alone(chips: TagChips) -> None:
    """Notes make them others."""
    before = chips.chips
    chips.show_tags((SEA, DOG))
    assert chips.chips is before
    chips.show_tags((SEA, DOG), {"sea": "2 of 3"})
    assert chips.chips is not before
    assert chips.chips[0].accessibleName() == "Tag sea, yours, 2 of 3"


def test_other_tags_leave_the_open_field_and_what_is_in_it(chips: TagChips) -> None:
    """Another photo's chips come around it."""
    chips.begin()
    QTest.keyClicks(chips.field, "holi")
    chips.show_tags((DOG,))
    assert chips.is_adding
    assert chips.field.text() == "holi"
    chips.begin()
    assert chips.field.text() == "holi"


@pytest.mark.parametrize(
    ("typed", "tags"),
    [("boat,sea air,", ["boat", "sea air"]), ("  red   bicycle ,", ["red bicycle"]), (",", [])],
)
def test_a_comma_adds_a_tag_as_enter_does(chips: TagChips, typed: str, tags: list[str]) -> None:
    """Blanks around it and doubled ones go; nothing is no tag."""
    added = _carried(chips.added)
    chips.begin()
    QTest.keyClicks(chips.field, typed)
    assert added == [(tag,) for tag in tags]


def test_enter_on_an_empty_field_closes_it(chips: TagChips) -> None:
    """As Esc does, which forgets what was typed."""
    closed = _carried(chips.closed)
    chips.begin()
    QTest.keyClick(chips.field, Qt.Key.Key_Return)
    assert not chips.is_adding
    chips.begin()
    QTest.keyClicks(chips.field, "no")
    QTest.keyClick(chips.field, Qt.Key.Key_Escape)
    assert not chips.is_adding
    assert chips.field.text() == ""
    assert len(closed) == 2
