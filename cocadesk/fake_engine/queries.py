"""Queries as the fake engine reads them: words, what is not wanted, phrases, paths, years."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from cocadesk.protocol.replies import ReadAs

_PIECE = re.compile(r'(-?)(?:\d+:)?(like:)?(?:"([^"]*)"|(\S+))')
_SHORT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeQuery:
    """What a query asks for. ``words`` and ``unwanted`` are lower case."""

    words: frozenset[str]
    unwanted: frozenset[str]
    phrases: tuple[str, ...]
    paths: tuple[str, ...]
    read_as: tuple[ReadAs, ...] = ()

    @property
    def note(self) -> str:
        """A sentence where the words are not in Latin letters."""
        strange = " ".join(sorted(word for word in self.words if _is_foreign(word)))
        return f"The made-up model cannot read “{strange}”." if strange else ""


def _is_foreign(word: str) -> bool:
    return any(letter.isalpha() and ord(letter) > 0x24F for letter in word)


def read_query(text: str, years: Collection[str], as_words: Collection[str] = ()) -> FakeQuery:
    """The query of a text without filters; a year of ``years`` is read as a time."""
    words, unwanted = set[str](), set[str]()
    phrases, paths, read_as = list[str](), list[str](), list[ReadAs]()
    for sign, like, quoted, plain in _PIECE.findall(text):
        piece = (quoted or plain).lower()
        if like:
            paths.append(quoted or plain)
        elif quoted and not sign:
            phrases.append(piece)
            words.update(piece.split())
        elif piece in years and not any(piece in kept for kept in as_words):
            read_as.append(ReadAs(text=plain, filter=f"taken:{plain}"))
        else:
            (unwanted if sign else words).update(piece.split())
    return FakeQuery(
        words=frozenset(w for w in words if len(w) >= _SHORT or _is_foreign(w)),
        unwanted=frozenset(unwanted),
        phrases=tuple(phrases),
        paths=tuple(paths),
        read_as=tuple(read_as),
    )
