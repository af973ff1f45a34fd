"""What is known of a photo, over its corner."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget

from cocadesk.protocol.values import Fact, Row
from ui.detail.facts import facts_of
from ui.kit.layouts import in_column
from ui.kit.translation import tr
from ui.kit.widgets import label

SHOWN = ("name", "taken", "camera", "lens", "exposure", "dimensions", "duration", "place")
WIDTH_PX = 360
MARGIN_PX = 12


class InfoOverlay(QFrame):
    """Name, date, camera, exposure, place and caption; clicks go through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.name = label("", "on-stage-bold", wraps=True)
        self.lines = label("", "on-stage-small", wraps=True)
        self.caption = label("", "on-stage-small", wraps=True)
        in_column(self.name, self.lines, self.caption, gap=6, margins=(14, 10, 14, 12), of=self)
        self.hide()

    def show_facts(self, row: Row, more: Sequence[Fact]) -> None:
        """The facts of a medium: those of its row at once, the others when they have come."""
        known = {fact.name: fact.text for fact in facts_of(row, more)}
        lines = [known[name] for name in SHOWN if known.get(name) and name != "name"]
        self.name.setText(row.name)
        self.lines.show_lines(lines)
        self.caption.setText(f"“{row.caption}”" if row.caption else "")
        self.caption.setVisible(bool(row.caption))
        about = ", ".join([row.name, *lines])
        self.setAccessibleName(tr("About this photo: {about}", about=about))
        self.place()

    def place(self) -> None:
        """Lies at the upper left corner of its parent, as large as its text."""
        room = self.parentWidget()
        if room is None:
            return
        width = min(WIDTH_PX, room.width() - 2 * MARGIN_PX)
        layout = self.layout()
        assert layout is not None
        height = layout.totalHeightForWidth(width)
        self.setGeometry(MARGIN_PX, MARGIN_PX, width, height)
