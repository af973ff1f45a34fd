"""The page of the tags that the machine chooses from: a text box, one tag a line."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import VocabularyReply
from cocadesk.protocol.values import JobKind, JobValue
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit import desktop
from ui.kit.job_parts import JobProgress
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import COLUMN_MAX_PX, Page, headed, hide_or_say
from ui.kit.texts import job_line
from ui.kit.theme import GAP_L, GAP_M
from ui.kit.timers import single_shot
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import Notice, button, label
from ui.vocabulary.requests import VocabularyRequests
from ui.vocabulary.text import load_file, read_tags, save_file, write_tags

INTRO = tr(
    "CocaDesk suggests those tags of this list that fit a photo best. Write the tags that you "
    "would search for, one per line. When you save, the suggestions are made again, without "
    "reading any photo again. Your own tags and captions are never changed."
)
COUNT_PAUSE_MS = 150
TEXT_FILES = tr("Text files (*.txt *.csv);;All files (*)")


class VocabularyPage(Page):
    """Shows the tags in use, lets them be changed, and keeps unsaved changes until then."""

    def __init__(self, link: EngineLink, tracker: JobTracker) -> None:
        super().__init__()
        self.setAccessibleName(tr("Tags"))
        self._tracker = tracker
        self.requests = VocabularyRequests(link, tracker, self)
        self._saved: tuple[str, ...] = ()
        self._is_loaded = False
        self.is_own = False
        self.state = label("", "muted", wraps=True)
        self.text = QPlainTextEdit()
        self.text.setObjectName("tags")
        self.text.setAccessibleName(tr("Tags, one a line"))
        self.text.setTabChangesFocus(True)
        self.text.setPlaceholderText(tr("one tag a line"))
        self.text.setEnabled(False)
        self.remark = label("", "muted")
        self.remark.setAccessibleName(tr("How many tags"))
        self.problem = label("", "problem", wraps=True)
        self.progress = JobProgress()
        self.progress.control.connect(tracker.control)
        self.save = button(tr("Save and tag again"), "primary", on_click=self._on_save)
        self.undo = button(tr("Undo changes"), on_click=self._on_undo)
        self.load = button(tr("Import…"), on_click=self._on_import)
        self.export = button(tr("Export…"), on_click=self._on_export)
        self.shipped = button(tr("Restore the built-in list"), "link", on_click=self._on_shipped)
        self.notice = Notice(self)
        self._counting = single_shot(self, self._count, COUNT_PAUSE_MS)
        self._build()
        self.text.textChanged.connect(self._counting.start)
        self.requests.tags_came.connect(self._on_tags)
        self.requests.kept.connect(self._on_kept)
        tracker.job_changed.connect(self._on_job)
        self.requests.failed.connect(self._on_failed)
        self._count()

    @property
    def has_changes(self) -> bool:
        """True where the text differs from the list in use."""
        return read_tags(self.text.toPlainText()).tags != self._saved

    def on_shown(self) -> None:
        """Asks for the tags in use; unsaved changes stay."""
        for job in self._tracker.active():
            self._on_job(job)
        self.requests.ask()
        self.text.setFocus()

    def _build(self) -> None:
        side = in_column(self.save, self.undo, self.load, self.export, gap=8)
        side.addWidget(self.shipped, 0, Qt.AlignmentFlag.AlignLeft)
        side.addStretch(1)
        row = in_row((self.text, 1), side, gap=GAP_L)
        self.progress.hide()
        self.problem.hide()
        middle = QWidget()
        middle.setMaximumWidth(COLUMN_MAX_PX)
        in_column(
            headed(tr("Tags to suggest from"), INTRO),
            self.state,
            (row, 1),
            self.remark,
            self.problem,
            self.progress,
            gap=GAP_M,
            of=middle,
        )
        in_row(STRETCH, (middle, 100), STRETCH, margins=(28, 24, 28, 24), of=self)

    # What a person does -------------------------------------------------------------

    def _on_save(self) -> None:
        tags = read_tags(self.text.toPlainText()).tags
        if tags:
            self._set(tags)

    def _on_shipped(self) -> None:
        self._set(())

    def _set(self, tags: tuple[str, ...]) -> None:
        self.text.setFocus()
        self.save.setEnabled(False)
        self.shipped.setEnabled(False)
        self.requests.keep(tags)

    def _on_undo(self) -> None:
        self._replace_text(write_tags(self._saved))

    def _on_import(self) -> None:
        path = desktop.ask_for_file(self, tr("Add the tags of a text file"), TEXT_FILES)
        if path is None:
            return
        try:
            found = load_file(path)
        except UserError as error:
            self._on_failed(error)
            return
        known = read_tags(self.text.toPlainText())
        merged = read_tags(write_tags(known.tags + found.tags))
        self._replace_text(write_tags(merged.tags))
        added = len(merged.tags) - len(known.tags)
        said = tr_count(
            added,
            "{n} new tag added. Nothing is saved yet.",
            "{n} new tags added. Nothing is saved yet.",
        )
        self.notice.say(" ".join((*found.notes, said)))

    def _on_export(self) -> None:
        path = desktop.ask_where_to_save(self, tr("Save the list as a text file"), "tags.txt")
        if path is None:
            return
        tags = read_tags(self.text.toPlainText()).tags
        try:
            save_file(path, tags)
        except UserError as error:
            self._on_failed(error)
        else:
            self.notice.say(tr_count(len(tags), "{n} tag written.", "{n} tags written."))

    # What the engine tells ----------------------------------------------------------

    def _on_tags(self, answer: VocabularyReply) -> None:
        is_clean = not self._is_loaded or not self.has_changes
        self._saved = answer.tags
        self.is_own = answer.is_own
        if is_clean and read_tags(self.text.toPlainText()).tags != answer.tags:
            self.text.setPlainText(write_tags(answer.tags))
        self.text.setEnabled(True)
        if not self._is_loaded and self.isVisible():
            self.text.setFocus()
        self._is_loaded = True
        self.state.setText(
            tr("You are using your own list.")
            if answer.is_own
            else tr("You are using the built-in list.")
        )
        self._count()

    def _on_kept(self, tags: tuple[str, ...]) -> None:
        hide_or_say(self.problem, "")
        if not tags:  # the shipped list takes the place of whatever was written here
            self._is_loaded = False
        else:
            self._saved = tags
            self._replace_text(write_tags(tags))
        self.requests.ask()

    def _on_failed(self, error: object) -> None:
        hide_or_say(self.problem, str(error))
        self._count()

    def _on_job(self, job: JobValue) -> None:
        if job.kind is JobKind.TAG:
            self.progress.draw_job(job, f"{job.title}: {job_line(job)}")
            self.progress.show()

    # Drawing ------------------------------------------------------------------------

    def _count(self) -> None:
        found = read_tags(self.text.toPlainText())
        changed = found.tags != self._saved
        self.remark.setText(found.remark() + (f" · {tr('not saved yet')}" if changed else ""))
        self.save.setEnabled(self._is_loaded and changed and bool(found.tags))
        self.undo.setEnabled(self._is_loaded and changed)
        self.shipped.setEnabled(self._is_loaded and self.is_own)
        self.export.setEnabled(bool(found.tags))

    def _replace_text(self, text: str) -> None:
        """As one step that Ctrl+Z takes back."""
        cursor = self.text.textCursor()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.insertText(text)
        self._count()
