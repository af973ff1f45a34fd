"""The main window: its parts, wired to the engine."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QDialog, QMainWindow

from cocadesk.errors import UserError
from cocadesk.protocol.messages import AnnotationsChanged, JobChanged, RowsChanged
from cocadesk.protocol.values import MediaKind, Row
from ui.annotations.commands import AnnotationCommands
from ui.annotations.editor import AnnotationEditor
from ui.detail.inspector import Inspector
from ui.detail.presenter import DetailPresenter
from ui.engine.link import EngineLink, LinkState
from ui.jobs.commands import JobCommands
from ui.jobs.tracker import JobTracker
from ui.kit import desktop
from ui.kit.actions import ActionId, ActionSet, Requires
from ui.kit.app_theme import AppTheme
from ui.kit.image_loader import ImageLoader
from ui.kit.theme import Theme
from ui.library.browser import Browser
from ui.library.empty_state import empty_state_for
from ui.library.results_model import ResultsModel
from ui.shell.commands import Commands
from ui.shell.layout import WindowWidgets
from ui.shell.pages import Page, PageSwitcher

THUMBNAIL_PX = 360
PREVIEW_PX = 2048
FRAME_PX = 240
LEAVE_MS = 3000


class MainWindow(QMainWindow):
    """The program's window on one library; ``link`` leads to its engine."""

    def __init__(self, link: EngineLink, app_theme: AppTheme) -> None:
        super().__init__()
        self.setWindowTitle("CocaDesk")
        self.setAcceptDrops(True)
        self.setMinimumSize(720, 480)
        self.resize(1280, 800)
        self.link = link
        self.app_theme = app_theme
        self.thumbnails = ImageLoader(long_side_px=THUMBNAIL_PX, keep=600, parent=self)
        self.previews = ImageLoader(long_side_px=PREVIEW_PX, keep=8, parent=self)
        self.frames = ImageLoader(long_side_px=FRAME_PX, keep=200, workers=1, parent=self)
        self.model = ResultsModel(self)
        self.browser = Browser(link, self.model, self)
        self.inspector = Inspector(link, self.previews, self)
        self.tracker = JobTracker(link, self)
        self.editor = AnnotationEditor(link, self._row_of, self)
        self.action_set = ActionSet(self)
        self.widgets = WindowWidgets(
            self, self.action_set, self.model, self.thumbnails, self.frames, app_theme.theme
        )
        self.presenter = DetailPresenter(
            self.widgets, self.inspector, self.model, self.thumbnails, self
        )
        self.dialog: QDialog | None = None
        self.wants_detail = True
        self._is_leaving = False
        self._leave = QTimer(self)
        self._leave.setSingleShot(True)
        self._leave.setInterval(LEAVE_MS)
        self._leave.timeout.connect(self.close)
        self.switcher = PageSwitcher(self)
        self.commands = Commands(self)
        self.word_commands = AnnotationCommands(self)
        self.jobs = JobCommands(self)
        self.action_set.connect_all(
            self.commands.slots()
            | self.switcher.slots()
            | self.word_commands.slots()
            | self.jobs.slots()
        )
        self.addActions(self.action_set.all())
        self._wire_engine()
        self._wire_parts()
        self.refresh()

    def _wire_engine(self) -> None:
        self.link.state_changed.connect(self._on_link)
        self.link.connected.connect(self._on_connected)
        self.link.restarted.connect(self._on_restarted)
        self.link.event_received.connect(self._on_event)
        self.browser.settled.connect(self._on_settled)
        self.inspector.row_loaded.connect(self._on_row)
        self.tracker.failed.connect(self._on_error)

    def _wire_parts(self) -> None:
        parts = self.widgets
        parts.search.query_changed.connect(self._on_query)
        parts.search.leave_down.connect(self._go_to_grid)
        parts.grid.selectionModel().currentChanged.connect(self._on_current)
        parts.grid.selected.connect(self.refresh)
        self.model.modelReset.connect(self._on_reset)
        parts.grid.opened.connect(self.open_large)
        parts.grid.large_wanted.connect(self._on_space)
        parts.rooms.currentChanged.connect(parts.detail.video.stop)
        parts.grid.menu_wanted.connect(self.commands.show_photo_menu)
        parts.grid.size_changed.connect(parts.results.slider.setValue)
        parts.results.slider.setValue(parts.grid.size_step)
        parts.results.slider.valueChanged.connect(parts.grid.set_size_step)
        parts.detail.photo.opened.connect(self.open_large)
        parts.detail.tag_clicked.connect(parts.search.set_query)
        parts.large.stepped.connect(parts.grid.step)
        parts.large.closed.connect(self.close_large)
        parts.empty.button.clicked.connect(self._on_empty_button)
        self.app_theme.changed.connect(self._on_look)

    # The engine ---------------------------------------------------------------------

    def _on_link(self, state: object) -> None:
        if state is LinkState.LOST:
            self.widgets.notice.say("The engine has stopped. Starting it again…", stays=True)
        elif state is LinkState.FAILED and self.model.rowCount():  # else the middle says it
            problem = self.link.problem or UserError("The engine could not start.")
            self.widgets.notice.say(str(problem), "Try again", self.link.open, stays=True)
        self.refresh()

    def _on_connected(self, _welcome: object) -> None:
        self.model.forget_questions()
        self.browser.ask_again()
        self.tracker.look_for_running()
        self.word_commands.on_connected()
        if self.inspector.key is not None:
            self.inspector.look_again()

    def _on_restarted(self) -> None:
        self.widgets.notice.say("The engine is back.")

    def _on_event(self, body: object) -> None:
        if isinstance(body, RowsChanged):
            self.browser.on_rows_changed(body)
            if self.editor.is_settled():  # else the answer tells when to look again
                self.presenter.on_rows_changed(body)
        elif isinstance(body, JobChanged):
            self.tracker.take(body.job)
        elif isinstance(body, AnnotationsChanged):
            self.editor.on_event(body)

    def _on_error(self, error: object) -> None:
        self.widgets.notice.say(str(error))

    # Results ------------------------------------------------------------------------

    def _on_query(self, query: str) -> None:
        self.browser.search(query)

    def _on_settled(self) -> None:
        if self.model.rowCount() and self.widgets.grid.current_key() is None:
            self.widgets.grid.go_to(0)
        self.refresh()

    def _on_reset(self) -> None:
        """Another list: from its top, and what is under the cursor is looked at anew."""
        self.widgets.grid.scrollToTop()
        if not self.model.rowCount():
            self.presenter.look_at(None)

    def _on_current(self, _current: QModelIndex, _previous: QModelIndex) -> None:
        self.presenter.look_at(self.widgets.grid.current_key())
        self.refresh()

    def _row_of(self, key: str) -> Row | None:
        row = self.inspector.row
        return row if row is not None and row.key == key else self.model.known_row(key)

    def _on_row(self, _row: object) -> None:
        """Whether it is a video is known now."""
        self.refresh()

    @property
    def is_large(self) -> bool:
        """Whether the large view is open."""
        return self.widgets.pages.currentWidget() is self.widgets.large

    def open_large(self) -> None:
        """Shows the photo under the cursor over the whole window."""
        if self.widgets.grid.current_key() is not None:
            self.widgets.detail.video.stop()
            self.widgets.large.photo.reset_zoom()
            self.widgets.pages.setCurrentWidget(self.widgets.large)
            self.widgets.large.setFocus()
            self.widgets.notice.lift(self.widgets.large.caption.height() + 16)

    def _on_space(self) -> None:
        """Pauses a video that plays; else the large view."""
        if self.widgets.detail.video.is_open:
            self.widgets.detail.video.toggle()
        else:
            self.open_large()

    def close_large(self) -> None:
        """Back to the grid, at the photo that was seen last."""
        if self.is_large:
            self.widgets.pages.setCurrentWidget(self.widgets.browse)
            self.widgets.notice.lift(0)
            self._go_to_grid()

    def _go_to_grid(self) -> None:
        self.widgets.grid.setFocus()
        if self.widgets.grid.current_key() is None:
            self.widgets.grid.go_to(0)

    def open_dialog(self, dialog: QDialog) -> None:
        """Shows a dialog without stopping the window; the last one goes."""
        if self.dialog is not None:
            self.dialog.close()
            self.dialog.deleteLater()
        self.dialog = dialog
        dialog.open()

    def add_folders(self, folders: list[str]) -> None:
        """Starts to index folders, e.g. dropped ones."""
        self.tracker.index(folders)

    # What is shown ------------------------------------------------------------------

    def refresh(self) -> None:
        """Actions, headline and empty state follow from the state of the parts."""
        self.action_set.update_enabled(self._given())
        self.widgets.header.add.setEnabled(self.link.state is LinkState.CONNECTED)
        selected = self.widgets.grid.selected_count()
        headline = self.browser.headline()
        if selected > 1:
            headline += f" · {selected:,} selected"
        self.widgets.results.say(headline, can_show_all=self.browser.is_filtered)
        self.widgets.detail.say_many(selected)
        words = empty_state_for(
            self.link, self.browser, self.widgets.strip.job, self.model.rowCount()
        )
        if words is None:
            self.widgets.center.setCurrentWidget(self.widgets.grid)
        else:
            self.widgets.empty.say(words.icon, words.title, words.text, words.button)
            self.widgets.center.setCurrentWidget(self.widgets.empty)
        self.widgets.results.setVisible(words is None or self.browser.is_filtered)
        self.widgets.detail.setVisible(words is None and self.wants_detail)

    def _given(self) -> set[Requires]:
        """What is there for actions to work with; a photo is there where it can be seen."""
        key = self.widgets.grid.current_key() if self.switcher.page is Page.LIBRARY else None
        row = None if key is None else self._row_of(key)
        is_there = {
            Requires.ENGINE: self.link.state is LinkState.CONNECTED,
            Requires.SELECTION: key is not None,
            Requires.VIDEO: row is not None and row.kind is MediaKind.VIDEO,
            Requires.UNDO: bool(self.editor.undo_title),
            Requires.REDO: bool(self.editor.redo_title),
        }
        return {need for need, is_so in is_there.items() if is_so}

    def toggle_detail(self) -> None:
        """Shows or hides the details beside the grid."""
        self.wants_detail = not self.wants_detail
        self.refresh()

    def _on_empty_button(self) -> None:
        if self.link.state is LinkState.FAILED:
            self.link.open()
        elif self.browser.is_filtered:
            self.action_set[ActionId.SHOW_ALL].trigger()
        elif self.browser.problem is not None:
            self.browser.ask_again()
        else:
            self.widgets.header.add.click()

    def _on_look(self, theme: object) -> None:
        assert isinstance(theme, Theme)
        self.widgets.set_theme(theme)

    # Qt -----------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        self.widgets.notice.place()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        if desktop.local_paths(event.mimeData()) and event.source() is None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        folders = desktop.local_paths(event.mimeData())
        if folders:
            event.acceptProposedAction()
            self.add_folders(folders)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        self.widgets.detail.field.keep()
        if self._must_wait_to_close():
            event.ignore()
            return
        self.link.close()
        self.thumbnails.close()
        self.previews.close()
        self.frames.close()
        self.widgets.detail.video.stop()
        super().closeEvent(event)

    def _must_wait_to_close(self) -> bool:
        """Words that are on their way to the engine are waited for, but not for long."""
        is_over = self._is_leaving or self.editor.is_settled()
        if is_over or self.link.state is not LinkState.CONNECTED:
            return False
        self._is_leaving = True
        self.editor.idle.connect(self.close)
        self._leave.start()
        return True
