"""File names that hold markup, line ends and orders to the screen, wherever they are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, count, takewhile

import pytest
from PySide6.QtCore import QAbstractItemModel, QObject, Qt
from PySide6.QtGui import Qt as QtText
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QLabel,
    QPlainTextEdit,
    QWidget,
)

from cocadesk.protocol.messages import DatasetSummary, WritePlan
from cocadesk.protocol.paths import WirePath, printable
from cocadesk.protocol.values import (
    EditValue,
    Fact,
    FailureValue,
    JobKind,
    JobState,
    JobValue,
    ModelEntry,
    RootValue,
    Row,
    RunState,
    RunValue,
    SkippedValue,
    TagValue,
    TeachSample,
    TuningMethod,
    WriteItem,
    WriteKind,
)
from ui.annotations.dialogs import HistoryDialog, WriteDialog
from ui.annotations.scopes import choices
from ui.annotations.tag_chips import TagChip
from ui.detail.facts import FactsTable
from ui.jobs.commands import FailuresDialog
from ui.jobs.panel import JobRow, JobStrip
from ui.kit.app_theme import AppTheme
from ui.kit.icons import Icon
from ui.kit.image_loader import ImageLoader
from ui.kit.widgets import EmptyView, Notice
from ui.library.excludes import ExcludesDialog
from ui.library.folders import FolderCounts, FoldersDialog
from ui.library.notices import LibraryLine
from ui.library.results_model import ResultsModel
from ui.library.tasks import TaskDialog
from ui.models.cards import ModelRow, QuestionCard
from ui.teach.found import FoundBox
from ui.teach.run import RunView
from ui.teach.source import SourceBox

NAME = "<img src=x.png> & <b>R\u202egpj.exe\r\x1b[2J\x07\nin all it says.jpg"
"""Markup, a mnemonic, a turn of the reading direction, orders to a terminal, a second line."""
FOLDER = f"/photos/{NAME}/\u2028sub"
PATH = WirePath.of(f"{FOLDER}/{NAME}".encode() + b"\xff")
ROW = Row(key="k", path=PATH, name=NAME, folder=FOLDER, caption=NAME)
JOB = JobValue(
    id="j", kind=JobKind.INDEX, title=NAME, state=JobState.FAILED, message=NAME, failed=1
)
RUN = RunValue(
    id="r", folder=PATH, state=RunState.FAILED, method=TuningMethod.HEAD, title=NAME, message=NAME
)

# Only the screenless platform says this, of every dialog.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints", "does not support")


@pytest.fixture
def pictures(app_theme: AppTheme) -> Iterator[ImageLoader]:
    """A loader of thumbnails."""
    made = ImageLoader(long_side_px=32, keep=4, workers=1)
    yield made
    made.close()


def _items(model: QAbstractItemModel, role: Qt.ItemDataRole) -> Iterator[str]:
    for row in range(model.rowCount()):
        for column in takewhile(partial(model.hasIndex, row), count()):
            text = model.index(row, column).data(role)
            if isinstance(text, str):
                yield text


def _shown(root: QWidget) -> Iterator[str]:
    """Every text that a person sees in a part."""
    for part in (root, *root.findChildren(QWidget)):
        if isinstance(part, QLabel):
            assert part.textFormat() is Qt.TextFormat.PlainText or not part.text()
            yield part.text()
        elif isinstance(part, QAbstractButton):
            yield part.text()
            assert "&" not in part.text().replace("&&", "")
        elif isinstance(part, QPlainTextEdit):
            yield part.toPlainText()
        elif isinstance(part, QComboBox):
            yield from (part.itemText(place) for place in range(part.count()))
        elif isinstance(part, QAbstractItemView) and part.model() is not None:
            yield from _items(part.model(), Qt.ItemDataRole.DisplayRole)


def _tips(root: QWidget) -> Iterator[str]:
    for part in (root, *root.findChildren(QWidget)):
        yield part.toolTip()
        if isinstance(part, QAbstractItemView) and part.model() is not None:
            yield from _items(part.model(), Qt.ItemDataRole.ToolTipRole)


def _assert_plain(*parts: QWidget) -> None:
    """No text steers anything or begins a line of its own, no tip is a page of HTML."""
    texts = list(chain.from_iterable(map(_shown, parts)))
    tips = list(chain.from_iterable(map(_tips, parts)))
    assert any("gpj.exe" in text for text in texts), "the name is not shown at all"
    for text in (*texts, *tips):
        lines = text.split("\n")
        assert lines == [printable(line) for line in lines]
        assert not any(line.startswith("in all it says") for line in lines)
    assert not [tip for tip in tips if QtText.mightBeRichText(tip) and "<img" in tip]


def _failures(parent: QWidget) -> QWidget:
    failure = FailureValue(path=PATH, reason=NAME, stage="decode")
    return FailuresDialog((failure,), 1, NAME, parent)


def _history(parent: QWidget) -> QWidget:
    edit = EditValue(when="2026-01-01T00:00:00", who="person", field="caption", old=NAME, new=NAME)
    return HistoryDialog(NAME, (edit,), parent)


def _writing(parent: QWidget) -> QWidget:
    dialog = WriteDialog(choices(ROW, (), (WirePath.of(FOLDER),)), 0, parent)
    item = WriteItem(path=PATH, kind=WriteKind.SKIPPED, old=NAME, new=NAME, reason=NAME)
    dialog.show_plan(WritePlan(items=(item,), skipped=1))
    return dialog


def _folders(parent: QWidget) -> QWidget:
    dialog = FoldersDialog(parent)
    dialog.panel.show_roots([RootValue(path=WirePath.of(FOLDER + NAME))])
    dialog.panel.show_counts(WirePath.of(FOLDER + NAME), FolderCounts(media=1, offline=0))
    return dialog


def _task(parent: QWidget) -> QWidget:
    dialog = TaskDialog("Task", parent)
    dialog.ask(f"Forget {NAME}?", "Forget", lines=(NAME, NAME), small_print=NAME)
    return dialog


def _excluding(parent: QWidget) -> QWidget:
    return ExcludesDialog(RootValue(path=PATH, excludes=(PATH, WirePath("*.png"))), parent)


DIALOGS = (_failures, _history, _writing, _folders, _task, _excluding)


@pytest.mark.parametrize("make", DIALOGS, ids=lambda make: make.__name__.strip("_"))
def test_a_dialog_shows_a_name_letter_by_letter(
    make: Callable[[QWidget], QWidget], parent: QWidget
) -> None:
    """Cells, sentences, choices and their tips."""
    _assert_plain(make(parent))


def test_jobs_show_names_letter_by_letter(parent: QWidget) -> None:
    """The strip and the drawer: titles and how a job ended."""
    strip, row = JobStrip(), JobRow(JOB)
    strip.show_job(JOB)
    for part in (strip, row):
        part.setParent(parent)
        part.resize(120, 60)
    _assert_plain(strip, row)


def test_sentences_show_names_letter_by_letter(parent: QWidget) -> None:
    """The notice, the line above the library and the empty middle of the window."""
    notice, line, empty = Notice(parent), LibraryLine(), EmptyView()
    notice.say(NAME, "Undo")
    line.say((NAME, NAME), "Check…", lambda: None)
    empty.say(Icon.WARNING, NAME, NAME)
    for part in (notice, line, empty):
        part.setParent(parent)
        _assert_plain(part)
    assert line.text.text().count("\n") == 1


def test_facts_show_names_letter_by_letter(parent: QWidget) -> None:
    """Names, and what a file says of itself; the line ends of a description are blanks."""
    table = FactsTable()
    table.setParent(parent)
    table.resize(90, 60)
    told = Fact(name="description", label="Description", text=f"two\n\nlines {NAME}")
    table.show_facts((Fact(name="name", label="Name", text=NAME), told))
    _assert_plain(table)
    assert any(text.startswith("two lines ") for text in _shown(table))


def test_models_and_teaching_show_names_letter_by_letter(
    parent: QWidget, pictures: ImageLoader
) -> None:
    """Models by a path, folders to learn from, what was found in them, and the runs."""
    question, found, source, run = QuestionCard(), FoundBox(pictures), SourceBox(), RunView()
    question.ask("x", NAME, 3)
    sample = TeachSample(path=PATH, captions=(NAME, NAME, NAME))
    skipped = SkippedValue(reason=NAME, count=1, examples=(PATH,))
    found.show_found(DatasetSummary(samples=(sample,), skipped=(skipped,), notes=(NAME,)))
    source.add([FOLDER])
    run.show_run(RUN, None)
    row = ModelRow(ModelEntry(source=FOLDER, name=NAME, note=NAME))
    for part in (question, found, source, run, row):
        part.setParent(parent)
        _assert_plain(part)


def test_a_tag_is_shown_letter_by_letter(parent: QWidget) -> None:
    """An ampersand in it is one, and no key to press."""
    chip = TagChip(TagValue(tag=NAME))
    chip.setParent(parent)
    _assert_plain(chip)


def test_the_grid_tells_names_letter_by_letter(owner: QObject) -> None:
    """The tip of a thumbnail has caption and name, each in one line."""
    model = ResultsModel(owner)
    model.show_keys(["k"])
    model.set_rows([ROW])
    tip = str(model.index(0).data(Qt.ItemDataRole.ToolTipRole))
    assert tip.count("&lt;img") == 2
    assert tip.count("<br>") == 1
    assert "\u202e" not in tip


def test_an_excluded_name_of_two_lines_stays_one_pattern(parent: QWidget) -> None:
    """Another pattern is taken away: the forgotten photo does not come back."""
    two_lines = WirePath("a\nb.jpg")
    dialog = ExcludesDialog(
        RootValue(path=WirePath("/p"), excludes=(two_lines, WirePath("*.png"))), parent
    )
    wanted: list[tuple[object, object]] = []
    dialog.save_wanted.connect(lambda add, remove: wanted.append((add, remove)))
    dialog.patterns.setPlainText("a\\nb.jpg\n")
    dialog.save.click()
    assert wanted == [((), (WirePath("*.png"),))]
