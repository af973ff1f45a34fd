"""The summary of a data set, before anything is learned."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from cocadesk.protocol.messages import DatasetSummary
from cocadesk.protocol.values import TeachSample
from ui.kit.image_loader import ImageLoader, paint_thumbnail
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import Card, ProgressBar, hide_or_say
from ui.kit.plain_text import tip_of
from ui.kit.theme import GAP_M, RADIUS_PX, colour
from ui.kit.translation import tr
from ui.kit.widgets import label
from ui.teach.texts import found_line, held_out_line, skipped_line, time_line

SAMPLES = 5
SAMPLE_PX = 132


class FoundBox(Card):
    """Counts, a few of the pictures, what is left out and why, and the time."""

    def __init__(self, pictures: ImageLoader) -> None:
        super().__init__(tr("What was found"))
        self._samples = [_Sample(pictures) for _ in range(SAMPLES)]
        self.counts = label("", "caption", wraps=True)
        self.held_out = label("", "muted", wraps=True)
        self.skipped = label("", "muted", wraps=True)
        self.time = label("", wraps=True)
        self.measuring = QWidget()
        bar = ProgressBar()
        bar.show_progress(0, None)
        measuring = label(tr("Measuring how long it will take…"), "muted", wraps=True)
        in_column(bar, measuring, gap=8, of=self.measuring)
        strip = in_row(*((sample, 1) for sample in self._samples), gap=GAP_M)
        self.column.addWidget(self.counts)
        self.column.addLayout(strip)
        for part in (self.held_out, self.skipped, self.time, self.measuring):
            self.column.addWidget(part)

    def show_found(self, found: DatasetSummary) -> None:
        """Shows counts at once and the time when it has been measured."""
        self.counts.setText(found_line(found))
        shown = found.samples[:SAMPLES]
        for place, sample in enumerate(self._samples):
            sample.show_sample(shown[place] if place < len(shown) else None)
            sample.setVisible(bool(shown))
        self.held_out.setText(held_out_line(found))
        lines = [*found.notes, *map(skipped_line, found.skipped)]
        self.skipped.show_lines(lines)
        self.skipped.setVisible(bool(lines))
        is_measured = found.seconds is not None
        self.measuring.setVisible(not is_measured)
        hide_or_say(self.time, time_line(found) if is_measured else "")


class _Sample(QWidget):
    """A picture with its captions under it."""

    def __init__(self, pictures: ImageLoader) -> None:
        super().__init__()
        self._picture = _Picture(pictures)
        self._captions = label("", "small", wraps=True)
        self._captions.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        in_column(self._picture, self._captions, STRETCH, gap=6, of=self)

    def show_sample(self, sample: TeachSample | None) -> None:
        """Shows a picture of the data set, or nothing."""
        self._picture.show_sample(sample)
        captions = sample.captions if sample is not None else ()
        more = f" (+{len(captions) - 2})" if len(captions) > 2 else ""
        texts = [f"“{caption}”" for caption in captions[:2]]
        self._captions.show_lines([*texts[:-1], texts[-1] + more] if texts else ())
        self._captions.setToolTip(tip_of(*captions))


class _Picture(QLabel):
    """A thumbnail that fills its place, rounded; grey until it comes."""

    def __init__(self, pictures: ImageLoader) -> None:
        super().__init__()
        self._pictures = pictures
        self._key = ""
        self._path = ""
        self.setFixedHeight(round(SAMPLE_PX * 0.75))
        pictures.arrived.connect(self._on_arrived)

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size that it would like to have."""
        return QSize(SAMPLE_PX, round(SAMPLE_PX * 0.75))

    def show_sample(self, sample: TeachSample | None) -> None:
        """Shows a picture of the data set, or nothing."""
        thumbnail = sample.thumbnail if sample is not None else None
        self._path = thumbnail.to_str() if thumbnail is not None else ""
        self._key = f"sample:{self._path}"
        self.setAccessibleName(sample.path.text if sample is not None else "")
        self.setToolTip(tip_of(self.accessibleName()))
        self.update()

    def _on_arrived(self, key: object) -> None:
        if key == self._key:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of its theme."""
        if not self.accessibleName():
            return
        painter = QPainter(self)
        picture = self._pictures.pixmap(self._key, self._path) if self._path else None
        paint_thumbnail(painter, self.rect(), RADIUS_PX, picture)
        if not self._path:
            painter.setPen(colour("muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("No picture"))
