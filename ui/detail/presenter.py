"""Brings what is known of the photo under the cursor into the detail and the large view."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QPixmap

from cocadesk.protocol.messages import (
    Description,
    Detail,
    GroupsChanged,
    Moments,
    PictureGroup,
    Preview,
    RowsChanged,
)
from cocadesk.protocol.values import Fact, Row
from ui.annotations.editor import AnnotationEditor
from ui.detail.inspector import Inspector
from ui.detail.large.neighbours import Neighbours
from ui.detail.large.view import LargeView
from ui.detail.pane import DetailPane
from ui.kit.image_loader import ImageLoader
from ui.library.alike.kin import kin_of
from ui.library.found_by import found_words
from ui.library.results_model import ResultsModel


class DetailPresenter(QObject):
    """Between the inspector and the editor, and the two views that show one medium.

    ``shown`` is emitted whenever the row of the medium may be another.
    """

    shown = Signal()

    def __init__(
        self,
        detail: DetailPane,
        large: LargeView,
        inspector: Inspector,
        editor: AnnotationEditor,
        model: ResultsModel,
        thumbnails: ImageLoader,
        neighbours: Neighbours,
    ) -> None:
        super().__init__(detail)
        self._detail = detail
        self._large = large
        self._inspector = inspector
        self._editor = editor
        self._model = model
        self._thumbnails = thumbnails
        self._neighbours = neighbours
        large.photo.full_wanted.connect(inspector.ask_full)
        inspector.full_came.connect(self._on_full)
        self._shown: tuple[str | None, float | None] = (None, None)
        inspector.detail_loaded.connect(self._on_detail)
        inspector.facts_changed.connect(self._on_facts)
        inspector.annotations_loaded.connect(self._on_annotations)
        inspector.describing.connect(detail.say_describing)
        inspector.picture_came.connect(self._on_picture)
        inspector.moments_came.connect(self._on_moments)
        inspector.group_came.connect(self._on_group)
        inspector.failed.connect(self._on_no_picture)
        editor.shown.connect(self._on_pending)
        editor.settled.connect(self._on_settled)
        thumbnails.arrived.connect(self._on_thumbnail)
        model.dataChanged.connect(self._on_rows)
        for video in (detail.video, large.video):
            video.moment_left.connect(inspector.forget_picture)
            video.moment_chosen.connect(self._on_moment)

    def show(self, key: str | None) -> None:
        """Another medium: what is known of it at once, the rest when it comes."""
        hit = None if key is None else self._model.hit_of(key)
        self._detail.say_found(found_words(hit))
        time_s = None if hit is None else hit.time_s
        if (key, time_s) == self._shown:
            return
        self._shown = (key, time_s)
        self._inspector.show(key, time_s)
        self._large.begin(key)
        if key is None:
            self._detail.clear()
            return
        row = self._model.known_row(key)
        if row is None:
            self._detail.begin(key)
            self._large.words.begin(key)
        else:
            self._show(row)
            picture = None if time_s is not None else self._neighbours.picture(key)
            if picture is None or picture.isNull():
                picture = self._thumbnail(row)
            if picture is not None and not picture.isNull():
                self._large.show_picture(picture, row)

    def on_event(self, body: object) -> None:
        """Somebody else may have annotated this medium.

        While the editor waits for an answer, that answer tells when to ask again.
        """
        if isinstance(body, GroupsChanged):
            self._inspector.ask_group()
        if isinstance(body, RowsChanged):
            self._neighbours.forget(body.keys)
        if not isinstance(body, RowsChanged) or not self._editor.is_settled():
            return
        if not body.keys or self._inspector.key in body.keys:
            self._inspector.reload_annotations()

    def _show(self, row: Row, facts: tuple[Fact, ...] = ()) -> None:
        self._detail.show_row(row, self._thumbnail(row), facts)
        self._large.show_row(row, self._inspector.time_s, facts)
        self._large.show_marks(row)
        self.shown.emit()

    def _thumbnail(self, row: Row) -> QPixmap | None:
        path = self._model.thumbnail_of(row)
        return None if path is None else self._thumbnails.pixmap(row.key, path)

    def _on_detail(self, answer: Detail) -> None:
        self._model.set_rows([answer.row])
        self._show(answer.row, answer.facts)

    def _on_facts(self, answer: Detail) -> None:
        """Only facts: a video goes on playing, and what is being typed stays."""
        self._model.set_rows([answer.row])
        self._detail.show_facts(answer.row, answer.facts)
        self._large.show_facts(answer.row, answer.facts)

    def _on_thumbnail(self, key: object) -> None:
        """Something to see until the large picture comes."""
        row = self._inspector.row
        if row is None or row.key != key:
            return
        thumbnail = self._thumbnail(row)
        if thumbnail is None:
            return
        if not self._detail.photo.has_picture:
            self._detail.photo.show_picture(thumbnail)
        if self._large.is_waiting:
            self._large.show_picture(thumbnail, row)

    def _on_annotations(self, answer: Description) -> None:
        self._detail.show_annotations(answer)
        self._large.words.show_annotations(answer)
        row = self._inspector.row
        if row is not None:
            self._model.set_annotations(answer)  # not the row: its facts may have changed meanwhile
            self._large.show_row(row, self._inspector.time_s)

    def _on_pending(self, rows: tuple[Row, ...]) -> None:
        """Rows as they will be once the engine has taken what was edited."""
        self._model.set_pending(rows)
        for row in rows:
            self._inspector.show_pending(row)
            if row.key == self._detail.key:
                self._show_marks(row)

    def _on_rows(self) -> None:
        """Rows came again, e.g. after an undo: stars and flags are shown from there.

        Those on the way while the editor waits may tell how it was.
        """
        key = self._detail.key
        row = None if key is None else self._model.known_row(key)
        if key is not None:
            self._detail.kin.show_mark(self._model.groups.mark(key))
            self._detail.say_found(found_words(self._model.hit_of(key)))
        if row is not None and self._editor.is_settled():
            self._show_marks(row)

    def _show_marks(self, row: Row) -> None:
        self._detail.show_marks(row)
        self._large.show_marks(row)

    def _on_settled(self, keys: tuple[str, ...]) -> None:
        if keys:
            self._model.settle(keys)
        if self._inspector.key in keys:
            self._inspector.reload_annotations()

    def _on_picture(self, pixmap: QPixmap) -> None:
        self._detail.photo.show_picture(pixmap)
        key = self._inspector.key
        if key is None:
            return
        self._large.show_picture(pixmap, self._inspector.row or self._model.known_row(key))
        if self._inspector.time_s is None:
            self._neighbours.note(key, self._inspector.picture_path)
        if self._large.isVisible():
            self._want_neighbours(key)

    def _want_neighbours(self, key: str) -> None:
        """The next two and the one before: most people go on as they went."""
        here = self._model.position_of(key)
        if here is not None:
            keys = (self._model.key_at(here + by) for by in (1, 2, -1))
            self._neighbours.want([key for key in keys if key is not None])

    def _on_full(self, answer: Preview) -> None:
        if answer.key == self._inspector.key:
            size = QSize(answer.width, answer.height)
            self._large.photo.show_full(answer.path.to_str(), size)

    def _on_moments(self, answer: Moments) -> None:
        hit = self._model.hit_of(answer.key)
        self._detail.video.show_moments(answer, hit)
        self._large.video.show_moments(answer, hit)

    def _on_group(self, group: PictureGroup | None) -> None:
        key = self._inspector.key
        if key is not None:
            kin = {} if group is None else kin_of(group, key)
            self._detail.kin.show_kin(kin, self._model.groups.mark(key))

    def _on_moment(self, time_s: float) -> None:
        self._inspector.show_moment(time_s)
        for video in (self._detail.video, self._large.video):
            if video is not self.sender():
                video.note(time_s)
        self._large.photo.forget_full()
        if self._inspector.row is not None:
            self._large.show_row(self._inspector.row, time_s)

    def _on_no_picture(self, sentence: str) -> None:
        for photo in (self._detail.photo, self._large.photo):
            if not photo.has_picture:
                photo.show_message(sentence)
