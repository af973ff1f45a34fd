"""One model in the list of models."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame

from cocadesk.protocol.values import ModelEntry
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.texts import file_size
from ui.kit.theme import GAP_L, GAP_M
from ui.kit.widgets import button, label


class ModelRow(QFrame):
    """Its name, what it is, what it has read of the library, and a button to use it."""

    use_wanted = Signal(object)

    def __init__(self, entry: ModelEntry) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setProperty("chosen", entry.is_used)
        self.setAccessibleName(entry.name)
        self.entry = entry
        self.use = button("Use", on_click=self._on_use)
        self.use.setAccessibleName(f"Use {entry.name}")
        self.badge = label("In use", "badge")
        head = in_row(label(entry.name, "heading"), self.badge, STRETCH, gap=GAP_M)
        texts = in_column(head, gap=3)
        if entry.note:
            texts.addWidget(label(entry.note[:1].upper() + entry.note[1:], wraps=True))
        source = label(facts(entry), "small", wraps=True)
        texts.addWidget(source)
        in_row((texts, 1), self.use, gap=GAP_L, margins=(18, 12, 14, 12), of=self)
        self.badge.setVisible(entry.is_used)
        self.use.setVisible(not entry.is_used)

    def _on_use(self) -> None:
        self.use_wanted.emit(self.entry)


def facts(entry: ModelEntry) -> str:
    """A model's source, its size, and how much of the library it has read."""
    # A zero-width space after each separator lets long sources wrap.
    parts = [entry.source.replace("/", "/\u200b")]
    if entry.size_bytes:
        parts.append(file_size(entry.size_bytes))
    parts.append(coverage(entry.coverage))
    return " · ".join(parts)


def coverage(share: float) -> str:
    """The part of the library that a model has read, as text."""
    if share >= 1.0:
        return "has read the whole library"
    if share <= 0.0:
        return "has not read the library yet"
    return f"has read {min(99, max(1, round(100 * share)))} % of the library"
