"""Everything of a window that speaks with the engine or reads its files."""

from __future__ import annotations

from PySide6.QtCore import QObject

from ui.annotations.editor import AnnotationEditor
from ui.detail.inspector import Inspector
from ui.detail.large.neighbours import Neighbours
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker
from ui.kit.image_loader import ImageLoader
from ui.library.browser import Browser
from ui.library.results_model import ResultsModel
from ui.library.term_names import TermNames

THUMBNAIL_PX = 360
PREVIEW_PX = 2048
FRAME_PX = 240


class LibrarySession:
    """One library as one window uses it; each part asks the engine again when it is back."""

    def __init__(self, link: EngineLink, parent: QObject) -> None:
        # The window's like all that is made here: a garbage collector on another thread
        # deletes what Python alone owns there, which Qt does not survive.
        link.setParent(parent)
        self.link = link
        self.thumbnails = ImageLoader(long_side_px=THUMBNAIL_PX, keep=600, parent=parent)
        self.previews = ImageLoader(long_side_px=PREVIEW_PX, keep=8, parent=parent)
        self.frames = ImageLoader(long_side_px=FRAME_PX, keep=200, workers=1, parent=parent)
        # Edits that wait are sent to a new engine before it is asked for what they change.
        self.model = ResultsModel(parent)
        self.editor = AnnotationEditor(link, self.model.known_row, parent)
        self.browser = Browser(link, self.model, parent)
        self.names = TermNames(link, parent)
        self.inspector = Inspector(link, self.previews, parent)
        self.neighbours = Neighbours(link, self.previews, parent)
        self.tracker = JobTracker(link, parent)
        self.tracker.ended.connect(self.browser.on_job_ended)

    def close(self) -> None:
        """Leaves the engine and ends the threads that read pictures."""
        self.link.close()
        for loader in (self.thumbnails, self.previews, self.frames):
            loader.close()
