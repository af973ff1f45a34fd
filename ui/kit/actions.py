"""Everything a person can do, defined once: for menus, palette, keys, tool buttons and help."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from enum import Enum, StrEnum
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence

from ui.kit.icons import Icon
from ui.kit.keys import KeyChoices, key_text
from ui.kit.plain_text import tip_of
from ui.kit.translation import tr


class Group(StrEnum):
    """The groups of menus and help, in their order."""

    LIBRARY = tr("Library")
    SEARCH = tr("Search")
    EDIT = tr("Edit")
    PHOTO = tr("Photo")
    VIDEO = tr("Video")
    ANNOTATIONS = tr("Captions and tags")
    SUGGESTIONS = tr("Suggestions")
    RATING = tr("Stars, flags and albums")
    SAME = tr("Same pictures")
    LARGE = tr("Large view")
    VIEW = tr("View")
    PROGRAM = tr("Program")


class Requires(Enum):
    """The condition under which an action makes sense."""

    NOTHING = 0
    ENGINE = 1
    SELECTION = 2
    VIDEO = 3
    UNDO = 4
    REDO = 5
    GROUP = 6
    LARGE = 7
    LARGE_VIDEO = 8
    BACK = 9
    FORWARD = 10
    LIST = 11


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """One entry of the list of actions, compared by identity.

    ``keys`` are bound in the whole window; ``shown_keys`` belong to a view that handles
    them itself. A photo's action with an ``icon`` has a button in the detail. One that
    ``is_setting`` has a check mark while it is on.
    """

    id: str
    text: str
    keys: tuple[str, ...] = ()
    _: KW_ONLY
    group: Group
    shown_keys: tuple[str, ...] = ()
    requires: Requires = Requires.NOTHING
    icon: Icon | None = None
    is_in_photo_menu: bool = False
    is_setting: bool = False

    def key_texts(self) -> list[str]:
        """Its keys as people read them."""
        return [key_text(key) for key in self.keys + self.shown_keys]


_library = partial(Action, group=Group.LIBRARY, requires=Requires.ENGINE)
_photo = partial(Action, group=Group.PHOTO, requires=Requires.SELECTION)
_video = partial(Action, group=Group.VIDEO, requires=Requires.VIDEO)
_player = partial(Action, group=Group.VIDEO, requires=Requires.LARGE_VIDEO)
_annotation = partial(
    Action, group=Group.ANNOTATIONS, requires=Requires.SELECTION, is_in_photo_menu=True
)
_suggestion = partial(Action, group=Group.SUGGESTIONS, requires=Requires.SELECTION)
_rating = partial(Action, group=Group.RATING, requires=Requires.SELECTION)
_same = partial(Action, group=Group.SAME, requires=Requires.GROUP)
_view = partial(Action, group=Group.VIEW)
_large = partial(Action, group=Group.LARGE, requires=Requires.LARGE)
_program = partial(Action, group=Group.PROGRAM)


class Actions:
    """The list of actions beside those of the pages; a new action is one entry here."""

    ADD_FOLDER = _library("add-folder", tr("Add folder…"), ("Ctrl+O",))
    RESCAN = _library("rescan", tr("Check folders for new photos"), ("F5",))
    FOLDERS = _library("folders", tr("Folders…"), ("Ctrl+Shift+O",))
    WATCH_FOLDERS = _library("watch-folders", tr("Watch folders for changes"), is_setting=True)
    WAIT_ON_BATTERY = _library(
        "wait-on-battery", tr("Let long jobs wait on battery"), is_setting=True
    )
    FORGET_MISSING = _library("forget-missing", tr("Forget what is missing…"))
    SHOW_FAILURES = _library("show-failures", tr("Files that could not be read"))
    JOBS = _library("jobs", tr("Jobs"), ("J",), requires=Requires.NOTHING)
    CHECK_LIBRARY = _library("check-library", tr("Check the library…"))
    REPAIR_LIBRARY = _library("repair-library", tr("Repair the library…"))
    BACK_UP_LIBRARY = _library("back-up-library", tr("Back up the library…"))
    RESTORE_LIBRARY = _library("restore-library", tr("Restore from a backup…"))
    EXPORT_LIBRARY = _library("export-library", tr("Export the library…"))
    MOVE_LIBRARY = _library("move-library", tr("Move the library…"))
    REMOVE_OLD_LIBRARY = _library("remove-old-library", tr("Remove its old copy…"))
    OPEN_LIBRARY = _library("open-library", tr("Open another library…"), requires=Requires.NOTHING)
    NEW_LIBRARY = _library("new-library", tr("New library…"), requires=Requires.NOTHING)
    TAKE_OVER_CAPTIONS = _library("take-over-captions", tr("Take over captions beside photos…"))
    FOCUS_SEARCH = Action("focus-search", tr("Search"), ("Ctrl+F", "/"), group=Group.SEARCH)
    SHOW_ALL = Action("show-all", tr("Show all photos"), ("Ctrl+Shift+A",), group=Group.SEARCH)
    ADD_FILTER = Action(
        "add-filter", tr("Add a filter…"), ("Ctrl+Shift+F",), group=Group.SEARCH,
        requires=Requires.LIST,
    )  # fmt: skip
    PASTE_PICTURE = Action(
        "paste-picture", tr("Search by the copied picture"), ("Ctrl+V",), group=Group.SEARCH,
        requires=Requires.ENGINE,
    )  # fmt: skip
    TURN_ORDER = Action(
        "turn-order", tr("Turn the order round"), ("Ctrl+Alt+R",), group=Group.SEARCH,
        requires=Requires.LIST,
    )  # fmt: skip
    GO_BACK = Action(
        "go-back", tr("Back to the list before"), ("Alt+Left",), group=Group.SEARCH,
        requires=Requires.BACK,
    )  # fmt: skip
    GO_FORWARD = Action(
        "go-forward", tr("Forward to the next list"), ("Alt+Right",), group=Group.SEARCH,
        requires=Requires.FORWARD,
    )  # fmt: skip
    UNDO = Action("undo", tr("Undo"), ("Ctrl+Z",), group=Group.EDIT, requires=Requires.UNDO)
    REDO = Action(
        "redo", tr("Redo"), ("Ctrl+Shift+Z", "Ctrl+Y"), group=Group.EDIT, requires=Requires.REDO
    )
    OPEN_LARGE = _photo("open-large", tr("Open"), shown_keys=("Return",), is_in_photo_menu=True)
    TOGGLE_LARGE = _photo(
        "toggle-large", tr("Large view"), shown_keys=("Space",), icon=Icon.ENLARGE
    )
    MORE_LIKE_THIS = _photo(
        "more-like-this", tr("More like this"), ("Ctrl+L",), icon=Icon.SEARCH, is_in_photo_menu=True
    )
    MORE_LIKE_THESE = _photo(
        "more-like-these",
        tr("More like all selected"),
        ("Ctrl+Alt+L",),
        is_in_photo_menu=True,
    )
    LESS_LIKE_THIS = _photo(
        "less-like-this", tr("Less like this"), ("Alt+L",), is_in_photo_menu=True
    )
    OPEN_FILE = _photo(
        "open-file", tr("Open in its program"), ("Shift+Return",), is_in_photo_menu=True
    )
    SHOW_IN_FOLDER = _photo(
        "show-in-folder",
        tr("Show in folder"),
        ("Ctrl+Return",),
        icon=Icon.FOLDER,
        is_in_photo_menu=True,
    )
    COPY_PATH = _photo(
        "copy-path", tr("Copy path"), ("Ctrl+Shift+C",), icon=Icon.COPY, is_in_photo_menu=True
    )
    COPY_CAPTION = _photo(
        "copy-caption", tr("Copy caption"), ("Ctrl+Alt+C",), icon=Icon.QUOTE, is_in_photo_menu=True
    )
    COPY_PICTURE = _photo(
        "copy-picture", tr("Copy picture and file"), ("Ctrl+C",), is_in_photo_menu=True
    )
    HIDE = _photo("hide", tr("Hide, or show again"), ("Ctrl+H",), is_in_photo_menu=True)
    MOVE_TO_BIN = _photo("move-to-bin", tr("Move to the bin…"), ("Del",), is_in_photo_menu=True)
    PUT_BACK = _photo("put-back", tr("Put back from the bin"), requires=Requires.ENGINE)
    FORGET_PHOTO = _photo("forget-photo", tr("Forget this photo…"), is_in_photo_menu=True)
    COMPARE_SELECTED = _photo(
        "compare-selected", tr("Compare side by side"), ("Shift+C",), is_in_photo_menu=True
    )
    SLIDESHOW = _photo("slideshow", tr("Slideshow"), ("F8",))
    NEXT = _photo("next", tr("Next photo"), shown_keys=("Right",))
    PREVIOUS = _photo("previous", tr("Previous photo"), shown_keys=("Left",))
    SELECT_ALL = _photo("select-all", tr("Select all"), shown_keys=("Ctrl+A",))
    PLAY = _video("play", tr("Play from this moment, or pause"), ("K",))
    NEXT_MOMENT = _video("next-moment", tr("Next moment"), (".",))
    PREVIOUS_MOMENT = _video("previous-moment", tr("Previous moment"), (",",))
    NEXT_FRAME = _player("next-frame", tr("Frame forward"), ("Ctrl+Right",))
    PREVIOUS_FRAME = _player("previous-frame", tr("Frame back"), ("Ctrl+Left",))
    FASTER = _player("faster", tr("Faster"), ("Ctrl+Up",))
    SLOWER = _player("slower", tr("Slower"), ("Ctrl+Down",))
    LOUDER = _player("louder", tr("Louder"), ("Alt+Up",))
    SOFTER = _player("softer", tr("Softer"), ("Alt+Down",))
    MUTE = _player("mute", tr("Sound on or off"), ("Shift+M",))
    LOOP = _player("loop", tr("Play again and again, or once"), ("Shift+L",))
    EDIT_CAPTION = _annotation("edit-caption", tr("Edit caption"), ("E", "F2"))
    ACCEPT_CAPTION = _annotation("accept-caption", tr("Accept caption"), ("A",))
    ADD_TAG = _annotation("add-tag", tr("Add a tag"), ("T",))
    HISTORY = _annotation("history", tr("History of captions and tags"), ("H",))
    CAPTION_SELECTION = _annotation("caption-selection", tr("Caption selection"), ("Ctrl+D",))
    CAPTION_FOLDER = _annotation(
        "caption-folder", tr("Caption this folder…"), ("Ctrl+Shift+D",), requires=Requires.ENGINE,
        is_in_photo_menu=False,
    )  # fmt: skip
    WRITE_CAPTIONS = _annotation(
        "write-captions", tr("Write captions to text files…"), ("Ctrl+E",), requires=Requires.ENGINE
    )
    REVIEW = _suggestion(
        "review", tr("Review suggestions one by one"), ("F7",), requires=Requires.LIST
    )
    ACCEPT_BOTH = _suggestion("accept-both", tr("Accept caption and tags"), ("Shift+A",))
    ACCEPT_TAGS = _suggestion("accept-tags", tr("Accept tags"))
    REJECT_BOTH = _suggestion("reject-both", tr("Reject caption and tags"), ("Shift+R",))
    REJECT_CAPTION = _suggestion("reject-caption", tr("Reject caption"))
    REJECT_TAGS = _suggestion("reject-tags", tr("Reject tags"))
    NO_STARS = _rating("no-stars", tr("No stars"), ("0",))
    ONE_STAR = _rating("one-star", tr("1 star"), ("1",))
    TWO_STARS = _rating("two-stars", tr("2 stars"), ("2",))
    THREE_STARS = _rating("three-stars", tr("3 stars"), ("3",))
    FOUR_STARS = _rating("four-stars", tr("4 stars"), ("4",))
    FIVE_STARS = _rating("five-stars", tr("5 stars"), ("5",))
    PICK = _rating("pick", tr("Pick"), ("P",))
    REJECT = _rating("reject", tr("Reject"), ("X",))
    UNFLAG = _rating("unflag", tr("Neither pick nor reject"), ("U",))
    FAVOURITE = _rating("favourite", tr("Favourite, or no longer"), ("L",))
    ADD_TO_ALBUM = _rating("add-to-album", tr("Add to album…"), ("B",), is_in_photo_menu=True)
    LEAVE_ALBUM = _rating("leave-album", tr("Take out of this album"), ("Ctrl+Shift+B",))
    MOVE_EARLIER = _rating("move-earlier", tr("Earlier in this album"), ("Alt+Shift+Left",))
    MOVE_LATER = _rating("move-later", tr("Later in this album"), ("Alt+Shift+Right",))
    ALBUMS = _rating(
        "albums", tr("Albums and saved searches…"), ("Ctrl+B",), requires=Requires.ENGINE
    )
    SAVE_SEARCH = _rating(
        "save-search", tr("Save this search…"), ("Ctrl+S",), requires=Requires.ENGINE
    )
    COLLAPSE = _same(
        "collapse-same", tr("Collapse same pictures"), requires=Requires.NOTHING, is_setting=True
    )
    COLLAPSE_BURSTS = _same(
        "collapse-bursts", tr("Collapse bursts as well"), requires=Requires.NOTHING, is_setting=True
    )
    OPEN_GROUP = _same(
        "open-group", tr("Open or close its group"), ("G",), requires=Requires.SELECTION,
        is_in_photo_menu=True,
    )  # fmt: skip
    FIND_SAME = _same("find-same", tr("Look for same pictures now"), requires=Requires.ENGINE)
    COMPARE = _same("compare", tr("Side by side"), ("C",))
    SET_BEST = _same("set-best", tr("Mark as the best"), ("M",))
    NOT_SAME = _same("not-same", tr("Not the same"), ("N",))
    REJECT_OTHERS = _same("reject-others", tr("Reject all but the best"), ("R",))
    SHOW_GROUP = _same("show-group", tr("Show in the library"), ("S",))
    ZOOM_REAL = _large("zoom-real", tr("Real pixels (100 %), or the whole photo"), ("Z",))
    ZOOM_FIT = _large("zoom-fit", tr("The whole photo"), ("Ctrl+0",))
    KEEP_ZOOM = _large("keep-zoom", tr("Keep the zoom from photo to photo"), is_setting=True)
    TURN_RIGHT = _large("turn-right", tr("Turn right, on the screen only"), ("Ctrl+R",))
    TURN_LEFT = _large("turn-left", tr("Turn left, on the screen only"), ("Ctrl+Shift+R",))
    PHOTO_INFO = _large("photo-info", tr("Name, date and camera on top"), ("I",), is_setting=True)
    FILMSTRIP = _large("filmstrip", tr("Filmstrip"), ("V",), is_setting=True)
    SHOW_WHERE = _photo("show-where", tr("Where the words come from"), ("W",))
    SHUFFLE = _view("shuffle", tr("Slideshow in any order"), is_setting=True)
    STEP_BACK = _view("step-back", tr("Back, or clear the search"), ("Esc",))
    TOGGLE_DETAIL = _view("toggle-detail", tr("Details"), ("Ctrl+I",), icon=Icon.PANEL)
    TOGGLE_SIDE_BAR = _view("toggle-side-bar", tr("Side bar"), ("F9",), icon=Icon.SIDE)
    FOCUS_SIDE_BAR = _view("focus-side-bar", tr("Go to the side bar"), ("Ctrl+Shift+S",))
    BIGGER = _view("bigger", tr("Larger thumbnails"), ("Ctrl++", "Ctrl+="))
    SMALLER = _view("smaller", tr("Smaller thumbnails"), ("Ctrl+-",))
    SQUARES = _view("squares", tr("Photos as squares"), ("Ctrl+Shift+Q",), is_setting=True)
    HEADERS_AUTO = _view("headers-auto", tr("Dates by the size of photos"), is_setting=True)
    HEADERS_DAY = _view("headers-day", tr("Dates by day"), is_setting=True)
    HEADERS_MONTH = _view("headers-month", tr("Dates by month"), is_setting=True)
    HEADERS_YEAR = _view("headers-year", tr("Dates by year"), is_setting=True)
    NO_HEADERS = _view("no-headers", tr("No dates"), is_setting=True)
    FULL_SCREEN = _view("full-screen", tr("Full screen"), ("F", "F11"))
    APPEARANCE = _view("appearance", tr("Switch between light and dark"), ("Ctrl+Shift+L",))
    PALETTE = _program("palette", tr("All commands"), ("Ctrl+K",))
    HELP = _program("help", tr("Keyboard shortcuts"), ("?", "F1"))
    QUIT = _program("quit", tr("Quit"), ("Ctrl+Q",))


ACTIONS = tuple(entry for entry in vars(Actions).values() if isinstance(entry, Action))

Slots = Mapping[Action, Callable[[], object]]


class ActionSet(QObject):
    """The live actions of one window."""

    def __init__(self, parent: QObject, pages: Sequence[Action] = ()) -> None:
        """``pages`` are the actions that lead to the pages."""
        super().__init__(parent)
        self.entries = (*ACTIONS, *pages)
        self.choices = KeyChoices()
        self._live: dict[Action, QAction] = {}
        for entry in self.entries:
            live = QAction(entry.text, parent)
            live.setObjectName(entry.id)
            live.setCheckable(entry.is_setting)
            live.setIconVisibleInMenu(False)  # only some have one, for the tool buttons
            self._live[entry] = live
        self.apply_keys()

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
                self._live[entry].triggered.connect(without_argument(slot))

    def apply_keys(self) -> None:
        """Gives every action the keys that are chosen for it now, in its tip as well."""
        for entry, live in self._live.items():
            keys = self.keys(entry)
            live.setShortcuts([QKeySequence(key) for key in keys])
            tip = f"{entry.text} ({key_text(keys[0])})" if keys else entry.text
            live.setToolTip(tip_of(tip))

    def keys(self, entry: Action) -> tuple[str, ...]:
        """The keys that are bound to an action in the whole window."""
        return self.choices.keys(entry.id, entry.keys)

    def given_keys(self, entry: Action) -> tuple[str, ...]:
        """The keys that belong to an action, also those that are off with all letters."""
        return self.choices.given(entry.id, entry.keys)

    def key_texts(self, entry: Action) -> list[str]:
        """All keys of an action as people read them, those of views too."""
        return [key_text(key) for key in self.keys(entry) + entry.shown_keys]

    def owner_of(self, key: str) -> Action | None:
        """The action to which this key belongs, also where it is off with all letters."""
        return next((e for e in self.entries if key in self.given_keys(e) + e.shown_keys), None)

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


def without_argument(slot: Callable[[], object]) -> Callable[[bool], None]:
    """The slot for a signal that tells whether there is a check mark, which it does not ask."""

    def run(_checked: bool) -> None:
        slot()

    return run
