"""Suggested captions and tags of the photo under the cursor or the selection: yes or no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import DecideSuggestions
from ui.annotations.editor import AnnotationEditor
from ui.kit.actions import Action, Actions, Slots

DECISIONS: dict[Action, DecideSuggestions] = {
    Actions.ACCEPT_BOTH: DecideSuggestions(keys=(), accepts=True),
    Actions.ACCEPT_TAGS: DecideSuggestions(keys=(), accepts=True, captions=False),
    Actions.REJECT_BOTH: DecideSuggestions(keys=(), accepts=False),
    Actions.REJECT_CAPTION: DecideSuggestions(keys=(), accepts=False, tags=False),
    Actions.REJECT_TAGS: DecideSuggestions(keys=(), accepts=False, captions=False),
}
"""The actions about suggestions, but for the one that has a field of its own."""


class SuggestionCommands(QObject):
    """One action each; ``targets`` gives the keys of the photos that are meant."""

    def __init__(self, editor: AnnotationEditor, targets: Callable[[], Sequence[str]]) -> None:
        super().__init__(editor)
        self._editor = editor
        self._targets = targets

    def slots(self) -> Slots:
        """The slots of the actions about suggestions."""
        return {action: partial(self._decide, body) for action, body in DECISIONS.items()}

    def accept_captions(self) -> None:
        """Accepts the captions alone."""
        self._decide(DecideSuggestions(keys=(), accepts=True, tags=False))

    def _decide(self, body: DecideSuggestions) -> None:
        keys = self._targets()
        if keys:
            self._editor.decide_suggestions(keys, body)
