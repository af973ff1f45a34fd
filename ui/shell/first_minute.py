"""The first minute with the program: samples to look around in, and the model's state."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMainWindow

from cocadesk.protocol.messages import GetInfo, Info, ListRoots, ModelChanged, Roots
from cocadesk.protocol.values import ModelState, ModelValue
from ui.kit import desktop
from ui.kit.actions import Actions, ActionSet
from ui.kit.translation import tr
from ui.kit.widgets import EmptyView, Notice
from ui.library.empty_states import MODELS, OTHER_LIBRARY, SAMPLES
from ui.shell.libraries import Libraries
from ui.shell.pages import Pages
from ui.shell.session import LibrarySession

ARE_SAMPLES = tr("These are sample photos, in a library of their own")
BACK = tr("To my photos")


class FirstMinute(QObject):
    """Leads to the samples and to better models, and knows whether the model is open yet.

    The samples have a library of their own, so that they never mix with a person's photos; it
    is filled when it is first opened.
    """

    model_changed = Signal()

    def __init__(
        self,
        window: QMainWindow,
        session: LibrarySession,
        empty: EmptyView,
        notice: Notice,
        actions: ActionSet,
    ) -> None:
        super().__init__(notice)
        self._session = session
        self._notice = notice
        self._actions = actions
        self.libraries = Libraries(window, session.link.library, notice)
        self.is_model_loading = False
        empty.link_clicked.connect(self._on_link)
        session.link.connected.connect(self._on_connected)
        session.link.event_received.connect(self._on_event)

    def _on_link(self, text: str) -> None:
        if text == SAMPLES:
            self.libraries.open_samples()
        elif text == MODELS:
            self._actions[Pages.MODELS.action].trigger()
        elif text == OTHER_LIBRARY:
            self._actions[Actions.OPEN_LIBRARY].trigger()

    def _on_connected(self) -> None:
        link = self._session.link
        link.ask(GetInfo(), Info, lambda info: self._on_model(info.model))
        if self.libraries.has_samples:
            self._notice.say(ARE_SAMPLES, BACK, self.libraries.open_usual, stays=True)
            link.ask(ListRoots(), Roots, self._on_roots)

    def _on_roots(self, answer: Roots) -> None:
        if not answer.roots:
            self._session.tracker.index([desktop.samples_folder()])

    def _on_event(self, body: object) -> None:
        if isinstance(body, ModelChanged):
            self._on_model(body.model)

    def _on_model(self, model: ModelValue) -> None:
        is_loading = model.state is ModelState.LOADING
        if is_loading is not self.is_model_loading:
            self.is_model_loading = is_loading
            self.model_changed.emit()
