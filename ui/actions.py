"""Everything a person can do, defined once: for menus, palette, keys and help."""

from __future__ import annotations

from collections.abc import Callable
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
    VIEW = "View"
    PROGRAM = "Program"


class Need(Enum):
    """What must be there for an action to make sense."""

    NOTHING = 0
    ENGINE = 1
    SELECTION = 2


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

    def update_enabled(self, *, has_engine: bool, has_selection: bool) -> None:
        """Greys out what makes no sense now."""
        given = {
            Need.NOTHING: True,
            Need.ENGINE: has_engine,
            Need.SELECTION: has_selection,
        }
        for spec in ACTIONS:
            self._actions[spec.do].setEnabled(given[spec.needs])


def keys_of(spec: ActionSpec) -> list[str]:
    """The keys of an action as people read them."""
    native = QKeySequence.SequenceFormat.NativeText
    return [QKeySequence(key).toString(native) for key in spec.keys + spec.shown_keys]


def _without_argument(slot: Callable[[], None]) -> Callable[[bool], None]:
    def run(_checked: bool) -> None:
        slot()

    return run
