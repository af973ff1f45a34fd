"""Brings what is known of the photo under the cursor into the detail and the large view."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QPixmap

from cocadesk.protocol.messages import Description, Moments, RowsChanged
from cocadesk.protocol.values import Row
from ui.detail.inspector import Inspector
from ui.kit.image_loader import ImageLoader
from ui.library.results_model import ResultsModel
from ui.shell.layout import WindowWidgets


class DetailPresenter(QObject):
    """Between the inspector, which asks, and the two views, which show."""

    def __init__(
        self,
        parts: WindowWidgets,
        inspector: Inspector,
        model: ResultsModel,
        thumbnails: ImageLoader,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._widgets = parts
        self._inspector = inspector
        self._model = model
        self._thumbnails = thumbnails
        self._shown: tuple[str | None, float | None] = (None, None)
        inspector.row_loaded.connect(self._on_row)
        inspector.annotations_loaded.connect(self._on_words)
        inspector.describing.connect(parts.detail.say_describing)
        inspector.picture_came.connect(self._on_picture)
        inspector.moments_came.connect(self._on_moments)
        inspector.failed.connect(self._on_no_picture)
        thumbnails.arrived.connect(self._on_thumbnail)
        parts.detail.video.moment_left.connect(inspector.forget_picture)
        parts.detail.video.moment_chosen.connect(self._on_moment)

    def look_at(self, key: str | None) -> None:
        """Another photo: what is here of it at once, the rest when it comes."""
        hit = None if key is None else self._model.hit_of(key)
        time_s = None if hit is None else hit.time_s
        if (key, time_s) == self._shown:
            return
        self._shown = (key, time_s)
        if key is None:
            self._widgets.detail.clear()
            self._inspector.look_at(None)
            return
        self._inspector.look_at(key, time_s)
        row = self._model.known_row(key)
        if row is not None:
            self._show(row)
            thumbnail = self._thumbnail(row)
            if thumbnail is not None:
                self._widgets.large.photo.show_picture(thumbnail)

    def on_rows_changed(self, event: RowsChanged) -> None:
        """Somebody else may have given this photo other words."""
        if self._inspector.key is not None and (
            not event.keys or self._inspector.key in event.keys
        ):
            self._inspector.look_at_words()

    def _show(self, row: Row) -> None:
        self._widgets.detail.show_row(row, self._thumbnail(row))
        self._widgets.large.show_row(row, self._inspector.time_s)

    def _thumbnail(self, row: Row) -> QPixmap | None:
        path = self._model.thumbnail_of(row)
        return None if path is None else self._thumbnails.pixmap(row.key, path)

    def _on_row(self, row: object) -> None:
        assert isinstance(row, Row)
        self._model.set_rows([row])
        self._show(row)

    def _on_thumbnail(self, key: object) -> None:
        """Something to see until the large picture comes."""
        row = self._inspector.row
        if row is None or row.key != key:
            return
        thumbnail = self._thumbnail(row)
        for photo in (self._widgets.detail.photo, self._widgets.large.photo):
            if thumbnail is not None and not photo.has_picture:
                photo.show_picture(thumbnail)

    def _on_words(self, words: object) -> None:
        assert isinstance(words, Description)
        self._widgets.detail.show_words(words)
        row = self._inspector.row
        if row is not None:
            self._model.set_words(words)  # not the row: its facts may have changed meanwhile
            self._widgets.large.show_row(row, self._inspector.time_s)

    def _on_picture(self, pixmap: object) -> None:
        assert isinstance(pixmap, QPixmap)
        self._widgets.detail.photo.show_picture(pixmap)
        self._widgets.large.photo.show_picture(pixmap, keeps_zoom=True)

    def _on_moments(self, answer: object) -> None:
        assert isinstance(answer, Moments)
        self._widgets.detail.video.show_moments(answer, self._model.hit_of(answer.key))

    def _on_moment(self, time_s: object) -> None:
        assert isinstance(time_s, float)
        self._inspector.look_at_moment(time_s)
        if self._inspector.row is not None:
            self._widgets.large.show_row(self._inspector.row, time_s)

    def _on_no_picture(self, sentence: str) -> None:
        for photo in (self._widgets.detail.photo, self._widgets.large.photo):
            if not photo.has_picture:
                photo.show_message(sentence)
