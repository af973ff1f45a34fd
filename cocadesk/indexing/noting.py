"""A matcher that notes which files are in hand."""

from __future__ import annotations

from cocadesk.indexing.known_files import MatchedFile, Unreadable, Vanished
from cocadesk.indexing.pictures import Decoded
from cocadesk.indexing.pipeline import Matcher
from cocadesk.library.in_hand import InHand
from cocadesk.media.types import DecodeFailure, FoundFile


class NotingMatcher:
    """A matcher that notes each file when it is begun; who commits it notes its end."""

    def __init__(self, matcher: Matcher, in_hand: InHand) -> None:
        self._matcher = matcher
        self._in_hand = in_hand

    def match_bytes(self, found: FoundFile) -> MatchedFile | None:
        """As the matcher within; the file is in hand from now on."""
        self._in_hand.begin((found.path,))
        return self._matcher.match_bytes(found)

    def match_picture(
        self, found: FoundFile, result: Decoded | DecodeFailure
    ) -> MatchedFile | Unreadable | Vanished:
        """As the matcher within."""
        return self._matcher.match_picture(found, result)
