"""Where in a picture words come from."""

from __future__ import annotations

from cocadesk.protocol.base import Value
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody


class Explain(RequestBody, frozen=True):
    """Where in a picture a text lies, or each word of a caption; answered by ``Explained``.

    Of a medium (``key``), or of a file (``path``). ``text`` may be a query with its terms; with
    ``is_caption`` it is a caption, word by word, and an empty one is the medium's, made where
    there is none. Of a video, the frame shown at ``time_s``, else the one that stands for it.
    ``sheet`` is a file to write, with the photo under its maps; one that is there is an error.
    """

    key: str = ""
    path: WirePath | None = None
    text: str = ""
    is_caption: bool = False
    time_s: float | None = None
    sheet: WirePath | None = None


class HeatValue(Value, frozen=True):
    """The map of one text or word.

    ``grid`` has rows from the top of what the model saw, each value 0 (cold) to 1. ``peak`` is
    the hottest place in shares of the photo's width and height. ``layer`` is a PNG with an alpha
    channel to lay over the photo, stretched to it; there for media of the library. ``is_spread``:
    the heat is so even that it points nowhere: the whole picture speaks for it, or nothing.
    """

    text: str
    grid: tuple[tuple[float, ...], ...] = ()
    peak: tuple[float, float] = (0.5, 0.5)
    layer: WirePath | None = None
    is_spread: bool = False


class Explained(ReplyBody, frozen=True):
    """The maps of a text, or of a caption's words in their order, without those that say nothing.

    ``seen`` is what the model saw of the photo: left, top, right and bottom in shares. ``likely``
    is the probability that the photo shows the query at all, where that is known: a map has a
    hottest place in any case. Not ``is_shown``: so little that a search would fold the photo away.
    """

    text: str
    heats: tuple[HeatValue, ...] = ()
    seen: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    sheet: WirePath | None = None
    likely: float | None = None
    is_shown: bool = True
