"""The orders of lists: their names, and the one that a person chose last for each kind of list."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.protocol.values import SortKey
from ui.kit.preferences import Preference
from ui.kit.translation import tr


@dataclass(frozen=True, slots=True)
class Sorting:
    """The value by which a list is sorted; ``is_reversed`` turns its usual direction round."""

    key: SortKey = SortKey.RELEVANCE
    is_reversed: bool = False

    @property
    def words(self) -> str:
        """The order as the line above the list tells it."""
        return _WORDS[self.key][1 + self.is_reversed]

    @property
    def turned(self) -> Sorting:
        """The same value in the other direction."""
        return Sorting(self.key, not self.is_reversed)

    def __str__(self) -> str:
        return f"{'-' if self.is_reversed else ''}{self.key.value}"

    @classmethod
    def of(cls, text: str, known: tuple[SortKey, ...]) -> Sorting:
        """The order that ``str`` gave; of another text, or one of none ``known``, the first."""
        name = text.removeprefix("-")
        if name not in known:
            return cls(known[0])
        return cls(SortKey(name), text.startswith("-"))


_WORDS: dict[SortKey, tuple[str, str, str]] = {
    SortKey.RELEVANCE: (tr("Best match"), tr("best match first"), tr("weakest match first")),
    SortKey.TAKEN: (tr("Date taken"), tr("newest first"), tr("oldest first")),
    SortKey.ADDED: (tr("Date added"), tr("last added first"), tr("first added first")),
    SortKey.NAME: (tr("Name"), tr("by name"), tr("by name, last first")),
    SortKey.SIZE: (tr("File size"), tr("largest first"), tr("smallest first")),
    SortKey.RATING: (tr("Stars"), tr("most stars first"), tr("fewest stars first")),
}

_OF_MEDIA = (SortKey.TAKEN, SortKey.ADDED, SortKey.NAME, SortKey.SIZE, SortKey.RATING)


@dataclass(frozen=True, slots=True, eq=False)
class SortChoices:
    """The orders that a kind of list can have, its own first; ``own`` is its name there."""

    name: str
    keys: tuple[SortKey, ...]
    own: str = ""

    def label(self, key: SortKey) -> str:
        """The name of an order of such lists."""
        return self.own if self.own and key is self.keys[0] else _WORDS[key][0]

    @property
    def remembered(self) -> Sorting:
        """The order that such lists had last."""
        return Sorting.of(self._kept.read(), self.keys)

    def remember(self, sorting: Sorting) -> None:
        """Keeps an order for the next list of this kind."""
        self._kept.write(str(sorting))

    @property
    def _kept(self) -> Preference[str]:
        return Preference(f"sort-{self.name}", "")


MEDIA_SORTS = SortChoices("media", _OF_MEDIA)
SEARCH_SORTS = SortChoices("search", (SortKey.RELEVANCE, *_OF_MEDIA))
SIMILAR_SORTS = SortChoices("similar", (SortKey.RELEVANCE, *_OF_MEDIA), tr("Most alike"))
ALBUM_SORTS = SortChoices("album", (SortKey.RELEVANCE, *_OF_MEDIA), tr("Album's order"))
CHOSEN_SORTS = SortChoices("chosen", (SortKey.RELEVANCE,), tr("As chosen"))
GROUP_SORTS = SortChoices("group", (SortKey.RELEVANCE,), tr("Best picture"))
