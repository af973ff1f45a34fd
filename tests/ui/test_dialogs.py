"""The dialogs by themselves."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QPushButton, QTreeWidget, QWidget

from cocadesk.protocol.messages import WritePlan
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionStyle,
    EditValue,
    FailureValue,
    Scope,
    WriteItem,
    WriteKind,
)
from ui.annotations.dialogs import CaptionDialog, HistoryDialog, WriteDialog
from ui.annotations.scopes import ScopeChoice
from ui.annotations.styles import StyleChoice
from ui.jobs.commands import FailuresDialog
from ui.kit.dialogs import DialogHost, FramedDialog

ALL = ScopeChoice(text="Everything in the library", scope=Scope())
ONE = ScopeChoice(text="This photo: a.jpg", scope=Scope(keys=("a",)))
CHOICES = (ONE, ALL)

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


def _carried(signal: SignalInstance) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    signal.connect(lambda *values: found.append(values))
    return found


def _texts(tree: QTreeWidget, column: int) -> list[str]:
    items = (tree.topLevelItem(place) for place in range(tree.topLevelItemCount()))
    return [item.text(column) for item in items if item is not None]


def test_one_dialog_stands_at_a_time(parent: QWidget) -> None:
    """The next takes the place of the last; the window is not stopped."""
    host = DialogHost(parent)
    first = host.open(lambda window: FramedDialog("First", window))
    assert first.isVisible()
    second = host.open(lambda window: FramedDialog("Second", window))
    assert host.current is second
    assert second.isVisible()
    assert not first.isVisible()


def test_a_dialog_can_be_cancelled_where_it_goes_on_and_closed_where_not(parent: QWidget) -> None:
    """The button says which."""
    plain = FramedDialog("Plain", parent)
    plain.add_buttons()
    assert [part.text() for part in plain.findChildren(QPushButton)] == ["Close"]
    going = FramedDialog("Going", parent)
    going.add_buttons(QPushButton("Start"))
    assert {part.text() for part in going.findChildren(QPushButton)} == {"Cancel", "Start"}
    rejected = _carried(going.rejected)
    next(part for part in going.findChildren(QPushButton) if part.text() == "Cancel").click()
    assert len(rejected) == 1


def test_captioning_asks_for_whom_and_whether_again(parent: QWidget) -> None:
    """What is offered first is chosen already."""
    dialog = CaptionDialog(CHOICES, 1, StyleChoice(), parent)
    wanted = _carried(dialog.start_wanted)
    assert dialog.picker.currentText() == "Everything in the library"
    dialog.start.click()
    dialog.picker.setCurrentIndex(0)
    dialog.again.setChecked(True)
    dialog.start.click()
    assert wanted == [(ALL.scope, False, None), (ONE.scope, True, None)]
    assert dialog.styles.isHidden()


def test_captioning_asks_for_a_style_where_the_model_knows_several(parent: QWidget) -> None:
    """The choice is there again the next time, until a model answers that does not know it."""
    styles = StyleChoice()
    styles.learn(tuple(CaptionStyle))
    dialog = CaptionDialog(CHOICES, 0, styles, parent)
    wanted = _carried(dialog.start_wanted)
    assert not dialog.styles.isHidden()
    assert dialog.styles.currentText() == "Any style (new captions are sentences)"
    dialog.styles.setCurrentText("Short captions")
    dialog.start.click()
    assert wanted == [(ONE.scope, False, CaptionStyle.SHORT)]
    assert CaptionDialog(CHOICES, 0, styles, parent).styles.currentText() == "Short captions"
    styles.learn((CaptionStyle.SENTENCE,))
    assert styles.last is None
    assert CaptionDialog(CHOICES, 0, styles, parent).styles.isHidden()


@pytest.fixture
def writing(parent: QWidget) -> WriteDialog:
    """A dialog that has asked for its first plan."""
    made = WriteDialog(CHOICES, 0, parent)
    made.ask()
    return made


def _item(name: str, kind: WriteKind, reason: str = "") -> WriteItem:
    return WriteItem(path=WirePath(f"/p/{name}.txt"), kind=kind, old="", new="new", reason=reason)


def test_each_choice_asks_for_another_plan(writing: WriteDialog) -> None:
    """Until it has come nothing can be written."""
    wanted = _carried(writing.plan_wanted)
    writing.picker.setCurrentIndex(1)
    writing.overwrite.setChecked(True)
    assert wanted == [(ALL.scope, False), (ALL.scope, True)]
    assert writing.counts.text() == "Checking the files…"
    assert not writing.write.isEnabled()


def test_a_plan_counts_what_would_happen_and_shows_doubts_first(writing: WriteDialog) -> None:
    """Skipped files with their reason, then changes, then what is new."""
    items = (
        _item("same", WriteKind.UNCHANGED),
        _item("new", WriteKind.NEW),
        _item("changed", WriteKind.CHANGED),
        _item("skipped", WriteKind.SKIPPED, "CocaDesk did not write this file."),
    )
    plan = WritePlan(items=items, new=1, changed=1, unchanged=1, skipped=1)
    writing.show_plan(plan)
    assert writing.counts.text() == "1 new file · 1 changed · 1 already up to date · 1 skipped"
    assert _texts(writing.tree, 0) == ["skipped.txt", "changed.txt", "new.txt", "same.txt"]
    assert _texts(writing.tree, 1) == ["Skipped", "Changed", "New file", "Up to date"]
    assert _texts(writing.tree, 3) == ["CocaDesk did not write this file.", "new", "new", ""]
    assert writing.write.text() == "Write 2 captions"
    assert writing.write.isEnabled()


def test_a_plan_without_anything_to_write_cannot_be_carried_out(writing: WriteDialog) -> None:
    """The sentence says so."""
    writing.show_plan(WritePlan(items=()))
    assert writing.counts.text() == "There is nothing to write."
    assert writing.write.text() == "Nothing to write"
    assert not writing.write.isEnabled()


def test_captions_of_files_have_room_only_where_there_are_any(writing: WriteDialog) -> None:
    """Where all files are new, their captions get it."""
    new = _item("new", WriteKind.NEW)
    changed = msgspec.structs.replace(new, kind=WriteKind.CHANGED, old="An old one")
    for items, is_hidden in (((new,), True), ((new, changed), False), ((new,), True)):
        writing.show_plan(WritePlan(items=items, new=len(items)))
        assert writing.tree.isColumnHidden(2) is is_hidden


def test_a_long_plan_says_how_many_are_shown(writing: WriteDialog) -> None:
    """The rest is only counted."""
    writing.show_plan(WritePlan(items=(_item("new", WriteKind.NEW),), new=5000))
    assert writing.counts.text() == "5,000 new files. The first 1 are shown."


def test_writing_is_wanted_as_it_was_planned(writing: WriteDialog) -> None:
    """The same choice, and the dialog goes."""
    wanted = _carried(writing.write_wanted)
    writing.show_plan(WritePlan(items=(_item("new", WriteKind.NEW),), new=1))
    writing.write.click()
    assert wanted == [(ONE.scope, False)]
    assert not writing.isVisible()


def test_the_history_tells_the_newest_first(parent: QWidget) -> None:
    """Who, what, before and after; an undone edit says so."""
    edits = (
        EditValue(when="2024-05-03T14:30:00", who="person", field="caption", old="", new="mine"),
        EditValue(
            when="2024-05-04T14:30:00", who="starter", field="tags", old="", new="sea",
            is_undone=True,
        ),
    )  # fmt: skip
    dialog = HistoryDialog("a.jpg", edits, parent)
    assert _texts(dialog.tree, 1) == ["CocaDesk (starter)", "You"]
    assert _texts(dialog.tree, 2) == ["Tags (undone)", "Caption"]
    assert _texts(dialog.tree, 4) == ["sea", "mine"]


def test_a_photo_without_history_says_so(parent: QWidget) -> None:
    """No empty table."""
    dialog = HistoryDialog("a.jpg", (), parent)
    dialog.show()
    assert not dialog.tree.isVisible()
    texts = [str(part.property("text")) for part in dialog.findChildren(QWidget)]
    assert "No caption or tag of a.jpg has been changed yet." in texts


@pytest.mark.parametrize(
    ("shown", "total", "sentence"),
    [
        (0, 0, "All files could be read."),
        (1, 1, "1 file. Everything else was done."),
        (2, 2, "2 files. Everything else was done. A file that changes is tried again."),
        (2, 900, "900 files. Everything"),
        (2, 900, "The first 2 of 900 are shown."),
    ],
)
def test_failures_are_listed_with_reason_and_folder(
    parent: QWidget, shown: int, total: int, sentence: str
) -> None:
    """The name first; of a job under its title."""
    failures = [
        FailureValue(path=WirePath(f"/photos/{n}.jpg"), reason="It is cut off.")
        for n in range(shown)
    ]
    dialog = FailuresDialog(failures, total, "Index Holiday", parent)
    assert dialog.heading.text() == "Failures: Index Holiday"
    assert _texts(dialog.tree, 0) == [f"{n}.jpg" for n in range(shown)]
    assert set(_texts(dialog.tree, 2)) <= {"/photos"}
    texts = [str(part.property("text")) for part in dialog.findChildren(QWidget)]
    assert any(sentence in text for text in texts)
    assert FailuresDialog((), 0, "", parent).heading.text() == "Files that could not be read"


@pytest.mark.parametrize(("shown", "job", "offered"), [(2, "", 1), (2, "Index", 1), (0, "", 0)])
def test_files_that_could_not_be_read_can_be_tried_again(
    parent: QWidget, shown: int, job: str, offered: int
) -> None:
    """All of the library, or those of one job; nothing is offered where there are none."""
    failures = [FailureValue(path=WirePath(f"/{n}.jpg"), reason="Cut off.") for n in range(shown)]
    dialog = FailuresDialog(failures, shown, job, parent)
    wanted = _carried(dialog.again_wanted)
    for part in dialog.findChildren(QPushButton):
        if part.text() == "Try these again":
            part.click()
    assert len(wanted) == offered


def test_failures_that_pass_are_told_apart(parent: QWidget) -> None:
    """A stalled disk is no broken file."""
    path = WirePath("/photos/a.jpg")
    failures = [
        FailureValue(path=path, reason="The disk did not answer.", is_passing=True),
        FailureValue(path=path, reason="It is cut off."),
    ]
    dialog = FailuresDialog(failures, 2, "", parent)
    assert _texts(dialog.tree, 1) == [
        "The disk did not answer. It will be tried again.",
        "It is cut off.",
    ]
