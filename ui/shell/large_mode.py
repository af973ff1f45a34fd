"""The large view over the whole window, and the way back to the grid."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.detail.large_view import LargeView
from ui.detail.video_view import VideoView
from ui.kit.widgets import Notice
from ui.library.grid import Grid

ROOM_PX = 16


class LargeMode(QObject):
    """Opens and closes the large view."""

    def __init__(
        self,
        stack: QStackedWidget,
        browse: QWidget,
        large: LargeView,
        grid: Grid,
        video: VideoView,
        notice: Notice,
    ) -> None:
        """``stack`` holds ``browse``, which is the window but for the large view."""
        super().__init__(stack)
        self._stack = stack
        self._browse = browse
        self._large = large
        self._grid = grid
        self._video = video
        self._notice = notice
        grid.opened.connect(self.open)
        grid.large_wanted.connect(self._on_space)
        video.photo.opened.connect(self.open)
        large.stepped.connect(grid.step)
        large.closed.connect(self.close)

    @property
    def is_open(self) -> bool:
        """True where the large view is open."""
        return self._stack.currentWidget() is self._large

    def open(self) -> None:
        """Shows the photo under the cursor over the whole window."""
        if self._grid.current_key() is not None:
            self._video.stop()
            self._large.photo.reset_zoom()
            self._stack.setCurrentWidget(self._large)
            self._large.setFocus()
            self._notice.lift(self._large.caption.height() + ROOM_PX)

    def close(self) -> None:
        """Back to the grid, at the photo that was seen last."""
        if self.is_open:
            self._stack.setCurrentWidget(self._browse)
            self._notice.lift(0)
            self._grid.take_focus()

    def toggle(self) -> None:
        """Opens the large view, or closes it."""
        if self.is_open:
            self.close()
        else:
            self.open()

    def _on_space(self) -> None:
        """Pauses a video that plays; else the large view."""
        if self._video.is_open:
            self._video.toggle()
        else:
            self.open()
