"""The messages about what a machine has suggested and nobody has decided on yet."""

from __future__ import annotations

from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody
from cocadesk.protocol.values import Scope


class DecideSuggestions(RequestBody, frozen=True):
    """Accepts or rejects what the machine suggested for these media; ``AnnotationsReply``.

    One undoable batch. Media without a suggestion stay as they are, and so does all that a
    person has said. What is accepted is the person's own from then on. What is rejected does
    not come back: that tag of that medium is never suggested again, and the medium gets no
    caption from a machine any more (see ``SetAnnotations.no_caption``).
    """

    keys: tuple[str, ...]
    accepts: bool
    captions: bool = True
    tags: bool = True


class ListSuggestions(RequestBody, frozen=True):
    """The media of a scope whose caption is a machine's, least sure first; ``Suggestions``.

    The order is that of ``Row.caption_score``; captions without a score come last. At most
    ``limit`` keys are given.
    """

    scope: Scope = Scope()
    limit: int = 20_000


class Suggestions(ReplyBody, frozen=True):
    """The first keys, how many there are in all, and how many media of the scope are no such."""

    keys: tuple[str, ...] = ()
    total: int = 0
    others: int = 0
