"""Jobs that caption many photos or write their captions to files."""

from __future__ import annotations

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import (
    GetInfo,
    Info,
    ListRoots,
    ModelChanged,
    Roots,
    WritePlan,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import CaptionStyle, JobKind, JobState, JobValue, Scope
from ui.annotations.by_itself import CaptionsByItself
from ui.annotations.dialogs import CaptionDialog, TakeOverDialog, WriteDialog
from ui.annotations.editor import AnnotationEditor, FeedbackAction
from ui.annotations.scopes import ScopeChoice, choices, shortened
from ui.annotations.styles import StyleChoice, chosen_writing
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.actions import Actions, Slots
from ui.kit.dialogs import DialogHost
from ui.kit.texts import job_line
from ui.kit.translation import tr
from ui.kit.widgets import Notice
from ui.library.browser import Browser
from ui.library.grid import Grid


class AnnotationJobs(QObject):
    """Asks which photos a job is for, and offers Undo when files have been written."""

    def __init__(
        self,
        link: EngineLink,
        tracker: JobTracker,
        editor: AnnotationEditor,
        grid: Grid,
        browser: Browser,
        notice: Notice,
        dialogs: DialogHost,
    ) -> None:
        super().__init__(dialogs)
        self._link = link
        self._tracker = tracker
        self._editor = editor
        self._grid = grid
        self._browser = browser
        self._notice = notice
        self._dialogs = dialogs
        self._roots: tuple[WirePath, ...] = ()
        self._seen: set[tuple[str, bool]] = set()
        self._styles = StyleChoice()
        self._by_itself = CaptionsByItself(link, tracker, self._styles)
        link.connected.connect(self._ask)
        link.event_received.connect(self._on_event)
        tracker.plan_came.connect(self._show_plan)
        tracker.failed.connect(self._show_problem)
        tracker.ended.connect(self._on_ended)
        tracker.job_changed.connect(self._on_job)

    def slots(self) -> Slots:
        """The slots of the actions that start jobs about captions."""
        return {
            Actions.CAPTION_SELECTION: self._caption_selection,
            Actions.CAPTION_FOLDER: self._caption_folder,
            Actions.TAKE_OVER_CAPTIONS: self._take_over_captions,
            Actions.WRITE_CAPTIONS: self._write_captions,
        }

    def _ask(self) -> None:
        self._link.ask(ListRoots(), Roots, self._on_roots)
        self._link.ask(GetInfo(), Info, lambda info: self._styles.learn(info.model.styles))

    def _on_event(self, body: object) -> None:
        if isinstance(body, ModelChanged):
            self._styles.learn(body.model.styles)

    def _on_roots(self, answer: Roots) -> None:
        self._roots = tuple(root.path for root in answer.roots)

    def _caption_selection(self) -> None:
        is_all = self._is_all_selected()
        keys = () if is_all else tuple(self._grid.selected_keys())
        if is_all or keys:
            self._caption(Scope(keys=keys), again=False, style=self._styles.last)

    def _caption_folder(self) -> None:
        offered = self._choices()
        dialog = self._dialogs.open(
            lambda parent: CaptionDialog(offered, _first_folder(offered), self._styles, parent)
        )
        dialog.start_wanted.connect(self._caption)

    def caption_folder(self, folder: WirePath) -> None:
        """Asks how the photos of this folder are to be captioned."""
        text = tr("Folder {path}", path=shortened(folder.text))
        offered = [ScopeChoice(text=text, scope=Scope(folders=(folder,))), *self._choices()]
        dialog = self._dialogs.open(lambda parent: CaptionDialog(offered, 0, self._styles, parent))
        dialog.start_wanted.connect(self._caption)

    def _caption(self, scope: Scope, again: bool, style: CaptionStyle | None) -> None:
        """Starts a job; the captions are as long, and made with as much care, as is set."""
        self._tracker.caption(scope, again, style, chosen_writing())

    def _take_over_captions(self) -> None:
        offered = self._choices()
        dialog = self._dialogs.open(
            lambda parent: TakeOverDialog(offered, self._first(offered), parent)
        )
        dialog.start_wanted.connect(self._tracker.take_over)

    def _write_captions(self) -> None:
        offered = self._choices()
        dialog = self._dialogs.open(
            lambda parent: WriteDialog(offered, self._first(offered), parent)
        )
        dialog.plan_wanted.connect(self._tracker.plan_write)
        dialog.write_wanted.connect(self._tracker.write)
        dialog.rejected.connect(self._tracker.forget_plan)
        dialog.ask()

    def _show_plan(self, plan: WritePlan) -> None:
        if isinstance(self._dialogs.current, WriteDialog):
            self._dialogs.current.show_plan(plan)

    def _show_problem(self, error: object) -> None:
        if isinstance(self._dialogs.current, WriteDialog):
            self._dialogs.current.show_problem(str(error))

    def _on_job(self, job: JobValue) -> None:
        """An index may have brought a folder, which captions are offered for from then on."""
        if job.kind is JobKind.INDEX and (job.id, job.state.is_final) not in self._seen:
            self._seen.add((job.id, job.state.is_final))
            self._link.ask(ListRoots(), Roots, self._on_roots)

    def _on_ended(self, job: JobValue) -> None:
        is_undoable = job.kind in (JobKind.WRITE, JobKind.TAKE_OVER)
        if is_undoable and job.state is JobState.DONE:
            self._notice.say(job_line(job), FeedbackAction.UNDO.value, self._editor.undo)

    def _choices(self) -> list[ScopeChoice]:
        selected = () if self._is_all_selected() else self._grid.selected_keys()
        return choices(self._grid.current_row(), selected, self._roots)

    def _first(self, offered: list[ScopeChoice]) -> int:
        """The choice that is offered first: several selected photos, else the photo's folder."""
        if self._grid.selected_count() > 1:
            return len(offered) - 1 if self._is_all_selected() else 0
        return _first_folder(offered)

    def _is_all_selected(self) -> bool:
        listing = self._browser.listing
        return self._grid.selected_count() == listing.shown and not listing.is_filtered


def _first_folder(offered: list[ScopeChoice]) -> int:
    return next((n for n, choice in enumerate(offered) if choice.scope.folders), 0)
