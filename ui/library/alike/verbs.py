"""Everything that can be said of members of a group, all of it undoable; and its buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QKeyCombination, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from cocadesk.protocol.messages import SetBest, SetNotSame
from ui.annotations.editor import AnnotationEditor
from ui.annotations.ratings import RATINGS, rate
from ui.kit.actions import Action, ActionSet, Group, Requires
from ui.kit.flow_layout import FlowLayout
from ui.kit.keys import portable
from ui.kit.layouts import in_column
from ui.kit.plain_text import tip_of
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import button, label
from ui.library.alike.members import Member


class GroupVerbs:
    """Sends decisions through the editor, which tells of each and offers the way back."""

    def __init__(self, editor: AnnotationEditor) -> None:
        self._editor = editor

    def rate(self, action: Action, members: Sequence[Member]) -> None:
        """Stars, flag or favourite."""
        if members:
            is_favourite = members[0].row.favourite
            rate(self._editor, action, _keys(members), is_favourite=is_favourite)

    def mark_best(self, member: Member) -> None:
        """This one is the best of its groups."""
        self._editor.decide(
            SetBest(key=member.key), tr("{name} is the best now", name=member.row.name)
        )

    def part(self, members: Sequence[Member]) -> None:
        """These are not the same; one alone does not belong to the others."""
        text = (
            tr("{name} no longer belongs to the group", name=members[0].row.name)
            if len(members) == 1
            else tr_count(
                len(members),
                "{n} photo no longer belongs to the group",
                "{n} photos no longer belong together",
            )
        )
        self._editor.decide(SetNotSame(keys=tuple(_keys(members))), text)

    def reject_others(self, groups: Sequence[Sequence[Member]], hidden: int) -> None:
        """Rejects all but the best of each group, as one step; ``hidden`` ones are not shown."""
        others = [member for group in groups for member in group if not member.is_best]
        if others:
            rest = (
                tr("; {hidden} that are not shown stay as they are", hidden=grouped(hidden))
                if hidden
                else ""
            )
            text = tr_count(
                len(others), "Rejected {n} photo{rest}", "Rejected {n} photos{rest}", rest=rest
            )
            self._editor.set(_keys(others), text, flag="reject")


class VerbBar(QWidget):
    """A button for each action of the page, from the list of actions; a menu of the same."""

    def __init__(self, actions: ActionSet) -> None:
        super().__init__()
        self._actions = actions
        self._entries = [e for e in actions.of_group(Group.SAME) if e.requires is Requires.GROUP]
        hint = label(tr("P pick · X reject · 0–5 stars"), "small")
        buttons = [self._make_button(entry) for entry in self._entries]
        hint.setMinimumHeight(buttons[0].sizeHint().height())
        lines = QWidget()
        flow = FlowLayout(lines, 8)  # in a narrow window they take two lines
        for part in (*buttons, hint):
            flow.addWidget(part)
        in_column(lines, margins=(20, 8, 20, 10), of=self)

    def show_menu(self, where: QPoint) -> None:
        """Pops the menu up at this place of the screen."""
        menu = QMenu(self)
        for entry in self._entries:
            menu.addAction(self._actions[entry])
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def _make_button(self, entry: Action) -> QPushButton:
        live = self._actions[entry]
        made = button(entry.text, on_click=live.trigger)
        made.setToolTip(tip_of(f"{entry.text} ({entry.key_texts()[0]})"))
        made.setEnabled(live.isEnabled())
        live.enabledChanged.connect(made.setEnabled)
        return made


def rating_of(event: QKeyEvent, actions: ActionSet) -> Action | None:
    """The action about stars, flags and favourites that has this key now."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    key = portable(QKeySequence(QKeyCombination(held, Qt.Key(event.key()))))
    return next((one for one in RATINGS if key in actions.keys(one)), None)


def _keys(members: Sequence[Member]) -> list[str]:
    return list(dict.fromkeys(member.key for member in members))
