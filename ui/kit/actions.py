"""Everything a person can do, defined once: for menus, palette, keys, tool buttons and help."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from ui.kit.icons import Icon


class Group(StrEnum):
    """The groups of menus and help, in their order."""

    LIBRARY = "Library"
    SEARCH = "Search"
    EDIT = "Edit"
    PHOTO = "Photo"
    VIDEO = "Video"
    ANNOTATIONS = "Captions and tags"
    VIEW = "View"
    PROGRAM = "Program"


class Requires(Enum):
    """The condition under which an action makes sense."""

    NOTHING = 0
    ENGINE = 1
    SELECTION = 2
    VIDEO = 3
    UNDO = 4
    REDO = 5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Action:
    """One entry of the list of actions, compared by identity.

    ``keys`` are bound in the whole window; ``shown_keys`` belong to a view that handles
    them itself. A photo's action with an ``icon`` has a button in the detail.
    """

    id: str
    text: str
    group: Group
    keys: tuple[str, ...] = ()
    shown_keys: tuple[str, ...] = ()
    requires: Requires = Requires.NOTHING
    icon: Icon | None = None
    is_in_photo_menu: bool = False

    def key_texts(self) -> list[str]:
        """Its keys as people read them."""
        native = QKeySequence.SequenceFormat.NativeText
        return [QKeySequence(key).toString(native) for key in self.keys + self.shown_keys]


def _library(id: str, text: str, *keys: str, requires: Requires = Requires.ENGINE) -> Action:
    return Action(id=id, text=text, group=Group.LIBRARY, keys=keys, requires=requires)


def _photo(
    id: str,
    text: str,
    *keys: str,
    shown: tuple[str, ...] = (),
    icon: Icon | None = None,
    is_in_photo_menu: bool = False,
) -> Action:
    return Action(
        id=id, text=text, group=Group.PHOTO, keys=keys, shown_keys=shown, icon=icon,
        requires=Requires.SELECTION, is_in_photo_menu=is_in_photo_menu,
    )  # fmt: skip


def _video(id: str, text: str, *keys: str) -> Action:
    return Action(id=id, text=text, group=Group.VIDEO, keys=keys, requires=Requires.VIDEO)


def _annotation(
    id: str,
    text: str,
    *keys: str,
    requires: Requires = Requires.SELECTION,
    is_in_photo_menu: bool = True,
) -> Action:
    return Action(
        id=id, text=text, group=Group.ANNOTATIONS, keys=keys, requires=requires,
        is_in_photo_menu=is_in_photo_menu,
    )  # fmt: skip


def _plain(id: str, text: str, group: Group, *keys: str, icon: Icon | None = None) -> Action:
    return Action(id=id, text=text, group=group, keys=keys, icon=icon)


class Actions:
    """The list of actions beside those of the pages; a new action is one entry here."""

    ADD_FOLDER = _library("add-folder", "Add folder…", "Ctrl+O")
    RESCAN = _library("rescan", "Check folders for new photos", "F5")
    SHOW_FAILURES = _library("show-failures", "Files that could not be read")
    JOBS = _library("jobs", "Jobs", "J", requires=Requires.NOTHING)
    FOCUS_SEARCH = _plain("focus-search", "Search", Group.SEARCH, "Ctrl+F", "/")
    SHOW_ALL = _plain("show-all", "Show all, newest first", Group.SEARCH, "Ctrl+Shift+A")
    UNDO = Action(
        id="undo", text="Undo", group=Group.EDIT, keys=("Ctrl+Z",), requires=Requires.UNDO
    )
    REDO = Action(
        id="redo", text="Redo", group=Group.EDIT, keys=("Ctrl+Shift+Z", "Ctrl+Y"),
        requires=Requires.REDO,
    )  # fmt: skip
    OPEN_LARGE = _photo("open-large", "Open", shown=("Return",), is_in_photo_menu=True)
    TOGGLE_LARGE = _photo("toggle-large", "Large view", shown=("Space",), icon=Icon.ENLARGE)
    MORE_LIKE_THIS = _photo(
        "more-like-this", "More like this", "Ctrl+L", icon=Icon.SEARCH, is_in_photo_menu=True
    )
    SHOW_IN_FOLDER = _photo(
        "show-in-folder", "Show in folder", "Ctrl+Return", icon=Icon.FOLDER, is_in_photo_menu=True
    )
    COPY_PATH = _photo(
        "copy-path", "Copy path", "Ctrl+Shift+C", icon=Icon.COPY, is_in_photo_menu=True
    )
    COPY_CAPTION = _photo(
        "copy-caption", "Copy caption", "Ctrl+Alt+C", icon=Icon.QUOTE, is_in_photo_menu=True
    )
    NEXT = _photo("next", "Next photo", shown=("Right",))
    PREVIOUS = _photo("previous", "Previous photo", shown=("Left",))
    SELECT_ALL = _photo("select-all", "Select all", shown=("Ctrl+A",))
    PLAY = _video("play", "Play from this moment, or pause", "P")
    NEXT_MOMENT = _video("next-moment", "Next moment", ".")
    PREVIOUS_MOMENT = _video("previous-moment", "Previous moment", ",")
    EDIT_CAPTION = _annotation("edit-caption", "Edit caption", "E", "F2")
    ACCEPT_CAPTION = _annotation("accept-caption", "Accept caption", "A")
    ADD_TAG = _annotation("add-tag", "Add a tag", "T")
    HISTORY = _annotation("history", "History of captions and tags", "H")
    CAPTION_SELECTION = _annotation("caption-selection", "Caption selection", "Ctrl+D")
    CAPTION_FOLDER = _annotation(
        "caption-folder", "Caption this folder…", "Ctrl+Shift+D", requires=Requires.ENGINE,
        is_in_photo_menu=False,
    )  # fmt: skip
    WRITE_CAPTIONS = _annotation(
        "write-captions", "Write captions to text files…", "Ctrl+E", requires=Requires.ENGINE
    )
    STEP_BACK = _plain("step-back", "Back, or clear the search", Group.VIEW, "Esc")
    TOGGLE_DETAIL = _plain("toggle-detail", "Details", Group.VIEW, "Ctrl+I", icon=Icon.PANEL)
    BIGGER = _plain("bigger", "Larger thumbnails", Group.VIEW, "Ctrl++", "Ctrl+=")
    SMALLER = _plain("smaller", "Smaller thumbnails", Group.VIEW, "Ctrl+-")
    FULL_SCREEN = _plain("full-screen", "Full screen", Group.VIEW, "F", "F11")
    APPEARANCE = _plain("appearance", "Switch between light and dark", Group.VIEW, "Ctrl+Shift+L")
    PALETTE = _plain("palette", "All commands", Group.PROGRAM, "Ctrl+K")
    HELP = _plain("help", "Keyboard shortcuts", Group.PROGRAM, "?", "F1")
    QUIT = _plain("quit", "Quit", Group.PROGRAM, "Ctrl+Q")


ACTIONS = tuple(entry for entry in vars(Actions).values() if isinstance(entry, Action))

Slots = Mapping[Action, Callable[[], object]]


class ActionSet(QObject):
    """The live actions of one window."""

    def __init__(self, parent: QObject, pages: Sequence[Action] = ()) -> None:
        """``pages`` are the actions that lead to the pages."""
        super().__init__(parent)
        self.entries = (*ACTIONS, *pages)
        self._live: dict[Action, QAction] = {}
        for entry in self.entries:
            live = QAction(entry.text, parent)
            live.setObjectName(entry.id)
            live.setShortcuts([QKeySequence(key) for key in entry.keys])
            if entry.keys:
                live.setToolTip(f"{entry.text} ({entry.key_texts()[0]})")
            live.setIconVisibleInMenu(False)  # only some have one, for the tool buttons
            self._live[entry] = live

    def __getitem__(self, entry: Action) -> QAction:
        return self._live[entry]

    def bind(self, *slots: Slots) -> None:
        """Gives every action its slot; one without, or with two, is an error of ours.

        Raises:
            ValueError: an action has no slot, or more than one.
        """
        bound = [entry for part in slots for entry in part]
        if sorted(entry.id for entry in bound) != sorted(entry.id for entry in self.entries):
            raise ValueError("each action needs exactly one slot")
        for part in slots:
            for entry, slot in part.items():
                self._live[entry].triggered.connect(_without_argument(slot))

    def all(self) -> list[QAction]:
        """Every live action, in the order of the list."""
        return list(self._live.values())

    def of_group(self, group: Group) -> list[Action]:
        """The entries of a group, in the order of the list."""
        return [entry for entry in self.entries if entry.group is group]

    def update_enabled(self, given: Collection[Requires]) -> None:
        """Disables each action whose condition is not among ``given``."""
        for entry, live in self._live.items():
            live.setEnabled(entry.requires is Requires.NOTHING or entry.requires in given)


def _without_argument(slot: Callable[[], object]) -> Callable[[bool], None]:
    def run(_checked: bool) -> None:
        slot()

    return run
