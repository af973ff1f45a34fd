"""The line in the detail on what is alike to the photo, with ways to see it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from cocadesk.protocol.values import GroupLabel
from ui.kit.flow_layout import FlowLayout
from ui.kit.layouts import in_column
from ui.kit.translation import grouped, tr
from ui.kit.widgets import button, label
from ui.library.alike.kin import Kin, kin_words
from ui.library.grouping import GroupMark

LINK_PX = 26


class KinLine(QWidget):
    """``Also: 2 exact copies, 3 in its burst``; ``wanted`` carries the one clicked."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Same pictures"))
        self.also = label(tr("Also:"), "small")
        self.also.setMinimumHeight(LINK_PX)
        self.note = label("", "small", wraps=True)
        row = QWidget()
        flow = FlowLayout(row, 2)
        flow.addWidget(self.also)
        self.links: dict[GroupLabel, QPushButton] = {}
        for kind in GroupLabel:
            link = button("", "link", on_click=partial(self.wanted.emit, kind))
            self.links[kind] = link
            flow.addWidget(link)
        in_column(row, self.note, gap=2, of=self)
        self.clear(tr("photo"))

    def clear(self, noun: str) -> None:
        """Another medium, a ``noun``: nothing is known of it yet."""
        self._noun = noun
        self.show_kin({}, None)

    def show_kin(self, kin: Kin, mark: GroupMark | None) -> None:
        """The numbers by link; ``mark`` is that of the cell in the grid."""
        for kind, link in self.links.items():
            keys = kin.get(kind, ())
            text = kin_words(kind, len(keys))
            link.setText(text)
            link.setAccessibleName(tr("Show {what}", what=text))
            link.setVisible(bool(keys))
        self.also.setVisible(bool(kin))
        self._has_kin = bool(kin)
        self.show_mark(mark)

    def show_mark(self, mark: GroupMark | None) -> None:
        """The mark of its cell, whose group may have been opened or closed."""
        is_closed = mark is not None and not mark.is_open
        self.note.setText(
            tr(
                "In the grid this {noun} stands for all {number}. What you change here is "
                "changed on it alone; G opens the group.",
                noun=self._noun,
                number=grouped(mark.number),
            )
            if mark is not None and is_closed
            else ""
        )
        self.note.setVisible(is_closed)
        self.setVisible(self._has_kin or is_closed)
