"""The page of settings: one column of sections, with a search that leaves what fits."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit

from cocadesk.protocol.messages import GetInfo, Info
from ui.kit.layouts import in_column
from ui.kit.page_parts import Column, Page, headed, scrolled
from ui.kit.theme import GAP_L
from ui.kit.translation import tr
from ui.kit.widgets import label
from ui.shell.settings.about import AboutSection
from ui.shell.settings.context import SettingsContext
from ui.shell.settings.engine import CaptionsSection, EngineSection, ModelSection
from ui.shell.settings.folders import FoldersSection
from ui.shell.settings.keys import KeysSection
from ui.shell.settings.libraries import LibrarySection, PrivacySection
from ui.shell.settings.look import LookSection
from ui.shell.settings.rows import Section

INTRO = tr("Every setting holds at once and is remembered.")
NOTHING = tr("No setting is about that. Try another word.")

__all__ = ["SettingsContext", "SettingsPage"]


class SettingsPage(Page):
    """All settings; what is typed above leaves those whose texts have all the words."""

    def __init__(self, context: SettingsContext) -> None:
        super().__init__()
        self.setAccessibleName(tr("Settings"))
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("Search the settings: theme, battery, backup…"))
        self.field.setAccessibleName(tr("Search the settings"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._show_fitting)
        self.nothing = label(NOTHING, "muted", wraps=True)
        self.nothing.hide()
        self.sections: tuple[Section, ...] = (
            FoldersSection(context),
            LookSection(context.app_theme),
            KeysSection(context.actions),
            CaptionsSection(context),
            EngineSection(context),
            ModelSection(context),
            LibrarySection(context),
            PrivacySection(context),
            AboutSection(context),
        )
        self._link = context.link
        content = Column(GAP_L)
        content.column.addLayout(headed(tr("Settings"), INTRO))
        content.column.addWidget(self.field)
        content.column.addWidget(self.nothing)
        for section in self.sections:
            content.column.addWidget(section)
        self._area = scrolled(content)
        in_column(self._area, of=self)
        context.link.connected.connect(self._on_connected)

    def on_shown(self) -> None:
        """Shows what holds now, with all sections."""
        self.field.clear()
        self.field.setFocus()
        self._ask()

    def step_back(self) -> bool:
        """Clears the search first."""
        if not self.field.text():
            return False
        self.field.clear()
        return True

    def _on_connected(self) -> None:
        if self.isVisible():
            self._ask()

    def _ask(self) -> None:
        for section in self.sections:
            section.on_shown()
        self._link.ask(GetInfo(), Info, self._on_info)

    def _on_info(self, info: Info) -> None:
        for section in self.sections:
            section.show_info(info)

    def _show_fitting(self, text: str) -> None:
        words = text.casefold().split()
        shown = [section.show_fitting(words) for section in self.sections]
        self.nothing.setVisible(not any(shown))
        self._area.verticalScrollBar().setValue(0)
