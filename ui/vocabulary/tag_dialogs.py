"""Dialogs on one tag: another name, becoming one with another tag, and going everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from cocadesk.protocol.messages import TagUse
from ui.kit.dialogs import FramedDialog
from ui.kit.page_parts import TickBox
from ui.kit.texts import count, count_media
from ui.kit.widgets import button, label
from ui.vocabulary.tag_table import unseen_text

KEYWORDS_STAY = "Keywords in your files stay as they are. Undo takes it back."


class TagDialog(FramedDialog):
    """Asks before all media with a tag are changed, and says how many they are.

    ``agreed``: the change is wanted.
    """

    agreed = Signal()

    def __init__(self, title: str, use: TagUse, parent: QWidget) -> None:
        super().__init__(title, parent)
        self.use = use
        self.reach = label("", wraps=True)
        self.reach.setAccessibleName("What will change")
        more = f"Also where it is only suggested: {count_media(use.all_suggested)}"
        self.suggested = TickBox(more)
        self.suggested.setVisible(bool(use.all_suggested))
        self.suggested.setChecked(not use.all_own)
        self.suggested.setEnabled(bool(use.all_own))
        self.suggested.toggled.connect(self.update_texts)
        self.problem = label("", "problem", wraps=True)
        self.go = button("", "primary", on_click=self._go)

    @property
    def number(self) -> int:
        """So many media would be changed."""
        more = self.use.all_suggested if self.suggested.isChecked() else 0
        return self.use.all_own + more

    def finish_layout(self, small_print: str) -> None:
        """The parts that all have, below those of the dialog's own."""
        self.column.addWidget(self.suggested)
        self.column.addWidget(self.reach)
        self.column.addWidget(label(small_print, "muted", wraps=True))
        self.column.addWidget(self.problem)
        self.column.addStretch(1)
        self.add_buttons(self.go)
        self.go.setDefault(True)
        self.resize(500, 300)
        self.update_texts()

    def update_texts(self) -> None:
        """Says what would be done now."""

    def say(self, problem: str) -> None:
        """Tells why it can't be done; another try is possible."""
        self.problem.setText(problem)
        self.go.setEnabled(True)

    def _go(self) -> None:
        self.problem.setText("")
        self.go.setEnabled(False)
        self.agreed.emit()


class NameTagDialog(TagDialog):
    """A field for the new name; ``is_merge``: only a tag that there is can be taken."""

    def __init__(
        self, use: TagUse, others: Iterable[TagUse], parent: QWidget, *, is_merge: bool = False
    ) -> None:
        title = f"Merge “{use.tag}” into another tag" if is_merge else f"Rename “{use.tag}”"
        super().__init__(title, use, parent)
        self._is_merge = is_merge
        self._others = {one.tag.casefold(): one for one in others if one.tag != use.tag}
        self.field = QLineEdit("" if is_merge else use.tag)
        self.field.setAccessibleName("Tag to merge into" if is_merge else "New name")
        self.field.setPlaceholderText("A tag that there is" if is_merge else "")
        self.field.selectAll()
        completer = QCompleter(QStringListModel([o.tag for o in self._others.values()], self), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        if (popup := completer.popup()) is not None:
            popup.setObjectName("tag-completions")
        self.field.setCompleter(completer)
        self.field.textChanged.connect(self.update_texts)
        self.column.addWidget(self.field)
        self.finish_layout(KEYWORDS_STAY)
        self.field.setFocus()

    @property
    def name(self) -> str:
        """The name that is typed; of a tag that there is, as that is written."""
        typed = " ".join(self.field.text().split())
        other = self._others.get(typed.casefold())
        is_same = typed.casefold() == self.use.tag.casefold()
        return other.tag if other is not None and not is_same else typed

    def update_texts(self) -> None:
        """How many change, and whether two tags become one."""
        other = self._others.get(self.name.casefold())
        is_other = other is not None and self.name.casefold() != self.use.tag.casefold()
        can_be = is_other if self._is_merge else bool(self.name) and self.name != self.use.tag
        unseen = unseen_text(self.use)
        text = f"Changes {count_media(self.number)}" + (f" ({unseen})" if unseen else "") + "."
        if is_other and other is not None:
            had = f"{other.own:,} of yours, {other.suggested:,} suggested"
            text += f" “{other.tag}” is there already ({had}): the two become one."
        elif self._is_merge and self.name:
            text = f"There is no other tag “{self.name}”. Choose one, or rename this one instead."
        self.reach.setText(text)
        verb = "Merge" if is_other else "Rename"
        self.go.setText(f"{verb} on {count(self.number, 'photo')}" if can_be else verb)
        self.go.setEnabled(can_be)
        self.problem.setText("")


class RemoveTagDialog(TagDialog):
    """Asks before a tag is taken off everything."""

    def __init__(self, use: TagUse, parent: QWidget) -> None:
        super().__init__(f"Remove “{use.tag}” everywhere", use, parent)
        self.finish_layout(KEYWORDS_STAY)

    def update_texts(self) -> None:
        """How many lose it."""
        unseen = unseen_text(self.use)
        text = f"Takes it off {count_media(self.number)}" + (f" ({unseen})" if unseen else "")
        self.reach.setText(f"{text}. The photos themselves stay.")
        self.go.setText(f"Remove from {count(self.number, 'photo')}")
