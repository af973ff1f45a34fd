"""The section on keys: every action with its keys, to be changed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QKeySequenceEdit, QTreeWidgetItem, QWidget

from ui.kit.actions import Action, ActionSet
from ui.kit.dialogs import LINE_PX, table, table_line
from ui.kit.keys import is_letter, portable
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import hide_or_say
from ui.kit.theme import GAP_S
from ui.kit.translation import tr
from ui.kit.widgets import button, label
from ui.shell.settings.rows import Section, SettingRow, show_switch, switch

COLUMNS = (tr("Action"), tr("Keys"), tr("Where"))
LETTERS = tr(
    "Letters and digits alone do something to the photo under the cursor: 3 "
    "gives it three stars, X rejects it. Turned off, only keys with Ctrl or "
    "Alt, F keys and the like are left, and nothing happens to a photo by a "
    "slip of the hand."
)
TABLE_PX = 330
HEAD_PX = 24
FIELD_PX = 260
"""Room for Qt's own hint, "Press shortcut", in the longer languages too."""


class KeysSection(Section):
    """The list of actions with their keys; all changes hold at once."""

    def __init__(self, actions: ActionSet) -> None:
        self._actions = actions
        self.row, self.letters = switch(
            tr("Letters as keys"),
            LETTERS,
            tr("On"),
            default=True,
            words=tr("single letter verbs keyboard"),
        )
        self.letters.clicked.connect(self._allow_letters)
        self.list = SettingRow(
            tr("Keys of all actions"),
            tr("Choose an action, press its new key and say Use. A key belongs to one action."),
            words=tr("keyboard shortcuts conflict"),
        )
        self.tree = table(tr("Actions and their keys"), COLUMNS, (330, 190))
        self.field = QKeySequenceEdit()
        self.field.setAccessibleName(tr("New key"))
        self.field.setMinimumWidth(FIELD_PX)
        self.field.setMaximumSequenceLength(1)
        self.field.setClearButtonEnabled(True)
        self.use = button(tr("Use"), "primary", on_click=self._use)
        self.none = button(tr("No key"), on_click=lambda: self._choose(()))
        self.default = button(tr("Reset this one"), on_click=lambda: self._choose(None))
        self.said = label("", "muted", wraps=True)
        self.said.hide()
        self.list.add_below(self._editor())
        self.list.reset.setText(tr("Reset all"))
        self.list.reset.clicked.connect(self._reset)
        self.tree.currentItemChanged.connect(self._update)
        self.field.keySequenceChanged.connect(self._update)
        super().__init__(tr("Keys"), self.row, self.list)
        self._entries: list[Action] = []
        self._fill()

    def show_fitting(self, words: Sequence[str]) -> bool:
        """Finds actions as well: only those that fit stay in the list."""
        self._fill(words)
        found = super().show_fitting(words)
        if words and not self.list.fits(words) and self._entries and self._is_found(words):
            self.setVisible(True)
            self.list.setVisible(True)
            return True
        return found

    def on_shown(self) -> None:
        """Shows what holds."""
        choices = self._actions.choices
        show_switch(self.row, self.letters, is_on=choices.has_letters, default=True)
        self._fill()

    def chosen(self) -> Action | None:
        """The action under the cursor."""
        place = self.tree.currentIndex().row()
        return self._entries[place] if 0 <= place < len(self._entries) else None

    def go_to(self, entry: Action) -> None:
        """Moves the cursor to an action of the list."""
        self.tree.setCurrentIndex(self.tree.model().index(self._entries.index(entry), 0))

    def _editor(self) -> QWidget:
        made = QWidget()
        row = in_row((self.field, 1), self.use, self.none, self.default, STRETCH, gap=GAP_S)
        in_column(self.tree, row, self.said, gap=GAP_S, of=made)
        return made

    def _is_found(self, words: Sequence[str]) -> bool:
        return any(_fits(entry, self._actions, words) for entry in self._actions.entries)

    def _fill(self, words: Sequence[str] = ()) -> None:
        """The actions that fit; all where none does, for the words may mean the section."""
        before = self.chosen()
        entries = self._actions.entries
        fitting = [entry for entry in entries if _fits(entry, self._actions, words)]
        self._entries = fitting or list(entries)
        self.tree.clear()
        self.tree.addTopLevelItems([self._line(entry) for entry in self._entries])
        place = self._entries.index(before) if before in self._entries else 0
        self.tree.setCurrentIndex(self.tree.model().index(place, 0))
        lines_px = (len(self._entries) + 1) * LINE_PX + HEAD_PX
        self.tree.setFixedHeight(min(TABLE_PX, lines_px))
        self.list.mark(any(self._actions.choices.is_chosen(entry.id) for entry in entries))
        self._update()

    def _line(self, entry: Action) -> QTreeWidgetItem:
        keys = "   ".join(self._actions.key_texts(entry))
        line = table_line((entry.text, keys, entry.group.value))
        if self._actions.choices.is_chosen(entry.id):
            font = line.font(1)
            font.setBold(True)
            line.setFont(1, font)
        return line

    def _update(self) -> None:
        """The buttons, and whose key the new one is."""
        entry, key = self.chosen(), portable(self.field.keySequence())
        owner = self._actions.owner_of(key) if key else None
        self.use.setEnabled(entry is not None and bool(key) and owner is not entry)
        self.none.setEnabled(entry is not None and bool(self._actions.given_keys(entry)))
        is_chosen = entry is not None and self._actions.choices.is_chosen(entry.id)
        self.default.setEnabled(is_chosen)
        said = ""
        if owner is not None and owner is not entry:
            said = tr(
                "This key belongs to “{owner}”, which loses it if you use it here.",
                owner=owner.text,
            )
            if key in owner.shown_keys:
                said = tr("This key belongs to “{owner}” and can't be another's.", owner=owner.text)
                self.use.setEnabled(False)
        elif key and is_letter(key) and not self._actions.choices.has_letters:
            said = tr("Letters as keys are off: turn them on for this one to work.")
        hide_or_say(self.said, said)

    def _use(self) -> None:
        entry, key = self.chosen(), portable(self.field.keySequence())
        if entry is None or not key:
            return
        self.field.clear()
        self._choose((key,))

    def _choose(self, keys: tuple[str, ...] | None) -> None:
        entry = self.chosen()
        if entry is not None:
            wanted = entry.keys if keys is None else keys
            for key in wanted:
                self._take_away(key, entry)
            self._actions.choices.choose(entry.id, None if wanted == entry.keys else wanted)
            self._apply()

    def _take_away(self, key: str, new: Action) -> None:
        """A key belongs to one action: whose it is now loses it."""
        owner = self._actions.owner_of(key)
        if owner is not None and owner is not new:
            left = tuple(one for one in self._actions.given_keys(owner) if one != key)
            self._actions.choices.choose(owner.id, left)

    def _reset(self) -> None:
        self._actions.choices.reset()
        self._apply()
        show_switch(self.row, self.letters, is_on=True, default=True)

    def _allow_letters(self) -> None:
        self._actions.choices.allow_letters(self.letters.isChecked())
        self._apply()

    def _apply(self) -> None:
        self._actions.apply_keys()
        self._fill()


def _fits(entry: Action, actions: ActionSet, words: Sequence[str]) -> bool:
    text = f"{entry.text} {entry.group.value} {' '.join(actions.key_texts(entry))}".casefold()
    return all(word in text for word in words)
