"""Everything a person can do, defined once: for menus, palette, keys and help."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum, StrEnum

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence


class ActionId(StrEnum):
    """The actions by name."""

    ADD_FOLDER = "add-folder"
    RESCAN = "rescan"
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
    PAGE_TAGS = "page-tags"
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
    VIDEO = "Video"
    ANNOTATIONS = "Captions and tags"
    VIEW = "View"
    PROGRAM = "Program"


class Requires(Enum):
    """What must be there for an action to make sense."""

    NOTHING = 0
    ENGINE = 1
    SELECTION = 2
    VIDEO = 3
    UNDO = 4
    REDO = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSpec:
    """``keys`` are bound in the whole window; ``shown_keys`` belong to a view."""

    do: ActionId
    text: str
    group: Group
    keys: tuple[str, ...] = ()
    shown_keys: tuple[str, ...] = ()
    needs: Requires = Requires.NOTHING


def _spec(
    do: ActionId,
    text: str,
    group: Group,
    *keys: str,
    shown: tuple[str, ...] = (),
    needs: Requires = Requires.NOTHING,
) -> ActionSpec:
    return ActionSpec(do=do, text=text, group=group, keys=keys, shown_keys=shown, needs=needs)


ACTIONS: tuple[ActionSpec, ...] = (
    _spec(ActionId.ADD_FOLDER, "Add folder…", Group.LIBRARY, "Ctrl+O", needs=Requires.ENGINE),
    _spec(
        ActionId.RESCAN, "Check folders for new photos", Group.LIBRARY, "F5", needs=Requires.ENGINE
    ),
    _spec(
        ActionId.SHOW_FAILURES, "Files that could not be read", Group.LIBRARY, needs=Requires.ENGINE
    ),
    _spec(ActionId.JOBS, "Jobs", Group.LIBRARY, "J"),
    _spec(ActionId.FOCUS_SEARCH, "Search", Group.SEARCH, "Ctrl+F", "/"),
    _spec(ActionId.SHOW_ALL, "Show all, newest first", Group.SEARCH, "Ctrl+Shift+A"),
    _spec(
        ActionId.MORE_LIKE_THIS, "More like this", Group.SEARCH, "Ctrl+L", needs=Requires.SELECTION
    ),
    _spec(ActionId.OPEN_LARGE, "Open", Group.PHOTO, shown=("Return",), needs=Requires.SELECTION),
    _spec(
        ActionId.TOGGLE_LARGE, "Large view", Group.PHOTO, shown=("Space",), needs=Requires.SELECTION
    ),
    _spec(ActionId.NEXT, "Next photo", Group.PHOTO, shown=("Right",), needs=Requires.SELECTION),
    _spec(
        ActionId.PREVIOUS, "Previous photo", Group.PHOTO, shown=("Left",), needs=Requires.SELECTION
    ),
    _spec(
        ActionId.SHOW_IN_FOLDER,
        "Show in folder",
        Group.PHOTO,
        "Ctrl+Return",
        needs=Requires.SELECTION,
    ),
    _spec(ActionId.COPY_PATH, "Copy path", Group.PHOTO, "Ctrl+Shift+C", needs=Requires.SELECTION),
    _spec(
        ActionId.COPY_CAPTION, "Copy caption", Group.PHOTO, "Ctrl+Alt+C", needs=Requires.SELECTION
    ),
    _spec(ActionId.PAGE_LIBRARY, "Go to the library", Group.VIEW, "Ctrl+1"),
    _spec(ActionId.PAGE_TEACH, "Go to teaching", Group.VIEW, "Ctrl+2"),
    _spec(ActionId.PAGE_TAGS, "Go to the tags", Group.VIEW, "Ctrl+3"),
    _spec(ActionId.PAGE_MODELS, "Go to the models", Group.VIEW, "Ctrl+4"),
    _spec(
        ActionId.SELECT_ALL, "Select all", Group.PHOTO, shown=("Ctrl+A",), needs=Requires.SELECTION
    ),
    _spec(ActionId.PLAY, "Play from this moment, or pause", Group.VIDEO, "P", needs=Requires.VIDEO),
    _spec(ActionId.NEXT_MOMENT, "Next moment", Group.VIDEO, ".", needs=Requires.VIDEO),
    _spec(ActionId.PREVIOUS_MOMENT, "Previous moment", Group.VIDEO, ",", needs=Requires.VIDEO),
    _spec(ActionId.UNDO, "Undo", Group.ANNOTATIONS, "Ctrl+Z", needs=Requires.UNDO),
    _spec(ActionId.REDO, "Redo", Group.ANNOTATIONS, "Ctrl+Shift+Z", "Ctrl+Y", needs=Requires.REDO),
    _spec(
        ActionId.EDIT_CAPTION,
        "Edit caption",
        Group.ANNOTATIONS,
        "E",
        "F2",
        needs=Requires.SELECTION,
    ),
    _spec(
        ActionId.ACCEPT_CAPTION, "Accept caption", Group.ANNOTATIONS, "A", needs=Requires.SELECTION
    ),
    _spec(ActionId.ADD_TAG, "Add a tag", Group.ANNOTATIONS, "T", needs=Requires.SELECTION),
    _spec(
        ActionId.HISTORY,
        "History of captions and tags",
        Group.ANNOTATIONS,
        "H",
        needs=Requires.SELECTION,
    ),
    _spec(
        ActionId.CAPTION_SELECTION,
        "Caption selection",
        Group.ANNOTATIONS,
        "Ctrl+D",
        needs=Requires.SELECTION,
    ),
    _spec(
        ActionId.CAPTION_FOLDER,
        "Caption this folder…",
        Group.ANNOTATIONS,
        "Ctrl+Shift+D",
        needs=Requires.ENGINE,
    ),
    _spec(
        ActionId.WRITE_CAPTIONS,
        "Write captions to text files…",
        Group.ANNOTATIONS,
        "Ctrl+E",
        needs=Requires.ENGINE,
    ),
    _spec(ActionId.STEP_BACK, "Back, or clear the search", Group.VIEW, "Esc"),
    _spec(ActionId.TOGGLE_DETAIL, "Details", Group.VIEW, "Ctrl+I"),
    _spec(ActionId.BIGGER, "Larger thumbnails", Group.VIEW, "Ctrl++", "Ctrl+="),
    _spec(ActionId.SMALLER, "Smaller thumbnails", Group.VIEW, "Ctrl+-"),
    _spec(ActionId.FULL_SCREEN, "Full screen", Group.VIEW, "F", "F11"),
    _spec(ActionId.APPEARANCE, "Switch between light and dark", Group.VIEW, "Ctrl+Shift+L"),
    _spec(ActionId.PALETTE, "All commands", Group.PROGRAM, "Ctrl+K"),
    _spec(ActionId.HELP, "Keyboard shortcuts", Group.PROGRAM, "?", "F1"),
    _spec(ActionId.QUIT, "Quit", Group.PROGRAM, "Ctrl+Q"),
)


class ActionSet(QObject):
    """The live actions of one window."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._actions: dict[ActionId, QAction] = {}
        for spec in ACTIONS:
            action = QAction(spec.text, parent)
            action.setObjectName(spec.do)
            action.setShortcuts([QKeySequence(key) for key in spec.keys])
            action.setIconVisibleInMenu(False)  # only some have one, for the tool buttons
            self._actions[spec.do] = action

    def __getitem__(self, do: ActionId) -> QAction:
        return self._actions[do]

    def connect_all(self, slots: dict[ActionId, Callable[[], None]]) -> None:
        """Gives every action its work; a missing one is an error of ours."""
        for do, action in self._actions.items():
            action.triggered.connect(_without_argument(slots[do]))

    def all(self) -> list[QAction]:
        """Every action, in the order of their definition."""
        return list(self._actions.values())

    def update_enabled(self, given: Collection[Requires]) -> None:
        """Greys out what makes no sense now: what needs something that is not given."""
        for spec in ACTIONS:
            self._actions[spec.do].setEnabled(spec.needs is Requires.NOTHING or spec.needs in given)


def keys_of(spec: ActionSpec) -> list[str]:
    """The keys of an action as people read them."""
    native = QKeySequence.SequenceFormat.NativeText
    return [QKeySequence(key).toString(native) for key in spec.keys + spec.shown_keys]


def _without_argument(slot: Callable[[], None]) -> Callable[[bool], None]:
    def run(_checked: bool) -> None:
        slot()

    return run
