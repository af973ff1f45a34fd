"""Dialogs on one tag: another name, becoming one with another tag, and going everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from cocadesk.protocol.messages import TagUse
from ui.kit.dialogs import FramedDialog
from ui.kit.page_parts import TickBox
from ui.kit.texts import count_media
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import button, label
from ui.vocabulary.tag_table import unseen_text

KEYWORDS_STAY = tr("Keywords in your files stay as they are. Undo takes it back.")


class TagDialog(FramedDialog):
    """Asks before all media with a tag are changed, and says how many they are.

    ``agreed``: the change is wanted.
    """

    agreed = Signal()

    def __init__(self, title: str, use: TagUse, parent: QWidget) -> None:
        super().__init__(title, parent)
        self.use = use
        self.reach = label("", wraps=True)
        self.reach.setAccessibleName(tr("What will change"))
        more = count_media(use.all_suggested)
        self.suggested = TickBox(tr("Also where it is only suggested: {media}", media=more))
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
        self.resize(500, 200 + 40 * bool(self.use.all_suggested))
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
        title = (
            tr("Merge “{tag}” into another tag", tag=use.tag)
            if is_merge
            else tr("Rename “{tag}”", tag=use.tag)
        )
        super().__init__(title, use, parent)
        self._is_merge = is_merge
        self._others = {one.tag.casefold(): one for one in others if one.tag != use.tag}
        self.field = QLineEdit("" if is_merge else use.tag)
        self.field.setAccessibleName(tr("Tag to merge into") if is_merge else tr("New name"))
        self.field.setPlaceholderText(tr("A tag that there is") if is_merge else "")
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
        self.resize(500, self.height() + 60)
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
        said = [with_unseen(tr("Changes {media}", media=count_media(self.number)), self.use)]
        if is_other and other is not None:
            said.append(_already_there(other))
        elif self._is_merge and self.name:
            said = [tr("There is no other tag “{tag}”. Choose one that there is.", tag=self.name)]
        self.reach.setText(" ".join(said))
        self.go.setText(_go_text(self.number, is_merge=is_other or self._is_merge))
        self.go.setEnabled(can_be)
        self.problem.setText("")


class RemoveTagDialog(TagDialog):
    """Asks before a tag is taken off everything."""

    def __init__(self, use: TagUse, parent: QWidget) -> None:
        super().__init__(tr("Remove “{tag}” everywhere", tag=use.tag), use, parent)
        self.finish_layout(KEYWORDS_STAY)

    def update_texts(self) -> None:
        """How many lose it."""
        taken = tr("Takes it off {media}", media=count_media(self.number))
        stay = tr("The photos themselves stay.")
        self.reach.setText(f"{with_unseen(taken, self.use)} {stay}")
        text = tr_count(self.number, "Remove from {n} photo", "Remove from {n} photos")
        self.go.setText(text)


def with_unseen(text: str, use: TagUse) -> str:
    """A sentence, with the number of media with the tag that no list shows."""
    unseen = unseen_text(use)
    return f"{text} ({unseen})." if unseen else f"{text}."


def _already_there(other: TagUse) -> str:
    return tr(
        "“{tag}” is there already ({own} of yours, {suggested} suggested): the two become one.",
        tag=other.tag,
        own=grouped(other.own),
        suggested=grouped(other.suggested),
    )


def _go_text(number: int, *, is_merge: bool) -> str:
    if is_merge:
        return tr_count(number, "Merge on {n} photo", "Merge on {n} photos")
    return tr_count(number, "Rename on {n} photo", "Rename on {n} photos")
