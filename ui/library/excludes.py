"""The dialog on what is passed over in a folder."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from cocadesk.protocol.messages import Excluded
from cocadesk.protocol.paths import WirePath, printable
from cocadesk.protocol.values import RootValue
from ui.kit.dialogs import FramedDialog
from ui.kit.page_parts import hide_or_say
from ui.kit.texts import count_media
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import button, label

INTRO = tr(
    "CocaDesk leaves out files and folders whose names fit one of these patterns, one a line. "
    "* stands for anything: *.png, Screenshots, IMG_00*. "
    "A pattern with a slash is a path in this folder: 2019/raw/*."
)
SMALL_PRINT = tr(
    "Excluded photos and videos are not shown any more. Nothing known of them is lost: "
    "they come back when you remove the pattern."
)


class ExcludesDialog(FramedDialog):
    """Edits the patterns of a folder; ``save_wanted`` carries those to add and to take away."""

    save_wanted = Signal(object, object)

    def __init__(self, root: RootValue, parent: QWidget) -> None:
        super().__init__(tr("Exclude files and folders"), parent)
        self._before = {printable(pattern.text).strip(): pattern for pattern in root.excludes}
        self.patterns = QPlainTextEdit()
        self.patterns.setAccessibleName(tr("Patterns, one a line"))
        self.patterns.setAccessibleDescription(INTRO)
        self.patterns.setTabChangesFocus(True)
        self.patterns.setPlaceholderText("*.png")
        self.patterns.setPlainText("\n".join(self._before))
        self.problem = label("", "problem", wraps=True)
        self.problem.hide()
        self.save = button(tr("Save"), "primary", on_click=self._save)
        self.column.addWidget(label(tr("In {folder}", folder=root.path.text), wraps=True))
        self.column.addWidget(label(INTRO, "muted", wraps=True))
        self.column.addWidget(self.patterns, 1)
        self.column.addWidget(label(SMALL_PRINT, "muted", wraps=True))
        self.column.addWidget(self.problem)
        self.add_buttons(self.save)
        self.resize(560, 420)
        self.patterns.setFocus()

    def show_problem(self, sentence: str) -> None:
        """The patterns could not be saved; they may be mended and saved again."""
        hide_or_say(self.problem, sentence)
        self.save.setEnabled(True)

    def _save(self) -> None:
        texts = (line.strip() for line in self.patterns.toPlainText().splitlines())
        wanted = list(dict.fromkeys(text for text in texts if text))
        add = tuple(WirePath.of(text) for text in wanted if text not in self._before)
        remove = tuple(pattern for text, pattern in self._before.items() if text not in wanted)
        if add or remove:
            self.save.setEnabled(False)
            self.save_wanted.emit(add, remove)
        else:
            self.accept()


def said_of(answer: Excluded, removed: Sequence[WirePath]) -> str:
    """One line on what saving the patterns has done."""
    if answer.hidden:
        return tr("Not shown any more: {media}", media=count_media(answer.hidden))
    if removed:
        return tr("Patterns saved. Looking for what they had hidden…")
    return tr_count(len(answer.patterns), "{n} pattern saved", "{n} patterns saved")
