"""The page where a person teaches: earlier runs at the left, one of them or a new one beside."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStackedWidget,
)

from cocadesk.protocol.values import RunValue
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit import desktop
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import Page
from ui.kit.plain_text import joined, tip_of
from ui.kit.theme import GAP_M
from ui.kit.translation import tr
from ui.kit.widgets import Notice, button, label
from ui.teach.requests import TeachRequests
from ui.teach.run import RunView
from ui.teach.setup import TeachSetup
from ui.teach.texts import run_subtitle, run_title

LIST_PX = 232
ID_ROLE = int(Qt.ItemDataRole.UserRole)


class TeachPage(Page):
    """Shows a new run's choices or a run; survives engine and window."""

    search_wanted = Signal(str)

    def __init__(self, link: EngineLink, tracker: JobTracker, pictures: ImageLoader) -> None:
        super().__init__()
        self.setAccessibleName(tr("Teach"))
        self._tracker = tracker
        self.requests = TeachRequests(link, tracker, self)
        self.setup = TeachSetup(pictures)
        self.view = RunView()
        self.runs = QListWidget()
        self.runs.setObjectName("runs")
        self.runs.setAccessibleName(tr("Runs so far"))
        self.runs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.new = button(tr("New"), on_click=self.show_setup)
        self.new.setToolTip(tr("Teach something new"))
        self.new.setAccessibleName(tr("Teach something new"))
        self.stack = QStackedWidget()
        self.stack.addWidget(self.setup)
        self.stack.addWidget(self.view)
        self.notice = Notice(self)
        self.setAcceptDrops(True)
        self._shown: str | None = None
        self._wants_running = True
        self._build()
        self._wire()

    def on_shown(self) -> None:
        """Asks for all runs again."""
        self.requests.refresh()
        self.setup.source.choose.setFocus()
        if self.stack.currentWidget() is self.view:
            self.view.setFocus()

    def show_setup(self) -> None:
        """The choices for a new run."""
        self._shown = None
        self.runs.setCurrentRow(-1)
        self.stack.setCurrentWidget(self.setup)

    def show_run(self, run_id: str) -> None:
        """One run, as far as it is known; the rest is asked for."""
        self._shown = run_id
        self.requests.ask_run(run_id)
        self._draw_run()
        self.stack.setCurrentWidget(self.view)
        self._mark_shown()

    def _build(self) -> None:
        self._side = QFrame()
        self._side.setObjectName("side")
        self._side.setFixedWidth(LIST_PX)
        head = in_row(label(tr("Runs"), "heading"), STRETCH, self.new)
        in_column(head, (self.runs, 1), gap=GAP_M, margins=(14, 14, 8, 8), of=self._side)
        self._side.hide()
        in_row(self._side, (self.stack, 1), gap=0, of=self)

    def _wire(self) -> None:
        requests, setup, view = self.requests, self.setup, self.view
        requests.listed.connect(self._on_listed)
        requests.run_changed.connect(self._on_run_changed)
        requests.found.connect(setup.show_found)
        requests.check_failed.connect(setup.show_problem)
        requests.failed.connect(self._on_failed)
        requests.started.connect(self._on_started)
        requests.start_lost.connect(self._on_start_lost)
        setup.changed.connect(requests.stop_inspecting)
        setup.check_wanted.connect(self._check)
        setup.start_wanted.connect(self._start)
        view.progress.control.connect(self._tracker.control)
        view.decided.connect(self._decide)
        view.search_wanted.connect(self.search_wanted)
        self.runs.currentItemChanged.connect(self._on_chosen)

    # What a person does -------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Accepts folders of this computer."""
        if desktop.local_paths(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Anywhere on the page: on this one, folders are to learn from, not to be added."""
        if paths := desktop.local_paths(event.mimeData()):
            event.acceptProposedAction()
            self.show_setup()
            self.setup.source.add(paths)

    def _check(self) -> None:
        self.setup.show_checking()
        self.requests.inspect(self.setup.source.source(), self.setup.method())

    def _start(self) -> None:
        self.setup.show_starting()
        name = self.setup.name.text().strip() or self.setup.source.title()
        self.requests.start(self.setup.source.source(), self.setup.method(), name)

    def _decide(self, keep: bool) -> None:
        if self._shown is not None:
            self.requests.decide(self._shown, keep=keep)

    def _on_chosen(self, item: QListWidgetItem | None, _before: QListWidgetItem | None) -> None:
        if item is not None and item.data(ID_ROLE) != self._shown:
            self.show_run(str(item.data(ID_ROLE)))

    # What the engine tells ----------------------------------------------------------

    def _on_listed(self) -> None:
        self._fill()
        self.setup.source.set_annotated_count(self.requests.annotated_count)
        going = self.requests.running()
        if going is not None and self._shown is None and self._wants_running:
            self.show_run(going.id)
        elif self._shown is not None:
            self.requests.ask_run(self._shown)
        self._wants_running = False

    def _on_run_changed(self, run: RunValue) -> None:
        self._fill()
        if run.id == self._shown:
            self._draw_run()

    def _on_failed(self, error: object) -> None:
        self.notice.say(str(error))
        self._draw_run()

    def _on_started(self, run_id: str) -> None:
        self.setup.clear()
        self.show_run(run_id)

    def _on_start_lost(self) -> None:
        """The engine went before it answered: either the run is there, or one may try again."""
        self._wants_running = True
        self.setup.start.setEnabled(self.setup.found.isVisible())

    # Drawing ------------------------------------------------------------------------

    def _draw_run(self) -> None:
        run = self.requests.runs.get(self._shown or "")
        if run is None:
            self.view.clear()
        else:
            self.view.show_run(run, self._tracker.find(run.id))
            self.view.show_points(self.requests.points(run.id))

    def _fill(self) -> None:
        """The list of runs; only what differs is changed, so that nothing jumps."""
        runs = self.requests.newest_first()
        known = [self.runs.item(place).data(ID_ROLE) for place in range(self.runs.count())]
        if known != [run.id for run in runs]:
            self.runs.blockSignals(True)
            self.runs.clear()
            for run in runs:
                item = QListWidgetItem()
                item.setData(ID_ROLE, run.id)
                item.setSizeHint(QSize(0, 52))
                self.runs.addItem(item)
            self.runs.blockSignals(False)
            self._mark_shown()
        for place, run in enumerate(runs):
            lines = (run_title(run), run_subtitle(run))
            if self.runs.item(place).text() != joined(lines):
                self.runs.item(place).setText(joined(lines))
                self.runs.item(place).setToolTip(tip_of(*lines))
        self._side.setVisible(bool(runs))

    def _mark_shown(self) -> None:
        for place in range(self.runs.count()):
            if self.runs.item(place).data(ID_ROLE) == self._shown:
                self.runs.setCurrentRow(place)
