"""The list that the grid shows, as plain values, or the text where there is nothing to show."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.errors import UserError
from cocadesk.protocol.messages import ReadAs, album_name
from ui.kit.texts import clipped, count_media, unquoted
from ui.kit.translation import grouped, tr, tr_count
from ui.library.query import Showing as Showing

_MOST_LETTERS, _FEW_LETTERS = 80, 24
"""The letters of a name or a text in a headline, and in one for little room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The list that is shown and the one that was asked for last.

    ``shown`` counts its entries, ``total`` those of the library, ``hidden`` the same pictures
    for which others stand; a list that is not
    ``is_complete`` was cut off, and one that is not ``is_ranked`` answers filters without
    words. Of a search that ``is_judged`` the model believes ``believed`` media to fit; the
    ``rest`` is shown where it ``is_open``. ``likeness`` names the pictures that it is to be like
    or unlike. ``order`` says which comes first where that is not
    its own order, ``problem`` why there is no list. ``note`` is what the engine says of a text,
    ``read_as`` what of it was read as dates. It ``has_videos`` among what was found.
    """

    showing: Showing = Showing.NOTHING_YET
    query: str = ""
    likeness: str = ""
    note: str = ""
    read_as: tuple[ReadAs, ...] = ()
    order: str = ""
    shown: int = 0
    total: int = 0
    hidden: int = 0
    is_complete: bool = True
    is_ranked: bool = True
    is_filtered: bool = False
    is_settled: bool = False
    is_judged: bool = False
    believed: int = 0
    rest: int = 0
    is_open: bool = False
    has_videos: bool = False
    problem: UserError | None = None

    @property
    def can_be_saved(self) -> bool:
        """True where a query led here that can be asked again."""
        is_kind = self.showing in (Showing.SEARCH, Showing.ALBUM, Showing.FILTERED)
        return is_kind and not self.likeness

    @property
    def headline(self) -> str:
        """One line on what is shown; empty where a problem is told in its place."""
        return next(iter(self.headlines), "")

    @property
    def headlines(self) -> tuple[str, ...]:
        """The headline, and what stands for it where there is less and less room.

        First goes what a list is without, then its order, then the end of a long text; the
        number stays.
        """
        said = "" if self.problem is not None else self._said()
        if not said:
            return ()
        whole = f"{said}, {self._order}" if self._order else said
        lines = [whole, said, self._said(_FEW_LETTERS), *self._numbers]
        if self.hidden:
            without = tr_count(
                self.hidden, "{n} same picture collapsed", "{n} same pictures collapsed"
            )
            lines.insert(0, f"{whole} · {without}")
        return tuple(dict.fromkeys(lines))

    @property
    def _numbers(self) -> tuple[str, ...]:
        """How many there are, in fewer and fewer words; what was asked for stands above."""
        number = self.believed if self._is_cut else self.total or self.shown
        if not number:
            return (tr("Nothing found"),)
        if self.showing is Showing.SEARCH and self._has_best_alone:
            return (tr("The best {shown}", shown=grouped(self.shown)),)
        if self.showing in (Showing.SEARCH, Showing.SIMILAR):
            return (tr_count(number, "{n} result", "{n} results"),)
        return (count_media(number), tr_count(number, "{n} in all", "{n} in all"))

    def _said(self, most: int = _MOST_LETTERS) -> str:
        """What is shown but for its order; names and texts have so many letters at most."""
        if self.showing in (Showing.NEWEST, Showing.FILTERED):
            return count_media(self.total) if self.total else ""
        if self.showing is Showing.SEARCH:
            return self._said_of_search(most)
        if self.showing is Showing.ALBUM:
            return tr_count(
                self.total, "{n} photo or video in the album “{album}”",
                "{n} photos and videos in the album “{album}”",
                album=clipped(album_name(self.query), most),
            )  # fmt: skip
        if self.showing is Showing.SIMILAR:
            if not self.shown:
                return tr("Nothing found for {asked}", asked=self._asked(most))
            return (
                self._asked(most) if self.query else tr("Looks {likeness}", likeness=self.likeness)
            )
        if self.showing is Showing.CHOSEN:
            return f"{count_media(self.total)} {self.query}"
        if self.showing is Showing.GROUP:
            name = clipped(self.query, most)
            if self.has_videos:
                return tr_count(
                    self.shown, "{name} and what is alike: {n} photo or video",
                    "{name} and what is alike: {n} photos and videos", name=name,
                )  # fmt: skip
            return tr_count(
                self.shown, "{name} and what is alike: {n} photo",
                "{name} and what is alike: {n} photos", name=name,
            )  # fmt: skip
        return ""

    @property
    def _order(self) -> str:
        """Which comes first, where the headline says it."""
        if self.showing is Showing.CHOSEN or (self.showing is not Showing.NEWEST and self._is_none):
            return ""
        if self.showing is Showing.GROUP:
            return tr("best first")
        if self.showing is Showing.SEARCH and (self.is_complete or self._is_cut):
            is_best_first = self.is_ranked or self._is_cut
            return self.order or (tr("best match first") if is_best_first else tr("newest first"))
        return self.order or _ORDERS.get(self.showing, "")

    @property
    def _is_cut(self) -> bool:
        """True where only those of a search are shown that the model believes to fit."""
        is_judged = self.showing is Showing.SEARCH and self.is_judged and not self.is_open
        has_more = not self.is_complete and not self.rest  # all that came fit: others may, too
        return is_judged and bool(self.rest or self.believed) and not has_more

    @property
    def _has_best_alone(self) -> bool:
        """True where a search has more than it shows, however well they fit."""
        return self.is_ranked and not self.is_complete and not self._is_cut

    @property
    def _is_none(self) -> bool:
        return not (self.believed if self._is_cut else self.total or self.shown)

    def _asked(self, most: int) -> str:
        """The text in quotes, and the pictures beside it."""
        text = tr("“{query}”", query=clipped(unquoted(self.query), most)) if self.query else ""
        return ", ".join(part for part in (text, self.likeness) if part)

    @property
    def fold_text(self) -> str:
        """The text of the button that shows the rest of a search, or hides it; empty: none."""
        if self.problem is not None or not self.rest:
            return ""
        if self.is_open:
            return (
                tr("Show only the {believed} that fit", believed=grouped(self.believed))
                if self.believed
                else tr("Hide these")
            )
        return (
            tr("Show the {rest} nearest", rest=grouped(self.rest))
            if not self.believed
            else tr("Show {rest} more", rest=grouped(self.rest))
        )

    def _said_of_search(self, most: int) -> str:
        asked = self._asked(most)
        if self._is_cut:
            if not self.believed:
                return tr("Nothing here shows {asked}", asked=asked)
            if self.has_videos:
                return tr_count(
                    self.believed, "{n} photo or video shows {asked}",
                    "{n} photos and videos show {asked}", asked=asked,
                )  # fmt: skip
            return tr_count(
                self.believed, "{n} photo shows {asked}", "{n} photos show {asked}", asked=asked
            )
        if not self.shown:
            return tr("Nothing found for {asked}", asked=asked)
        if self.is_complete:
            return tr_count(
                self.shown, "{n} result for {asked}", "{n} results for {asked}", asked=asked
            )
        shown = grouped(self.shown)
        if self._has_best_alone:
            return tr("The {shown} best matches for {asked}", shown=shown, asked=asked)
        if not self.order:
            return tr("The {shown} newest results for {asked}", shown=shown, asked=asked)
        return tr("The {shown} first results for {asked}", shown=shown, asked=asked)


_ORDERS = {
    Showing.NEWEST: tr("newest first"),
    Showing.FILTERED: tr("newest first"),
    Showing.SIMILAR: tr("most alike first"),
}
"""The order of each kind of list unless it is said."""


@dataclass(frozen=True, slots=True)
class FilterHint:
    """A sentence on an empty list, and the filter that should go, with its words."""

    text: str
    term: str
    words: str
