"""The list that the grid shows, as plain values, or the text where there is nothing to show."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.errors import UserError
from cocadesk.protocol.messages import ReadAs, album_name
from ui.kit.texts import clipped, count_media
from ui.kit.translation import grouped, tr, tr_count
from ui.library.query import Showing as Showing


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
        line = "" if self.problem is not None else self._line
        if not line or not self.hidden:
            return line
        hidden = tr_count(self.hidden, "{n} same picture collapsed", "{n} same pictures collapsed")
        return f"{line} · {hidden}"

    @property
    def _line(self) -> str:
        order = self.order or _ORDERS.get(self.showing, "")
        if self.showing in (Showing.NEWEST, Showing.FILTERED):
            return f"{count_media(self.total)}, {order}" if self.total else ""
        if self.showing is Showing.SEARCH:
            return self._search_line
        if self.showing is Showing.ALBUM:
            album = tr_count(
                self.total, "{n} photo or video in the album “{album}”",
                "{n} photos and videos in the album “{album}”", album=album_name(self.query),
            )  # fmt: skip
            return f"{album}, {order}" if order else album
        if self.showing is Showing.SIMILAR:
            said = (
                f"{self._asked}, {order}"
                if self.query
                else tr("Looks {likeness}, {order}", likeness=self.likeness, order=order)
            )
            return said if self.shown else tr("Nothing found for {asked}", asked=self._asked)
        if self.showing is Showing.CHOSEN:
            return f"{count_media(self.total)} {self.query}"
        if self.showing is Showing.GROUP:
            if self.has_videos:
                return tr_count(
                    self.shown, "{name} and what is alike: {n} photo or video, best first",
                    "{name} and what is alike: {n} photos and videos, best first", name=self.query,
                )  # fmt: skip
            return tr_count(
                self.shown, "{name} and what is alike: {n} photo, best first",
                "{name} and what is alike: {n} photos, best first", name=self.query,
            )  # fmt: skip
        return ""

    @property
    def _asked(self) -> str:
        """The text in quotes, and the pictures beside it."""
        text = tr("“{query}”", query=clipped(self.query)) if self.query else ""
        return ", ".join(part for part in (text, self.likeness) if part)

    @property
    def short_headline(self) -> str:
        """The number alone, where there is no room for the headline; empty: none."""
        is_cut = self.is_judged and not self.is_open and bool(self.rest or self.believed)
        number = self.believed if is_cut else self.total or self.shown
        if not self.headline or not number:
            return ""
        if self.showing is Showing.SEARCH:  # what was asked for stands above
            return tr_count(number, "{n} result", "{n} results")
        return count_media(number)

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

    @property
    def _search_line(self) -> str:
        if self.is_judged and not self.is_open and (self.rest or self.believed):
            order = self.order or tr("best match first")
            if not self.believed:
                return tr("Nothing here shows {asked}", asked=self._asked)
            if self.has_videos:
                return tr_count(
                    self.believed, "{n} photo or video shows {asked}, {order}",
                    "{n} photos and videos show {asked}, {order}", asked=self._asked, order=order,
                )  # fmt: skip
            return tr_count(
                self.believed, "{n} photo shows {asked}, {order}",
                "{n} photos show {asked}, {order}", asked=self._asked, order=order,
            )  # fmt: skip
        if not self.shown:
            return tr("Nothing found for {asked}", asked=self._asked)
        if self.is_complete:
            order = self.order or (tr("best match first") if self.is_ranked else tr("newest first"))
            return tr_count(
                self.shown, "{n} result for {asked}, {order}", "{n} results for {asked}, {order}",
                asked=self._asked, order=order,
            )  # fmt: skip
        order = f", {self.order}" if self.order else ""
        if self.is_ranked:
            return tr(
                "The {shown} best matches for {asked}{order}",
                shown=grouped(self.shown),
                asked=self._asked,
                order=order,
            )
        shown = grouped(self.shown)
        if not order:
            return tr("The {shown} newest results for {asked}", shown=shown, asked=self._asked)
        return tr(
            "The {shown} first results for {asked}{order}",
            shown=shown,
            asked=self._asked,
            order=order,
        )


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
