"""The sections of the side bar, and how their entries are named and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from cocadesk.protocol.messages import BranchKind, ListName
from ui.kit.icons import Icon
from ui.kit.translation import tr


class Section(Enum):
    """The sections, in their order."""

    LIBRARY = "library"
    FOLDER = "folder"
    ALBUM = "album"
    SEARCH = "search"
    PLACE = "place"
    PERSON = "person"
    TAG = "tag"

    @property
    def kind(self) -> BranchKind | None:
        """The kind of its entries; None for the lists that every library has."""
        return None if self is Section.LIBRARY else BranchKind(self.value)


TITLES: Mapping[Section, str] = {
    Section.LIBRARY: tr("Library"),
    Section.FOLDER: tr("Folders"),
    Section.ALBUM: tr("Albums"),
    Section.SEARCH: tr("Saved searches"),
    Section.PLACE: tr("Places"),
    Section.PERSON: tr("People"),
    Section.TAG: tr("Tags"),
}
ICONS: Mapping[Section, Icon] = {
    Section.LIBRARY: Icon.PHOTO,
    Section.FOLDER: Icon.FOLDER,
    Section.ALBUM: Icon.ALBUM,
    Section.SEARCH: Icon.SEARCH,
    Section.PLACE: Icon.PLACE,
    Section.PERSON: Icon.PERSON,
    Section.TAG: Icon.TAG,
}
LISTS: Mapping[ListName, tuple[str, Icon]] = {
    ListName.ALL: (tr("All"), Icon.PHOTO),
    ListName.FAVOURITES: (tr("Favourites"), Icon.HEART_OUTLINE),
    ListName.PICKS: (tr("Picks"), Icon.FLAG),
    ListName.RECENT: (tr("Recently added"), Icon.CLOCK),
    ListName.VIDEOS: (tr("Videos"), Icon.FILM),
    ListName.WITHOUT_CAPTION: (tr("Without caption"), Icon.BLANK),
    ListName.TO_REVIEW: (tr("To review"), Icon.REVIEW),
    ListName.MISSING: (tr("Missing"), Icon.UNKNOWN),
    ListName.OFFLINE: (tr("Offline"), Icon.UNPLUGGED),
}
TIPS: Mapping[ListName, str] = {
    ListName.RECENT: tr("Added in the last 30 days"),
    ListName.WITHOUT_CAPTION: tr("Nobody has captioned these yet"),
    ListName.TO_REVIEW: tr("Captions that CocaDesk wrote and you have not accepted yet"),
    ListName.MISSING: tr("Their files are gone"),
    ListName.OFFLINE: tr("On a disk that is not connected"),
}
ONLY_WITH_MEDIA = frozenset({ListName.MISSING, ListName.OFFLINE})
"""Lists that are shown only where they hold anything."""
ALWAYS_THERE = frozenset({Section.LIBRARY, Section.ALBUM})
"""Sections that are shown also where they have no entries."""
