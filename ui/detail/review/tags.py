"""Suggested tags as switches with a number each: what becomes of them with the next key."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from ui.kit.flow_layout import FlowLayout
from ui.kit.plain_text import button_text, tip_of
from ui.kit.translation import tr
from ui.kit.widgets import restyle, tool

NUMBERED = 9


class SuggestedTags(QWidget):
    """All are accepted but for those that are switched off, or none but those switched on.

    Which of the two, ``takes_all`` says; what was switched is rejected in the first case and
    accepted in the second. ``switched`` comes after each click or number.
    """

    switched = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Suggested tags"))
        self.takes_all = True
        self.tags: tuple[str, ...] = ()
        self._turned: frozenset[str] = frozenset()
        self.buttons: list[QToolButton] = []
        self._flow = FlowLayout(self, 6)

    def show_tags(self, tags: Sequence[str], turned: frozenset[str], *, takes_all: bool) -> None:
        """Shows these, of which some are ``turned`` already."""
        if (tuple(tags), turned, takes_all) == (self.tags, self._turned, self.takes_all):
            return
        is_other = tuple(tags) != self.tags
        self.tags, self._turned, self.takes_all = tuple(tags), turned, takes_all
        if is_other:
            self._rebuild()
        self._draw()

    @property
    def turned(self) -> frozenset[str]:
        """The tags that a person has switched."""
        return self._turned & frozenset(self.tags)

    @property
    def accepted(self) -> list[str]:
        """The tags that become the person's when the photo is accepted."""
        return [tag for tag in self.tags if (tag in self._turned) is not self.takes_all]

    @property
    def rejected(self) -> list[str]:
        """The tags that go."""
        return [tag for tag in self.tags if self.takes_all and tag in self._turned]

    def turn(self, place: int) -> None:
        """Switches the tag at this place, where there is one."""
        if 0 <= place < len(self.tags):
            self._turned = self._turned ^ {self.tags[place]}
            self._draw()
            self.switched.emit()

    def _rebuild(self) -> None:
        for old in self.buttons:
            self._flow.removeWidget(old)
            old.hide()
            old.deleteLater()
        self.buttons = []
        for place, tag in enumerate(self.tags):
            made = tool("", "review-tag", name=tag, tip="", on_click=partial(self.turn, place))
            made.setCheckable(True)
            made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            self.buttons.append(made)
            self._flow.addWidget(made)
            made.show()
        self._flow.invalidate()
        self.updateGeometry()

    def _draw(self) -> None:
        accepted, rejected = set(self.accepted), set(self.rejected)
        for place, (made, tag) in enumerate(zip(self.buttons, self.tags, strict=True)):
            number = f"{place + 1}  " if place < NUMBERED else ""
            made.setText(button_text(f"{number}{tag}"))
            made.setChecked(tag in accepted)
            made.setProperty("gone", tag in rejected)
            restyle(made)
            made.setAccessibleName(_name(tag, tag in accepted, tag in rejected))
            key = f" ({place + 1})" if place < NUMBERED else ""
            made.setToolTip(tip_of(f"{self._tip(tag in self._turned)}{key}"))

    def _tip(self, is_turned: bool) -> str:
        if self.takes_all:
            return tr("Keep this tag after all") if is_turned else tr("Not this tag")
        return tr("Leave this tag a suggestion") if is_turned else tr("Accept this tag")


def _name(tag: str, is_accepted: bool, is_rejected: bool) -> str:
    if is_rejected:
        return tr("{tag}, is rejected", tag=tag)
    return tr("{tag}, is accepted", tag=tag) if is_accepted else tr("{tag}, is left", tag=tag)
