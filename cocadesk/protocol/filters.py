"""The messages about filters: their words for people, and the values that a library has.

Filters are text in the grammar of ``cocadesk.search.filters``.
"""

from __future__ import annotations

from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody
from cocadesk.protocol.values import Value


class TermValue(Value, frozen=True):
    """One term of a filter, in the grammar and in words ("Taken 2014–2016", "Not: video").

    ``turned`` is the same term negated, or no longer.
    """

    term: str
    words: str
    field: str
    turned: str = ""
    is_negated: bool = False


class FieldValue(Value, frozen=True):
    """A value that media have: the filter for it, how people write it, and how many have it.

    ``field`` is the field's name, ``label`` the word for what it is: "Tag", "Camera", "Folder".
    """

    term: str
    text: str
    count: int = 0
    field: str = ""
    label: str = ""


class ParsedQuery(ReplyBody, frozen=True):
    """The words of a query without its terms, and these."""

    text: str
    terms: tuple[TermValue, ...] = ()


class FieldValues(ReplyBody, frozen=True):
    """Values of one field or of several; ``complete`` is False where there are more."""

    values: tuple[FieldValue, ...]
    complete: bool = True


class TermCounts(ReplyBody, frozen=True):
    """The number of media that pass all terms, and for each term those that pass the others."""

    count: int
    terms: tuple[TermValue, ...] = ()
    without: tuple[int, ...] = ()


class ParseQuery(RequestBody, frozen=True):
    """The words and terms of a query; answered by ``ParsedQuery``, or why it can't be read."""

    text: str


class ListValues(RequestBody, frozen=True):
    """The values of a field that begin with a text, of media that pass a filter; ``FieldValues``.

    Those that most media have come first. Of a time, its years; with a year as ``prefix`` its
    months, of which the last comes first.
    """

    field: str
    prefix: str = ""
    filter: str = ""
    limit: int = 50


class CompleteWord(RequestBody, frozen=True):
    """What a person may mean who has typed this: ``FieldValues`` of several fields.

    A person's own tags, albums, persons and folders come first, then tags of the machine's.
    """

    text: str
    limit: int = 8


class CountTerms(RequestBody, frozen=True):
    """The media that pass a filter, and that would without each of its terms; ``TermCounts``."""

    filter: str
