"""Before and after: what was measured, how many it rests on, how sure it is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from cocadesk.protocol.values import MetricValue, RunValue
from ui.kit.layouts import in_column
from ui.kit.theme import GAP_L
from ui.kit.translation import tr
from ui.kit.widgets import label
from ui.teach.texts import TOLD, certainty, figure


class Figures(QWidget):
    """One line a figure, the person's own photos above the general set."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Before and after"))
        self._outer = in_column(of=self)
        self._table: QWidget | None = None
        self.texts: list[str] = []

    def show_run(self, run: RunValue) -> None:
        """Shows the figures of a finished run."""
        if self._table is not None:
            self._outer.removeWidget(self._table)
            self._table.deleteLater()
        self._table = QWidget()
        grid = QGridLayout(self._table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP_L)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(2, 2)
        self.texts = []
        photos = (
            tr("The photos that were held back")
            if not run.is_trial
            else tr("Held back in the trial")
        )
        self._add_group(grid, photos, run.before, run.after)
        self._add_group(grid, tr("Everything else (a set that comes with CocaDesk)"),
                        run.general_before, run.general_after)  # fmt: skip
        self._outer.addWidget(self._table)
        self.setAccessibleDescription("; ".join(self.texts))

    def _add_group(
        self,
        grid: QGridLayout,
        title: str,
        before: Sequence[MetricValue],
        after: Sequence[MetricValue],
    ) -> None:
        pairs = _pairs(before, after)
        if not pairs:
            return
        row = grid.rowCount()
        if row > 1:
            grid.setRowMinimumHeight(row, 14)
            row += 1
        grid.addWidget(label(title, "section", wraps=True), row, 0)
        grid.addWidget(label("before", "section"), row, 1)
        grid.addWidget(label("after", "section"), row, 2)
        for old, new in pairs:
            row += 1
            grid.setRowMinimumHeight(row, 6)
            row += 1
            name = label(TOLD.get(new.name, new.name), wraps=True)
            grid.addWidget(name, row, 0, 2, 1, Qt.AlignmentFlag.AlignTop)
            for place, metric in enumerate((old, new), start=1):
                role = "figure-new" if metric is new else "figure"
                grid.addWidget(label(figure(metric), role), row, place)
                grid.addWidget(label(certainty(metric), "small", wraps=True), row + 1, place)
            row += 1
            self.texts.append(
                tr(
                    "{name}: {before} before, {after} after",
                    name=name.text(),
                    before=figure(old),
                    after=figure(new),
                )
            )


def _pairs(
    before: Sequence[MetricValue], after: Sequence[MetricValue]
) -> list[tuple[MetricValue, MetricValue]]:
    """The figures that were measured twice; those that need no telling first."""
    old = {metric.name: metric for metric in before}
    both = [(old[new.name], new) for new in after if new.name in old]
    told = [pair for name in TOLD for pair in both if pair[1].name == name]
    return told or both
