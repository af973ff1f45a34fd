"""Why a search found a photo, in words and as a badge."""

from __future__ import annotations

from typing import NamedTuple

from cocadesk.protocol.values import Hit
from ui.kit.translation import tr


class _Way(NamedTuple):
    """A way in which a search finds: a word for a badge, none for the usual, and its words."""

    badge: str
    words: str


_WAYS = {
    "tag": _Way(tr("tag"), tr("a tag")),
    "person": _Way(tr("person"), tr("a person in it")),
    "album": _Way(tr("album"), tr("its album")),
    "caption": _Way(tr("caption"), tr("its caption")),
    "title": _Way(tr("title"), tr("its title")),
    "keyword": _Way(tr("keyword"), tr("a keyword")),
    "name": _Way(tr("name"), tr("its file name")),
    "folder": _Way(tr("folder"), tr("its folder")),
    "description": _Way(tr("description"), tr("its description")),
    "place": _Way(tr("place"), tr("its place")),
    "camera": _Way(tr("camera"), tr("its camera")),
    "suggested tag": _Way("", tr("a suggested tag")),
    "suggested caption": _Way("", tr("the suggested caption")),
    "picture": _Way("", tr("what it shows")),
}


def found_badge(hit: Hit | None) -> str:
    """A word where words found the photo; none where its picture did, as mostly."""
    ways = () if hit is None else (_WAYS[by] for by in hit.by if by in _WAYS)
    return next((way.badge for way in ways if way.badge), "")


def found_words(hit: Hit | None) -> str:
    """A sentence on what of a photo a search found, and how sure the model is."""
    if hit is None:
        return ""
    known = [_WAYS[by].words for by in hit.by if by in _WAYS]
    if not known:
        return ""
    listed = known[-1]
    if known[:-1]:
        listed = tr("{some} and {last}", some=", ".join(known[:-1]), last=listed)
    if not hit.relevant:
        return tr("Near to the search by {listed}, but probably does not show it", listed=listed)
    return tr("Found by {listed}", listed=listed)
