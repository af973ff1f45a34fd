"""The sections of the side bar, and how their entries are named and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from cocadesk.protocol.messages import BranchKind, ListName
from ui.kit.icons import Icon


class Section(Enum):
    """The sections, in their order."""

    LIBRARY = "library"
    FOLDER = "folder"
    ALBUM = "album"
    SEARCH = "search"
    PLACE = "place"
    PERSON = "person"

    @property
    def kind(self) -> BranchKind | None:
        """The kind of its entries; None for the lists that every library has."""
        return None if self is Section.LIBRARY else BranchKind(self.value)


TITLES: Mapping[Section, str] = {
    Section.LIBRARY: "Library",
    Section.FOLDER: "Folders",
    Section.ALBUM: "Albums",
    Section.SEARCH: "Saved searches",
    Section.PLACE: "Places",
    Section.PERSON: "People",
}
ICONS: Mapping[Section, Icon] = {
    Section.LIBRARY: Icon.PHOTO,
    Section.FOLDER: Icon.FOLDER,
    Section.ALBUM: Icon.ALBUM,
    Section.SEARCH: Icon.SEARCH,
    Section.PLACE: Icon.PLACE,
    Section.PERSON: Icon.PERSON,
}
LISTS: Mapping[ListName, tuple[str, Icon]] = {
    ListName.ALL: ("All", Icon.PHOTO),
    ListName.FAVOURITES: ("Favourites", Icon.HEART_OUTLINE),
    ListName.PICKS: ("Picks", Icon.FLAG),
    ListName.RECENT: ("Recently added", Icon.CLOCK),
    ListName.VIDEOS: ("Videos", Icon.FILM),
    ListName.WITHOUT_CAPTION: ("Without caption", Icon.BLANK),
    ListName.TO_REVIEW: ("To review", Icon.REVIEW),
    ListName.MISSING: ("Missing", Icon.UNKNOWN),
    ListName.OFFLINE: ("Offline", Icon.UNPLUGGED),
}
TIPS: Mapping[ListName, str] = {
    ListName.RECENT: "Added in the last 30 days",
    ListName.WITHOUT_CAPTION: "Nobody has captioned these yet",
    ListName.TO_REVIEW: "Captions that CocaDesk wrote and you have not accepted yet",
    ListName.MISSING: "Their files are gone",
    ListName.OFFLINE: "On a disk that is not connected",
}
ONLY_WITH_MEDIA = frozenset({ListName.MISSING, ListName.OFFLINE})
"""Lists that are shown only where they hold anything."""
ALWAYS_THERE = frozenset({Section.LIBRARY, Section.ALBUM})
"""Sections that are shown also where they have no entries."""
