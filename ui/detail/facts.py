"""The facts of a medium as a small table."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from cocadesk.protocol.values import Fact, Row
from ui.kit.texts import clock, day, picture_size
from ui.kit.theme import GAP_M
from ui.kit.translation import tr
from ui.kit.widgets import ElidedLabel, label

ORDER = (
    *("name", "title", "description", "person", "taken", "zone"),
    *("dimensions", "duration", "camera", "lens", "exposure", "place"),
)
LAST = "folder"
# Beside the dimensions, by the name, and above.
TOLD_ELSEWHERE = ("size", "format", "rating", "flag", "favourite")


class FactsTable(QWidget):
    """Labels at the left, values at the right; a value that is cut off has a tip."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Facts"))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(GAP_M)
        self._grid.setVerticalSpacing(7)
        self._grid.setColumnStretch(1, 1)
        self._lines: list[tuple[QLabel, ElidedLabel]] = []
        self._facts: tuple[Fact, ...] = ()

    def texts(self) -> dict[str, str]:
        """The values that are shown, by their labels."""
        return {fact.label: fact.text for fact in self._facts}

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Shows these; lines that are there already are used again."""
        self._facts = tuple(facts)
        while len(self._lines) < len(facts):
            self._add_line()
        for place, (name, value) in enumerate(self._lines):
            is_used = place < len(facts)
            name.setVisible(is_used)
            value.setVisible(is_used)
            if is_used:
                fact = facts[place]
                is_path = fact.name in ("name", LAST)
                mode = Qt.TextElideMode.ElideMiddle if is_path else Qt.TextElideMode.ElideRight
                name.setText(fact.label)
                # A description may have line ends of its own, a name may not.
                text = fact.text if is_path else " ".join(fact.text.split())
                value.show_text(text, mode)
                value.setAccessibleName(fact.label)

    def _add_line(self) -> None:
        place = len(self._lines)
        name, value = label("", "small"), ElidedLabel(fills=True)
        self._grid.addWidget(name, place, 0)
        self._grid.addWidget(value, place, 1)
        self._lines.append((name, value))


def facts_of(row: Row, more: Sequence[Fact] = ()) -> tuple[Fact, ...]:
    """The row's facts and ``more`` of it as the engine has them, each once, in order.

    The row's are those that are known at once; where both have one, the row's is shown.
    Of the engine's, those that others tell already are left out.
    """
    known = {f.name: f for f in more if f.text and f.name not in TOLD_ELSEWHERE}
    own = (
        ("name", tr("Name"), row.name),
        ("taken", tr("Taken"), day(row.taken)),
        ("dimensions", tr("Size"), picture_size(row)),
        ("duration", tr("Length"), clock(row.duration_s) if row.duration_s is not None else ""),
        ("camera", tr("Camera"), row.camera or ""),
        (LAST, tr("Folder"), row.folder),
    )
    known |= {name: Fact(name=name, label=text, text=value) for name, text, value in own if value}
    folder = [known.pop(LAST)] if LAST in known else []
    first = [known.pop(name) for name in ORDER if name in known]
    return (*first, *known.values(), *folder)
