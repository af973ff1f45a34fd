"""One question to a library: its text is read, its words and pictures are looked for.

The text is a query (``query``), in which dates in words are understood (``dates``). Where a
medium's own words say the very text, it is taken as words, whatever it could mean else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError, grouped, tr, tr_count
from cocadesk.library.columns import Mask
from cocadesk.library.rows import Chosen
from cocadesk.library.words import normal, words_of
from cocadesk.search.dates import ReadAs, read_dates
from cocadesk.search.filters import EVERYTHING, Filter, unless_missing
from cocadesk.search.found_by import FoundBy
from cocadesk.search.languages import is_foreign_script, what_model_misses
from cocadesk.search.matching import has_any, matching_keys, with_album_ids
from cocadesk.search.ordering import OWN_ORDER, Order
from cocadesk.search.query import Query, QueryTerm, Sought, parse_query, plain_query
from cocadesk.search.ranking import Question, within
from cocadesk.search.searcher import Hit, Searcher
from cocadesk.search.word_search import MOST_WORDS, WordSearch, WordsFound, words_in
from cocadesk.vectors import unit_vectors

if TYPE_CHECKING:
    from cocadesk.library.result_rows import ResultRows

Vector: TypeAlias = NDArray[np.float32]

MOST_TERMS = 64
"""So many words with a sign or a weight, phrases and pictures are looked for."""
_JUDGED_AT_ONCE = 1000
_AWAY = 0.5
"""How much what is not wanted counts beside what is.

Of five queries over Flickr8k dev such as "a dog -water" the first 30 held what was not wanted in
8 % without it, 1 % with .5 (.5 to 1: the same; above, what was wanted went down as well).
"""
_MORE = 0.5
"""How much of a word's own vector each further weight adds to that of the whole text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for: a query's text, media to be like or unlike, and among which.

    ``as_words`` are texts in which nothing is to be read as a date.
    """

    text: str = ""
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    among: Filter = EVERYTHING
    collapse: int | None = None
    order: Order = OWN_ORDER
    as_words: tuple[str, ...] = ()
    today: date = field(default_factory=date.today)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer: hits, best first where ``is_ranked``, what to say of it, and dates in words."""

    hits: list[Hit]
    is_ranked: bool
    note: str = ""
    read_as: tuple[ReadAs, ...] = ()


class Asker:
    """Answers questions with a searcher; ``picture_of`` gives the vector (D,) of a file.

    ``check`` raises where nobody waits for the answer any more.
    """

    def __init__(
        self,
        searcher: Searcher,
        picture_of: Callable[[str], Vector],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._searcher = searcher
        self._picture_of = picture_of
        self._check = check

    def ask(self, asked: Asked, limit: int) -> Found:
        """The ``limit`` media that fit best.

        Raises:
            UserError: it asks for nothing, a filter or a picture is none, or the library was
                indexed with another model.
        """
        text = " ".join(asked.text.split())
        search = self._searcher.word_search()
        query, read_as = understood(text, asked, search, self._searcher.has_any)
        query, cut = _shortened(query)
        among, sought = asked.among & query.filter, query.sought
        if not sought and not asked.like and not asked.unlike:
            hits = self._searcher.listed(limit, among, asked.collapse, asked.order)
            return Found(hits=hits, is_ranked=False, read_as=read_as)
        note = ""
        if not self._searcher.is_multilingual:
            words = [term.text for term in sought if term.kind is Sought.WORD]
            note = what_model_misses(words, query.text)
        note = " ".join(filter(None, (note, cut, self._too_long(query))))
        question = Question(
            vector=self._vector(query, asked), without=frozenset((*asked.like, *asked.unlike))
        )
        self._check()
        if search is not None:
            question = self._with_words(question, query, search)
        elif any(term.kind is not Sought.LIKE for term in sought):
            unread = tr(
                "The words of this library are still being read: only pictures were searched."
            )
            note = f"{note} {unread}".strip()
        self._check()
        hits = self._searcher.best(question, limit, among, asked.collapse)
        is_like = asked.like or any(t.kind is Sought.LIKE and not t.is_negated for t in sought)
        has_phrases_alone = _has_phrases_alone(query)
        if not hits:
            note = f"{self._why_nothing(query, among)} {note}".strip()
        is_unread = any(map(self._is_unread, query.text.split()))
        if query.text and not (is_like or has_phrases_alone or is_unread):
            hits = self._judged(hits, query.text, question.words)
        return Found(hits=hits, is_ranked=True, note=note, read_as=read_as)

    def _why_nothing(self, query: Query, among: Filter) -> str:
        """What let nothing be found, where it is known: pictures alone always find something."""
        if query.filter and not self._searcher.has_any(among):
            return tr("No photo or video passes all of: {filters}.", filters=str(query.filter))
        return _no_such_phrase(query) if _has_phrases_alone(query) else ""

    def _too_long(self, query: Query) -> str:
        """A sentence where the model reads a part of a text alone; empty where it reads all."""
        text = self._known_to_model(query.text)
        words = len(self._searcher.read_part(text).split())
        if words >= len(text.split()) or not self._searcher.has_views():
            return ""
        return tr_count(
            words,
            "Only the first word tells what pictures should show: the model reads no more.",
            "Only the first {n} words tell what pictures should show: the model reads no more.",
        )

    # What pictures should show --------------------------------------------------------------

    def _is_unread(self, text: str) -> bool:
        """True for what the model in use can't read."""
        return is_foreign_script(text) and not self._searcher.is_multilingual

    def _known_to_model(self, text: str) -> str:
        return " ".join(word for word in text.split() if not self._is_unread(word))

    def _pulling(self, term: QueryTerm) -> str:
        """The text that a term wants pictures to show more, or less; none for plain words."""
        is_usual = not term.is_negated and term.weight == 1
        is_text = term.kind is not Sought.LIKE and not is_usual and not self._is_unread(term.text)
        return term.text if is_text else ""

    def _vector(self, query: Query, asked: Asked) -> Vector | None:
        """The direction to look into; None where only words can tell."""
        if not self._searcher.has_views():
            return None
        text = self._known_to_model(query.text)
        self._searcher.prepare_texts(
            [*([text] if text else []), *filter(None, map(self._pulling, query.sought))]
        )
        pulls: list[tuple[float, Vector]] = []
        if text:
            pulls.append((1.0, self._searcher.vector_of(text)))
        stored = self._searcher.vectors_of((*asked.like, *asked.unlike))
        pulls += [(_share(asked.like), stored[key]) for key in asked.like]
        pulls += [(-_AWAY * _share(asked.unlike), stored[key]) for key in asked.unlike]
        pulls += [pull for term in query.sought if (pull := self._pull(term)) is not None]
        if len(pulls) == 1 and pulls[0][0] > 0:
            return pulls[0][1]
        return self._summed(pulls)

    def _pull(self, term: QueryTerm) -> tuple[float, Vector] | None:
        """What one term adds to the vector of the whole text, and how much of it."""
        sign = -_AWAY if term.is_negated else 1.0
        if term.kind is Sought.LIKE:
            return sign * term.weight, self._picture_of(term.text)
        self._check()
        if not self._pulling(term):
            return None
        weight = sign * term.weight if term.is_negated else _MORE * (term.weight - 1)
        return weight, self._searcher.vector_of(term.text)

    def _summed(self, pulls: Sequence[tuple[float, Vector]]) -> Vector | None:
        """One vector by which the library's pictures rank as by the sum of how each stands out.

        Cosines between pictures differ more than those of pictures to a text, which would have
        no say beside them.
        """
        if not pulls:
            return None
        total = np.zeros_like(pulls[0][1])
        for weight, vector in pulls:
            total += np.float32(weight / self._searcher.background(vector)[1]) * vector
        return unit_vectors(total) if total.any() else None

    # What words find, and what is believed ------------------------------------------------

    def _with_words(self, question: Question, query: Query, search: WordSearch) -> Question:
        """The question with what its words find, among the media that hold its phrases."""
        weights: dict[str, float] = {}
        for term in query.sought:
            if term.kind is not Sought.LIKE and not term.is_negated:
                weights |= dict.fromkeys(words_of(term.text), term.weight)
        found = search.find(query.text, words_of(query.text)[:MOST_WORDS], weights)
        mask, said = _narrowing(query, search, self._check)
        found = replace(found, masks=(*found.masks, *said))
        return replace(question, words=found, keys=search.keys, within=mask)

    def _judged(self, hits: list[Hit], text: str, words: WordsFound | None) -> list[Hit]:
        """The hits with their probabilities, some at a time: each is set against many words."""
        found: list[Hit] = []
        for start in range(0, len(hits), _JUDGED_AT_ONCE):
            self._check()
            found += self._searcher.judged(hits[start : start + _JUDGED_AT_ONCE], text, words)
        return found


def _has_phrases_alone(query: Query) -> bool:
    """True where all that is looked for stands in quotes: what is found holds these words."""
    return any(term.kind is Sought.PHRASE and not term.is_negated for term in query.sought) and all(
        term.kind is Sought.PHRASE or term.is_negated for term in query.sought
    )


def _no_such_phrase(query: Query) -> str:
    phrases = [term for term in query.sought if not term.is_negated]
    if len(phrases) > 1:
        return tr("Nothing here holds all of these words as they stand in quotes.")
    return tr(
        "No caption, tag, name or other text here holds “{words}”. Without quotes, pictures are "
        "searched as well.",
        words=phrases[0].text,
    )


def _shortened(query: Query) -> tuple[Query, str]:
    """The query with no more terms than are looked for, and what is to be said of that.

    Each costs a look through the library, and a text for the model.
    """
    terms, count = [], 0
    for term in query.terms:
        is_more = isinstance(term, QueryTerm) and not term.is_plain
        count += is_more
        if not is_more or count <= MOST_TERMS:
            terms.append(term)
    if count <= MOST_TERMS:
        return query, ""
    return Query(tuple(terms)), tr(
        "Of {count} -words, 2:words, phrases and pictures only the first {most} count.",
        count=grouped(count),
        most=MOST_TERMS,
    )


def understood(
    text: str, asked: Asked, search: WordSearch | None, has_any: Callable[[Filter], bool]
) -> tuple[Query, tuple[ReadAs, ...]]:
    """The query that a text is, and what of it is read as dates.

    ``has_any`` tells whether any medium passes a filter: a date of which there is none is a word.

    Raises:
        UserError: it asks for nothing, or a filter is none.
    """
    try:
        query = parse_query(text)
    except UserError:
        if search is None or not search.says(text):
            raise
        return plain_query(text), ()
    if not query.terms and not (asked.among or asked.like or asked.unlike):
        raise UserError(tr("There is nothing to search for."), "", tr("Type a few words."))
    kept = [f" {normal(words)} " for words in asked.as_words]
    others = asked.among & query.filter

    def is_wanted(read: ReadAs) -> bool:
        is_kept = any(f" {normal(read.text)} " in words for words in kept)
        return not is_kept and has_any(others & read.filter)

    dated, read_as = read_dates(query, asked.today, is_wanted)
    is_more = bool(read_as) or not query.is_plain
    if is_more and not query.filter and search is not None and search.says(text):
        return plain_query(text), ()
    return dated, read_as


def sought_in(rows: ResultRows, text: str) -> Query:
    """The query that a text is in a library, whose albums are looked up.

    Raises:
        UserError: it asks for nothing, a filter is none, or there is no such album.
    """
    text = " ".join(text.split())
    query, _ = understood(text, Asked(text=text), words_in(rows), partial(has_any, rows))
    with_album_ids(rows, query.filter)
    return query


def count_of(rows: ResultRows, text: str) -> int:
    """The number of media that a search for a text ranks.

    Raises:
        UserError: as ``sought_in``.
    """
    query, search = sought_in(rows, text), words_in(rows)
    keys = matching_keys(rows, unless_missing(query.filter))
    mask = _narrowing(_shortened(query)[0], search)[0] if search is not None else None
    if search is None or mask is None:
        return len(keys)
    question = Question(vector=None, keys=search.keys, within=mask)
    chosen = within(question, Chosen(keys))
    return 0 if chosen is None else len(chosen.keys)


def _narrowing(
    query: Query, search: WordSearch, check: Callable[[], None] = lambda: None
) -> tuple[Mask | None, list[tuple[FoundBy, Mask]]]:
    """The media that may be found by words, None for all; and which fields hold phrases."""
    whole: Mask | None = None
    said: list[tuple[FoundBy, Mask]] = []
    for term in query.sought:
        check()
        if term.kind is Sought.PHRASE:
            held, by = search.with_phrase(term.text)
            said += [] if term.is_negated else by
        elif term.kind is Sought.WORD and term.is_negated:
            held = search.holding(words_of(term.text))
        else:
            continue
        open_mask = ~held if term.is_negated else held
        whole = open_mask if whole is None else whole & open_mask
    return whole, said


def _share(keys: Sequence[str]) -> float:
    """Several pictures together count as much as one."""
    return 1 / max(1, len(keys))
