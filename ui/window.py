"""The main window: its parts, wired to the engine."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QDialog, QMainWindow

from cocadesk.protocol.messages import Description, Failures, JobChanged, RowsChanged
from cocadesk.protocol.values import JobState, JobValue, Row
from ui.actions import ActionSet, Do
from ui.browser import Browser
from ui.commands import Commands
from ui.dialogs import FailuresDialog
from ui.emptiness import what_to_say
from ui.engine_link import EngineLink, LinkState
from ui.image_loader import ImageLoader
from ui.inspector import Inspector
from ui.layout import Parts
from ui.look import Look
from ui.pages import PageTurner
from ui.results_model import ResultsModel
from ui.theme import Theme
from ui.work import Work

THUMBNAIL_PX = 360
PREVIEW_PX = 2048


class MainWindow(QMainWindow):
    """The program's window on one library; ``link`` leads to its engine."""

    def __init__(self, link: EngineLink, look: Look) -> None:
        super().__init__()
        self.setWindowTitle("CocaDesk")
        self.setAcceptDrops(True)
        self.setMinimumSize(720, 480)
        self.resize(1280, 800)
        self.link = link
        self.look = look
        self.thumbnails = ImageLoader(long_side_px=THUMBNAIL_PX, keep=600, parent=self)
        self.previews = ImageLoader(long_side_px=PREVIEW_PX, keep=8, parent=self)
        self.model = ResultsModel(self)
        self.browser = Browser(link, self.model, self)
        self.inspector = Inspector(link, self.previews, self)
        self.work = Work(link, self)
        self.commands_set = ActionSet(self)
        self.parts = Parts(self, self.commands_set, self.model, self.thumbnails, look.theme)
        self.turner = PageTurner(self)
        self.commands = Commands(self)
        self.commands_set.connect_all(self.commands.slots() | self.turner.slots())
        self.addActions(self.commands_set.all())
        self._dialog: QDialog | None = None
        self.wants_detail = True
        self._wire_engine()
        self._wire_parts()
        self._refresh()

    def _wire_engine(self) -> None:
        self.link.state_changed.connect(self._on_link)
        self.link.connected.connect(self._on_connected)
        self.link.restarted.connect(self._on_restarted)
        self.link.happened.connect(self._on_event)
        self.browser.settled.connect(self._on_settled)
        self.inspector.row_came.connect(self._on_row)
        self.inspector.words_came.connect(self._on_words)
        self.inspector.describing.connect(self.parts.detail.say_describing)
        self.inspector.picture_came.connect(self._on_picture)
        self.inspector.failed.connect(self._on_no_picture)
        self.thumbnails.arrived.connect(self._on_thumbnail)
        self.work.job_changed.connect(self._on_job)
        self.work.failed.connect(self._on_error)
        self.work.failures_came.connect(self._on_failures)

    def _wire_parts(self) -> None:
        parts = self.parts
        parts.search.query_changed.connect(self._on_query)
        parts.search.leave_down.connect(self._go_to_grid)
        parts.grid.selectionModel().currentChanged.connect(self._on_current)
        self.model.modelReset.connect(self._on_reset)
        parts.grid.opened.connect(self.open_large)
        parts.grid.large_wanted.connect(self.open_large)
        parts.grid.menu_wanted.connect(self.commands.show_photo_menu)
        parts.grid.size_changed.connect(parts.results.slider.setValue)
        parts.results.slider.setValue(parts.grid.size_step)
        parts.results.slider.valueChanged.connect(parts.grid.set_size_step)
        parts.detail.photo.opened.connect(self.open_large)
        parts.detail.tag_clicked.connect(parts.search.set_query)
        parts.large.stepped.connect(parts.grid.step)
        parts.large.closed.connect(self.close_large)
        parts.strip.control.connect(self.work.control)
        parts.strip.failures_wanted.connect(self.work.ask_failures)
        parts.empty.button.clicked.connect(self._on_empty_button)
        self.look.changed.connect(self._on_look)

    # The engine ---------------------------------------------------------------------

    def _on_link(self, state: object) -> None:
        if state is LinkState.LOST:
            self.parts.notice.say("The engine has stopped. Starting it again…")
        self._refresh()

    def _on_connected(self, _welcome: object) -> None:
        self.model.forget_questions()
        self.browser.ask_again()
        self.work.look_for_running()
        if self.inspector.key is not None:
            self.inspector.look_again()

    def _on_restarted(self) -> None:
        self.parts.notice.say("The engine is back.")

    def _on_event(self, body: object) -> None:
        if isinstance(body, RowsChanged):
            self.browser.on_rows_changed(body)
        elif isinstance(body, JobChanged):
            self._on_job(body.job)

    def _on_error(self, error: object) -> None:
        self.parts.notice.say(str(error))

    # Results ------------------------------------------------------------------------

    def _on_query(self, query: str) -> None:
        self.browser.search(query)

    def _on_settled(self) -> None:
        if self.model.rowCount() and self.parts.grid.current_key() is None:
            self.parts.grid.go_to(0)
        self._refresh()

    def _on_reset(self) -> None:
        """Another list: from its top, and what is under the cursor is looked at anew."""
        self.parts.grid.scrollToTop()
        if not self.model.rowCount():
            self.inspector.look_at(None)
            self.parts.detail.clear()

    def _on_current(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        key = self.parts.grid.current_key()
        if key != self.inspector.key:
            if key is not None:
                self._show_known(key)
            else:
                self.parts.detail.clear()
            self.inspector.look_at(key)
        self._refresh()

    def _show_known(self, key: str) -> None:
        """What is here already, so that moving on shows something at once."""
        row = self.model.known_row(key)
        if row is None:
            return
        thumbnail = None
        if row.thumbnail is not None:
            thumbnail = self.thumbnails.pixmap(key, row.thumbnail.to_str())
        self.parts.detail.show_row(row, thumbnail)
        self.parts.large.show_row(row)
        if thumbnail is not None:
            self.parts.large.photo.show_picture(thumbnail)

    # The photo under the cursor -----------------------------------------------------

    def _on_row(self, row: object) -> None:
        assert isinstance(row, Row)
        thumbnail = None
        if row.thumbnail is not None:
            thumbnail = self.thumbnails.pixmap(row.key, row.thumbnail.to_str())
        self.model.set_rows([row])
        self.parts.detail.show_row(row, thumbnail)
        self.parts.large.show_row(row)

    def _on_thumbnail(self, key: object) -> None:
        """Something to see until the large picture comes."""
        row = self.inspector.row
        if row is None or row.key != key or row.thumbnail is None:
            return
        thumbnail = self.thumbnails.pixmap(row.key, row.thumbnail.to_str())
        for photo in (self.parts.detail.photo, self.parts.large.photo):
            if thumbnail is not None and not photo.has_picture:
                photo.show_picture(thumbnail)

    def _on_words(self, words: object) -> None:
        assert isinstance(words, Description)
        self.parts.detail.show_words(words)
        if words.caption:
            self.parts.large.caption.setText(words.caption)

    def _on_picture(self, pixmap: object) -> None:
        assert isinstance(pixmap, QPixmap)
        self.parts.detail.photo.show_picture(pixmap)
        self.parts.large.photo.show_picture(pixmap, keeps_zoom=True)

    def _on_no_picture(self, sentence: str) -> None:
        for photo in (self.parts.detail.photo, self.parts.large.photo):
            if not photo.has_picture:
                photo.show_message(sentence)

    @property
    def is_large(self) -> bool:
        """Whether the large view is open."""
        return self.parts.pages.currentWidget() is self.parts.large

    def open_large(self) -> None:
        """Shows the photo under the cursor over the whole window."""
        if self.parts.grid.current_key() is not None:
            self.parts.large.photo.reset_zoom()
            self.parts.pages.setCurrentWidget(self.parts.large)
            self.parts.large.setFocus()

    def close_large(self) -> None:
        """Back to the grid, at the photo that was seen last."""
        if self.is_large:
            self.parts.pages.setCurrentWidget(self.parts.browse)
            self._go_to_grid()

    def _go_to_grid(self) -> None:
        self.parts.grid.setFocus()
        if self.parts.grid.current_key() is None:
            self.parts.grid.go_to(0)

    # Jobs ---------------------------------------------------------------------------

    def _on_job(self, job: object) -> None:
        assert isinstance(job, JobValue)
        self.parts.strip.show_job(job)
        if job.state is JobState.DONE:
            self.browser.ask_again()
        self._refresh()

    def _on_failures(self, answer: object) -> None:
        assert isinstance(answer, Failures)
        self.open_dialog(FailuresDialog(answer.failures, answer.total, self))

    def open_dialog(self, dialog: QDialog) -> None:
        """Shows a dialog without stopping the window; the last one goes."""
        if self._dialog is not None:
            self._dialog.close()
            self._dialog.deleteLater()
        self._dialog = dialog
        dialog.open()

    def add_folders(self, folders: list[str]) -> None:
        """Starts to index folders, e.g. dropped ones."""
        self.work.index(folders)

    # What is shown ------------------------------------------------------------------

    def _refresh(self) -> None:
        """Actions, headline and empty state follow from the state of the parts."""
        has_engine = self.link.state is LinkState.CONNECTED
        self.commands_set.update_enabled(
            has_engine=has_engine, has_selection=self.parts.grid.current_key() is not None
        )
        self.parts.header.add.setEnabled(has_engine)
        headline = self.browser.headline()
        self.parts.results.say(headline, can_show_all=self.browser.is_filtered)
        words = what_to_say(self.link, self.browser, self.parts.strip.job, self.model.rowCount())
        if words is None:
            self.parts.center.setCurrentWidget(self.parts.grid)
        else:
            self.parts.empty.say(words.icon, words.title, words.text, words.button)
            self.parts.center.setCurrentWidget(self.parts.empty)
        self.parts.results.setVisible(words is None or self.browser.is_filtered)
        self.parts.detail.setVisible(words is None and self.wants_detail)

    def toggle_detail(self) -> None:
        """Shows or hides the details beside the grid."""
        self.wants_detail = not self.wants_detail
        self._refresh()

    def _on_empty_button(self) -> None:
        if self.link.state is LinkState.FAILED:
            self.link.open()
        elif self.browser.is_filtered:
            self.commands_set[Do.SHOW_ALL].trigger()
        elif self.browser.problem is not None:
            self.browser.ask_again()
        else:
            self.parts.header.add.click()

    def _on_look(self, theme: object) -> None:
        assert isinstance(theme, Theme)
        self.parts.set_theme(theme)

    # Qt -----------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.parts.notice.place()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if _dropped_paths(event) and event.source() is None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        folders = _dropped_paths(event)
        if folders:
            event.acceptProposedAction()
            self.add_folders(folders)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        self.link.close()
        self.thumbnails.close()
        self.previews.close()
        super().closeEvent(event)


def _dropped_paths(event: QDropEvent) -> list[str]:
    """Local folders, and files, that were dragged in."""
    urls = event.mimeData().urls()
    paths = [url.toLocalFile() for url in urls if url.isLocalFile()]
    return [path for path in paths if Path(path).exists()]
