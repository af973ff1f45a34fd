"""Everything a person can do, defined once: for menus, palette, keys and help."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, StrEnum

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence


class Do(StrEnum):
    """The actions by name."""

    ADD_FOLDER = "add-folder"
    LOOK_AGAIN = "look-again"
    SHOW_FAILURES = "show-failures"
    FOCUS_SEARCH = "focus-search"
    SHOW_ALL = "show-all"
    MORE_LIKE_THIS = "more-like-this"
    OPEN_LARGE = "open-large"
    TOGGLE_LARGE = "toggle-large"
    NEXT = "next"
    PREVIOUS = "previous"
    STEP_BACK = "step-back"
    SHOW_IN_FOLDER = "show-in-folder"
    COPY_PATH = "copy-path"
    COPY_CAPTION = "copy-caption"
    PAGE_LIBRARY = "page-library"
    PAGE_TEACH = "page-teach"
    PAGE_WORDS = "page-words"
    PAGE_MODELS = "page-models"
    EDIT_CAPTION = "edit-caption"
    ACCEPT_CAPTION = "accept-caption"
    ADD_TAG = "add-tag"
    UNDO = "undo"
    REDO = "redo"
    HISTORY = "history"
    SELECT_ALL = "select-all"
    CAPTION_SELECTION = "caption-selection"
    CAPTION_FOLDER = "caption-folder"
    WRITE_CAPTIONS = "write-captions"
    PLAY = "play"
    NEXT_MOMENT = "next-moment"
    PREVIOUS_MOMENT = "previous-moment"
    JOBS = "jobs"
    TOGGLE_DETAIL = "toggle-detail"
    BIGGER = "bigger"
    SMALLER = "smaller"
    FULL_SCREEN = "full-screen"
    APPEARANCE = "appearance"
    PALETTE = "palette"
    HELP = "help"
    QUIT = "quit"


class Group(StrEnum):
    LIBRARY = "Library"
    SEARCH = "Search"
    PHOTO = "Photo"
    FILM = "Video"
    WORDS = "Words"
    VIEW = "View"
    PROGRAM = "Program"


class Need(Enum):
    """What must be there for an action to make sense."""

    NOTHING = 0
    ENGINE = 1
    SELECTION = 2
    FILM = 3
    UNDO = 4
    REDO = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """``keys`` are bound in the whole window; ``shown_keys`` belong to a view."""

    do: Do
    text: str
    group: Group
    keys: tuple[str, ...] = ()
    shown_keys: tuple[str, ...] = ()
    needs: Need = Need.NOTHING


def _spec(
    do: Do,
    text: str,
    group: Group,
    *keys: str,
    shown: tuple[str, ...] = (),
    needs: Need = Need.NOTHING,
) -> ActionSpec:
    return ActionSpec(do=do, text=text, group=group, keys=keys, shown_keys=shown, needs=needs)


ACTIONS: tuple[ActionSpec, ...] = (
    _spec(Do.ADD_FOLDER, "Add folder…", Group.LIBRARY, "Ctrl+O", needs=Need.ENGINE),
    _spec(Do.LOOK_AGAIN, "Look for new photos", Group.LIBRARY, "F5", needs=Need.ENGINE),
    _spec(Do.SHOW_FAILURES, "Files that could not be read", Group.LIBRARY, needs=Need.ENGINE),
    _spec(Do.JOBS, "Jobs", Group.LIBRARY, "J"),
    _spec(Do.FOCUS_SEARCH, "Search", Group.SEARCH, "Ctrl+F", "/"),
    _spec(Do.SHOW_ALL, "Show all, newest first", Group.SEARCH, "Ctrl+Shift+A"),
    _spec(Do.MORE_LIKE_THIS, "More like this", Group.SEARCH, "Ctrl+L", needs=Need.SELECTION),
    _spec(Do.OPEN_LARGE, "Open", Group.PHOTO, shown=("Return",), needs=Need.SELECTION),
    _spec(Do.TOGGLE_LARGE, "Large view", Group.PHOTO, shown=("Space",), needs=Need.SELECTION),
    _spec(Do.NEXT, "Next photo", Group.PHOTO, shown=("Right",), needs=Need.SELECTION),
    _spec(Do.PREVIOUS, "Previous photo", Group.PHOTO, shown=("Left",), needs=Need.SELECTION),
    _spec(Do.SHOW_IN_FOLDER, "Show in folder", Group.PHOTO, "Ctrl+Return", needs=Need.SELECTION),
    _spec(Do.COPY_PATH, "Copy path", Group.PHOTO, "Ctrl+Shift+C", needs=Need.SELECTION),
    _spec(Do.COPY_CAPTION, "Copy caption", Group.PHOTO, "Ctrl+Alt+C", needs=Need.SELECTION),
    _spec(Do.PAGE_LIBRARY, "Go to the library", Group.VIEW, "Ctrl+1"),
    _spec(Do.PAGE_TEACH, "Go to teaching", Group.VIEW, "Ctrl+2"),
    _spec(Do.PAGE_WORDS, "Go to the words for tags", Group.VIEW, "Ctrl+3"),
    _spec(Do.PAGE_MODELS, "Go to the models", Group.VIEW, "Ctrl+4"),
    _spec(Do.SELECT_ALL, "Select all", Group.PHOTO, shown=("Ctrl+A",), needs=Need.SELECTION),
    _spec(Do.PLAY, "Play from this moment, or pause", Group.FILM, "P", needs=Need.FILM),
    _spec(Do.NEXT_MOMENT, "Next moment", Group.FILM, ".", needs=Need.FILM),
    _spec(Do.PREVIOUS_MOMENT, "Previous moment", Group.FILM, ",", needs=Need.FILM),
    _spec(Do.UNDO, "Undo", Group.WORDS, "Ctrl+Z", needs=Need.UNDO),
    _spec(Do.REDO, "Redo", Group.WORDS, "Ctrl+Shift+Z", "Ctrl+Y", needs=Need.REDO),
    _spec(Do.EDIT_CAPTION, "Edit caption", Group.WORDS, "E", "F2", needs=Need.SELECTION),
    _spec(Do.ACCEPT_CAPTION, "Accept caption", Group.WORDS, "A", needs=Need.SELECTION),
    _spec(Do.ADD_TAG, "Add a tag", Group.WORDS, "T", needs=Need.SELECTION),
    _spec(Do.HISTORY, "History of the words", Group.WORDS, "H", needs=Need.SELECTION),
    _spec(Do.CAPTION_SELECTION, "Caption selection", Group.WORDS, "Ctrl+D", needs=Need.SELECTION),
    _spec(
        Do.CAPTION_FOLDER, "Caption this folder…", Group.WORDS, "Ctrl+Shift+D", needs=Need.ENGINE
    ),
    _spec(
        Do.WRITE_CAPTIONS,
        "Write captions beside the photos…",
        Group.WORDS,
        "Ctrl+E",
        needs=Need.ENGINE,
    ),
    _spec(Do.STEP_BACK, "Back, or clear the search", Group.VIEW, "Esc"),
    _spec(Do.TOGGLE_DETAIL, "Details", Group.VIEW, "Ctrl+I"),
    _spec(Do.BIGGER, "Larger thumbnails", Group.VIEW, "Ctrl++", "Ctrl+="),
    _spec(Do.SMALLER, "Smaller thumbnails", Group.VIEW, "Ctrl+-"),
    _spec(Do.FULL_SCREEN, "Full screen", Group.VIEW, "F", "F11"),
    _spec(Do.APPEARANCE, "Light or dark", Group.VIEW, "Ctrl+Shift+L"),
    _spec(Do.PALETTE, "All commands", Group.PROGRAM, "Ctrl+K"),
    _spec(Do.HELP, "Keyboard shortcuts", Group.PROGRAM, "?", "F1"),
    _spec(Do.QUIT, "Quit", Group.PROGRAM, "Ctrl+Q"),
)


class ActionSet(QObject):
    """The live actions of one window."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._actions: dict[Do, QAction] = {}
        for spec in ACTIONS:
            action = QAction(spec.text, parent)
            action.setObjectName(spec.do)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            action.setIconVisibleInMenu(False)  # only some have one, for the tool buttons
            self._actions[spec.do] = action

    def __getitem__(self, do: Do) -> QAction:
        return self._actions[do]

    def connect_all(self, slots: dict[Do, Callable[[], None]]) -> None:
        """Gives every action its work; a missing one is an error of ours."""
        for do, action in self._actions.items():
            action.triggered.connect(_without_argument(slots[do]))

    def all(self) -> list[QAction]:
        """Every action, in the order of their definition."""
        return list(self._actions.values())

    def update_enabled(self, given: Collection[Need]) -> None:
        """Greys out what makes no sense now: what needs something that is not given."""
        for spec in ACTIONS:
            self._actions[spec.do].setEnabled(spec.needs is Need.NOTHING or spec.needs in given)


def keys_of(spec: ActionSpec) -> list[str]:
    """The keys of an action as people read them."""
    native = QKeySequence.SequenceFormat.NativeText
    return [QKeySequence(key).toString(native) for key in spec.keys + spec.shown_keys]


def _without_argument(slot: Callable[[], None]) -> Callable[[bool], None]:
    def run(_checked: bool) -> None:
        slot()

    return run
