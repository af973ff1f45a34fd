"""The choice of media for a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox

from cocadesk.protocol.paths import WirePath, printable
from cocadesk.protocol.values import Row, Scope
from ui.kit.translation import tr, tr_count

MAX_FOLDER_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeChoice:
    """A scope with its text."""

    text: str
    scope: Scope


def choices(
    row: Row | None, selected: Sequence[str], roots: Sequence[WirePath]
) -> list[ScopeChoice]:
    """The selection, the photo's folder, the folders above, everything."""
    made = []
    if len(selected) > 1:
        text = tr_count(len(selected), "The {n} selected photo", "The {n} selected photos")
        made.append(ScopeChoice(text=text, scope=Scope(keys=tuple(selected))))
    elif row is not None:
        made.append(
            ScopeChoice(text=tr("This photo: {name}", name=row.name), scope=Scope(keys=(row.key,)))
        )
    folders = [] if row is None else [WirePath.of(Path(row.path.to_str()).parent)]
    folders += [root for root in roots if root not in folders]
    made += [
        ScopeChoice(
            text=tr("Folder {path}", path=shortened(folder.text)),
            scope=Scope(folders=(folder,)),
        )
        for folder in folders
    ]
    made.append(ScopeChoice(text=tr("Everything in the library"), scope=Scope()))
    return made


def shortened(path: str) -> str:
    """A long path without its middle; the end tells folders apart."""
    if len(path) <= MAX_FOLDER_CHARACTERS:
        return path
    return f"{path[:12]}…{path[-(MAX_FOLDER_CHARACTERS - 13) :]}"


class ScopePicker(QComboBox):
    """Chooses one of the scopes."""

    chosen = Signal()

    def __init__(self, made: Sequence[ScopeChoice], first: int) -> None:
        super().__init__()
        self.setAccessibleName(tr("Which photos"))
        self._choices = list(made)
        self.addItems([printable(choice.text) for choice in self._choices])
        self.setCurrentIndex(min(first, len(self._choices) - 1))
        self.currentIndexChanged.connect(self.chosen)

    def scope(self) -> Scope:
        """The scope that is chosen."""
        return self._choices[self.currentIndex()].scope
