"""Why a search found a photo, in words and as a badge."""

from __future__ import annotations

from typing import NamedTuple

from cocadesk.protocol.values import Hit


class _Way(NamedTuple):
    """A way in which a search finds: a word for a badge, none for the usual, and its words."""

    badge: str
    words: str


_WAYS = {
    "tag": _Way("tag", "a tag"),
    "person": _Way("person", "a person in it"),
    "album": _Way("album", "its album"),
    "caption": _Way("caption", "its caption"),
    "title": _Way("title", "its title"),
    "keyword": _Way("keyword", "a keyword"),
    "name": _Way("name", "its file name"),
    "folder": _Way("folder", "its folder"),
    "description": _Way("description", "its description"),
    "place": _Way("place", "its place"),
    "camera": _Way("camera", "its camera"),
    "suggested tag": _Way("", "a suggested tag"),
    "suggested caption": _Way("", "the suggested caption"),
    "picture": _Way("", "what it shows"),
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
    listed = " and ".join([", ".join(known[:-1])] * (len(known) > 1) + known[-1:])
    if not hit.relevant:
        return f"Near to the search by {listed}, but probably does not show it"
    return f"Found by {listed}"
