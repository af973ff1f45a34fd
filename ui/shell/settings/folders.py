"""The section on the folders of the library."""

from __future__ import annotations

from cocadesk.protocol.values import JobKind, JobValue
from ui.kit.actions import Actions
from ui.kit.translation import tr
from ui.kit.widgets import button
from ui.library.folders import FoldersPanel
from ui.shell.settings.context import SettingsContext
from ui.shell.settings.rows import Section, SettingRow, show_switch, switch

WATCH = tr(
    "What is added, changed or deleted in these folders appears by itself within seconds. "
    "Turned off, F5 looks for changes."
)
PANEL_PX = 290


class FoldersSection(Section):
    """The list, the way to add one, and whether they are watched."""

    def __init__(self, context: SettingsContext) -> None:
        self._context = context
        self.panel = FoldersPanel()
        self.panel.setMinimumHeight(PANEL_PX)
        add = button(
            tr("Add folder…"), "primary", on_click=context.actions[Actions.ADD_FOLDER].trigger
        )
        missing = context.actions[Actions.FORGET_MISSING]
        self.panel.buttons.insert(0, add)
        forget = button(tr("Forget what is missing…"), on_click=missing.trigger)
        self.panel.buttons.addWidget(forget)
        self.list = SettingRow(
            tr("Folders of this library"),
            tr("Add one, have one looked at again, leave files out of it, or forget it."),
            words=tr("photos directory add exclude forget remove check again state disk"),
        )
        self.list.add_below(self.panel)
        self.watching, self.watch_box = switch(
            tr("Watch folders"),
            WATCH,
            tr("On"),
            default=True,
            words=tr("changes new files automatic"),
        )
        action = context.actions[Actions.WATCH_FOLDERS]
        self.watch_box.clicked.connect(action.trigger)
        context.watch.watching_came.connect(self._show_watching)
        context.folders.serve(self.panel, self.on_shown)
        context.tracker.ended.connect(self._on_ended)
        super().__init__(tr("Folders"), self.list, self.watching)

    def on_shown(self) -> None:
        """Asks for the folders and their numbers."""
        self._context.folders.fill(self.panel, lambda: True)
        self._context.watch.refresh()

    def _show_watching(self, is_on: bool) -> None:
        show_switch(self.watching, self.watch_box, is_on=is_on, default=True)

    def _on_ended(self, job: JobValue) -> None:
        if job.kind is JobKind.INDEX and self.isVisible():
            self.on_shown()
