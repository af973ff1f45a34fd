"""The large view over the whole window, and the way back to the grid."""

from __future__ import annotations

from PySide6.QtCore import QObject

from ui.shell.layout import WindowWidgets

ROOM_PX = 16


class LargeMode(QObject):
    """Opens and closes the large view."""

    def __init__(self, widgets: WindowWidgets) -> None:
        super().__init__(widgets)
        self._widgets = widgets
        self._stack = widgets.stack
        self._large = large = widgets.large
        self._grid = grid = widgets.grid
        self._video = video = widgets.detail.video
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
            self._widgets.notice.lift(self._large.caption.height() + ROOM_PX)

    def close(self) -> None:
        """Back to the grid, at the photo that was seen last."""
        if self.is_open:
            self._stack.setCurrentWidget(self._widgets.browse)
            self._widgets.notice.lift(0)
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
